/* SPDX-License-Identifier: MIT
 *
 * chart - lines over the time of a test, as an SVG image for a page.
 *
 * No script: it looks the same everywhere, on paper too. Colours are those that the page's style
 * gives to the classes "line a", "line b" and "line c". */
#pragma once

#include "base/buf.h"
#include "run/history.h"

#define CHART_LINES 3

struct chart_line {
	const char *name;				  /* NULL: no further line */
	double (*value)(const struct history_item *item); /* NAN: none, the line has a gap */
};

struct chart {
	const char *title;
	struct chart_line lines[CHART_LINES];
};

void chart_write(const struct chart *chart, const struct history *history, struct buf *out);
