/* SPDX-License-Identifier: MIT
 *
 * parts: every service time is in the part of its second, for windows of any length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/parts.h"
#include "stat/stats.h"

#define BEGIN_S 1000000000

static struct parts parts;

/* A report of one request of so many microseconds. */
static void add(int64_t unix_s, uint64_t us, int outcome)
{
	struct stats stats;

	stats_init(&stats, (double)unix_s);
	hist_add(&stats.total.times[outcome], us, 1);
	parts_add(&parts, &stats.total, unix_s);
	stats_fini(&stats);
}

static void times_are_in_the_part_of_their_second(void **state)
{
	(void)state;
	parts_init(&parts);
	parts_clear(&parts, BEGIN_S + 0.9);
	add(BEGIN_S - 1, 10, STATS_OK);
	add(BEGIN_S, 20, STATS_HTTP_ERROR);
	add(BEGIN_S + 3, 30, STATS_OK);
	assert_int_equal(parts.count, 4);
	assert_int_equal(parts.items[0].count, 2);
	assert_int_equal(parts.items[1].count + parts.items[2].count, 0);
	assert_int_equal(hist_percentile_us(&parts.items[3], 1), 30);
	parts_clear(&parts, BEGIN_S + 9);
	assert_int_equal(parts.count, 0);
	add(BEGIN_S + 10, 40, STATS_OK);
	assert_int_equal(parts.items[0].count, 0);
	assert_int_equal(hist_percentile_us(&parts.items[1], 1), 40);
	parts_fini(&parts);
}

/* In microseconds each has its number of seconds, so that a misplaced one is seen. */
static void a_long_window_has_longer_parts_of_all_its_times(void **state)
{
	uint64_t count = 0;

	(void)state;
	parts_init(&parts);
	parts_clear(&parts, BEGIN_S);
	for (uint64_t s = 0; s < 1000; s++)
		add(BEGIN_S + (int64_t)s, s, STATS_OK);
	assert_int_equal(parts.interval_s, 16);
	assert_int_equal(parts.count, 63);
	for (size_t i = 0; i < parts.count; i++) {
		count += parts.items[i].count;
		assert_int_equal(hist_percentile_us(&parts.items[i], 0), 16 * i);
		assert_true(hist_percentile_us(&parts.items[i], 1) < 16 * (i + 1));
	}
	assert_int_equal(count, 1000);
	/* A gap of a day. */
	add(BEGIN_S + 86400, 7, STATS_OK);
	assert_int_equal(hist_percentile_us(&parts.items[parts.count - 1], 1), 7);
	count = 0;
	for (size_t i = 0; i < LIMIT_PARTS; i++)
		count += parts.items[i].count;
	assert_int_equal(count, 1001);
	parts_fini(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_in_the_part_of_their_second),
		cmocka_unit_test(a_long_window_has_longer_parts_of_all_its_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
