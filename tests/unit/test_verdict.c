/* SPDX-License-Identifier: MIT
 *
 * verdict: which figure of a row a bound means, and what is said when it is broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "matrix/result_row.h"
#include "matrix/verdict.h"

static struct result_row a_row(void)
{
	struct result_row row = result_row_blank(1, 2, 3);

	row.median_ms = 50;
	row.p90_ms = 90;
	row.p95_ms = 95;
	row.p99_ms = 99;
	row.p999_ms = 999;
	row.avg_ms = 60;
	row.max_ms = 2000;
	row.failures = 3;
	row.failures_pct = 1.5;
	row.rps = 200;
	return row;
}

/* Broken or kept, each by itself. */
static void expect(const char *text, const struct result_row *row, const char *broken)
{
	struct verdict_bounds bounds = { .count = 0 };
	struct err_text why = { "" };
	struct buf said;

	buf_init(&said, 1000);
	if (verdict_add(&bounds, text, &why))
		fail_msg("%s", why.text);
	verdict_say_broken(&bounds, row, &said);
	assert_string_equal(buf_str(&said).p, broken);
	assert_int_equal(verdict_is_kept(&bounds, row), !broken[0]);
	buf_fini(&said);
}

static void a_bound_means_the_figure_of_its_name(void **state)
{
	struct result_row row = a_row();

	(void)state;
	expect("p50>50ms", &row, "");
	expect("p50>=50ms", &row, "p50>=50ms: 50.0 ms");
	expect("p90>0.089s", &row, "p90>0.089s: 90.0 ms");
	expect("p95>95ms", &row, "");
	expect("p95>94ms", &row, "p95>94ms: 95.0 ms");
	expect("p99>98ms", &row, "p99>98ms: 99.0 ms");
	expect("p99.9>0.9s", &row, "p99.9>0.9s: 999.0 ms");
	expect("mean>59ms", &row, "mean>59ms: 60.0 ms");
	expect("max>1s", &row, "max>1s: 2000 ms");
	expect("failures>3", &row, "");
	expect("failures>2", &row, "failures>2: 3");
	expect("fail_ratio>1%", &row, "fail_ratio>1%: 1.50 %");
	expect("fail_ratio>0.02", &row, "");
	expect("rps<200", &row, "");
	expect("rps<201", &row, "rps<201: 200.0/s");
}

static void what_was_not_measured_keeps_nothing(void **state)
{
	struct result_row row = result_row_blank(1, 2, 3);

	(void)state;
	expect("p99>1s", &row, "p99>1s: nothing was measured");
	expect("failures>1", &row, "failures>1: nothing was measured");
	expect("rps<1", &row, "rps<1: nothing was measured");
}

static void all_that_are_broken_are_named(void **state)
{
	struct verdict_bounds bounds = { .count = 0 };
	struct result_row row = a_row();
	struct buf said;

	(void)state;
	buf_init(&said, 1000);
	assert_int_equal(verdict_add(&bounds, "p50>1ms", NULL), OK);
	assert_int_equal(verdict_add(&bounds, "p90>1s", NULL), OK);
	assert_int_equal(verdict_add(&bounds, "rps<500", NULL), OK);
	verdict_say_broken(&bounds, &row, &said);
	assert_string_equal(said.p, "p50>1ms: 50.0 ms, rps<500: 200.0/s");
	assert_false(verdict_is_kept(&bounds, &row));
	/* Its status has told. */
	row.status = RESULT_LOST_WORKER;
	assert_true(verdict_is_kept(&bounds, &row));
	buf_fini(&said);
}

static void bounds_that_no_row_can_answer_are_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "p75>1s", "a row has p50, p90, p95, p99 and p99.9 only" },
		{ "p95{POST /predict}>1s", "leave out the braces" },
		{ "latency>1s", "'latency' is no measure" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct verdict_bounds bounds = { .count = 0 };
		struct err_text why = { "" };

		assert_int_equal(verdict_add(&bounds, cases[i][0], &why), ERR_BAD_OPTION);
		assert_non_null(strstr(why.text, cases[i][0]));
		assert_non_null(strstr(why.text, cases[i][1]));
		assert_int_equal(bounds.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bound_means_the_figure_of_its_name),
		cmocka_unit_test(what_was_not_measured_keeps_nothing),
		cmocka_unit_test(all_that_are_broken_are_named),
		cmocka_unit_test(bounds_that_no_row_can_answer_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
