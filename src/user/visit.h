/* SPDX-License-Identifier: MIT
 *
 * visit - one request of a scenario, from its headers to the answer that counts: cookies,
 * redirects, user and password, decoding. Straight-line code: how it waits is the caller's. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "user/user.h"

/* Lives on the stack of whoever asks; what it points to is the scenario's, whose code stands
 * still. */
struct visit {
	struct turn *turn;
	struct user_place *place;
	struct user_kind *kind; /* whose host and password count for a path */
	struct http_client *client;
	struct http_conn *conn; /* idle, of the client */
	struct cookie_jar *cookies;
	bool knows_cookie_prefixes; /* see struct cookie_site */
	bool wants_decode;
	/* Returns once done(arg) has been called, or with an error in the reply. */
	void (*wait)(void *arg);
	http_done_fn done;
	/* The answer leads on, to this URL; both are lent. NULL: nobody wants to know. */
	void (*on_redirect)(void *arg, const struct http_reply *reply, struct str url);
	void *arg;
	const struct cic_request *request; /* as the scenario wrote it */
	struct http_request http;	   /* what is sent next */
	struct str userinfo;		   /* user:password of an absolute URL; len 0: none */
	unsigned redirects;		   /* followed so far */
	unsigned redirects_max;		   /* then it fails */
	bool is_at_host;     /* a path was asked for: the host's user and password count */
	bool has_left;	     /* a redirect led to another origin: secrets stay behind */
	bool has_no_content; /* a redirect has taken it */
	bool follows_head;   /* else only other methods, as is the default of Python's requests */
};

/* Writes http.headers for http.origin and http.target, into memory of the place: good until the
 * next suspension. False: the turn's error says what of the scenario's text cannot be sent. */
bool visit_write_headers(struct visit *v) MUST_CHECK;
/* Sends, follows, decodes. True: turn->reply is the last answer (or its error), with the time of
 * the whole. False: there were answers, but the turn's error says why none counts. */
bool visit_walk(struct visit *v) MUST_CHECK;
