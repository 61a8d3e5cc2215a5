/* SPDX-License-Identifier: MIT
 *
 * chance, interval: against SciPy 1.10.1 (norm, t, binom, binomtest), and by how often an interval
 * has the truth in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "capacity/chance.h"
#include "capacity/interval.h"
#include "near.h"

static void the_distributions_are_those_of_scipy(void **state)
{
	(void)state;
	assert_true(is_near(chance_normal(1.5), 0.9331927987311419, 1e-12));
	assert_true(is_near(chance_normal_quantile(0.975), 1.959963984540054, 1e-10));
	assert_true(is_near(chance_normal_quantile(1e-6), -4.753424308822899, 1e-8));
	assert_true(is_near(chance_t_quantile(0.975, 1), 12.706204736432095, 1e-9));
	assert_true(is_near(chance_t_quantile(0.975, 2), 4.302652729911275, 1e-9));
	assert_true(is_near(chance_t_quantile(0.975, 57), 2.0024654580545986, 1e-9));
	assert_true(is_near(chance_t_quantile(0.005, 9), -3.24983554401537, 1e-9));
	assert_true(is_near(chance_binomial(3, 10, 0.3), 0.6496107184000002, 1e-10));
	assert_true(is_near(chance_binomial(989, 1000, 0.99), 0.41695919669890363, 1e-9));
	assert_true(is_near(chance_binomial(999000, 1000000, 0.999), 0.5042115551670034, 1e-8));
	assert_true(
		is_near(chance_binomial(49498000, 50000000, 0.99), 0.0022533751892652985, 1e-5));
	assert_true(chance_binomial(368, 368, 0.99) == 1);
	assert_int_equal(chance_binomial_quantile(0.025, 1000, 0.99), 983);
	assert_int_equal(chance_binomial_quantile(0.975, 1000, 0.99), 996);
	assert_int_equal(chance_binomial_quantile(0.025, 100000, 0.999), 99880);
	assert_int_equal(chance_binomial_quantile(0.975, 1000000, 0.95), 950427);
}

static void very_many_trials_are_no_slower(void **state)
{
	/* Where the normal distribution takes over nothing jumps. */
	uint64_t at = 100000000, below = chance_binomial_quantile(0.975, at, 0.99);
	uint64_t above = chance_binomial_quantile(0.975, at + 1000, 0.99);

	(void)state;
	assert_true(above >= below && above - below < 1010);
	assert_true(
		is_near((double)chance_binomial_quantile(0.5, 1000000000000000, 0.5), 5e14, 1e-6));
}

static double normal(struct rng *rng)
{
	return sqrt(-2 * log1p(-rng_unit(rng))) * cos(2 * M_PI * rng_unit(rng));
}

static void a_mean_of_independent_seconds_has_the_textbooks_interval(void **state)
{
	double values[] = { 10, 12, 9, 11, 10, 13, 8, 10, 12, 9, 11, 10 };
	struct interval_batches batches;
	struct interval mean;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(interval_mean(values, 12, &mean, &batches, &why), OK);
	assert_int_equal(batches.size, 1);
	assert_int_equal(batches.count, 12);
	/* s = 1.422226, t(0.975; 11) = 2.200985 */
	assert_true(is_near(mean.value, 125.0 / 12, 1e-12));
	assert_true(is_near(mean.high - mean.value, 2.200985 * 1.443376 / sqrt(12), 1e-5));
	assert_true(is_near(interval_relative(&mean), (mean.high - mean.value) / mean.value, 1e-9));
}

static void seconds_that_depend_on_each_other_are_merged(void **state)
{
	double values[600], last = 0;
	struct interval_batches batches;
	struct interval mean;
	struct err_text why = { "" };
	struct rng rng;

	(void)state;
	rng_init(&rng, 1, 0);
	for (size_t i = 0; i < 600; i++)
		values[i] = 100 + (last = 0.9 * last + normal(&rng));
	assert_int_equal(interval_mean(values, 600, &mean, &batches, &why), OK);
	assert_true(batches.size >= 8);
	assert_true(batches.lag1 < INTERVAL_LAG1_MAX);
	assert_true(mean.low < 100 && mean.high > 100);
	/* What only rises does not tell. */
	for (size_t i = 0; i < 40; i++)
		values[i] = (double)i;
	assert_int_equal(interval_mean(values, 40, &mean, &batches, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "they depend on their neighbours"));
}

static void what_was_not_measured_is_left_out(void **state)
{
	double values[15], nothing[3] = { NAN, NAN, NAN };
	struct interval mean;
	struct err_text why = { "" };

	(void)state;
	for (size_t i = 0; i < 15; i++)
		values[i] = i % 5 ? 7 + (double)(i % 2) / 10 : NAN;
	assert_int_equal(interval_mean(values, 15, &mean, NULL, &why), OK);
	assert_true(mean.low > 6.9 && mean.high < 7.2);
	assert_int_equal(interval_mean(nothing, 3, &mean, NULL, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "0 seconds are too few for an interval"));
	assert_int_equal(interval_mean(values, 0, &mean, NULL, &why), ERR_NOT_FOUND);
}

