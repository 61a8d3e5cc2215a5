/* SPDX-License-Identifier: MIT
 *
 * metrics_text - writes Prometheus text exposition format 0.0.4 into a buf.
 *
 *	metrics_text_family(b, "requests_total", METRICS_COUNTER, "Requests answered.");
 *	metrics_text_sample(b, "requests_total", labels, 2, count);
 *
 * Samples of one family must follow its head. Not-finite values are written as the format
 * wants them (NaN, +Inf, -Inf). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "stat/hist.h"

#define METRICS_TEXT_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics_label {
	const char *name, *value;
};

/* The HELP and TYPE lines. */
void metrics_text_family(struct buf *b, const char *name, enum metrics_kind kind, const char *help);
void metrics_text_sample(struct buf *b, const char *name, const struct metrics_label *labels,
			 size_t label_count, double value);
/* All lines of one histogram in seconds: cumulative buckets up to each bound (ascending), +Inf,
 * _sum and _count. A bound counts the times at or below it, as exact as the hist is. */
void metrics_text_hist(struct buf *b, const char *name, const struct metrics_label *labels,
		       size_t label_count, const struct hist *h, const double *bounds_s,
		       size_t bound_count);
