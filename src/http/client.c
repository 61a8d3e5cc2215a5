/* SPDX-License-Identifier: MIT
 *
 * client - see the header.
 *
 * Life of a request: http_conn_send() takes an exchange and writes the request to an open
 * connection at once, else begins to connect; conn_on_event() goes on with whatever is possible:
 * send the rest, receive, parse; finish() is the one end of it.
 *
 * Edge-triggered rules kept here: send and recv go on until EAGAIN, except that a recv which
 * got less than the room it offered has drained the socket, for whatever comes later raises a
 * new edge; a stream with records (TLS) is received until EAGAIN. Only the end of the stream may
 * have come in the edge just taken; then recv goes on until it is seen. An idle connection that
 * becomes readable is closed: the server ends it, or sends what nobody asked for.
 *
 * A connect that is not decided yet makes send fail with EAGAIN, and a failed one makes it
 * fail with the reason, so connecting needs no calls of its own; dial.c begins it. */
#include "http/client.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failure_class.h"
#include "base/mem.h"
#include "http/h2_wire.h"
#include "http/http_int.h"

/* Room offered to the first recv; with the NUL a whole 16 kB. */
#define RECV_BYTES (16 * 1024 - 1)
/* Room below which the buffer grows. */
#define RECV_BYTES_MIN (4 * 1024)
/* A pooled buffer larger than this gives its memory back. */
#define KEPT_BYTES_MAX (256 * 1024)

/* A smaller body is cheaper to copy than to send as a second part. */
#define LENT_BYTES_MIN 2048

#define READ_EVENTS ((uint32_t)(EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
#define END_EVENTS  ((uint32_t)(EPOLLRDHUP | EPOLLHUP | EPOLLERR))

static const struct http_network network_defaults;

struct http_client *http_client_create(struct loop *loop)
{
	struct http_client *c = mem_zalloc(1, sizeof(*c));

	c->loop = loop;
	c->network = &network_defaults;
	map_init(&c->by_name);
	return c;
}

void http_client_use_tls(struct http_client *c, const struct tls_options *options)
{
	c->tls_options = options;
}

void http_client_use_version(struct http_client *c, enum http_version version)
{
	ensure(!c->tls);
	c->version = version;
}

void http_client_use_network(struct http_client *c, const struct http_network *network)
{
	c->network = network ? network : &network_defaults;
}

static void exchange_destroy(struct http_exchange *x)
{
	deadline_fini(&x->deadline);
	buf_fini(&x->out);
	buf_fini(&x->in);
	mem_free(x);
}

void http_client_destroy(struct http_client **c)
{
	struct http_client *client = *c;

	if (!client)
		return;
	ensure(!client->exchanges_in_use);
	while (client->pool) {
		struct http_exchange *x = client->pool;

		client->pool = x->next;
		exchange_destroy(x);
	}
	resolver_destroy(&client->resolver);
	for (size_t i = 0; i < client->origin_count; i++)
		origin_destroy(&client->origins[i]);
	tls_client_destroy(&client->tls);
	h2_place_destroy(&client->h2);
	map_fini(&client->by_name);
	mem_free(client);
	*c = NULL;
}

struct http_count http_client_take_count(struct http_client *c)
{
	struct http_count count = c->count;

	c->count = (struct http_count){ 0 };
	return count;
}

static void on_deadline(void *arg);

static struct http_exchange *exchange_acquire(struct http_client *c)
{
	struct http_exchange *x = c->pool;

	c->exchanges_in_use++;
	if (x) {
		c->pool = x->next;
		if (--c->pooled < c->pooled_min)
			c->pooled_min = c->pooled;
		return x;
	}
	x = mem_zalloc(1, sizeof(*x));
	deadline_init(&x->deadline, c->loop, on_deadline, x);
	buf_init(&x->out, LIMIT_REQUEST_BYTES);
	buf_init(&x->in, LIMIT_RESPONSE_HEAD_BYTES + LIMIT_RESPONSE_BODY_BYTES + RECV_BYTES);
	return x;
}

