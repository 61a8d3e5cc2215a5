/* SPDX-License-Identifier: MIT
 *
 * health - could the load generator keep up, or was it the limit of what it measured?
 *
 * Lag is how late users ran: a timer against the time it was set for, an answer against the
 * moment its thread was told of it. It is taken from times that are known anyway (the clock is
 * read once per turn of the loop), so of what happens inside one turn only answers see the part
 * before them. A load thread is judged over spans of about a second: it was late when the p99 of
 * the span's lag is above HEALTH_LAG_US, busy when it used more than HEALTH_CPU_PERCENT of one
 * CPU.
 *
 * The rule: the generator was the limit when a load thread was busy, or late, for
 * HEALTH_LASTING_US in a row, or when the p99 of all lag is above HEALTH_LAG_US (and there are
 * HEALTH_LAG_COUNT of them, so that a p99 means something). A change of the number of users
 * begins a row anew: what a ramp costs is not held against what follows it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stat/hist.h"

#define HEALTH_LAG_US	   5000u
#define HEALTH_LAG_COUNT   100u
#define HEALTH_CPU_PERCENT 90.0
#define HEALTH_LASTING_US  3000000u
/* What is shorter says little about CPU; it is judged together with what follows. */
#define HEALTH_SPAN_US 500000u

/* Part of every struct stats, so it is collected, merged and reset as that is. */
struct health {
	struct hist lag;
	uint64_t lag_max_us;
	uint64_t spans;		   /* judged; 0: nothing is known (Locust's workers say nothing) */
	double cpu_percent_max;	   /* of one load thread in one span */
	uint64_t late_us, busy_us; /* longest in a row, of one load thread */
	/* Connections to the target; opened - closed, summed from the start on, are open. */
	uint64_t opened, closed, failed;
	uint64_t dropped; /* arrivals of an open loop that never began (user/open.h) */
	/* Waits of users between tasks that were begun, and how long they are together, with what
	 * tasks slept. 0 of users whose waits are not ours to see (Python's). */
	uint64_t waits, waited_us;
};

/* What a load thread remembers from span to span. */
struct health_watch {
	uint64_t at_us, cpu_us; /* where the span began */
	uint64_t late_us, busy_us;
};

void health_init(struct health *h);
void health_fini(struct health *h);
void health_clear(struct health *h);
void health_merge(struct health *into, const struct health *from);
/* A user ran that much later than it should have. */
void health_add_lag(struct health *h, uint64_t us);

/* cpu_us: CPU time of the thread. */
void health_watch_begin(struct health_watch *w, uint64_t now_us, uint64_t cpu_us);
/* The number of users changes. */
void health_watch_change(struct health_watch *w);
/* Judges the span that ends now; h is what was counted in it. */
void health_judge(struct health *h, struct health_watch *w, uint64_t now_us, uint64_t cpu_us);

bool health_is_known(const struct health *h);
uint64_t health_lag_p99_us(const struct health *h);
/* Why the generator was the limit, in words; NULL: it was not, or nothing is known. */
const char *health_reason(const struct health *h);
/* A thread was busy, or late, for long enough: the first two parts of the rule. */
bool health_is_busy(const struct health *h);
bool health_is_late(const struct health *h);
