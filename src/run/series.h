/* SPDX-License-Identifier: MIT
 *
 * series - the measured window second by second: what a steady state is looked for in.
 *
 * A request counts in the second of wall time in which it ended, by the clock of who measured it; a
 * report whose clock is some seconds off is moved to where it came in. The mean of a second is that
 * of the reports that speak of it, each by its share: exact to about a report's length, which is a
 * second from our workers and three from Locust's.
 *
 * LIMIT_SERIES items: when they are full neighbours are joined, and from then on an item stands for
 * twice as long, so that a window of any length is covered from its start. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct stats_entry;

struct series_item {
	double requests, failures;
	double timed, time_ms; /* requests with a response time, and the sum of these */
	double users;	       /* when the item was begun */
};

struct series {
	struct series_item *items;
	size_t count, cap;
	int64_t first_unix_s;
	unsigned interval_s;
};

void series_init(struct series *s);
void series_fini(struct series *s);
/* A window begins. */
void series_clear(struct series *s, double now_wall_s);
/* A report: what was counted since the last one of the same origin. Seconds before the first are
 * passed over. */
void series_add(struct series *s, const struct stats_entry *delta, double now_wall_s,
		uint64_t users);
/* The first second of which a report speaks, by the clock of here. */
int64_t series_first_second(const struct stats_entry *delta, double now_wall_s);
/* The window lasted until then: seconds of which no report speaks had no requests. */
void series_end(struct series *s, double now_wall_s, uint64_t users);
