/* SPDX-License-Identifier: MIT
 *
 * session: against an LSTM written out from its equations, one by one and in batches, from several
 * threads, and in the code for every kind of CPU that this one can be. */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/rng.h"
#include "infer/cell.h"
#include "infer/lstm.h"
#include "infer/model.h"
#include "infer/session.h"

#define WINDOW	  30
#define FEATURES  11
#define HIDDEN	  24
#define TARGETS	  3
#define LAYERS	  2
#define GATES	  (4 * HIDDEN)
#define THREADS	  4
#define ERROR_MAX 1e-5

static float weight_ih0[GATES * FEATURES], weight_ih1[GATES * HIDDEN];
static float weight_hh[LAYERS][GATES * HIDDEN], bias_ih[LAYERS][GATES], bias_hh[LAYERS][GATES];
static float head_weight[TARGETS * HIDDEN], head_bias[TARGETS];
static struct model_column features[FEATURES], targets[TARGETS];
static struct model_layer layers[LAYERS] = {
	{ FEATURES, weight_ih0, weight_hh[0], bias_ih[0], bias_hh[0] },
	{ HIDDEN, weight_ih1, weight_hh[1], bias_ih[1], bias_hh[1] },
};
static const struct model model = {
	.window = WINDOW,
	.layer_count = LAYERS,
	.hidden = HIDDEN,
	.feature_count = FEATURES,
	.target_count = TARGETS,
	.input_count = FEATURES,
	.inputs = features,
	.targets = targets,
	.layers = layers,
	.head_weight = head_weight,
	.head_bias = head_bias,
};

static float random_float(struct rng *rng)
{
	return (float)rng_below(rng, 2000001) / 1e6f - 1;
}

static void fill(struct rng *rng, float *values, size_t count, float size)
{
	for (size_t i = 0; i < count; i++)
		values[i] = size * random_float(rng);
}

static int fill_model(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 11, 0);
	fill(&rng, weight_ih0, GATES * FEATURES, 0.5f);
	fill(&rng, weight_ih1, GATES * HIDDEN, 0.5f);
	fill(&rng, weight_hh[0], sizeof(weight_hh) / sizeof(float), 0.3f);
	fill(&rng, bias_ih[0], LAYERS * GATES, 0.3f);
	fill(&rng, bias_hh[0], LAYERS * GATES, 0.3f);
	fill(&rng, head_weight, TARGETS * HIDDEN, 0.5f);
	fill(&rng, head_bias, TARGETS, 0.5f);
	for (int i = 0; i < FEATURES; i++)
		features[i] = (struct model_column){ "f", i * 10, 1 + i };
	for (int i = 0; i < TARGETS; i++)
		targets[i] = (struct model_column){ "t", 5 - i, 0.5 + i };
	return 0;
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

/* PyTorch's documentation of torch.nn.LSTM, one row of one layer, in place. */
static void reference_row(const struct model_layer *layer, const double *x, double *h, double *c)
{
	double gate[GATES];

	for (int g = 0; g < GATES; g++) {
		gate[g] = (double)layer->bias_ih[g] + (double)layer->bias_hh[g];
		for (size_t k = 0; k < layer->in; k++)
			gate[g] += (double)layer->weight_ih[(size_t)g * layer->in + k] * x[k];
		for (int k = 0; k < HIDDEN; k++)
			gate[g] += (double)layer->weight_hh[g * HIDDEN + k] * h[k];
	}
	for (int k = 0; k < HIDDEN; k++) {
		c[k] = sigmoid(gate[HIDDEN + k]) * c[k] +
		       sigmoid(gate[k]) * tanh(gate[2 * HIDDEN + k]);
		h[k] = sigmoid(gate[3 * HIDDEN + k]) * tanh(c[k]);
	}
}

static void reference_predict(const float *rows, double *out)
{
	double h[LAYERS][HIDDEN] = { 0 }, c[LAYERS][HIDDEN] = { 0 }, x[FEATURES];

	for (int row = 0; row < WINDOW; row++) {
		for (int i = 0; i < FEATURES; i++)
			x[i] = (rows[row * FEATURES + i] - features[i].offset) / features[i].scale;
		reference_row(&layers[0], x, h[0], c[0]);
		reference_row(&layers[1], h[0], h[1], c[1]);
	}
	for (int t = 0; t < TARGETS; t++) {
		out[t] = head_bias[t];
		for (int k = 0; k < HIDDEN; k++)
			out[t] += (double)head_weight[t * HIDDEN + k] * h[1][k];
		out[t] = out[t] * targets[t].scale + targets[t].offset;
	}
}

static void fill_rows(struct rng *rng, float *rows)
{
	for (int i = 0; i < WINDOW * FEATURES; i++)
		rows[i] = 20 * random_float(rng) + (float)features[i % FEATURES].offset;
}

/* The largest error over `rounds` random windows; infinite when one has none. */
static double worst_error(struct session *s, uint64_t seed, int rounds)
{
	float rows[WINDOW * FEATURES];
	double want[TARGETS], worst = 0;
	struct rng rng;

	rng_init(&rng, seed, 0);
	for (int round = 0; round < rounds; round++) {
		const double *got;

		fill_rows(&rng, rows);
		session_put(s, 0, rows);
		session_run(s, 1);
		if (!(got = session_predictions(s, 0)))
			return INFINITY;
		reference_predict(rows, want);
		for (int t = 0; t < TARGETS; t++)
			worst = fmax(worst, fabs(got[t] - want[t]) / targets[t].scale);
	}
	return worst;
}

