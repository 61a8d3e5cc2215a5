/* SPDX-License-Identifier: MIT
 *
 * stats, rounded: Locust's rounding and percentile vectors, merging, limits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "stat/stats.h"

static const struct {
	double ms, key;
} rounding[] = {
	{ 0.5, 0 },	  { 1.5, 2 },	    { 2.5, 2 },	      { 99.6, 100 },	  { 105, 100 },
	{ 115, 120 },	  { 125, 120 },	    { 145, 140 },     { 155, 160 },	  { 995, 1000 },
	{ 1050, 1000 },	  { 1150, 1200 },   { 1250, 1200 },   { 9950, 10000 },	  { 10500, 10000 },
	{ 11500, 12000 }, { 12500, 12000 }, { 58760, 59000 }, { 123456, 123000 },
};

static void rounding_is_locusts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rounding) / sizeof(rounding[0]); i++)
		assert_true(rounded_key_ms(rounding[i].ms) == rounding[i].key);
}

static void percentiles_are_locusts(void **state)
{
	struct rounded r;

	(void)state;
	rounded_init(&r);
	assert_true(rounded_percentile_ms(&r, 0.5) == 0);
	rounded_add(&r, 100, 2);
	rounded_add(&r, 1, 5);
	rounded_add(&r, 2, 3);
	assert_true(rounded_percentile_ms(&r, 0.5) == 2);
	assert_true(rounded_percentile_ms(&r, 0.75) == 2);
	assert_true(rounded_percentile_ms(&r, 0.8) == 100);
	rounded_clear(&r);
	for (int i = 1; i <= 100; i++)
		rounded_add(&r, i, 1);
	assert_true(rounded_percentile_ms(&r, 0.95) == 96);
	assert_true(rounded_percentile_ms(&r, 0.99) == 100);
	rounded_fini(&r);
}

static void subtracting_an_earlier_copy_leaves_what_came_since(void **state)
{
	struct rounded now, then;

	(void)state;
	rounded_init(&now);
	rounded_init(&then);
	rounded_add(&then, 5, 2);
	rounded_add(&then, 7, 1);
	rounded_merge(&now, &then);
	rounded_add(&now, 5, 1);
	rounded_add(&now, 150.0, 4);
	rounded_add(&now, 150, 1);
	rounded_subtract(&now, &then);
	assert_int_equal(now.count, 6);
	assert_int_equal(now.used, 2);
	assert_true(now.buckets[1].ms == 150 && now.buckets[1].count == 5);
	rounded_fini(&now);
	rounded_fini(&then);
}

static void each_request_is_counted_once_after_merging(void **state)
{
	struct stats thread[3], all;
	struct stats_entry *e;

	(void)state;
	stats_init(&all, 1000);
	for (int i = 0; i < 3; i++) {
		stats_init(&thread[i], 1000 + i);
		e = stats_entry(&thread[i], str_of("GET"), str_of("/a"), 1000);
		for (int k = 0; k < 100; k++)
			stats_record(&thread[i], e,
				     &(struct stats_request){
					     .service_us = 400 + (uint64_t)k,
					     .content_bytes = 10,
					     .error = k % 10 ? NULL : "HTTPError('500')",
					     .outcome = k % 10 ? STATS_OK : STATS_HTTP_ERROR },
				     1005.5);
		stats_merge(&all, &thread[i]);
		stats_fini(&thread[i]);
	}
	assert_int_equal(all.total.num_requests, 300);
	assert_int_equal(all.total.num_failures, 30);
	e = stats_entry(&all, str_of("GET"), str_of("/a"), 1000);
	assert_int_equal(stats_timed(e) + e->rounded.count, 300);
	assert_int_equal(e->seconds[1005 % STATS_SECONDS].requests, 300);
	assert_int_equal(all.errors.count, 1);
	assert_true(e->min_response_time_ms == 0.4 && e->max_response_time_ms == 0.499);
	assert_true(fabs(stats_percentile_exact_ms(e, 0.5) - 0.449) < 0.001);
	assert_true(all.total.start_time == 1000);
	stats_reset(&all, 2000);
	assert_int_equal(all.entries.count, 1);
	assert_int_equal(all.total.num_requests, 0);
	assert_int_equal(all.errors.count, 0);
	stats_fini(&all);
}

static void a_request_without_a_time_is_in_no_average(void **state)
{
	const struct stats_request timed = { .service_us = 20000 };
	const struct stats_request untimed = { .is_untimed = true, .service_us = 99 };
	struct stats_entry *e;
	struct stats s;

	(void)state;
	stats_init(&s, 100);
	e = stats_entry(&s, str_of("X"), str_of("it"), 100);
	stats_record(&s, e, &untimed, 101);
	assert_true(isnan(e->min_response_time_ms));
	assert_true(stats_avg_response_time_ms(e) == 0);
	stats_record(&s, e, &timed, 101);
	assert_int_equal(e->num_requests, 2);
	assert_int_equal(e->num_none_requests, 1);
	assert_int_equal(s.total.num_none_requests, 1);
	assert_true(stats_avg_response_time_ms(e) == 20);
	assert_int_equal(stats_timed(e), 1);
	stats_fini(&s);
}

static void a_failure_can_be_told_besides(void **state)
{
	const struct stats_request fine = { .service_us = 20000 };
	struct stats_entry *e;
	struct stats s;

	(void)state;
	stats_init(&s, 100);
	e = stats_entry(&s, str_of("X"), str_of("it"), 100);
	stats_record(&s, e, &fine, 101);
	stats_fail(&s, e, "boom", 101);
	assert_int_equal(e->num_requests, 1);
	assert_int_equal(e->num_failures, 1);
	assert_int_equal(s.total.num_failures, 1);
	assert_int_equal(s.errors.count, 1);
	stats_fini(&s);
}

static void current_rate_leaves_out_the_newest_seconds(void **state)
{
	struct stats s;
	struct stats_entry *e;

	(void)state;
	stats_init(&s, 100);
	e = stats_entry(&s, str_of("GET"), str_of("/"), 100);
	for (int second = 100; second < 130; second++)
		for (int k = 0; k < 7; k++)
			stats_record(&s, e, &(struct stats_request){ .service_us = 1000 },
				     second + 0.5);
	assert_true(fabs(stats_current_rps(e, &s.total) - 7) < 1e-9);
	assert_true(fabs(stats_total_rps(e, &s.total) - 210 / 29.5) < 1e-9);
	stats_fini(&s);
}

static void names_and_errors_beyond_the_limit_share_a_row(void **state)
{
	struct stats s;
	char text[32];

	(void)state;
	stats_init(&s, 0);
	for (int i = 0; i < LIMIT_STAT_NAMES + 50; i++) {
		struct stats_entry *e;

		snprintf(text, sizeof(text), "/%d", i);
		e = stats_entry(&s, str_of("GET"), str_of(text), 0);
		stats_record(&s, e,
			     &(struct stats_request){
				     .service_us = 1, .error = text, .outcome = STATS_HTTP_ERROR },
			     1);
	}
	assert_true(s.entries.count <= LIMIT_STAT_NAMES + 1);
	assert_true(s.errors.count <= LIMIT_STAT_ERRORS + 1);
	assert_int_equal(s.total.num_requests, LIMIT_STAT_NAMES + 50);
	assert_int_equal(stats_entry(&s, str_of(""), str_of(STATS_OTHERS), 0)->num_requests, 50);
	stats_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounding_is_locusts),
		cmocka_unit_test(percentiles_are_locusts),
		cmocka_unit_test(subtracting_an_earlier_copy_leaves_what_came_since),
		cmocka_unit_test(each_request_is_counted_once_after_merging),
		cmocka_unit_test(a_request_without_a_time_is_in_no_average),
		cmocka_unit_test(a_failure_can_be_told_besides),
		cmocka_unit_test(current_rate_leaves_out_the_newest_seconds),
		cmocka_unit_test(names_and_errors_beyond_the_limit_share_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
