/* SPDX-License-Identifier: MIT
 *
 * compare: against SciPy 1.10.1 (mannwhitneyu), exact counts made by hand, and how often chance
 * makes a verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/rng.h"
#include "capacity/compare.h"
#include "near.h"

static const struct compare_config times = { .alpha = 0.05, .effect_min = 0.05 };

static void an_exact_test_is_scipys(void **state)
{
	static const double a[] = { 12.1, 11.8, 13.0, 12.4, 12.9, 11.5 };
	static const double b[] = { 13.1, 13.6, 12.7, 14.2, 13.3 };
	struct compare c;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(compare_samples(a, 6, b, 5, &times, &c, &why), OK);
	assert_true(c.is_exact);
	assert_true(is_near(c.p, 0.017316017316017316, 1e-9));
	/* The 4th of the 30 differences from each end: P(U <= 3) is within 2.5 %, P(U <= 4) is not.
	 */
	assert_true(is_near(c.shift.value, 1.2, 1e-9));
	assert_true(is_near(c.shift.low, 0.2, 1e-9));
	assert_true(is_near(c.shift.high, 2.1, 1e-9));
	assert_true(is_near(c.delta, (28.0 - 2.0) / 30, 1e-9));
	assert_true(is_near(c.median_a, 12.25, 1e-9));
	assert_true(is_near(c.shift_pct, 100 * 1.2 / 12.25, 1e-9));
	assert_int_equal(c.verdict, COMPARE_WORSE);
}

static void ties_are_corrected_for_as_scipy_does(void **state)
{
	static const double a[] = { 10, 11, 11, 12, 13, 13, 14, 15, 15, 16 };
	static const double b[] = { 12, 13, 15, 15, 17, 18, 18, 19, 20, 21 };
	struct compare c;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(compare_samples(a, 10, b, 10, &times, &c, &why), OK);
	assert_false(c.is_exact);
	assert_true(is_near(c.p, 0.009688771342408567, 1e-6));
	assert_true(is_near(c.shift.value, 4, 1e-9));
	assert_true(is_near(c.delta, 0.69, 1e-9));
	assert_true(c.shift.low > 0 && c.shift.low < 4 && c.shift.high > 4);
}

static void three_repeats_can_show_nothing_at_5_percent(void **state)
{
	static const double a[] = { 100, 101, 102 }, b[] = { 200, 201, 202 };
	struct compare c;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(compare_samples(a, 3, b, 3, &times, &c, &why), OK);
	assert_true(is_near(c.p, 0.1, 1e-9));
	assert_true(isinf(c.shift.low) && isinf(c.shift.high));
	assert_int_equal(c.verdict, COMPARE_UNKNOWN);
	assert_int_equal(c.repeats_needed, 4);
	assert_true(c.delta == 1);
}

static void four_repeats_can_and_the_direction_is_right(void **state)
{
	static const double less[] = { 100, 101, 102, 103 }, more[] = { 120, 121, 122, 123 };
	struct compare_config rates = { .alpha = 0.05, .effect_min = 0.05, .is_more_better = true };
	struct compare c;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(compare_samples(less, 4, more, 4, &times, &c, &why), OK);
	assert_string_equal(compare_verdict_name(c.verdict), "slower");
	assert_true(is_near(c.p, 2.0 / 70, 1e-9));
	assert_true(is_near(c.shift.value, 20, 1e-9));
	assert_int_equal(compare_samples(more, 4, less, 4, &times, &c, &why), OK);
	assert_string_equal(compare_verdict_name(c.verdict), "faster");
	assert_true(c.shift.value == -20 && c.delta == -1);
	assert_int_equal(compare_samples(less, 4, more, 4, &rates, &c, &why), OK);
	assert_string_equal(compare_verdict_name(c.verdict), "faster");
	assert_int_equal(compare_samples(more, 4, less, 4, &rates, &c, &why), OK);
	assert_string_equal(compare_verdict_name(c.verdict), "slower");
}