static void repeats_have_students_interval(void **state)
{
	static const double values[] = { 156.3, 151.2, 154.8 };
	struct interval mean;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(interval_repeats(values, 3, &mean, &why), OK);
	/* s = 2.6211, t(0.975; 2) = 4.302653 */
	assert_true(is_near(mean.high - mean.value, 4.302653 * 2.621068 / sqrt(3), 1e-5));
	assert_int_equal(interval_repeats(values, 1, &mean, &why), ERR_NOT_FOUND);
}

static void a_tail_needs_samples_and_says_how_many(void **state)
{
	struct interval p;
	struct err_text why = { "" };
	struct hist h;

	(void)state;
	assert_int_equal(interval_percentile_samples(0.5), 6);
	assert_int_equal(interval_percentile_samples(0.95), 72);
	assert_int_equal(interval_percentile_samples(0.99), 368);
	assert_int_equal(interval_percentile_samples(0.999), 3688);
	hist_init(&h);
	assert_int_equal(interval_percentile(&h, 0.5, 1, &p, &why), ERR_NOT_FOUND);
	for (uint64_t i = 1; i <= 367; i++)
		hist_add(&h, i, 1);
	assert_int_equal(interval_percentile(&h, 0.99, 1, &p, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "367 requests are too few for p99: 368 are needed");
	hist_add(&h, 368, 1);
	assert_int_equal(interval_percentile(&h, 0.99, 1, &p, &why), OK);
	assert_true(p.high == 368);
	/* Twice as many when two tell as much as one. */
	assert_int_equal(interval_percentile(&h, 0.99, 2, &p, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "368 requests are too few for p99: 736 are needed");
	hist_fini(&h);
}

static void a_percentile_lies_between_its_binomial_ranks(void **state)
{
	struct interval p, wider;
	struct err_text why = { "" };
	struct hist h;

	(void)state;
	hist_init(&h);
	for (uint64_t i = 1; i <= 1000; i++)
		hist_add(&h, i, 1);
	assert_int_equal(interval_percentile(&h, 0.99, 1, &p, &why), OK);
	assert_true(p.low == 983 && p.value == 990 && p.high == 997);
	assert_int_equal(interval_percentile(&h, 0.99, 2, &wider, &why), OK);
	assert_true(wider.low < p.low && wider.high >= p.high && wider.value == p.value);
	hist_fini(&h);
}

/* Of 1000 percentiles about 950 must lie in their intervals; fewer than 920 are no accident. */
static void a_percentiles_interval_has_the_truth_in_it(void **state)
{
	static const double shares[] = { 0.5, 0.95, 0.99 };
	struct rng rng;
	struct hist h;

	(void)state;
	rng_init(&rng, 5, 0);
	hist_init(&h);
	for (size_t s = 0; s < 3; s++) {
		double truth = -1e5 * log(1 - shares[s]);
		size_t hits = 0;

		for (size_t run = 0; run < 1000; run++) {
			struct interval p;
			struct err_text why = { "" };

			hist_clear(&h);
			for (size_t i = 0; i < 500; i++)
				hist_add(&h, (uint64_t)(-1e5 * log1p(-rng_unit(&rng))), 1);
			assert_int_equal(interval_percentile(&h, shares[s], 1, &p, &why), OK);
			hits += p.low <= truth && truth <= p.high * 1.001;
		}
		assert_true(hits > 920);
	}
	hist_fini(&h);
}

static void inflation_is_how_much_more_batches_vary_than_single_requests(void **state)
{
	struct interval_batches batches = { .count = 10, .size = 1, .standard_error = 20 };
	struct hist h;

	(void)state;
	hist_init(&h);
	assert_true(interval_inflation(&batches, &h) == 1);
	hist_add(&h, 900, 50);
	hist_add(&h, 1100, 50);
	/* Variance 100 squared, so independent: 100 / sqrt(100) = 10 us. */
	assert_true(is_near(interval_inflation(&batches, &h), 4, 0.01));
	batches.standard_error = 5;
	assert_true(interval_inflation(&batches, &h) == 1);
	hist_fini(&h);
}

static void a_ratio_has_wilsons_interval(void **state)
{
	struct interval some = interval_ratio(3, 100), none = interval_ratio(0, 50);
	struct interval all = interval_ratio(50, 50);

	(void)state;
	assert_true(is_near(some.value, 0.03, 1e-12));
	assert_true(is_near(some.low, 0.010254524024038925, 1e-6));
	assert_true(is_near(some.high, 0.08451936429052762, 1e-6));
	assert_true(none.low == 0 && is_near(none.high, 0.07134759913335872, 1e-6));
	assert_true(is_near(all.high, 1, 1e-12) && is_near(all.low, 1 - none.high, 1e-9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_distributions_are_those_of_scipy),
		cmocka_unit_test(very_many_trials_are_no_slower),
		cmocka_unit_test(a_mean_of_independent_seconds_has_the_textbooks_interval),
		cmocka_unit_test(seconds_that_depend_on_each_other_are_merged),
		cmocka_unit_test(what_was_not_measured_is_left_out),
		cmocka_unit_test(repeats_have_students_interval),
		cmocka_unit_test(a_tail_needs_samples_and_says_how_many),
		cmocka_unit_test(a_percentile_lies_between_its_binomial_ranks),
		cmocka_unit_test(a_percentiles_interval_has_the_truth_in_it),
		cmocka_unit_test(inflation_is_how_much_more_batches_vary_than_single_requests),
		cmocka_unit_test(a_ratio_has_wilsons_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
