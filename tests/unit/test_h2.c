/* SPDX-License-Identifier: MIT
 *
 * test_h2 - one HTTP/2 connection against frames written by hand (h2_fixture.h). */
#include "h2_fixture.h"

static void test_request(void **state)
{
	struct peer *p = start_silent(
		str_of("POST /x HTTP/1.1\r\nHost: x.org\r\nUser-Agent: me\r\nCONNECTION: close\r\n"
		       "Keep-Alive: 5\r\nUpgrade: h2c\r\nTE: gzip\r\nProxy-Connection: close\r\n"
		       "Cookie: a=1; b=2\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello"));
	uint8_t flags = 0;
	struct str bytes;

	(void)state;
	bytes = sent_frame(p, NGHTTP2_HEADERS, 0, &flags);
	assert_non_null(bytes.p);
	assert_int_equal(flags & NGHTTP2_FLAG_END_STREAM, 0);
	assert_fields(bytes, ":method: POST\n:scheme: http\n:authority: x.org\n:path: /x\n"
			     "user-agent: me\ncookie: a=1; b=2\nx-empty: \ncontent-length: 5\n");
	bytes = sent_frame(p, NGHTTP2_DATA, 0, &flags);
	assert_int_equal(bytes.len, 5);
	assert_memory_equal(bytes.p, "hello", 5);
	assert_int_equal(flags, NGHTTP2_FLAG_END_STREAM);
	stop(p);
	p = start_silent(str_of("GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n\r\n"));
	bytes = sent_frame(p, NGHTTP2_HEADERS, 0, &flags);
	assert_int_equal(flags, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS);
	assert_fields(bytes,
		      ":method: GET\n:scheme: http\n:authority: x\n:path: /\nte: trailers\n");
	stop(p);
}

/* Whole and cut: an early hint, the answer in two pieces, a trailer. Then once more. */
static void test_answer(void **state)
{
	static const size_t parts[] = { 1, 2, 7, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct peer *p = start();
		struct str value;

		headers(p, 1, ":status: 103\nlink: </a>\n", false);
		headers(p, 1, ":status: 200\nlocation: /there\nset-cookie: a=1\nx-a: b\n", false);
		data(p, 1, "hel", false);
		data(p, 1, "", false);
		data(p, 1, "lo", false);
		headers(p, 1, "location: /trailer\n", true);
		take(p, parts[i]);
		assert_answer(p, 200, "hello");
		assert_true(p->r.has_set_cookie);
		value = http_slice_str(p->r.location, p->in.p);
		assert_true(str_eq(value, "/there"));
		assert_true(http_response_header(&p->r, p->in.p, "X-A", &value));
		assert_true(str_eq(value, "b"));
		assert_false(http_response_header(&p->r, p->in.p, "link", &value));
		send_request(p, str_of(OK_TEXT));
		headers(p, 3, ":status: 404\ncontent-length: 2\n", false);
		data(p, 3, "no", true);
		take(p, parts[i]);
		assert_answer(p, 404, "no");
		assert_false(h2_is_ending(p->h));
		assert_false(has_sent(p, NGHTTP2_RST_STREAM));
		stop(p);
	}
}

static void test_no_body(void **state)
{
	struct peer *p = start_with("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");

	(void)state;
	headers(p, 1, ":status: 200\ncontent-length: 5\n", true);
	take_all(p);
	assert_answer(p, 200, "");
	assert_int_equal(p->r.content_length, 5);
	send_request(p, str_of(OK_TEXT));
	headers(p, 3, ":status: 204\n", true);
	take_all(p);
	assert_answer(p, 204, "");
	send_request(p, str_of(OK_TEXT));
	headers(p, 5, ":status: 304\ncontent-length: 9\n", true);
	take_all(p);
	assert_answer(p, 304, "");
	stop(p);
}

