/* SPDX-License-Identifier: MIT
 *
 * room - tells beforehand when users want more connections than there can be: by the limit of open
 * files, and by the local ports that lead to their target.
 *
 * Belongs to the control thread: the name of a target is looked up beside everything else, and the
 * warning comes in a later turn of its loop. There is one per test. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct http_network;
struct loop;
struct room;

/* network: lent for its life; NULL: the defaults. */
struct room *room_create(struct loop *loop, const struct http_network *network);
void room_destroy(struct room **r);

/* So many users want a connection each, `users` of them to this base URL. */
void room_check(struct room *r, uint64_t all, const char *host, uint64_t users);
/* A test is over: the next may be warned of. */
void room_forget(struct room *r);

/* What there is; 0: not known, or enough of it. */
struct room_limits {
	uint64_t open_files;
	uint64_t ports; /* in net.ipv4.ip_local_port_range */
	uint64_t pairs; /* of a source and a target address, each of which has all the ports */
};

/* Appends the warning; nothing when there is room. host: as it is shown. */
void room_judge(const struct room_limits *limits, uint64_t all, const char *host, uint64_t users,
		struct buf *out);
