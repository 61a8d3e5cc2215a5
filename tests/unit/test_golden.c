/* SPDX-License-Identifier: MIT
 *
 * golden: the trained models in models/ give PyTorch's outputs (models/golden.py wrote them down),
 * and the vectors are such that the usual mistakes in reading a model would show. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "infer/cell.h"
#include "infer/lstm.h"
#include "infer/model.h"
#include "infer/session.h"

#define VECTORS TEST_VECTORS "/%s.json"
#define MODEL	TEST_VECTORS "/../../models/%s"

#define SCALED_ERROR_MAX 1e-5
#define ROWS_MAX	 (64 * 64) /* numbers of a window */
/* A model read wrongly must be off by far more than the arithmetic. */
#define MISTAKE_ERROR_MIN 1e-2

static const char *model_name; /* of the group that runs */
static json_t *page;
static float rows[LIMIT_BATCH][ROWS_MAX];

static int load_vectors(void **state)
{
	char *path = mem_printf(VECTORS, model_name);
	json_error_t where = { 0 };

	(void)state;
	page = json_load_file(path, 0, &where);
	if (!page)
		print_error("%s:%d: %s\n", path, where.line, where.text);
	mem_free(path);
	return page ? 0 : -1;
}

static int drop_vectors(void **state)
{
	(void)state;
	json_decref(page);
	return 0;
}

static struct model *load_model(void)
{
	char *path = mem_printf(MODEL, model_name);
	struct err_text text = { 0 };
	struct model *m = NULL;

	if (model_create(&m, path, &text))
		fail_msg("%s", text.text);
	mem_free(path);
	return m;
}

static void read_rows(const json_t *from, const struct model *m, float *to)
{
	assert_in_range(m->window * m->feature_count, 1, ROWS_MAX);
	assert_int_equal(json_array_size(from), m->window);
	for (size_t r = 0; r < m->window; r++) {
		const json_t *row = json_array_get(from, r);

		assert_int_equal(json_array_size(row), m->feature_count);
		for (size_t i = 0; i < m->feature_count; i++)
			*to++ = (float)json_number_value(json_array_get(row, i));
	}
}

/* All vectors in batches of `count`, each in every place of its batch. */
static double worst_error_in_batches(const struct model *m, struct session *s, size_t count)
{
	const json_t *vectors = json_object_get(page, "vectors");
	size_t total = json_array_size(vectors);
	double worst = 0;

	for (size_t first = 0; first < total; first++) {
		for (size_t i = 0; i < count; i++) {
			read_rows(json_object_get(json_array_get(vectors, (first + i) % total),
						  "rows"),
				  m, rows[i]);
			session_put(s, i, rows[i]);
		}
		session_run(s, count);
		for (size_t i = 0; i < count; i++) {
			const json_t *scaled = json_object_get(
				json_array_get(vectors, (first + i) % total), "scaled");
			const double *got = session_predictions(s, i);

			assert_non_null(got);
			for (size_t t = 0; t < m->target_count; t++) {
				double mine = (got[t] - m->targets[t].offset) / m->targets[t].scale;

				worst = fmax(
					worst,
					fabs(mine - json_number_value(json_array_get(scaled, t))));
			}
		}
	}
	return worst;
}

/* The largest difference of a scaled output from PyTorch's, over all vectors. */
static double worst_error(const struct model *m, const struct cell_code *code)
{
	struct lstm *l = lstm_create(m, code, 1);
	struct session *s = session_create(m, l);
	double worst = worst_error_in_batches(m, s, 1);

	session_destroy(&s);
	lstm_destroy(&l);
	return worst;
}

