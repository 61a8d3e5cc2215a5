/* SPDX-License-Identifier: MIT
 *
 * cookie - the cookies of one virtual user (RFC 6265).
 *
 * Bounded: LIMIT_COOKIES of them and LIMIT_COOKIE_JAR_BYTES in all; the oldest ones make room, as
 * a browser's do. A cookie that is set again keeps its memory where the new text fits in, so a
 * session that is renewed with every answer allocates nothing.
 *
 * There is no list of public suffixes: a domain of one label ("com") is refused, "co.uk" is not.
 * SameSite and HttpOnly say nothing to a client without pages and scripts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct cookie; /* private */

/* Zero-initialised: empty. Embedded in every user, so it is one pointer. */
struct cookie_jar {
	struct cookie *first;
};

/* Where an answer came from or a request goes to. */
struct cookie_site {
	struct str host;   /* lower case; an IPv6 address without brackets */
	struct str target; /* path and query; "" means "/" */
	bool is_secure;	   /* https */
	/* A cookie called __Secure-.. or __Host-.. is taken only as browsers do (RFC
	 * 6265bis 4.1.3); Python's http.cookiejar knows no such names. */
	bool knows_prefixes;
};

static inline bool cookie_jar_is_empty(const struct cookie_jar *jar)
{
	return !jar->first;
}

void cookie_jar_clear(struct cookie_jar *jar);
/* Takes the value of one Set-Cookie line. What RFC 6265 5.2 and 5.3 tell to ignore is ignored:
 * no name, another site's domain, more than LIMIT_COOKIE_BYTES, control characters. */
void cookie_jar_set(struct cookie_jar *jar, const struct cookie_site *site, struct str line,
		    int64_t wall_s);
/* Appends "a=1; b=2": the cookies for a request to the site, longest paths first, then the oldest;
 * nothing when there are none. What has expired is forgotten. */
void cookie_jar_write(struct cookie_jar *jar, const struct cookie_site *site, int64_t wall_s,
		      struct buf *out);

/* One of them, lent until the jar changes. */
struct cookie_view {
	struct str name, value, domain, path;
	int64_t expires_s; /* INT64_MAX: with the user */
	bool is_host_only, is_secure;
};

/* Each, in the order in which they are sent: *at is NULL for the first. False: no more. Those that
 * have expired are among them. */
bool cookie_jar_next(const struct cookie_jar *jar, const struct cookie **at,
		     struct cookie_view *out);

/* "Wed, 21 Oct 2015 07:28:00 GMT" and what else servers write, by the rules of RFC 6265 5.1.1.
 * Seconds since 1970, UTC. */
bool cookie_parse_date(struct str text, int64_t *out_s);
