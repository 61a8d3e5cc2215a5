/* SPDX-License-Identifier: MIT
 *
 * report - a test as one HTML file: what Locust's report shows, for a browser without a network and
 * for paper. It needs no web server. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "run/run.h"

struct report_options {
	const char *theme; /* "light", "dark"; NULL and others: what the reader's system prefers */
	bool has_download_link; /* to itself, for the page that is served */
};

/* LIMIT_REPORT_BYTES is the size to give to out; out->is_full: there were more names than fit. */
void report_write(const struct run *run, const struct report_options *options, struct buf *out);
