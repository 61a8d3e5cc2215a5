/* SPDX-License-Identifier: MIT
 *
 * shape and follow: stages as text, when they change, and a run that follows a shape, with a mode
 * that only notes what it was told and a clock that is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/follow.h"
#include "run/run.h"
#include "run/shape.h"

#define START_US (5 * CLOCK_S)

static struct run run;
static struct follow follow;
static struct shape shape;
static struct shape_stages stages;
static struct err_text text;
static struct {
	unsigned starts, stops;
	struct run_start last;
	enum err answer;
} mode;

static enum err on_start(struct run *r, const struct run_start *start, struct err_text *out)
{
	(void)r;
	mode.starts++;
	mode.last = *start;
	return mode.answer ? err_set(out, mode.answer, "no") : OK;
}

static void on_stop(struct run *r)
{
	(void)r;
	mode.stops++;
}

static const struct run_mode noting = { .start = on_start, .stop = on_stop };
static const struct run_class classes[] = { { .name = "A", .weight = 1 } };

static int before(void **state)
{
	struct run_options options = { .classes = classes,
				       .class_count = 1,
				       .host = "http://first",
				       .want_reset_stats = true };

	(void)state;
	memset(&mode, 0, sizeof(mode));
	run_init(&run, &noting, &options, 1e9, START_US);
	shape_init_stages(&shape, "stages", &stages);
	follow_init(&follow, &run, &shape);
	return 0;
}

static int after(void **state)
{
	(void)state;
	run_fini(&run);
	return 0;
}

static void use(const char *list)
{
	assert_int_equal(shape_parse(list, &stages, &text), OK);
}

/* The run's second, from its start. */
static void tick_at(double seconds)
{
	run_tick(&run, START_US + (uint64_t)(seconds * CLOCK_S));
	follow_tick(&follow);
}

static void expect_wanted(unsigned starts, uint64_t users, double rate)
{
	assert_int_equal(mode.starts, starts);
	assert_int_equal(mode.last.user_count, users);
	assert_true(mode.last.spawn_rate == rate);
}

static void request(void)
{
	struct stats delta;

	stats_init(&delta, 0);
	stats_record(&delta, stats_entry(&delta, str_of("GET"), str_of("/"), 0),
		     &(struct stats_request){ .service_us = 1000, .content_bytes = 10 }, 0);
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
}

static void test_stages_are_read(void **state)
{
	(void)state;
	use("60s:100:10, 2m:500:0.5,1h30m:0:1e3,7:1:1");
	assert_int_equal(stages.count, 4);
	assert_true(stages.stage[0].seconds == 60 && stages.stage[1].seconds == 120);
	assert_true(stages.stage[2].seconds == 5400 && stages.stage[3].seconds == 7);
	assert_int_equal(stages.stage[1].users, 500);
	assert_int_equal(stages.stage[2].users, 0);
	assert_true(stages.stage[1].spawn_rate == 0.5 && stages.stage[2].spawn_rate == 1000);
}

