/* SPDX-License-Identifier: MIT
 *
 * parts - see the header. */
#include "run/parts.h"

#include <math.h>

#include "stat/stats.h"

void parts_init(struct parts *p)
{
	*p = (struct parts){ .interval_s = 1 };
	for (size_t i = 0; i < LIMIT_PARTS; i++)
		hist_init(&p->items[i]);
}

void parts_fini(struct parts *p)
{
	for (size_t i = 0; i < LIMIT_PARTS; i++)
		hist_fini(&p->items[i]);
	parts_init(p);
}

void parts_clear(struct parts *p, double now_wall_s)
{
	for (size_t i = 0; i < p->count; i++)
		hist_clear(&p->items[i]);
	p->count = 0;
	p->interval_s = 1;
	p->first_unix_s = (int64_t)floor(now_wall_s);
}

static void swap(struct hist *a, struct hist *b)
{
	struct hist kept = *a;

	*a = *b;
	*b = kept;
}

/* The memory of all of them stays. */
static void join_neighbours(struct parts *p)
{
	for (size_t i = 0; i < LIMIT_PARTS / 2; i++) {
		hist_merge(&p->items[2 * i], &p->items[2 * i + 1]);
		hist_clear(&p->items[2 * i + 1]);
		if (i)
			swap(&p->items[i], &p->items[2 * i]);
	}
	p->count = (p->count + 1) / 2;
	p->interval_s *= 2;
}

void parts_add(struct parts *p, const struct stats_entry *delta, int64_t unix_s)
{
	int64_t off_s = unix_s > p->first_unix_s ? unix_s - p->first_unix_s : 0;
	size_t at;

	while (off_s >= (int64_t)LIMIT_PARTS * p->interval_s)
		join_neighbours(p);
	at = (size_t)off_s / p->interval_s;
	if (at >= p->count)
		p->count = at + 1;
	for (size_t i = 0; i < STATS_OUTCOMES; i++)
		if (delta->times[i].count)
			hist_merge(&p->items[at], &delta->times[i]);
}
