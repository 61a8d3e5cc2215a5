/* SPDX-License-Identifier: MIT
 *
 * json_scan - JSON's grammar (RFC 8259) as steps over bytes, without a tree.
 *
 * Who knows what should come next (predict_body, json_path) asks for exactly that; what does not
 * interest is skipped. Each step begins at any white space and ends behind what it took. A step
 * that fails leaves s->p at the byte that is wrong and s->fault at the reason; nothing may be
 * asked after that. Never reads at or behind `end`. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct json_scan {
	const char *begin, *p, *end;
	const char *fault; /* NULL: none so far */
	size_t depth; /* lists and objects the caller has entered; counts in json_scan_skip() */
};

static inline void json_scan_init(struct json_scan *s, struct str bytes)
{
	*s = (struct json_scan){ bytes.p, bytes.p, bytes.p + bytes.len, NULL, 0 };
}

/* The next byte that is not white space; '\0' at the end, which no value begins with. */
static inline char json_scan_peek(struct json_scan *s)
{
	while (s->p < s->end) {
		if (*s->p != ' ' && *s->p != '\n' && *s->p != '\r' && *s->p != '\t')
			return *s->p;
		s->p++;
	}
	return '\0';
}

/* Takes this punctuation if it comes next. */
static inline bool json_scan_take(struct json_scan *s, char c)
{
	if (json_scan_peek(s) != c || s->p == s->end)
		return false;
	s->p++;
	return true;
}

/* Always false, so that a failing step is one line. */
bool json_scan_fail(struct json_scan *s, const char *fault);
/* Says what stands here instead of what was wanted. */
bool json_scan_unexpected(struct json_scan *s, const char *wanted);
/* A string; *raw is what stands between its quotes, checked but with its escapes. */
bool json_scan_string(struct json_scan *s, struct str *raw);
/* A number, correctly rounded; infinite if it is too large. Their exponents count up to 100000. */
bool json_scan_number(struct json_scan *s, double *out);
bool json_scan_float(struct json_scan *s, float *out);
/* Any value; the text may be LIMIT_JSON_DEPTH deep. */
bool json_scan_skip(struct json_scan *s);
/* Nothing but white space is left. */
bool json_scan_finish(struct json_scan *s);

/* Writes the text that raw stands for and returns its length; larger than size: cut off. Half a
 * surrogate pair becomes U+FFFD. out may be raw.p. */
size_t json_unescape(struct str raw, char *out, size_t size);
/* Does raw stand for this text? */
bool json_text_is(struct str raw, struct str text);
