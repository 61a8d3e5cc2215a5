/* SPDX-License-Identifier: MIT
 *
 * table_lines - a table from JSON lines. Twice over the file: first all keys, which are the
 * columns, then the rows; so an object may lack a key, and the first one that has it may come
 * late. */
#include <stdio.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/limits.h"
#include "base/mem.h"
#include "user/json_path.h"
#include "user/table_int.h"

struct lines {
	struct table *table;
	struct str rest;
	const char *label;
	size_t line;
	struct cic_row *row; /* that is filled; NULL: columns are gathered */
	struct err_text *text;
};

static enum err fail(const struct lines *l, const struct json_scan *s, const char *what)
{
	return err_set(l->text, ERR_BAD_INPUT, "%s:%zu:%zu: %s", l->label, l->line,
		       (size_t)(s->p - s->begin) + 1, what);
}

static size_t find_column(const struct table *t, struct str raw)
{
	size_t i = 0;

	while (i < t->column_count && !json_text_is(raw, str_of(t->columns[i])))
		i++;
	return i;
}

/* A name must not hold a NUL: json_unescape() would end it there. */
static enum err add_column(struct lines *l, const struct json_scan *s, struct str raw)
{
	char name[LIMIT_FEED_NAME_BYTES], place[512];
	size_t len = json_unescape(raw, name, sizeof(name));

	if (len > sizeof(name) || memchr(name, '\0', len))
		return fail(l, s, "a key is too long or holds a NUL");
	snprintf(place, sizeof(place), "%s:%zu:%zu", l->label, l->line,
		 (size_t)(s->p - s->begin) + 1);
	return table_add_column(l->table, (struct str){ name, len }, place, l->text);
}

/* Its NUL overwrites the byte behind it, so not before the line has been scanned. */
static bool end_cell(struct table *t, const char **cell, const struct json_value *value)
{
	char *at = t->bytes.p + (value->raw.p - t->bytes.p);
	size_t len = value->raw.len;

	*cell = value->kind == JSON_IS_NULL ? NULL : at;
	if (value->kind == JSON_IS_TEXT)
		len = json_unescape(value->raw, at, len);
	if (memchr(at, '\0', len))
		return false;
	at[len] = '\0';
	return true;
}

/* The members of an object, which s has entered. */
static enum err read_members(struct lines *l, struct json_scan *s, struct json_value *values)
{
	struct json_value value;
	struct str key;
	size_t at;

	do {
		if (!json_scan_string(s, &key))
			return fail(l, s, s->fault);
		at = find_column(l->table, key);
		if (at == l->table->column_count) {
			enum err err = add_column(l, s, key);

			if (err)
				return err;
		}
		if (!json_scan_take(s, ':'))
			return fail(l, s, "expected ':'");
		if (!json_value_scan(s, &value))
			return fail(l, s, s->fault);
		values[at] = value;
	} while (json_scan_take(s, ','));
	return json_scan_take(s, '}') ? OK : fail(l, s, "expected ',' or '}'");
}

static enum err read_line(struct lines *l, struct str line)
{
	struct json_value values[LIMIT_FEED_COLUMNS] = { 0 };
	struct json_scan s;
	enum err err = OK;

	json_scan_init(&s, line);
	if (!json_scan_take(&s, '{'))
		return fail(l, &s, "expected an object, one on each line");
	s.depth = 1;
	if (!json_scan_take(&s, '}'))
		err = read_members(l, &s, values);
	if (!err && !json_scan_finish(&s))
		err = fail(l, &s, s.fault);
	for (size_t i = 0; !err && l->row && i < l->table->column_count; i++)
		if (values[i].kind && !end_cell(l->table, &l->row->cells[i], &values[i]))
			err = err_set(l->text, ERR_BAD_INPUT, "%s:%zu: %s holds a NUL (\\u0000)",
				      l->label, l->line, l->table->columns[i]);
	return err;
}

static enum err read_lines(struct lines *l, bool is_filling)
{
	struct str line;

	for (l->line = 1; str_cut(&l->rest, '\n', &line); l->line++) {
		enum err err = OK;

		if (!str_trim(line).len)
			continue;
		if (is_filling)
			err = table_add_row(l->table, l->label, &l->row, l->text);
		if (!err)
			err = read_line(l, line);
		if (err)
			return err;
	}
	return OK;
}

enum err table_parse_lines(struct table *t, struct buf *bytes, const char *label,
			   struct err_text *text)
{
	char *begin = table_begin(t, bytes);
	struct str all = { begin, (size_t)(t->bytes.p + t->bytes.len - begin) };
	struct lines l = { .table = t, .rest = all, .label = label, .text = text };
	enum err err = read_lines(&l, false);

	l.rest = all;
	if (!err && !t->column_count)
		err = err_set(text, ERR_BAD_INPUT, "%s: no object with a key; one on each line",
			      label);
	if (!err)
		err = read_lines(&l, true);
	if (err)
		table_fini(t);
	return err;
}
