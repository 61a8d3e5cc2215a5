/* SPDX-License-Identifier: MIT
 *
 * recent - response times of about the last 10 seconds: Locust's "current percentiles".
 *
 * Keeps a copy of the total's times each second (a tenth of the time, where a locustfile wants
 * another one than 10 s), in Locust's rounding and in full resolution; the last 10 seconds are what
 * has come on top of the copy that is nearest to 10 s old (reference section 4.5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stat/hist.h"
#include "stat/rounded.h"
#include "stat/shown.h"

#define RECENT_COPIES 20

struct run;

struct recent {
	struct {
		uint64_t at_us;
		struct rounded times;
		struct hist exact; /* without what came rounded */
	} copies[RECENT_COPIES];   /* a ring */
	size_t next, used;
	uint64_t epoch;	 /* of the run, when the copies were made */
	uint64_t due_us; /* of the next copy */
};

void recent_init(struct recent *r);
void recent_fini(struct recent *r);
/* Call as often as you like: it takes a copy once a second, and forgets those of numbers that were
 * reset meanwhile. */
void recent_tick(struct recent *r, const struct run *run);
/* False when there is no copy 2 to 18 s old. out must be init'ed and is replaced. */
bool recent_times(const struct recent *r, const struct run *run, struct rounded *out);
/* Percentiles of them, ms[] for each share: zeros before the first request, NAN when unknown. */
void recent_percentiles(const struct recent *r, const struct run *run, const struct shares *shares,
			double *ms);
/* The same in full resolution, where none of them came rounded. */
void recent_percentiles_exact(const struct recent *r, const struct run *run,
			      const struct shares *shares, double *ms);
