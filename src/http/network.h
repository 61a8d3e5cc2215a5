/* SPDX-License-Identifier: MIT
 *
 * network - how the clients of virtual users reach their targets. Read only, so that one serves
 * all threads. */
#pragma once

/* Zero: the system's name servers. */
struct http_network {
	const char *dns_servers; /* --dns-servers, see net/resolver.h */
};
