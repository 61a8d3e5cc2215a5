/* SPDX-License-Identifier: MIT
 *
 * objectives - --slo: what a row has to keep, and by how much it does.
 *
 *	p95<200ms,fail_ratio<0.1%
 *
 * In the words of base/bound.h, joined by commas; each says what is wanted. Times and rps are of
 * the window, failures of the whole test, as in the report. */
#pragma once

#include "base/bound.h"
#include "base/err.h"
#include "capacity/interval.h"

#define OBJECTIVES_MAX	 8
#define OBJECTIVES_BYTES 512

struct result_row;

/* May not be moved: the bounds point at the text. */
struct objectives {
	char text[OBJECTIVES_BYTES];	    /* with a NUL for each comma */
	struct bound items[OBJECTIVES_MAX]; /* that the row must not break */
	size_t count;			    /* 0: none were asked for */
};

/* ERR_BAD_OPTION: what is wrong, or that rows have no such figure. */
enum err objectives_parse(const char *text, struct objectives *out,
			  struct err_text *why) MUST_CHECK;
/* As they were given, with a blank behind each comma. */
void objectives_say(const struct objectives *o, struct buf *out);
/* The worst of measured / wanted over all of them, so at most 1 when they are kept, with the
 * interval of that figure where the row has one. ERR_NOT_FOUND: a figure was not measured, or the
 * row is not to be believed. */
enum err objectives_excess(const struct objectives *o, const struct result_row *row,
			   struct interval *out, struct err_text *why) MUST_CHECK;
/* Has the row enough requests for the percentiles of the objectives to be told? ERR_NOT_FOUND says
 * how many they take. */
enum err objectives_check_samples(const struct objectives *o, const struct result_row *row,
				  struct err_text *why) MUST_CHECK;
