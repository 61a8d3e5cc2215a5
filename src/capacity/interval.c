/* SPDX-License-Identifier: MIT
 *
 * interval - see the header. */
#include "capacity/interval.h"

#include <math.h>

#include "base/mem.h"
#include "capacity/chance.h"

#define TAIL ((1 - INTERVAL_CONFIDENCE) / 2)

static double mean(const double *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += values[i];
	return sum / (double)count;
}

/* Sum of the squared distances from the middle. */
static double squares(const double *values, size_t count, double middle)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (values[i] - middle) * (values[i] - middle);
	return sum;
}

static double standard_error(const double *values, size_t count)
{
	double n = (double)count;

	return sqrt(squares(values, count, mean(values, count)) / (n - 1) / n);
}

static double lag1(const double *values, size_t count)
{
	double middle = mean(values, count), all = squares(values, count, middle), sum = 0;

	for (size_t i = 1; i < count; i++)
		sum += (values[i - 1] - middle) * (values[i] - middle);
	return all > 0 ? sum / all : 0;
}

static struct interval around(double value, double error, size_t count)
{
	double half = chance_t_quantile(1 - TAIL, (double)count - 1) * error;

	return (struct interval){ value, value - half, value + half };
}

double interval_relative(const struct interval *i)
{
	return (i->high - i->low) / 2 / fabs(i->value);
}

static size_t copy_known(const double *values, size_t count, double *out)
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++)
		if (!isnan(values[i]))
			out[known++] = values[i];
	return known;
}

/* In place; an odd one out is the first. */
static size_t merge_pairs(double *values, size_t count)
{
	size_t odd = count % 2;

	for (size_t i = 0; i < count / 2; i++)
		values[i] = (values[odd + 2 * i] + values[odd + 2 * i + 1]) / 2;
	return count / 2;
}

enum err interval_mean(const double *values, size_t count, struct interval *out,
		       struct interval_batches *batches, struct err_text *why)
{
	double *means = mem_zalloc(count + 1, sizeof(*means));
	struct interval_batches b = { .count = copy_known(values, count, means), .size = 1 };
	double value = mean(means, b.count);
	enum err err = OK;

	while ((b.lag1 = lag1(means, b.count)) >= INTERVAL_LAG1_MAX &&
	       b.count / 2 >= INTERVAL_BATCHES_MIN) {
		b.count = merge_pairs(means, b.count);
		b.size *= 2;
	}
	if (b.count < INTERVAL_BATCHES_MIN) {
		err = err_set(why, ERR_NOT_FOUND,
			      "%zu seconds are too few for an interval: at least %u are needed",
			      b.count, INTERVAL_BATCHES_MIN);
	} else if (b.lag1 >= INTERVAL_LAG1_WIDEST) {
		err = err_set(
			why, ERR_NOT_FOUND,
			"%zu seconds are too few for an interval: even %zu at a time they "
			"depend on their neighbours (lag-1 autocorrelation %.2f); test longer",
			count, b.size, b.lag1);
	} else {
		b.standard_error = standard_error(means, b.count);
		if (b.lag1 >= INTERVAL_LAG1_MAX)
			b.standard_error *= sqrt((1 + b.lag1) / (1 - b.lag1));
		*out = around(value, b.standard_error, b.count);
		if (batches)
			*batches = b;
	}
	mem_free(means);
	return err;
}

enum err interval_repeats(const double *values, size_t count, struct interval *out,
			  struct err_text *why)
{
	if (count < INTERVAL_REPEATS_MIN)
		return err_set(why, ERR_NOT_FOUND,
			       "%zu repeats are too few for an interval: %u are needed", count,
			       INTERVAL_REPEATS_MIN);
	*out = around(mean(values, count), standard_error(values, count), count);
	return OK;
}

uint64_t interval_percentile_samples(double share)
{
	return (uint64_t)ceil(log(TAIL) / log(fmax(share, 1 - share)));
}

/* The value of the rank-th smallest; half a rank less is safe from rounding. */
static double at_rank(const struct hist *h, double rank)
{
	double n = (double)h->count;

	return (double)hist_percentile_us(h, (fmin(fmax(rank, 1), n) - 0.5) / n);
}

enum err interval_percentile(const struct hist *h, double share, double inflation,
			     struct interval *out_us, struct err_text *why)
{
	uint64_t needed, samples, low, high;
	double stretch;

	ensure(share > 0 && share < 1 && inflation >= 1);
	needed = interval_percentile_samples(share);
	samples = (uint64_t)((double)h->count / inflation);
	if (samples < needed)
		return err_set(why, ERR_NOT_FOUND,
			       "%llu requests are too few for p%g: %.0f are needed",
			       (unsigned long long)h->count, share * 100,
			       ceil((double)needed * inflation));
	stretch = (double)h->count / (double)samples;
	low = chance_binomial_quantile(TAIL, samples, share);
	high = chance_binomial_quantile(1 - TAIL, samples, share) + 1;
	out_us->value = (double)hist_percentile_us(h, share);
	out_us->low = at_rank(h, floor((double)low * stretch));
	out_us->high = at_rank(h, ceil((double)high * stretch));
	return OK;
}

double interval_inflation(const struct interval_batches *batches, const struct hist *h)
{
	double n = (double)h->count, middle = hist_set_mean_us(h, 1), sum = 0;
	uint64_t us, count;

	for (size_t at = 0; hist_next(h, &at, &us, &count);)
		sum += (double)count * ((double)us - middle) * ((double)us - middle);
	/* All alike: they cannot tell less than they do. */
	if (!(sum > 0))
		return 1;
	return fmax(batches->standard_error * batches->standard_error * n / (sum / n), 1);
}

struct interval interval_ratio(uint64_t hits, uint64_t count)
{
	double n = (double)count, p = (double)hits / n, z = chance_normal_quantile(1 - TAIL);
	double shrink = 1 + z * z / n, middle = (p + z * z / (2 * n)) / shrink;
	double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / shrink;

	ensure(count > 0 && hits <= count);
	return (struct interval){ p, fmax(middle - half, 0), fmin(middle + half, 1) };
}
