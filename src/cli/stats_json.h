/* SPDX-License-Identifier: MIT
 *
 * stats_json - --json: every row with all its counters, in Locust's layout (reference sections 4.2
 * and 6.5). Counts per second reach back STATS_SECONDS. */
#pragma once

#include "base/buf.h"
#include "stat/stats.h"

void stats_json_write(const struct stats *s, struct buf *out);
