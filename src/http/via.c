/* SPDX-License-Identifier: MIT
 *
 * via - targets behind a proxy: what is connected instead, and what is said there.
 *
 * Requests for http targets are sent to the proxy itself, with the whole URL (RFC 9112 3.2.2). For
 * the others, and for HTTP/2, CONNECT makes a tunnel first (RFC 9110 9.3.6). That is a stream of
 * its own kind, which lies over the socket until the proxy has agreed and then becomes the one
 * that it leads to: what comes later costs no more than without a proxy. Only the head of the
 * proxy's answer is taken off the socket, whatever the far end sends right behind it. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "http/basic.h"
#include "http/http_int.h"
#include "http/proxy.h"

/* Of the proxy's answer, offered to a recv. */
#define RECV_BYTES (4 * 1024)

static char *authorization_of(struct str userinfo)
{
	struct buf line;

	buf_init(&line, 4 * LIMIT_PROXY_URL_BYTES);
	if (userinfo.len) {
		buf_add_text(&line, "Proxy-");
		basic_write(userinfo, &line);
	}
	ensure(!line.is_full);
	return buf_take(&line);
}

struct http_via *via_create(const struct http_origin *o, const struct proxy *proxy,
			    bool wants_tunnel)
{
	struct http_via *via = mem_zalloc(1, sizeof(*via));
	struct http_url url = proxy_url(proxy);
	const char *open = o->is_ipv6 ? "[" : "", *close = o->is_ipv6 ? "]" : "";

	via->host = mem_strndup(url.host.p, url.host.len);
	via->port = url.port;
	via->authorization = authorization_of(url.userinfo);
	if (wants_tunnel)
		via->connect = mem_printf("CONNECT %s%s%s:%s HTTP/1.1\r\n"
					  "Host: %s%s%s:%s\r\n" LINE_USER_AGENT "%s\r\n",
					  open, o->host, close, o->port, open, o->host, close,
					  o->port, via->authorization);
	else
		via->prefix = mem_printf("http://%s%s%s%s%s", open, o->host, close,
					 o->port_number == 80 ? "" : ":",
					 o->port_number == 80 ? "" : o->port);
	return via;
}

void via_destroy(struct http_via **v)
{
	struct http_via *via = *v;

	if (!via)
		return;
	mem_free(via->host);
	mem_free(via->authorization);
	mem_free(via->connect);
	mem_free(via->prefix);
	mem_free(via);
	*v = NULL;
}

/* --- The tunnel ---------------------------------------------------------------------------- */

static enum io ask(struct http_exchange *x, int fd)
{
	const char *text = x->origin->via->connect;
	size_t len = strlen(text);

	while (x->tunnel_sent < len) {
		ssize_t n = send(fd, text + x->tunnel_sent, len - x->tunnel_sent, MSG_NOSIGNAL);

		if (n >= 0)
			x->tunnel_sent += (size_t)n;
		else if (errno != EINTR)
			return stream_would_block(errno) ? IO_AGAIN : IO_FAIL;
	}
	return IO_OK;
}

static enum io refuse(struct http_exchange *x)
{
	failure_of_proxy(x->error);
	errno = EPROTO;
	return IO_FAIL;
}

/* len bytes have come and are still in the socket. */
static enum io take(struct http_exchange *x, int fd, size_t len)
{
	char *fresh = x->in.p + x->in.len;
	enum io io;

	x->in.len += len;
	io = http_response_head(&x->response, x->in.p, x->in.len);
	if (io == IO_FAIL) {
		failure_of_response(x->error, &x->response, x->in.p, x->in.len);
		return refuse(x);
	}
	if (io == IO_OK)
		len -= x->in.len - x->response.head_bytes;
	if (recv(fd, fresh, len, 0) != (ssize_t)len) {
		errno = ECONNRESET; /* in between */
		return IO_FAIL;
	}
	if (io == IO_OK && x->response.status / 100 != 2) {
		failure_of_tunnel(x->error, &x->response, x->in.p);
		return refuse(x);
	}
	return io;
}

static enum io listen_to(struct http_exchange *x, int fd)
{
	enum io io = IO_AGAIN;

	while (io == IO_AGAIN) {
		char *to = buf_room(&x->in, RECV_BYTES);
		ssize_t n = recv(fd, to, RECV_BYTES, MSG_PEEK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stream_would_block(errno) ? IO_AGAIN : IO_FAIL;
		if (n == 0) {
			(void)!http_response_eof(&x->response);
			failure_of_response(x->error, &x->response, x->in.p, x->in.len);
			return refuse(x);
		}
		io = take(x, fd, (size_t)n);
	}
	return io;
}

static void forget_answer(struct http_exchange *x)
{
	buf_clear(&x->in);
	http_response_init(&x->response, x->response.is_head_request);
}

static enum io via_shake(struct stream *s)
{
	struct http_exchange *x = CONTAINER_OF(s, struct http_conn, stream)->exchange;
	struct tls_peer *peer = x->origin->peer;
	int fd = s->fd;
	enum io io = ask(x, fd);

	if (io == IO_OK)
		io = listen_to(x, fd);
	if (io != IO_OK)
		return io;
	forget_answer(x);
	if (peer)
		tls_stream_open(s, fd, peer);
	else
		stream_open_plain(s, fd);
	s->ops->woken(s, x->tunnel_to_the_end);
	return s->ops->shake ? s->ops->shake(s) : IO_OK;
}

static ssize_t via_send(struct stream *s, const void *bytes, size_t len)
{
	enum io io = via_shake(s);

	if (io == IO_OK)
		return s->ops->send(s, bytes, len);
	if (io == IO_AGAIN)
		errno = EAGAIN;
	return -1;
}

static void via_woken(struct stream *s, bool to_the_end)
{
	CONTAINER_OF(s, struct http_conn, stream)->exchange->tunnel_to_the_end = to_the_end;
}

static void via_close(struct stream *s)
{
	s->fd = -1;
}

void via_open_tunnel(struct http_conn *conn, int fd)
{
	/* Nobody receives before the first byte of the request is sent. */
	static const struct stream_ops ops = {
		.send = via_send,
		.shake = via_shake,
		.woken = via_woken,
		.close = via_close,
	};
	struct http_exchange *x = conn->exchange;

	conn->stream = (struct stream){ .ops = &ops, .fd = fd };
	x->tunnel_sent = 0;
	x->tunnel_to_the_end = false;
	forget_answer(x);
}
