/* SPDX-License-Identifier: MIT
 *
 * dial - connections to the addresses of an origin. A connect is only begun here; whether it
 * succeeds shows in the first send (client.c).
 *
 * New connections take the addresses in turn, so that the replicas behind one name share the load;
 * each load thread begins with the first. One that cannot be connected, whatever its family, is
 * passed over for LIMIT_ADDRESS_SKIP_S unless all are, and the request tries the next. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "http/http_int.h"

/* Each family has its turns: targets with addresses of both would give one of them every other. */
static int bind_source(struct http_client *c, int fd, int family)
{
	const struct sources *sources = &c->network->sources;

	if (!sources->v4_count && !sources->v6_count)
		return 0;
	return sources_bind(sources, fd, family, c->source_turn[family == AF_INET6]++);
}

/* Returns 0 when the connect is under way, else why not (errno). */
static int connect_to(struct http_conn *conn, const struct http_address *address)
{
	const struct http_origin *o = conn->exchange->origin;
	int one = 1, error;
	int fd = socket(address->name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	error = bind_source(conn->client, fd, address->name.ss_family);
	if (!error &&
	    connect(fd, (const struct sockaddr *)&address->name, address->name_bytes) < 0 &&
	    errno != EINPROGRESS)
		error = errno;
	if (!error && loop_watch(conn->client->loop, &conn->watch, fd,
				 EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn_on_event, conn))
		error = errno;
	if (error)
		close(fd);
	else if (o->via && o->via->connect)
		via_open_tunnel(conn, fd);
	else if (o->peer)
		tls_stream_open(&conn->stream, fd, o->peer);
	else
		stream_open_plain(&conn->stream, fd);
	return error;
}

/* The one whose turn it is among those not tried yet. One that could not be connected a moment ago
 * is taken only when there is no other. */
static bool choose(struct http_exchange *x, uint64_t now_us)
{
	const struct http_origin *o = x->origin;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < o->address_count; i++) {
			size_t at = (x->address + i) % o->address_count;

			if (x->tried & 1u << at ||
			    (!pass && o->addresses[at].skip_until_us > now_us))
				continue;
			x->address = at;
			x->tried |= 1u << at;
			return true;
		}
	return false;
}

/* Not what lacks here: descriptors, ports, memory. */
static bool is_of_address(int error)
{
	return error != EMFILE && error != ENFILE && error != EADDRNOTAVAIL && error != ENOBUFS &&
	       error != ENOMEM;
}

static void skip_address(struct http_exchange *x)
{
	if (x->generation == x->origin->generation)
		x->origin->addresses[x->address].skip_until_us =
			clock_us() + LIMIT_ADDRESS_SKIP_S * CLOCK_S;
}

/* Its addresses may be others than a moment ago. */
static void catch_up(struct http_exchange *x)
{
	if (x->generation == x->origin->generation)
		return;
	x->generation = x->origin->generation;
	x->tried = 0;
}

static bool dial(struct http_conn *conn, int error)
{
	struct http_exchange *x = conn->exchange;

	conn_close_socket(conn);
	x->send_errno = 0;
	catch_up(x);
	while (choose(x, clock_us())) {
		error = connect_to(conn, &x->origin->addresses[x->address]);
		if (!error)
			return true;
		if (is_of_address(error))
			skip_address(x);
	}
	failure_of_errno(x->error, error);
	if (x->origin->via)
		failure_of_proxy(x->error);
	return false;
}

bool dial_next(struct http_conn *conn, int error)
{
	if (is_of_address(error))
		skip_address(conn->exchange);
	return dial(conn, error);
}

bool dial_first(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;
	struct http_origin *o = x->origin;
	enum io io = origin_resolve(o, clock_us());

	if (io == IO_FAIL) {
		failure_of_resolver(x->error, o);
		if (o->via)
			failure_of_proxy(x->error);
		return false;
	}
	conn->origin = o;
	x->sent = 0;
	x->is_reused = false;
	x->tried = 0;
	if (io == IO_AGAIN) {
		list_append(&o->waiting, &x->waiting);
		return true;
	}
	x->generation = o->generation;
	x->address = o->next++ % o->address_count;
	return dial(conn, 0);
}

void dial_succeeded(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;

	if (x->generation == x->origin->generation)
		x->origin->addresses[x->address].skip_until_us = 0;
}

void dial_timed_out(struct http_conn *conn)
{
	if (conn->watch.fd >= 0)
		skip_address(conn->exchange);
}

void dial_waiting(struct http_origin *o)
{
	struct list woken;

	/* Whoever fails now may ask again at once, and waits for the next look-up then. */
	list_init(&woken);
	while (!list_is_empty(&o->waiting)) {
		struct list *first = o->waiting.next;

		list_remove(first);
		list_append(&woken, first);
	}
	while (!list_is_empty(&woken)) {
		struct http_exchange *x = CONTAINER_OF(woken.next, struct http_exchange, waiting);

		list_remove(&x->waiting);
		if (!dial_first(x->conn))
			conn_fail(x->conn);
	}
}