static void buf_reset(struct buf *b)
{
	if (b->cap > KEPT_BYTES_MAX)
		buf_fini(b);
	b->len = 0;
	b->is_full = false;
}

static void exchange_release(struct http_client *c, struct http_exchange *x)
{
	buf_reset(&x->out);
	buf_reset(&x->in);
	c->large_bytes -= x->large_bytes;
	x->large_bytes = 0;
	x->next = c->pool;
	c->pool = x;
	c->pooled++;
	c->exchanges_in_use--;
}

/* Half, so that a load that comes in waves keeps most of what the next one needs. */
void http_client_trim(struct http_client *c)
{
	c->spare = (c->pooled_min + 1) / 2;
	c->pooled_min = c->pooled;
}

bool http_client_drop(struct http_client *c)
{
	struct http_exchange *x = c->pool;

	if (!c->spare || !x)
		return false;
	c->spare--;
	c->pool = x->next;
	if (--c->pooled < c->pooled_min)
		c->pooled_min = c->pooled;
	exchange_destroy(x);
	return true;
}

void http_conn_init(struct http_conn *conn, struct http_client *c)
{
	*conn = (struct http_conn){ .client = c, .watch.fd = -1 };
}

bool http_conn_is_busy(const struct http_conn *conn)
{
	return conn->exchange && !conn->exchange->is_done;
}

void conn_close_socket(struct http_conn *conn)
{
	int fd = conn->watch.fd;

	conn->client->count.closed += conn->is_connected;
	conn->is_connected = false;
	h2_destroy(&conn->h2);
	if (fd < 0)
		return;
	conn->stream.ops->close(&conn->stream);
	loop_unwatch(conn->client->loop, &conn->watch);
	close(fd);
}

struct str http_conn_target(const struct http_conn *conn)
{
	const struct buf *out = &conn->exchange->out;
	const char *start = memchr(out->p, ' ', out->len), *end;

	/* The line is our own: METHOD SP target SP version, or to a proxy METHOD SP URL SP version.
	 */
	ensure(start);
	start++;
	if (*start != '/')
		start += strlen(conn->exchange->origin->via->prefix);
	end = memchr(start, ' ', out->len - (size_t)(start - out->p));
	ensure(end);
	return (struct str){ start, (size_t)(end - start) };
}

void http_conn_release(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;

	ensure(!http_conn_is_busy(conn));
	conn->exchange = NULL;
	if (x)
		exchange_release(conn->client, x);
}

void http_conn_close(struct http_conn *conn)
{
	conn_close_socket(conn);
	if (http_conn_is_busy(conn)) {
		deadline_lift(&conn->exchange->deadline);
		list_remove(&conn->exchange->waiting);
		conn->exchange->is_done = true;
	}
	http_conn_release(conn);
}

static bool is_too_large(const struct http_exchange *x)
{
	return x->out.is_full || x->body.len > LIMIT_REQUEST_BYTES - x->out.len;
}

/* The one end of a request. Touches nothing after done(), which may send the next one. */
static void finish(struct http_conn *conn, bool can_reuse)
{
	struct http_exchange *x = conn->exchange;
	struct http_reply *reply = x->reply;

	deadline_lift(&x->deadline);
	list_remove(&x->waiting);
	if (x->error[0] && !conn->is_connected && !x->is_reused && !is_too_large(x))
		conn->client->count.failed++;
	if (!can_reuse)
		conn_close_socket(conn);
	*reply = (struct http_reply){ .head = &x->response, .bytes = "", .body = "" };
	if (x->error[0]) {
		http_response_init(&x->response, false);
		reply->error = x->error;
	} else {
		x->in.p[x->in.len] = '\0';
		reply->bytes = x->in.p;
		reply->body = x->in.p + x->response.head_bytes;
		reply->body_len = x->in.len - x->response.head_bytes;
	}
	reply->ended_us = clock_us();
	reply->time_us = reply->ended_us - x->start_us;
	reply->body_us = x->head_us ? reply->ended_us - x->head_us : 0;
	x->is_done = true;
	x->done(x->arg);
}

