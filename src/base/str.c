/* SPDX-License-Identifier: MIT
 *
 * str - the slice operations that are more than a line. */
#include "base/str.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.len && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool str_cut(struct str *rest, char sep, struct str *out)
{
	const char *hit;

	if (!rest->p)
		return false;
	hit = rest->len ? memchr(rest->p, sep, rest->len) : NULL;
	*out = (struct str){ rest->p, hit ? (size_t)(hit - rest->p) : rest->len };
	if (hit)
		*rest = (struct str){ hit + 1, rest->len - out->len - 1 };
	else
		*rest = (struct str){ NULL, 0 };
	return true;
}

size_t str_utf8_step(const char *bytes, size_t left)
{
	/* Unicode 15, table 3-7: bounds of the first and second byte, and the length. */
	static const struct {
		unsigned char first_min, first_max, second_min, second_max, len;
	} rows[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *p = (const unsigned char *)bytes;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (p[0] < rows[i].first_min || p[0] > rows[i].first_max)
			continue;
		if (left < rows[i].len)
			return 0;
		if (rows[i].len > 1 && (p[1] < rows[i].second_min || p[1] > rows[i].second_max))
			return 0;
		for (size_t k = 2; k < rows[i].len; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].len;
	}
	return 0;
}

bool str_is_utf8(struct str s)
{
	for (size_t at = 0; at < s.len;) {
		size_t step = str_utf8_step(s.p + at, s.len - at);

		if (!step)
			return false;
		at += step;
	}
	return true;
}
