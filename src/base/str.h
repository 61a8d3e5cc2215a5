/* SPDX-License-Identifier: MIT
 *
 * str - a slice of bytes that somebody else owns. Not NUL-terminated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct str {
	const char *p;
	size_t len;
};

/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, (s).p

static inline struct str str_of(const char *text)
{
	return (struct str){ text, strlen(text) };
}

static inline bool str_eq(struct str a, const char *b)
{
	size_t len = strlen(b);

	return a.len == len && memcmp(a.p, b, len) == 0;
}

/* ASCII case-insensitive. */
static inline bool str_case_eq(struct str a, const char *b)
{
	size_t len = strlen(b);

	return a.len == len && strncasecmp(a.p, b, len) == 0;
}

/* Without blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);

/* Cuts the part before the first `sep` off *rest and returns it; the whole rest if
 * there is none. Returns false when *rest is used up (rest->p == NULL). */
bool str_cut(struct str *rest, char sep, struct str *out);

/* True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);

/* Length (1 to 4) of the well-formed UTF-8 sequence at bytes, 0 if there is none.
 * left must be at least 1. */
size_t str_utf8_step(const char *bytes, size_t left);