void conn_fail(struct http_conn *conn)
{
	finish(conn, false);
}

/* Why the stream cannot go on, unless it is said already. */
static void fail_of(struct http_conn *conn, int error)
{
	char *text = conn->exchange->error;

	if (text[0])
		return;
	if (error == EPROTO && conn->stream.ops->failure)
		conn->stream.ops->failure(&conn->stream, text, FAILURE_BYTES);
	else
		failure_of_errno(text, error);
}

/* From here on the connection speaks HTTP/2, and first of all this request. */
static void begin_h2(struct http_conn *conn)
{
	struct http_client *c = conn->client;
	struct http_exchange *x = conn->exchange;

	if (!c->h2)
		c->h2 = h2_place_create();
	conn->h2 = h2_create(c->h2);
	/* It has all its numbers yet. */
	ensure(h2_request(conn->h2, buf_str(&x->out), conn->stream.tls, &x->response, &x->in));
}

/* Before the first byte on a new connection, and again as long as none could be sent. IO_AGAIN: in
 * the handshake, where ALPN decides. */
static enum io choose_version(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;
	enum io io;

	if (conn->stream.ops->shake) {
		io = conn->stream.ops->shake(&conn->stream);
		if (io == IO_FAIL)
			x->send_errno = errno;
		if (io != IO_OK)
			return io;
	}
	if (!conn->stream.tls) {
		if (conn->client->version == HTTP_VERSION_2)
			begin_h2(conn);
		return IO_OK;
	}
	if (tls_stream_is_h2(&conn->stream)) {
		begin_h2(conn);
	} else if (conn->client->version == HTTP_VERSION_2) {
		failure_of_version(x->error);
		x->send_errno = EPROTO;
		return IO_FAIL;
	}
	return IO_OK;
}

static ssize_t send_rest(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;
	struct stream *stream = &conn->stream;
	size_t head_sent = x->sent < x->out.len ? x->sent : x->out.len;
	struct str head = { x->out.p + head_sent, x->out.len - head_sent };
	struct str body = { x->body.p + (x->sent - head_sent),
			    x->body.len - (x->sent - head_sent) };

	if (!body.len)
		return stream->ops->send(stream, head.p, head.len);
	if (!head.len)
		return stream->ops->send(stream, body.p, body.len);
	return stream->ops->send_two(stream, head, body);
}

static enum io flush(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;

	if (conn->client->version != HTTP_VERSION_1_1 && !conn->is_connected && !conn->h2) {
		enum io io = choose_version(conn);

		if (io != IO_OK)
			return io;
	}
	if (conn->h2) {
		enum io io = h2_wire_send(conn->h2, &conn->stream, &x->sent);

		if (io == IO_FAIL)
			x->send_errno = errno;
		return io;
	}
	while (x->sent < x->out.len + x->body.len) {
		ssize_t n = send_rest(conn);

		if (n >= 0) {
			x->sent += (size_t)n;
		} else if (stream_would_block(errno)) {
			return IO_AGAIN;
		} else if (errno != EINTR) {
			x->send_errno = errno;
			return IO_FAIL;
		}
	}
	return IO_OK;
}

/* True when the server has closed an idle connection before it saw the request, or may have
 * seen it but may see it twice. */
static bool is_stale(const struct http_exchange *x)
{
	return x->is_reused && !x->was_retried && !x->in.len && (x->is_idempotent || !x->sent);
}

/* For what it does now: connect, or all of it. */
static uint64_t time_limit_us(const struct http_conn *conn)
{
	const struct http_exchange *x = conn->exchange;

	return !conn->is_connected && x->connect_timeout_us ? x->connect_timeout_us : x->timeout_us;
}

static bool retry(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;

	x->was_retried = true;
	conn_close_socket(conn);
	if (x->connect_timeout_us)
		deadline_set(&x->deadline, clock_us() + x->connect_timeout_us);
	return dial_first(conn);
}

