/* SPDX-License-Identifier: MIT
 *
 * link_door - see the header. The questions come from ZeroMQ's own thread, each for one handshake,
 * which waits for the answer (https://rfc.zeromq.org/spec/27). As in link.c the descriptor tells of
 * changes only, so a turn ends with a look that found nothing, or with a timer for the next one. */
#include "cluster/link_door.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/mem.h"

#define TURN_QUESTIONS 64
#define PART_BYTES     256

/* The parts of a question. */
enum { VERSION, REQUEST, DOMAIN, ADDRESS, IDENTITY, MECHANISM, KEY, PARTS };

struct link_door {
	struct loop *loop;
	void *socket;
	const struct cluster_key *key;
	link_stranger_fn on_stranger;
	void *arg;
	struct loop_watch watch;
	struct loop_timer look;
};

struct part {
	char bytes[PART_BYTES];
	size_t len;
};

/* False when there is none. What is too long is none of a question, and cut. */
static bool receive_question(struct link_door *d, struct part parts[PARTS])
{
	int more = 1;

	for (size_t i = 0; more; i++) {
		struct part *part = &parts[i < PARTS ? i : PARTS - 1];
		int len = zmq_recv(d->socket, part->bytes, PART_BYTES - 1, ZMQ_DONTWAIT);
		size_t size = sizeof(more);

		if (len < 0)
			return false;
		part->len = len < PART_BYTES ? (size_t)len : PART_BYTES - 1;
		part->bytes[part->len] = '\0';
		ensure(zmq_getsockopt(d->socket, ZMQ_RCVMORE, &more, &size) == 0);
	}
	return true;
}

/* Its messages have the key as their user, for as long as the connection lasts. Who is kept out may
 * come back later (300): told for good (400), ZeroMQ would not try again when the list is another.
 */
static void answer(struct link_door *d, const struct part *request, bool is_known, const char *hex)
{
	const char *code = is_known ? "200" : "300", *user = is_known ? hex : "";

	(void)zmq_send(d->socket, "1.0", 3, ZMQ_SNDMORE);
	(void)zmq_send(d->socket, request->bytes, request->len, ZMQ_SNDMORE);
	(void)zmq_send(d->socket, code, strlen(code), ZMQ_SNDMORE);
	(void)zmq_send(d->socket, "", 0, ZMQ_SNDMORE); /* no text, */
	(void)zmq_send(d->socket, user, strlen(user), ZMQ_SNDMORE);
	(void)zmq_send(d->socket, "", 0, 0); /* no metadata */
}

/* The socket takes IPv6, where an IPv4 address has another look. */
static const char *shown_address(const struct part *address)
{
	static const char mapped[] = "::ffff:";
	size_t len = sizeof(mapped) - 1;

	return address->bytes + (strncmp(address->bytes, mapped, len) == 0 ? len : 0);
}

static bool answer_one(struct link_door *d)
{
	struct part parts[PARTS] = { 0 };
	char hex[CLUSTER_KEY_TEXT];
	bool is_known;

	if (!receive_question(d, parts))
		return false;
	is_known = parts[KEY].len == CLUSTER_KEY_BYTES &&
		   cluster_key_knows(d->key, (const uint8_t *)parts[KEY].bytes);
	cluster_key_text((const uint8_t *)parts[KEY].bytes, hex);
	answer(d, &parts[REQUEST], is_known, hex);
	if (!is_known)
		d->on_stranger(d->arg, shown_address(&parts[ADDRESS]), hex);
	return true;
}

static void on_look(void *arg)
{
	struct link_door *d = arg;

	for (int i = 0; i < TURN_QUESTIONS; i++) {
		int events = 0;
		size_t size = sizeof(events);

		if (zmq_getsockopt(d->socket, ZMQ_EVENTS, &events, &size) ||
		    !(events & ZMQ_POLLIN) || !answer_one(d))
			return;
	}
	loop_timer_set(d->loop, &d->look, loop_now(d->loop));
}

static void on_ready(void *arg, uint32_t events)
{
	(void)events;
	on_look(arg);
}

enum err link_door_open(struct link_door **out, struct loop *loop, void *context,
			const struct cluster_key *key, link_stranger_fn on_stranger, void *arg,
			struct err_text *text)
{
	struct link_door *d = mem_zalloc(1, sizeof(*d));
	size_t size = sizeof(int);
	int fd = -1;

	*d = (struct link_door){ .loop = loop,
				 .socket = zmq_socket(context, ZMQ_REP),
				 .key = key,
				 .on_stranger = on_stranger,
				 .arg = arg,
				 .watch.fd = -1 };
	loop_timer_init(&d->look, on_look, d);
	*out = d;
	if (!d->socket || zmq_bind(d->socket, "inproc://zeromq.zap.01") ||
	    zmq_getsockopt(d->socket, ZMQ_FD, &fd, &size) ||
	    loop_watch(loop, &d->watch, fd, EPOLLIN, on_ready, d)) {
		link_door_close(out);
		return err_set(text, ERR_IO, "cannot watch over the keys of workers: %s",
			       zmq_strerror(zmq_errno()));
	}
	loop_timer_set(loop, &d->look, loop_now(loop));
	return OK;
}

void link_door_close(struct link_door **at)
{
	struct link_door *d = *at;

	*at = NULL;
	if (!d)
		return;
	loop_timer_clear(d->loop, &d->look);
	loop_unwatch(d->loop, &d->watch);
	if (d->socket)
		zmq_close(d->socket);
	mem_free(d);
}
