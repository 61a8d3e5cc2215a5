/* SPDX-License-Identifier: MIT
 *
 * steady - see the header. Batches and windows end with the series: what is left over is at its
 * beginning, where it matters least. */
#include "capacity/steady.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"

/* Batches of a window that tell of its noise. */
#define BATCHES_MIN 4

struct series {
	const char *name, *unit;
	const double *values;
	size_t count;
	size_t batch;	   /* values in one */
	double interval_s; /* of a value */
};

/* Of those that are known; NAN when none is. */
static double mean(const double *values, size_t count)
{
	double sum = 0;
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		sum += values[i];
		known++;
	}
	return known ? sum / (double)known : NAN;
}

/* How many of the batches to cut, at least `first` and at most half. From the end on, mean and sum
 * of squares grow by one batch at a time (Welford). */
static size_t mser(const double *batches, size_t count, size_t first)
{
	double middle = 0, squares = 0, best = INFINITY;
	size_t cut = first;

	for (size_t i = count; i-- > first;) {
		double kept = (double)(count - i), step = batches[i] - middle;

		middle += step / kept;
		squares += step * (batches[i] - middle);
		if (i <= count / 2 && squares / (kept * kept) <= best) {
			best = squares / (kept * kept);
			cut = i;
		}
	}
	return cut;
}

static enum err find_cut(const struct series *s, size_t *out_begin, struct err_text *why)
{
	size_t count = s->count / s->batch, left_over = s->count % s->batch;
	size_t first = 0, cut;
	double *batches = mem_zalloc(count, sizeof(*batches));

	for (size_t i = 0; i < count; i++) {
		batches[i] = mean(s->values + left_over + i * s->batch, s->batch);
		if (isnan(batches[i]))
			first = i + 1;
	}
	if (first > count / 2) {
		mem_free(batches);
		return err_set(why, ERR_NOT_FOUND,
			       "nothing was answered in the seconds %.0f to %.0f",
			       (double)(left_over + (first - 1) * s->batch) * s->interval_s + 1,
			       (double)(left_over + first * s->batch) * s->interval_s);
	}
	cut = mser(batches, count, first);
	mem_free(batches);
	*out_begin = cut ? left_over + cut * s->batch : 0;
	return OK;
}

/* The chance that windows of an unchanging series differ as much, by the variance of batches within
 * them: the F-test with 2 degrees of freedom above. 0 when there are too few batches to tell. */
static double chance_of(const double *from, size_t length, size_t batch,
			const double means[STEADY_WINDOWS])
{
	size_t batches;
	double middle = mean(means, STEADY_WINDOWS), between = 0, within = 0;
	double freedom;

	if (length < BATCHES_MIN)
		return 0;
	/* Of a short test shorter ones: rather noise that is somewhat too small than none. */
	if (length / batch < BATCHES_MIN)
		batch = length / BATCHES_MIN;
	batches = length / batch;
	freedom = (double)(STEADY_WINDOWS * batches) - STEADY_WINDOWS;
	for (size_t i = 0; i < STEADY_WINDOWS; i++) {
		between += (double)batches * (means[i] - middle) * (means[i] - middle);
		for (size_t k = 0; k < batches; k++) {
			double off = mean(from + i * length + k * batch, batch) - means[i];

			within += isnan(off) ? 0 : off * off;
		}
	}
	return pow(1 + between / within, -freedom / 2);
}

static enum err check_windows(const struct series *s, size_t begin, struct err_text *why)
{
	size_t length = (s->count - begin) / STEADY_WINDOWS;
	const double *from = s->values + s->count - STEADY_WINDOWS * length;
	double means[STEADY_WINDOWS], low = INFINITY, high = 0;

	for (size_t i = 0; i < STEADY_WINDOWS; i++) {
		means[i] = mean(from + i * length, length);
		low = fmin(low, means[i]);
		high = fmax(high, means[i]);
	}
	if (high <= low * STEADY_RATIO || chance_of(from, length, s->batch, means) > STEADY_CHANCE)
		return OK;
	return err_set(why, ERR_NOT_FOUND,
		       "%s moved by more than %.0f %%: %.6g, %.6g and %.6g %s in the last three "
		       "times %.0f s; test longer, or find what changes",
		       s->name, (STEADY_RATIO - 1) * 100, means[0], means[1], means[2], s->unit,
		       (double)length * s->interval_s);
}

enum err steady_find(const double *rps, const double *response_ms, size_t count, double interval_s,
		     size_t *out_begin, struct err_text *why)
{
	const size_t batch =
		interval_s < STEADY_BATCH_S ? (size_t)(STEADY_BATCH_S / interval_s) : 1;
	const struct series all[] = {
		{ "throughput", "requests/s", rps, count, batch, interval_s },
		{ "response time", "ms", response_ms, count, batch, interval_s },
	};
	size_t begin = 0;
	enum err err = OK;

	/* A window that begins within an interval has one whole interval less. */
	if (count < STEADY_SECONDS_MIN)
		return err_set(why, ERR_NOT_FOUND,
			       "%.0f s are too short to tell; test for %.0f s or more",
			       (double)count * interval_s, (STEADY_SECONDS_MIN + 1) * interval_s);
	for (size_t i = 0; !err && i < 2; i++) {
		size_t cut = 0;

		err = find_cut(&all[i], &cut, why);
		if (cut > begin)
			begin = cut;
	}
	for (size_t i = 0; !err && i < 2; i++)
		err = check_windows(&all[i], begin, why);
	if (!err)
		*out_begin = begin;
	return err;
}
