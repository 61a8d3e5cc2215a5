/* SPDX-License-Identifier: MIT
 *
 * Predictions per CPU-second by kind of code and size of the batch: the shipped model alone,
 * without HTTP and JSON. */
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/rng.h"
#include "infer/cell.h"
#include "infer/lstm.h"
#include "infer/model.h"

#define FOLDER	"models/lte-2x64"
#define WINDOWS 4000

static void fill(struct lstm_run *run, size_t count)
{
	struct rng rng;

	rng_init(&rng, 1, 0);
	for (size_t i = 0; i < count; i++)
		lstm_run_input(run)[i] = (float)rng_below(&rng, 1000) / 1000;
}

static void measure(struct lstm_run *run, const char *code, size_t batch)
{
	const size_t steps = WINDOWS / batch;
	const uint64_t begun_us = clock_thread_cpu_us();
	double elapsed_s;

	for (size_t i = 0; i < steps; i++)
		(void)lstm_run_step(run, batch);
	elapsed_s = (double)(clock_thread_cpu_us() - begun_us) / 1e6;
	printf("{\"bench\": \"lstm\", \"code\": \"%s\", \"batch\": %zu, "
	       "\"predictions_per_cpu_s\": %.0f}\n",
	       code, batch, (double)(steps * batch) / elapsed_s);
}

static void measure_code(const struct model *m, const struct cell_code *code)
{
	struct lstm *lstm = lstm_create(m, code, LIMIT_BATCH);
	struct lstm_run *run = lstm_run_create(lstm);

	fill(run, m->window * LIMIT_BATCH * m->input_count);
	for (size_t batch = 1; batch <= lstm_batch_max(lstm); batch *= 2)
		measure(run, code->name, batch);
	lstm_run_destroy(&run);
	lstm_destroy(&lstm);
}

int main(void)
{
	const struct cell_code *code;
	struct model *model = NULL;
	struct err_text text;

	if (model_create(&model, FOLDER, &text)) {
		fprintf(stderr, "bench_lstm: %s\n", text.text);
		return 1;
	}
	for (size_t i = 0; (code = cell_code_at(i)); i++)
		measure_code(model, code);
	model_destroy(&model);
	return 0;
}
