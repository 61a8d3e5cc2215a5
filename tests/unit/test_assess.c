/* SPDX-License-Identifier: MIT
 *
 * assess: what follows from a row and its evidence, and what does not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "matrix/assess.h"
#include "matrix/evidence.h"
#include "matrix/result_row.h"

#define SECONDS 120
#define USERS	150

/* 150 users that wait 1.48 s and are answered in about 20 ms: 100 requests per second. */
static struct result_row a_row(void)
{
	struct result_row row = result_row_blank(1, 1, USERS);

	row.generator = RESULT_GENERATOR_OK;
	row.duration_s = SECONDS;
	row.rps = 100;
	row.avg_ms = 20;
	row.window_requests = 100 * SECONDS;
	row.total_requests = 100 * SECONDS + 300;
	row.failures = row.dropped = 0;
	snprintf(row.model, sizeof(row.model), "closed");
	return row;
}

static struct evidence an_evidence(void)
{
	struct evidence e;
	struct rng rng;

	rng_init(&rng, 1, 0);
	evidence_init(&e);
	for (size_t i = 0; i < SECONDS; i++) {
		double noise = rng_unit(&rng) - 0.5;

		evidence_add(&e, &(struct evidence_point){ .at_s = (double)i,
							   .requests_per_s = 100 + 4 * noise,
							   .failures_per_s = 0,
							   .mean_ms = 20 + noise,
							   .users = USERS });
	}
	for (size_t i = 0; i < 100 * SECONDS; i++)
		hist_add(&e.times, 10000 + rng_below(&rng, 20001), 1);
	e.interval_s = 1;
	e.waited_s = 1.48 * 100 * SECONDS;
	return e;
}

static void a_good_row_is_valid_and_has_its_intervals(void **state)
{
	struct result_row row = a_row();
	struct evidence e = an_evidence();

	(void)state;
	assess_row(&row, &e, NULL);
	assert_int_equal(row.verdict, RESULT_VERDICT_VALID);
	assert_string_equal(row.reason, "");
	assert_true(row.steady_from_s >= 0 && row.steady_from_s < SECONDS / 2);
	assert_true(fabs(row.steady_rps - 100) < 1);
	assert_true(row.steady_rps_range.low < row.steady_rps &&
		    row.steady_rps < row.steady_rps_range.high);
	assert_true(row.steady_rps_range.high - row.steady_rps_range.low < 2);
	/* The times are even between 10 and 30 ms. */
	assert_true(row.median_range.low < 20 && row.median_range.high > 20);
	assert_true(row.p99_range.low < 29.8 && row.p99_range.high > 29.8);
	assert_true(row.p99_range.high - row.p99_range.low < 1);
	assert_true(fabs(row.p999_ms - 29.98) < 0.05);
	assert_true(fabs(row.wait_ms - 1480) < 1e-6);
	assert_true(row.law_error_pct < 0.01);
	evidence_fini(&e);
}

/* The first 20 s are slower, which the window's percentiles have in them and the others have not.
 */
static void the_steady_part_has_percentiles_of_its_own(void **state)
{
	struct result_row row = a_row();
	struct evidence e = an_evidence();

	(void)state;
	e.parts = mem_zalloc(SECONDS, sizeof(*e.parts));
	e.part_count = SECONDS / 2;
	e.part_s = 2;
	e.parts_at_s = -0.5;
	for (size_t i = 0; i < SECONDS / 2; i++) {
		hist_init(&e.parts[i]);
		for (size_t k = 0; k < 200; k++)
			hist_add(&e.parts[i], i < 10 ? 900000 : 10000 + 100 * k, 1);
	}
	for (size_t i = 0; i < 20; i++)
		e.points[i].requests_per_s = 50;
	hist_add(&e.times, 900000, 20 * 100);
	assess_row(&row, &e, NULL);
	assert_true(row.steady_from_s >= 20 && row.steady_from_s < 40);
	assert_true(fabs(row.steady_median_ms - 20) < 0.2 && row.steady_p999_ms < 31);
	assert_true(row.steady_p99_range.low <= row.steady_p99_ms &&
		    row.steady_p99_range.high >= row.steady_p99_ms);
	assert_true(row.p999_ms > 890);
	/* Of so few there is no 99th percentile. */
	for (size_t i = 10; i < SECONDS / 2; i++)
		hist_clear(&e.parts[i]);
	hist_add(&e.parts[SECONDS / 2 - 1], 30000, 367);
	row = a_row();
	assess_row(&row, &e, NULL);
	assert_true(fabs(row.steady_p95_ms - 30) < 0.1 && isnan(row.steady_p99_ms));
	evidence_fini(&e);
}

