/* SPDX-License-Identifier: MIT
 *
 * verdict - --fail-if of the matrix: bounds that every measured row has to keep.
 *
 * A row has figures of all requests only, and some percentiles. Times and rps are of the window,
 * failures of the whole test, as in the report. Rows that are not RESULT_OK are not judged: their
 * status has told already. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bound.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "matrix/result_row.h"

/* What a row has a figure for. ERR_BAD_INPUT, without the option's name. The text is lent. */
enum err verdict_parse(const char *text, struct bound *out, struct err_text *why) MUST_CHECK;
/* That figure, NAN when it was not measured, and its interval: NAN where there is none, and of what
 * is no percentile. */
double verdict_value(const struct bound *b, const struct result_row *row);
struct result_range verdict_range(const struct bound *b, const struct result_row *row);

struct verdict_bounds {
	struct bound items[LIMIT_GATES];
	size_t count;
};

/* One more. ERR_BAD_OPTION: what is wrong, or that rows have no such figure. The text is lent. */
enum err verdict_add(struct verdict_bounds *bounds, const char *text,
		     struct err_text *why) MUST_CHECK;
/* Does the row keep them all? What was not measured keeps nothing. */
bool verdict_is_kept(const struct verdict_bounds *bounds, const struct result_row *row);
/* "p99>200ms: 312.4 ms", separated by commas, of those that it breaks. */
void verdict_say_broken(const struct verdict_bounds *bounds, const struct result_row *row,
			struct buf *out);
