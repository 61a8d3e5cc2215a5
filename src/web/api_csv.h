/* SPDX-License-Identifier: MIT
 *
 * api_csv - Locust's CSV downloads (reference section 5.6): cells quoted only where needed,
 * lines ending in CR LF, numbers as Python writes them. */
#pragma once

#include "base/buf.h"
#include "run/run.h"

#define API_CSV_NAME_BYTES 512

void api_csv_requests(const struct run *run, struct buf *out);
void api_csv_failures(const struct run *run, struct buf *out);
void api_csv_exceptions(const struct run *run, struct buf *out);
/* The file's name for a download: Locust_<start>_<scenario>[_<host>]_<kind>.csv. */
void api_csv_name(const struct run *run, const char *kind, char out[API_CSV_NAME_BYTES]);