static void names_agree(const char *field, const struct model_column *columns, size_t count)
{
	const json_t *names = json_object_get(page, field);

	assert_int_equal(json_array_size(names), count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(columns[i].name, json_string_value(json_array_get(names, i)));
}

static void the_vectors_are_of_this_model(void **state)
{
	struct model *m = load_model();

	(void)state;
	assert_string_equal(m->run_id, json_string_value(json_object_get(page, "run_id")));
	names_agree("features", m->inputs, m->feature_count);
	names_agree("targets", m->targets, m->target_count);
	assert_in_range(json_array_size(json_object_get(page, "vectors")), 8, 64);
	model_destroy(&m);
}

static void scaled_outputs_are_those_of_pytorch(void **state)
{
	struct model *m = load_model();
	const struct cell_code *code;

	(void)state;
	for (size_t i = 0; (code = cell_code_at(i)); i++) {
		double worst = worst_error(m, code);

		if (!(worst <= SCALED_ERROR_MAX))
			fail_msg("%s: off by %g", code->name, worst);
	}
	model_destroy(&m);
}

static void batches_of_every_size_are_those_of_pytorch(void **state)
{
	struct model *m = load_model();
	struct lstm *l = lstm_create(m, cell_code_at(0), LIMIT_BATCH);
	struct session *s = session_create(m, l);

	(void)state;
	assert_int_equal(session_batch_max(s), LIMIT_BATCH);
	for (size_t count = 1; count <= LIMIT_BATCH; count += count < 9 ? 1 : 11) {
		double worst = worst_error_in_batches(m, s, count);

		if (!(worst <= SCALED_ERROR_MAX))
			fail_msg("%zu at once: off by %g", count, worst);
	}
	session_destroy(&s);
	lstm_destroy(&l);
	model_destroy(&m);
}

/* Mistakes, each made on a model that was read well. */

static void swap_blocks(float *values, size_t block, size_t a, size_t b)
{
	for (size_t i = 0; i < block; i++) {
		float kept = values[a * block + i];

		values[a * block + i] = values[b * block + i];
		values[b * block + i] = kept;
	}
}

static void swap_gates(struct model *m, size_t a, size_t b)
{
	for (size_t i = 0; i < m->layer_count; i++) {
		swap_blocks(m->layers[i].weight_ih, m->hidden * m->layers[i].in, a, b);
		swap_blocks(m->layers[i].weight_hh, m->hidden * m->hidden, a, b);
		swap_blocks(m->layers[i].bias_ih, m->hidden, a, b);
		swap_blocks(m->layers[i].bias_hh, m->hidden, a, b);
	}
}

static void swap_input_and_forget(struct model *m)
{
	swap_gates(m, 0, 1);
}

static void swap_cell_and_output(struct model *m)
{
	swap_gates(m, 2, 3);
}

static void drop_bias_ih(struct model *m)
{
	for (size_t i = 0; i < m->layer_count; i++)
		memset(m->layers[i].bias_ih, 0, 4 * m->hidden * sizeof(float));
}

static void drop_bias_hh(struct model *m)
{
	for (size_t i = 0; i < m->layer_count; i++)
		memset(m->layers[i].bias_hh, 0, 4 * m->hidden * sizeof(float));
}

static void drop_head_bias(struct model *m)
{
	memset(m->head_bias, 0, m->target_count * sizeof(float));
}

static void turn_weight_hh(struct model *m)
{
	for (size_t i = 0; i < m->layer_count; i++)
		for (size_t gate = 0; gate < 4; gate++)
			for (size_t r = 0; r < m->hidden; r++)
				for (size_t c = 0; c < r; c++) {
					float *w = m->layers[i].weight_hh +
						   gate * m->hidden * m->hidden;
					float kept = w[r * m->hidden + c];

					w[r * m->hidden + c] = w[c * m->hidden + r];
					w[c * m->hidden + r] = kept;
				}
}

static void swap_features(struct model *m)
{
	struct model_column kept = m->inputs[0];

	m->inputs[0] = m->inputs[1];
	m->inputs[1] = kept;
}

static void mistakes_show(void **state)
{
	static const struct {
		const char *name;
		void (*make)(struct model *m);
	} mistakes[] = {
		{ "input and forget gate swapped", swap_input_and_forget },
		{ "cell and output gate swapped", swap_cell_and_output },
		{ "no bias_ih", drop_bias_ih },
		{ "no bias_hh", drop_bias_hh },
		{ "no fc.bias", drop_head_bias },
		{ "weight_hh transposed", turn_weight_hh },
		{ "two features swapped", swap_features },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct model *m = load_model();
		double worst;

		mistakes[i].make(m);
		worst = worst_error(m, cell_code_at(0));
		if (!(worst > MISTAKE_ERROR_MIN))
			fail_msg("%s: off by only %g", mistakes[i].name, worst);
		model_destroy(&m);
	}
}

int main(void)
{
	static const char *const names[] = { "lte-2x64", "lte-1x128" };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_are_of_this_model),
		cmocka_unit_test(scaled_outputs_are_those_of_pytorch),
		cmocka_unit_test(batches_of_every_size_are_those_of_pytorch),
		cmocka_unit_test(mistakes_show),
	};

	int failed = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		model_name = names[i];
		failed +=
			cmocka_run_group_tests_name(model_name, tests, load_vectors, drop_vectors);
	}
	return failed;
}
