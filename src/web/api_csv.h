/* SPDX-License-Identifier: MIT
 *
 * api_csv - Locust's CSV downloads (reference section 5.6): cells quoted only where needed,
 * lines ending in CR LF, numbers as Python writes them. */
#pragma once

#include "base/buf.h"
#include "run/run.h"

void api_csv_requests(const struct run *run, struct buf *out);
/* PREFIX_stats_history.csv: its first line, and a row. times: what the percentiles are of. */
void api_csv_history_head(struct buf *out);
void api_csv_history_row(const struct run *run, const struct stats_entry *e,
			 const struct rounded *times, struct buf *out);
void api_csv_failures(const struct run *run, struct buf *out);
/* With the columns and quotes of 2.12. */
void api_csv_failures_2_12(const struct run *run, struct buf *out);
void api_csv_exceptions(const struct run *run, struct buf *out);
