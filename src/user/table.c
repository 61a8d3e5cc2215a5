/* SPDX-License-Identifier: MIT
 *
 * table - see the header. Cells are decoded in place, for what a cell stands for is never longer
 * than what is written, and the byte behind it (a quote, a comma, a line end) becomes its NUL. */
#include "user/table.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "user/table_int.h"

static size_t row_bytes(const struct table *t)
{
	return sizeof(struct cic_row) + t->column_count * sizeof(const char *);
}

char *table_begin(struct table *t, struct buf *bytes)
{
	static const char mark[] = "\xef\xbb\xbf";

	*t = (struct table){ .bytes = *bytes };
	buf_init(bytes, bytes->max);
	buf_init(&t->rows, LIMIT_FEED_ROW_BYTES);
	/* There must be a byte to write the last NUL to. */
	buf_add(&t->bytes, "", 0);
	return t->bytes.p +
	       (t->bytes.len >= 3 && memcmp(t->bytes.p, mark, sizeof(mark) - 1) == 0 ? 3 : 0);
}

size_t table_column(const struct table *t, const char *name)
{
	size_t i = 0;

	while (i < t->column_count && strcmp(t->columns[i], name) != 0)
		i++;
	return i;
}

enum err table_add_column(struct table *t, struct str name, const char *place,
			  struct err_text *text)
{
	enum err err = OK;
	char *copy;

	if (t->column_count == LIMIT_FEED_COLUMNS)
		return err_set(text, ERR_TOO_BIG, "%s: more than %d columns", place,
			       LIMIT_FEED_COLUMNS);
	if (!name.len)
		return err_set(text, ERR_BAD_INPUT,
			       "%s: column %zu has no name; the first line names the columns",
			       place, t->column_count + 1);
	copy = mem_strndup(name.p, name.len);
	if (table_column(t, copy) < t->column_count) {
		err = err_set(text, ERR_EXISTS, "%s: two columns are called %.100s", place, copy);
		mem_free(copy);
		return err;
	}
	if (!t->columns)
		t->columns = mem_zalloc(LIMIT_FEED_COLUMNS, sizeof(*t->columns));
	t->columns[t->column_count++] = copy;
	return err;
}

enum err table_add_row(struct table *t, const char *label, struct cic_row **out,
		       struct err_text *text)
{
	size_t bytes = row_bytes(t);

	*out = (struct cic_row *)buf_room(&t->rows, bytes);
	if (!*out)
		return err_set(text, ERR_TOO_BIG,
			       "%s: %zu rows of %zu columns are all that fit; split the file",
			       label, t->row_count, t->column_count);
	memset(*out, 0, bytes);
	(*out)->table = t;
	t->rows.len += bytes;
	t->row_count++;
	return OK;
}

const struct cic_row *table_row(const struct table *t, size_t index)
{
	return (const struct cic_row *)(t->rows.p + index * row_bytes(t));
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->column_count; i++)
		mem_free(t->columns[i]);
	mem_free(t->columns);
	buf_fini(&t->rows);
	buf_fini(&t->bytes);
	*t = (struct table){ 0 };
}

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len > end_len && strcasecmp(path + len - end_len, end) == 0;
}

enum err table_read(struct table *t, const char *path, struct err_text *text)
{
	bool is_csv = ends_with(path, ".csv");
	struct buf bytes;
	enum err err;

	*t = (struct table){ 0 };
	if (!is_csv && !ends_with(path, ".jsonl") && !ends_with(path, ".ndjson"))
		return err_set(text, ERR_UNSUPPORTED,
			       "%s: a file of rows is CSV (.csv) or JSON lines (.jsonl, .ndjson)",
			       path);
	buf_init(&bytes, LIMIT_FEED_FILE_BYTES);
	err = file_read(path, &bytes, text);
	if (!err)
		err = is_csv ? table_parse_csv(t, &bytes, path, text)
			     : table_parse_lines(t, &bytes, path, text);
	buf_fini(&bytes);
	return err;
}
