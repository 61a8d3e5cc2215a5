/* SPDX-License-Identifier: MIT
 *
 * canned_fixture - an HTTP server of one thread that answers canned bytes, one connection
 * after the other. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include <cmocka.h>

/* Answers one connection per entry of `replies`, then leaves. A NULL reply reads the
 * request and never answers, until the client closes. */
struct canned {
	int listener;
	unsigned port;
	const char *const *replies;
	size_t count;
	char request[4096]; /* the last one */
	char lines[4096];   /* the first line of each */
	pthread_t thread;
};

static inline size_t read_request(int fd, char *out, size_t cap)
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

static inline void keep_first_line(struct canned *c)
{
	size_t len = strlen(c->lines), line = strcspn(c->request, "\r");

	if (len + line + 2 < sizeof(c->lines))
		snprintf(c->lines + len, sizeof(c->lines) - len, "%.*s\n", (int)line, c->request);
}

static inline void *serve(void *arg)
{
	struct canned *c = arg;

	for (size_t i = 0; i < c->count; i++) {
		int fd = accept(c->listener, NULL, NULL);
		char rest;

		if (fd < 0)
			return NULL;
		read_request(fd, c->request, sizeof(c->request));
		keep_first_line(c);
		if (c->replies[i])
			(void)!write(fd, c->replies[i], strlen(c->replies[i]));
		else
			(void)!read(fd, &rest, 1);
		close(fd);
	}
	return NULL;
}

static inline void canned_start(struct canned *c, const char *const *replies, size_t count)
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

/* What was asked may be looked at from here on. May be called twice. */
static inline void canned_stop(struct canned *c)
{
	if (c->listener < 0)
		return;
	shutdown(c->listener, SHUT_RDWR);
	close(c->listener);
	pthread_join(c->thread, NULL);
	c->listener = -1;
}
