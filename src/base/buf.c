/* SPDX-License-Identifier: MIT
 *
 * buf - see the header. Growth doubles, so appending is linear over all. */
#include "base/buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define FIRST_BYTES 256
#define G9_DIGITS   9

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_fini(struct buf *b)
{
	mem_free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->is_full = false;
	if (b->p)
		b->p[0] = '\0';
}

char *buf_grow(struct buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : FIRST_BYTES;

	if (b->is_full || len > b->max || b->len > b->max - len) {
		b->is_full = true;
		return NULL;
	}
	while (cap <= b->len + len)
		cap *= 2;
	if (cap - 1 > b->max)
		cap = b->max + 1;
	b->p = mem_realloc(b->p, cap);
	b->cap = cap;
	return b->p + b->len;
}

void buf_add_u64(struct buf *b, uint64_t value)
{
	char digits[20], *end = digits + sizeof(digits), *at = end;

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_add(b, at, (size_t)(end - at));
}

/* The nine digits of a value of 10^exponent, -4 <= exponent <= 8, without those that say nothing.
 */
static void add_fixed(struct buf *b, bool is_negative, uint32_t digits, int exponent)
{
	char text[] = "000000000000000", *first = text + 5, *at, *end = first + G9_DIGITS;
	char *point = first + exponent + 1; /* stands before this digit */

	for (at = end; at > first; digits /= 10)
		*--at = (char)('0' + digits % 10);
	while (end > point && end[-1] == '0')
		end--;
	if (is_negative)
		buf_add_char(b, '-');
	if (point <= first)
		first = point - 1; /* the zeros before it */
	buf_add(b, first, (size_t)(point - first));
	if (end > point) {
		buf_add_char(b, '.');
		buf_add(b, point, (size_t)(end - point));
	}
}

void buf_add_g9(struct buf *b, double value)
{
	static const double tens[] = { 1e0, 1e1, 1e2, 1e3,  1e4,  1e5, 1e6,
				       1e7, 1e8, 1e9, 1e10, 1e11, 1e12 };
	const double size = fabs(value);
	double scaled, whole;
	int exponent = 8;

	/* Outside, %g writes an exponent or a zero. */
	if (size >= 1e-4 && size < 999999999) {
		while (exponent > 0 ? size < tens[exponent]
				    : exponent > -4 && size * tens[-exponent] < 1)
			exponent--;
		scaled = size * tens[8 - exponent];
		whole = floor(scaled + 0.5);
		/* The product may be off by a few parts in 2^53: where this decides how the last
		 * digit is rounded, or how many there are, printf has to. */
		if (whole >= 1e8 && whole < 1e9 &&
		    fabs(scaled + 0.5 - round(scaled + 0.5)) > 1e-5) {
			add_fixed(b, value < 0, (uint32_t)whole, exponent);
			return;
		}
	}
	buf_printf(b, "%.9g", value);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	const size_t room = b->p && !b->is_full ? b->cap - b->len : 0;
	va_list again;
	int len;
	char *to;

	va_copy(again, ap);
	len = vsnprintf(room ? b->p + b->len : NULL, room, fmt, ap);
	if ((size_t)len < room) {
		b->len += (size_t)len;
	} else {
		if (room)
			b->p[b->len] = '\0';
		to = buf_room(b, (size_t)len);
		if (to) {
			vsnprintf(to, (size_t)len + 1, fmt, again);
			b->len += (size_t)len;
		}
	}
	va_end(again);
}

void buf_add_real(struct buf *b, double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_add_text(b, text);
	if (!strpbrk(text, ".en"))
		buf_add_text(b, ".0");
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_add_url(struct buf *b, const char *url)
{
	const char *host = strstr(url, "://");
	size_t scheme = host ? (size_t)(host - url) + 3 : 0;
	const char *at = memrchr(url + scheme, '@', strcspn(url + scheme, "/?#"));

	buf_add(b, url, scheme);
	buf_add_text(b, at ? at + 1 : url + scheme);
}

void buf_add_json(struct buf *b, struct str text)
{
	size_t start = 0;

	buf_add_char(b, '"');
	for (size_t i = 0; i < text.len;) {
		unsigned char c = (unsigned char)text.p[i];
		size_t step = str_utf8_step(text.p + i, text.len - i);

		if (step && c >= 0x20 && c != '"' && c != '\\') {
			i += step;
			continue;
		}
		buf_add(b, text.p + start, i - start);
		if (!step)
			buf_add_text(b, "\\ufffd");
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c == '\n')
			buf_add_text(b, "\\n");
		else
			buf_printf(b, "\\u%04x", c);
		start = ++i;
	}
	buf_add(b, text.p + start, text.len - start);
	buf_add_char(b, '"');
}

void buf_drop(struct buf *b, size_t len)
{
	ensure(len <= b->len);
	if (!len)
		return;
	memmove(b->p, b->p + len, b->len - len);
	b->len -= len;
	b->p[b->len] = '\0';
}

char *buf_take(struct buf *b)
{
	char *p = b->p ? b->p : mem_strdup("");

	*b = (struct buf){ .max = b->max };
	return p;
}
