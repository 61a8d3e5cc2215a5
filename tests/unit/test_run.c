/* SPDX-License-Identifier: MIT
 *
 * run: states, the measured window, resets and waiters, with a mode that only notes what it
 * was told and a clock that is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "run/run.h"

#define WALL_S 1700000000.0

static struct run run;
static struct err_text text;
static struct {
	unsigned starts, stops;
	struct run_start last;
	enum err answer;
	size_t workers;
} mode;

static enum err on_start(struct run *r, const struct run_start *start, struct err_text *out)
{
	assert_ptr_equal(r, &run);
	mode.starts++;
	mode.last = *start;
	return mode.answer ? err_set(out, mode.answer, "no") : OK;
}

static void on_stop(struct run *r)
{
	assert_int_equal(r->state, RUN_STOPPING);
	mode.stops++;
}

static size_t count_workers(const struct run *r)
{
	(void)r;
	return mode.workers;
}

static const struct run_mode local = { .start = on_start, .stop = on_stop };
static const struct run_mode distributed = {
	.is_distributed = true, .start = on_start, .stop = on_stop, .worker_count = count_workers
};

static const struct run_class classes[] = { { .name = "A", .weight = 1 },
					    { .name = "B", .weight = 1 } };

static void begin(const struct run_mode *of, bool want_reset)
{
	struct run_options options = { .classes = classes,
				       .class_count = 2,
				       .host = "http://first",
				       .want_reset_stats = want_reset };

	memset(&mode, 0, sizeof(mode));
	run_init(&run, of, &options, WALL_S, 5 * CLOCK_S);
}

static int before(void **state)
{
	(void)state;
	begin(&local, false);
	return 0;
}

static int after(void **state)
{
	(void)state;
	run_fini(&run);
	return 0;
}

static enum err start_users(uint64_t users)
{
	struct run_start start = { .user_count = users, .spawn_rate = 10 };

	return run_start(&run, &start, &text);
}

/* A report of `requests` requests. */
static void report(unsigned requests, bool is_draining)
{
	struct stats delta;

	stats_init(&delta, run_wall_s(&run));
	for (unsigned i = 0; i < requests; i++)
		stats_record(&delta,
			     stats_entry(&delta, str_of("GET"), str_of("/"), run_wall_s(&run)),
			     &(struct stats_request){ .service_us = 1000, .content_bytes = 10 },
			     run_wall_s(&run));
	run_add_stats(&run, &delta, is_draining);
	stats_fini(&delta);
}

static void expect_counts(uint64_t all, uint64_t in_window)
{
	assert_int_equal(run.stats.total.num_requests, all);
	assert_int_equal(run.window.total.num_requests, in_window);
}

static void test_window_is_the_time_with_all_users(void **state)
{
	(void)state;
	assert_int_equal(start_users(10), OK);
	assert_int_equal(run.state, RUN_SPAWNING);
	report(3, false);
	expect_counts(3, 0);
	assert_true(run_window_s(&run, run.now_us) == 0);

	run_tick(&run, 10 * CLOCK_S);
	run_set_state(&run, RUN_RUNNING);
	assert_true(run.is_window_open);
	assert_true(run.window_start_wall_s == WALL_S + 10);
	report(5, false);
	run_tick(&run, 14 * CLOCK_S);
	assert_true(run_window_s(&run, run.now_us) == 4);

	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	assert_int_equal(mode.stops, 1);
	assert_false(run.is_window_open);
	report(2, false); /* made before the stop, told after it */
	report(7, true);
	run_tick(&run, 20 * CLOCK_S);
	run_set_state(&run, RUN_STOPPED);
	expect_counts(17, 7);
	assert_true(run_window_s(&run, run.now_us) == 4);
}

