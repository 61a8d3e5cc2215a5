/* SPDX-License-Identifier: MIT
 *
 * client_fixture - a loop with a client, and a server thread on loopback that follows a
 * script of steps. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "http/http_int.h"

/* Nothing here takes that long; a hang fails instead. */
#define PATIENCE_US (20 * CLOCK_S)

enum step_kind {
	STEP_END = 0,
	STEP_ACCEPT,
	STEP_READ,	   /* one request; text: must be contained in it */
	STEP_WRITE,	   /* text */
	STEP_WRITE_SLOWLY, /* text, every byte in its own segment */
	STEP_FLOOD,	   /* count bytes */
	STEP_CLOSE,
	STEP_CUT, /* as close, without the farewell of a layer */
	STEP_RESET,
	STEP_AWAIT_CLOSE, /* until the client closes, who sends nothing before */
	STEP_AWAIT_END,	  /* until the client closes or resets, whatever it sends before */
	STEP_CHAT,	  /* the layer sends what is not the server's bytes */
	STEP_TELL,	  /* posts told */
	STEP_AWAIT_TEST	  /* until test_told */
};

struct step {
	enum step_kind kind;
	const char *text;
	size_t count;
};

/* Initialisers of a struct step. */
#define STEP(...) \
	{ \
		__VA_ARGS__ \
	}
#define END		   STEP(STEP_END)
#define ACCEPT		   STEP(STEP_ACCEPT)
#define READ(text)	   STEP(STEP_READ, text)
#define WRITE(text)	   STEP(STEP_WRITE, text)
#define WRITE_SLOWLY(text) STEP(STEP_WRITE_SLOWLY, text)
#define FLOOD(bytes)	   STEP(STEP_FLOOD, NULL, bytes)
#define CLOSE		   STEP(STEP_CLOSE)
#define CUT		   STEP(STEP_CUT)
#define RESET		   STEP(STEP_RESET)
#define AWAIT_CLOSE	   STEP(STEP_AWAIT_CLOSE)
#define AWAIT_END	   STEP(STEP_AWAIT_END)
#define CHAT		   STEP(STEP_CHAT)
#define TELL		   STEP(STEP_TELL)
#define AWAIT_TEST	   STEP(STEP_AWAIT_TEST)

struct server;

/* What lies above the server's socket; called on the server's thread. */
struct server_layer {
	void (*accept)(struct server *s);
	ssize_t (*read)(struct server *s, void *to, size_t room);
	ssize_t (*write)(struct server *s, const void *bytes, size_t len);
	void (*close)(struct server *s, bool has_farewell);
	void (*chat)(struct server *s);
};

struct server {
	const struct server_layer *layer; /* NULL: none */
	void *layer_arg;
	pthread_t thread;
	int listener, fd;
	uint16_t port;
	const struct step *steps;
	sem_t told, test_told;
	char request[65536];
	uint64_t body_sum; /* sum_of() the last request's body */
	char wrong[512];   /* "": all steps went well */
};

struct fixture {
	struct loop loop;
	struct loop_timer guard;
	struct http_client *client;
	struct http_conn conn;
	struct http_reply reply;
	struct server server;
	int done_count;
	bool has_hung;
	bool is_tls; /* of the URLs */
};

static void server_fails(struct server *s, const char *what, const char *detail)
{
	if (!s->wrong[0])
		snprintf(s->wrong, sizeof(s->wrong), "%s: %.300s", what, detail ? detail : "");
}

static bool is_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, (int)(PATIENCE_US / CLOCK_MS)) == 1;
}

static ssize_t server_recv(struct server *s, void *to, size_t room)
{
	return s->layer ? s->layer->read(s, to, room) : read(s->fd, to, room);
}

static ssize_t server_send(struct server *s, const void *bytes, size_t len)
{
	return s->layer ? s->layer->write(s, bytes, len) : send(s->fd, bytes, len, MSG_NOSIGNAL);
}

static size_t content_length(const char *head)
{
	const char *line = strstr(head, "Content-Length: ");
	unsigned long value = 0;

	return line && sscanf(line, "Content-Length: %lu", &value) == 1 ? value : 0;
}

/* FNV-1a, which the order of the bytes changes. */
static uint64_t sum_of(uint64_t sum, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3;
	return sum;
}

