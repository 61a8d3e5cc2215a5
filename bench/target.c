/* SPDX-License-Identifier: MIT
 *
 * target PORT - a server on loopback that does as little as one can for a request: it finds the end
 * of the head, passes over Content-Length bytes of body, and answers with the same 20 bytes. One
 * thread, until it is killed, at most an hour. For bench/peers.py: where nginx is the limit of a
 * comparison, the generators wait for it, and what is compared is how they wait. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 32768 /* descriptors */
#define RECV_BYTES	(64 * 1024)

static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			    "Content-Length: 20\r\n\r\n{\"predictions\": [0]}";

/* Bytes of a body that are still to come, by descriptor. A head that is cut in two ends the
 * connection: the generators send each in one piece. */
static size_t body_left[CONNECTIONS_MAX];

/* Bytes of a request's body behind a head. */
static size_t body_bytes(const char *head, size_t len)
{
	const char *field = memmem(head, len, "Content-Length: ", 16);

	return field ? strtoul(field + 16, NULL, 10) : 0;
}

/* False when the connection is of no more use. */
static int take(int fd, const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t left = body_left[fd], body = left < len - at ? left : len - at;

		if (!left) {
			const char *end = memmem(bytes + at, len - at, "\r\n\r\n", 4);
			size_t head = end ? (size_t)(end + 4 - bytes) - at : 0;

			if (!head)
				return 0;
			left = body_bytes(bytes + at, head);
			body = 0;
			at += head;
		}
		body_left[fd] = left - body;
		at += body;
		if (!body_left[fd] && send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL) < 0)
			return 0;
	}
	return 1;
}

static void on_readable(int fd)
{
	static char bytes[RECV_BYTES];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	if ((n < 0 && errno != EAGAIN && errno != EINTR) || n == 0 ||
	    (n > 0 && !take(fd, bytes, (size_t)n)))
		close(fd);
}

static void on_caller(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0)
		return;
	if (fd >= CONNECTIONS_MAX || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	body_left[fd] = 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[256], event = { .events = EPOLLIN, .data.fd = listener };

	if (argc != 2) {
		fputs("usage: target PORT\n", stderr);
		return 2;
	}
	name.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) != 0 ||
	    listen(listener, 1024) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
		perror("target");
		return 1;
	}
	alarm(3600);
	for (;;) {
		int ready = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < ready; i++) {
			if (events[i].data.fd == listener)
				on_caller(epoll, listener);
			else
				on_readable(events[i].data.fd);
		}
	}
}
