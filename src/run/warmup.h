/* SPDX-License-Identifier: MIT
 *
 * warmup - --warmup: the first seconds after the ramp do not count.
 *
 * When they are over the same number of users is asked for again. That is the one moment at which
 * every worker reports all it has and says so: as at the end of a ramp the statistics are reset
 * and the window is opened with nothing of before in them. Once in a test; not for shapes. */
#pragma once

#include <stdint.h>

#include "run/run.h"

enum warmup_step {
	WARMUP_WAITING, /* for the ramp, then for the time */
	WARMUP_ENDING,	/* the users were asked for again */
	WARMUP_DONE
};

struct warmup {
	struct run *run; /* NULL: there is none */
	uint64_t us;
	enum warmup_step step;
	uint64_t started_us; /* of the run it is at */
	bool had_reset;	     /* the run's own option */
};

/* run is lent. seconds 0: none. */
void warmup_init(struct warmup *w, struct run *run, uint64_t seconds);
/* Call several times a second from the loop, after run_tick(), and not from within a mode. */
void warmup_tick(struct warmup *w);
/* The present or last test has results without its warm-up. */
bool warmup_is_over(const struct warmup *w);
