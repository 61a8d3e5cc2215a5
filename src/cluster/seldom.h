/* SPDX-License-Identifier: MIT
 *
 * seldom - what was done for whom not long ago: so that a peer that repeats itself is answered, or
 * complained of, only now and then. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/str.h"

struct seldom {
	struct map at; /* peer -> when, microseconds */
	uint64_t every_us, cleared_us;
};

void seldom_init(struct seldom *r, uint64_t every_us);
void seldom_fini(struct seldom *r);

/* True at most once in every_us for a peer, and then noted. False for all others while
 * LIMIT_WORKERS are noted, which lasts no longer than that. */
bool seldom_take(struct seldom *r, struct str peer, uint64_t now_us);
