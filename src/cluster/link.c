/* SPDX-License-Identifier: MIT
 *
 * link - see the header.
 *
 * ZMQ_FD becomes readable when the socket's state has changed, not while it has messages. Any
 * call on the socket may use that signal up, so after each send, and whenever a turn ends with
 * messages left, the state is looked at again by a timer. One turn reads at most TURN_MESSAGES, so
 * that a flood cannot starve the other timers of the loop. */
#include "cluster/link.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define TURN_MESSAGES	 256
#define QUEUE_MESSAGES	 10000 /* per connection; Locust has 1000 */
#define LINGER_MS	 1000
#define KEEPALIVE_IDLE_S 30
#define KEY_TEXT_BYTES	 41 /* Z85 of 32 bytes, and a zero */
/* Real masters ignore a second connection while they know of the first. */
#define RECONNECT_PAUSE_US (500 * CLOCK_MS)
#define ENDPOINT_BYTES	   (LIMIT_HOST_BYTES + 32)

struct link {
	struct loop *loop;
	struct link_options options;
	void *context, *socket;
	struct link_door *door; /* NULL: none is needed */
	bool is_master;
	char endpoint[ENDPOINT_BYTES];
	struct loop_watch watch;
	struct loop_timer look, reconnect;
	uint64_t bad_messages;
	unsigned port;
};

static void set_int(void *socket, int option, int value)
{
	/* Fails only for options and values that do not exist. */
	ensure(zmq_setsockopt(socket, option, &value, sizeof(value)) == 0);
}

/* CurveZMQ. Without peers both ends use the same pair: its public key is made from the secret one
 * and never sent, so whoever knows it has the file, and no list of clients is needed. */
static void set_key(struct link *l, const struct cluster_key *key)
{
	char secret[KEY_TEXT_BYTES], public[KEY_TEXT_BYTES], server[KEY_TEXT_BYTES];

	ensure(zmq_z85_encode(secret, key->bytes, sizeof(key->bytes)));
	ensure(zmq_curve_public(public, secret) == 0);
	memcpy(server, public, sizeof(server));
	if (key->peers)
		ensure(zmq_z85_encode(server, key->peers[0], sizeof(key->peers[0])));
	if (l->is_master)
		set_int(l->socket, ZMQ_CURVE_SERVER, 1);
	else
		ensure(zmq_setsockopt(l->socket, ZMQ_CURVE_SERVERKEY, server, sizeof(server)) == 0);
	ensure(zmq_setsockopt(l->socket, ZMQ_CURVE_PUBLICKEY, public, sizeof(public)) == 0);
	ensure(zmq_setsockopt(l->socket, ZMQ_CURVE_SECRETKEY, secret, sizeof(secret)) == 0);
	explicit_bzero(secret, sizeof(secret));
}

static void set_options(struct link *l, bool want_ipv6)
{
	int64_t message_bytes = LIMIT_MESSAGE_BYTES;

	set_int(l->socket, ZMQ_LINGER, l->options.is_bulk ? 0 : LINGER_MS);
	set_int(l->socket, ZMQ_IMMEDIATE, l->options.is_bulk);
	set_int(l->socket, ZMQ_SNDHWM, QUEUE_MESSAGES);
	set_int(l->socket, ZMQ_RCVHWM, QUEUE_MESSAGES);
	set_int(l->socket, ZMQ_TCP_KEEPALIVE, 1);
	set_int(l->socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S);
	set_int(l->socket, ZMQ_IPV6, want_ipv6);
	ensure(zmq_setsockopt(l->socket, ZMQ_MAXMSGSIZE, &message_bytes, sizeof(message_bytes)) ==
	       0);
	if (l->options.key)
		set_key(l, l->options.key);
	if (!l->is_master)
		return;
	set_int(l->socket, ZMQ_ROUTER_HANDOVER, 1);
	/* Without it a full queue drops silently instead of saying so. */
	set_int(l->socket, ZMQ_ROUTER_MANDATORY, 1);
}

static void fill_endpoint(struct link *l, const char *host, unsigned port)
{
	bool is_ipv6 = strchr(host, ':') && *host != '[';

	snprintf(l->endpoint, sizeof(l->endpoint), is_ipv6 ? "tcp://[%s]:%u" : "tcp://%s:%u", host,
		 port);
}

/* --- receiving --------------------------------------------------------------------------- */

