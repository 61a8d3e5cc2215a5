/* SPDX-License-Identifier: MIT
 *
 * fetch: calls against a server of one thread that answers canned bytes. */
#include "canned_fixture.h"

#include <jansson.h>

#include "base/clock.h"
#include "fetch/fetch.h"

#define JSON_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{\"a\": 1234}"
#define BUSY_REPLY "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot ready"

static enum err ask(struct canned *c, const char *body, uint64_t timeout_ms, unsigned attempts,
		    fetch_stop_fn is_stopped, struct json_t **out, struct err_text *text)
{
	struct fetch *f = fetch_create(is_stopped, NULL);
	char url[64];
	enum err err;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/stats", c->port);
	err = fetch_json(
		f,
		&(struct fetch_request){
			.url = url, .body = body, .timeout_ms = timeout_ms, .attempts = attempts },
		out, text);
	fetch_destroy(&f);
	return err;
}

static void a_reply_in_json_is_read(void **state)
{
	static const char *const replies[] = { JSON_REPLY };
	struct canned c = { 0 };
	struct err_text text = { "" };
	json_t *root = NULL;

	(void)state;
	canned_start(&c, replies, 1);
	assert_int_equal(ask(&c, NULL, 5000, 1, NULL, &root, &text), OK);
	assert_int_equal(json_integer_value(json_object_get(root, "a")), 1234);
	assert_int_equal(strncmp(c.request, "GET /stats HTTP/1.1\r\n", 21), 0);
	json_decref(root);
	canned_stop(&c);
}

static void a_body_makes_it_a_post_of_a_form(void **state)
{
	static const char *const replies[] = { JSON_REPLY };
	struct canned c = { 0 };
	struct err_text text = { "" };
	struct buf form;
	json_t *root = NULL;

	(void)state;
	buf_init(&form, 1000);
	fetch_form_add(&form, "user_count", "20");
	fetch_form_add(&form, "host", "http://a:1/ b");
	assert_string_equal(form.p, "user_count=20&host=http%3A%2F%2Fa%3A1%2F%20b");
	canned_start(&c, replies, 1);
	assert_int_equal(ask(&c, form.p, 5000, 1, NULL, &root, &text), OK);
	assert_int_equal(strncmp(c.request, "POST /stats HTTP/1.1\r\n", 22), 0);
	assert_non_null(strstr(c.request, "application/x-www-form-urlencoded"));
	assert_non_null(strstr(c.request, form.p));
	json_decref(root);
	buf_fini(&form);
	canned_stop(&c);
}

static void a_busy_server_is_asked_again(void **state)
{
	static const char *const replies[] = { BUSY_REPLY, BUSY_REPLY, JSON_REPLY };
	struct canned c = { 0 };
	struct err_text text = { "" };
	json_t *root = NULL;

	(void)state;
	canned_start(&c, replies, 3);
	assert_int_equal(ask(&c, NULL, 5000, 5, NULL, &root, &text), OK);
	json_decref(root);
	canned_stop(&c);
}

static void one_attempt_means_one_and_the_status_is_told(void **state)
{
	static const char *const replies[] = { BUSY_REPLY, JSON_REPLY };
	struct canned c = { 0 };
	struct err_text text = { "" };
	json_t *root = NULL;

	(void)state;
	canned_start(&c, replies, 2);
	assert_int_equal(ask(&c, NULL, 5000, 1, NULL, &root, &text), ERR_IO);
	assert_non_null(strstr(text.text, "answered 503 not ready"));
	assert_non_null(strstr(text.text, "/stats"));
	canned_stop(&c);
}

static void a_silent_server_meets_the_deadline(void **state)
{
	static const char *const replies[] = { NULL };
	struct canned c = { 0 };
	struct err_text text = { "" };
	json_t *root = NULL;
	uint64_t start_us = clock_us();

	(void)state;
	canned_start(&c, replies, 1);
	assert_int_equal(ask(&c, NULL, 300, 3, NULL, &root, &text), ERR_TIMEOUT);
	assert_true(clock_us() - start_us < 3 * CLOCK_S);
	canned_stop(&c);
}

static uint64_t stop_at_us;

static bool is_late(void *arg)
{
	(void)arg;
	return clock_us() >= stop_at_us;
}

