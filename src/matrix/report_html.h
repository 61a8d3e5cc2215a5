/* SPDX-License-Identifier: MIT
 *
 * report_html - report.html: report.json and the page that shows it, in one file.
 *
 * It asks for nothing: its policy lets only the style and the script that are in it through, known
 * by their hashes, so what a report says cannot become a script. */
#pragma once

#include "base/buf.h"

/* json: of report.json. */
void report_html_format(struct str json, struct buf *out);
