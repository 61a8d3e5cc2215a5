/* SPDX-License-Identifier: MIT
 *
 * api_csv - Locust's CSV downloads (reference section 5.6): cells quoted only where needed,
 * lines ending in CR LF, numbers as Python writes them. */
#pragma once

#include "base/buf.h"
#include "run/run.h"

void api_csv_requests(const struct run *run, struct buf *out);
void api_csv_failures(const struct run *run, struct buf *out);
void api_csv_exceptions(const struct run *run, struct buf *out);