static void test_wrong_stages_are_named(void **state)
{
	static const struct {
		const char *list, *words;
	} cases[] = {
		{ "", "stage 1: '' is not time:users:rate" },
		{ "10s:1:1,", "stage 2: '' is not time:users:rate" },
		{ "10s:1:1,,5s:1:1", "stage 2: '' is not time:users:rate" },
		{ "10s:1", "stage 1: '10s:1' is not time:users:rate" },
		{ "10s:1:", "stage 1: '10s:1:' is not time:users:rate" },
		{ "10s:1:1:1", "stage 1: '10s:1:1:1' is not time:users:rate" },
		{ "1:1:1,soon:1:1", "stage 2: the time 'soon'" },
		{ "0s:1:1", "stage 1: the time is 0 s" },
		{ "1s:-1:1", "stage 1: the users '-1' must be a whole number from 0" },
		{ "1s:1.5:1", "stage 1: the users '1.5' must be a whole number from 0" },
		{ "1s:10000001:1", "stage 1: the users '10000001' must be" },
		{ "1s:1:x", "stage 1: the rate 'x' must be a number" },
		{ "1s:1:1,1s:1:0", "stage 2: the rate is 0; it must be a number from" },
		{ "1s:1:-2", "stage 1: the rate is -2; it must be a number from" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(shape_parse(cases[i].list, &stages, &text), ERR_BAD_INPUT);
		if (!strstr(text.text, cases[i].words))
			fail_msg("'%s': %s", cases[i].list, text.text);
	}
}

static void test_too_many_stages_are_refused(void **state)
{
	char list[(LIMIT_STAGES + 1) * 6 + 1] = "";

	(void)state;
	for (size_t i = 0; i <= LIMIT_STAGES; i++)
		memcpy(list + i * 6, "1:1:1,", 6);
	list[LIMIT_STAGES * 6 - 1] = '\0';
	assert_int_equal(shape_parse(list, &stages, &text), OK);
	assert_int_equal(stages.count, LIMIT_STAGES);
	list[LIMIT_STAGES * 6 - 1] = ',';
	list[LIMIT_STAGES * 6 + 5] = '\0';
	assert_int_equal(shape_parse(list, &stages, &text), ERR_TOO_BIG);
}

static void test_stages_in_structures_are_checked(void **state)
{
	(void)state;
	stages = (struct shape_stages){ .stage = { { 1, 1, 1 }, { NAN, 1, 1 } }, .count = 2 };
	assert_int_equal(shape_check(&stages, &text), ERR_BAD_INPUT);
	assert_non_null(strstr(text.text, "stage 2: the time"));
	stages.stage[1] = (struct shape_stage){ 1, (uint64_t)-1, 1 };
	assert_int_equal(shape_check(&stages, &text), ERR_BAD_INPUT);
	assert_non_null(strstr(text.text, "stage 2: the users"));
	stages.stage[1] = (struct shape_stage){ 1, 1, INFINITY };
	assert_int_equal(shape_check(&stages, &text), ERR_BAD_INPUT);
	assert_non_null(strstr(text.text, "stage 2: the rate"));
}

static void test_run_follows_the_stages(void **state)
{
	(void)state;
	use("3s:10:5,2s:0:2,1s:0:2,2s:4:1");
	assert_int_equal(
		follow_start(&follow, &(struct run_start){ .host = "http://second" }, &text), OK);
	expect_wanted(1, 10, 5);
	assert_string_equal(mode.last.host, "http://second");
	tick_at(1);
	tick_at(2.99);
	expect_wanted(1, 10, 5);
	tick_at(3);
	expect_wanted(2, 0, 2);
	assert_string_equal(mode.last.host, "http://second");
	tick_at(4);
	tick_at(5); /* the same again: nothing new */
	expect_wanted(2, 0, 2);
	tick_at(6);
	expect_wanted(3, 4, 1);
	tick_at(7.9);
	assert_int_equal(run.state, RUN_SPAWNING);
	tick_at(8);
	assert_int_equal(run.state, RUN_STOPPING);
	tick_at(9);
	assert_int_equal(mode.stops, 1);
	assert_int_equal(mode.starts, 3);
}

static void test_late_turns_skip_stages(void **state)
{
	(void)state;
	use("1s:1:1,1s:2:1,1s:3:1");
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text), OK);
	tick_at(2.4);
	expect_wanted(2, 3, 1);
	tick_at(2.9);
	assert_int_equal(mode.stops, 0);
	tick_at(3); /* on the whole second, not a second after the late turn */
	assert_int_equal(mode.stops, 1);
}

static unsigned asked;

static bool count_to_three(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	assert_ptr_equal(arg, &asked);
	assert_int_equal(tick->users, asked); /* what was wanted last */
	assert_true(now->run_time_s == asked);
	assert_int_equal(now->user_count, asked ? 10 + asked : 0);
	asked++;
	*tick = (struct shape_tick){ asked, 1 };
	return asked <= 3;
}

static void test_function_is_asked_once_a_second(void **state)
{
	(void)state;
	asked = 0;
	shape_init(&shape, "count", count_to_three, &asked);
	run.users_per_class[0] = 99; /* left over of an earlier test */
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text), OK);
	for (unsigned second = 1; second <= 3; second++) {
		run.users_per_class[0] = 10 + second;
		tick_at(second - 0.01);
		assert_int_equal(asked, second);
		tick_at(second);
		assert_int_equal(asked, second + 1);
	}
	assert_int_equal(run.state, RUN_STOPPING);
	expect_wanted(3, 3, 1);
}

static bool want_nonsense(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	(void)arg;
	*tick = (struct shape_tick){ 1, now->run_time_s > 0 ? NAN : 1 };
	return true;
}

static void test_nonsense_ends_the_test(void **state)
{
	(void)state;
	shape_init(&shape, "nonsense", want_nonsense, NULL);
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text), OK);
	tick_at(1);
	assert_int_equal(run.state, RUN_STOPPING);
	assert_int_equal(mode.starts, 1);
}

