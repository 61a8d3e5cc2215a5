/* SPDX-License-Identifier: MIT
 *
 * conclude: from rows to levels, a number of replicas, sentences and JSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "matrix/agenda.h"
#include "matrix/conclude.h"
#include "matrix/findings.h"
#include "matrix/objectives.h"
#include "matrix/result_row.h"

#define ROWS_MAX 16

static struct plan plan;
static struct objectives objectives;
static struct conclude_questions questions;
static struct result_row rows[ROWS_MAX];
static size_t row_count;

static int begin(void **state)
{
	(void)state;
	row_count = 0;
	plan = plan_defaults();
	plan.replicas = (struct opt_counts){ { 2, 1 }, 2 };
	plan.workers = (struct opt_counts){ { 4 }, 1 };
	plan.users = (struct opt_counts){ { 100, 200 }, 2 };
	questions = (struct conclude_questions){ .agenda = { &plan, &objectives },
						 .target_rps = NAN,
						 .head_room = 0.2,
						 .cost_per_replica_hour = NAN,
						 .deployment = "inference",
						 .name_space = "load",
						 .prometheus_url = "http://p:9090",
						 .rate_query = "sum(rate(x[1m]))" };
	return 0;
}

static struct result_row *measure(uint64_t replicas, uint64_t users, double rps)
{
	struct result_row *row = &rows[row_count++];

	*row = result_row_blank(replicas, 4, users);
	row->rps = rps;
	row->p95_ms = 50;
	row->failures = 0;
	row->failures_pct = 0;
	row->total_requests = row->window_requests = 10000;
	row->generator = RESULT_GENERATOR_OK;
	row->verdict = RESULT_VERDICT_VALID;
	return row;
}

static struct conclude conclude(void)
{
	struct conclude c;

	conclude_rows(&questions, rows, row_count, &c);
	return c;
}

/* The answers as JSON, which must be some; for json_decref(). */
static json_t *answers(const struct conclude *c)
{
	struct buf out;
	json_t *list;

	buf_init(&out, 64 * 1024);
	findings_add_json(&questions, c, rows, row_count, &out);
	list = json_loadb(out.p, out.len, JSON_REJECT_DUPLICATES, NULL);
	buf_fini(&out);
	assert_non_null(list);
	return list;
}

static double figure(const json_t *answer, const char *name, const char *part)
{
	const json_t *figures = json_object_get(answer, "figures");

	return json_number_value(json_object_get(json_object_get(figures, name), part));
}

static void set_steady(struct result_row *row, double rps, double low, double high)
{
	row->steady_rps = rps;
	row->steady_rps_range = (struct result_range){ low, high };
}

static void the_best_row_to_be_believed_is_the_capacity(void **state)
{
	struct conclude c;
	struct buf said;

	(void)state;
	set_steady(measure(1, 100, 60), 60, 58, 62);
	measure(1, 200, 90)->verdict = RESULT_VERDICT_INVALID;
	measure(1, 200, 91)->status = RESULT_LOST_REPLICA;
	measure(1, 200, 92)->generator = RESULT_GENERATOR_LIMITED;
	measure(2, 200, 108);
	c = conclude();
	assert_int_equal(c.count, 2);
	assert_int_equal(c.levels[0].replicas, 1);
	assert_true(c.levels[0].rps.value == 60 && c.levels[0].rps.low == 58);
	assert_int_equal(c.users[0], 100);
	assert_true(c.levels[1].rps.value == 108 && isnan(c.levels[1].rps.low));
	assert_true(fabs(sizing_efficiency(c.levels, c.count, 1) - 0.9) < 1e-9);
	assert_false(c.has_law);
	buf_init(&said, 4096);
	findings_say(&questions, &c, rows, row_count, &said);
	assert_int_equal(
		strncmp(said.p, "The most that was measured is 108 requests/s with 2 ", 52), 0);
	assert_non_null(strstr(said.p, "\nOf 5 rows 0 are suspect and 1 invalid; "));
	buf_fini(&said);
}

