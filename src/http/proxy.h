/* SPDX-License-Identifier: MIT
 *
 * proxy - which requests go through which proxy, as the environment says: http_proxy, https_proxy,
 * all_proxy and no_proxy by the rules of Python's requests. Read only once read, so that one serves
 * all threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "http/url.h"

struct proxy {
	const char *variable; /* that named it; NULL: there is none */
	/* A whole URL, which may have user and password: not for messages. */
	char url[LIMIT_PROXY_URL_BYTES];
};

/* Zero: all requests go straight to their targets. */
struct proxies {
	struct proxy http, https; /* for targets of this scheme */
	const char *no_proxy;	  /* the value; NULL: none */
};

/* environment: as environ(7), lent for the life of *out. ERR_BAD_OPTION and ERR_UNSUPPORTED name
 * the variable, never its value. */
enum err proxy_read(struct proxies *out, char *const *environment, struct err_text *why) MUST_CHECK;

/* False: value is not the URL of a proxy that can be used. */
bool proxy_set(struct proxy *p, const char *variable, const char *value) MUST_CHECK;

/* The proxy for a target; NULL: none. */
const struct proxy *proxy_choose(const struct proxies *p, const struct http_url *target);
/* Slices of p->url. */
struct http_url proxy_url(const struct proxy *p);
