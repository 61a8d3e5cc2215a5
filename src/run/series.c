/* SPDX-License-Identifier: MIT
 *
 * series - see the header. */
#include "run/series.h"

#include <math.h>

#include "base/limits.h"
#include "base/mem.h"
#include "stat/stats.h"

/* Locust's workers report every 3 s, and a report may come in late. */
#define LATE_MAX_S 5

void series_init(struct series *s)
{
	*s = (struct series){ .interval_s = 1 };
}

void series_fini(struct series *s)
{
	mem_free(s->items);
	series_init(s);
}

void series_clear(struct series *s, double now_wall_s)
{
	s->count = 0;
	s->interval_s = 1;
	s->first_unix_s = (int64_t)floor(now_wall_s);
}

static void join_neighbours(struct series *s)
{
	for (size_t i = 0; i < s->count / 2; i++) {
		const struct series_item *a = &s->items[2 * i], *b = a + 1;

		s->items[i] = (struct series_item){ .requests = a->requests + b->requests,
						    .failures = a->failures + b->failures,
						    .timed = a->timed + b->timed,
						    .time_ms = a->time_ms + b->time_ms,
						    .users = a->users };
	}
	s->count /= 2;
	s->interval_s *= 2;
}

static struct series_item *item_at(struct series *s, int64_t unix_s, uint64_t users)
{
	size_t i;

	while (unix_s - s->first_unix_s >= (int64_t)LIMIT_SERIES * s->interval_s) {
		/* Without a gap at the end, so that all have a neighbour. */
		item_at(s, s->first_unix_s + (int64_t)LIMIT_SERIES * s->interval_s - 1, users);
		join_neighbours(s);
	}
	i = (size_t)(unix_s - s->first_unix_s) / s->interval_s;
	if (i >= s->cap) {
		s->cap = i < 32 ? 64 : 2 * i;
		s->items = mem_realloc(s->items, s->cap * sizeof(*s->items));
	}
	while (s->count <= i)
		s->items[s->count++] = (struct series_item){ .users = (double)users };
	return &s->items[i];
}

static int64_t last_second(const struct stats_entry *delta)
{
	int64_t last_s = 0;

	for (size_t i = 0; i < STATS_SECONDS; i++)
		if (delta->seconds[i].requests && delta->seconds[i].unix_s > last_s)
			last_s = delta->seconds[i].unix_s;
	return last_s;
}

/* How far the clock of the report is behind ours. */
static int64_t clock_off_s(const struct stats_entry *delta, double now_wall_s)
{
	int64_t off_s = (int64_t)floor(now_wall_s) - last_second(delta);

	return off_s >= 0 && off_s <= LATE_MAX_S ? 0 : off_s;
}

int64_t series_first_second(const struct stats_entry *delta, double now_wall_s)
{
	int64_t first_s = last_second(delta);

	for (size_t i = 0; i < STATS_SECONDS; i++)
		if (delta->seconds[i].requests && delta->seconds[i].unix_s < first_s)
			first_s = delta->seconds[i].unix_s;
	return first_s + clock_off_s(delta, now_wall_s);
}

void series_add(struct series *s, const struct stats_entry *delta, double now_wall_s,
		uint64_t users)
{
	int64_t now_s = (int64_t)floor(now_wall_s), off_s = clock_off_s(delta, now_wall_s);
	double timed = (double)(delta->num_requests - delta->num_none_requests);

	if (!delta->num_requests || now_s < s->first_unix_s)
		return;
	for (size_t i = 0; i < STATS_SECONDS; i++) {
		const struct stats_second *second = &delta->seconds[i];
		double share = (double)second->requests / (double)delta->num_requests;
		struct series_item *item;

		if (!second->requests || second->unix_s + off_s < s->first_unix_s)
			continue;
		item = item_at(s, second->unix_s + off_s, users);
		item->requests += (double)second->requests;
		item->failures += (double)second->failures;
		item->timed += timed * share;
		item->time_ms += delta->total_response_time_ms * share;
	}
}

void series_end(struct series *s, double now_wall_s, uint64_t users)
{
	int64_t now_s = (int64_t)floor(now_wall_s);

	if (now_s >= s->first_unix_s)
		(void)item_at(s, now_s, users);
}
