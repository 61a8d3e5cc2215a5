/* SPDX-License-Identifier: MIT
 *
 * hist - log-linear histogram of microseconds, 3 significant digits, 1 us to 1 h.
 *
 * Below 2048 us every microsecond has its own bucket; above, each power of two is
 * cut into 1024 buckets, so a bucket is never wider than 1/1024 of its value
 * (Gil Tene's HdrHistogram uses the same layout). Values above HIST_MAX_US count as
 * HIST_MAX_US. Memory is bounded: one slab of 8 kB per power of two that was hit,
 * at most HIST_SLABS of them, kept over hist_clear(). Histograms merge exactly. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIST_SLAB_BUCKETS 1024u
#define HIST_MAX_US	  3600000000ull
#define HIST_SLABS	  23u

struct hist {
	uint64_t count;
	uint64_t *slabs[HIST_SLABS]; /* HIST_SLAB_BUCKETS counters each, or NULL */
};

void hist_init(struct hist *h);
void hist_fini(struct hist *h);
void hist_clear(struct hist *h);
void hist_merge(struct hist *into, const struct hist *from);
/* Takes out an earlier copy of the same counts. */
void hist_subtract(struct hist *from, const struct hist *earlier);
/* The value below or at which `share` (0..1) of the counts lie: the middle of the
 * bucket of the ceil(share * count)-th smallest value; 0 when empty. */
uint64_t hist_percentile_us(const struct hist *h, double share);

/* Visits the non-empty buckets in ascending order:
 * for (size_t at = 0; hist_next(h, &at, &us, &count);) ... us is the bucket's middle. */
bool hist_next(const struct hist *h, size_t *at, uint64_t *us, uint64_t *count);

/* How many slabs it has: what it takes in memory. */
size_t hist_slabs(const struct hist *h);
/* Slab i, made when new. */
uint64_t *hist_slab(struct hist *h, size_t i);

/* Of us: itself below 2048; else, with e the number of bits above 11, 1024 * e + (us >> e). Slab 0
 * and 1 hold the exact microseconds, slab k + 1 the values of 2^(k+10) to 2^(k+11) - 1. */
static inline size_t hist_bucket(uint64_t us)
{
	unsigned extra;

	if (us > HIST_MAX_US)
		us = HIST_MAX_US;
	if (us < 2 * HIST_SLAB_BUCKETS)
		return (size_t)us;
	extra = 53u - (unsigned)__builtin_clzll(us);
	return (size_t)(HIST_SLAB_BUCKETS * extra + (us >> extra));
}

/* Inline, for each request is counted in three of them. */
static inline void hist_add(struct hist *h, uint64_t us, uint64_t times)
{
	size_t bucket = hist_bucket(us), i = bucket / HIST_SLAB_BUCKETS;
	uint64_t *slab = h->slabs[i] ? h->slabs[i] : hist_slab(h, i);

	slab[bucket % HIST_SLAB_BUCKETS] += times;
	h->count += times;
}

/* The same of an array of histograms as if they were merged, without merging them. */
uint64_t hist_set_count(const struct hist *set, size_t size);
uint64_t hist_set_percentile_us(const struct hist *set, size_t size, double share);
/* Mean of the buckets' middles; 0 when empty. */
double hist_set_mean_us(const struct hist *set, size_t size);
bool hist_set_next(const struct hist *set, size_t size, size_t *at, uint64_t *us, uint64_t *count);
