/* SPDX-License-Identifier: MIT
 *
 * url - http:// and https:// URLs cut into their parts (RFC 3986, as far as a client needs it). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Slices of the text that was parsed. */
struct http_url {
	struct str userinfo; /* "user:password" as written; len 0: none */
	struct str host;     /* without the brackets of an IPv6 address */
	bool is_ipv6;
	bool is_tls;	   /* https */
	uint16_t port;	   /* when not given 80, with https 443 */
	struct str target; /* path and query as sent; "" or begins with '/'; fragment cut off */
};

/* ERR_BAD_INPUT names what is wrong and how to write it: no scheme, no host, a port out of
 * range, blanks or control characters, more than LIMIT_URL_BYTES.
 * ERR_UNSUPPORTED for other schemes. "http://h?q" has the target "?q". */
enum err http_url_parse(struct str text, struct http_url *out, struct err_text *why) MUST_CHECK;