/* After the first flush on a new connection. False: not connected yet, or not at all. Another
 * address is tried when nobody can be reached at this one, not when we do not get on (TLS). */
static bool check_connected(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;

	if (!x->sent) {
		if (x->send_errno == EPROTO)
			fail_of(conn, EPROTO);
		else if (!x->send_errno || dial_next(conn, x->send_errno))
			return false;
		finish(conn, false);
		return false;
	}
	conn->is_connected = true;
	conn->client->count.opened++;
	if (x->connect_timeout_us)
		deadline_set(&x->deadline, clock_us() + x->timeout_us);
	dial_succeeded(conn);
	return true;
}

static enum io parse_too_large(struct http_exchange *x)
{
	failure_of_size(x->error);
	return IO_FAIL;
}

/* fresh: bytes at the end of x->in that the parser has not seen. */
static enum io parse(struct http_exchange *x, size_t fresh)
{
	struct http_response *r = &x->response;
	size_t used, body_len, at = x->in.len - fresh;
	enum io io;

	if (!r->is_head_done) {
		io = http_response_head(r, x->in.p, x->in.len);
		if (io == IO_FAIL)
			failure_of_response(x->error, r, x->in.p, x->in.len);
		if (io != IO_OK)
			return io;
		if (r->framing == HTTP_BODY_LENGTH && r->content_length > LIMIT_RESPONSE_BODY_BYTES)
			return parse_too_large(x);
		at = r->head_bytes;
		fresh = x->in.len - at;
	}
	io = http_response_body(r, x->in.p + at, fresh, &used, &body_len);
	x->has_surplus = used < fresh;
	x->in.len = at + body_len;
	if (io == IO_AGAIN && !x->head_us)
		x->head_us = clock_us();
	if (io == IO_FAIL)
		failure_of_response(x->error, r, x->in.p, x->in.len);
	else if (r->body_bytes > LIMIT_RESPONSE_BODY_BYTES)
		return parse_too_large(x);
	return io;
}

/* The stream ended: closed (error 0) or broken. */
static void end_of_stream(struct http_conn *conn, int error)
{
	struct http_exchange *x = conn->exchange;

	if (is_stale(x)) {
		if (!retry(conn))
			finish(conn, false);
		return;
	}
	if (error || http_response_eof(&x->response) != IO_OK) {
		if (!error)
			error = x->send_errno;
		if (error)
			fail_of(conn, error);
		else
			failure_of_response(x->error, &x->response, x->in.p, x->in.len);
	} else if (conn->stream.is_cut) {
		/* The end of the stream is the end of the body, and anybody may have made it. */
		conn->stream.ops->failure(&conn->stream, x->error, FAILURE_BYTES);
	}
	finish(conn, false);
}

/* More of the answer is to come. False: there is no room for it. */
static bool has_room(struct http_exchange *x)
{
	struct http_client *c = x->conn->client;

	if (x->in.cap <= KEPT_BYTES_MAX || x->in.cap == x->large_bytes)
		return true;
	c->large_bytes += x->in.cap - x->large_bytes;
	x->large_bytes = x->in.cap;
	if (c->large_bytes <= LIMIT_BODIES_BYTES)
		return true;
	failure_of_sizes(x->error);
	return false;
}

/* Where the next bytes go, and how many at most. */
static char *recv_room(struct buf *in, size_t *room)
{
	bool is_wide = in->cap > in->len + RECV_BYTES_MIN;
	char *to = is_wide ? in->p + in->len : buf_room(in, RECV_BYTES);

	ensure(to);
	*room = in->cap - in->len - 1;
	return to;
}

/* A reply that filled the room offered may hide more bytes for which no edge will come. */
static bool can_reuse(struct http_conn *conn, bool was_filled)
{
	const struct http_exchange *x = conn->exchange;

	return x->response.can_reuse && !x->has_surplus && x->sent == x->out.len + x->body.len &&
	       (!was_filled || conn->stream.ops->is_drained(&conn->stream));
}

