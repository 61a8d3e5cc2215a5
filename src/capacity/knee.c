/* SPDX-License-Identifier: MIT
 *
 * knee - see the header.
 *
 * Load and goodput are both stretched to 0..1; the knee is where goodput is furthest above the
 * diagonal, if it then comes nearer to it by more than the mean distance of two levels (S = 1)
 * before it rises again. */
#include "capacity/knee.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/mem.h"

#define SENSITIVITY 1.0
#define NONE	    SIZE_MAX

/* The levels but one. */
struct levels {
	const double *load, *rps;
	size_t count; /* without the one left out */
	size_t out;   /* its index, or NONE */
};

static size_t original(const struct levels *l, size_t i)
{
	return i < l->out ? i : i + 1;
}

static double load_of(const struct levels *l, size_t i)
{
	return l->load[original(l, i)];
}

static double rps_of(const struct levels *l, size_t i)
{
	return l->rps[original(l, i)];
}

/* False: a flat line, which has no knee. */
static bool find_distances(const struct levels *l, double *out)
{
	double left = load_of(l, 0), width = load_of(l, l->count - 1) - left;
	double low = INFINITY, high = -INFINITY;

	for (size_t i = 0; i < l->count; i++) {
		low = fmin(low, rps_of(l, i));
		high = fmax(high, rps_of(l, i));
	}
	for (size_t i = 0; i < l->count; i++)
		out[i] = (rps_of(l, i) - low) / (high - low) - (load_of(l, i) - left) / width;
	return high > low;
}

static bool is_peak(const double *distance, size_t i)
{
	return distance[i] > distance[i - 1] && distance[i] >= distance[i + 1];
}

/* Does the curve come back to the diagonal far enough, before the next peak? */
static bool is_knee(const double *distance, size_t count, size_t i)
{
	double threshold = distance[i] - SENSITIVITY / (double)(count - 1);

	for (size_t k = i + 1; k < count; k++) {
		if (distance[k] < threshold)
			return true;
		if (k + 1 < count && is_peak(distance, k))
			return false;
	}
	return false;
}

/* The index in all levels; NONE. */
static size_t find_one(const struct levels *l, double *distance)
{
	size_t best = NONE;

	if (!find_distances(l, distance))
		return NONE;
	for (size_t i = 1; i + 1 < l->count; i++)
		if (is_peak(distance, i) && is_knee(distance, l->count, i) &&
		    (best == NONE || distance[i] > distance[best]))
			best = i;
	return best == NONE ? NONE : original(l, best);
}

static enum err check(const double *load, const double *rps, size_t count, struct err_text *why)
{
	if (count > LIMIT_LEVELS)
		return err_set(why, ERR_TOO_BIG, "%zu load levels are more than %d", count,
			       LIMIT_LEVELS);
	for (size_t i = 0; i < count; i++)
		if (!isfinite(load[i]) || !isfinite(rps[i]) || (i && load[i] <= load[i - 1]))
			return err_set(why, ERR_BAD_INPUT,
				       "level %zu: load %g with throughput %g; loads must ascend",
				       i + 1, load[i], rps[i]);
	if (count < KNEE_LEVELS_MIN)
		return err_set(why, ERR_NOT_FOUND,
			       "%zu load levels are too few for a knee: at least %u are needed",
			       count, KNEE_LEVELS_MIN);
	return OK;
}

/* The knee has to stay when any level is left out, or go to a neighbour at most. */
static enum err check_steadiness(const double *load, const double *rps, size_t count,
				 double *distance, struct knee *k, struct err_text *why)
{
	for (size_t i = 0; i < count; i++) {
		struct levels rest = { load, rps, count - 1, i };
		size_t at = find_one(&rest, distance);

		if (at == NONE)
			return err_set(
				why, ERR_NOT_FOUND,
				"the knee at %g hangs on one level: without %g there is none; "
				"measure more levels near it",
				k->load, load[i]);
		if (at > k->index + 1 || at + 1 < k->index)
			return err_set(why, ERR_NOT_FOUND,
				       "the knee at %g hangs on one level: without %g it is at %g; "
				       "measure more levels near it",
				       k->load, load[i], load[at]);
		k->load_low = fmin(k->load_low, load[at]);
		k->load_high = fmax(k->load_high, load[at]);
	}
	return OK;
}

enum err knee_find(const double *load, const double *rps, size_t count, struct knee *out,
		   struct err_text *why)
{
	struct levels all = { load, rps, count, NONE };
	struct knee k;
	double *distance;
	enum err err = check(load, rps, count, why);

	if (err)
		return err;
	distance = mem_zalloc(count, sizeof(*distance));
	k.index = find_one(&all, distance);
	if (k.index == NONE) {
		err = err_set(
			why, ERR_NOT_FOUND,
			"no knee: throughput does not bend within the loads that were measured");
	} else {
		k.load = k.load_low = k.load_high = load[k.index];
		k.rps = rps[k.index];
		err = check_steadiness(load, rps, count, distance, &k, why);
	}
	mem_free(distance);
	if (!err)
		*out = k;
	return err;
}
