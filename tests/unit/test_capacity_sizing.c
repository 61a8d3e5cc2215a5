/* SPDX-License-Identifier: MIT
 *
 * sizing, autoscale, answer: how many replicas, as numbers, as objects of Kubernetes, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capacity/answer.h"
#include "capacity/autoscale.h"
#include "capacity/sizing.h"
#include "near.h"

static const struct sizing_level levels[] = {
	{ 1, { 300, 290, 310 } },
	{ 2, { 580, 560, 600 } },
	{ 4, { 1100, 1050, 1150 } },
	{ 8, { 1900, 1800, 2000 } },
};

#define LEVELS 4

static void the_smallest_number_that_suffices_is_found(void **state)
{
	static const struct {
		double target_rps, head_room;
		uint64_t replicas, low, high;
		enum sizing_basis basis;
	} cases[] = {
		{ 200, 0, 1, 1, 1, SIZING_MEASURED },	{ 300, 0, 1, 1, 2, SIZING_MEASURED },
		{ 301, 0, 2, 1, 2, SIZING_MEASURED },	{ 800, 0, 3, 3, 3, SIZING_BETWEEN },
		{ 1100, 0, 4, 4, 5, SIZING_MEASURED },	{ 1101, 0, 5, 4, 5, SIZING_BETWEEN },
		{ 1000, 0.3, 6, 6, 7, SIZING_BETWEEN }, { 1900, 0, 8, 8, 0, SIZING_MEASURED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sizing s;
		struct err_text why = { "" };

		assert_int_equal(sizing_find(levels, LEVELS, cases[i].target_rps,
					     cases[i].head_room, NULL, &s, &why),
				 OK);
		assert_int_equal(s.replicas, cases[i].replicas);
		assert_int_equal(s.replicas_low, cases[i].low);
		assert_int_equal(s.replicas_high, cases[i].high);
		assert_int_equal(s.basis, cases[i].basis);
		assert_true(s.rps * (1 - cases[i].head_room) >= cases[i].target_rps);
	}
}

static void without_a_law_nothing_is_said_beyond_what_was_measured(void **state)
{
	struct sizing s;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(sizing_find(levels, LEVELS, 1901, 0, NULL, &s, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text,
			    "1901 requests/s of capacity are needed, and the most that is "
			    "known is 1900 with 8 replicas; measure more replicas (six "
			    "numbers of them allow a law that looks further)");
	assert_int_equal(sizing_find(levels, 0, 100, 0, NULL, &s, &why), ERR_NOT_FOUND);
	assert_int_equal(sizing_find(levels, LEVELS, 0, 0, NULL, &s, &why), ERR_BAD_INPUT);
	assert_int_equal(sizing_find(levels, LEVELS, NAN, 0, NULL, &s, &why), ERR_BAD_INPUT);
	assert_int_equal(sizing_find(levels, LEVELS, 100, 1, NULL, &s, &why), ERR_BAD_INPUT);
}

static void a_law_looks_twice_as_far(void **state)
{
	static const double replicas[] = { 1, 2, 3, 4, 6, 8 };
	struct sizing_level measured[6] = { 0 };
	double rps[6];
	struct usl law;
	struct sizing s;
	struct err_text why = { "" };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		rps[i] = 300 * replicas[i] / (1 + 0.03 * (replicas[i] - 1)) *
			 (i % 2 ? 1.002 : 0.998);
		measured[i].replicas = (uint64_t)replicas[i];
		measured[i].rps = (struct interval){ rps[i], rps[i] * 0.99, rps[i] * 1.01 };
	}
	assert_int_equal(usl_fit(replicas, rps, 6, &law, &why), OK);
	assert_int_equal(sizing_find(measured, 6, 2500, 0, &law, &s, &why), OK);
	/* 300 * 11 / 1.3 = 2538, 300 * 10 / 1.27 = 2362 */
	assert_int_equal(s.replicas, 11);
	assert_int_equal(s.basis, SIZING_LAW);
	assert_true(s.replicas_low >= 10 && s.replicas_low <= 11);
	assert_true(s.replicas_high == 0 || s.replicas_high >= 11);
	/* 16 of them: 3310. */
	assert_int_equal(sizing_find(measured, 6, 4000, 0, &law, &s, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "with 16 replicas; measure more replicas"));
}

