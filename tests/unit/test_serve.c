/* SPDX-License-Identifier: MIT
 *
 * serve: real sockets on loopback, every case driven by the owner and on the server's own
 * threads; and the Prometheus text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "serve/metrics_text.h"
#include "serve/serve.h"

#define DEADLINE_US (10 * CLOCK_S)
#define BODY_MAX    10000
#define HELD_MAX    (3 * BODY_MAX)

struct fixture {
	unsigned threads; /* chosen by the test list */
	struct serve *serve;
	_Atomic(struct serve_request *) deferred;
	atomic_int answers[600]; /* by status */
	atomic_int unrouted;
};

static void on_echo(void *arg, struct serve_request *r)
{
	(void)arg;
	serve_add_header(r, "X-Remote", serve_remote(r));
	serve_reply(r, 200, "text/plain", serve_body(r).p, serve_body(r).len);
}

static void on_query(void *arg, struct serve_request *r)
{
	const char *name = serve_query(r, "name"), *agent = serve_header(r, "user-agent");
	char text[200];

	(void)arg;
	snprintf(text, sizeof(text), "%s %s %s", serve_path(r), name ? name : "-",
		 agent ? agent : "-");
	serve_reply(r, 200, "text/plain", text, strlen(text));
}

static void on_form(void *arg, struct serve_request *r)
{
	const char *a = serve_form(r, "a"), *b = serve_form(r, "b c"), *no = serve_form(r, "no");
	char text[200];

	(void)arg;
	snprintf(text, sizeof(text), "%s|%s|%s", a ? a : "-", b ? b : "-", no ? no : "-");
	serve_reply(r, 200, "text/plain", text, strlen(text));
}

static void on_later(void *arg, struct serve_request *r)
{
	struct fixture *f = arg;

	serve_defer(r);
	atomic_store(&f->deferred, r);
}

static void on_large(void *arg, struct serve_request *r)
{
	static const char zeros[HELD_MAX + 1];

	(void)arg;
	serve_add_header(r, "Content-Encoding", "of-zeros");
	serve_reply(r, 200, "text/plain", zeros, sizeof(zeros));
}

static void on_silent(void *arg, struct serve_request *r)
{
	(void)arg;
	(void)r;
}

static const struct serve_route routes[] = {
	{ "POST", "/echo", on_echo },
	{ "GET", "/query", on_query },
	{ "POST", "/query", on_echo },
	{ "GET", "/below/*", on_query },
	{ "POST", "/form", on_form },
	{ "GET", "/later", on_later },
	{ "GET", "/silent", on_silent },
	{ "GET", "/large", on_large },
	{ NULL, NULL, NULL },
};

static void on_answer(void *arg, const struct serve_answer *answer)
{
	struct fixture *f = arg;

	atomic_fetch_add(&f->answers[answer->status], 1);
	if (answer->route < 0) {
		assert_string_equal(answer->path, "other");
		atomic_fetch_add(&f->unrouted, 1);
	} else {
		assert_ptr_equal(answer->path, routes[answer->route].path);
	}
}

static void start(struct fixture *f, unsigned idle_timeout_s)
{
	struct serve_options o = { .host = "127.0.0.1",
				   .threads = f->threads,
				   .max_body_bytes = BODY_MAX,
				   .max_held_bytes = HELD_MAX,
				   .idle_timeout_s = idle_timeout_s,
				   .routes = routes,
				   .observe = on_answer,
				   .arg = f };
	struct err_text text = { "" };
	unsigned threads = f->threads;

	memset(f, 0, sizeof(*f));
	f->threads = threads;
	assert_int_equal(serve_create(&f->serve, &o, &text), OK);
	assert_true(serve_port(f->serve) > 0);
}