/* What is no answer ends this request, not the connection. */
static void test_malformed(void **state)
{
	static const char *const blocks[] = {
		":status: 200\ncontent-length: 5\n", /* of a body of none */
		":status: 200\nconnection: close\n",
		":status: 200\ntransfer-encoding: chunked\n",
		":status: 101\n",
		":status: 20\n",
		":status: abc\n",
		":status: 200\n:status: 200\n",
		":status: 103\n", /* with the end of the stream */
		"x-a: b\n",
		":path: /\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct peer *p = start();

		headers(p, 1, blocks[i], true);
		take_all(p);
		assert_failed(p, H2_FAILED, "RemoteProtocolError('the server sent a malformed ");
		assert_true(has_sent(p, NGHTTP2_RST_STREAM));
		send_request(p, str_of(OK_TEXT));
		headers(p, 3, ":status: 204\n", true);
		take_all(p);
		assert_answer(p, 204, "");
		stop(p);
	}
}

/* No field can end its line: nothing of the server becomes a header that it did not send. */
static void test_control_characters(void **state)
{
	static const char *const names[] = { "x-\r\nset-cookie", "x-\n", "x:y", "x y" };
	static const char values[] = { '\r', '\n', '\0' };

	(void)state;
	for (size_t i = 0; i < 4 + sizeof(values); i++) {
		struct peer *p = start();
		char value[3] = { 'a', i < 4 ? 'b' : values[i - 4], 'c' };
		struct buf block;

		buf_init(&block, 256);
		add_literal(&block, str_of(":status"), str_of("200"));
		add_literal(&block, str_of(i < 4 ? names[i] : "x-a"), (struct str){ value, 3 });
		frame(p, NGHTTP2_HEADERS, 5, 1, block.p, block.len);
		take_all(p);
		if (h2_state(p->h) == H2_DONE) {
			assert_false(p->r.has_set_cookie);
			assert_int_equal(p->r.header_count, 0);
		} else {
			assert_int_equal(h2_state(p->h), H2_FAILED);
		}
		buf_fini(&block);
		stop(p);
	}
}