/* All frames of one message; only the first `max` are kept, the count is true. */
static size_t receive_message(struct link *l, zmq_msg_t *frames, size_t max)
{
	size_t count = 0;
	bool has_more = true;

	while (has_more) {
		zmq_msg_t dropped, *frame = count < max ? &frames[count] : &dropped;

		zmq_msg_init(frame);
		if (zmq_msg_recv(frame, l->socket, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(frame);
			return count;
		}
		has_more = zmq_msg_more(frame);
		if (frame == &dropped)
			zmq_msg_close(frame);
		count++;
	}
	return count;
}

static struct str bytes_of(zmq_msg_t *frame)
{
	return (struct str){ zmq_msg_data(frame), zmq_msg_size(frame) };
}

/* It was let in, and the list of keys is another one since. */
static bool is_outcast(const struct link *l, zmq_msg_t *frame)
{
	const struct cluster_key *key = l->options.key;
	const char *hex = l->is_master && key && key->peers ? zmq_msg_gets(frame, "User-Id") : NULL;

	return hex && !cluster_key_knows_text(key, hex);
}

static void hand_on(struct link *l, struct str peer, zmq_msg_t *frame)
{
	if (!is_outcast(l, frame))
		l->options.on_frame(l->options.arg, peer, bytes_of(frame));
	else if (l->options.on_outcast)
		l->options.on_outcast(l->options.arg, peer);
}

/* False when there is none. */
static bool receive_one(struct link *l)
{
	size_t wanted = l->is_master ? 2 : 1;
	zmq_msg_t frames[2];
	size_t count = receive_message(l, frames, wanted);

	if (count == wanted)
		hand_on(l, l->is_master ? bytes_of(&frames[0]) : str_of(""), &frames[wanted - 1]);
	else
		l->bad_messages += count != 0;
	for (size_t i = 0; i < count && i < wanted; i++)
		zmq_msg_close(&frames[i]);
	return count != 0;
}

static void look_soon(struct link *l)
{
	loop_timer_set(l->loop, &l->look, loop_now(l->loop));
}

static void receive(struct link *l)
{
	for (int i = 0; i < TURN_MESSAGES; i++) {
		int events = 0;
		size_t size = sizeof(events);

		if (zmq_getsockopt(l->socket, ZMQ_EVENTS, &events, &size) || !(events & ZMQ_POLLIN))
			return;
		if (!receive_one(l))
			return;
	}
	look_soon(l);
}

static void on_ready(void *arg, uint32_t events)
{
	(void)events;
	receive(arg);
}

static void on_look(void *arg)
{
	receive(arg);
}

/* --- life -------------------------------------------------------------------------------- */

static void on_reconnect(void *arg)
{
	struct link *l = arg;

	/* The endpoint was good before. */
	ensure(zmq_connect(l->socket, l->endpoint) == 0);
	look_soon(l);
}

static enum err open_socket(struct loop *loop, const struct link_options *options, bool is_master,
			    struct link **out, struct err_text *text)
{
	struct link *l = mem_zalloc(1, sizeof(*l));

	*out = l;
	l->loop = loop;
	l->options = *options;
	l->is_master = is_master;
	l->watch.fd = -1;
	loop_timer_init(&l->look, on_look, l);
	loop_timer_init(&l->reconnect, on_reconnect, l);
	if (options->key && !zmq_has("curve"))
		return err_set(text, ERR_UNSUPPORTED,
			       "this libzmq was built without encryption (CURVE)");
	l->context = zmq_ctx_new();
	l->socket = l->context ? zmq_socket(l->context, is_master ? ZMQ_ROUTER : ZMQ_DEALER) : NULL;
	if (!l->socket)
		return err_set(text, ERR_IO, "cannot open a ZeroMQ socket: %s",
			       zmq_strerror(zmq_errno()));
	return OK;
}

static enum err watch_socket(struct link *l, struct err_text *text)
{
	int fd = -1;
	size_t size = sizeof(fd);

	if (zmq_getsockopt(l->socket, ZMQ_FD, &fd, &size) ||
	    loop_watch(l->loop, &l->watch, fd, EPOLLIN, on_ready, l))
		return err_set(text, ERR_IO, "cannot watch a ZeroMQ socket");
	look_soon(l);
	return OK;
}

static enum err bind_socket(struct link *l, const char *host, unsigned port, struct err_text *text)
{
	char bound[ENDPOINT_BYTES * 2] = "";
	size_t size = sizeof(bound);
	enum err err;
	int error;

	if (l->options.key && l->options.key->peers) {
		err = link_door_open(&l->door, l->loop, l->context, l->options.key,
				     l->options.on_stranger, l->options.arg, text);
		if (err)
			return err;
	}
	set_options(l, true);
	fill_endpoint(l, host, port);
	if (zmq_bind(l->socket, l->endpoint)) {
		error = zmq_errno();
		if (error == EADDRINUSE)
			return err_set(text, ERR_BUSY,
				       "port %u is taken; end the other program or give another "
				       "--master-bind-port",
				       port);
		return err_set(text, ERR_BAD_OPTION, "cannot listen on %s: %s", l->endpoint,
			       zmq_strerror(error));
	}
	ensure(zmq_getsockopt(l->socket, ZMQ_LAST_ENDPOINT, bound, &size) == 0);
	l->port = (unsigned)strtoul(strrchr(bound, ':') + 1, NULL, 10);
	return watch_socket(l, text);
}

enum err link_bind(struct loop *loop, const struct link_options *options, const char *host,
		   unsigned port, struct link **out, struct err_text *text)
{
	enum err err;

	host = host && *host ? host : "*";
	*out = NULL;
	if (strlen(host) > LIMIT_HOST_BYTES || port > 65535)
		return err_set(text, ERR_BAD_OPTION, "no address to listen on: %.80s port %u", host,
			       port);
	err = open_socket(loop, options, true, out, text);
	if (!err)
		err = bind_socket(*out, host, port, text);
	if (err)
		link_close(out);
	return err;
}

/* ZeroMQ with IPv6 on prefers it, and an older master listens on IPv4 only. So it is on for
 * names that have nothing else, and for those that nobody knows yet. */
static bool want_ipv6(const char *host)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	bool has_ipv4 = false;

	if (getaddrinfo(host, NULL, &hints, &found))
		return true;
	for (const struct addrinfo *a = found; a; a = a->ai_next)
		has_ipv4 = has_ipv4 || a->ai_family == AF_INET;
	freeaddrinfo(found);
	return !has_ipv4;
}

