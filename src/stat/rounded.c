/* SPDX-License-Identifier: MIT
 *
 * rounded - see the header. The array is small (a few hundred keys), so insertion by
 * memmove is cheaper than anything with pointers. */
#include "stat/rounded.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

void rounded_init(struct rounded *r)
{
	*r = (struct rounded){ 0 };
}

void rounded_fini(struct rounded *r)
{
	mem_free(r->buckets);
	rounded_init(r);
}

void rounded_clear(struct rounded *r)
{
	r->used = 0;
	r->count = 0;
}

/* First bucket whose key is >= ms. */
static size_t lower_bound(const struct rounded *r, double ms)
{
	size_t low = 0, high = r->used;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->buckets[mid].ms < ms)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void rounded_add(struct rounded *r, double ms, uint64_t times)
{
	size_t at = lower_bound(r, ms);

	r->count += times;
	if (at < r->used && r->buckets[at].ms == ms) {
		r->buckets[at].count += times;
		return;
	}
	if (r->used == LIMIT_STAT_BUCKETS) {
		r->buckets[at < r->used ? at : r->used - 1].count += times;
		return;
	}
	if (r->used == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		r->buckets = mem_realloc(r->buckets, r->cap * sizeof(*r->buckets));
	}
	memmove(r->buckets + at + 1, r->buckets + at, (r->used - at) * sizeof(*r->buckets));
	r->buckets[at] = (struct rounded_bucket){ ms, times };
	r->used++;
}

void rounded_merge(struct rounded *into, const struct rounded *from)
{
	for (size_t i = 0; i < from->used; i++)
		rounded_add(into, from->buckets[i].ms, from->buckets[i].count);
}

void rounded_subtract(struct rounded *from, const struct rounded *earlier)
{
	size_t kept = 0;

	for (size_t i = 0; i < earlier->used; i++) {
		size_t at = lower_bound(from, earlier->buckets[i].ms);
		uint64_t less = earlier->buckets[i].count;

		if (at == from->used || from->buckets[at].ms != earlier->buckets[i].ms)
			continue;
		if (less > from->buckets[at].count)
			less = from->buckets[at].count;
		from->buckets[at].count -= less;
		from->count -= less;
	}
	for (size_t i = 0; i < from->used; i++)
		if (from->buckets[i].count)
			from->buckets[kept++] = from->buckets[i];
	from->used = kept;
}

void rounded_add_hist(struct rounded *r, const struct hist *h)
{
	uint64_t us, count;

	for (size_t at = 0; hist_next(h, &at, &us, &count);)
		rounded_add(r, rounded_key_ms((double)us / 1000), count);
}

double rounded_key_ms(double ms)
{
	/* nearbyint() in the default rounding mode is Python's round(): half to even. */
	if (ms < 100)
		return nearbyint(ms);
	if (ms < 1000)
		return nearbyint(ms / 10) * 10;
	if (ms < 10000)
		return nearbyint(ms / 100) * 100;
	return nearbyint(ms / 1000) * 1000;
}

double rounded_percentile_ms(const struct rounded *r, double share)
{
	uint64_t below = r->count, limit = (uint64_t)((double)r->count * share);

	for (size_t i = r->used; i-- > 0;) {
		below -= r->buckets[i].count;
		if (below <= limit)
			return r->buckets[i].ms;
	}
	return 0;
}