/* Lets the server work for a moment, or until fd is ready. */
static void pump(struct fixture *f, int fd, short events)
{
	struct pollfd fds[2] = { { .fd = fd, .events = events },
				 { .fd = f->threads ? -1 : serve_fd(f->serve), .events = POLLIN } };
	bool is_due = !f->threads && serve_timeout_us(f->serve) < 5 * CLOCK_MS;

	(void)poll(fds, 2, is_due ? 0 : 5);
	if (!f->threads)
		serve_turn(f->serve);
}

static int dial(struct fixture *f)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(serve_port(f->serve)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A server with one client, and room for what that hears. */
static int begin(struct fixture *f, struct buf *heard)
{
	start(f, 0);
	buf_init(heard, 1 << 20);
	return dial(f);
}

static void finish(struct fixture *f, int fd, struct buf *heard)
{
	close(fd);
	buf_fini(heard);
	serve_destroy(&f->serve, CLOCK_S);
}

static void say_bytes(struct fixture *f, int fd, const char *bytes, size_t len)
{
	uint64_t until_us = clock_us() + DEADLINE_US;

	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		assert_true(clock_us() < until_us);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else {
			pump(f, fd, POLLOUT);
		}
	}
}

static void say(struct fixture *f, int fd, const char *text)
{
	say_bytes(f, fd, text, strlen(text));
}

/* Reads until `count` times `what` has come, or until the server closes (what NULL). */
static void hear(struct fixture *f, int fd, struct buf *heard, const char *what, int count)
{
	uint64_t until_us = clock_us() + DEADLINE_US;
	char bytes[4096];

	for (;;) {
		const char *at = heard->p ? heard->p : "";
		ssize_t n;
		int seen = 0;

		while (what && (at = strstr(at, what))) {
			at += strlen(what);
			seen++;
		}
		if (what && seen >= count)
			return;
		if (clock_us() > until_us)
			fail_msg("waited for %d x '%s', heard: %s", count, what ? what : "close",
				 heard->p ? heard->p : "");
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			buf_add(heard, bytes, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			if (what)
				fail_msg("closed early, heard: %s", heard->p ? heard->p : "");
			return;
		} else {
			pump(f, fd, POLLIN);
		}
	}
}

static bool has(const struct buf *heard, const char *text)
{
	return heard->p && strstr(heard->p, text);
}

static void wait_idle(struct fixture *f)
{
	uint64_t until_us = clock_us() + DEADLINE_US;

	while (serve_in_flight(f->serve)) {
		assert_true(clock_us() < until_us);
		pump(f, -1, 0);
	}
}

