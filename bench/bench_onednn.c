/* SPDX-License-Identifier: MIT
 *
 * What oneDNN makes of the network of the shipped model (30 rows of 11, two layers of 64) by the
 * size of the batch, per CPU-second, with packed weights: what bench_lstm is measured against. The
 * weights are noise, which does not matter to the time. OMP_NUM_THREADS must be 1. */
#include <oneapi/dnnl/dnnl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"

#define ROWS	   30
#define FEATURES   11
#define HIDDEN	   64
#define LAYERS	   2
#define WINDOWS	   4000
#define ARGUMENTS  5
#define MUST(call) ensure((call) == dnnl_success)

struct layer {
	dnnl_primitive_t primitive;
	dnnl_primitive_desc_t desc;
	dnnl_exec_arg_t args[ARGUMENTS];
};

static dnnl_engine_t engine;
static dnnl_stream_t stream;

/* Memory of the form that the layer wants for an argument, filled. */
static dnnl_exec_arg_t make_argument(const struct layer *l, int which)
{
	const dnnl_memory_desc_t *form =
		dnnl_primitive_desc_query_md(l->desc, dnnl_query_exec_arg_md, which);
	const size_t count = dnnl_memory_desc_get_size(form) / sizeof(float);
	dnnl_memory_t memory;
	struct rng rng;
	void *values;

	rng_init(&rng, 1, 0);
	MUST(dnnl_memory_create(&memory, form, engine, DNNL_MEMORY_ALLOCATE));
	MUST(dnnl_memory_get_data_handle(memory, &values));
	for (size_t i = 0; i < count; i++)
		((float *)values)[i] = (float)rng_below(&rng, 1000) / 4000 - 0.125f;
	return (dnnl_exec_arg_t){ which, memory };
}

static void describe(dnnl_memory_desc_t *out, int rank, const dnnl_dims_t dims,
		     dnnl_format_tag_t tag)
{
	MUST(dnnl_memory_desc_init_by_tag(out, rank, dims, dnnl_f32, tag));
}

static void make_layer(struct layer *l, dnnl_dim_t width, dnnl_dim_t batch)
{
	static const int which[] = { DNNL_ARG_SRC_LAYER, DNNL_ARG_WEIGHTS_LAYER,
				     DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_BIAS, DNNL_ARG_DST_LAYER };
	dnnl_memory_desc_t src, dst, weights_layer, weights_iter, bias;
	dnnl_rnn_desc_t rnn;

	describe(&src, 3, (dnnl_dims_t){ ROWS, batch, width }, dnnl_tnc);
	describe(&dst, 3, (dnnl_dims_t){ ROWS, batch, HIDDEN }, dnnl_tnc);
	describe(&weights_layer, 5, (dnnl_dims_t){ 1, 1, width, 4, HIDDEN }, dnnl_format_tag_any);
	describe(&weights_iter, 5, (dnnl_dims_t){ 1, 1, HIDDEN, 4, HIDDEN }, dnnl_format_tag_any);
	describe(&bias, 4, (dnnl_dims_t){ 1, 1, 4, HIDDEN }, dnnl_ldgo);
	MUST(dnnl_lstm_forward_desc_init(
		&rnn, dnnl_forward_inference, dnnl_unidirectional_left2right, &src, NULL, NULL,
		&weights_layer, &weights_iter, &bias, &dst, NULL, NULL, 0));
	MUST(dnnl_primitive_desc_create(&l->desc, &rnn, NULL, engine, NULL));
	MUST(dnnl_primitive_create(&l->primitive, l->desc));
	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++)
		l->args[i] = make_argument(l, which[i]);
}

static void free_layer(struct layer *l)
{
	for (size_t i = 0; i < ARGUMENTS; i++)
		dnnl_memory_destroy(l->args[i].memory);
	dnnl_primitive_destroy(l->primitive);
	dnnl_primitive_desc_destroy(l->desc);
}

static void measure(size_t batch)
{
	const size_t steps = WINDOWS / batch;
	struct layer layers[LAYERS] = { 0 };
	uint64_t begun_us;
	double elapsed_s;

	for (size_t i = 0; i < LAYERS; i++)
		make_layer(&layers[i], i ? HIDDEN : FEATURES, (dnnl_dim_t)batch);
	begun_us = clock_thread_cpu_us();
	for (size_t step = 0; step < steps; step++)
		for (size_t i = 0; i < LAYERS; i++)
			MUST(dnnl_primitive_execute(layers[i].primitive, stream, ARGUMENTS,
						    layers[i].args));
	elapsed_s = (double)(clock_thread_cpu_us() - begun_us) / 1e6;
	printf("{\"bench\": \"onednn\", \"batch\": %zu, \"predictions_per_cpu_s\": %.0f}\n", batch,
	       (double)(steps * batch) / elapsed_s);
	for (size_t i = 0; i < LAYERS; i++)
		free_layer(&layers[i]);
}

int main(void)
{
	const char *team = getenv("OMP_NUM_THREADS");

	if (!team || strcmp(team, "1") != 0) {
		printf("{\"bench\": \"onednn\", \"left out\": \"OMP_NUM_THREADS is not 1\"}\n");
		return 0;
	}
	MUST(dnnl_engine_create(&engine, dnnl_cpu, 0));
	MUST(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
	for (size_t batch = 1; batch <= 64; batch *= 2)
		measure(batch);
	dnnl_stream_destroy(stream);
	dnnl_engine_destroy(engine);
	return 0;
}
