/* SPDX-License-Identifier: MIT
 *
 * health: when the load generator is called the limit of what it measured, and when not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "stat/health.h"
#include "stat/stats.h"

/* A load thread and the test it counts for; all time is made up. */
static struct health all;
static struct health_watch watch;
static uint64_t now_us, cpu_us;

static int before(void **state)
{
	(void)state;
	health_init(&all);
	now_us = 7 * CLOCK_S;
	cpu_us = 3 * CLOCK_S;
	health_watch_begin(&watch, now_us, cpu_us);
	return 0;
}

static int after(void **state)
{
	(void)state;
	health_fini(&all);
	return 0;
}

/* A span in which so many users ran, each that late. */
static void pass(uint64_t us, double cpu_percent, unsigned users, uint64_t lag_us)
{
	struct health span;

	health_init(&span);
	for (unsigned i = 0; i < users; i++)
		health_add_lag(&span, lag_us);
	now_us += us;
	cpu_us += (uint64_t)(cpu_percent / 100 * (double)us);
	health_judge(&span, &watch, now_us, cpu_us);
	health_merge(&all, &span);
	health_fini(&span);
}

static void nothing_is_known_before_the_first_span(void **state)
{
	(void)state;
	assert_false(health_is_known(&all));
	assert_null(health_reason(&all));
	pass(HEALTH_SPAN_US - 1, 100, 5, 100);
	assert_false(health_is_known(&all));
	pass(HEALTH_SPAN_US, 0, 0, 0);
	assert_true(health_is_known(&all));
	/* The short span was judged together with the next. */
	assert_true(all.cpu_percent_max > 49 && all.cpu_percent_max < 51);
}

static void an_idle_thread_is_not_the_limit(void **state)
{
	(void)state;
	for (int s = 0; s < 100; s++)
		pass(CLOCK_S, 90, 1000, HEALTH_LAG_US - 10);
	assert_null(health_reason(&all));
	assert_int_equal(all.spans, 100);
	assert_int_equal(all.lag.count, 100000);
	assert_int_equal(all.lag_max_us, HEALTH_LAG_US - 10);
	assert_in_range(health_lag_p99_us(&all), HEALTH_LAG_US - 15, HEALTH_LAG_US - 5);
}

static void a_busy_thread_is_the_limit_after_three_seconds_in_a_row(void **state)
{
	(void)state;
	pass(CLOCK_S, 99, 10, 10);
	pass(CLOCK_S, 99, 10, 10);
	pass(CLOCK_S, 50, 10, 10);
	pass(CLOCK_S, 99, 10, 10);
	pass(CLOCK_S, 99, 10, 10);
	assert_null(health_reason(&all));
	pass(CLOCK_S, 99, 10, 10);
	assert_non_null(strstr(health_reason(&all), "90 % of a CPU"));
	assert_true(health_is_busy(&all));
	assert_false(health_is_late(&all));
	pass(CLOCK_S, 0, 0, 0);
	assert_non_null(health_reason(&all));
}

static void late_users_are_the_limit_after_three_seconds_in_a_row(void **state)
{
	(void)state;
	pass(60 * CLOCK_S, 10, 100000, 10);
	pass(CLOCK_S, 10, 50, HEALTH_LAG_US + 100);
	pass(CLOCK_S, 10, 50, HEALTH_LAG_US + 100);
	assert_null(health_reason(&all));
	pass(CLOCK_S, 10, 50, HEALTH_LAG_US + 100);
	assert_non_null(strstr(health_reason(&all), "5 ms late (p99) for 3 s"));
	assert_true(health_is_late(&all));
	assert_false(health_is_busy(&all));
}

static void the_p99_of_all_counts_once_there_is_one(void **state)
{
	(void)state;
	pass(CLOCK_S, 10, HEALTH_LAG_COUNT - 1, 100000);
	assert_null(health_reason(&all));
	pass(CLOCK_S, 10, 1, 10);
	assert_non_null(strstr(health_reason(&all), "p99 of all"));
	pass(CLOCK_S, 10, 10000, 10);
	assert_null(health_reason(&all));
}

static void a_change_of_users_begins_the_row_anew(void **state)
{
	(void)state;
	for (int s = 0; s < 10; s++) {
		pass(CLOCK_S, 99, 10, 10 * HEALTH_LAG_US);
		health_watch_change(&watch);
	}
	assert_false(health_is_busy(&all));
	assert_false(health_is_late(&all));
}

/* The slowest thread decides, not the sum or the mean. */
static void threads_do_not_add_up(void **state)
{
	struct health other = { .spans = 2,
				.cpu_percent_max = 95,
				.busy_us = 2 * CLOCK_S,
				.opened = 5,
				.closed = 2,
				.failed = 1,
				.dropped = 3,
				.waits = 4,
				.waited_us = 5 };

	(void)state;
	pass(CLOCK_S, 99, 10, 10);
	pass(CLOCK_S, 99, 10, 10);
	health_merge(&all, &other);
	health_merge(&all, &other);
	assert_null(health_reason(&all));
	assert_true(all.cpu_percent_max > 98);
	assert_int_equal(all.opened - all.closed, 6);
	assert_int_equal(all.failed, 2);
	assert_int_equal(all.dropped, 6);
	assert_int_equal(all.waits, 8);
	assert_int_equal(all.waited_us, 10);
}

static void it_travels_with_the_statistics(void **state)
{
	struct stats from, into;

	(void)state;
	stats_init(&from, 1);
	stats_init(&into, 1);
	health_add_lag(&from.health, 700);
	from.health.spans = 1;
	stats_merge(&into, &from);
	stats_merge(&into, &from);
	assert_int_equal(into.health.lag.count, 2);
	assert_int_equal(into.health.lag_max_us, 700);
	stats_reset(&into, 2);
	assert_int_equal(into.health.lag.count + into.health.spans + into.health.lag_max_us, 0);
	stats_clear(&from, 2);
	assert_false(health_is_known(&from.health));
	stats_fini(&from);
	stats_fini(&into);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_known_before_the_first_span),
		CASE(an_idle_thread_is_not_the_limit),
		CASE(a_busy_thread_is_the_limit_after_three_seconds_in_a_row),
		CASE(late_users_are_the_limit_after_three_seconds_in_a_row),
		CASE(the_p99_of_all_counts_once_there_is_one),
		CASE(a_change_of_users_begins_the_row_anew),
		CASE(threads_do_not_add_up),
		CASE(it_travels_with_the_statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
