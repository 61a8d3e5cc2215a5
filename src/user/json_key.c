/* SPDX-License-Identifier: MIT
 *
 * json_key - see the header. Nesting is counted, not recursed: one bit per level says whether it
 * is an object. */
#include "user/json_key.h"

#include <stdint.h>

#include "base/limits.h"

_Static_assert(LIMIT_JSON_DEPTH <= 64, "levels are bits of a uint64_t");

struct scan {
	const char *p, *end;
};

static char peek(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
	return s->p < s->end ? *s->p : '\0';
}

static bool take(struct scan *s, char c)
{
	if (s->p >= s->end || peek(s) != c)
		return false;
	s->p++;
	return true;
}

static bool take_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return false;
	s->p += len;
	return true;
}

static bool take_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > from;
}

static bool take_number(struct scan *s)
{
	take_word(s, "-");
	if (!take_word(s, "0") && !take_digits(s))
		return false;
	if (take_word(s, ".") && !take_digits(s))
		return false;
	if (!take_word(s, "e") && !take_word(s, "E"))
		return true;
	if (!take_word(s, "+"))
		take_word(s, "-");
	return take_digits(s);
}

static bool take_hex4(struct scan *s, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++, s->p++) {
		char c = s->p < s->end ? *s->p : '\0';
		char lower = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			*code = *code * 16 + (uint32_t)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			*code = *code * 16 + (uint32_t)(lower - 'a' + 10);
		else
			return false;
	}
	return true;
}

static size_t utf8_of(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* What stands behind a backslash. */
static bool take_escape(struct scan *s, char out[4], size_t *len)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *name;
	uint32_t code, low;

	if (s->p >= s->end)
		return false;
	if (*s->p == 'u') {
		s->p++;
		if (!take_hex4(s, &code))
			return false;
		/* The second half of a pair; a half alone is kept as it is and fits no key. */
		if (code >= 0xd800 && code < 0xdc00 && take_word(s, "\\u")) {
			if (!take_hex4(s, &low))
				return false;
			if (low >= 0xdc00 && low < 0xe000)
				code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		}
		*len = utf8_of(code, out);
		return true;
	}
	name = memchr(names, *s->p, sizeof(names) - 1);
	if (!name)
		return false;
	s->p++;
	out[0] = meant[name - names];
	*len = 1;
	return true;
}

/* A string; *is_key says whether it is `key` once its escapes are undone. */
static bool take_string(struct scan *s, struct str key, bool *is_key)
{
	size_t at = 0;

	*is_key = true;
	if (!take(s, '"'))
		return false;
	while (s->p < s->end) {
		char bytes[4] = { *s->p++ };
		size_t len = 1;

		if (bytes[0] == '"') {
			*is_key &= at == key.len;
			return true;
		}
		if ((unsigned char)bytes[0] < 0x20)
			return false;
		if (bytes[0] == '\\' && !take_escape(s, bytes, &len))
			return false;
		if (*is_key && key.len - at >= len && memcmp(key.p + at, bytes, len) == 0)
			at += len;
		else
			*is_key = false;
	}
	return false;
}

static bool take_scalar(struct scan *s)
{
	bool ignored;

	switch (peek(s)) {
	case '"':
		return take_string(s, (struct str){ "", 0 }, &ignored);
	case 't':
		return take_word(s, "true");
	case 'f':
		return take_word(s, "false");
	case 'n':
		return take_word(s, "null");
	default:
		return take_number(s);
	}
}

bool json_has_key(struct str text, struct str key)
{
	struct scan s = { text.p, text.p + text.len };
	uint64_t objects = 1; /* bit 0: the innermost open level is an object */
	unsigned depth = 1;
	bool has_key = false, is_key, is_first = true;

	if (!take(&s, '{'))
		return false;
	while (depth) {
		bool is_object = objects & 1;

		if (take(&s, is_object ? '}' : ']')) {
			objects >>= 1;
			depth--;
			is_first = false;
			continue;
		}
		if (!is_first && !take(&s, ','))
			return false;
		if (is_object && (!take_string(&s, key, &is_key) || !take(&s, ':')))
			return false;
		has_key |= is_object && depth == 1 && is_key;
		is_first = peek(&s) == '{' || peek(&s) == '[';
		if (!is_first && !take_scalar(&s))
			return false;
		if (is_first) {
			if (depth++ == LIMIT_JSON_DEPTH)
				return false;
			objects = objects << 1 | (*s.p++ == '{');
		}
	}
	return peek(&s) == '\0' && s.p == s.end && has_key;
}
