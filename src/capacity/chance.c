/* SPDX-License-Identifier: MIT
 *
 * chance - see the header. The continued fraction of the incomplete beta function (Lentz's method)
 * takes about sqrt(max(a, b)) steps, so binomials of very many trials are left to the normal
 * distribution, from which they then differ by less than 0.001. */
#include "capacity/chance.h"

#include <math.h>

#include "base/err.h"

#define BINOMIAL_TRIALS_MAX 100000000ull
#define FRACTION_STEPS	    200000
#define TINY		    1e-300

static double away_from_zero(double x)
{
	return fabs(x) < TINY ? TINY : x;
}

/* Numerical Recipes (6.4.5), for x below (a + 1) / (a + b + 2). */
static double beta_fraction(double x, double a, double b)
{
	double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), result = d;

	for (int m = 1; m < FRACTION_STEPS; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

		d = 1 / away_from_zero(1 + even * d);
		c = away_from_zero(1 + even / c);
		result *= c * d;
		d = 1 / away_from_zero(1 + odd * d);
		c = away_from_zero(1 + odd / c);
		result *= c * d;
		if (fabs(c * d - 1) < 1e-15)
			break;
	}
	return result;
}

/* lgamma() writes to a global. */
static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

/* The regularised incomplete beta function I_x(a, b). */
static double beta_share(double x, double a, double b)
{
	double front;

	if (x <= 0)
		return 0;
	if (x >= 1)
		return 1;
	front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(x, a, b) / a;
	return 1 - front * beta_fraction(1 - x, b, a) / b;
}

double chance_normal(double z)
{
	return erfc(-z * M_SQRT1_2) / 2;
}

static double t_share(double t, double freedom)
{
	double tail = beta_share(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;

	return t < 0 ? tail : 1 - tail;
}

double chance_normal_quantile(double p)
{
	double low = -40, high = 40;

	ensure(p > 0 && p < 1);
	for (int i = 0; i < 100; i++) {
		double middle = (low + high) / 2;

		if (chance_normal(middle) < p)
			low = middle;
		else
			high = middle;
	}
	return high;
}

double chance_t_quantile(double p, double freedom)
{
	double low = -1, high = 1;

	ensure(p > 0 && p < 1 && freedom >= 1);
	while (t_share(low, freedom) > p)
		low *= 2;
	while (t_share(high, freedom) < p)
		high *= 2;
	for (int i = 0; i < 100; i++) {
		double middle = (low + high) / 2;

		if (t_share(middle, freedom) < p)
			low = middle;
		else
			high = middle;
	}
	return high;
}

double chance_binomial(uint64_t hits, uint64_t count, double p)
{
	double n = (double)count, k = (double)hits;

	ensure(p > 0 && p < 1);
	if (hits >= count)
		return 1;
	if (count > BINOMIAL_TRIALS_MAX)
		return chance_normal((k + 0.5 - n * p) / sqrt(n * p * (1 - p)));
	return beta_share(1 - p, n - k, k + 1);
}

uint64_t chance_binomial_quantile(double share, uint64_t count, double p)
{
	uint64_t low = 0, high = count;

	ensure(share > 0 && share < 1);
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (chance_binomial(middle, count, p) < share)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
