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
	for (size_t i = 0; i < RECENT_COPIES; i++)
		rounded_init(&r->copies[i].times);
}

void recent_fini(struct recent *r)
{
	for (size_t i = 0; i < RECENT_COPIES; i++)
		rounded_fini(&r->copies[i].times);
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
	r->next = (r->next + 1) % RECENT_COPIES;
	if (r->used < RECENT_COPIES)
		r->used++;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

bool recent_times(const struct recent *r, const struct run *run, struct rounded *out)
{
	uint64_t best_us = UINT64_MAX;
	size_t best = 0;

	if (r->epoch != run->epoch)
		return false;
	for (size_t i = 0; i < r->used; i++) {
		uint64_t age_us = run->now_us - r->copies[i].at_us;

		if (age_us >= AGE_MIN_US && age_us <= AGE_MAX_US &&
		    distance(age_us, WANTED_AGE_US) < best_us) {
			best_us = distance(age_us, WANTED_AGE_US);
			best = i;
		}
	}
	if (best_us == UINT64_MAX)
		return false;
	rounded_clear(out);
	stats_rounded(&run->stats.total, out);
	rounded_subtract(out, &r->copies[best].times);
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