static void expect(const struct result_row *row, enum result_verdict verdict, const char *reason)
{
	assert_int_equal(row->verdict, verdict);
	assert_non_null(strstr(row->reason, reason));
}

static void users_that_are_not_accounted_for_are_told(void **state)
{
	struct result_row row = a_row();
	struct evidence e = an_evidence();

	(void)state;
	e.waited_s *= 0.8;
	assess_row(&row, &e, NULL);
	expect(&row, RESULT_VERDICT_INVALID, "contradict");
	assert_true(fabs(row.law_error_pct - 19.7) < 0.1);
	/* Arrivals do not wait for anybody. */
	row = a_row();
	snprintf(row.model, sizeof(row.model), "closed+open");
	assess_row(&row, &e, NULL);
	assert_int_equal(row.verdict, RESULT_VERDICT_VALID);
	assert_true(isnan(row.law_error_pct));
	/* Of so many users each has been seen twice, which tells nothing. */
	row = a_row();
	row.users = 5000;
	assess_row(&row, &e, NULL);
	assert_true(isnan(row.law_error_pct));
	evidence_fini(&e);
}

static void what_speaks_against_a_row_is_told(void **state)
{
	struct evidence e = an_evidence();
	struct result_row row;

	(void)state;
	row = a_row();
	row.generator = RESULT_GENERATOR_LIMITED;
	assess_row(&row, &e, "a thread was busy");
	expect(&row, RESULT_VERDICT_INVALID,
	       "load generator was the limit, not the service (a thread");
	row = a_row();
	row.status = RESULT_CHANGED;
	assess_row(&row, &e, NULL);
	expect(&row, RESULT_VERDICT_INVALID, "replicas changed");
	row = a_row();
	row.failures = row.total_requests / 10;
	assess_row(&row, &e, NULL);
	expect(&row, RESULT_VERDICT_SUSPECT, "failed");
	for (size_t i = 0; i < e.count; i++)
		e.points[i].requests_per_s = (double)(i + 20);
	row = a_row();
	assess_row(&row, &e, NULL);
	expect(&row, RESULT_VERDICT_SUSPECT, "no steady state");
	assert_true(isnan(row.steady_from_s) && isnan(row.steady_rps));
	evidence_fini(&e);
}

/* With Locust's master little is known, and nothing is made up. */
static void polls_have_no_intervals(void **state)
{
	struct result_row row = a_row();
	struct evidence e = an_evidence();

	(void)state;
	e.is_polled = true;
	e.waited_s = NAN;
	hist_fini(&e.times);
	row.generator = RESULT_GENERATOR_UNKNOWN;
	row.model[0] = '\0';
	assess_row(&row, &e, NULL);
	expect(&row, RESULT_VERDICT_SUSPECT, "neither the law");
	assert_true(isnan(row.steady_rps) && isnan(row.p99_range.low) && isnan(row.wait_ms));
	evidence_fini(&e);
}

static void what_was_not_measured_has_no_verdict(void **state)
{
	struct result_row row = result_row_blank(1, 1, 1);
	struct evidence e;

	(void)state;
	evidence_init(&e);
	row.status = RESULT_TARGET_NOT_READY;
	assess_row(&row, &e, NULL);
	assert_int_equal(row.verdict, RESULT_VERDICT_NONE);
	evidence_fini(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_row_is_valid_and_has_its_intervals),
		cmocka_unit_test(the_steady_part_has_percentiles_of_its_own),
		cmocka_unit_test(users_that_are_not_accounted_for_are_told),
		cmocka_unit_test(what_speaks_against_a_row_is_told),
		cmocka_unit_test(polls_have_no_intervals),
		cmocka_unit_test(what_was_not_measured_has_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
