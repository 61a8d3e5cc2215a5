/* SPDX-License-Identifier: MIT
 *
 * history - how a test went, for charts: an item every 5 s, as Locust keeps (reference section
 * 4.7), and one when the stop is asked for.
 *
 * LIMIT_HISTORY items: when they are full every second one is dropped and from then on the interval
 * is twice as long, so that a test of any length is covered from its start. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct run;

struct history_item {
	double wall_s; /* unix */
	double current_rps, current_fail_per_sec;
	double recent_ms[LIMIT_SHARES]; /* shown()->chart of the last seconds; NAN: unknown */
	double avg_ms;			/* of the test so far */
	uint64_t user_count;
};

struct history {
	struct history_item items[LIMIT_HISTORY];
	size_t count;
	uint64_t interval_us, due_us; /* 0: of the beginning */
};

/* A new test, or its numbers were reset. */
void history_clear(struct history *h);
/* Call as often as you like while a test runs. */
void history_tick(struct history *h, const struct run *run);
/* An item of now, whether it is due or not. */
void history_add(struct history *h, const struct run *run);