static void levels_out_of_order_are_named(void **state)
{
	static const struct sizing_level twice[] = { { 2, { 580, 560, 600 } },
						     { 2, { 590, 560, 600 } } };
	struct sizing s;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(sizing_find(twice, 2, 100, 0, NULL, &s, &why), ERR_BAD_INPUT);
	assert_non_null(strstr(why.text, "capacity 2"));
}

static void intervals_that_are_not_known_leave_the_number_alone(void **state)
{
	static const struct sizing_level bare[] = { { 1, { 300, NAN, NAN } },
						    { 2, { 580, NAN, NAN } } };
	struct sizing s;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(sizing_find(bare, 2, 400, 0, NULL, &s, &why), OK);
	assert_int_equal(s.replicas, 2);
	assert_int_equal(s.replicas_low, 0);
	assert_int_equal(s.replicas_high, 0);
}

static void efficiency_and_cost(void **state)
{
	(void)state;
	assert_true(is_near(sizing_efficiency(levels, LEVELS, 3), 1900.0 / 8 / 300, 1e-12));
	assert_true(sizing_efficiency(levels, LEVELS, 0) == 1);
	assert_true(isnan(sizing_efficiency(levels + 1, LEVELS - 1, 0)));
	/* 2 replicas at 0.09 an hour answer 580 * 3600 = 2.088 million of them. */
	assert_true(is_near(sizing_cost_per_million(2, 580, 0.09), 0.18 / 2.088, 1e-9));
}

static const struct autoscale autoscale = {
	.deployment = "inference",
	.name_space = "load \"test\"",
	.replicas_min = 1,
	.replicas_max = 8,
	.rps_per_replica = 312,
	.head_room = 0.3,
	.pod_metric = "requests_per_second",
	.prometheus_url = "http://prometheus:9090",
	.rate_query = "sum(rate(x_total{job=\"a\"}[1m]))",
};

static void an_autoscaler_by_requests_keeps_the_head_room(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4000);
	autoscale_add_hpa(&autoscale, &out);
	assert_string_equal(out.p, "apiVersion: autoscaling/v2\n"
				   "kind: HorizontalPodAutoscaler\n"
				   "metadata:\n"
				   "  name: \"inference\"\n"
				   "  namespace: \"load \\\"test\\\"\"\n"
				   "spec:\n"
				   "  scaleTargetRef:\n"
				   "    apiVersion: apps/v1\n"
				   "    kind: Deployment\n"
				   "    name: \"inference\"\n"
				   "  minReplicas: 1\n"
				   "  maxReplicas: 8\n"
				   "  metrics:\n"
				   "  - type: Pods\n"
				   "    pods:\n"
				   "      metric:\n"
				   "        name: \"requests_per_second\"\n"
				   "      target:\n"
				   "        type: AverageValue\n"
				   "        averageValue: 218400m\n");
	buf_fini(&out);
}

static void keda_asks_prometheus(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4000);
	autoscale_add_keda(&autoscale, &out);
	assert_string_equal(out.p, "apiVersion: keda.sh/v1alpha1\n"
				   "kind: ScaledObject\n"
				   "metadata:\n"
				   "  name: \"inference\"\n"
				   "  namespace: \"load \\\"test\\\"\"\n"
				   "spec:\n"
				   "  scaleTargetRef:\n"
				   "    apiVersion: apps/v1\n"
				   "    kind: Deployment\n"
				   "    name: \"inference\"\n"
				   "  minReplicaCount: 1\n"
				   "  maxReplicaCount: 8\n"
				   "  triggers:\n"
				   "  - type: prometheus\n"
				   "    metadata:\n"
				   "      serverAddress: \"http://prometheus:9090\"\n"
				   "      query: \"sum(rate(x_total{job=\\\"a\\\"}[1m]))\"\n"
				   "      threshold: \"218.400\"\n");
	buf_fini(&out);
}

static void expect_answer(const struct answer *a, const char *want)
{
	struct buf out;

	buf_init(&out, 4000);
	answer_say(a, &out);
	assert_string_equal(out.p, want);
	buf_fini(&out);
}

