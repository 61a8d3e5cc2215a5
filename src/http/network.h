/* SPDX-License-Identifier: MIT
 *
 * network - how the clients of virtual users reach their targets. Read only, so that one serves
 * all threads. */
#pragma once

#include "http/proxy.h"
#include "net/sources.h"

/* Zero: the system's name servers, addresses of its choice, no proxy. */
struct http_network {
	const char *dns_servers; /* --dns-servers, see net/resolver.h */
	struct sources sources;	 /* --source-addresses */
	struct proxies proxies;	 /* --trust-env */
};
