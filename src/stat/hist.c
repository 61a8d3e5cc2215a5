/* SPDX-License-Identifier: MIT
 *
 * hist - see the header. Bucket number of v: v itself below 2048; else, with e the
 * number of bits of v above 11, 1024 * e + (v >> e). Slab 0 and 1 hold the exact
 * microseconds, slab k+1 the values of 2^(k+10) to 2^(k+11)-1. */
#include "stat/hist.h"

#include "base/mem.h"

static size_t bucket_of(uint64_t us)
{
	unsigned extra;

	if (us > HIST_MAX_US)
		us = HIST_MAX_US;
	if (us < 2 * HIST_SLAB_BUCKETS)
		return (size_t)us;
	extra = 53u - (unsigned)__builtin_clzll(us); /* bits beyond 11 */
	return (size_t)(HIST_SLAB_BUCKETS * extra + (us >> extra));
}

static uint64_t middle_of(size_t bucket)
{
	unsigned extra;

	if (bucket < 2 * HIST_SLAB_BUCKETS)
		return bucket;
	extra = (unsigned)(bucket / HIST_SLAB_BUCKETS) - 1;
	return ((uint64_t)(bucket - HIST_SLAB_BUCKETS * extra) << extra) + (1ull << extra) / 2;
}

void hist_init(struct hist *h)
{
	*h = (struct hist){ 0 };
}

void hist_fini(struct hist *h)
{
	for (size_t i = 0; i < HIST_SLABS; i++)
		mem_free(h->slabs[i]);
	hist_init(h);
}

void hist_clear(struct hist *h)
{
	h->count = 0;
	for (size_t i = 0; i < HIST_SLABS; i++)
		for (size_t k = 0; h->slabs[i] && k < HIST_SLAB_BUCKETS; k++)
			h->slabs[i][k] = 0;
}

static uint64_t *slab(struct hist *h, size_t i)
{
	if (!h->slabs[i])
		h->slabs[i] = mem_zalloc(HIST_SLAB_BUCKETS, sizeof(uint64_t));
	return h->slabs[i];
}

void hist_add(struct hist *h, uint64_t us, uint64_t times)
{
	size_t bucket = bucket_of(us);

	slab(h, bucket / HIST_SLAB_BUCKETS)[bucket % HIST_SLAB_BUCKETS] += times;
	h->count += times;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	into->count += from->count;
	for (size_t i = 0; i < HIST_SLABS; i++) {
		uint64_t *to;

		if (!from->slabs[i])
			continue;
		to = slab(into, i);
		for (size_t k = 0; k < HIST_SLAB_BUCKETS; k++)
			to[k] += from->slabs[i][k];
	}
}

bool hist_next(const struct hist *h, size_t *at, uint64_t *us, uint64_t *count)
{
	for (; *at < HIST_SLABS * HIST_SLAB_BUCKETS; ++*at) {
		const uint64_t *s = h->slabs[*at / HIST_SLAB_BUCKETS];

		if (!s) {
			*at += HIST_SLAB_BUCKETS - 1 - *at % HIST_SLAB_BUCKETS;
			continue;
		}
		if (!s[*at % HIST_SLAB_BUCKETS])
			continue;
		*us = middle_of(*at);
		*count = s[*at % HIST_SLAB_BUCKETS];
		++*at;
		return true;
	}
	return false;
}

uint64_t hist_percentile_us(const struct hist *h, double share)
{
	uint64_t us = 0, count, seen = 0, rank = (uint64_t)(share * (double)h->count);

	if ((double)rank < share * (double)h->count || rank == 0)
		rank++;
	for (size_t at = 0; hist_next(h, &at, &us, &count);) {
		seen += count;
		if (seen >= rank)
			break;
	}
	return us;
}
