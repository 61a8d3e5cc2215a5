/* SPDX-License-Identifier: MIT
 *
 * shown - see the header. */
#include "stat/shown.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define USUAL \
	{ \
		.report = { { 0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1 }, \
			    11 }, \
		.csv = { { 0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1 }, \
			 11 }, \
		.statistics = { { 0.95, 0.99 }, 2 }, .chart = { { 0.5, 0.95 }, 2 }, \
		.console_us = 2 * CLOCK_S, .csv_us = CLOCK_S, .history_us = 5 * CLOCK_S, \
		.recent_us = 10 * CLOCK_S, .type_width = 8, .name_width = 80, \
	}

/* Whoever reads one while the other takes its place has what was before. */
static struct shown both[2] = { USUAL };
static _Atomic(struct shown *) present = &both[0];

const struct shown *shown(void)
{
	return present;
}

struct shown shown_usual(void)
{
	return (struct shown)USUAL;
}

void shown_begin(const struct shown *given)
{
	*present = *given;
	present->csv = given->report;
}

void shown_change(const struct shown *given)
{
	struct shown *next = present == &both[0] ? &both[1] : &both[0];

	*next = *given;
	next->csv = present->csv;
	present = next;
}

void share_percent(double share, char out[SHARE_TEXT])
{
	snprintf(out, SHARE_TEXT, "%.8g", share * 100);
}

void share_key(double share, char out[SHARE_KEY])
{
	char text[SHARE_TEXT];

	snprintf(text, sizeof(text), "%.10g", share);
	/* As Python writes it. */
	snprintf(out, SHARE_KEY, "response_time_percentile_%s%s", text,
		 strchr(text, '.') ? "" : ".0");
}