static void test_what_a_window_has_counted_is_a_report_old(void **state)
{
	(void)state;
	assert_int_equal(start_users(10), OK);
	assert_true(run_window_counted_s(&run) == 0);
	run_tick(&run, 10 * CLOCK_S);
	run_set_state(&run, RUN_RUNNING);
	run_tick(&run, 11 * CLOCK_S);
	report(5, false);
	run_tick(&run, 13 * CLOCK_S);
	assert_true(run_window_counted_s(&run) == 1);
	assert_true(run_window_s(&run, run.now_us) == 3);
	/* No report, no request. */
	run_tick(&run, 16 * CLOCK_S);
	assert_true(run_window_counted_s(&run) == 6);
	report(5, false);
	run_tick(&run, 18 * CLOCK_S);
	assert_true(run_window_counted_s(&run) == 6);
	/* The end is exact: what belongs to the window is told in the end. */
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run_tick(&run, 19 * CLOCK_S);
	assert_true(run_window_counted_s(&run) == 8);
}

static void test_change_begins_the_window_anew(void **state)
{
	(void)state;
	assert_int_equal(start_users(10), OK);
	run_set_state(&run, RUN_RUNNING);
	report(5, false);
	assert_int_equal(start_users(20), OK);
	assert_int_equal(run.state, RUN_SPAWNING);
	assert_false(run.has_window);
	report(1, false);
	expect_counts(6, 0); /* a change does not clear the statistics of the test */
	run_tick(&run, 30 * CLOCK_S);
	run_set_state(&run, RUN_RUNNING);
	report(2, false);
	expect_counts(8, 2);
	assert_int_equal(run.window_start_us, 30 * CLOCK_S);
}

static void test_stop_while_spawning_has_no_window(void **state)
{
	(void)state;
	assert_int_equal(start_users(10), OK);
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	report(4, false);
	run_set_state(&run, RUN_STOPPED);
	expect_counts(4, 0);
	assert_false(run.has_window);
}

static void test_new_test_clears(void **state)
{
	(void)state;
	assert_int_equal(start_users(1), OK);
	run_set_state(&run, RUN_RUNNING);
	report(4, false);
	run_add_exception(&run, str_of("n"), str_of("m"), str_of("t"), 1);
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run_set_state(&run, RUN_STOPPED);
	assert_int_equal(run.stats.entries.count, 1);
	assert_int_equal(start_users(1), OK);
	assert_int_equal(run.stats.entries.count, 0);
	assert_int_equal(run.exceptions.count, 0);
	expect_counts(0, 0);
}

static void test_reset_keeps_rows_and_restarts_the_window(void **state)
{
	(void)state;
	assert_int_equal(start_users(1), OK);
	run_set_state(&run, RUN_RUNNING);
	report(4, false);
	run_add_exception(&run, str_of("n"), str_of("m"), str_of("t"), 1);
	run_tick(&run, 50 * CLOCK_S);
	run_reset_stats(&run);
	expect_counts(0, 0);
	assert_int_equal(run.stats.entries.count, 1);
	assert_int_equal(run.exceptions.count, 0);
	assert_true(run.is_window_open);
	assert_int_equal(run.window_start_us, 50 * CLOCK_S);
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run_set_state(&run, RUN_STOPPED);
	run_reset_stats(&run);
	assert_false(run.has_window);
}

static void test_reset_stats_option(void **state)
{
	(void)state;
	run_fini(&run);
	begin(&local, true);
	assert_int_equal(start_users(1), OK);
	report(4, false);
	run_set_state(&run, RUN_RUNNING);
	report(2, false);
	expect_counts(2, 2);
}

