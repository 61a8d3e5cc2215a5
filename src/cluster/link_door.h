/* SPDX-License-Identifier: MIT
 *
 * link_door - who may connect to a master when each worker has a key of its own: answers what
 * ZeroMQ asks about a key before it lets its owner in (ZAP). Belongs to its loop. */
#pragma once

#include "base/err.h"
#include "cluster/cluster_key.h"
#include "loop/loop.h"

struct link_door;

/* Somebody from this address was kept out; public_key: in hex digits. Lent for the call. */
typedef void (*link_stranger_fn)(void *arg, const char *address, const char *public_key);

/* For the sockets that are bound in this ZeroMQ context from now on. key is lent until the close,
 * which comes before the end of the context. */
enum err link_door_open(struct link_door **out, struct loop *loop, void *context,
			const struct cluster_key *key, link_stranger_fn on_stranger, void *arg,
			struct err_text *text) MUST_CHECK;
void link_door_close(struct link_door **door);
