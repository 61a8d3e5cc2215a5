/* SPDX-License-Identifier: MIT
 *
 * sources - local addresses that connections come from, instead of the one the system chooses:
 * each has local ports of its own, and looks like a client of its own. Read only once parsed, so
 * that one serves all threads. */
#pragma once

#include <netinet/in.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"

/* Zero: none, the system chooses. */
struct sources {
	size_t v4_count, v6_count;
	struct in_addr v4[LIMIT_SOURCE_ADDRESSES];
	struct in6_addr v6[LIMIT_SOURCE_ADDRESSES];
};

/* list: "10.0.0.7,127.0.0.2-127.0.0.9,10.1.0.0/29,fd00::/120". Of a network in this form all but
 * its own address and, of IPv4, the broadcast address. ERR_BAD_OPTION names the part. */
enum err sources_parse(const char *list, struct sources *out, struct err_text *why) MUST_CHECK;
/* ERR_BAD_OPTION names the first that is no address of this machine. */
enum err sources_check(const struct sources *s, struct err_text *why) MUST_CHECK;

/* How many there are of AF_INET or AF_INET6. */
size_t sources_count(const struct sources *s, int family);
/* Binds a fresh TCP socket to one of its family, each when its turn comes; the port is chosen by
 * connect(2), so that one port serves for several targets. Returns 0, else an errno:
 * EAFNOSUPPORT when there is none of the family. */
int sources_bind(const struct sources *s, int fd, int family, size_t turn);
