/* SPDX-License-Identifier: MIT
 *
 * versus - two matrices side by side: is B faster than A, in which scenario, and by how much?
 *
 * Rows of one scenario are its repeats, which are compared by capacity/compare.h. Where a side has
 * too few of them, throughput and mean time are compared by windows within its runs instead: parts
 * of the steady time, as long as they have to be not to depend on one another. What differs from
 * run to run is not in these. Rows that are not ok or that are invalid are left out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "capacity/compare.h"
#include "matrix/result_row.h"

/* What is compared of a scenario. */
enum versus_metric {
	VERSUS_RPS,
	VERSUS_MEDIAN,
	VERSUS_P95,
	VERSUS_P99,
	VERSUS_MEAN,
	VERSUS_METRICS
};

struct versus_side {
	struct result_row *rows;
	struct evidence *evidence; /* of each: its series, as far as the report has it */
	size_t count;
};

void versus_side_fini(struct versus_side *s);

/* Of a scenario that both have. */
struct versus_item {
	const struct result_row *row; /* one of A's */
	/* COMPARE_UNKNOWN where a side has no values. */
	struct versus_figure {
		struct compare compare;
		size_t repeats_a, repeats_b; /* of windows: those of all runs together */
		bool is_of_windows;
	} figures[VERSUS_METRICS];
};

struct versus {
	struct versus_item *items; /* mem_free() them */
	size_t count;
	size_t only_a, only_b;		    /* scenarios that the other one has not */
	size_t verdicts[COMPARE_WORSE + 1]; /* how many metrics of all items have it */
};

/* The bytes of a report.json, which may be anything. */
enum err versus_parse(struct str bytes, struct versus_side *out, struct err_text *why) MUST_CHECK;
/* Reads the report.json of a folder of results, or that file itself. The text names it. */
enum err versus_read(const char *path, struct versus_side *out, struct err_text *text) MUST_CHECK;
/* alpha and effect_min as in struct compare_config. The sides are lent to what comes out. */
void versus_compare(const struct versus_side *a, const struct versus_side *b, double alpha,
		    double effect_min, struct versus *out);
/* A table for a terminal, and a line on what could not be compared. */
void versus_say(const struct versus *v, struct buf *out);
/* As JUnit has it: a case for each metric of each scenario. Worse is a failure, unknown is
 * skipped. */
void versus_add_junit(const struct versus *v, struct buf *out);