static enum err connect_socket(struct link *l, const char *host, unsigned port,
			       const char *identity, struct err_text *text)
{
	set_options(l, want_ipv6(host));
	fill_endpoint(l, host, port);
	if (zmq_setsockopt(l->socket, ZMQ_ROUTING_ID, identity, strlen(identity)))
		return err_set(text, ERR_BAD_OPTION, "no possible worker id: \"%.80s\"", identity);
	if (zmq_connect(l->socket, l->endpoint))
		return err_set(text, ERR_BAD_OPTION, "cannot connect to %s: %s", l->endpoint,
			       zmq_strerror(zmq_errno()));
	return watch_socket(l, text);
}

enum err link_connect(struct loop *loop, const struct link_options *options, const char *host,
		      unsigned port, const char *identity, struct link **out, struct err_text *text)
{
	enum err err;

	*out = NULL;
	if (!*host || strlen(host) > LIMIT_HOST_BYTES || !port || port > 65535)
		return err_set(text, ERR_BAD_OPTION,
			       "no address of a master: host \"%.80s\", port %u", host, port);
	err = open_socket(loop, options, false, out, text);
	if (!err)
		err = connect_socket(*out, host, port, identity, text);
	if (err)
		link_close(out);
	return err;
}

void link_close(struct link **pl)
{
	struct link *l = *pl;

	*pl = NULL;
	if (!l)
		return;
	loop_timer_clear(l->loop, &l->look);
	loop_timer_clear(l->loop, &l->reconnect);
	loop_unwatch(l->loop, &l->watch);
	if (l->socket)
		zmq_close(l->socket);
	link_door_close(&l->door);
	if (l->context)
		zmq_ctx_term(l->context);
	mem_free(l);
}

bool link_send(struct link *l, const char *peer, struct str frame)
{
	bool is_sent;

	if (l->is_master &&
	    zmq_send(l->socket, peer, strlen(peer), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
		look_soon(l);
		return false;
	}
	is_sent = zmq_send(l->socket, frame.p, frame.len, ZMQ_DONTWAIT) >= 0;
	look_soon(l);
	return is_sent;
}

void link_reconnect(struct link *l)
{
	/* Not connected any more when the last request for it is not half a second old. */
	if (zmq_disconnect(l->socket, l->endpoint))
		return;
	loop_timer_set(l->loop, &l->reconnect, loop_now(l->loop) + RECONNECT_PAUSE_US);
}

unsigned link_port(const struct link *l)
{
	return l->port;
}

uint64_t link_bad_messages(const struct link *l)
{
	return l->bad_messages;
}

void link_public_key(const struct cluster_key *key, uint8_t out[CLUSTER_KEY_BYTES])
{
	char secret[KEY_TEXT_BYTES], public[KEY_TEXT_BYTES];

	ensure(zmq_z85_encode(secret, key->bytes, sizeof(key->bytes)));
	ensure(zmq_curve_public(public, secret) == 0);
	ensure(zmq_z85_decode(out, public));
	explicit_bzero(secret, sizeof(secret));
}
