/* SPDX-License-Identifier: MIT
 *
 * hist - see the header. */
#include "stat/hist.h"

#include "base/mem.h"

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

uint64_t *hist_slab(struct hist *h, size_t i)
{
	if (!h->slabs[i])
		h->slabs[i] = mem_zalloc(HIST_SLAB_BUCKETS, sizeof(uint64_t));
	return h->slabs[i];
}

void hist_merge(struct hist *into, const struct hist *from)
{
	into->count += from->count;
	for (size_t i = 0; i < HIST_SLABS; i++) {
		uint64_t *to;

		if (!from->slabs[i])
			continue;
		to = hist_slab(into, i);
		for (size_t k = 0; k < HIST_SLAB_BUCKETS; k++)
			to[k] += from->slabs[i][k];
	}
}

void hist_subtract(struct hist *from, const struct hist *earlier)
{
	from->count -= earlier->count;
	for (size_t i = 0; i < HIST_SLABS; i++)
		for (size_t k = 0; earlier->slabs[i] && k < HIST_SLAB_BUCKETS; k++)
			from->slabs[i][k] -= earlier->slabs[i][k];
}

uint64_t hist_percentile_us(const struct hist *h, double share)
{
	return hist_set_percentile_us(h, 1, share);
}

bool hist_next(const struct hist *h, size_t *at, uint64_t *us, uint64_t *count)
{
	return hist_set_next(h, 1, at, us, count);
}

size_t hist_slabs(const struct hist *h)
{
	size_t slabs = 0;

	for (size_t i = 0; i < HIST_SLABS; i++)
		slabs += h->slabs[i] != NULL;
	return slabs;
}

uint64_t hist_set_count(const struct hist *set, size_t size)
{
	uint64_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += set[i].count;
	return count;
}

static bool has_slab(const struct hist *set, size_t size, size_t slab)
{
	for (size_t i = 0; i < size; i++)
		if (set[i].slabs[slab])
			return true;
	return false;
}

bool hist_set_next(const struct hist *set, size_t size, size_t *at, uint64_t *us, uint64_t *count)
{
	while (*at < HIST_SLABS * HIST_SLAB_BUCKETS) {
		size_t bucket = *at, in_slab = bucket % HIST_SLAB_BUCKETS;

		if (!in_slab && !has_slab(set, size, bucket / HIST_SLAB_BUCKETS)) {
			*at += HIST_SLAB_BUCKETS;
			continue;
		}
		++*at;
		*count = 0;
		for (size_t i = 0; i < size; i++) {
			const uint64_t *slab = set[i].slabs[bucket / HIST_SLAB_BUCKETS];

			*count += slab ? slab[in_slab] : 0;
		}
		if (!*count)
			continue;
		*us = middle_of(bucket);
		return true;
	}
	return false;
}

uint64_t hist_set_percentile_us(const struct hist *set, size_t size, double share)
{
	uint64_t all = hist_set_count(set, size), us = 0, count, seen = 0;
	uint64_t rank = (uint64_t)(share * (double)all);

	if ((double)rank < share * (double)all || rank == 0)
		rank++;
	for (size_t at = 0; hist_set_next(set, size, &at, &us, &count);) {
		seen += count;
		if (seen >= rank)
			break;
	}
	return us;
}

double hist_set_mean_us(const struct hist *set, size_t size)
{
	uint64_t all = hist_set_count(set, size), us, count;
	double sum = 0;

	for (size_t at = 0; hist_set_next(set, size, &at, &us, &count);)
		sum += (double)us * (double)count;
	return all ? sum / (double)all : 0;
}
