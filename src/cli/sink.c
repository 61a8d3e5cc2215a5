/* SPDX-License-Identifier: MIT
 *
 * sink - see the header. The descriptor is all it knows of a connection, so the few whose end it
 * has not seen when its thread leaves stay open until the program ends, which is at once. */
#include "cli/sink.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static bool watch(const struct sink *s, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void take_in(const struct sink *s)
{
	int fd, one = 1;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!watch(s, fd))
			close(fd);
	}
}

static void answer(int fd)
{
	char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close(fd);
	else if (n > 0)
		(void)!send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
}

static void *sink_main(void *arg)
{
	const struct sink *s = arg;
	struct epoll_event events[256];

	for (;;) {
		int ready = epoll_wait(s->epoll, events, 256, -1);

		for (int i = 0; i < ready; i++) {
			if (events[i].data.fd == s->end)
				return NULL;
			if (events[i].data.fd == s->listener)
				take_in(s);
			else
				answer(events[i].data.fd);
		}
	}
}

enum err sink_open(struct sink *s, struct err_text *text)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(name);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->listener >= 0 && s->epoll >= 0 && s->end >= 0 &&
	    bind(s->listener, (struct sockaddr *)&name, bytes) == 0 &&
	    getsockname(s->listener, (struct sockaddr *)&name, &bytes) == 0 &&
	    listen(s->listener, SOMAXCONN) == 0 && watch(s, s->listener) && watch(s, s->end) &&
	    (errno = pthread_create(&s->thread, NULL, sink_main, s)) == 0) {
		s->port = ntohs(name.sin_port);
		return OK;
	}
	err_set(text, ERR_IO, "cannot listen on 127.0.0.1: %s", strerror(errno));
	close(s->listener);
	close(s->epoll);
	close(s->end);
	return ERR_IO;
}

void sink_close(struct sink *s)
{
	const uint64_t one = 1;

	ensure(write(s->end, &one, sizeof(one)) == sizeof(one));
	pthread_join(s->thread, NULL);
	close(s->listener);
	close(s->epoll);
	close(s->end);
}

uint64_t sink_cpu_us(const struct sink *s)
{
	struct timespec t = { 0 };
	clockid_t clock;

	if (pthread_getcpuclockid(s->thread, &clock) == 0)
		(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * CLOCK_S + (uint64_t)t.tv_nsec / 1000;
}