/* to_the_end: the stream has ended or broken, so that nothing more will wake us. */
static void receive(struct http_conn *conn, bool to_the_end)
{
	struct http_exchange *x = conn->exchange;
	bool was_filled = true;

	while (was_filled || to_the_end) {
		size_t room;
		char *to = recv_room(&x->in, &room);
		ssize_t n = conn->stream.ops->recv(&conn->stream, to, room);
		enum io io;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && stream_would_block(errno) && !x->send_errno)
			return;
		if (n <= 0) {
			end_of_stream(conn, n == 0 ? 0 : x->send_errno ? x->send_errno : errno);
			return;
		}
		x->in.len += (size_t)n;
		was_filled = (size_t)n == room || conn->stream.ops->is_layered;
		io = parse(x, (size_t)n);
		if (io != IO_AGAIN || !has_room(x)) {
			finish(conn, io == IO_OK && !to_the_end && can_reuse(conn, was_filled));
			return;
		}
	}
}

/* The state is no longer to wait. */
static void end_of_answer(struct http_conn *conn, bool is_open)
{
	struct http_exchange *x = conn->exchange;
	enum h2_state state = h2_state(conn->h2);

	if (state == H2_REFUSED && !x->was_retried) {
		buf_clear(&x->in);
		http_response_init(&x->response, x->response.is_head_request);
		if (!retry(conn))
			finish(conn, false);
		return;
	}
	if (state != H2_DONE && !x->error[0])
		h2_failure(conn->h2, x->error);
	finish(conn, state == H2_DONE && is_open && h2_can_request(conn->h2));
}

static void on_idle_h2(struct http_conn *conn, uint32_t events)
{
	size_t sent = 0;

	if (h2_wire_receive(conn->h2, &conn->stream, events & END_EVENTS) != IO_AGAIN ||
	    h2_wire_send(conn->h2, &conn->stream, &sent) == IO_FAIL || h2_is_ending(conn->h2))
		conn_close_socket(conn);
}

/* is_broken: sending has failed. to_the_end: as in receive(). */
static void receive_h2(struct http_conn *conn, bool is_broken, bool to_the_end)
{
	struct http_exchange *x = conn->exchange;
	enum io io = h2_wire_receive(conn->h2, &conn->stream, to_the_end);
	int error = io == IO_FAIL ? errno : x->send_errno;
	bool is_open = io == IO_AGAIN && !is_broken;

	/* Acknowledgements; and windows opened by what came let more of the request go. The server
	 * may have answered and closed meanwhile; then the answer counts. */
	if (is_open && flush(conn) == IO_FAIL) {
		is_open = false;
		error = x->send_errno;
		(void)!h2_wire_receive(conn->h2, &conn->stream, true);
	}
	if (h2_state(conn->h2) != H2_WAITING) {
		end_of_answer(conn, is_open);
	} else if (!has_room(x)) {
		finish(conn, false);
	} else if (!is_open && is_stale(x)) {
		if (!retry(conn))
			finish(conn, false);
	} else if (!is_open) {
		/* What a GOAWAY said is nearer to the cause. */
		if (error && !h2_is_ending(conn->h2))
			fail_of(conn, error);
		h2_eof(conn->h2);
		end_of_answer(conn, false);
	}
}

void conn_on_event(void *arg, uint32_t events)
{
	struct http_conn *conn = arg;
	bool is_broken;

	conn->stream.ops->woken(&conn->stream, events & END_EVENTS);
	if (!http_conn_is_busy(conn)) {
		if (conn->h2)
			on_idle_h2(conn, events);
		else if (events & END_EVENTS ||
			 (events & EPOLLIN && !conn->stream.ops->is_drained(&conn->stream)))
			conn_close_socket(conn);
		return;
	}
	/* A server may answer and close before it has read all; then the answer counts. */
	is_broken = flush(conn) == IO_FAIL;
	if (!conn->is_connected && !check_connected(conn))
		return;
	if (conn->h2)
		receive_h2(conn, is_broken, is_broken || events & END_EVENTS);
	else if (is_broken || events & READ_EVENTS || conn->stream.ops->is_layered)
		receive(conn, is_broken || events & END_EVENTS);
}

