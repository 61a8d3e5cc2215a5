/* SPDX-License-Identifier: MIT
 *
 * recent - response times of about the last 10 seconds: Locust's "current percentiles".
 *
 * Keeps a copy of the total's rounded times each second; the last 10 seconds are what has
 * come on top of the copy that is nearest to 10 s old (reference section 4.5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/run.h"
#include "stat/rounded.h"

#define RECENT_COPIES 20

struct recent {
	struct {
		uint64_t at_us;
		struct rounded times;
	} copies[RECENT_COPIES]; /* a ring */
	size_t next, used;
	uint64_t epoch; /* of the run, when the copies were made */
};

void recent_init(struct recent *r);
void recent_fini(struct recent *r);
/* Call once a second. Forgets the copies of numbers that were reset meanwhile. */
void recent_sample(struct recent *r, const struct run *run);
/* False when there is no copy 2 to 18 s old. out must be init'ed and is replaced. */
bool recent_times(const struct recent *r, const struct run *run, struct rounded *out);
