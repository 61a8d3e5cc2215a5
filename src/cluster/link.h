/* SPDX-License-Identifier: MIT
 *
 * link - whole frames between a master and its workers: ZeroMQ ROUTER and DEALER on our loop.
 *
 * Sockets are set up as Locust's are, except that a second
 * connection with the same identity takes the first one's place and that the size of frames is
 * bounded (LIMIT_MESSAGE_BYTES; a peer that sends more is cut off). With a key nothing is in the
 * clear, and a peer without it is never heard of. Belongs to its loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "cluster/cluster_key.h"
#include "cluster/link_door.h"
#include "loop/loop.h"

struct link;

struct link_options {
	/* One frame has come; lent for the call, which runs in a turn of the loop, never inside
	 * another call of link_*(). peer: the sender's identity at the master, empty at a
	 * worker. */
	void (*on_frame)(void *arg, struct str peer, struct str frame);
	void *arg;
	/* A worker's end for what is kept until it is answered: nothing is queued while there is
	 * no connection, and nothing delivered after link_close(). */
	bool is_bulk;
	const struct cluster_key *key; /* NULL: in the clear; else lent for the link's life */
	/* Needed by a master whose key has peers: who was kept out, and (may be NULL) whose frame
	 * was dropped since its key is none of them any more. */
	link_stranger_fn on_stranger;
	void (*on_outcast)(void *arg, struct str peer);
};

/* The master's end. host NULL or "*": all addresses; port 0: a free one. ERR_BUSY when the port
 * is taken, ERR_BAD_OPTION when the host is none of this machine's. */
enum err link_bind(struct loop *loop, const struct link_options *options, const char *host,
		   unsigned port, struct link **out, struct err_text *text) MUST_CHECK;
/* A worker's end, named `identity`. Succeeds also when nobody listens yet; the connection is
 * tried again and again. May wait for the name server once. */
enum err link_connect(struct loop *loop, const struct link_options *options, const char *host,
		      unsigned port, const char *identity, struct link **out,
		      struct err_text *text) MUST_CHECK;
/* Frames that were taken are still delivered, for at most 1 s (the call waits for that). Not
 * inside on_frame. */
void link_close(struct link **link);

/* Takes one frame, for the worker `peer` or (NULL) for the master. False when it cannot be
 * queued now: the worker is not connected, or it does not read. */
bool link_send(struct link *link, const char *peer, struct str frame);
/* A worker's end: ends the connection and makes a new one with the same identity. */
void link_reconnect(struct link *link);
/* The port that is bound. */
unsigned link_port(const struct link *link);
/* Messages that did not have the one frame they must have. */
uint64_t link_bad_messages(const struct link *link);
/* The public key that belongs to a secret. */
void link_public_key(const struct cluster_key *key, uint8_t out[CLUSTER_KEY_BYTES]);