/* What nghttp2 keeps away from us, should it once not. */
static void test_second_line(void **state)
{
	nghttp2_frame head = { .hd = { .type = NGHTTP2_HEADERS, .stream_id = 1 } };
	nghttp2_frame end = {
		.hd = { .type = NGHTTP2_DATA, .stream_id = 1, .flags = NGHTTP2_FLAG_END_STREAM }
	};
	const uint8_t *name = (const uint8_t *)"x-a", *value = (const uint8_t *)"b\nc";
	struct peer *p = start();
	uint32_t flags = 0;
	uint8_t to[8];

	(void)state;
	assert_int_equal(on_header(NULL, &head, name, 3, value, 3, 0, p->h),
			 NGHTTP2_ERR_CALLBACK_FAILURE);
	assert_failed(p, H2_FAILED, "malformed name");
	stop(p);
	p = start();
	assert_int_equal(on_data(NULL, 0, 1, value, 3, p->h), 0);
	assert_int_equal(p->in.len, 0);
	assert_int_equal(read_body(NULL, 3, to, sizeof(to), &flags, NULL, p->h),
			 NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
	assert_int_equal(on_frame(NULL, &end, p->h), NGHTTP2_ERR_CALLBACK_FAILURE);
	assert_failed(p, H2_FAILED, "a malformed answer");
	stop(p);
}

static void test_reset(void **state)
{
	struct peer *p = start();

	(void)state;
	frame_of_number(p, NGHTTP2_RST_STREAM, 1, NGHTTP2_INTERNAL_ERROR);
	take_all(p);
	assert_failed(p, H2_FAILED, "StreamReset('the server reset the stream: INTERNAL_ERROR')");
	send_request(p, str_of(OK_TEXT));
	frame_of_number(p, NGHTTP2_RST_STREAM, 3, NGHTTP2_REFUSED_STREAM);
	take_all(p);
	assert_failed(p, H2_REFUSED, "StreamReset('the server reset the stream: REFUSED_STREAM')");
	/* The client's own reset is not the server's. */
	send_request(p, str_of(OK_TEXT));
	headers(p, 5, "x-a: b\n", true);
	take_all(p);
	assert_failed(p, H2_FAILED, "a malformed answer: Violation in HTTP messaging");
	/* Nor are the words of the last failure those of the next. */
	send_request(p, str_of(OK_TEXT));
	headers(p, 7, ":status: 200\ncontent-length: 3\n", false);
	data(p, 7, "hi", true);
	take_all(p);
	assert_failed(p, H2_FAILED, "a malformed answer: PROTOCOL_ERROR");
	/* Too late to be a refusal. */
	send_request(p, str_of(OK_TEXT));
	headers(p, 9, ":status: 200\n", false);
	frame_of_number(p, NGHTTP2_RST_STREAM, 9, NGHTTP2_REFUSED_STREAM);
	take_all(p);
	assert_failed(p, H2_FAILED, "REFUSED_STREAM");
	assert_true(h2_can_request(p->h));
	stop(p);
}

static void test_goaway(void **state)
{
	struct peer *p = start();

	(void)state;
	/* The request that the server has seen is finished, and is the last. */
	goaway(p, 1, NGHTTP2_NO_ERROR);
	take_all(p);
	assert_int_equal(h2_state(p->h), H2_WAITING);
	headers(p, 1, ":status: 200\n", false);
	data(p, 1, "hi", true);
	take_all(p);
	assert_answer(p, 200, "hi");
	assert_true(h2_is_ending(p->h));
	assert_false(h2_can_request(p->h));
	stop(p);
	p = start();
	goaway(p, 0, NGHTTP2_ENHANCE_YOUR_CALM);
	take_all(p);
	assert_failed(p, H2_REFUSED,
		      "ConnectionTerminated('the server ended the connection: ENHANCE_YOUR_CALM')");
	stop(p);
	p = start();
	goaway(p, 1, NGHTTP2_ENHANCE_YOUR_CALM);
	take_all(p);
	h2_eof(p->h);
	assert_failed(p, H2_FAILED, "ConnectionTerminated('the server ended the connection: ENHAN");
	stop(p);
	/* At rest. */
	p = start();
	headers(p, 1, ":status: 204\n", true);
	take_all(p);
	assert_true(h2_can_request(p->h));
	goaway(p, 1, NGHTTP2_NO_ERROR);
	take_all(p);
	assert_false(h2_can_request(p->h));
	stop(p);
}

static struct str big_request(struct buf *text, size_t body_len)
{
	buf_init(text, LIMIT_REQUEST_BYTES);
	buf_printf(text, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", body_len);
	while (body_len--)
		buf_add_char(text, 'x');
	return buf_str(text);
}

static size_t sent_bytes(const struct peer *p, uint8_t type)
{
	size_t sum = 0;
	uint8_t flags;
	struct str bytes;

	for (unsigned n = 0; (bytes = sent_frame(p, type, n, &flags)).p; n++)
		sum += bytes.len;
	return sum;
}

/* The body goes as far as the window lets it, and on when it opens. */
static void test_window(void **state)
{
	struct buf text;
	struct peer *p = start_silent(big_request(&text, 200000));

	(void)state;
	settings(p, 0, 0);
	take_all(p);
	assert_int_equal(sent_bytes(p, NGHTTP2_DATA), 65535);
	frame_of_number(p, NGHTTP2_WINDOW_UPDATE, 0, 1000000);
	frame_of_number(p, NGHTTP2_WINDOW_UPDATE, 1, 1000);
	take_all(p);
	assert_int_equal(sent_bytes(p, NGHTTP2_DATA), 66535);
	frame_of_number(p, NGHTTP2_WINDOW_UPDATE, 1, 1000000);
	take_all(p);
	assert_int_equal(sent_bytes(p, NGHTTP2_DATA), 200000);
	headers(p, 1, ":status: 204\n", true);
	take_all(p);
	assert_answer(p, 204, "");
	stop(p);
	buf_fini(&text);
}

/* RFC 9113 8.1: an answer may come before the request is sent. */
static void test_early_answer(void **state)
{
	(void)state;
	for (int has_reset = 0; has_reset < 2; has_reset++) {
		struct buf text;
		struct peer *p = start_silent(big_request(&text, 200000));

		settings(p, 0, 0);
		headers(p, 1, ":status: 413\n", true);
		if (has_reset)
			frame_of_number(p, NGHTTP2_RST_STREAM, 1, NGHTTP2_NO_ERROR);
		take_all(p);
		assert_answer(p, 413, "");
		buf_clear(&p->request);
		frame_of_number(p, NGHTTP2_WINDOW_UPDATE, 0, 1000000);
		take_all(p);
		assert_int_equal(sent_bytes(p, NGHTTP2_DATA), 65535);
		assert_true(has_reset || has_sent(p, NGHTTP2_RST_STREAM));
		send_request(p, str_of(OK_TEXT));
		headers(p, 3, ":status: 204\n", true);
		take_all(p);
		assert_answer(p, 204, "");
		stop(p);
		buf_fini(&text);
	}
}

static void test_concurrency(void **state)
{
	struct peer *p = start();

	(void)state;
	headers(p, 1, ":status: 204\n", true);
	settings(p, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
	take_all(p);
	buf_clear(&p->output);
	send_request(p, str_of(OK_TEXT));
	assert_false(has_sent(p, NGHTTP2_HEADERS));
	assert_int_equal(h2_state(p->h), H2_WAITING);
	settings(p, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
	take_all(p);
	assert_true(has_sent(p, NGHTTP2_HEADERS));
	/* Never let go, and then the connection is ended. */
	goaway(p, 1, NGHTTP2_NO_ERROR);
	take_all(p);
	assert_int_equal(h2_state(p->h), H2_REFUSED);
	stop(p);
}

static void test_at_rest(void **state)
{
	struct peer *p = start();
	uint8_t flags;
	struct str bytes;

	(void)state;
	headers(p, 1, ":status: 204\n", true);
	take_all(p);
	frame(p, NGHTTP2_PING, 0, 0, "12345678", 8);
	settings(p, NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 20000);
	take_all(p);
	bytes = sent_frame(p, NGHTTP2_PING, 0, &flags);
	assert_int_equal(bytes.len, 8);
	assert_memory_equal(bytes.p, "12345678", 8);
	assert_int_equal(flags, NGHTTP2_FLAG_ACK);
	assert_true(h2_can_request(p->h));
	stop(p);
}

static void test_no_number_left(void **state)
{
	struct peer *p = start();

	(void)state;
	headers(p, 1, ":status: 204\n", true);
	take_all(p);
	assert_int_equal(nghttp2_session_set_next_stream_id(p->h->session, INT32_MAX), 0);
	send_request(p, str_of(OK_TEXT));
	headers(p, INT32_MAX, ":status: 204\n", true);
	take_all(p);
	assert_answer(p, 204, "");
	assert_false(h2_can_request(p->h));
	stop(p);
}

static void test_another_protocol(void **state)
{
	static const char *const texts[] = { "HTTP/1.1 400 Bad Request\r\n\r\n",
					     "<!DOCTYPE html><title>400</title>",
					     "SSH-2.0-OpenSSH_9.2\r\n" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct peer *p = start_silent(str_of(OK_TEXT));

		buf_add_text(&p->frames, texts[i]);
		take(p, 1 + i);
		assert_failed(p, H2_FAILED, "RemoteProtocolError('the server did not answer in ");
		assert_non_null(strstr(p->why, "leave out --http2-prior-knowledge"));
		assert_true(h2_is_ending(p->h));
		stop(p);
	}
}

static void test_broken_connection(void **state)
{
	struct peer *p = start();

	(void)state;
	headers(p, 1, ":status: 200\n", false);
	/* A push, which the client has forbidden and the server has agreed to. */
	frame(p, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, "", 0);
	frame(p, NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, 1, "\0\0\0\2\x82\x86\x84", 7);
	take_all(p);
	assert_failed(p, H2_FAILED, "RemoteProtocolError('the server broke the rules of HTTP/2");
	assert_true(h2_is_ending(p->h));
	assert_true(has_sent(p, NGHTTP2_GOAWAY));
	stop(p);
	/* An index into a table that is not so long. */
	p = start();
	frame(p, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\xff\x7f", 2);
	take_all(p);
	assert_failed(
		p, H2_FAILED,
		"RemoteProtocolError('the server broke the rules of HTTP/2: COMPRESSION_ERROR')");
	stop(p);
}

static void test_end(void **state)
{
	struct peer *p = start();

	(void)state;
	h2_eof(p->h);
	assert_failed(p, H2_FAILED, "RemoteDisconnected('the server closed the connection without");
	assert_true(h2_is_ending(p->h));
	stop(p);
	p = start();
	headers(p, 1, ":status: 200\n", false);
	data(p, 1, "hi", false);
	take_all(p);
	h2_eof(p->h);
	assert_failed(p, H2_FAILED, "before the end of the body");
	stop(p);
	p = start_silent(str_of(OK_TEXT));
	h2_eof(p->h);
	assert_failed(p, H2_FAILED, "leave out --http2-prior-knowledge");
	stop(p);
}

static void test_limits(void **state)
{
	struct peer *p = start();
	struct buf lines;

	(void)state;
	headers(p, 1, ":status: 200\ncontent-length: 67108865\n", false);
	take_all(p);
	assert_failed(p, H2_FAILED, "ResponseTooLarge('the body is larger than 67108864 bytes')");
	assert_true(h2_is_ending(p->h));
	stop(p);

	p = start();
	buf_init(&lines, 65536);
	buf_add_text(&lines, ":status: 200\n");
	for (int i = 0; i <= LIMIT_RESPONSE_HEADERS; i++)
		buf_add_text(&lines, "x-a: b\n");
	headers(p, 1, lines.p, true);
	take_all(p);
	assert_failed(p, H2_FAILED, "sent more than 128 header lines");
	stop(p);

	/* A block that grows: one long field, and a byte for each further time. */
	p = start();
	buf_clear(&lines);
	buf_add(&lines, "\x88\x40\3x-a\x7f\xb9\x16", 9);
	for (int i = 0; i < 3000; i++)
		buf_add_char(&lines, 'x');
	for (int i = 0; i < 8000; i++)
		buf_add_char(&lines, '\xbe');
	frame(p, NGHTTP2_HEADERS, 5, 1, lines.p, lines.len);
	take_all(p);
	assert_failed(p, H2_FAILED, "sent a head of more than 64 kB");
	assert_true(p->in.len <= LIMIT_RESPONSE_HEAD_BYTES);
	stop(p);

	/* Early hints without end. */
	p = start();
	for (int i = 0; i < 6000; i++)
		headers(p, 1, ":status: 103\nx-a: b\n", false);
	take_all(p);
	assert_failed(p, H2_FAILED, "sent a head of more than 64 kB");
	stop(p);
	buf_fini(&lines);
}

/* Frames that bring the request no further. */
static void test_floods(void **state)
{
	struct peer *p = start();

	(void)state;
	headers(p, 1, ":status: 200\n", false);
	take_all(p);
	for (int i = 0; i <= LIMIT_H2_IDLE_BYTES / 9; i++)
		data(p, 1, "", false);
	take(p, 16384);
	assert_failed(p, H2_FAILED, "frames that bring the request no further");
	assert_true(h2_is_ending(p->h));
	stop(p);

	/* Of a type that nobody knows, at rest. */
	p = start();
	headers(p, 1, ":status: 204\n", true);
	take_all(p);
	for (int i = 0; i <= LIMIT_H2_IDLE_BYTES / 9; i++)
		frame(p, 0xbb, 0, 0, "", 0);
	take(p, 16384);
	assert_true(h2_is_ending(p->h));
	stop(p);

	/* What must be answered, from who does not read the answers. */
	p = start();
	for (int i = 0; i < 2000; i++)
		frame(p, NGHTTP2_PING, 0, 0, "12345678", 8);
	h2_take(p->h, p->frames.p, p->frames.len);
	assert_failed(p, H2_FAILED,
		      "RemoteProtocolError('the server broke the rules of HTTP/2: Fl");
	stop(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_no_body),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_second_line),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_goaway),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_early_answer),
		cmocka_unit_test(test_concurrency),
		cmocka_unit_test(test_at_rest),
		cmocka_unit_test(test_no_number_left),
		cmocka_unit_test(test_another_protocol),
		cmocka_unit_test(test_broken_connection),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_floods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
