/* SPDX-License-Identifier: MIT
 *
 * cell - see the header: the choice of code, and the weights as it wants them. */
#include "infer/cell.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "infer/cell_code.h"
#include "infer/model.h"

/* Of a cache line: a vector that lies in two costs two loads. */
#define ALIGN_BYTES 64

static bool can_run(const struct cell_code *code)
{
#if defined(__x86_64__)
	if (code == &cell_avx512)
		return __builtin_cpu_supports("avx512f");
	if (code == &cell_avx2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
	return code == &cell_plain;
}

const struct cell_code *cell_code_at(size_t i)
{
	static const struct cell_code *const codes[] = {
#if defined(__x86_64__)
		&cell_avx512,
		&cell_avx2,
#endif
		&cell_plain,
	};

	for (size_t k = 0; k < sizeof(codes) / sizeof(codes[0]); k++)
		if (can_run(codes[k]) && i-- == 0)
			return codes[k];
	return NULL;
}

size_t cell_width(const struct cell_code *code, size_t hidden)
{
	return (hidden + code->lanes - 1) / code->lanes * code->lanes;
}

/* For cell_code.c, which takes 2 to the power of a gate's sum: as sigmoid is 1 / (1 + e^-x), and
 * tanh, which the candidate g has, (1 - e^-2x) / (1 + e^-2x). */
static float gate_factor(size_t gate)
{
	return (float)((gate == CELL_CANDIDATE ? -2 : -1) * M_LOG2E);
}

/* One vector's units: the weights of an input or a unit for the four gates, side by side. */
static float *pack_column(float *to, const struct cell *c, const float *from, size_t width,
			  size_t k, size_t first, size_t hidden)
{
	const size_t lanes = c->code->lanes;

	for (size_t gate = 0; gate < CELL_GATES; gate++)
		for (size_t lane = 0; lane < lanes; lane++, to++)
			if (first + lane < hidden && k < width)
				*to = from[(gate * hidden + first + lane) * width + k] *
				      gate_factor(gate);
	return to;
}

void cell_init(struct cell *c, const struct cell_code *code, const struct model_layer *layer,
	       size_t hidden, size_t in)
{
	float *at, *bias, *sums = mem_zalloc(CELL_GATES * hidden, sizeof(*sums));

	*c = (struct cell){ .code = code, .in = in, .hidden = cell_width(code, hidden) };
	c->memory = mem_zalloc(1, (in + c->hidden + 1) * CELL_GATES * c->hidden * sizeof(float) +
					  ALIGN_BYTES);
	at = (float *)(((uintptr_t)c->memory + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES);
	c->weights = at;
	for (size_t first = 0; first < c->hidden; first += code->lanes) {
		for (size_t k = 0; k < in; k++)
			at = pack_column(at, c, layer->weight_ih, layer->in, k, first, hidden);
		for (size_t k = 0; k < c->hidden; k++)
			at = pack_column(at, c, layer->weight_hh, hidden, k, first, hidden);
	}
	for (size_t i = 0; i < CELL_GATES * hidden; i++)
		sums[i] = layer->bias_ih[i] + layer->bias_hh[i];
	c->bias = bias = at;
	for (size_t first = 0; first < c->hidden; first += code->lanes)
		bias = pack_column(bias, c, sums, 1, 0, first, hidden);
	mem_free(sums);
}

void cell_fini(struct cell *c)
{
	mem_free(c->memory);
	*c = (struct cell){ 0 };
}