static void on_deadline(void *arg)
{
	struct http_exchange *x = arg;
	struct http_conn *conn = x->conn;

	if (!x->error[0]) {
		if (!conn->is_connected)
			dial_timed_out(conn);
		failure_of_timeout(x->error, conn, time_limit_us(conn));
	}
	finish(conn, false);
}

static void prepare(struct http_conn *conn, const struct http_request *request)
{
	struct http_exchange *x = conn->exchange;
	unsigned traits = request_method_traits(request->method);

	x->origin = conn->client->origins[request->origin->index];
	x->conn = conn;
	list_init(&x->waiting);
	x->sent = 0;
	x->send_errno = 0;
	x->error[0] = '\0';
	x->start_us = clock_us();
	x->head_us = 0;
	x->timeout_us = request->timeout_us;
	x->connect_timeout_us = request->connect_timeout_us;
	x->is_idempotent = traits & METHOD_IS_IDEMPOTENT;
	x->is_reused = x->was_retried = x->has_surplus = x->is_done = false;
	http_response_init(&x->response, traits & METHOD_IS_HEAD);
	request_write(&x->out, request, traits);
	/* What frames or encrypts the bytes wants them in one piece. */
	x->body = (struct str){ 0 };
	if (request->body.len < LENT_BYTES_MIN || x->origin->peer ||
	    conn->client->version != HTTP_VERSION_1_1)
		buf_add_str(&x->out, request->body);
	else
		x->body = request->body;
}

/* False: not the open connection, if there is one. */
static bool can_carry(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;

	if (conn->origin != x->origin)
		return false;
	return !conn->h2 ||
	       (h2_can_request(conn->h2) &&
		h2_request(conn->h2, buf_str(&x->out), conn->stream.tls, &x->response, &x->in));
}

/* On an open connection. False: it has failed and x->error says why. */
static bool send_first(struct http_conn *conn)
{
	struct http_exchange *x = conn->exchange;

	if (flush(conn) != IO_FAIL)
		return true;
	if (is_stale(x))
		return retry(conn);
	fail_of(conn, x->send_errno);
	return false;
}

/* has_begun: or it has failed and x->error says why. */
static void follow_up(struct http_conn *conn, bool has_begun)
{
	struct http_exchange *x = conn->exchange;

	if (!has_begun)
		conn_close_socket(conn);
	deadline_set(&x->deadline, has_begun ? x->start_us + time_limit_us(conn) : x->start_us);
}

/* False: it has failed and x->error says why. */
static bool begin(struct http_conn *conn, struct list *held)
{
	struct http_exchange *x = conn->exchange;

	if (is_too_large(x)) {
		failure_say(x->error, sizeof(x->error), FAILURE_REQUEST_TOO_LARGE,
			    "'the request is larger than %d bytes'", LIMIT_REQUEST_BYTES);
		return false;
	}
	if (!can_carry(conn))
		conn_close_socket(conn);
	if (conn->watch.fd < 0)
		return dial_first(conn);
	x->is_reused = true;
	if (!held)
		return send_first(conn);
	list_append(held, &x->waiting);
	return true;
}

void http_send_held(struct list *held)
{
	while (!list_is_empty(held)) {
		struct http_exchange *x = CONTAINER_OF(held->next, struct http_exchange, waiting);

		list_remove(&x->waiting);
		x->start_us = clock_us();
		follow_up(x->conn, send_first(x->conn));
	}
}

void http_conn_send(struct http_conn *conn, const struct http_request *request,
		    struct http_reply *reply, http_done_fn done, void *arg)
{
	struct http_exchange *x;

	ensure(!conn->exchange && done && request->timeout_us);
	x = conn->exchange = exchange_acquire(conn->client);
	x->reply = reply;
	x->done = done;
	x->arg = arg;
	prepare(conn, request);
	follow_up(conn, begin(conn, request->held));
}
