/* SPDX-License-Identifier: MIT
 *
 * base64 - see the header. */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct str bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t bits = 0;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < left ? (unsigned char)bytes.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_add_char(out, k <= left ? digits[bits >> (18 - 6 * k) & 63] : '=');
	}
}

static int sextet(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool is_blank(char c)
{
	return c == '\n' || c == '\r' || c == ' ';
}

bool base64_read(struct str text, struct buf *out)
{
	unsigned bits = 0, count = 0, read = 0;
	size_t i;

	for (i = 0; i < text.len && text.p[i] != '='; i++) {
		int value = sextet(text.p[i]);

		if (is_blank(text.p[i]))
			continue;
		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0xffffff;
		read++;
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_add_char(out, (char)(bits >> count & 0xff));
		}
	}
	while (i < text.len && (text.p[i] == '=' || is_blank(text.p[i])))
		i++;
	return read % 4 != 1 && i == text.len;
}
