/* SPDX-License-Identifier: MIT
 *
 * cell - one LSTM layer over the rows of some windows at once, in the best code for this CPU.
 *
 * The units of a layer are computed side by side in vectors, so its width is filled up to whole
 * vectors with units that stay zero. Nothing is allocated while it runs, and any number of
 * threads may use one cell. */
#pragma once

#include <stddef.h>

struct model_layer;

/* A layer with its weights in the order in which they are read. */
struct cell {
	const struct cell_code *code;
	size_t in, hidden; /* hidden: of whole vectors */
	const float *weights;
	const float *bias;
	void *memory; /* owns both */
};

/* What is compiled for one kind of CPU. */
struct cell_code {
	const char *name;
	size_t lanes; /* floats of a vector */
	/* inputs: [row][count][in], outputs: [row][count][hidden]; begins with a zero state and
	 * leaves the last one in memory: [count][hidden]. */
	void (*run)(const struct cell *c, size_t rows, size_t count, const float *inputs,
		    float *memory, float *outputs);
};

/* What this CPU can run, the fastest first; NULL: there are no more than i. */
const struct cell_code *cell_code_at(size_t i);

/* The width of a layer of so many units. */
size_t cell_width(const struct cell_code *code, size_t hidden);
/* Copies the weights. in: of the input as it will stand in memory, at least that of the layer. */
void cell_init(struct cell *c, const struct cell_code *code, const struct model_layer *layer,
	       size_t hidden, size_t in);
void cell_fini(struct cell *c);
