/* SPDX-License-Identifier: MIT
 *
 * json_path - see the header. The walk follows the path and skips what lies beside it; it goes on
 * behind the value, for only the end shows whether the text was JSON. Its recursion is as deep as
 * the path has steps. */
#include "user/json_path.h"

#include <stdint.h>

/* --- Paths ------------------------------------------------------------------------------ */

/* p stands behind the bracket; NULL: *fault says what is wrong. */
static const char *parse_index(const char *p, struct json_step *step, const char **fault)
{
	const char *end;

	if (*p == '"' || *p == '\'') {
		end = strchr(p + 1, *p);
		*fault = "the quote is never closed";
		if (!end)
			return NULL;
		step->key = (struct str){ p + 1, (size_t)(end - p - 1) };
		p = end + 1;
	} else {
		*fault = "expected a number or a key in quotes behind '['";
		if (*p < '0' || *p > '9')
			return NULL;
		for (; *p >= '0' && *p <= '9'; p++)
			if (step->index < UINT32_MAX)
				step->index = step->index * 10 + (size_t)(*p - '0');
	}
	*fault = "expected ']'";
	return *p == ']' ? p + 1 : NULL;
}

static const char *parse_step(const char *p, struct json_step *step, const char **fault)
{
	size_t len;

	*step = (struct json_step){ 0 };
	if (*p == '[')
		return parse_index(p + 1, step, fault);
	if (*p == '.')
		p++;
	len = strcspn(p, ".[");
	*fault = "expected a key";
	step->key = (struct str){ p, len };
	return len ? p + len : NULL;
}

enum err json_path_parse(struct json_path *path, const char *text, struct err_text *why)
{
	const char *p = text, *fault, *next;

	path->count = 0;
	if (*p == '$') {
		p++;
		if (*p && *p != '.' && *p != '[')
			return err_set(why, ERR_BAD_INPUT,
				       "JSON path %.200s: expected '.' or '[' behind '$'", text);
	}
	for (; *p; p = next) {
		if (path->count == LIMIT_JSON_PATH_STEPS)
			return err_set(why, ERR_TOO_BIG, "JSON path %.200s: more than %d steps",
				       text, LIMIT_JSON_PATH_STEPS);
		next = parse_step(p, &path->steps[path->count++], &fault);
		if (!next)
			return err_set(why, ERR_BAD_INPUT, "JSON path %.200s: step %zu: %s", text,
				       path->count, fault);
	}
	return OK;
}

/* --- Values ----------------------------------------------------------------------------- */

static enum json_kind kind_of(char first)
{
	switch (first) {
	case '{':
		return JSON_IS_OBJECT;
	case '[':
		return JSON_IS_LIST;
	case '"':
		return JSON_IS_TEXT;
	case 't':
		return JSON_IS_TRUE;
	case 'f':
		return JSON_IS_FALSE;
	case 'n':
		return JSON_IS_NULL;
	case '-':
	case '0' ... '9':
		return JSON_IS_NUMBER;
	default:
		return JSON_IS_ABSENT;
	}
}

bool json_value_scan(struct json_scan *s, struct json_value *out)
{
	const char *begin;
	bool is_good;

	out->kind = kind_of(json_scan_peek(s));
	if (out->kind == JSON_IS_TEXT)
		return json_scan_string(s, &out->raw);
	begin = s->p;
	is_good =
		out->kind == JSON_IS_NUMBER ? json_scan_number(s, &out->number) : json_scan_skip(s);
	out->raw = (struct str){ begin, (size_t)(s->p - begin) };
	return is_good;
}

static bool walk(struct json_scan *s, const struct json_step *steps, size_t count,
		 struct json_value *out);

static bool walk_object(struct json_scan *s, const struct json_step *steps, size_t count,
			struct json_value *out)
{
	struct str key;

	if (json_scan_take(s, '}'))
		return true;
	do {
		if (!json_scan_string(s, &key))
			return false;
		if (!json_scan_take(s, ':'))
			return json_scan_unexpected(s, "expected ':'");
		if (!json_text_is(key, steps[0].key)) {
			if (!json_scan_skip(s))
				return false;
			continue;
		}
		out->kind = JSON_IS_ABSENT;
		if (!walk(s, steps + 1, count - 1, out))
			return false;
	} while (json_scan_take(s, ','));
	return json_scan_take(s, '}') || json_scan_unexpected(s, "expected ',' or '}'");
}

static bool walk_list(struct json_scan *s, const struct json_step *steps, size_t count,
		      struct json_value *out)
{
	size_t index = 0;

	if (json_scan_take(s, ']'))
		return true;
	do {
		if (index++ != steps[0].index ? !json_scan_skip(s)
					      : !walk(s, steps + 1, count - 1, out))
			return false;
	} while (json_scan_take(s, ','));
	return json_scan_take(s, ']') || json_scan_unexpected(s, "expected ',' or ']'");
}

static bool walk(struct json_scan *s, const struct json_step *steps, size_t count,
		 struct json_value *out)
{
	bool is_good;

	if (!count)
		return json_value_scan(s, out);
	if (json_scan_peek(s) != (steps[0].key.p ? '{' : '['))
		return json_scan_skip(s);
	s->p++;
	s->depth++;
	is_good = steps[0].key.p ? walk_object(s, steps, count, out)
				 : walk_list(s, steps, count, out);
	s->depth--;
	return is_good;
}

void json_path_find(const struct json_path *path, struct str text, struct json_value *out)
{
	struct json_scan s;

	*out = (struct json_value){ 0 };
	json_scan_init(&s, text);
	if (!walk(&s, path->steps, path->count, out) || !json_scan_finish(&s))
		*out = (struct json_value){ 0 };
}

bool json_has_key(struct str text, struct str key)
{
	struct json_path path = { .steps = { { .key = key } }, .count = 1 };
	struct json_value value;

	json_path_find(&path, text, &value);
	return value.kind != JSON_IS_ABSENT;
}
