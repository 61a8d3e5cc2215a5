/* SPDX-License-Identifier: MIT
 *
 * fetch: calls against a server of one thread that answers canned bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "fetch/fetch.h"

/* Answers one connection per entry of `replies`, then leaves. A NULL reply reads the
 * request and never answers, until the client closes. */
struct canned {
	int listener;
	unsigned port;
	const char *const *replies;
	size_t count;
	char request[4096];
	pthread_t thread;
};

static size_t read_request(int fd, char *out, size_t cap)
{
	size_t len = 0, body;
	char *end;

	for (;;) {
		ssize_t got = read(fd, out + len, cap - 1 - len);

		if (got <= 0)
			return len;
		len += (size_t)got;
		out[len] = '\0';
		end = strstr(out, "\r\n\r\n");
		if (!end)
			continue;
		const char *length = strcasestr(out, "content-length:");

		body = length ? strtoul(length + 15, NULL, 10) : 0;
		if (len >= (size_t)(end + 4 - out) + body)
			return len;
	}
}

static void *serve(void *arg)
{
	struct canned *c = arg;

	for (size_t i = 0; i < c->count; i++) {
		int fd = accept(c->listener, NULL, NULL);
		char rest;

		if (fd < 0)
			return NULL;
		read_request(fd, c->request, sizeof(c->request));
		if (c->replies[i])
			(void)!write(fd, c->replies[i], strlen(c->replies[i]));
		else
			(void)!read(fd, &rest, 1);
		close(fd);
	}
	return NULL;
}

static void canned_start(struct canned *c, const char *const *replies, size_t count)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->listener >= 0);
	assert_int_equal(bind(c->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(c->listener, 8), 0);
	assert_int_equal(getsockname(c->listener, (struct sockaddr *)&address, &len), 0);
	c->port = ntohs(address.sin_port);
	c->replies = replies;
	c->count = count;
	assert_int_equal(pthread_create(&c->thread, NULL, serve, c), 0);
}

static void canned_stop(struct canned *c)
{
	shutdown(c->listener, SHUT_RDWR);
	close(c->listener);
	pthread_join(c->thread, NULL);
}

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
