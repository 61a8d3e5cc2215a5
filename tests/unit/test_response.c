/* SPDX-License-Identifier: MIT
 *
 * response: every fault, every framing, and above all that the outcome does not depend on
 * how the bytes were cut. Each reply is fed whole, byte by byte, and cut in two at every
 * place; replies themselves stand here when they are generated, else in tests/case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "http/response.h"

struct outcome {
	struct http_response r;
	struct buf body;
	size_t used;
	bool is_complete;
};

/* Feeds bytes in pieces of the sizes first, then step, then step... as a client does: into
 * one buffer that keeps the head, with body bytes decoded in place behind it. */
static struct outcome feed(struct str reply, bool is_head, size_t first, size_t step)
{
	struct outcome o = { 0 };
	char *buffer = mem_alloc(reply.len + 1), *piece;
	size_t len = 0, used, body_len, next;
	enum io io = IO_AGAIN;

	http_response_init(&o.r, is_head);
	buf_init(&o.body, SIZE_MAX / 2);
	for (; io == IO_AGAIN && len < reply.len; len = next) {
		next = len + (len ? step : first);
		next = next < reply.len ? next : reply.len;
		memcpy(buffer + len, reply.p + len, next - len);
		piece = buffer + len;
		if (!o.r.is_head_done) {
			io = http_response_head(&o.r, buffer, next);
			if (io != IO_OK)
				continue;
			piece = buffer + o.r.head_bytes;
			o.used = o.r.head_bytes;
		}
		io = http_response_body(&o.r, piece, (size_t)(buffer + next - piece), &used,
					&body_len);
		buf_add(&o.body, piece, body_len);
		o.used += used;
	}
	if (io == IO_AGAIN)
		io = http_response_eof(&o.r);
	o.is_complete = io == IO_OK;
	mem_free(buffer);
	return o;
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->r.fault, b->r.fault);
	assert_int_equal(a->is_complete, b->is_complete);
	assert_int_equal(a->r.can_reuse, b->r.can_reuse);
	assert_int_equal(a->r.head_bytes, b->r.head_bytes);
	assert_int_equal(a->body.len, b->body.len);
	assert_memory_equal(buf_str(&a->body).p, buf_str(&b->body).p, a->body.len);
	if (a->is_complete)
		assert_int_equal(a->used, b->used);
}

static struct outcome feed_every_way(struct str reply, bool is_head)
{
	struct outcome whole = feed(reply, is_head, reply.len, 1), other;
	size_t stride = reply.len > 3000 ? reply.len / 300 : 1;

	other = feed(reply, is_head, 1, 1);
	assert_same(&whole, &other);
	buf_fini(&other.body);
	for (size_t cut = 1; cut < reply.len; cut += stride) {
		other = feed(reply, is_head, cut, reply.len);
		assert_same(&whole, &other);
		buf_fini(&other.body);
	}
	return whole;
}

static void assert_reply(const char *reply, int status, const char *body, bool can_reuse)
{
	struct outcome o = feed_every_way(str_of(reply), false);

	if (!o.is_complete)
		fail_msg("the server %s: %s", http_fault_text(o.r.fault), reply);
	assert_int_equal(o.r.status, status);
	assert_string_equal(buf_str(&o.body).p, body);
	assert_int_equal(o.r.body_bytes, strlen(body));
	assert_int_equal(o.r.can_reuse, can_reuse);
	buf_fini(&o.body);
}

static void assert_fault_bytes(struct str reply, enum http_fault fault)
{
	struct outcome o = feed_every_way(reply, false);

	if (o.is_complete || o.r.fault != fault)
		fail_msg("want '%s', got '%s': %.60s", http_fault_text(fault),
			 http_fault_text(o.r.fault), reply.p);
	assert_false(o.r.can_reuse);
	buf_fini(&o.body);
}

