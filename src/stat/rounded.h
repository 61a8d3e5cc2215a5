/* SPDX-License-Identifier: MIT
 *
 * rounded - response times in Locust's rounded buckets: milliseconds -> count.
 *
 * This is what Locust's messages and pages carry (two significant digits, nothing
 * below 1 ms). Foreign workers may send any numeric key, so it is a sorted array
 * and not a fixed table; at most LIMIT_STAT_BUCKETS keys, later new ones go to the
 * nearest key there is. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "stat/hist.h"

struct rounded_bucket {
	double ms;
	uint64_t count;
};

struct rounded {
	struct rounded_bucket *buckets; /* ascending */
	size_t used, cap;
	uint64_t count; /* sum over the buckets */
};

void rounded_init(struct rounded *r);
void rounded_fini(struct rounded *r);
void rounded_clear(struct rounded *r);
void rounded_add(struct rounded *r, double ms, uint64_t times);
void rounded_merge(struct rounded *into, const struct rounded *from);
/* Subtracts an earlier copy of the same counts. */
void rounded_subtract(struct rounded *from, const struct rounded *earlier);
/* Adds every bucket of h under the key rounded_key_ms() gives it. */
void rounded_add_hist(struct rounded *r, const struct hist *h);
/* Locust's rounding, half to even: below 100 ms to 1, below 1000 to 10, below 10000 to
 * 100, else to 1000. The limits are tested on the unrounded value. */
double rounded_key_ms(double ms);
/* Locust's percentile: of n counts the key at which, walking down from the largest,
 * no more than trunc(n * share) are left below; 0 when empty. */
double rounded_percentile_ms(const struct rounded *r, double share);
