/* SPDX-License-Identifier: MIT
 *
 * metrics - GET /metrics: a run in Prometheus' text format.
 *
 * Two sets: the names of locust_exporter, which dashboards for Locust read, from the same numbers
 * as /stats/requests; and cicada_*, with base units and histograms. Both are of the present test,
 * so they fall to zero with the next one, as counters of a program do that is started anew. */
#pragma once

#include "base/buf.h"
#include "run/run.h"

/* At most LIMIT_API_ROWS names, errors and workers have series of their own.
 * LIMIT_WEB_METRICS_BYTES is the size to give to out. */
void metrics_write(const struct run *run, struct buf *out);
