/* SPDX-License-Identifier: MIT
 *
 * table_csv - a table from CSV (RFC 4180), strict: a quote where none may be is an error with its
 * place, not a guess that shifts all columns behind it. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "user/table_int.h"

struct csv {
	char *p, *end;
	char *line_begin;
	size_t line;
	const char *label;
	struct err_text *text;
};

/* What ended a field. */
enum mark { MARK_FIELD, MARK_RECORD };

static enum err fail_at(const struct csv *c, size_t line, size_t column, const char *what)
{
	return err_set(c->text, ERR_BAD_INPUT, "%s:%zu:%zu: %s", c->label, line, column, what);
}

static enum err fail(const struct csv *c, const char *what)
{
	return fail_at(c, c->line, (size_t)(c->p - c->line_begin) + 1, what);
}

static bool is_line_end(const struct csv *c)
{
	return c->p < c->end &&
	       (*c->p == '\n' || (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n'));
}

static void pass_line_end(struct csv *c)
{
	c->p += *c->p == '\r' ? 2 : 1;
	c->line++;
	c->line_begin = c->p;
}

/* c->p stands on the opening quote; afterwards behind the closing one. *len: of the text, which
 * begins behind the opening one. */
static enum err read_quoted(struct csv *c, size_t *len)
{
	size_t line = c->line, column = (size_t)(c->p - c->line_begin) + 1;
	char *begin = c->p + 1, *to = begin;

	for (c->p = begin; c->p < c->end; c->p++) {
		if (*c->p == '"' && (c->p + 1 == c->end || c->p[1] != '"')) {
			c->p++;
			*len = (size_t)(to - begin);
			return OK;
		}
		if (!*c->p)
			return fail(c, "a NUL byte; the file is not text");
		c->p += *c->p == '"';
		*to++ = *c->p;
		if (*c->p == '\n') {
			c->line++;
			c->line_begin = c->p + 1;
		}
	}
	return fail_at(c, line, column, "the quote that opens here is never closed");
}

static enum err read_plain(struct csv *c, size_t *len)
{
	char *begin = c->p;

	for (; c->p < c->end && *c->p != ',' && !is_line_end(c); c->p++) {
		if (*c->p == '"')
			return fail(c, "a quote inside a field; put the field in quotes and double "
				       "those inside");
		if (*c->p == '\r')
			return fail(c, "a carriage return alone; end lines with LF or CRLF");
		if (!*c->p)
			return fail(c, "a NUL byte; the file is not text");
	}
	*len = (size_t)(c->p - begin);
	return OK;
}

/* The next field into *out, ended by a NUL that overwrites what stood behind it. */
static enum err read_field(struct csv *c, char **out, enum mark *mark)
{
	bool is_quoted = c->p < c->end && *c->p == '"';
	size_t len = 0;
	enum err err;

	*out = c->p + is_quoted;
	err = is_quoted ? read_quoted(c, &len) : read_plain(c, &len);
	if (err)
		return err;
	*mark = MARK_RECORD;
	if (c->p < c->end && *c->p == ',') {
		*mark = MARK_FIELD;
		c->p++;
	} else if (is_line_end(c)) {
		pass_line_end(c);
	} else if (c->p < c->end) {
		return fail(c, "text behind a closing quote; a quote inside a field is doubled");
	}
	(*out)[len] = '\0';
	return OK;
}

/* False at the end. */
static bool begin_record(struct csv *c)
{
	while (is_line_end(c))
		pass_line_end(c);
	return c->p < c->end;
}

static enum err read_header(struct csv *c, struct table *t)
{
	enum mark mark = MARK_FIELD;
	char place[512];
	char *name;

	if (!begin_record(c))
		return err_set(c->text, ERR_BAD_INPUT,
			       "%s: empty; the first line names the columns", c->label);
	while (mark == MARK_FIELD) {
		enum err err;

		snprintf(place, sizeof(place), "%s:%zu:%zu", c->label, c->line,
			 (size_t)(c->p - c->line_begin) + 1);
		err = read_field(c, &name, &mark);
		if (!err)
			err = table_add_column(t, str_of(name), place, c->text);
		if (err)
			return err;
	}
	return OK;
}

static enum err read_row(struct csv *c, struct table *t)
{
	size_t count = 0, line = c->line;
	enum mark mark = MARK_FIELD;
	struct cic_row *row;
	enum err err = table_add_row(t, c->label, &row, c->text);

	for (; !err && mark == MARK_FIELD; count++) {
		char *field;

		err = read_field(c, &field, &mark);
		if (count < t->column_count)
			row->cells[count] = field;
	}
	if (!err && count != t->column_count)
		err = err_set(c->text, ERR_BAD_INPUT,
			      "%s:%zu: %zu fields where the first line names %zu columns; put a "
			      "field that holds a comma in quotes",
			      c->label, line, count, t->column_count);
	return err;
}

enum err table_parse_csv(struct table *t, struct buf *bytes, const char *label,
			 struct err_text *text)
{
	char *begin = table_begin(t, bytes);
	struct csv c = { .p = begin,
			 .end = t->bytes.p + t->bytes.len,
			 .line_begin = begin,
			 .line = 1,
			 .label = label,
			 .text = text };
	enum err err = read_header(&c, t);

	while (!err && begin_record(&c))
		err = read_row(&c, t);
	if (!err && !t->row_count)
		err = err_set(text, ERR_BAD_INPUT, "%s: no row below the names of the columns",
			      label);
	if (err)
		table_fini(t);
	return err;
}
