/* SPDX-License-Identifier: MIT
 *
 * answer - the three sentences that a report begins with.
 *
 * First what was asked, then what one replica and several together carry, then how far the
 * measurements can be believed. Plain text, a sentence per line. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "capacity/sizing.h"

struct answer {
	const char *objectives; /* "p95<200ms, fail_ratio<0.1%"; NULL: none were asked for */
	const struct sizing_level *levels; /* capacities, ascending */
	size_t level_count;
	double target_rps; /* NAN: none was asked for */
	double head_room;  /* of the target, else of a load to plan for within the objectives */
	const struct sizing *sizing; /* for the target; NULL: no answer */
	const char *why_no_sizing;   /* then */
	double cost_per_million;     /* NAN: not asked for */
	size_t rows, rows_suspect, rows_invalid;
	const char *worst; /* trust_say() of the row that is least to be believed; NULL: all are
			      valid */
};

void answer_say(const struct answer *a, struct buf *out);