static void assert_fault(const char *reply, enum http_fault fault)
{
	assert_fault_bytes(str_of(reply), fault);
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_LINE "Transfer-Encoding: chunked\r\n\r\n"

static void bodies_end_where_their_framing_says(void **state)
{
	(void)state;
	assert_reply(OK_LINE "Content-Length: 5\r\n\r\nhello", 200, "hello", true);
	assert_reply(OK_LINE "content-length:0\r\n\r\n", 200, "", true);
	assert_reply(OK_LINE "Content-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello",
		     true);
	assert_reply(OK_LINE "\r\nuntil the end", 200, "until the end", false);
	assert_reply(CHUNKED "5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\n\r\n", 200, "hello world",
		     true);
	assert_reply(CHUNKED "00005  \r\nhello\r\n000\r\nA: b\r\nC: d\r\n\r\n", 200, "hello", true);
	assert_reply(CHUNKED "A\nnewline is\n0\n\n", 200, "newline is", true);
	assert_reply("HTTP/1.1 200\nContent-Length: 2\n\nok", 200, "ok", true);
}

static void some_replies_have_no_body_whatever_their_headers_say(void **state)
{
	struct outcome o;

	(void)state;
	assert_reply("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", true);
	assert_reply("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304, "",
		     true);
	o = feed_every_way(str_of(OK_LINE "Content-Length: 500\r\n\r\n"), true);
	assert_true(o.is_complete);
	assert_true(o.r.can_reuse);
	assert_int_equal(o.r.content_length, 500);
	assert_int_equal(o.r.framing, HTTP_BODY_NONE);
	buf_fini(&o.body);
}

static void interim_replies_are_skipped(void **state)
{
	(void)state;
	assert_reply("HTTP/1.1 100 Continue\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
		     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_LINE
		     "Content-Length: 2\r\n\r\nok",
		     200, "ok", true);
	assert_fault("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
		     HTTP_SWITCHED_PROTOCOL);
	assert_fault("HTTP/1.1 100 Continue\r\n\r\n", HTTP_CLOSED_IN_HEAD);
}

static void reuse_follows_version_connection_and_framing(void **state)
{
	(void)state;
	assert_reply("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", false);
	assert_reply("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", 200,
		     "x", true);
	assert_reply(OK_LINE "Connection: foo, CLOSE\r\nContent-Length: 1\r\n\r\nx", 200, "x",
		     false);
	assert_reply(OK_LINE "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 1"
			     "\r\n\r\nx",
		     200, "x", false);
	/* RFC 9112 6.1 and 6.3: such framing is believed once and then distrusted. */
	assert_reply(OK_LINE "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
			     "0\r\n\r\n",
		     200, "x", false);
	assert_reply("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked"
		     "\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		     200, "x", false);
	assert_reply("HTTP/1.7 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", true);
}

static void every_malformed_head_has_its_own_fault(void **state)
{
	static const struct {
		const char *reply;
		enum http_fault fault;
	} rows[] = {
		{ "", HTTP_CLOSED_UNANSWERED },
		{ "H", HTTP_CLOSED_IN_HEAD },
		{ OK_LINE "Content-Length: 1\r\n", HTTP_CLOSED_IN_HEAD },
		{ OK_LINE "Content-Length: 2\r\n\r\nx", HTTP_CLOSED_IN_BODY },
		{ CHUNKED "2\r\nx", HTTP_CLOSED_IN_BODY },
		{ CHUNKED "1\r\nx\r\n0\r\n", HTTP_CLOSED_IN_BODY },
		{ "SSH-2.0-OpenSSH_9.2", HTTP_BAD_STATUS_LINE },
		{ "\r\n" OK_LINE "\r\n", HTTP_BAD_STATUS_LINE },
		{ "HTTP/\r\n\r\n", HTTP_BAD_STATUS_LINE },
		{ "HTTP/1.10 200 OK\r\n\r\n", HTTP_BAD_STATUS_LINE },
		{ "HTTP/2 200 OK\r\n\r\n", HTTP_BAD_VERSION },
		{ "HTTP/1.x 200 OK\r\n\r\n", HTTP_BAD_VERSION },
		{ "HTTP/1.1 20\r\n\r\n", HTTP_BAD_STATUS },
		{ "HTTP/1.1 099 No\r\n\r\n", HTTP_BAD_STATUS },
		{ "HTTP/1.1 2000 OK\r\n\r\n", HTTP_BAD_STATUS },
		{ "HTTP/1.1  200 OK\r\n\r\n", HTTP_BAD_STATUS },
		{ "HTTP/1.1 -20 OK\r\n\r\n", HTTP_BAD_STATUS },
		{ OK_LINE "no colon\r\n\r\n", HTTP_HEADER_WITHOUT_COLON },
		{ OK_LINE ": value\r\n\r\n", HTTP_BAD_HEADER_NAME },
		{ OK_LINE "Name : value\r\n\r\n", HTTP_BAD_HEADER_NAME },
		{ OK_LINE "N\xc3\xa4me: value\r\n\r\n", HTTP_BAD_HEADER_NAME },
		{ OK_LINE "A: b\r\n c\r\n\r\n", HTTP_FOLDED_HEADER },
		{ OK_LINE "\tA: b\r\n\r\n", HTTP_FOLDED_HEADER },
		{ OK_LINE "A: b\rc\r\n\r\n", HTTP_BARE_CR },
		{ OK_LINE "A: b\r\r\n\r\n", HTTP_BARE_CR },
		{ "HTTP/1.1 200 O\rK\r\n\r\n", HTTP_BARE_CR },
		{ OK_LINE "Content-Length: -1\r\n\r\n", HTTP_BAD_CONTENT_LENGTH },
		{ OK_LINE "Content-Length: +1\r\n\r\n", HTTP_BAD_CONTENT_LENGTH },
		{ OK_LINE "Content-Length:\r\n\r\n", HTTP_BAD_CONTENT_LENGTH },
		{ OK_LINE "Content-Length: 1 1\r\n\r\n", HTTP_BAD_CONTENT_LENGTH },
		{ OK_LINE "Content-Length: 0x1\r\n\r\n", HTTP_BAD_CONTENT_LENGTH },
		{ OK_LINE "Content-Length: 5,\r\n\r\n", HTTP_BAD_CONTENT_LENGTH },
		{ OK_LINE "Content-Length: 9223372036854775808\r\n\r\n", HTTP_BAD_CONTENT_LENGTH },
		{ OK_LINE "Content-Length: 18446744073709551617\r\n\r\n", HTTP_BAD_CONTENT_LENGTH },
		{ OK_LINE "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
		  HTTP_CONTENT_LENGTHS_DIFFER },
		{ OK_LINE "Content-Length: 1, 2\r\n\r\n", HTTP_CONTENT_LENGTHS_DIFFER },
		{ OK_LINE "Transfer-Encoding: gzip\r\n\r\n", HTTP_UNKNOWN_TRANSFER_CODING },
		{ OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n",
		  HTTP_UNKNOWN_TRANSFER_CODING },
		{ OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		  HTTP_UNKNOWN_TRANSFER_CODING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_fault(rows[i].reply, rows[i].fault);
}

/* Wherever in the name a byte stands, and however long the line is behind it. */
static void names_are_made_of_token_bytes(void **state)
{
	static const char *const values[] = { "", "v", "a longer value" };
	char reply[128];

	(void)state;
	for (int byte = 1; byte < 256; byte++)
		for (size_t at = 0; at < 18; at++)
			for (size_t i = 0; i < 3; i++) {
				char name[19] = "abcdefgh-IJKLMNOPq";
				struct str one = { &name[at], 1 };

				if (byte == '\n' || byte == '\r' || byte == ':' ||
				    (at == 0 && (byte == ' ' || byte == '\t')))
					continue;
				name[at] = (char)byte;
				snprintf(reply, sizeof(reply),
					 OK_LINE "%s: %s\r\nContent-Length: 0\r\n\r\n", name,
					 values[i]);
				if (http_is_token(one))
					assert_reply(reply, 200, "", true);
				else
					assert_fault(reply, HTTP_BAD_HEADER_NAME);
			}
}

/* A header that counts is known in any case, and nothing else is taken for it. */
static void names_are_known_in_any_case_and_whole(void **state)
{
	static const char known[] = "content-length";
	char reply[128];

	(void)state;
	assert_reply(OK_LINE "CONTENT-LENGTH: 2\r\n\r\nok", 200, "ok", true);
	assert_reply(OK_LINE "cOnTeNt-lEnGtH: 2\r\n\r\nok", 200, "ok", true);
	for (size_t at = 0; at < strlen(known); at++) {
		char name[] = "content-length";

		name[at] ^= known[at] == '-' ? 3 : 2;
		/* Not known, so the end of the stream is the end. */
		snprintf(reply, sizeof(reply), OK_LINE "%s: 2\r\n\r\nok", name);
		assert_reply(reply, 200, "ok", false);
	}
	assert_reply("HTTP/1.0 200 OK\r\nConnection: KEEP-alive\r\nContent-Length: 0\r\n\r\n", 200,
		     "", true);
	assert_reply("HTTP/1.0 200 OK\r\nConnection: keep-alivf\r\nContent-Length: 0\r\n\r\n", 200,
		     "", false);
	assert_reply(OK_LINE "Connection: keep-alive, close\r\nContent-Length: 0\r\n\r\n", 200, "",
		     false);
}

static void every_malformed_chunk_has_its_own_fault(void **state)
{
	static const struct {
		const char *reply;
		enum http_fault fault;
	} rows[] = {
		{ CHUNKED "\r\n", HTTP_BAD_CHUNK_SIZE },
		{ CHUNKED "g\r\n", HTTP_BAD_CHUNK_SIZE },
		{ CHUNKED "-1\r\n", HTTP_BAD_CHUNK_SIZE },
		{ CHUNKED "0x1\r\n", HTTP_BAD_CHUNK_SIZE },
		{ CHUNKED "1 2\r\n", HTTP_BAD_CHUNK_SIZE },
		{ CHUNKED ";a\r\n", HTTP_BAD_CHUNK_SIZE },
		{ CHUNKED " 1\r\n", HTTP_BAD_CHUNK_SIZE },
		{ CHUNKED "1\rx", HTTP_BARE_CR },
		{ CHUNKED "1;\rx", HTTP_BARE_CR },
		{ CHUNKED "1\r\nxy", HTTP_CHUNK_UNENDED },
		{ CHUNKED "1\r\nx\ry", HTTP_CHUNK_UNENDED },
		{ CHUNKED "1\r\nx\r\r\n", HTTP_CHUNK_UNENDED },
		{ CHUNKED "10000000000000000\r\n", HTTP_CHUNK_TOO_BIG },
		{ CHUNKED "fffffffffffffffff\r\n", HTTP_CHUNK_TOO_BIG },
		{ CHUNKED "0\r\nA: b\rc", HTTP_BARE_CR },
		{ CHUNKED "0\r\n\rx", HTTP_BARE_CR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_fault(rows[i].reply, rows[i].fault);
}

static void nul_bytes_are_refused_outside_bodies(void **state)
{
	static const char in_name[] = OK_LINE "A\0: b\r\n\r\n",
			  in_value[] = OK_LINE "A: b\0\r\n\r\n",
			  in_status[] = "HTTP/1.1 200 \0\r\n\r\n", in_chunk[] = CHUNKED "1;\0\r\n",
			  in_trailer[] = CHUNKED "0\r\nA\0",
			  in_body[] = OK_LINE "Content-Length: 3\r\n\r\na\0b";
	struct outcome o;

	(void)state;
	assert_fault_bytes((struct str){ in_name, sizeof(in_name) - 1 }, HTTP_NUL_IN_LINE);
	assert_fault_bytes((struct str){ in_value, sizeof(in_value) - 1 }, HTTP_NUL_IN_LINE);
	assert_fault_bytes((struct str){ in_status, sizeof(in_status) - 1 }, HTTP_NUL_IN_LINE);
	assert_fault_bytes((struct str){ in_chunk, sizeof(in_chunk) - 1 }, HTTP_NUL_IN_LINE);
	assert_fault_bytes((struct str){ in_trailer, sizeof(in_trailer) - 1 }, HTTP_NUL_IN_LINE);
	o = feed_every_way((struct str){ in_body, sizeof(in_body) - 1 }, false);
	assert_true(o.is_complete);
	assert_memory_equal(o.body.p, "a\0b", 3);
	buf_fini(&o.body);
}

/* before, then `filler` often enough that it takes `bytes` in all, then after. */
static void assert_filled(const char *before, const char *filler, size_t bytes, const char *after,
			  enum http_fault fault)
{
	struct buf reply;
	struct outcome o;

	buf_init(&reply, SIZE_MAX / 2);
	buf_add_text(&reply, before);
	for (size_t done = 0; done + strlen(filler) <= bytes; done += strlen(filler))
		buf_add_text(&reply, filler);
	buf_add_text(&reply, after);
	o = feed_every_way(buf_str(&reply), false);
	assert_int_equal(o.r.fault, fault);
	assert_int_equal(o.is_complete, fault == HTTP_NO_FAULT);
	buf_fini(&o.body);
	buf_fini(&reply);
}

static void everything_that_grows_has_a_limit(void **state)
{
	const size_t ok_bytes = strlen(OK_LINE);

	(void)state;
	assert_filled(OK_LINE "A:", "x", LIMIT_RESPONSE_HEAD_BYTES - ok_bytes - 6, "\r\n\r\n",
		      HTTP_NO_FAULT);
	assert_filled(OK_LINE "A:", "x", LIMIT_RESPONSE_HEAD_BYTES - ok_bytes - 5, "\r\n\r\n",
		      HTTP_HEAD_TOO_BIG);
	assert_filled(OK_LINE "A:", "x", 2 * LIMIT_RESPONSE_HEAD_BYTES, "", HTTP_HEAD_TOO_BIG);
	assert_filled("", "HTTP/1.1 100 Continue\r\n\r\n", 2 * LIMIT_RESPONSE_HEAD_BYTES, OK_LINE,
		      HTTP_HEAD_TOO_BIG);
	assert_filled("", "x", 2 * LIMIT_RESPONSE_HEAD_BYTES, "", HTTP_BAD_STATUS_LINE);
	assert_filled(OK_LINE, "A:b\n", LIMIT_RESPONSE_HEADERS * 4, "\n", HTTP_NO_FAULT);
	assert_filled(OK_LINE, "A:b\n", LIMIT_RESPONSE_HEADERS * 4 + 4, "\n",
		      HTTP_TOO_MANY_HEADERS);
	assert_filled(CHUNKED "1;", "x", LIMIT_CHUNK_LINE_BYTES - 4, "\r\nx\r\n0\r\n\r\n",
		      HTTP_NO_FAULT);
	assert_filled(CHUNKED "1;", "x", LIMIT_CHUNK_LINE_BYTES - 3, "\r\nx\r\n0\r\n\r\n",
		      HTTP_CHUNK_LINE_TOO_LONG);
	assert_filled(CHUNKED, "0", LIMIT_CHUNK_LINE_BYTES + 1, "1\r\n", HTTP_CHUNK_LINE_TOO_LONG);
	assert_filled(CHUNKED "0\r\n", "A:bcdef\n", LIMIT_TRAILER_BYTES - 8, "\r\n", HTTP_NO_FAULT);
	assert_filled(CHUNKED "0\r\n", "A:bcdef\n", LIMIT_TRAILER_BYTES, "\r\n",
		      HTTP_TRAILER_TOO_BIG);
}

static void surplus_is_left_to_the_caller(void **state)
{
	static const char *const replies[] = {
		OK_LINE "Content-Length: 2\r\n\r\nok",
		CHUNKED "2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		char *both = mem_printf("%s%s", replies[i], OK_LINE);
		struct outcome o = feed_every_way(str_of(both), false);

		assert_true(o.is_complete);
		assert_int_equal(o.used, strlen(replies[i]));
		buf_fini(&o.body);
		mem_free(both);
	}
}

static void headers_can_be_found_and_visited(void **state)
{
	static const char reply[] = "HTTP/1.1 302 Moved  Along \r\nLocation: \t/next?a=b \t\r\n"
				    "X-Empty:\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\n"
				    "Content-Type: text/html; charset=utf-8\n"
				    "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\nA: b\r\n";
	const char *const names[] = { "Location",      "X-Empty",      "set-cookie",
				      "Set-Cookie",    "Content-Type", "Content-Encoding",
				      "Content-Length" };
	struct http_response r;
	struct str name, value;
	size_t at = 0, count = 0;

	(void)state;
	http_response_init(&r, false);
	assert_int_equal(http_response_head(&r, reply, sizeof(reply) - 1), IO_OK);
	assert_true(str_eq(http_slice_str(r.reason, reply), "Moved  Along "));
	assert_true(str_eq(http_slice_str(r.location, reply), "/next?a=b"));
	assert_true(str_eq(http_slice_str(r.content_type, reply), "text/html; charset=utf-8"));
	assert_true(str_eq(http_slice_str(r.content_encoding, reply), "gzip"));
	assert_true(r.has_set_cookie);
	while (http_response_next_header(&r, reply, &at, &name, &value))
		assert_true(str_eq(name, names[count++]));
	assert_int_equal(count, 7);
	assert_true(http_response_header(&r, reply, "SET-COOKIE", &value));
	assert_true(str_eq(value, "a=1"));
	assert_true(http_response_header(&r, reply, "x-empty", &value));
	assert_int_equal(value.len, 0);
	assert_false(http_response_header(&r, reply, "a", &value));
	http_response_init(&r, false);
	assert_int_equal(http_response_head(&r, OK_LINE "\r\n", strlen(OK_LINE) + 2), IO_OK);
	at = 0;
	assert_false(http_response_next_header(&r, OK_LINE "\r\n", &at, &name, &value));
}

/* Differential: bodies cut into random chunks by a writer that knows nothing of the parser. */
static void chunked_decoding_undoes_random_encoding(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 11, 0);
	for (int turn = 0; turn < 300; turn++) {
		struct buf plain, reply;
		struct outcome o;

		buf_init(&plain, 1 << 20);
		buf_init(&reply, 1 << 20);
		buf_add_text(&reply, CHUNKED);
		for (uint64_t chunks = rng_below(&rng, 6); chunks; chunks--) {
			size_t start = plain.len, len = 1 + rng_below(&rng, 40);

			for (size_t i = 0; i < len; i++)
				buf_add_char(&plain, "\r\n\0;0a"[rng_below(&rng, 6)]);
			buf_printf(&reply, rng_below(&rng, 2) ? "%zx%s\r\n" : "%zX%s\r\n", len,
				   rng_below(&rng, 3) ? "" : " ;ext=\"1\"");
			buf_add(&reply, plain.p + start, len);
			buf_add_text(&reply, "\r\n");
		}
		buf_add_text(&reply, rng_below(&rng, 2) ? "0\r\n\r\n" : "0\r\nT: 1\r\n\r\n");
		o = feed_every_way(buf_str(&reply), false);
		assert_true(o.is_complete);
		assert_int_equal(o.body.len, plain.len);
		assert_memory_equal(buf_str(&o.body).p, buf_str(&plain).p, plain.len);
		buf_fini(&o.body);
		buf_fini(&plain);
		buf_fini(&reply);
	}
}

static void every_fault_has_a_sentence(void **state)
{
	(void)state;
	for (int i = 0; i < HTTP_FAULT_COUNT; i++)
		assert_true(strlen(http_fault_text((enum http_fault)i)) > 10);
	assert_non_null(http_fault_text(HTTP_FAULT_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_end_where_their_framing_says),
		cmocka_unit_test(some_replies_have_no_body_whatever_their_headers_say),
		cmocka_unit_test(interim_replies_are_skipped),
		cmocka_unit_test(reuse_follows_version_connection_and_framing),
		cmocka_unit_test(every_malformed_head_has_its_own_fault),
		cmocka_unit_test(names_are_made_of_token_bytes),
		cmocka_unit_test(names_are_known_in_any_case_and_whole),
		cmocka_unit_test(every_malformed_chunk_has_its_own_fault),
		cmocka_unit_test(nul_bytes_are_refused_outside_bodies),
		cmocka_unit_test(everything_that_grows_has_a_limit),
		cmocka_unit_test(surplus_is_left_to_the_caller),
		cmocka_unit_test(headers_can_be_found_and_visited),
		cmocka_unit_test(chunked_decoding_undoes_random_encoding),
		cmocka_unit_test(every_fault_has_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