static void a_difference_that_does_not_matter_is_the_same(void **state)
{
	static const double a[] = { 100.0, 100.1, 100.2, 100.3, 100.4, 100.5 };
	static const double b[] = { 101.0, 101.1, 101.2, 101.3, 101.4, 101.5 };
	static const double scattered[] = { 60, 80, 95, 105, 130, 150 };
	static const double alike[] = { 7, 7, 7, 7, 7 };
	struct compare c;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(compare_samples(a, 6, b, 6, &times, &c, &why), OK);
	assert_true(c.p < 0.05);
	assert_string_equal(compare_verdict_name(c.verdict), "the same");
	assert_int_equal(compare_samples(a, 6, scattered, 6, &times, &c, &why), OK);
	assert_string_equal(compare_verdict_name(c.verdict), "unknown");
	assert_int_equal(compare_samples(alike, 5, alike, 5, &times, &c, &why), OK);
	assert_true(c.p == 1 && c.delta == 0 && c.shift.value == 0);
	assert_string_equal(compare_verdict_name(c.verdict), "the same");
}

/* Half of the values a side beyond what is counted exactly: both ways must agree. */
static void exact_and_normal_agree_for_many(void **state)
{
	double a[21], b[21];
	struct compare exact, normal;
	struct err_text why = { "" };
	struct rng rng;

	(void)state;
	rng_init(&rng, 3, 0);
	for (size_t i = 0; i < 21; i++) {
		a[i] = 100 + 10 * rng_unit(&rng);
		b[i] = 102 + 10 * rng_unit(&rng);
	}
	assert_int_equal(compare_samples(a, 20, b, 20, &times, &exact, &why), OK);
	b[20] = exact.median_b;
	a[20] = exact.median_a;
	assert_int_equal(compare_samples(a, 21, b, 21, &times, &normal, &why), OK);
	assert_true(exact.is_exact && !normal.is_exact);
	assert_true(fabs(exact.p - normal.p) < 0.03);
	assert_true(fabs(exact.shift.low - normal.shift.low) < 0.5);
}

/* Of 400 pairs without a difference at most about 5 % may show one; more than 8 % is no accident.
 * The interval has the true shift in 95 %. */
static void chance_makes_no_more_verdicts_than_alpha(void **state)
{
	struct compare_config any = { .alpha = 0.05, .effect_min = 0 };
	size_t wrong = 0, missed = 0;
	struct rng rng;

	(void)state;
	rng_init(&rng, 8, 0);
	for (size_t run = 0; run < 400; run++) {
		double a[6], b[7];
		struct compare c;
		struct err_text why = { "" };

		for (size_t i = 0; i < 6; i++)
			a[i] = 10 - 3 * log1p(-rng_unit(&rng));
		for (size_t i = 0; i < 7; i++)
			b[i] = 10 - 3 * log1p(-rng_unit(&rng));
		assert_int_equal(compare_samples(a, 6, b, 7, &any, &c, &why), OK);
		wrong += c.verdict == COMPARE_BETTER || c.verdict == COMPARE_WORSE;
		missed += c.shift.low > 0 || c.shift.high < 0;
	}
	assert_true(wrong <= 32);
	assert_true(missed <= 32);
}

static void bad_sides_are_named(void **state)
{
	static const double good[] = { 1, 2 }, bad[] = { 1, INFINITY };
	static double many[LIMIT_REPEATS + 1];
	struct compare c;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(compare_samples(good, 0, good, 2, &times, &c, &why), ERR_BAD_INPUT);
	assert_int_equal(compare_samples(good, 2, bad, 2, &times, &c, &why), ERR_BAD_INPUT);
	assert_string_equal(why.text, "value 2 of the second is not finite");
	assert_int_equal(compare_samples(many, LIMIT_REPEATS + 1, good, 2, &times, &c, &why),
			 ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exact_test_is_scipys),
		cmocka_unit_test(ties_are_corrected_for_as_scipy_does),
		cmocka_unit_test(three_repeats_can_show_nothing_at_5_percent),
		cmocka_unit_test(four_repeats_can_and_the_direction_is_right),
		cmocka_unit_test(a_difference_that_does_not_matter_is_the_same),
		cmocka_unit_test(exact_and_normal_agree_for_many),
		cmocka_unit_test(chance_makes_no_more_verdicts_than_alpha),
		cmocka_unit_test(bad_sides_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
