/* SPDX-License-Identifier: MIT
 *
 * opt_file - see the header. Texts get their NULs once their statement has been read, for a NUL
 * may stand where a comma or the end of the line was. */
#include "base/opt_file.h"

#include <ctype.h>

#include "base/json_scan.h"

#define OUR_TABLE "tool.locust"

struct reader {
	char *at, *end; /* at the end is the NUL of the buf */
	unsigned line;
	struct err_text why;
	bool is_ours; /* what is read belongs to our table */
	struct opt_setting setting;
	char *ends[LIMIT_AXIS_VALUES + 1]; /* where the key and the values end */
	size_t end_count;
};

static bool fail(struct reader *r, const char *why)
{
	err_set(&r->why, ERR_BAD_INPUT, "%s", why);
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

static void begin_setting(struct reader *r, char *key, char *end)
{
	r->setting = (struct opt_setting){ .key = key, .line = r->line };
	r->ends[0] = end;
	r->end_count = 1;
}

static bool add_value(struct reader *r, char *value, char *end)
{
	if (r->setting.values.count == LIMIT_AXIS_VALUES)
		return fail(r, "more values than a list may have");
	r->setting.values.value[r->setting.values.count++] = value;
	r->ends[r->end_count++] = end;
	return true;
}

static bool give(struct reader *r, opt_setting_fn fn, void *arg)
{
	for (size_t i = 0; i < r->end_count; i++)
		*r->ends[i] = '\0';
	return fn(arg, &r->setting, &r->why) == OK;
}

/* ---- .conf ---- */

/* Where a comment begins: a blank and then its sign; else the end. */
static char *before_comment(char *at, char *end)
{
	char *stop = at;

	while (stop < end &&
	       !(is_blank(*stop) && stop + 1 < end && (stop[1] == '#' || stop[1] == ';')))
		stop++;
	while (stop > at && is_blank(stop[-1]))
		stop--;
	return stop;
}

/* The quote that ends what begins behind `at`: nothing but a comment may follow it. */
static char *closing_quote(char *at, char *end)
{
	for (char *quote = at + 1; quote < end; quote++)
		if (*quote == *at && before_comment(quote + 1, end) == quote + 1)
			return quote;
	return NULL;
}

static bool add_trimmed(struct reader *r, char *at, char *end)
{
	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	if (end - at >= 2 && (*at == '"' || *at == '\'') && end[-1] == *at) {
		at++;
		end--;
	}
	return add_value(r, at, end);
}

/* What stands between the brackets. */
static bool add_items(struct reader *r, char *at, char *end)
{
	char quote = '\0', *item = at;

	r->setting.is_list = true;
	while (at < end && is_blank(*at))
		at++;
	if (at == end)
		return true;
	for (; at < end; at++) {
		if (quote) {
			quote = *at == quote ? '\0' : quote;
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
		} else if (*at == ',') {
			if (!add_trimmed(r, item, at))
				return false;
			item = at + 1;
		}
	}
	return add_trimmed(r, item, end);
}

/* Behind the key. */
static bool read_conf_value(struct reader *r, char *at, char *end)
{
	static char yes[] = "true";
	bool has_sign;
	char *quote;

	while (at < end && is_blank(*at))
		at++;
	has_sign = at < end && (*at == '=' || *at == ':');
	if (has_sign)
		for (at++; at < end && is_blank(*at);)
			at++;
	quote = at < end && (*at == '"' || *at == '\'') ? closing_quote(at, end) : NULL;
	if (quote)
		return add_value(r, at + 1, quote);
	/* The sign of a comment may come first thing behind the key. */
	if (at < end && (*at == '#' || *at == ';'))
		end = at;
	end = before_comment(at, end);
	if (at == end && !has_sign)
		return add_value(r, yes, yes + sizeof(yes) - 1);
	if (end - at >= 2 && *at == '[' && end[-1] == ']')
		return add_items(r, at + 1, end - 1);
	return add_value(r, at, end);
}

static bool read_conf_line(struct reader *r, char *at, char *end, opt_setting_fn fn, void *arg)
{
	char *key;

	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	if (at == end || strchr("#;[", *at) || (end - at >= 3 && !memcmp(at, "---", 3)))
		return true;
	for (key = at; at < end && !is_blank(*at) && !strchr(":=;#", *at);)
		at++;
	if (at == key)
		return fail(r, "a line must be key = value");
	begin_setting(r, key, at);
	return read_conf_value(r, at, end) && give(r, fn, arg);
}

static bool read_conf(struct reader *r, opt_setting_fn fn, void *arg)
{
	for (; r->at < r->end; r->line++) {
		char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
		char *end = stop ? stop : r->end;

		if (!read_conf_line(r, r->at, end, fn, arg))
			return false;
		r->at = end + (stop ? 1 : 0);
	}
	return true;
}

/* ---- TOML ---- */

static bool read_value(struct reader *r, unsigned depth);

/* Over blanks, comments and ends of lines. */
static void skip_lines(struct reader *r)
{
	for (; r->at < r->end; r->at++) {
		if (*r->at == '#')
			while (r->at + 1 < r->end && r->at[1] != '\n')
				r->at++;
		else if (*r->at == '\n')
			r->line++;
		else if (!is_blank(*r->at))
			return;
	}
}

static bool is_escape(const char *p, const char *end)
{
	if (end - p < 1 || !strchr("btnfr\"\\u", *p))
		return false;
	for (int i = 1; *p == 'u' && i <= 4; i++)
		if (end - p <= i || !isxdigit((unsigned char)p[i]))
			return false;
	return true;
}

/* One of those in three quotes; only over it. */
static bool skip_long_text(struct reader *r, char quote)
{
	unsigned line = r->line;

	if (r->is_ours)
		return fail(r, "give the text in one line");
	for (r->at += 3; r->end - r->at >= 3; r->at++) {
		if (r->at[0] == quote && r->at[1] == quote && r->at[2] == quote) {
			r->at += 3;
			while (r->at < r->end && *r->at == quote)
				r->at++;
			return true;
		}
		if (*r->at == '\\' && quote == '"' && r->end - r->at > 3)
			r->at++;
		if (*r->at == '\n')
			r->line++;
	}
	r->line = line;
	return fail(r, "a text has no end");
}

static bool read_text(struct reader *r, char **text, char **end)
{
	char quote = *r->at, *from = r->at + 1, *p = from;

	for (; p < r->end && *p != quote && *p != '\n'; p++) {
		if (*p != '\\' || quote != '"')
			continue;
		if (!is_escape(p + 1, r->end))
			return fail(r, "a backslash in a text that means nothing; write \\\\");
		p++;
	}
	if (p == r->end || *p != quote)
		return fail(r, "a text has no end");
	*text = from;
	*end = p;
	if (quote == '"')
		*end = from + json_unescape((struct str){ from, (size_t)(p - from) }, from,
					    (size_t)(p - from));
	r->at = p + 1;
	return true;
}

static bool read_text_value(struct reader *r)
{
	char quote = *r->at, *text, *end;

	if (r->end - r->at >= 3 && r->at[1] == quote && r->at[2] == quote)
		return skip_long_text(r, quote);
	return read_text(r, &text, &end) && (!r->is_ours || add_value(r, text, end));
}

static bool read_array(struct reader *r, unsigned depth)
{
	if (r->is_ours && r->setting.is_list)
		return fail(r, "a list in a list");
	r->setting.is_list = true;
	r->at++;
	for (;;) {
		skip_lines(r);
		if (r->at < r->end && *r->at == ']')
			break;
		if (!read_value(r, depth + 1))
			return false;
		skip_lines(r);
		if (r->at < r->end && *r->at == ',')
			r->at++;
		else if (r->at == r->end || *r->at != ']')
			return fail(r, "a list has no end");
	}
	r->at++;
	return true;
}

static bool read_key(struct reader *r, char **key, char **end)
{
	char *from = r->at;

	if (r->at < r->end && (*r->at == '"' || *r->at == '\''))
		return read_text(r, key, end);
	while (r->at < r->end && (isalnum((unsigned char)*r->at) || strchr("-_.", *r->at)))
		r->at++;
	if (r->at == from)
		return fail(r, "a line must be key = value");
	*key = from;
	*end = r->at;
	return true;
}

/* Over keys of several parts, which no option has, up to the sign. */
static bool read_name(struct reader *r, char **key, char **end)
{
	char *ignored, *ignored_end;

	if (!read_key(r, key, end))
		return false;
	skip_blanks(r);
	while (!r->is_ours && r->at < r->end && *r->at != '=')
		if (*r->at == '.' || is_blank(*r->at))
			r->at++;
		else if (!read_key(r, &ignored, &ignored_end))
			return false;
	if (r->at == r->end || *r->at != '=')
		return fail(r, "a key needs = and a value");
	r->at++;
	skip_blanks(r);
	return true;
}

static bool skip_inline_table(struct reader *r, unsigned depth)
{
	char *key, *end;

	if (r->is_ours)
		return fail(r, "no option has a table as its value");
	for (r->at++;; r->at++) {
		skip_lines(r);
		if (r->at < r->end && *r->at == '}')
			break;
		if (!read_name(r, &key, &end) || !read_value(r, depth + 1))
			return false;
		skip_lines(r);
		if (r->at == r->end || (*r->at != ',' && *r->at != '}'))
			return fail(r, "a table has no end");
		if (*r->at == '}')
			break;
	}
	r->at++;
	return true;
}

/* A number, a date, true or false: the option knows what it may be. */
static bool read_word(struct reader *r)
{
	char *from = r->at, *end;

	while (r->at < r->end && !strchr(",]}#\n", *r->at))
		r->at++;
	for (end = r->at; end > from && is_blank(end[-1]);)
		end--;
	if (end == from)
		return fail(r, "a value is missing");
	return !r->is_ours || add_value(r, from, end);
}

static bool read_value(struct reader *r, unsigned depth)
{
	if (depth > LIMIT_JSON_DEPTH)
		return fail(r, "lists are too deep");
	if (r->at == r->end)
		return fail(r, "a value is missing");
	switch (*r->at) {
	case '"':
	case '\'':
		return read_text_value(r);
	case '[':
		return read_array(r, depth);
	case '{':
		return skip_inline_table(r, depth);
	default:
		return read_word(r);
	}
}

/* Also over what ends the line, where a value's NUL may go. */
static bool end_line(struct reader *r)
{
	skip_blanks(r);
	if (r->at < r->end && *r->at != '\n' && *r->at != '#')
		return fail(r, "something is left at the end of the line");
	while (r->at < r->end && *r->at++ != '\n')
		;
	return true;
}

static bool read_table(struct reader *r)
{
	char *from = ++r->at;
	struct str name;

	while (r->at < r->end && *r->at != ']' && *r->at != '\n')
		r->at++;
	if (r->at == r->end || *r->at != ']')
		return fail(r, "the name of a table needs a ]");
	name = str_trim((struct str){ from, (size_t)(r->at - from) });
	r->is_ours = str_eq(name, OUR_TABLE);
	while (r->at < r->end && *r->at == ']')
		r->at++;
	if (!end_line(r))
		return false;
	r->line++;
	return true;
}

static bool read_toml_setting(struct reader *r, opt_setting_fn fn, void *arg)
{
	char *key, *end;

	if (!read_name(r, &key, &end))
		return false;
	begin_setting(r, key, end);
	if (!read_value(r, 0) || !end_line(r) || (r->is_ours && !give(r, fn, arg)))
		return false;
	r->line++;
	return true;
}

static bool read_toml(struct reader *r, opt_setting_fn fn, void *arg)
{
	for (skip_lines(r); r->at < r->end; skip_lines(r))
		if (*r->at == '[' ? !read_table(r) : !read_toml_setting(r, fn, arg))
			return false;
	return true;
}

enum err opt_file_read(enum opt_file_kind kind, const char *name, struct buf *bytes,
		       opt_setting_fn fn, void *arg, struct err_text *text)
{
	struct reader r = { .at = bytes->p, .end = bytes->p + bytes->len, .line = 1 };
	bool is_read;

	if (!bytes->len)
		return OK;
	if (memchr(bytes->p, '\0', bytes->len) || !str_is_utf8(buf_str(bytes)))
		return err_set(text, ERR_BAD_OPTION, "%s: not a text in UTF-8", name);
	is_read = kind == OPT_FILE_TOML ? read_toml(&r, fn, arg) : read_conf(&r, fn, arg);
	return is_read ? OK : err_set(text, ERR_BAD_OPTION, "%s:%u: %s", name, r.line, r.why.text);
}