static void without_objectives_there_is_nothing_to_be_within(void **state)
{
	struct conclude c;
	struct buf out;

	(void)state;
	measure(1, 100, 60);
	c = conclude();
	buf_init(&out, 64 * 1024);
	findings_say(&questions, &c, rows, row_count, &out);
	assert_non_null(
		strstr(out.p, "The most that was measured is 60 requests/s with 1 replica."));
	buf_fini(&out);
}

/* What a row did before it was steady says nothing of it, and failures are no service. */
static void a_capacity_is_what_was_answered_well_and_steadily(void **state)
{
	struct conclude c;

	(void)state;
	set_steady(measure(1, 100, 38), 49, 47, 51);
	measure(2, 100, 80)->failures_pct = 25;
	measure(2, 200, 500)->failures_pct = 100;
	c = conclude();
	assert_int_equal(c.count, 2);
	assert_true(c.levels[0].rps.value == 49 && c.levels[0].rps.high == 51);
	assert_true(c.levels[1].rps.value == 60 && isnan(c.levels[1].rps.low));
}

/* What users with pauses ask for is no capacity of a service that is idle. */
static void a_load_that_was_served_in_full_is_a_floor(void **state)
{
	struct conclude c;
	json_t *list;
	struct buf said;

	(void)state;
	measure(1, 100, 67)->avg_ms = 0.3;
	measure(2, 100, 66)->avg_ms = 0.3;
	c = conclude();
	assert_true(c.levels[0].is_floor && c.levels[1].is_floor);
	assert_true(isnan(sizing_efficiency(c.levels, c.count, 1)));
	buf_init(&said, 4096);
	findings_say(&questions, &c, rows, row_count, &said);
	assert_non_null(strstr(said.p, "67 requests/s with 1 replica, which is all that was asked "
				       "of the service: its limit shows under more load."));
	assert_non_null(strstr(said.p, "1 replica carries at least 67 requests/s, 2 together at "
				       "least 66 requests/s."));
	buf_fini(&said);
	/* So nothing says when to scale. */
	questions.target_rps = 10;
	list = answers(&c);
	assert_null(json_object_get(json_array_get(list, 0), "snippets"));
	json_decref(list);
}

static void what_still_grows_with_the_load_is_a_floor(void **state)
{
	struct conclude c;

	(void)state;
	measure(1, 100, 60)->avg_ms = 500;
	measure(1, 200, 110)->avg_ms = 700;
	measure(2, 100, 60)->avg_ms = 500;
	measure(2, 200, 75)->avg_ms = 1500;
	c = conclude();
	assert_true(c.levels[0].is_floor);
	assert_false(c.levels[1].is_floor);
	/* Of an open loop the users are the rate. */
	row_count = 0;
	measure(1, 300, 200)->avg_ms = 5;
	memcpy(rows[row_count - 1].model, "open", 5);
	measure(2, 300, 298)->avg_ms = 5;
	memcpy(rows[row_count - 1].model, "open", 5);
	c = conclude();
	assert_false(c.levels[0].is_floor);
	assert_true(c.levels[1].is_floor);
}

static void repeats_count_together(void **state)
{
	struct conclude c;

	(void)state;
	measure(1, 100, 60);
	measure(1, 200, 61);
	measure(1, 100, 64);
	measure(1, 100, 62);
	c = conclude();
	assert_int_equal(c.users[0], 100);
	assert_true(fabs(c.levels[0].rps.value - 62) < 1e-9);
	assert_true(c.levels[0].rps.low > 55 && c.levels[0].rps.low < 60);
}

static void a_target_has_its_replicas_cost_and_snippets(void **state)
{
	struct conclude c;
	json_t *list;

	(void)state;
	measure(1, 100, 60);
	measure(2, 200, 110);
	questions.target_rps = 80;
	questions.cost_per_replica_hour = 0.36;
	c = conclude();
	assert_true(c.has_sizing);
	assert_int_equal(c.sizing.replicas, 2);
	assert_true(conclude_is_answered(&questions, &c, rows, row_count));
	list = answers(&c);
	assert_true(figure(json_array_get(list, 0), "Replicas", "value") == 2);
	assert_true(fabs(figure(json_array_get(list, 0), "Cost_Per_Million", "value") - 2.5) <
		    1e-6);
	assert_int_equal(json_array_size(json_object_get(json_array_get(list, 0), "snippets")), 2);
	json_decref(list);

	questions.target_rps = 1000;
	c = conclude();
	assert_false(c.has_sizing);
	assert_false(conclude_is_answered(&questions, &c, rows, row_count));
	list = answers(&c);
	assert_true(json_is_false(json_object_get(json_array_get(list, 0), "is_known")));
	assert_non_null(strstr(json_string_value(json_object_get(json_array_get(list, 0), "text")),
			       "1250 requests/s of capacity are needed"));
	json_decref(list);
}

