/* SPDX-License-Identifier: MIT
 *
 * stream - the plain one: the calls of the socket, nothing else. */
#include "net/stream.h"

#include <errno.h>
#include <sys/socket.h>

static ssize_t plain_send(struct stream *s, const void *bytes, size_t len)
{
	return send(s->fd, bytes, len, MSG_NOSIGNAL);
}

static ssize_t plain_send_two(struct stream *s, struct str first, struct str second)
{
	/* sendmsg(2) does not write to them. */
	struct iovec parts[] = { { (char *)first.p, first.len }, { (char *)second.p, second.len } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(s->fd, &message, MSG_NOSIGNAL);
}

static ssize_t plain_recv(struct stream *s, void *to, size_t room)
{
	return recv(s->fd, to, room, 0);
}

static void plain_woken(struct stream *s, bool to_the_end)
{
	(void)s;
	(void)to_the_end;
}

static bool plain_is_drained(struct stream *s)
{
	char c;

	return recv(s->fd, &c, 1, MSG_PEEK) < 0 && stream_would_block(errno);
}

static void plain_close(struct stream *s)
{
	s->fd = -1;
}

void stream_open_plain(struct stream *s, int fd)
{
	static const struct stream_ops ops = {
		.send = plain_send,
		.send_two = plain_send_two,
		.recv = plain_recv,
		.woken = plain_woken,
		.is_drained = plain_is_drained,
		.close = plain_close,
	};

	*s = (struct stream){ .ops = &ops, .fd = fd };
}
