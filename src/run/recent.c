/* SPDX-License-Identifier: MIT
 *
 * recent - see the header. */
#include "run/recent.h"

#include <math.h>

#include "base/clock.h"
#include "run/run.h"

#define WANTED_AGE_US (10 * CLOCK_S)
/* Half a second of grace, since samples are not taken on the microsecond. */
#define AGE_MIN_US (2 * CLOCK_S - CLOCK_S / 2)
#define AGE_MAX_US (18 * CLOCK_S + CLOCK_S / 2)

void recent_init(struct recent *r)
{
	*r = (struct recent){ .used = 0 };
	for (size_t i = 0; i < RECENT_COPIES; i++) {
		rounded_init(&r->copies[i].times);
		hist_init(&r->copies[i].exact);
	}
}

void recent_fini(struct recent *r)
{
	for (size_t i = 0; i < RECENT_COPIES; i++) {
		rounded_fini(&r->copies[i].times);
		hist_fini(&r->copies[i].exact);
	}
}

/* Outcomes together. */
static void merge_exact(struct hist *into, const struct stats_entry *e)
{
	for (size_t i = 0; i < STATS_OUTCOMES; i++)
		hist_merge(into, &e->times[i]);
}

void recent_tick(struct recent *r, const struct run *run)
{
	if (r->epoch != run->epoch)
		r->used = r->next = 0;
	else if (run->now_us < r->due_us)
		return;
	r->epoch = run->epoch;
	r->due_us = run->now_us + CLOCK_S;
	r->copies[r->next].at_us = run->now_us;
	rounded_clear(&r->copies[r->next].times);
	stats_rounded(&run->stats.total, &r->copies[r->next].times);
	hist_clear(&r->copies[r->next].exact);
	merge_exact(&r->copies[r->next].exact, &run->stats.total);
	r->next = (r->next + 1) % RECENT_COPIES;
	if (r->used < RECENT_COPIES)
		r->used++;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The copy that is nearest to 10 s old, as an index; RECENT_COPIES: none is old enough. */
static size_t find_copy(const struct recent *r, const struct run *run)
{
	uint64_t best_us = UINT64_MAX;
	size_t best = RECENT_COPIES;

	for (size_t i = 0; i < r->used && r->epoch == run->epoch; i++) {
		uint64_t age_us = run->now_us - r->copies[i].at_us;

		if (age_us >= AGE_MIN_US && age_us <= AGE_MAX_US &&
		    distance(age_us, WANTED_AGE_US) < best_us) {
			best_us = distance(age_us, WANTED_AGE_US);
			best = i;
		}
	}
	return best;
}

bool recent_times(const struct recent *r, const struct run *run, struct rounded *out)
{
	size_t copy = find_copy(r, run);

	if (copy == RECENT_COPIES)
		return false;
	rounded_clear(out);
	stats_rounded(&run->stats.total, out);
	rounded_subtract(out, &r->copies[copy].times);
	return true;
}

void recent_percentiles(const struct recent *r, const struct run *run, double *median_ms,
			double *p95_ms)
{
	struct rounded times;

	*median_ms = *p95_ms = run->stats.total.num_requests ? NAN : 0;
	rounded_init(&times);
	if (run->stats.total.num_requests && recent_times(r, run, &times)) {
		*median_ms = rounded_percentile_ms(&times, 0.5);
		*p95_ms = rounded_percentile_ms(&times, 0.95);
	}
	rounded_fini(&times);
}

void recent_percentiles_exact(const struct recent *r, const struct run *run, double *median_ms,
			      double *p95_ms)
{
	size_t copy = find_copy(r, run);
	struct hist times;

	recent_percentiles(r, run, median_ms, p95_ms);
	if (run->stats.total.rounded.count || copy == RECENT_COPIES)
		return;
	hist_init(&times);
	merge_exact(&times, &run->stats.total);
	hist_subtract(&times, &r->copies[copy].exact);
	if (times.count) {
		*median_ms = (double)hist_percentile_us(&times, 0.5) / CLOCK_MS;
		*p95_ms = (double)hist_percentile_us(&times, 0.95) / CLOCK_MS;
	}
	hist_fini(&times);
}
