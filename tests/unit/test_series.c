/* SPDX-License-Identifier: MIT
 *
 * series: requests count in the second they ended in, for windows of any length. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "run/series.h"
#include "stat/stats.h"

#define BEGIN_S 1000000000

static struct stats stats;

static int begin(void **state)
{
	struct series *s = *state = calloc(1, sizeof(*s));

	stats_init(&stats, BEGIN_S);
	series_init(s);
	series_clear(s, BEGIN_S + 0.7);
	return 0;
}

static int end(void **state)
{
	series_fini(*state);
	free(*state);
	stats_fini(&stats);
	return 0;
}

/* A request of 10 ms that ended then. */
static void request(double wall_s, bool is_failure)
{
	struct stats_entry *e = stats_entry(&stats, str_of("GET"), str_of("/"), wall_s);

	stats_record(&stats, e,
		     &(struct stats_request){ .service_us = 10000,
					      .outcome = is_failure ? STATS_HTTP_ERROR : STATS_OK,
					      .error = is_failure ? "HTTPError('500')" : NULL },
		     wall_s);
}

static void report(struct series *s, double now_wall_s)
{
	series_add(s, &stats.total, now_wall_s, 5);
	stats_clear(&stats, now_wall_s);
}

static void a_request_counts_in_its_second(void **state)
{
	struct series *s = *state;

	request(BEGIN_S - 0.1, false); /* before the window */
	request(BEGIN_S + 0.9, false);
	request(BEGIN_S + 1.1, false);
	request(BEGIN_S + 1.9, true);
	report(s, BEGIN_S + 2.05);
	request(BEGIN_S + 3.5, false);
	report(s, BEGIN_S + 4);
	assert_int_equal(s->interval_s, 1);
	assert_int_equal(s->count, 4);
	assert_true(s->items[0].requests == 1);
	assert_true(s->items[1].requests == 2 && s->items[1].failures == 1);
	assert_true(s->items[2].requests == 0);
	assert_true(s->items[3].requests == 1 && s->items[3].users == 5);
	assert_true(fabs(s->items[1].time_ms / s->items[1].timed - 10) < 1e-9);
	assert_true(fabs(s->items[3].time_ms - 10) < 1e-9);
}

static void a_clock_that_is_off_does_not_move_requests(void **state)
{
	struct series *s = *state;

	request(BEGIN_S + 3600.5, false);
	request(BEGIN_S + 3601.5, false);
	report(s, BEGIN_S + 2);
	request(BEGIN_S - 3600.5, false);
	report(s, BEGIN_S + 2);
	assert_int_equal(s->count, 3);
	assert_true(s->items[1].requests == 1);
	assert_true(s->items[2].requests == 2);
}

/* As when a target hangs, and nobody has anything to report. */
static void a_silence_at_the_end_belongs_to_the_window(void **state)
{
	struct series *s = *state;

	request(BEGIN_S + 1.5, false);
	report(s, BEGIN_S + 2);
	series_end(s, BEGIN_S + 30.2, 5);
	assert_int_equal(s->count, 31);
	assert_true(s->items[1].requests == 1);
	for (size_t i = 2; i < 31; i++)
		assert_true(s->items[i].requests == 0 && s->items[i].users == 5);
	/* What comes late. */
	request(BEGIN_S + 29.5, false);
	report(s, BEGIN_S + 31);
	assert_int_equal(s->count, 31);
	assert_true(s->items[29].requests == 1);
	series_end(s, BEGIN_S - 1, 5);
	assert_int_equal(s->count, 31);
}

static void a_long_window_is_covered_from_its_start(void **state)
{
	struct series *s = *state;
	unsigned seconds = 5 * LIMIT_SERIES;
	double sum = 0;

	for (unsigned i = 0; i < seconds; i++) {
		request(BEGIN_S + i + 0.8, false);
		report(s, BEGIN_S + i + 0.9);
	}
	assert_int_equal(s->interval_s, 8);
	assert_true(s->count <= LIMIT_SERIES);
	for (size_t i = 0; i < s->count; i++) {
		assert_true(s->items[i].requests == 8);
		sum += s->items[i].requests;
	}
	assert_true(sum == seconds);
	/* A gap of years is no more than a gap. */
	request(BEGIN_S + 1e8, false);
	report(s, BEGIN_S + 1e8);
	assert_true(s->count <= LIMIT_SERIES);
	assert_true(s->items[s->count - 1].requests == 1);
	series_clear(s, BEGIN_S);
	assert_int_equal(s->interval_s, 1);
	assert_int_equal(s->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_request_counts_in_its_second, begin, end),
		cmocka_unit_test_setup_teardown(a_clock_that_is_off_does_not_move_requests, begin,
						end),
		cmocka_unit_test_setup_teardown(a_silence_at_the_end_belongs_to_the_window, begin,
						end),
		cmocka_unit_test_setup_teardown(a_long_window_is_covered_from_its_start, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