/* Reads a request; bodies beyond the buffer are read and dropped. */
static void server_read(struct server *s, const char *expected)
{
	size_t len = 0, whole = SIZE_MAX, got = 0;

	memset(s->request, 0, sizeof(s->request));
	while (got < whole) {
		size_t at = len < 32768 ? len : 32768;
		ssize_t n = is_ready(s->fd) ? server_recv(s, s->request + at, 32767) : -1;
		const char *end, *fresh = s->request + at;

		if (n <= 0) {
			server_fails(s, "no whole request", s->request);
			return;
		}
		len = at + (size_t)n;
		got += (size_t)n;
		end = strstr(s->request, "\r\n\r\n");
		if (end && whole == SIZE_MAX) {
			whole = (size_t)(end - s->request) + 4 + content_length(s->request);
			fresh = end + 4;
			s->body_sum = 0;
		}
		if (whole != SIZE_MAX)
			s->body_sum =
				sum_of(s->body_sum, fresh, (size_t)(s->request + len - fresh));
	}
	if (got != whole)
		server_fails(s, "more than a request", s->request);
	if (expected && !strstr(s->request, expected))
		server_fails(s, expected, s->request);
}

static void server_flood(struct server *s, size_t count)
{
	char block[65536];

	memset(block, 'x', sizeof(block));
	while (count) {
		size_t part = count < sizeof(block) ? count : sizeof(block);
		ssize_t n = server_send(s, block, part);

		/* A client may have had enough of it. */
		if (n < 0)
			return;
		count -= (size_t)n;
	}
}

static void server_write(struct server *s, const char *text, size_t part)
{
	for (size_t at = 0, len = strlen(text); at < len; at += part) {
		size_t size = len - at < part ? len - at : part;

		if (server_send(s, text + at, size) != (ssize_t)size)
			server_fails(s, "write", text);
	}
}

static void server_close(struct server *s, enum step_kind how)
{
	struct linger linger = { .l_onoff = 1 };

	if (s->layer)
		s->layer->close(s, how == STEP_CLOSE);
	if (how == STEP_RESET)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(s->fd);
	s->fd = -1;
}

static void await(struct server *s, sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_US / CLOCK_S;
	if (sem_timedwait(sem, &until) != 0)
		server_fails(s, "await", "timed out");
}

static void server_step(struct server *s, const struct step *step)
{
	char byte;
	int one = 1;

	switch (step->kind) {
	case STEP_ACCEPT:
		if (s->fd >= 0)
			server_close(s, STEP_CLOSE);
		s->fd = is_ready(s->listener) ? accept(s->listener, NULL, NULL) : -1;
		if (s->fd < 0)
			server_fails(s, "accept", "no connection came");
		setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (s->layer && s->fd >= 0)
			s->layer->accept(s);
		break;
	case STEP_READ:
		server_read(s, step->text);
		break;
	case STEP_WRITE:
		server_write(s, step->text, SIZE_MAX);
		break;
	case STEP_WRITE_SLOWLY:
		server_write(s, step->text, 1);
		break;
	case STEP_FLOOD:
		server_flood(s, step->count);
		break;
	case STEP_CLOSE:
	case STEP_CUT:
	case STEP_RESET:
		server_close(s, step->kind);
		break;
	case STEP_AWAIT_CLOSE:
		if (!is_ready(s->fd) || server_recv(s, &byte, 1) > 0)
			server_fails(s, "await close", "the client did not close");
		break;
	case STEP_AWAIT_END:
		while (is_ready(s->fd) && server_recv(s, s->request, sizeof(s->request)) > 0)
			;
		break;
	case STEP_CHAT:
		s->layer->chat(s);
		break;
	case STEP_TELL:
		sem_post(&s->told);
		break;
	case STEP_AWAIT_TEST:
		await(s, &s->test_told);
		break;
	case STEP_END:
		break;
	}
}

static void *server_main(void *arg)
{
	struct server *s = arg;

	for (const struct step *step = s->steps; step->kind && !s->wrong[0]; step++)
		server_step(s, step);
	if (s->fd >= 0)
		server_close(s, STEP_CLOSE);
	return NULL;
}

static int listen_on(uint16_t *port)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t name_bytes = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &name_bytes), 0);
	*port = ntohs(name.sin_port);
	return fd;
}

/* layer and layer_arg are set before, if there are to be any. */
static void server_start(struct server *s, const struct step *steps)
{
	s->steps = steps;
	s->fd = -1;
	s->listener = listen_on(&s->port);
	sem_init(&s->told, 0, 0);
	sem_init(&s->test_told, 0, 0);
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

/* Waits for the end of the script. */
static void server_stop(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->listener);
	sem_destroy(&s->told);
	sem_destroy(&s->test_told);
	if (s->wrong[0])
		fail_msg("server: %s", s->wrong);
}

static void on_guard(void *arg)
{
	struct fixture *f = arg;

	f->has_hung = true;
	loop_stop(&f->loop);
}

