/* SPDX-License-Identifier: MIT
 *
 * parts - the service times of the measured window, a histogram for each part of its time: what the
 * percentiles of its steady end are made of.
 *
 * Parts follow one another and are of equal length; one second at first. When there are LIMIT_PARTS
 * of them neighbours are merged, and from then on a part is twice as long: a window of any length
 * has at least half as many. A report counts in the part of the first second of which it speaks, so
 * that nothing is in a part that ended before it began. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "stat/hist.h"

struct stats_entry;

struct parts {
	struct hist items[LIMIT_PARTS];
	size_t count;
	int64_t first_unix_s;
	unsigned interval_s;
};

void parts_init(struct parts *p);
void parts_fini(struct parts *p);
/* A window begins. */
void parts_clear(struct parts *p, double now_wall_s);
/* A report: what was counted since the last one of the same origin, whose first second, by the
 * clock of here, was unix_s. What was before the window's begin counts in the first part. */
void parts_add(struct parts *p, const struct stats_entry *delta, int64_t unix_s);
