/* SPDX-License-Identifier: MIT
 *
 * cell_code - the arithmetic of a layer. Compiled once for each kind of CPU, with
 *
 *	CELL_NAME          of the struct cell_code
 *	CELL_VECTOR_BYTES  16, 32 or 64: what the CPU computes with one instruction
 *
 * A tile is one vector of units of up to TILE windows: the sums of their four gates stay in
 * registers from the bias to the new state. For each input the weights of the four gates are loaded
 * once and multiplied with the input of every window of the tile. The weights of a vector of units
 * (32 kB for 64 units on 64) stay in the first cache while the tiles pass over them.
 *
 * cell.c has multiplied weights and biases such that 2 to the power of a gate's sum is what its
 * function needs. The powers are limited to 2^-40 and 2^40: beyond, the functions differ from 0, 1
 * or -1 by less than a float shows beside 1, and a product of three powers stays finite. What is
 * not a number stays that. */
#include "infer/cell_code.h"

#include <stdint.h>
#include <string.h>

#define LANES (CELL_VECTOR_BYTES / sizeof(float))
/* Its sums fill three quarters of the registers. */
#if CELL_VECTOR_BYTES == 64 || defined(__aarch64__)
#define TILE 6
#else
#define TILE 3
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(CELL_VECTOR_BYTES)));
typedef uint32_t bits __attribute__((vector_size(CELL_VECTOR_BYTES)));

INLINE vec load(const float *from)
{
	vec v;

	memcpy(&v, from, sizeof(v));
	return v;
}

INLINE void store(float *to, vec v)
{
	memcpy(to, &v, sizeof(v));
}

INLINE vec all(float value)
{
	return (vec){ 0 } + value;
}

INLINE vec choose(bits where, vec yes, vec no)
{
	return (vec)((where & (bits)yes) | (~where & (bits)no));
}

/* 2^x, to 2e-7 of it: the whole part goes into the exponent, for the rest the polynomial of
 * Cephes. Adding 1.5 * 2^23 rounds: what is behind the point falls off the end of the number. */
INLINE vec power_of_two(vec x)
{
	const vec limit = all(40), rounder = all(12582912);
	vec whole, rest, y;

	x = choose((bits)(x > limit), limit, x);
	x = choose((bits)(x < -limit), -limit, x);
	whole = x + rounder;
	rest = x - (whole - rounder);
	y = rest * 1.535336188319500e-4f + 1.339887440266574e-3f;
	y = y * rest + 9.618437357674640e-3f;
	y = y * rest + 5.550332471162809e-2f;
	y = y * rest + 2.402264791363012e-1f;
	y = y * rest + 6.931472028550421e-1f;
	y = y * rest + 1.0f;
	return y * (vec)(((bits)whole + 127) << 23);
}

/* memory = memory * sigmoid(f) + sigmoid(i) * tanh(g), output = sigmoid(o) * tanh(memory); each
 * on one denominator, since dividing costs most. */
INLINE void update(const vec *sums, float *memory, float *output)
{
	const vec i = power_of_two(sums[0]) + 1, f = power_of_two(sums[1]) + 1;
	const vec g = power_of_two(sums[2]), o = power_of_two(sums[3]) + 1;
	const vec ig = i * (g + 1);
	const vec state = (load(memory) * ig + (1 - g) * f) / (f * ig);
	const vec s = power_of_two(state * -2.8853900817779268f); /* -2 log2(e) */

	store(memory, state);
	store(output, (1 - s) / (o * (s + 1)));
}

/* Adds the weights' products with `width` values of each window. */
INLINE void add(vec (*sums)[CELL_GATES], size_t tile, const float *weights, const float *values,
		size_t width)
{
	for (size_t k = 0; k < width; k++, weights += CELL_GATES * LANES) {
		const vec w[] = { load(weights), load(weights + LANES), load(weights + 2 * LANES),
				  load(weights + 3 * LANES) };

		for (size_t n = 0; n < tile; n++)
			for (size_t gate = 0; gate < CELL_GATES; gate++)
				sums[n][gate] += w[gate] * values[n * width + k];
	}
}

/* before: the outputs of the row before, NULL: this is the first. */
INLINE void run_tile(size_t tile, const struct cell *c, size_t unit, const float *inputs,
		     const float *before, float *memory, float *outputs)
{
	const float *weights = c->weights + unit * CELL_GATES * (c->in + c->hidden);
	const float *bias = c->bias + unit * CELL_GATES;
	vec sums[TILE][CELL_GATES];

	for (size_t n = 0; n < tile; n++)
		for (size_t gate = 0; gate < CELL_GATES; gate++)
			sums[n][gate] = load(bias + gate * LANES);
	add(sums, tile, weights, inputs, c->in);
	if (before)
		add(sums, tile, weights + c->in * CELL_GATES * LANES, before, c->hidden);
	for (size_t n = 0; n < tile; n++)
		update(sums[n], memory + n * c->hidden + unit, outputs + n * c->hidden + unit);
}

/* A copy of run_tile() for each size, so that its loops have fixed ends and no register is lost. */
static void run_sized(size_t tile, const struct cell *c, size_t unit, const float *inputs,
		      const float *before, float *memory, float *outputs)
{
	switch (tile) {
#if TILE > 3
	case 6:
		run_tile(6, c, unit, inputs, before, memory, outputs);
		break;
	case 5:
		run_tile(5, c, unit, inputs, before, memory, outputs);
		break;
	case 4:
		run_tile(4, c, unit, inputs, before, memory, outputs);
		break;
#endif
	case 3:
		run_tile(3, c, unit, inputs, before, memory, outputs);
		break;
	case 2:
		run_tile(2, c, unit, inputs, before, memory, outputs);
		break;
	default:
		run_tile(1, c, unit, inputs, before, memory, outputs);
	}
}

/* In tiles of sizes as alike as can be: small ones wait for their own results. */
static void run_row(const struct cell *c, size_t count, const float *inputs, const float *before,
		    float *memory, float *outputs)
{
	for (size_t unit = 0; unit < c->hidden; unit += LANES) {
		size_t tiles = (count + TILE - 1) / TILE, tile;

		for (size_t i = 0; i < count; i += tile, tiles--) {
			tile = (count - i + tiles - 1) / tiles;
			run_sized(tile, c, unit, inputs + i * c->in,
				  before ? before + i * c->hidden : NULL, memory + i * c->hidden,
				  outputs + i * c->hidden);
		}
	}
}

static void run(const struct cell *c, size_t rows, size_t count, const float *inputs, float *memory,
		float *outputs)
{
	const float *before = NULL;

	memset(memory, 0, count * c->hidden * sizeof(*memory));
	for (size_t row = 0; row < rows; row++) {
		run_row(c, count, inputs, before, memory, outputs);
		before = outputs;
		inputs += count * c->in;
		outputs += count * c->hidden;
	}
}

#define TEXT_OF(name) #name
#define TEXT(name)    TEXT_OF(name)

const struct cell_code CELL_NAME = { .name = TEXT(CELL_NAME), .lanes = LANES, .run = run };
