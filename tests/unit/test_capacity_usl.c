/* SPDX-License-Identifier: MIT
 *
 * usl, knee: published coefficients and knees, refusals, and what lies on the bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "capacity/knee.h"
#include "capacity/usl.h"
#include "near.h"

/* Throughput of a Cisco switch at 1 to 32 in Schwartz, Practical Scalability Analysis with the
 * Universal Scalability Law, 2015, which has sigma 0.02671591, kappa 7.690945e-4, lambda 995.6486.
 */
static const double switch_rps[32] = {
	955.16,	  1878.91,  2688.01,  3548.68,	4315.54,  5130.43,  5931.37, 6531.08,
	7219.8,	  7867.61,  8278.71,  8646.7,	9047.84,  9426.55,  9645.37, 9897.24,
	10097.6,  10240.5,  10532.39, 10798.52, 11151.43, 11518.63, 11806.0, 12089.37,
	12075.41, 12177.29, 12211.41, 12158.93, 12155.27, 12118.04, 12140.4, 12074.39,
};

static void a_published_examples_coefficients_come_out(void **state)
{
	double load[32];
	struct usl u;
	struct err_text why = { "" };

	(void)state;
	for (size_t i = 0; i < 32; i++)
		load[i] = (double)(i + 1);
	assert_int_equal(usl_fit(load, switch_rps, 32, &u, &why), OK);
	assert_true(is_near(u.lambda.value, 995.6486, 1e-5));
	assert_true(is_near(u.sigma.value, 0.02671591, 1e-5));
	assert_true(is_near(u.kappa.value, 7.690945e-4, 1e-5));
	/* Half widths with NumPy. */
	assert_true(is_near(u.lambda.high - u.lambda.value, 50.6260195, 1e-3));
	assert_true(is_near(u.sigma.high - u.sigma.value, 0.00910674138, 1e-3));
	assert_true(is_near(u.kappa.high - u.kappa.value, 0.000190457323, 1e-3));
	assert_int_equal(u.levels, 32);
	assert_true(u.r_squared > 0.99);
	/* The book: 35 at most, 12,341 per second there. */
	assert_true(u.has_peak);
	assert_int_equal((int)u.peak_load.value, 35);
	assert_true(is_near(u.peak_rps.value, 12341, 1e-3));
	assert_true(u.peak_load.low < 35 && u.peak_load.high > 36);
	assert_true(is_near(usl_rps(&u, 1).value, u.lambda.value, 1e-12));
}

static double law(double load, double lambda, double sigma, double kappa)
{
	return lambda * load / (1 + sigma * (load - 1) + kappa * load * (load - 1));
}

static const double loads[] = { 1, 2, 4, 8, 16, 32, 64, 128 };

#define LOADS 8

static void exact_points_give_exact_coefficients(void **state)
{
	static const double cases[][3] = { { 100, 0.05, 0.0005 },
					   { 0.02, 0.3, 0.01 },
					   { 2e6, 0.001, 1e-6 } };
	double rps[LOADS];
	struct usl u;
	struct err_text why = { "" };

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		for (size_t i = 0; i < LOADS; i++)
			rps[i] = law(loads[i], cases[c][0], cases[c][1], cases[c][2]);
		assert_int_equal(usl_fit(loads, rps, LOADS, &u, &why), OK);
		assert_true(is_near(u.lambda.value, cases[c][0], 1e-6));
		assert_true(is_near(u.sigma.value, cases[c][1], 1e-5));
		assert_true(is_near(u.kappa.value, cases[c][2], 1e-5));
	}
}

/* Better than linear at first, which no law with sigma of at least 0 has; and a straight line. */
static void coefficients_stay_at_their_bounds(void **state)
{
	double rps[LOADS];
	struct usl u;
	struct err_text why = { "" };

	(void)state;
	for (size_t i = 0; i < LOADS; i++)
		rps[i] = law(loads[i], 100, -0.004, 5e-4);
	assert_int_equal(usl_fit(loads, rps, LOADS, &u, &why), OK);
	assert_true(u.sigma.value == 0 && u.sigma.low == 0 && u.sigma.high > 0);
	assert_true(u.kappa.value > 3e-4 && u.kappa.value < 5e-4);
	for (size_t i = 0; i < LOADS; i++)
		rps[i] = 100 * loads[i] * (1 + (i % 2 ? 0.001 : -0.001));
	assert_int_equal(usl_fit(loads, rps, LOADS, &u, &why), OK);
	assert_true(u.sigma.value < 0.001 && u.kappa.value < 1e-4);
	assert_false(u.has_peak);
}

