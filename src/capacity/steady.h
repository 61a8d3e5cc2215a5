/* SPDX-License-Identifier: MIT
 *
 * steady - from which second on does a test say the same again and again?
 *
 * Two steps, on series with one value per second (or more, of windows of hours):
 *
 * 1. MSER-5 (White, 1997): means of 5 seconds each; the beginning is cut where what is left has the
 *    smallest standard error. At most half may be cut. The later cut of the two series counts.
 * 2. What is left, cut into three windows, must stay within 10 % (largest mean / smallest, the rule
 *    of Triton's perf_analyzer), for throughput and for response time. A larger difference does not
 *    count when the noise within the windows explains it (F-test, with a chance above 10 %): queues
 *    near saturation are that restless for ever, and intervals tell of it.
 *
 * Many programs never become steady (Barrett et al., arXiv 1602.00602), so "no steady state" is an
 * answer, with the reason in words. */
#pragma once

#include <stddef.h>

#include "base/err.h"

#define STEADY_BATCH_S	   5u
#define STEADY_WINDOWS	   3u
#define STEADY_CHANCE	   0.10
#define STEADY_RATIO	   1.10
#define STEADY_SECONDS_MIN 15u

/* rps[i] are the requests per second answered in interval i, of interval_s seconds; response_ms[i]
 * their mean or a percentile, NAN where nothing was answered. Intervals of more than a second are
 * those of hours: a batch has at least one. *out_begin: the first steady one; they last to the end.
 * ERR_NOT_FOUND: there is no steady state; the reason names the series and the figures. */
enum err steady_find(const double *rps, const double *response_ms, size_t count, double interval_s,
		     size_t *out_begin, struct err_text *why) MUST_CHECK;
