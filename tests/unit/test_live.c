/* SPDX-License-Identifier: MIT
 *
 * live: what a page is told of the driver, and that asking and telling do not disturb each other.
 */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/limits.h"
#include "matrix/live.h"
#include "matrix/master_api.h"
#include "matrix/plan.h"
#include "matrix/progress.h"
#include "matrix/result_row.h"

static const struct scenario scenario = {
	.replicas = 2, .workers = 4, .users = 800, .repeat = 1, .duration_s = 120
};

static json_t *ask(struct live *l)
{
	struct buf text;
	json_t *json;

	buf_init(&text, LIMIT_LIVE_BYTES);
	live_format(l, &text);
	assert_false(text.is_full);
	json = json_loadb(text.p, text.len, 0, NULL);
	assert_non_null(json);
	buf_fini(&text);
	return json;
}

static json_t *at(json_t *json, const char *object, const char *name)
{
	json_t *found = json_object_get(json_object_get(json, object), name);

	assert_non_null(found);
	return found;
}

static void before_the_first_scenario_nothing_is_known(void **state)
{
	struct live *l = live_create(8);
	json_t *json = ask(l);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json, "state")), "running");
	assert_int_equal(json_integer_value(json_object_get(json, "scenarios")), 8);
	assert_true(json_is_null(json_object_get(json, "scenario")));
	assert_true(json_is_null(json_object_get(json, "step")));
	assert_true(json_is_null(json_object_get(json, "look")));
	assert_true(json_is_null(json_object_get(json, "left_s")));
	assert_int_equal(json_array_size(json_object_get(json, "lines")), 0);
	json_decref(json);
	live_destroy(&l);
}

/* The walk as the driver makes it, through the one who draws the lines. */
static void all_that_progress_hears_is_told(void **state)
{
	const struct master_api_live look = { .users = 800,
					      .window_s = 60,
					      .rps = 18.5,
					      .median_ms = NAN,
					      .p90_ms = 1800,
					      .p95_ms = NAN };
	struct plan plan = plan_defaults();
	struct live *l = live_create(plan_count(&plan));
	FILE *to = fopen("/dev/null", "w");
	struct progress *p = progress_create(&plan, to, false);
	struct result_row row = result_row_blank(2, 4, 800);
	json_t *json;

	(void)state;
	progress_tell(p, l);
	progress_scenario(p, 2, &scenario, plan_rest_s(&plan, 2));
	progress_enter(p, 9, 14, "measuring", false);
	progress_live(p, &look, 66);
	json = ask(l);
	assert_int_equal(json_integer_value(at(json, "scenario", "number")), 3);
	assert_int_equal(json_integer_value(at(json, "scenario", "users")), 800);
	assert_string_equal(json_string_value(at(json, "step", "name")), "measuring");
	assert_int_equal(json_integer_value(at(json, "step", "number")), 9);
	assert_true(json_number_value(at(json, "look", "rps")) == 18.5);
	assert_true(json_is_null(at(json, "look", "median_ms")));
	assert_true(fabs(json_number_value(json_object_get(json, "left_s")) -
			 (plan_rest_s(&plan, 2) - 66)) < 0.01);
	assert_int_equal(json_array_size(json_object_get(json, "lines")), 1);
	json_decref(json);

	row.status = RESULT_OK;
	progress_row(p, &row);
	progress_cooldown(p);
	live_end(l, "done");
	json = ask(l);
	assert_int_equal(json_integer_value(json_object_get(json, "reports")), 1);
	assert_string_equal(json_string_value(at(json, "step", "name")), "cooling down");
	assert_string_equal(json_string_value(at(json, "step", "detail")), "");
	assert_string_equal(json_string_value(json_object_get(json, "state")), "done");
	json_decref(json);
	progress_destroy(&p);
	fclose(to);
	live_destroy(&l);
}

static void a_new_scenario_has_not_been_looked_at(void **state)
{
	struct live *l = live_create(8);
	json_t *json;

	(void)state;
	live_scenario(l, 0, &scenario);
	live_look(l, &(struct master_api_live){ .users = 1 });
	live_scenario(l, 1, &scenario);
	json = ask(l);
	assert_true(json_is_null(json_object_get(json, "look")));
	json_decref(json);
	live_destroy(&l);
}

static void hostile_texts_are_cut_and_stay_texts(void **state)
{
	struct live *l = live_create(8);
	char huge[4000];
	json_t *json, *lines;

	(void)state;
	memset(huge, 1, sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	live_step(l, 1, 2, "\"</script>\n");
	live_detail(l, "\xff\xfe</script>");
	for (int i = 0; i < 3 * LIMIT_LIVE_LINES; i++)
		live_line(l, str_of(i < 2 * LIMIT_LIVE_LINES ? "old" : huge));
	live_line(l, str_of("last"));
	json = ask(l);
	assert_string_equal(json_string_value(at(json, "step", "name")), "\"</script>\n");
	lines = json_object_get(json, "lines");
	assert_int_equal(json_array_size(lines), LIMIT_LIVE_LINES);
	assert_int_equal(json_string_length(json_object_get(json_array_get(lines, 0), "text")),
			 LIMIT_LIVE_LINE_BYTES - 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(lines, LIMIT_LIVE_LINES - 1), "text")),
			    "last");
	json_decref(json);
	live_destroy(&l);
}

static void nobody_can_be_told(void **state)
{
	(void)state;
	live_scenario(NULL, 0, &scenario);
	live_step(NULL, 1, 14, "measuring");
	live_detail(NULL, "x");
	live_look(NULL, &(struct master_api_live){ .users = 1 });
	live_rest(NULL, 1, 0.5);
	live_line(NULL, str_of("x"));
	live_report(NULL);
	live_end(NULL, "done");
}

struct reader {
	struct live *l;
	atomic_bool is_over;
	bool has_failed; /* an assertion belongs to the main thread */
};

static void *read_on(void *arg)
{
	struct reader *r = arg;
	uint64_t seen = 0;

	while (!atomic_load(&r->is_over) && !r->has_failed) {
		uint64_t now = live_reports(r->l);
		struct buf text;
		json_t *json;

		buf_init(&text, LIMIT_LIVE_BYTES);
		live_format(r->l, &text);
		json = json_loadb(text.p, text.len, 0, NULL);
		r->has_failed = now < seen || !json;
		seen = now;
		json_decref(json);
		buf_fini(&text);
	}
	return NULL;
}

static void one_tells_while_another_asks(void **state)
{
	struct reader r = { .l = live_create(8) };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (size_t i = 0; i < 500; i++) {
		live_scenario(r.l, i, &scenario);
		live_step(r.l, 1, 14, "a step");
		live_detail(r.l, "what it waits for");
		live_line(r.l, str_of("a line"));
		live_report(r.l);
	}
	atomic_store(&r.is_over, true);
	pthread_join(thread, NULL);
	assert_false(r.has_failed);
	assert_int_equal(live_reports(r.l), 500);
	live_destroy(&r.l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_first_scenario_nothing_is_known),
		cmocka_unit_test(all_that_progress_hears_is_told),
		cmocka_unit_test(a_new_scenario_has_not_been_looked_at),
		cmocka_unit_test(hostile_texts_are_cut_and_stay_texts),
		cmocka_unit_test(nobody_can_be_told),
		cmocka_unit_test(one_tells_while_another_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
