/* SPDX-License-Identifier: MIT
 *
 * h2_fixture - the client's side of an HTTP/2 connection, with a server whose frames are written
 * by hand. h2.c is part of it, for what only its insides can show. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/h2.c"

#define OK_TEXT "GET /a?b=c HTTP/1.1\r\nHost: x.org:81\r\nAccept: */*\r\n\r\n"

struct peer {
	struct h2_place *place;
	struct h2 *h;
	struct http_response r;
	struct buf in, request;
	struct buf frames; /* to be taken */
	struct buf output; /* what the client sent, without its preface */
	char why[FAILURE_BYTES];
};

/* --- Frames of the server --------------------------------------------------------------------- */

static void add_number(struct buf *out, size_t bytes, uint32_t number)
{
	while (bytes--)
		buf_add_char(out, (char)(number >> (8 * bytes)));
}

static void frame(struct peer *p, uint8_t type, uint8_t flags, uint32_t stream, const void *bytes,
		  size_t len)
{
	add_number(&p->frames, 3, (uint32_t)len);
	add_number(&p->frames, 1, type);
	add_number(&p->frames, 1, flags);
	add_number(&p->frames, 4, stream);
	buf_add(&p->frames, bytes, len);
}

static void frame_of_number(struct peer *p, uint8_t type, uint32_t stream, uint32_t number)
{
	char bytes[4] = { (char)(number >> 24), (char)(number >> 16), (char)(number >> 8),
			  (char)number };

	frame(p, type, 0, stream, bytes, sizeof(bytes));
}

static void settings(struct peer *p, uint16_t name, uint32_t value)
{
	char bytes[6] = { (char)(name >> 8),   (char)name,	   (char)(value >> 24),
			  (char)(value >> 16), (char)(value >> 8), (char)value };

	frame(p, NGHTTP2_SETTINGS, 0, 0, bytes, name ? sizeof(bytes) : 0);
}

/* RFC 7541 6.2.2, lengths up to 126. */
static void add_literal(struct buf *block, struct str name, struct str value)
{
	buf_add_char(block, '\0');
	buf_add_char(block, (char)name.len);
	buf_add_str(block, name);
	buf_add_char(block, (char)value.len);
	buf_add_str(block, value);
}

/* lines: "name: value\n"...; the last flag, END_HEADERS, is set here. */
static void headers(struct peer *p, uint32_t stream, const char *lines, bool is_end)
{
	struct str rest = str_of(lines), line;
	struct buf block;

	buf_init(&block, 1 << 20);
	while (str_cut(&rest, '\n', &line)) {
		const char *colon = line.len ? memchr(line.p + 1, ':', line.len - 1) : NULL;

		if (colon)
			add_literal(
				&block, (struct str){ line.p, (size_t)(colon - line.p) },
				(struct str){ colon + 2, line.len - (size_t)(colon - line.p) - 2 });
	}
	frame(p, NGHTTP2_HEADERS, (uint8_t)(NGHTTP2_FLAG_END_HEADERS | (is_end ? 1 : 0)), stream,
	      block.p, block.len);
	buf_fini(&block);
}

static void data(struct peer *p, uint32_t stream, const char *text, bool is_end)
{
	frame(p, NGHTTP2_DATA, is_end ? 1 : 0, stream, text, strlen(text));
}

static void goaway(struct peer *p, uint32_t last, uint32_t code)
{
	struct buf bytes;

	buf_init(&bytes, 8);
	add_number(&bytes, 4, last);
	add_number(&bytes, 4, code);
	frame(p, NGHTTP2_GOAWAY, 0, 0, bytes.p, bytes.len);
	buf_fini(&bytes);
}

/* --- The client under test -------------------------------------------------------------------- */

static void flush(struct peer *p)
{
	struct str bytes;

	while ((bytes = h2_output(p->h)).len) {
		/* Less than offered, as a socket may take. */
		size_t n = bytes.len > 7 ? bytes.len - 3 : bytes.len;

		buf_add(&p->output, bytes.p, n);
		h2_sent(p->h, n);
	}
}

/* The client takes the frames written so far, `part` bytes at a time, and answers. */
static void take(struct peer *p, size_t part)
{
	for (size_t at = 0; at < p->frames.len; at += part) {
		size_t n = p->frames.len - at < part ? p->frames.len - at : part;

		/* A copy of exactly that many, for the sanitizers. */
		char *copy = mem_strndup(p->frames.p + at, n);

		h2_take(p->h, copy, n);
		flush(p);
		mem_free(copy);
	}
	buf_clear(&p->frames);
}

