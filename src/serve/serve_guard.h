/* SPDX-License-Identifier: MIT
 *
 * serve_guard - who is let in: the token, users, and whether a browser asks for somebody else's
 * page.
 *
 * Who knows the token or has logged in, or, where there is neither, whoever comes, is let in. A
 * browser is lent to pages of others: they may send requests to where its user can reach, with the
 * password the user once gave. So what changes something is refused when the browser says
 * (Sec-Fetch-Site, Origin) that another page had the idea. A page whose own name was made to lead
 * here (DNS rebinding) is the same site to the browser; it is found out by the name that was asked
 * for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "serve/serve_login.h"

struct serve_request;
struct token;

struct serve_guard {
	const struct token *token; /* NULL: there is none */
	struct serve_login *login; /* NULL: there are no users */
	/* Names (without port) that this server is asked by, and whose pages may change something.
	 * Without any, every name will do on a socket that others than this machine reach.
	 * Addresses and localhost always do. */
	const char *const *hosts;
	size_t host_count;
	const char *hosts_option; /* that names them, for who is refused */
};

/* Whether a request may go on; where not, it has been answered: 401, 403, 429, or to a browser that
 * wants a page 302 to /login. */
bool serve_guard_admits(const struct serve_guard *g, struct serve_request *r);

/* The browser's session, which it says by a cookie. With the coming answer it gets one, or has to
 * forget the one it has. */
bool serve_guard_has_session(const struct serve_guard *g, const struct serve_request *r);
enum err serve_guard_log_in(const struct serve_guard *g, struct serve_request *r) MUST_CHECK;
void serve_guard_log_out(const struct serve_guard *g, struct serve_request *r);
