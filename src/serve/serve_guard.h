/* SPDX-License-Identifier: MIT
 *
 * serve_guard - who is let in: the token, and whether a browser asks for somebody else's page.
 *
 * A program that knows the token, or, where there is none, any program, is let in. A browser is
 * lent to pages of others: they may send requests to where its user can reach, with the password
 * the user once gave. So what changes something is refused when the browser says (Sec-Fetch-Site,
 * Origin) that another page had the idea. A page whose own name was made to lead here (DNS
 * rebinding) is the same site to the browser; it is found out by the name that was asked for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct serve_request;
struct token;

struct serve_guard {
	const struct token *token; /* NULL: none is wanted */
	/* Names (without port) that this server is asked by, and whose pages may change something.
	 * Without any, every name will do on a socket that others than this machine reach.
	 * Addresses and localhost always do. */
	const char *const *hosts;
	size_t host_count;
};

/* Whether a request may go on; where not, it has been answered (401, 403). */
bool serve_guard_admits(const struct serve_guard *g, struct serve_request *r);