static void a_stop_ends_the_call_within_200_ms(void **state)
{
	static const char *const replies[] = { NULL };
	struct canned c = { 0 };
	struct err_text text = { "" };
	json_t *root = NULL;

	(void)state;
	canned_start(&c, replies, 1);
	stop_at_us = clock_us() + 50 * CLOCK_MS;
	assert_int_equal(ask(&c, NULL, 60000, 1, is_late, &root, &text), ERR_INTERRUPTED);
	assert_true(clock_us() - stop_at_us < 200 * CLOCK_MS);
	canned_stop(&c);
}

static void what_is_not_an_object_is_refused(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n[1]\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n{\"a\"",
		"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 40\r\nConnection: close\r\n\r\n{\"a\"",
		"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	};
	static const enum err want[] = { ERR_BAD_INPUT, ERR_BAD_INPUT, ERR_NOT_FOUND, ERR_CLOSED,
					 ERR_IO };
	struct canned c = { 0 };

	(void)state;
	canned_start(&c, replies, 5);
	for (size_t i = 0; i < 5; i++) {
		struct err_text text = { "" };
		json_t *root = NULL;

		assert_int_equal(ask(&c, NULL, 5000, 1, NULL, &root, &text), want[i]);
		assert_null(root);
		assert_true(text.text[0]);
	}
	canned_stop(&c);
}

static void a_closed_port_is_refused_and_named(void **state)
{
	static const char *const replies[] = { JSON_REPLY };
	struct canned c = { 0 };
	struct err_text text = { "" };
	json_t *root = NULL;

	(void)state;
	canned_start(&c, replies, 1);
	canned_stop(&c);
	assert_int_equal(ask(&c, NULL, 5000, 1, NULL, &root, &text), ERR_REFUSED);
	assert_non_null(strstr(text.text, "GET http://127.0.0.1:"));
}

static void collect(const char *bytes, size_t len, void *arg)
{
	buf_add(arg, bytes, len);
}

/* Opens a stream and makes calls until it is over. */
static enum err follow(struct canned *c, struct buf *out, long *status, struct err_text *text)
{
	struct fetch *f = fetch_create(NULL, NULL);
	struct fetch_stream *s;
	char url[64];
	enum err err;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/watch", c->port);
	s = fetch_stream_open(
		f, &(struct fetch_request){ .url = url, .bearer = "abc", .timeout_ms = 1500 },
		collect, out);
	while ((err = fetch_stream_step(s, text)) == ERR_BUSY)
		fetch_rest(f, 5);
	*status = fetch_stream_reply(s)->status;
	fetch_stream_close(&s);
	fetch_destroy(&f);
	return err;
}

static void a_stream_gives_its_bytes_and_says_how_it_ended(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
		"HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nwhy",
		NULL,
	};
	static const struct {
		enum err err;
		const char *bytes;
		long status;
	} want[] = {
		{ OK, "onetwo", 200 },
		{ ERR_CLOSED, "one", 200 },
		{ OK, "", 403 },
		{ ERR_TIMEOUT, "", 0 },
	};
	struct canned c = { 0 };

	(void)state;
	canned_start(&c, replies, 4);
	for (size_t i = 0; i < 4; i++) {
		struct err_text text = { "" };
		struct buf got;
		long status;

		buf_init(&got, 100);
		assert_int_equal(follow(&c, &got, &status, &text), want[i].err);
		assert_string_equal(got.p ? got.p : "", want[i].bytes);
		assert_int_equal(status, want[i].status);
		if (want[i].err)
			assert_non_null(strstr(text.text, "GET http://127.0.0.1:"));
		buf_fini(&got);
	}
	canned_stop(&c);
	assert_non_null(strstr(c.request, "Authorization: Bearer abc\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_in_json_is_read),
		cmocka_unit_test(a_body_makes_it_a_post_of_a_form),
		cmocka_unit_test(a_busy_server_is_asked_again),
		cmocka_unit_test(one_attempt_means_one_and_the_status_is_told),
		cmocka_unit_test(a_silent_server_meets_the_deadline),
		cmocka_unit_test(a_stop_ends_the_call_within_200_ms),
		cmocka_unit_test(what_is_not_an_object_is_refused),
		cmocka_unit_test(a_closed_port_is_refused_and_named),
		cmocka_unit_test(a_stream_gives_its_bytes_and_says_how_it_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
