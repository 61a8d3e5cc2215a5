/* SPDX-License-Identifier: MIT
 *
 * report_html - report.html: report.json and the page that shows it, in one file.
 *
 * It asks for nothing: its policy lets only the style and the script that are in it through, known
 * by their hashes, so what a report says cannot become a script. The report comes in parts of any
 * length, between begin and end. */
#pragma once

#include "base/buf.h"

struct report_html {
	struct buf page;
	const char *rest; /* of it, behind the report */
};

void report_html_begin(struct report_html *h, struct buf *out);
/* json: a part of report.json. */
void report_html_add(struct str json, struct buf *out);
void report_html_end(struct report_html *h, struct buf *out);