static void a_peak_far_beyond_the_levels_is_not_told(void **state)
{
	double rps[LOADS];
	struct usl u;
	struct err_text why = { "" };

	(void)state;
	for (size_t i = 0; i < LOADS; i++)
		rps[i] = law(loads[i], 100, 0.01, 1e-5); /* at 315, of 128 */
	assert_int_equal(usl_fit(loads, rps, LOADS, &u, &why), OK);
	assert_false(u.has_peak);
}

static void what_cannot_be_fitted_is_refused_with_the_remedy(void **state)
{
	static const double same[] = { 1, 1, 2, 2, 3, 3, 4, 5 };
	static const double flat_loads[] = { 100, 120, 140, 160, 180, 200, 220, 240 };
	static const double flat[] = { 1001, 999, 1003, 998, 1000, 1002, 997, 1001 };
	double rps[LOADS];
	struct usl u;
	struct err_text why = { "" };

	(void)state;
	for (size_t i = 0; i < LOADS; i++)
		rps[i] = law(loads[i], 100, 0.05, 0.0005);
	assert_int_equal(usl_fit(loads, rps, 5, &u, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "5 load levels are too few"));
	assert_int_equal(usl_fit(loads, rps, 0, &u, &why), ERR_NOT_FOUND);
	assert_int_equal(usl_fit(same, rps, LOADS, &u, &why), ERR_NOT_FOUND);
	/* Saturated at every level. */
	assert_int_equal(usl_fit(flat_loads, flat, LOADS, &u, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "add lower ones"));
	rps[3] = NAN;
	assert_int_equal(usl_fit(loads, rps, LOADS, &u, &why), ERR_BAD_INPUT);
	assert_non_null(strstr(why.text, "measurement 4"));
	rps[3] = 0;
	assert_int_equal(usl_fit(loads, rps, LOADS, &u, &why), ERR_BAD_INPUT);
	assert_int_equal(usl_fit(loads, rps, LIMIT_LEVELS + 1, &u, &why), ERR_TOO_BIG);
}

/* Figure 2 of the paper, as in the tests of its Python implementation, kneed. */
static void the_papers_figure_2_has_its_knee(void **state)
{
	double x[10], y[10];
	struct knee k;
	struct err_text why = { "" };

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		x[i] = (double)i / 9;
		y[i] = -1 / (x[i] + 0.1) + 5;
	}
	assert_int_equal(knee_find(x, y, 10, &k, &why), OK);
	assert_int_equal(k.index, 2);
	assert_true(is_near(k.load, 0.2222, 1e-3));
	assert_true(is_near(k.rps, 1.8966, 1e-3));
	assert_true(k.load_low <= k.load && k.load <= k.load_high);
}

static void a_service_that_saturates_has_its_knee_there(void **state)
{
	static const double load[] = { 50, 100, 150, 200, 250, 300, 350, 400 };
	static const double rps[] = { 33, 66, 100, 130, 140, 141, 139, 140 };
	struct knee k;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(knee_find(load, rps, 8, &k, &why), OK);
	assert_true(k.load == 200);
	assert_true(k.load_low >= 150 && k.load_high <= 250);
}

static void no_knee_and_an_accident_are_told_apart(void **state)
{
	static const double load[] = { 50, 100, 200, 400, 800, 1600 };
	static const double line[] = { 33, 66, 133, 266, 533, 1066 };
	static const double flat[] = { 100, 100, 100, 100, 100, 100 };
	/* All of it hangs on the level at 100. */
	static const double odd[] = { 33, 900, 133, 266, 533, 1066 };
	static const double unordered[] = { 50, 100, 100, 400, 800, 1600 };
	struct knee k;
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(knee_find(load, line, 6, &k, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "no knee"));
	assert_int_equal(knee_find(load, flat, 6, &k, &why), ERR_NOT_FOUND);
	assert_int_equal(knee_find(load, odd, 6, &k, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "the knee at 100 hangs on one level"));
	assert_int_equal(knee_find(load, line, 4, &k, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "too few"));
	assert_int_equal(knee_find(unordered, line, 6, &k, &why), ERR_BAD_INPUT);
	assert_non_null(strstr(why.text, "level 3"));
	assert_int_equal(knee_find(load, line, LIMIT_LEVELS + 1, &k, &why), ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_published_examples_coefficients_come_out),
		cmocka_unit_test(exact_points_give_exact_coefficients),
		cmocka_unit_test(coefficients_stay_at_their_bounds),
		cmocka_unit_test(a_peak_far_beyond_the_levels_is_not_told),
		cmocka_unit_test(what_cannot_be_fitted_is_refused_with_the_remedy),
		cmocka_unit_test(the_papers_figure_2_has_its_knee),
		cmocka_unit_test(a_service_that_saturates_has_its_knee_there),
		cmocka_unit_test(no_knee_and_an_accident_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