static void connections_are_kept_and_pipelined_requests_answered_in_order(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	fd = begin(f, &heard);
	say(f, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst");
	hear(f, fd, &heard, "first", 1);
	assert_true(has(&heard, "HTTP/1.1 200 "));
	assert_true(has(&heard, "X-Remote: 127.0.0.1\r\n"));
	say(f, fd,
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nsecond"
	    "GET /query?name=a%20b HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\n\r\n"
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nthird");
	hear(f, fd, &heard, "third", 1);
	assert_true(has(&heard, "/query a b me"));
	assert_true(strstr(heard.p, "second") < strstr(heard.p, "/query a b"));
	assert_true(strstr(heard.p, "/query a b") < strstr(heard.p, "third"));
	assert_int_equal(f->answers[200], 4);
	finish(f, fd, &heard);
}

static void a_chunked_body_arrives_whole(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	fd = begin(f, &heard);
	say(f, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab");
	pump(f, -1, 0);
	say(f, fd, "cd\r\n3\r\nefg\r\n0\r\n\r\n");
	hear(f, fd, &heard, "abcdefg", 1);
	finish(f, fd, &heard);
}

static void too_large_a_body_is_refused_and_the_connection_survives(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	char *big = mem_zalloc(1, BODY_MAX + 1);
	int fd;

	start(f, 0);
	buf_init(&heard, 1 << 20);
	memset(big, 'x', BODY_MAX + 1);
	fd = dial(f);
	say(f, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n");
	say_bytes(f, fd, big, BODY_MAX + 1);
	hear(f, fd, &heard, "the body is larger than the 10000 bytes", 1);
	assert_true(has(&heard, "HTTP/1.1 413 "));
	assert_true(has(&heard, "application/json"));
	/* Chunked: the size shows only on the way. */
	say(f, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n");
	say_bytes(f, fd, big, BODY_MAX + 1);
	say(f, fd, "\r\n0\r\n\r\n");
	hear(f, fd, &heard, "HTTP/1.1 413 ", 2);
	/* Exactly the limit is fine. */
	say(f, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n");
	say_bytes(f, fd, big, BODY_MAX);
	hear(f, fd, &heard, "HTTP/1.1 200 ", 1);
	assert_int_equal(f->answers[413], 2);
	close(fd);
	buf_fini(&heard);
	mem_free(big);
	serve_destroy(&f->serve, CLOCK_S);
}

static void a_huge_or_expecting_sender_is_refused_before_its_body(void **state)
{
	static const char *const asks[] = {
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n"
		"Expect: 100-continue\r\n\r\n",
	};
	struct fixture *f = *state;

	start(f, 0);
	for (size_t i = 0; i < 2; i++) {
		struct buf heard;
		int fd = dial(f);

		buf_init(&heard, 1 << 20);
		say(f, fd, asks[i]);
		hear(f, fd, &heard, NULL, 0);
		assert_true(has(&heard, "HTTP/1.1 413 "));
		assert_false(has(&heard, "100 Continue"));
		close(fd);
		buf_fini(&heard);
	}
	serve_destroy(&f->serve, CLOCK_S);
}

/* All that was sent is read. */
static void settle(struct fixture *f)
{
	struct pollfd pfd = { .fd = serve_fd(f->serve), .events = POLLIN };

	do
		serve_turn(f->serve);
	while (poll(&pfd, 1, 0) > 0 || !serve_timeout_us(f->serve));
}

static void large_bodies_and_answers_have_a_limit_in_all(void **state)
{
	static const char head[] =
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n";
	struct fixture *f = *state;
	char body[BODY_MAX] = { 0 };
	struct buf heard;
	int fds[4];

	start(f, 0);
	buf_init(&heard, 1 << 20);
	for (size_t i = 0; i < 4; i++) {
		fds[i] = dial(f);
		say(f, fds[i], head);
		say_bytes(f, fds[i], body, i < 3 ? BODY_MAX - 1 : BODY_MAX);
		settle(f);
	}
	hear(f, fds[3], &heard, "large requests and answers of others are under way", 1);
	assert_true(has(&heard, "HTTP/1.1 503 ") && has(&heard, "Retry-After: 1\r\n"));
	say(f, fds[3], "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fds[3], &heard, "HTTP/1.1 503 ", 2);
	hear(f, fds[3], &heard, "large requests and answers of others are under way", 2);
	assert_false(has(&heard, "of-zeros"));
	/* The others are not harmed, and leave their room. */
	for (size_t i = 0; i < 3; i++) {
		buf_clear(&heard);
		say_bytes(f, fds[i], body, 1);
		hear(f, fds[i], &heard, "HTTP/1.1 200 ", 1);
		close(fds[i]);
	}
	wait_idle(f);
	buf_clear(&heard);
	say(f, fds[3], head);
	say_bytes(f, fds[3], body, BODY_MAX);
	hear(f, fds[3], &heard, "HTTP/1.1 200 ", 1);
	close(fds[3]);
	buf_fini(&heard);
	serve_destroy(&f->serve, CLOCK_S);
}

static void unknown_paths_and_methods_get_json_errors(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	fd = begin(f, &heard);
	say(f, fd, "GET /nowhere%22 HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd, &heard, "{\"error\": \"no such path: /nowhere\\\"\"}", 1);
	assert_true(has(&heard, "HTTP/1.1 404 "));
	say(f, fd, "PUT /query HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
	hear(f, fd, &heard, "method PUT is not allowed", 1);
	assert_true(has(&heard, "HTTP/1.1 405 "));
	assert_true(has(&heard, "Allow: GET, HEAD, POST\r\n"));
	say(f, fd, "BREW /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd, &heard, "Allow: POST\r\n", 1);
	say(f, fd, "GET /below/a/b HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd, &heard, "/below/a/b - -", 1);
	say(f, fd, "GET /below HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd, &heard, "HTTP/1.1 404 ", 2);
	assert_int_equal(f->answers[404], 2);
	assert_int_equal(f->answers[405], 2);
	assert_int_equal(f->unrouted, 4);
	finish(f, fd, &heard);
}

static void say_multipart(struct fixture *f, int fd, const char *type, const char *body, size_t len)
{
	char *head = mem_printf("POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n"
				"Content-Length: %zu\r\n\r\n",
				type, len);

	say(f, fd, head);
	assert_int_equal(send(fd, body, len, MSG_NOSIGNAL), (int)len);
	mem_free(head);
}

static void multipart_fields_are_found(void **state)
{
	static const char body[] = "--xy\r\nContent-Disposition: form-data; name=\"b c\"\r\n\r\n"
				   "1+%31\0\r\n"
				   "--xy\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n"
				   "--xy\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n2\r\n"
				   "--xy\r\nContent-Disposition: form-data\r\n\r\nnameless\r\n"
				   "--xy--\r\n";
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	fd = begin(f, &heard);
	say_multipart(f, fd, "multipart/form-data; boundary=xy", body, sizeof(body) - 1);
	hear(f, fd, &heard, "|1+%31|-", 1);
	/* No boundary, another one, and an end in the middle: no fields, or those that were whole.
	 */
	say_multipart(f, fd, "multipart/form-data", body, sizeof(body) - 1);
	hear(f, fd, &heard, "-|-|-", 1);
	say_multipart(f, fd, "multipart/form-data; boundary=other", body, sizeof(body) - 1);
	hear(f, fd, &heard, "-|-|-", 2);
	for (size_t len = 0; len < sizeof(body); len += 7) {
		buf_clear(&heard);
		say_multipart(f, fd, "multipart/form-data; boundary=xy", body, len);
		hear(f, fd, &heard, "|-", 1);
		assert_true(has(&heard, "HTTP/1.1 200 "));
	}
	finish(f, fd, &heard);
}

static void head_is_served_without_a_body(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	fd = begin(f, &heard);
	say(f, fd, "HEAD /query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	hear(f, fd, &heard, NULL, 0);
	assert_true(has(&heard, "HTTP/1.1 200 "));
	assert_true(has(&heard, "Content-Length: 10\r\n"));
	assert_false(has(&heard, "/query"));
	finish(f, fd, &heard);
}

static void form_fields_are_decoded(void **state)
{
	static const char body[] = "a=1%2B1+x&&junk&b%20c=&a=2&%00=%zz";
	struct fixture *f = *state;
	struct buf heard;
	char ask[300];
	int fd;

	fd = begin(f, &heard);
	snprintf(ask, sizeof(ask),
		 "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: "
		 "application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(body), body);
	say(f, fd, ask);
	hear(f, fd, &heard, "1+1 x||-", 1);
	/* Not a form: no fields. */
	say(f, fd, "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=1");
	hear(f, fd, &heard, "-|-|-", 1);
	finish(f, fd, &heard);
}

static struct serve_request *await_deferred(struct fixture *f)
{
	uint64_t until_us = clock_us() + DEADLINE_US;
	struct serve_request *r;

	while (!(r = atomic_exchange(&f->deferred, NULL))) {
		assert_true(clock_us() < until_us);
		pump(f, -1, 0);
	}
	return r;
}

static void a_deferred_request_is_answered_later_and_the_rest_goes_on(void **state)
{
	struct fixture *f = *state;
	struct buf heard, other;
	struct serve_request *r;
	int fd, fd2;

	start(f, 0);
	buf_init(&heard, 1 << 20);
	buf_init(&other, 1 << 20);
	fd = dial(f);
	say(f, fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	r = await_deferred(f);
	assert_int_equal(serve_in_flight(f->serve), 1);
	fd2 = dial(f);
	say(f, fd2, "GET /query HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd2, &other, "/query - -", 1);
	assert_int_equal(recv(fd, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	serve_reply(r, 200, "text/plain", "at last", 7);
	hear(f, fd, &heard, "at last", 1);
	/* The connection goes on. */
	say(f, fd, "GET /query HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd, &heard, "/query - -", 1);
	close(fd);
	close(fd2);
	buf_fini(&heard);
	buf_fini(&other);
	serve_destroy(&f->serve, CLOCK_S);
}

static void a_deferred_request_may_outlive_its_client(void **state)
{
	struct fixture *f = *state;
	struct serve_request *r;
	struct linger reset = { .l_onoff = 1 };

	start(f, 0);
	for (int i = 0; i < 2; i++) {
		int fd = dial(f);

		say(f, fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
		r = await_deferred(f);
		if (i) /* once with FIN, once with RST */
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		for (int turns = 0; turns < 5; turns++)
			pump(f, -1, 0);
		serve_error(r, 503, "too late");
		wait_idle(f);
	}
	assert_int_equal(f->answers[503], 2);
	serve_destroy(&f->serve, CLOCK_S);
}

static void a_handler_that_says_nothing_becomes_a_500(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	fd = begin(f, &heard);
	say(f, fd, "GET /silent HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd, &heard, "HTTP/1.1 500 ", 1);
	finish(f, fd, &heard);
}

static void a_silent_client_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	start(f, 1);
	buf_init(&heard, 1 << 20);
	fd = dial(f);
	say(f, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf a");
	hear(f, fd, &heard, NULL, 0);
	assert_false(has(&heard, "200"));
	finish(f, fd, &heard);
}

static void garbage_does_no_harm(void **state)
{
	static const char *const asks[] = {
		"\x16\x03\x01\x02",
		"GET\r\n\r\n",
		"GET \r\n\r\n",
		"GET  \r\n\r\n",
		"\r\n\r\n\r\n",
		"POST /echo HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
		"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET /query HTTP/9.9\r\n\r\n",
	};
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	/* libmicrohttpd does not see the end of a stream that was there before its first read; such
	 * a connection goes when it has been idle. */
	start(f, 1);
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		fd = dial(f);
		say(f, fd, asks[i]);
		shutdown(fd, SHUT_WR);
		buf_init(&heard, 1 << 20);
		hear(f, fd, &heard, NULL, 0);
		assert_false(has(&heard, " 200 "));
		buf_fini(&heard);
		close(fd);
	}
	buf_init(&heard, 1 << 20);
	fd = dial(f);
	say(f, fd, "GET /query HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd, &heard, "/query - -", 1);
	finish(f, fd, &heard);
}

/* The head of a request with that many arguments, and as many headers. */
static void say_arguments(struct fixture *f, int fd, int count, int headers)
{
	struct buf head;

	buf_init(&head, 1 << 20);
	buf_add_text(&head, "GET /query?");
	for (int i = 0; i < count; i++)
		buf_add_text(&head, i ? "&a=b" : "name=me");
	buf_add_text(&head, " HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < headers; i++)
		buf_add_text(&head, "X-Y: z\r\n");
	buf_add_text(&head, "\r\n");
	say_bytes(f, fd, head.p, head.len);
	buf_fini(&head);
}

static void a_body_of_unknown_coding_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	fd = begin(f, &heard);
	say(f, fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n");
	hear(f, fd, &heard, "HTTP/1.1 501 ", 1);
	finish(f, fd, &heard);
}

static void a_url_of_many_arguments_is_answered_at_once(void **state)
{
	struct fixture *f = *state;
	struct buf heard;
	int fd;

	fd = begin(f, &heard);
	say_arguments(f, fd, LIMIT_SERVE_QUERY_ARGS, 50);
	hear(f, fd, &heard, "/query me -", 1);
	/* The connection goes on. */
	for (int count = LIMIT_SERVE_QUERY_ARGS + 1, i = 1; count < 2000; count += 150, i++) {
		say_arguments(f, fd, count, 5);
		hear(f, fd, &heard, "HTTP/1.1 414 ", i);
	}
	say_arguments(f, fd, 1, 0);
	hear(f, fd, &heard, "/query me -", 2);
	/* Few, but so long that there is no room for them. */
	buf_clear(&heard);
	say(f, fd, "GET /query?a");
	for (int i = 0; i < 90; i++)
		say(f, fd,
		    "&123456789=123456789012345678901234567890123456789012345678901234567890"
		    "12345678901234567890123456789012345678901234567890123456789012345678901234");
	say(f, fd, " HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(f, fd, &heard, "HTTP/1.1 414 ", 1);
	finish(f, fd, &heard);
}

static void draining_refuses_new_connections_and_finishes_old_ones(void **state)
{
	struct fixture *f = *state;
	struct serve_request *r;
	struct buf heard;
	int fd, late;

	fd = begin(f, &heard);
	say(f, fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	r = await_deferred(f);
	serve_stop_accepting(f->serve);
	pump(f, -1, 0);
	late = dial(f);
	assert_int_equal(late, -1);
	serve_reply(r, 200, "text/plain", "done", 4);
	serve_destroy(&f->serve, DEADLINE_US);
	assert_null(f->serve);
	for (char bytes[1000]; !has(&heard, "done");) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

		assert_true(n > 0);
		buf_add(&heard, bytes, (size_t)n);
	}
	assert_true(has(&heard, "Connection: close\r\n"));
	close(fd);
	buf_fini(&heard);
}

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* The server's threads are busy while the door is closed behind their backs. Who came before
 * is served. */
static void closing_the_door_under_load_does_no_harm(void **state)
{
	struct fixture *f = *state;
	size_t files_before = open_files();
	int fds[8];

	for (int round = 0; round < 100; round++) {
		start(f, 0);
		for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
			fds[i] = dial(f);
			for (int k = 0; k < 10; k++)
				say(f, fds[i], "GET /query HTTP/1.1\r\nHost: x\r\n\r\n");
		}
		serve_stop_accepting(f->serve);
		pump(f, -1, 0);
		assert_int_equal(dial(f), -1);
		for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
			struct buf heard;

			buf_init(&heard, 1 << 20);
			hear(f, fds[i], &heard, "HTTP/1.1 200 OK", 1);
			buf_fini(&heard);
			close(fds[i]);
		}
		serve_destroy(&f->serve, DEADLINE_US);
	}
	assert_int_equal(open_files(), files_before);
}

static void a_taken_port_is_named_with_the_remedy(void **state)
{
	struct fixture *f = *state;
	struct err_text text = { "" };
	struct serve_options o = { .host = "127.0.0.1", .routes = routes };
	struct serve *second = NULL;
	char expected[64];

	start(f, 0);
	o.port = serve_port(f->serve);
	assert_int_equal(serve_create(&second, &o, &text), ERR_BUSY);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u: the port is in use", o.port);
	assert_non_null(strstr(text.text, expected));
	o.host = "no.such.host.invalid";
	assert_int_equal(serve_create(&second, &o, &text), ERR_NOT_FOUND);
	assert_null(second);
	serve_destroy(&f->serve, CLOCK_S);
}

static void servers_can_share_a_port(void **state)
{
	struct fixture *f = *state;
	struct serve_options o = { .reuse_port = true, .routes = routes };
	struct serve *first = NULL, *second = NULL;
	struct err_text text = { "" };

	o.threads = f->threads;
	assert_int_equal(serve_create(&first, &o, &text), OK);
	o.port = serve_port(first);
	assert_int_equal(serve_create(&second, &o, &text), OK);
	assert_int_equal(serve_port(second), o.port);
	serve_destroy(&first, CLOCK_S);
	serve_destroy(&second, CLOCK_S);
}

static void metrics_text_is_what_prometheus_reads(void **state)
{
	static const struct metrics_label labels[] = { { "path", "/a\"b\\c\nd" },
						       { "code", "200" } };
	static const double bounds[] = { 0.001, 0.1, 1 };
	struct hist h;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	hist_init(&h);
	hist_add(&h, 500, 2);
	hist_add(&h, 50000, 1);
	hist_add(&h, 2000000, 1);
	metrics_text_family(&b, "n_total", METRICS_COUNTER, "All\nof \\ them.");
	metrics_text_sample(&b, "n_total", labels, 2, 12345678901.0);
	metrics_text_sample(&b, "plain", NULL, 0, 0.25);
	metrics_text_sample(&b, "odd", NULL, 0, 1.0 / 0.0);
	assert_string_equal(b.p, "# HELP n_total All\\nof \\\\ them.\n# TYPE n_total counter\n"
				 "n_total{path=\"/a\\\"b\\\\c\\nd\",code=\"200\"} 12345678901\n"
				 "plain 0.25\nodd +Inf\n");
	buf_clear(&b);
	metrics_text_hist(&b, "t_seconds", labels + 1, 1, &h, bounds, 3);
	assert_non_null(strstr(b.p, "t_seconds_bucket{code=\"200\",le=\"0.001\"} 2\n"));
	assert_non_null(strstr(b.p, "t_seconds_bucket{code=\"200\",le=\"0.1\"} 3\n"));
	assert_non_null(strstr(b.p, "t_seconds_bucket{code=\"200\",le=\"1\"} 3\n"));
	assert_non_null(strstr(b.p, "t_seconds_bucket{code=\"200\",le=\"+Inf\"} 4\n"));
	assert_non_null(strstr(b.p, "t_seconds_count{code=\"200\"} 4\n"));
	buf_clear(&b);
	metrics_text_hist(&b, "t", NULL, 0, &h, bounds, 1);
	assert_non_null(strstr(b.p, "t_bucket{le=\"0.001\"} 2\nt_bucket{le=\"+Inf\"} 4\nt_sum "));
	hist_fini(&h);
	buf_fini(&b);
}

#define BOTH(test) \
	cmocka_unit_test_prestate(test, &driven), cmocka_unit_test_prestate(test, &threaded)

int main(void)
{
	static struct fixture driven = { .threads = 0 }, threaded = { .threads = 2 };
	const struct CMUnitTest tests[] = {
		BOTH(connections_are_kept_and_pipelined_requests_answered_in_order),
		BOTH(a_chunked_body_arrives_whole),
		BOTH(too_large_a_body_is_refused_and_the_connection_survives),
		cmocka_unit_test_prestate(large_bodies_and_answers_have_a_limit_in_all, &driven),
		BOTH(a_huge_or_expecting_sender_is_refused_before_its_body),
		BOTH(unknown_paths_and_methods_get_json_errors),
		BOTH(head_is_served_without_a_body),
		BOTH(form_fields_are_decoded),
		BOTH(multipart_fields_are_found),
		BOTH(a_deferred_request_is_answered_later_and_the_rest_goes_on),
		BOTH(a_deferred_request_may_outlive_its_client),
		BOTH(a_handler_that_says_nothing_becomes_a_500),
		BOTH(a_silent_client_is_dropped),
		BOTH(garbage_does_no_harm),
		BOTH(a_body_of_unknown_coding_is_not_waited_for),
		BOTH(a_url_of_many_arguments_is_answered_at_once),
		BOTH(draining_refuses_new_connections_and_finishes_old_ones),
		BOTH(closing_the_door_under_load_does_no_harm),
		BOTH(a_taken_port_is_named_with_the_remedy),
		BOTH(servers_can_share_a_port),
		cmocka_unit_test(metrics_text_is_what_prometheus_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
