/* SPDX-License-Identifier: MIT
 *
 * hdr_log - a distribution as a file that tools of HdrHistogram read: interval log, version 1.3,
 * with a histogram in their compressed V2 encoding (zlib, base64) on its one line.
 *
 * Values are microseconds, from 1 us to 1 h with three digits: the layout of stat/hist.h is theirs,
 * so nothing is rounded on the way. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "stat/hist.h"

struct hdr_log_interval {
	double wall_start_s, duration_s;
};

void hdr_log_add(const struct hist *h, const struct hdr_log_interval *interval, struct buf *out);
/* The other way round, from anything: adds what the first interval has to *out, which is init'ed.
 * ERR_BAD_INPUT, ERR_UNSUPPORTED for what other programs may write (a resolution of their own). */
enum err hdr_log_read(struct str text, struct hist *out, struct err_text *why) MUST_CHECK;
