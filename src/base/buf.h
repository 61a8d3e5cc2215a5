/* SPDX-License-Identifier: MIT
 *
 * buf - a growing byte buffer that cannot grow without end.
 *
 * Every buf has a maximum given at its start. An append that would pass it sets
 * is_full and changes nothing; later appends do nothing either. So writers append
 * freely and ask once at the end: if (b.is_full) return ERR_TOO_BIG. The bytes are
 * always followed by a NUL that len does not count. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *p; /* NULL until the first append */
	size_t len, max;
	size_t cap; /* 0 until then, else more than len and at most max + 1: for the NUL */
	bool is_full;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_fini(struct buf *b);
/* Keeps the memory, forgets the bytes and is_full. */
void buf_clear(struct buf *b);
/* In decimal digits. */
void buf_add_u64(struct buf *b, uint64_t value);
/* As Python writes a float: the shortest digits that read back as the same number, with a point. */
void buf_add_real(struct buf *b, double value);
/* As printf's %.9g writes it, several times as fast for numbers of usual size. */
void buf_add_g9(struct buf *b, double value);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* The text as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD. */
void buf_add_json(struct buf *b, struct str text);
/* A URL for people and files, without the user and password it may have. */
void buf_add_url(struct buf *b, const char *url);
/* buf_room() where there is none yet. */
char *buf_grow(struct buf *b, size_t len);
/* Drops the first `len` bytes. */
void buf_drop(struct buf *b, size_t len);
/* Hands the bytes over (mem_free them) and leaves b empty; "" if there were none. */
char *buf_take(struct buf *b);

/* Makes room for `len` more bytes and returns where they go, NULL when that would
 * pass the maximum. The caller writes there and then adds to b->len. */
static inline char *buf_room(struct buf *b, size_t len)
{
	return len < b->cap - b->len && !b->is_full ? b->p + b->len : buf_grow(b, len);
}

/* Appending is inline, for requests are put together of many small parts. */
static inline void buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *to = buf_room(b, len);

	if (!to)
		return;
	if (len)
		memcpy(to, bytes, len);
	b->len += len;
	to[len] = '\0';
}

static inline void buf_add_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

static inline void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.len);
}

static inline void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p ? b->p : "", b->len };
}