static void nothing_measured_is_no_answer(void **state)
{
	struct conclude c = conclude();
	json_t *list = answers(&c);
	struct buf said;

	(void)state;
	buf_init(&said, 4096);
	findings_say(&questions, &c, rows, 0, &said);
	assert_string_equal(said.p, "No capacity was measured.\nSo nothing can be said of one "
				    "replica.\nNo row was measured.\n");
	buf_fini(&said);
	assert_true(json_is_false(json_object_get(json_array_get(list, 0), "is_known")));
	json_decref(list);
}

static void a_search_without_its_limit_is_no_answer(void **state)
{
	struct err_text why = { "" };
	struct conclude c;
	json_t *list;

	(void)state;
	assert_int_equal(objectives_parse("p95<200ms", &objectives, &why), OK);
	plan.is_search = true;
	plan.replicas.count = 1;
	measure(2, 100, 60);
	c = conclude();
	assert_int_equal(c.count, 0);
	assert_false(conclude_is_answered(&questions, &c, rows, row_count));
	list = answers(&c);
	assert_non_null(strstr(json_string_value(json_object_get(json_array_get(list, 1), "text")),
			       "2 replicas, 4 workers: probe 2 of at most 10: 200 users"));
	json_decref(list);
}

/* A service that keeps the objective with so many users, searched to the end. */
static struct conclude search_limit_of(uint64_t users)
{
	struct err_text why = { "" };
	struct scenario next;

	assert_int_equal(objectives_parse("p95<200ms", &objectives, &why), OK);
	plan.is_search = true;
	plan.replicas.count = 1;
	plan.users = (struct opt_counts){ { 1 }, 1 };
	while (row_count < ROWS_MAX && agenda_next(&questions.agenda, rows, row_count, &next)) {
		struct result_row *row = measure(2, next.users, 10 * (double)next.users);

		row->scenario = next.index;
		row->p95_ms = next.users <= users ? 100 : 400;
	}
	return conclude();
}

static void what_to_plan_for_leaves_the_head_room_free(void **state)
{
	struct conclude c = search_limit_of(3);
	json_t *list = answers(&c), *answer = json_array_get(list, 2);

	(void)state;
	assert_float_equal(figure(answer, "Users", "value"), 3, 0);
	assert_float_equal(figure(answer, "Planned_Users", "value"), 2, 0);
	json_decref(list);
}

static void of_one_user_no_head_room_can_be_left(void **state)
{
	struct conclude c = search_limit_of(1);
	json_t *list = answers(&c), *answer = json_array_get(list, 2);

	(void)state;
	assert_float_equal(figure(answer, "Users", "value"), 1, 0);
	assert_null(json_object_get(json_object_get(answer, "figures"), "Planned_Users"));
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_best_row_to_be_believed_is_the_capacity, begin),
		cmocka_unit_test_setup(without_objectives_there_is_nothing_to_be_within, begin),
		cmocka_unit_test_setup(a_load_that_was_served_in_full_is_a_floor, begin),
		cmocka_unit_test_setup(what_still_grows_with_the_load_is_a_floor, begin),
		cmocka_unit_test_setup(repeats_count_together, begin),
		cmocka_unit_test_setup(a_capacity_is_what_was_answered_well_and_steadily, begin),
		cmocka_unit_test_setup(a_target_has_its_replicas_cost_and_snippets, begin),
		cmocka_unit_test_setup(nothing_measured_is_no_answer, begin),
		cmocka_unit_test_setup(a_search_without_its_limit_is_no_answer, begin),
		cmocka_unit_test_setup(what_to_plan_for_leaves_the_head_room_free, begin),
		cmocka_unit_test_setup(of_one_user_no_head_room_can_be_left, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
