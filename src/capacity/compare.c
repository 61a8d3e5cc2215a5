/* SPDX-License-Identifier: MIT
 *
 * compare - see the header. U counts the pairs in which B is above A, ties as half. */
#include "capacity/compare.h"

#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "capacity/chance.h"

struct sides {
	const double *a, *b;
	size_t a_count, b_count;
};

static int ascending(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static double median(const double *sorted, size_t count)
{
	return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

static double median_of(const double *values, size_t count)
{
	double *sorted = mem_zalloc(count, sizeof(*sorted)), result;

	for (size_t i = 0; i < count; i++)
		sorted[i] = values[i];
	qsort(sorted, count, sizeof(*sorted), ascending);
	result = median(sorted, count);
	mem_free(sorted);
	return result;
}

/* How many of the orders of a and b values have which U: the coefficients of the Gaussian binomial
 * (a + b over a), a * b + 1 of them, as shares of all. */
static double *exact_shares(size_t a, size_t b)
{
	size_t most = a * b;
	double *share = mem_zalloc(most + 1, sizeof(*share)), all = 0;

	share[0] = 1;
	for (size_t i = 1; i <= a; i++) {
		for (size_t k = most; k >= b + i; k--)
			share[k] -= share[k - b - i];
		for (size_t k = i; k <= most; k++)
			share[k] += share[k - i];
	}
	for (size_t k = 0; k <= most; k++)
		all += share[k];
	for (size_t k = 0; k <= most; k++)
		share[k] /= all;
	return share;
}

/* Sum of t^3 - t over groups of t equal values among both sides. */
static double ties_of(const struct sides *s)
{
	size_t count = s->a_count + s->b_count, from = 0;
	double *all = mem_zalloc(count, sizeof(*all)), sum = 0;

	for (size_t i = 0; i < count; i++)
		all[i] = i < s->a_count ? s->a[i] : s->b[i - s->a_count];
	qsort(all, count, sizeof(*all), ascending);
	for (size_t i = 1; i <= count; i++) {
		double t = (double)(i - from);

		if (i < count && all[i] == all[from])
			continue;
		sum += t * t * t - t;
		from = i;
	}
	mem_free(all);
	return sum;
}

/* p of both sides, and the rank among the differences of the lower end of the interval, from 1; 0
 * when there is none. The upper end has the same rank from above. */
static void test_exactly(const struct sides *s, double u, double alpha, struct compare *out,
			 size_t *out_rank)
{
	double *share = exact_shares(s->a_count, s->b_count), below = 0, p = 0;
	double tail = fmin(u, (double)(s->a_count * s->b_count) - u);

	*out_rank = 0;
	for (size_t k = 0; k <= s->a_count * s->b_count && below <= 0.5; k++) {
		below += share[k];
		if ((double)k <= tail)
			p = 2 * below;
		if (below <= alpha / 2)
			*out_rank = k + 1;
	}
	out->p = fmin(p, 1);
	mem_free(share);
}

static void test_by_normal(const struct sides *s, double u, double ties, double alpha,
			   struct compare *out, size_t *out_rank)
{
	double a = (double)s->a_count, b = (double)s->b_count, n = a + b;
	double deviation = sqrt(fmax(a * b / 12 * (n + 1 - ties / (n * (n - 1))), 0));
	double off = fmax(fabs(u - a * b / 2) - 0.5, 0);

	/* All values alike: no deviation, and no difference. */
	out->p = deviation > 0 ? 2 * chance_normal(-off / deviation) : 1;
	*out_rank =
		(size_t)fmax(floor(a * b / 2 + chance_normal_quantile(alpha / 2) * deviation), 0);
}

/* All of them, ascending, and by their signs U and delta. */
static double *find_differences(const struct sides *s, double *out_u, double *out_delta)
{
	size_t count = s->a_count * s->b_count, above = 0, below = 0;
	double *all = mem_zalloc(count, sizeof(*all));

	for (size_t i = 0; i < count; i++) {
		all[i] = s->b[i % s->b_count] - s->a[i / s->b_count];
		above += all[i] > 0;
		below += all[i] < 0;
	}
	qsort(all, count, sizeof(*all), ascending);
	*out_u = (double)above + (double)(count - above - below) / 2;
	*out_delta = ((double)above - (double)below) / (double)count;
	return all;
}

/* The fewest values on each side that can show a difference at alpha: even if all of B are above
 * all of A, that is one of (2n over n) orders, and has its mirror image. */
static size_t count_needed(double alpha)
{
	double p = 2;
	size_t n = 0;

	while (p > alpha && n < LIMIT_REPEATS) {
		n++;
		p *= (double)n / (2 * (2 * (double)n - 1));
	}
	return n;
}

static enum compare_verdict judge(const struct compare *c, const struct compare_config *config)
{
	double least = config->effect_min * fabs(c->median_a);

	if (c->p <= config->alpha && fabs(c->shift.value) >= least)
		return (c->shift.value > 0) == config->is_more_better ? COMPARE_BETTER
								      : COMPARE_WORSE;
	if (c->shift.low >= -least && c->shift.high <= least)
		return COMPARE_SAME;
	return COMPARE_UNKNOWN;
}

static enum err check(const struct sides *s, struct err_text *why)
{
	if (!s->a_count || !s->b_count)
		return err_set(why, ERR_BAD_INPUT, "one side has no values");
	if (s->a_count > LIMIT_REPEATS || s->b_count > LIMIT_REPEATS)
		return err_set(why, ERR_TOO_BIG, "%zu and %zu values are more than %d a side",
			       s->a_count, s->b_count, LIMIT_REPEATS);
	for (size_t i = 0; i < s->a_count; i++)
		if (!isfinite(s->a[i]))
			return err_set(why, ERR_BAD_INPUT, "value %zu of the first is not finite",
				       i + 1);
	for (size_t i = 0; i < s->b_count; i++)
		if (!isfinite(s->b[i]))
			return err_set(why, ERR_BAD_INPUT, "value %zu of the second is not finite",
				       i + 1);
	return OK;
}

enum err compare_samples(const double *a, size_t a_count, const double *b, size_t b_count,
			 const struct compare_config *config, struct compare *out,
			 struct err_text *why)
{
	struct sides s = { a, b, a_count, b_count };
	size_t count = a_count * b_count, rank;
	double *difference, u, ties;
	enum err err = check(&s, why);

	if (err)
		return err;
	*out = (struct compare){ .median_a = median_of(a, a_count),
				 .median_b = median_of(b, b_count),
				 .repeats_needed = count_needed(config->alpha) };
	difference = find_differences(&s, &u, &out->delta);
	ties = ties_of(&s);
	out->is_exact = ties == 0 && a_count <= COMPARE_EXACT_MAX && b_count <= COMPARE_EXACT_MAX;
	if (out->is_exact)
		test_exactly(&s, u, config->alpha, out, &rank);
	else
		test_by_normal(&s, u, ties, config->alpha, out, &rank);
	out->shift.value = median(difference, count);
	out->shift.low = rank ? difference[rank - 1] : -INFINITY;
	out->shift.high = rank ? difference[count - rank] : INFINITY;
	out->shift_pct = out->median_a != 0 ? 100 * out->shift.value / fabs(out->median_a) : NAN;
	out->verdict = judge(out, config);
	mem_free(difference);
	return OK;
}

const char *compare_verdict_name(enum compare_verdict verdict)
{
	static const char *const names[] = {
		[COMPARE_UNKNOWN] = "unknown",
		[COMPARE_SAME] = "the same",
		[COMPARE_BETTER] = "faster",
		[COMPARE_WORSE] = "slower",
	};

	return names[verdict];
}
