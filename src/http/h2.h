/* SPDX-License-Identifier: MIT
 *
 * h2 - one HTTP/2 connection as its client sees it, without the socket: bytes that came are
 * taken, bytes to be sent are given. One request at a time, as with HTTP/1.1.
 *
 * Requests come as request.c writes them, in HTTP/1.1's text; answers go to the caller's buffer
 * in that shape too: a head of lines that response.c has parsed, then the body. So whoever reads
 * answers does not know which version they came in.
 *
 *	h2_create(), then h2_request();
 *	whenever the socket can be written:  h2_output(), send, h2_sent()      until it is empty;
 *	whenever bytes came:                 h2_take(), and then the output again.
 *
 * All of it belongs to one thread. Nothing here waits; deadlines are the caller's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "http/response.h"

/* What the connections of a thread share. */
struct h2_place;
struct h2;

enum h2_state {
	H2_RESTING, /* no request */
	H2_WAITING, /* for the answer */
	H2_DONE,    /* a whole answer came */
	H2_REFUSED, /* the server did not process the request: it may be sent once more */
	H2_FAILED   /* h2_failure() says why */
};

struct h2_place *h2_place_create(void);
/* Its connections must be gone. */
void h2_place_destroy(struct h2_place **p);

/* Begins with the client's preface as output. */
struct h2 *h2_create(struct h2_place *p);
void h2_destroy(struct h2 **h);

/* True when a further request may begin: none is on its way, and neither side is about to end
 * the connection. */
bool h2_can_request(const struct h2 *h);
/* text: the whole request; lent, as are r (after http_response_init()) and in (empty), until the
 * state is no longer H2_WAITING and h2_failure() has been asked, or h2_destroy(). h2_can_request()
 * must be true. False: this connection has no number left for a stream. */
bool h2_request(struct h2 *h, struct str text, bool is_tls, struct http_response *r,
		struct buf *in) MUST_CHECK;

/* What is to be sent next, "" when nothing; until the next call of anything else here. */
struct str h2_output(struct h2 *h);
/* Its first bytes are sent. */
void h2_sent(struct h2 *h, size_t bytes);
void h2_take(struct h2 *h, const char *bytes, size_t len);
/* No byte will come any more. */
void h2_eof(struct h2 *h);

enum h2_state h2_state(const struct h2 *h);
/* The connection is of no use after the request that is on its way, if there is one. */
bool h2_is_ending(const struct h2 *h);
/* The words for H2_REFUSED and H2_FAILED: text[FAILURE_BYTES]. */
void h2_failure(const struct h2 *h, char *text);
