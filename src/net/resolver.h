/* SPDX-License-Identifier: MIT
 *
 * resolver - names looked up by c-ares on one loop: /etc/hosts, then the name servers of
 * /etc/resolv.conf with its search domains, or others. No look-up ever holds up the loop.
 *
 * Belongs to the thread of the loop. Each resolver_look_up() leads to exactly one done(), in a
 * later turn, unless the resolver is destroyed before. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/limits.h"

struct loop;
struct resolver;

struct resolver_address {
	struct sockaddr_storage name;
	socklen_t name_bytes;
};

/* error: 0, or one of getaddrinfo() (EAI_*), then count is 0. Addresses are in the order of
 * RFC 6724, those that cannot be reached last. ttl_s: the smallest of them; 0 for /etc/hosts,
 * which has none. */
struct resolver_answer {
	int error;
	struct resolver_address addresses[LIMIT_ORIGIN_ADDRESSES];
	size_t count;
	uint32_t ttl_s;
};

/* *answer is lent for the call. */
typedef void (*resolver_done_fn)(void *arg, const struct resolver_answer *answer);

/* servers: "127.0.0.1:5353,[::1]:53,10.0.0.1", asked instead of the system's; NULL: those.
 * ERR_BAD_OPTION when that is no such list, ERR_IO when the system's files cannot be read. */
enum err resolver_create(struct loop *loop, const char *servers, struct resolver **out,
			 struct err_text *why) MUST_CHECK;
/* What resolver_create() would say of servers. */
enum err resolver_check(const char *servers, struct err_text *why) MUST_CHECK;
/* Forgets the look-ups under way: their done() is not called. */
void resolver_destroy(struct resolver **r);

void resolver_look_up(struct resolver *r, const char *host, uint16_t port, resolver_done_fn done,
		      void *arg);