static void predictions_agree_with_the_equations(void **state)
{
	const struct cell_code *code;

	(void)state;
	for (size_t i = 0; (code = cell_code_at(i)); i++) {
		struct lstm *l = lstm_create(&model, code, 1);
		struct session *s = session_create(&model, l);
		double worst = worst_error(s, 1, 50);

		if (!(worst <= ERROR_MAX))
			fail_msg("%s: off by %g", code->name, worst);
		session_destroy(&s);
		lstm_destroy(&l);
		assert_null(s);
		assert_null(l);
	}
}

struct part {
	pthread_t thread;
	const struct lstm *lstm;
	uint64_t seed;
	double worst;
};

static void *predict_on_a_thread(void *arg)
{
	struct part *part = arg;
	struct session *s = session_create(&model, part->lstm);

	part->worst = worst_error(s, part->seed, 100);
	session_destroy(&s);
	return NULL;
}

static void threads_share_the_layers(void **state)
{
	struct part parts[THREADS];
	struct lstm *l = lstm_create(&model, cell_code_at(0), 1);

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		parts[i] = (struct part){ .lstm = l, .seed = i };
		assert_int_equal(
			pthread_create(&parts[i].thread, NULL, predict_on_a_thread, &parts[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(parts[i].thread, NULL), 0);
		if (!(parts[i].worst <= ERROR_MAX))
			fail_msg("thread %zu: off by %g", i, parts[i].worst);
	}
	lstm_destroy(&l);
}

/* A batch against the same windows one by one. What stood in the places of larger batches
 * before must not matter. */
static void compare_batches(const struct cell_code *code)
{
	static float rows[LIMIT_BATCH][WINDOW * FEATURES];
	static double alone[LIMIT_BATCH][TARGETS];
	struct lstm *l = lstm_create(&model, code, LIMIT_BATCH);
	struct session *s = session_create(&model, l);
	struct rng rng;

	rng_init(&rng, 3, 0);
	for (size_t count = LIMIT_BATCH; count >= 1; count--) {
		for (size_t i = 0; i < count; i++) {
			fill_rows(&rng, rows[i]);
			session_put(s, 0, rows[i]);
			session_run(s, 1);
			memcpy(alone[i], session_predictions(s, 0), sizeof(alone[i]));
		}
		for (size_t i = 0; i < count; i++)
			session_put(s, i, rows[i]);
		session_run(s, count);
		for (size_t i = 0; i < count; i++)
			for (int t = 0; t < TARGETS; t++) {
				double off = session_predictions(s, i)[t] - alone[i][t];

				if (!(fabs(off) / targets[t].scale <= 1e-6))
					fail_msg("%s: window %zu of %zu: off by %g", code->name, i,
						 count, off);
			}
	}
	session_destroy(&s);
	lstm_destroy(&l);
}

static void a_batch_predicts_what_single_windows_do(void **state)
{
	const struct cell_code *code;

	(void)state;
	for (size_t i = 0; (code = cell_code_at(i)); i++)
		compare_batches(code);
}

static void a_batch_is_limited_to_memory(void **state)
{
	struct model large = model;
	struct lstm *l = lstm_create(&model, cell_code_at(0), 47);

	(void)state;
	assert_int_equal(lstm_batch_max(l), 47);
	lstm_destroy(&l);
	large.window = LIMIT_MODEL_WINDOW;
	l = lstm_create(&large, cell_code_at(0), LIMIT_BATCH);
	assert_in_range(lstm_batch_max(l), 1, LIMIT_BATCH - 1);
	lstm_destroy(&l);
}

static void a_step_leaves_the_mode_of_its_thread_alone(void **state)
{
	static const float rows[WINDOW * FEATURES];
	struct lstm *l = lstm_create(&model, cell_code_at(0), 1);
	struct session *s = session_create(&model, l);
	volatile float smallest = FLT_MIN;

	(void)state;
	session_put(s, 0, rows);
	session_run(s, 1);
	assert_true(smallest / 2 > 0);
	session_destroy(&s);
	lstm_destroy(&l);
}

static void values_that_overflow_are_refused(void **state)
{
	float rows[WINDOW * FEATURES];
	struct lstm *l = lstm_create(&model, cell_code_at(0), 2);
	struct session *s = session_create(&model, l);
	double kept = targets[1].scale;

	(void)state;
	for (int i = 0; i < WINDOW * FEATURES; i++)
		rows[i] = i % 2 ? 3e38f : -3e38f;
	session_put(s, 0, rows);
	session_put(s, 1, rows);
	targets[1].scale = INFINITY; /* whatever the layers make of such values */
	session_run(s, 2);
	assert_null(session_predictions(s, 0));
	assert_null(session_predictions(s, 1));
	targets[1].scale = kept;
	/* What was refused leaves nothing behind. */
	assert_true(worst_error(s, 2, 3) <= ERROR_MAX);
	session_destroy(&s);
	lstm_destroy(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(predictions_agree_with_the_equations),
		cmocka_unit_test(threads_share_the_layers),
		cmocka_unit_test(a_batch_predicts_what_single_windows_do),
		cmocka_unit_test(a_batch_is_limited_to_memory),
		cmocka_unit_test(a_step_leaves_the_mode_of_its_thread_alone),
		cmocka_unit_test(values_that_overflow_are_refused),
	};

	return cmocka_run_group_tests(tests, fill_model, NULL);
}
