/* SPDX-License-Identifier: MIT
 *
 * dial - connections to the addresses of an origin, one address after the other. A connect is only
 * begun here; whether it succeeds shows in the first send (client.c). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http_int.h"

/* Returns 0 when the connect is under way, else why not (errno). */
static int connect_to(struct http_conn *conn, const struct http_address *address)
{
	int one = 1, error = 0;
	int fd = socket(address->name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&address->name, address->name_bytes) < 0 &&
	    errno != EINPROGRESS)
		error = errno;
	else if (loop_watch(conn->client->loop, &conn->watch, fd,
			    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn_on_event, conn))
		error = errno;
	if (error)
		close(fd);
	else if (conn->exchange->origin->peer)
		tls_stream_open(&conn->stream, fd, conn->exchange->origin->peer);
	else
		stream_open_plain(&conn->stream, fd);
	return error;
}

bool dial_next(struct http_conn *conn, int error)
{
	struct http_exchange *x = conn->exchange;
	struct http_origin *o = x->origin;

	conn_close_socket(conn);
	x->send_errno = 0;
	while (x->addresses_tried < o->address_count) {
		size_t at = (x->first_address + x->addresses_tried++) % o->address_count;

		error = connect_to(conn, &o->addresses[at]);
		if (!error)
			return true;
	}
	failure_of_errno(x->error, error);
	return false;
}

bool dial_first(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;

	origin_resolve(x->origin, clock_us());
	if (!x->origin->address_count) {
		failure_of_resolver(x->error, x->origin);
		return false;
	}
	conn->origin = x->origin;
	x->sent = 0;
	x->is_reused = false;
	x->addresses_tried = 0;
	x->first_address = x->origin->good;
	return dial_next(conn, 0);
}