static void client_start(struct fixture *f)
{
	struct err_text why = { 0 };

	assert_int_equal(loop_init(&f->loop, &why), OK);
	loop_timer_init(&f->guard, on_guard, f);
	f->client = http_client_create(&f->loop);
	http_conn_init(&f->conn, f->client);
	f->done_count = 0;
	f->has_hung = false;
}

static void client_stop(struct fixture *f)
{
	http_conn_close(&f->conn);
	http_client_destroy(&f->client);
	loop_fini(&f->loop);
}

static struct fixture *start(const struct step *steps)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));

	server_start(&f->server, steps);
	client_start(f);
	return f;
}

static void stop(struct fixture *f)
{
	client_stop(f);
	server_stop(&f->server);
	mem_free(f);
}

static const struct http_origin *origin_of(struct fixture *f, const char *host, uint16_t port)
{
	const struct http_origin *origin = NULL;
	struct http_url url;
	char text[300];

	snprintf(text, sizeof(text), "http%s://%s:%u/", f->is_tls ? "s" : "", host, port);
	assert_int_equal(http_url_parse(str_of(text), &url, NULL), OK);
	assert_int_equal(http_client_origin(f->client, &url, &origin, NULL), OK);
	return origin;
}

static void on_done(void *arg)
{
	struct fixture *f = arg;

	f->done_count++;
	loop_stop(&f->loop);
}

/* Runs the loop until on_done(). */
static void await_done(struct fixture *f)
{
	int before = f->done_count;

	loop_timer_set(&f->loop, &f->guard, clock_us() + PATIENCE_US);
	loop_run(&f->loop);
	loop_timer_clear(&f->loop, &f->guard);
	assert_false(f->has_hung);
	assert_int_equal(f->done_count, before + 1);
	assert_false(http_conn_is_busy(&f->conn));
}

static void on_turn_over(void *arg)
{
	loop_stop(&((struct fixture *)arg)->loop);
}

/* A few events and at most 1 ms. */
static void turn(struct fixture *f)
{
	struct loop_timer timer;

	loop_timer_init(&timer, on_turn_over, f);
	loop_timer_set(&f->loop, &timer, clock_us() + CLOCK_MS);
	loop_run(&f->loop);
	loop_timer_clear(&f->loop, &timer);
}

static void await_closed(struct fixture *f)
{
	uint64_t until = clock_us() + PATIENCE_US;

	while (f->conn.watch.fd >= 0 && clock_us() < until)
		turn(f);
	assert_int_equal(f->conn.watch.fd, -1);
	assert_false(f->conn.is_connected);
}

/* The client did not connect once more: on loopback that would be in the queue by now. */
static void assert_no_connection(const struct fixture *f)
{
	struct pollfd p = { .fd = f->server.listener, .events = POLLIN };

	assert_int_equal(f->conn.watch.fd, -1);
	assert_int_equal(poll(&p, 1, 0), 0);
}

static struct http_request request_of(struct fixture *f, const char *method, const char *target)
{
	return (struct http_request){
		.method = method,
		.origin = origin_of(f, "127.0.0.1", f->server.port),
		.target = str_of(target),
		.headers = str_of(""),
		.timeout_us = PATIENCE_US,
	};
}

/* The reply lives until the next ask(). */
static void ask_for(struct fixture *f, const struct http_request *request)
{
	int before = f->done_count;

	http_conn_release(&f->conn);
	http_conn_send(&f->conn, request, &f->reply, on_done, f);
	assert_int_equal(f->done_count, before);
	assert_true(http_conn_is_busy(&f->conn));
	await_done(f);
}

static void ask(struct fixture *f, const char *method, const char *target)
{
	struct http_request request = request_of(f, method, target);

	ask_for(f, &request);
}

static void assert_reply(const struct fixture *f, unsigned status, const char *body)
{
	if (f->reply.error)
		fail_msg("%s", f->reply.error);
	assert_int_equal(f->reply.head->status, status);
	assert_int_equal(f->reply.body_len, strlen(body));
	assert_string_equal(f->reply.body, body);
}

static void assert_error(const struct fixture *f, const char *words)
{
	assert_non_null(f->reply.error);
	if (!strstr(f->reply.error, words))
		fail_msg("'%s' is not in '%s'", words, f->reply.error);
	assert_int_equal(f->reply.head->status, 0);
	assert_int_equal(f->reply.body_len, 0);
	assert_string_equal(f->reply.body, "");
}

#define CLOSING_REPLY "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye"
#define UNANSWERED    "RemoteDisconnected('the server closed the connection without an answer')"
#define OK_REPLY      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