static void a_question_is_answered_in_three_sentences(void **state)
{
	struct sizing sizing;
	struct err_text why = { "" };
	struct answer a = { .objectives = "p95<200ms",
			    .levels = levels,
			    .level_count = LEVELS,
			    .target_rps = 1000,
			    .head_room = 0.3,
			    .sizing = &sizing,
			    .cost_per_million = NAN,
			    .rows = 12 };

	(void)state;
	assert_int_equal(sizing_find(levels, LEVELS, 1000, 0.3, NULL, &sizing, &why), OK);
	expect_answer(&a,
		      "6 replicas carry 1000 requests/s within p95<200ms with at least 30 % of "
		      "the capacity free (between measured numbers of replicas, 6 to 7 by the "
		      "intervals).\n"
		      "1 replica carries 300 requests/s (290 to 310), 8 together 1900 requests/s "
		      "(1800 to 2000): 79 % of what 8 times one would.\n"
		      "All 12 rows are valid.\n");
	assert_int_equal(sizing_find(levels, LEVELS, 250, 0, NULL, &sizing, &why), OK);
	a.objectives = NULL;
	a.target_rps = 250;
	a.head_room = 0;
	a.cost_per_million = 0.0862;
	a.rows_suspect = 2;
	a.rows_invalid = 1;
	a.worst = "invalid: no";
	expect_answer(&a,
		      "1 replica carries 250 requests/s (as measured), at a cost of 0.0862 per "
		      "million requests.\n"
		      "1 replica carries 300 requests/s (290 to 310), 8 together 1900 requests/s "
		      "(1800 to 2000): 79 % of what 8 times one would.\n"
		      "Of 12 rows 2 are suspect and 1 invalid; the worst is invalid: no.\n");
}

static void a_load_below_the_limit_is_to_be_raised_first(void **state)
{
	struct sizing_level floor = { 1, { 67, 65, 69 }, true };
	struct err_text why = { "" };
	struct sizing sizing;

	(void)state;
	assert_int_equal(sizing_find(&floor, 1, 100, 0.2, NULL, &sizing, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "the load did not reach the limit: measure with more"));
	assert_int_equal(sizing_find(&floor, 1, 50, 0.2, NULL, &sizing, &why), OK);
}

static void what_is_not_known_is_said(void **state)
{
	struct answer a = { .levels = levels + 1,
			    .level_count = 1,
			    .target_rps = 5000,
			    .why_no_sizing = "measure more replicas",
			    .cost_per_million = NAN,
			    .rows = 1 };

	(void)state;
	expect_answer(&a, "How many replicas carry 5000 requests/s is not known: measure more "
			  "replicas.\n"
			  "2 replicas carry 580 requests/s (560 to 600); other numbers of replicas "
			  "were not measured.\n"
			  "The one row is valid.\n");
	a.target_rps = NAN;
	expect_answer(&a, "The most that was measured is 580 requests/s (560 to 600) with 2 "
			  "replicas.\n"
			  "2 replicas carry 580 requests/s (560 to 600); other numbers of replicas "
			  "were not measured.\n"
			  "The one row is valid.\n");
	a.objectives = "p95<200ms";
	a.head_room = 0.2;
	expect_answer(&a, "The most that was measured within p95<200ms is 580 requests/s (560 to "
			  "600) with 2 replicas; plan for 464, which leaves 20 % of it free.\n"
			  "2 replicas carry 580 requests/s (560 to 600); other numbers of replicas "
			  "were not measured.\n"
			  "The one row is valid.\n");
	a.level_count = 0;
	a.rows = 0;
	expect_answer(&a, "No capacity was measured.\n"
			  "So nothing can be said of one replica.\n"
			  "No row was measured.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_number_that_suffices_is_found),
		cmocka_unit_test(without_a_law_nothing_is_said_beyond_what_was_measured),
		cmocka_unit_test(a_law_looks_twice_as_far),
		cmocka_unit_test(levels_out_of_order_are_named),
		cmocka_unit_test(intervals_that_are_not_known_leave_the_number_alone),
		cmocka_unit_test(efficiency_and_cost),
		cmocka_unit_test(an_autoscaler_by_requests_keeps_the_head_room),
		cmocka_unit_test(keda_asks_prometheus),
		cmocka_unit_test(a_question_is_answered_in_three_sentences),
		cmocka_unit_test(a_load_below_the_limit_is_to_be_raised_first),
		cmocka_unit_test(what_is_not_known_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
