/* SPDX-License-Identifier: MIT
 *
 * shown - which percentiles tables, files and pages have, and how often those are written:
 * Locust's, unless a locustfile has others (locust.stats).
 *
 * Set before there are load threads, changed at most once by event init, read by the control
 * thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct shares {
	double value[LIMIT_SHARES]; /* 0 to 1 */
	size_t count;
};

struct shown {
	struct shares report;	  /* of the console */
	struct shares csv;	  /* of CSV files: as report was at first */
	struct shares statistics; /* of a page's rows */
	struct shares chart;	  /* of the last seconds, in charts */
	uint64_t console_us, csv_us, history_us, recent_us;
	unsigned type_width, name_width; /* of the console, at most */
};

const struct shown *shown(void);
/* What Locust has. */
struct shown shown_usual(void);
void shown_begin(const struct shown *given);
/* From then on, in any thread. */
void shown_change(const struct shown *given);

#define SHARE_TEXT 32
/* "99.9" */
void share_percent(double share, char out[SHARE_TEXT]);
/* "response_time_percentile_0.999", as Locust's API has it. */
#define SHARE_KEY (SHARE_TEXT + 32)
void share_key(double share, char out[SHARE_KEY]);
