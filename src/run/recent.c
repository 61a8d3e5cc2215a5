/* SPDX-License-Identifier: MIT
 *
 * recent - see the header. */
#include "run/recent.h"

#include <math.h>

#include "base/clock.h"
#include "run/run.h"

/* A copy each tenth of the time that is looked at. */
static uint64_t every_us(void)
{
	return shown()->recent_us / 10;
}

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
	r->due_us = run->now_us + every_us();
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

/* The copy whose age is nearest to that time, as an index; RECENT_COPIES: none is old enough. */
static size_t find_copy(const struct recent *r, const struct run *run)
{
	/* Half an interval of grace, since copies are not taken on the microsecond. */
	const uint64_t age_min_us = 2 * every_us() - every_us() / 2;
	const uint64_t age_max_us = 18 * every_us() + every_us() / 2;
	uint64_t best_us = UINT64_MAX;
	size_t best = RECENT_COPIES;

	for (size_t i = 0; i < r->used && r->epoch == run->epoch; i++) {
		uint64_t age_us = run->now_us - r->copies[i].at_us;

		if (age_us >= age_min_us && age_us <= age_max_us &&
		    distance(age_us, shown()->recent_us) < best_us) {
			best_us = distance(age_us, shown()->recent_us);
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

void recent_percentiles(const struct recent *r, const struct run *run, const struct shares *shares,
			double *ms)
{
	bool is_known = run->stats.total.num_requests;
	struct rounded times;

	for (size_t i = 0; i < shares->count; i++)
		ms[i] = is_known ? NAN : 0;
	rounded_init(&times);
	if (is_known && recent_times(r, run, &times))
		for (size_t i = 0; i < shares->count; i++)
			ms[i] = rounded_percentile_ms(&times, shares->value[i]);
	rounded_fini(&times);
}

void recent_percentiles_exact(const struct recent *r, const struct run *run,
			      const struct shares *shares, double *ms)
{
	size_t copy = find_copy(r, run);
	struct hist times;

	recent_percentiles(r, run, shares, ms);
	if (run->stats.total.rounded.count || copy == RECENT_COPIES)
		return;
	hist_init(&times);
	merge_exact(&times, &run->stats.total);
	hist_subtract(&times, &r->copies[copy].exact);
	for (size_t i = 0; i < shares->count && times.count; i++)
		ms[i] = (double)hist_percentile_us(&times, shares->value[i]) / CLOCK_MS;
	hist_fini(&times);
}