static void test_start_checks_its_numbers(void **state)
{
	static const struct {
		struct run_start start;
		const char *says;
	} cases[] = {
		{ { LIMIT_USERS + 1ull, 1, NULL, 0 }, "user_count" },
		{ { 1, 0, NULL, 0 }, "spawn_rate" },
		{ { 1, -1, NULL, 0 }, "spawn_rate" },
		{ { 1, NAN, NULL, 0 }, "spawn_rate" },
		{ { 1, INFINITY, NULL, 0 }, "spawn_rate" },
		{ { 1, 1, NULL, UINT64_MAX }, "run_time" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(run_start(&run, &cases[i].start, &text), ERR_BAD_INPUT);
		assert_non_null(strstr(text.text, cases[i].says));
	}
	assert_int_equal(run.state, RUN_READY);
	assert_int_equal(mode.starts, 0);
}

static void test_start_hands_on_what_is_wanted(void **state)
{
	struct run_start start = { 7, 1e12, "http://second", 0 };

	(void)state;
	assert_int_equal(run_start(&run, &start, &text), OK);
	assert_int_equal(mode.last.user_count, 7);
	assert_true(mode.last.spawn_rate == LIMIT_USERS);
	assert_string_equal(mode.last.host, "http://second");
	start.host = "";
	assert_int_equal(run_start(&run, &start, &text), OK);
	assert_string_equal(mode.last.host, "http://second");
	assert_string_equal(run.host, "http://second");
}

static void test_refused_start_leaves_the_state(void **state)
{
	(void)state;
	mode.answer = ERR_IO;
	assert_int_equal(start_users(1), ERR_IO);
	assert_int_equal(run.state, RUN_READY);
	mode.answer = OK;
	assert_int_equal(start_users(1), OK);
	run_set_state(&run, RUN_RUNNING);
	mode.answer = ERR_IO;
	assert_int_equal(start_users(2), ERR_IO);
	assert_int_equal(run.state, RUN_RUNNING);
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	assert_int_equal(start_users(2), ERR_STATE);
}

static void test_distributed_needs_workers(void **state)
{
	(void)state;
	run_fini(&run);
	begin(&distributed, false);
	assert_int_equal(start_users(1), ERR_UNREACHABLE);
	assert_int_equal(run.state, RUN_READY);
	mode.workers = 1;
	assert_int_equal(start_users(1), OK);
}

static void test_run_time_ends_the_run(void **state)
{
	struct run_start start = { .user_count = 1, .spawn_rate = 1, .run_time_s = 10 };

	(void)state;
	assert_int_equal(run_start(&run, &start, &text), OK); /* at 5 s */
	run_set_state(&run, RUN_RUNNING);
	start.run_time_s = 0; /* a change keeps the limit */
	assert_int_equal(run_start(&run, &start, &text), OK);
	run_tick(&run, 15 * CLOCK_S - 1);
	assert_int_equal(run.state, RUN_SPAWNING);
	run_tick(&run, 15 * CLOCK_S);
	assert_int_equal(run.state, RUN_STOPPING);
	run_tick(&run, 16 * CLOCK_S);
	assert_int_equal(mode.stops, 1);
	run_set_state(&run, RUN_STOPPED);
	assert_int_equal(run_start(&run, &start, &text), OK); /* a new test does not */
	run_tick(&run, 1000 * CLOCK_S);
	assert_int_equal(run.state, RUN_SPAWNING);
}

static void count_call(void *arg)
{
	++*(unsigned *)arg;
}

static void start_again(void *arg)
{
	++*(unsigned *)arg;
	assert_int_equal(start_users(3), OK);
}

static void test_waiters_are_answered_once(void **state)
{
	unsigned calls = 0, forgotten = 0, starts = 0;

	(void)state;
	assert_int_equal(run_stop(&run, count_call, &calls), OK); /* nothing runs */
	assert_int_equal(calls, 1);
	assert_int_equal(start_users(1), OK);
	assert_int_equal(run_stop(&run, start_again, &starts), OK);
	assert_int_equal(run_stop(&run, count_call, &calls), OK);
	assert_int_equal(run_stop(&run, count_call, &forgotten), OK);
	run_stop_forget(&run, count_call, &forgotten);
	assert_int_equal(calls, 1);
	assert_int_equal(mode.stops, 1);
	run_set_state(&run, RUN_STOPPED);
	assert_int_equal(calls, 2);
	assert_int_equal(starts, 1);
	assert_int_equal(forgotten, 0);
	assert_int_equal(run.state, RUN_SPAWNING);
}

static void test_waiters_are_limited(void **state)
{
	unsigned calls = 0;

	(void)state;
	assert_int_equal(start_users(1), OK);
	for (unsigned i = 0; i < RUN_STOP_WAITERS; i++)
		assert_int_equal(run_stop(&run, count_call, &calls), OK);
	assert_int_equal(run_stop(&run, count_call, &calls), ERR_BUSY);
	run_set_state(&run, RUN_STOPPED);
	assert_int_equal(calls, RUN_STOP_WAITERS);
}

static void test_exceptions_merge_by_traceback(void **state)
{
	struct run_exception *first;

	(void)state;
	run_add_exception(&run, str_of("n1"), str_of("boom"), str_of("line 1"), 2);
	run_add_exception(&run, str_of("n2"), str_of("bang"), str_of("line 1"), 1);
	run_add_exception(&run, str_of("n2"), str_of("bang"), str_of("line 2"), 1);
	assert_int_equal(run.exceptions.count, 2);
	first = map_get(&run.exceptions, str_of("line 1"));
	assert_int_equal(first->count, 3);
	assert_string_equal(first->msg, "boom");
	assert_int_equal(first->nodes.count, 2);
}

static void test_exceptions_are_limited(void **state)
{
	char traceback[32];
	struct run_exception *others;

	(void)state;
	for (int i = 0; i < LIMIT_EXCEPTIONS + 5; i++) {
		snprintf(traceback, sizeof(traceback), "line %d", i);
		run_add_exception(&run, str_of("n"), str_of("m"), str_of(traceback), 1);
	}
	assert_int_equal(run.exceptions.count, LIMIT_EXCEPTIONS + 1);
	others = map_get(&run.exceptions, str_of(STATS_OTHERS));
	assert_int_equal(others->count, 5);
}

static void test_generation_changes(void **state)
{
	uint64_t seen = run.generation;

	(void)state;
	assert_int_equal(start_users(1), OK);
	assert_true(run.generation > seen);
	seen = run.generation;
	run_set_state(&run, RUN_RUNNING);
	assert_true(run.generation > seen);
	seen = run.generation;
	run_reset_stats(&run);
	assert_true(run.generation > seen);
	seen = run.generation;
	report(1, false);
	assert_int_equal(run.generation, seen);
}

static void test_user_count_is_the_sum(void **state)
{
	(void)state;
	run.users_per_class[0] = 3;
	run.users_per_class[1] = 4;
	assert_int_equal(run_user_count(&run), 7);
	assert_string_equal(run_state_name(RUN_MISSING), "missing");
	assert_string_equal(run_state_name(RUN_STOPPED), "stopped");
}

static void report_health(const struct health *health)
{
	struct stats delta;

	stats_init(&delta, run_wall_s(&run));
	delta.health = *health;
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
}

static void test_a_limited_generator_is_said_once_per_test(void **state)
{
	const struct health late = { .spans = 1, .late_us = HEALTH_LASTING_US };

	(void)state;
	assert_int_equal(start_users(3), OK);
	report_health(&(struct health){ .spans = 1, .busy_us = HEALTH_LASTING_US - 1 });
	assert_false(run.has_warned);
	report_health(&late);
	assert_true(run.has_warned);
	assert_non_null(health_reason(&run.stats.health));
	/* What the ramp costs is not the window's. */
	run_set_state(&run, RUN_RUNNING);
	assert_null(health_reason(&run.window.health));
	report_health(&late);
	assert_non_null(health_reason(&run.window.health));
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run_set_state(&run, RUN_STOPPED);
	assert_int_equal(start_users(3), OK);
	assert_false(run.has_warned);
	assert_null(health_reason(&run.stats.health));
}

static void test_open_connections_are_counted_over_resets(void **state)
{
	(void)state;
	assert_int_equal(start_users(3), OK);
	report_health(&(struct health){ .opened = 5, .closed = 1 });
	run_reset_stats(&run);
	report_health(&(struct health){ .opened = 1, .closed = 2 });
	assert_int_equal(run.connections_open, 3);
	assert_int_equal(run.stats.health.opened, 1);
	/* A worker may claim what it likes. */
	report_health(&(struct health){ .closed = 100 });
	assert_int_equal(run.connections_open, 0);
}

static void test_history_has_an_item_every_five_seconds(void **state)
{
	const struct history *h = &run.history;

	(void)state;
	run_tick(&run, run.now_us + CLOCK_S);
	assert_int_equal(h->count, 0); /* no test yet */
	assert_int_equal(start_users(3), OK);
	run.users_per_class[0] = 3;
	for (unsigned tick = 0; tick <= 40; tick++) {
		report(10, false);
		run_tick(&run, run.now_us + CLOCK_S / 4);
	}
	assert_int_equal(h->count, 3); /* at 0, 5 and 10 s */
	assert_true(h->items[2].wall_s - h->items[1].wall_s == 5);
	assert_true(isnan(h->items[0].recent_ms[0]));
	assert_true(h->items[2].recent_ms[0] == 1 && h->items[2].recent_ms[1] == 1);
	assert_true(h->items[2].current_rps > 0 && h->items[2].current_fail_per_sec == 0);
	assert_true(fabs(h->items[2].avg_ms - 1) < 1e-9);
	assert_int_equal(h->items[2].user_count, 3);
	/* One of the end, and none of a test that is over. */
	run_tick(&run, run.now_us + CLOCK_S);
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	assert_int_equal(h->count, 4);
	assert_int_equal(run.last_users_per_class[0], 3);
	run_tick(&run, run.now_us + 60 * CLOCK_S);
	assert_int_equal(h->count, 4);
	run_set_state(&run, RUN_STOPPED);
	assert_int_equal(start_users(3), OK);
	assert_int_equal(h->count, 0);
}

static void test_history_is_thinned_when_it_is_full(void **state)
{
	const struct history *h = &run.history;
	double begin_s;

	(void)state;
	assert_int_equal(start_users(3), OK);
	begin_s = run_wall_s(&run);
	for (unsigned i = 0; i < 3 * LIMIT_HISTORY; i++) {
		run_tick(&run, run.now_us + 5 * CLOCK_S);
		assert_true(h->count > 0 && h->count <= LIMIT_HISTORY);
	}
	/* Three times as many as it takes: every fourth is left, from the first on. */
	assert_true(h->items[0].wall_s - begin_s == 5);
	assert_true(h->items[1].wall_s - h->items[0].wall_s == 20);
	assert_in_range(h->count, LIMIT_HISTORY / 2, LIMIT_HISTORY);
	assert_true(run_wall_s(&run) - h->items[h->count - 1].wall_s <= 20);
	run_reset_stats(&run);
	assert_int_equal(h->count, 0);
	run_tick(&run, run.now_us + 5 * CLOCK_S);
	run_tick(&run, run.now_us + 5 * CLOCK_S);
	assert_int_equal(h->count, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_window_is_the_time_with_all_users),
		CASE(test_what_a_window_has_counted_is_a_report_old),
		CASE(test_change_begins_the_window_anew),
		CASE(test_stop_while_spawning_has_no_window),
		CASE(test_new_test_clears),
		CASE(test_reset_keeps_rows_and_restarts_the_window),
		CASE(test_reset_stats_option),
		CASE(test_start_checks_its_numbers),
		CASE(test_start_hands_on_what_is_wanted),
		CASE(test_refused_start_leaves_the_state),
		CASE(test_distributed_needs_workers),
		CASE(test_run_time_ends_the_run),
		CASE(test_waiters_are_answered_once),
		CASE(test_waiters_are_limited),
		CASE(test_exceptions_merge_by_traceback),
		CASE(test_exceptions_are_limited),
		CASE(test_generation_changes),
		CASE(test_user_count_is_the_sum),
		CASE(test_a_limited_generator_is_said_once_per_test),
		CASE(test_open_connections_are_counted_over_resets),
		CASE(test_history_has_an_item_every_five_seconds),
		CASE(test_history_is_thinned_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
