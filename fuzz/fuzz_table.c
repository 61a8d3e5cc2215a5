/* SPDX-License-Identifier: MIT
 *
 * fuzz_table - files of rows, as CSV and as JSON lines. What is taken has only cells that are texts
 * inside the file's bytes; what is refused names the file. */
#include "fuzz.h"

#include "base/limits.h"
#include "user/table.h"

typedef enum err (*parse_fn)(struct table *t, struct buf *bytes, const char *label,
			     struct err_text *text);

static void check_cells(const struct table *t)
{
	FUZZ_CHECK(t->column_count > 0 && t->row_count > 0);
	for (size_t i = 0; i < t->row_count; i++)
		for (size_t k = 0; k < t->column_count; k++) {
			const char *cell = table_row(t, i)->cells[k],
				   *end = t->bytes.p + t->bytes.len;

			FUZZ_CHECK(!cell || (cell >= t->bytes.p && cell <= end &&
					     memchr(cell, '\0', (size_t)(end - cell) + 1)));
		}
	for (size_t k = 0; k < t->column_count; k++)
		FUZZ_CHECK(t->columns[k][0] && table_column(t, t->columns[k]) == k);
}

static void try(parse_fn parse, const uint8_t *input, size_t len)
{
	struct err_text why = { 0 };
	struct table t;
	struct buf bytes;

	buf_init(&bytes, LIMIT_FEED_FILE_BYTES);
	buf_add(&bytes, input, len);
	if (parse(&t, &bytes, "file", &why)) {
		FUZZ_CHECK(strncmp(why.text, "file", 4) == 0);
	} else {
		check_cells(&t);
		table_fini(&t);
	}
	buf_fini(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	try(table_parse_csv, input, len);
	try(table_parse_lines, input, len);
	return 0;
}
