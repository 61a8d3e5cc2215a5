/* SPDX-License-Identifier: MIT
 *
 * table - a file of test data as rows of texts.
 *
 * CSV as RFC 4180 has it: the first line names the columns; quotes, doubled quotes and line ends
 * inside of them; LF or CRLF; a byte order mark and empty lines are passed over. JSON lines: one
 * object per line, its keys are the columns; texts are decoded, other values are kept as they
 * stand, null is no text. Bytes above 0x7f pass through CSV as they are.
 *
 * Read whole and checked before the test, read-only and shared by all threads from then on.
 * Limits: LIMIT_FEED_FILE_BYTES, LIMIT_FEED_ROW_BYTES, LIMIT_FEED_COLUMNS. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct table;

/* One row: a text for each column, NULL where a JSON object has none. */
struct cic_row {
	const struct table *table;
	const char *cells[];
};

/* Its rows point to it: it must not move. */
struct table {
	struct buf bytes; /* of the file; cells point into it */
	char **columns;
	size_t column_count;
	struct buf rows; /* of struct cic_row with column_count cells each */
	size_t row_count;
};

/* By the end of its name: .csv, or .jsonl or .ndjson. The text is "FILE:LINE:COLUMN: what and
 * remedy". On failure there is nothing to free. */
enum err table_read(struct table *t, const char *path, struct err_text *text) MUST_CHECK;
/* The same from bytes, which are taken over; label: how errors call them. */
enum err table_parse_csv(struct table *t, struct buf *bytes, const char *label,
			 struct err_text *text) MUST_CHECK;
enum err table_parse_lines(struct table *t, struct buf *bytes, const char *label,
			   struct err_text *text) MUST_CHECK;
void table_fini(struct table *t);

const struct cic_row *table_row(const struct table *t, size_t index);
/* Index of a column; column_count when there is none. */
size_t table_column(const struct table *t, const char *name);