static void take_all(struct peer *p)
{
	take(p, SIZE_MAX / 2);
}

static void send_request(struct peer *p, struct str text)
{
	buf_clear(&p->request);
	buf_clear(&p->in);
	buf_add_str(&p->request, text);
	http_response_init(&p->r, text.p[0] == 'H');
	assert_true(h2_can_request(p->h));
	assert_true(h2_request(p->h, buf_str(&p->request), false, &p->r, &p->in));
	flush(p);
}

/* Connected, with a request on its way, and nothing of the server yet. */
static struct peer *start_silent(struct str text)
{
	struct peer *p = mem_zalloc(1, sizeof(*p));

	buf_init(&p->in, LIMIT_RESPONSE_HEAD_BYTES + LIMIT_RESPONSE_BODY_BYTES + 1);
	buf_init(&p->request, LIMIT_REQUEST_BYTES);
	buf_init(&p->frames, 1 << 30);
	buf_init(&p->output, 1 << 30);
	p->place = h2_place_create();
	p->h = h2_create(p->place);
	assert_int_equal(h2_state(p->h), H2_RESTING);
	send_request(p, text);
	assert_memory_equal(p->output.p, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
	buf_drop(&p->output, NGHTTP2_CLIENT_MAGIC_LEN);
	return p;
}

static struct peer *start_with(const char *text)
{
	struct peer *p = start_silent(str_of(text));

	settings(p, 0, 0);
	take_all(p);
	assert_int_equal(h2_state(p->h), H2_WAITING);
	return p;
}

static struct peer *start(void)
{
	return start_with(OK_TEXT);
}

static void stop(struct peer *p)
{
	h2_destroy(&p->h);
	h2_place_destroy(&p->place);
	buf_fini(&p->in);
	buf_fini(&p->request);
	buf_fini(&p->frames);
	buf_fini(&p->output);
	mem_free(p);
}

static void assert_answer(struct peer *p, unsigned status, const char *body)
{
	h2_failure(p->h, p->why);
	if (h2_state(p->h) != H2_DONE)
		fail_msg("state %d: %s", h2_state(p->h), p->why);
	assert_int_equal(p->r.status, status);
	assert_int_equal(p->r.body_bytes, strlen(body));
	assert_int_equal(p->in.len - p->r.head_bytes, strlen(body));
	assert_memory_equal(p->in.p + p->r.head_bytes, body, strlen(body));
}

static void assert_failed(struct peer *p, enum h2_state state, const char *words)
{
	assert_int_equal(h2_state(p->h), state);
	h2_failure(p->h, p->why);
	if (!strstr(p->why, words))
		fail_msg("'%s' is not in '%s'", words, p->why);
}

/* The payload of the n-th frame of that type which the client sent; p NULL: there is none. */
static struct str sent_frame(const struct peer *p, uint8_t type, unsigned n, uint8_t *flags)
{
	const uint8_t *b = (const uint8_t *)p->output.p;

	for (size_t at = 0; at + 9 <= p->output.len;) {
		size_t len = (size_t)b[at] << 16 | (size_t)b[at + 1] << 8 | b[at + 2];

		if (b[at + 3] == type && !n--) {
			*flags = b[at + 4];
			return (struct str){ p->output.p + at + 9, len };
		}
		at += 9 + len;
	}
	return (struct str){ 0 };
}

static bool has_sent(const struct peer *p, uint8_t type)
{
	uint8_t flags;

	return sent_frame(p, type, 0, &flags).p != NULL;
}

/* As lines. */
static void assert_fields(struct str block, const char *expected)
{
	nghttp2_hd_inflater *inflater;
	struct buf text;
	int flags = 0;

	buf_init(&text, 65536);
	assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
	while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
		nghttp2_nv nv;
		ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, (const uint8_t *)block.p,
						   block.len, 1);

		assert_true(n >= 0);
		block = (struct str){ block.p + n, block.len - (size_t)n };
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			buf_printf(&text, "%s: %s\n", nv.name, nv.value);
	}
	assert_string_equal(text.p, expected);
	nghttp2_hd_inflate_del(inflater);
	buf_fini(&text);
}