static bool want_one_class_each(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	(void)arg;
	tick->users = now->asked_users;
	tick->spawn_rate = now->asked_spawn_rate;
	tick->classes = (struct run_classes){ 0 };
	if (now->run_time_s < 2)
		run_classes_add(&tick->classes, now->run_time_s < 1 ? 0 : 1);
	return now->run_time_s < (double)now->asked_run_time_s;
}

/* Other classes are a change, with the same numbers, too; those of the start are for the shape. */
static void classes_of_a_tick_reach_the_run(void **state)
{
	const struct run_start start = { .user_count = 7, .spawn_rate = 3, .run_time_s = 4 };

	(void)state;
	shape_init(&shape, "classes", want_one_class_each, NULL);
	assert_int_equal(follow_start(&follow, &start, &text), OK);
	expect_wanted(1, 7, 3);
	assert_true(run_share_now(&run, 0).weight == 1);
	tick_at(1);
	expect_wanted(2, 7, 3);
	assert_true(run_share_now(&run, 0).weight == 0);
	tick_at(2);
	expect_wanted(3, 7, 3);
	assert_true(run_share_now(&run, 0).weight == 1);
	tick_at(3);
	expect_wanted(3, 7, 3);
	tick_at(4);
	assert_int_equal(mode.stops, 1);
}

static bool never(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	(void)arg;
	(void)now;
	(void)tick;
	return false;
}

static void test_start_can_fail(void **state)
{
	(void)state;
	shape_init(&shape, "never", never, NULL);
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text),
			 ERR_BAD_INPUT);
	assert_non_null(strstr(text.text, "never ends at 0 s"));
	assert_int_equal(run.state, RUN_READY);
	use("1s:1:1,1s:2:1");
	shape_init_stages(&shape, "stages", &stages);
	mode.answer = ERR_STATE;
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text),
			 ERR_STATE);
	tick_at(1);
	assert_int_equal(mode.starts, 1);
}

static void test_stop_from_elsewhere_and_start_again(void **state)
{
	(void)state;
	use("2s:1:1,2s:2:1");
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text), OK);
	tick_at(1);
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text),
			 OK); /* no second one beside it */
	assert_int_equal(mode.starts, 1);
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	tick_at(2);
	assert_int_equal(mode.starts, 1);
	run_set_state(&run, RUN_STOPPED);
	tick_at(10);
	assert_int_equal(mode.starts, 1);
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text), OK);
	expect_wanted(2, 1, 1); /* the same as last time, but of a new test */
	tick_at(11.9);
	expect_wanted(2, 1, 1);
	tick_at(12);
	expect_wanted(3, 2, 1);
}

static void test_window_stays_open_through_the_stages(void **state)
{
	(void)state;
	use("3s:10:5,3s:0:5,3s:20:5");
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text), OK);
	request(); /* of the first ramp: reset and before the window */
	tick_at(1);
	run_set_state(&run, RUN_RUNNING);
	request();
	tick_at(3);
	assert_int_equal(run.state, RUN_SPAWNING);
	assert_true(run.has_window && run.is_window_open);
	request();
	run_set_state(&run, RUN_RUNNING);
	request();
	tick_at(6);
	tick_at(9);
	assert_false(run.is_window_open);
	assert_int_equal(run.window.total.num_requests, 3);
	assert_int_equal(run.stats.total.num_requests, 3); /* --reset-stats: once */
	assert_true(run_window_s(&run, run.now_us) == 8);
	run_set_state(&run, RUN_STOPPED);
	assert_int_equal(follow_start(&follow, &(struct run_start){ .host = NULL }, &text), OK);
	assert_false(run.has_window); /* a new test has none of the old one's */
	assert_int_equal(run.window.total.num_requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stages_are_read),
		cmocka_unit_test_setup_teardown(classes_of_a_tick_reach_the_run, before, after),
		cmocka_unit_test(test_wrong_stages_are_named),
		cmocka_unit_test(test_too_many_stages_are_refused),
		cmocka_unit_test(test_stages_in_structures_are_checked),
		cmocka_unit_test_setup_teardown(test_run_follows_the_stages, before, after),
		cmocka_unit_test_setup_teardown(test_late_turns_skip_stages, before, after),
		cmocka_unit_test_setup_teardown(test_function_is_asked_once_a_second, before,
						after),
		cmocka_unit_test_setup_teardown(test_nonsense_ends_the_test, before, after),
		cmocka_unit_test_setup_teardown(test_start_can_fail, before, after),
		cmocka_unit_test_setup_teardown(test_stop_from_elsewhere_and_start_again, before,
						after),
		cmocka_unit_test_setup_teardown(test_window_stays_open_through_the_stages, before,
						after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
