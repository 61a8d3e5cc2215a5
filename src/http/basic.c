/* SPDX-License-Identifier: MIT
 *
 * basic - see the header. */
#include "http/basic.h"

#include <stdint.h>

/* Base64 (RFC 4648 4), one byte at a time: base/base64.h would want the bytes in memory of their
 * own, for each request. */
struct writer {
	struct buf *out;
	uint32_t bits; /* not written yet */
	unsigned count;
	size_t bytes;
};

static void put_sextet(struct writer *w, uint32_t bits)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	buf_add_char(w->out, digits[bits & 63]);
}

static void put(struct writer *w, unsigned char byte)
{
	w->bits = w->bits << 8 | byte;
	w->bytes++;
	for (w->count += 8; w->count >= 6; w->count -= 6)
		put_sextet(w, w->bits >> (w->count - 6));
}

static void end(struct writer *w)
{
	if (w->count)
		put_sextet(w, w->bits << (6 - w->count));
	for (size_t i = w->bytes; i % 3; i++)
		buf_add_char(w->out, '=');
}

/* -1: not a hexadecimal digit. */
static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_escape(struct str s, size_t i)
{
	return s.p[i] == '%' && i + 2 < s.len && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0;
}

void basic_write(struct str userinfo, struct buf *out)
{
	struct writer w = { .out = out };

	buf_add_text(out, "Authorization: Basic ");
	for (size_t i = 0; i < userinfo.len; i++) {
		if (is_escape(userinfo, i)) {
			put(&w,
			    (unsigned char)(hex(userinfo.p[i + 1]) << 4 | hex(userinfo.p[i + 2])));
			i += 2;
		} else {
			put(&w, (unsigned char)userinfo.p[i]);
		}
	}
	if (userinfo.len && !memchr(userinfo.p, ':', userinfo.len))
		put(&w, ':');
	end(&w);
	buf_add_text(out, "\r\n");
}
