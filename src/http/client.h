/* SPDX-License-Identifier: MIT
 *
 * client - HTTP requests of virtual users on one loop: HTTP/1.1, or HTTP/2 (h2.h) where asked.
 *
 * Each user owns one http_conn: a keep-alive connection, one request at a time, no queue.
 * A connection is watched once, edge-triggered, for both directions: a request in steady
 * state costs one send and one recv (DESIGN 3.3). What only a request in flight needs
 * (buffers, parser, deadline) is an exchange from the client's pool, so a waiting user costs no
 * more than struct http_conn. All of it belongs to the thread of the loop.
 *
 * A connection that turns out to be closed by the server while it was idle is replaced and
 * the request sent once more, but only if its method is idempotent or no byte of it was
 * sent (RFC 9110 9.2.2). Redirects are reported, not followed: that is user/visit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "http/response.h"
#include "http/url.h"
#include "loop/loop.h"
#include "net/stream.h"

struct http_network;
struct tls_options;
struct http_client;   /* per loop: pool of exchanges, origins */
struct http_origin;   /* host and port with its addresses; owned by the client */
struct http_exchange; /* private */

enum http_version {
	HTTP_VERSION_1_1,
	HTTP_VERSION_OFFER_2, /* https: HTTP/2 if the server wants it; http: HTTP/1.1 */
	HTTP_VERSION_2	      /* nothing else, on http without asking (RFC 9113 3.3) */
};

/* What was asked. All memory is lent until http_conn_send() returns. */
struct http_request {
	const char *method;
	const struct http_origin *origin;
	struct str target;	  /* "/path?query"; "" means "/" */
	struct str headers;	  /* "Name: value\r\n" lines, or "" */
	const char *content_type; /* NULL: none */
	/* p NULL: no body at all; "" sends Content-Length: 0. Its bytes, and nothing else of this,
	 * have to stay until the request is done. */
	struct str body;
	uint64_t timeout_us; /* for all of it: connect, send, answer; > 0 */
	/* Until a new connection stands, from when timeout_us counts then; 0: it has no time of its
	 * own. */
	uint64_t connect_timeout_us;
	/* NULL: it is sent at once. Else on an open connection it waits in this list for
	 * http_send_held(): who sends many in a row wakes a target once that would else fall asleep
	 * between any two. */
	struct list *held;
	bool no_accept; /* without a header Accept, unless it is among its headers */
};

/* The answer. Lives until http_conn_release(). */
struct http_reply {
	const char *error; /* NULL: a whole response came; else Python-style words, see below */
	const struct http_response *head; /* status, headers; offsets into bytes */
	const char *bytes;		  /* the receive buffer */
	const char *body;		  /* followed by a NUL */
	size_t body_len;
	uint64_t time_us;  /* from when it was sent to the last byte, or to the failure */
	uint64_t body_us;  /* of that, how long the body came after its head; of HTTP/1.1 */
	uint64_t ended_us; /* when that was */
};

/* The words are a class of base/failure_class.def and its cause, as Python prints them, for they
 * stand in the users' dashboards already: ConnectionRefusedError(111, 'Connection refused'). */

typedef void (*http_done_fn)(void *arg);

/* Fields are private; embedded by the user. */
struct http_conn {
	struct http_client *client;
	const struct http_origin *origin; /* of the open connection */
	struct http_exchange *exchange;	  /* NULL: idle */
	struct loop_watch watch;	  /* fd -1: closed */
	struct stream stream;		  /* over it */
	struct h2 *h2;			  /* it speaks HTTP/2; else NULL */
	bool is_connected;
};

/* Connections since the last time they were taken. failed: none could be had for a request. */
struct http_count {
	uint64_t opened, closed, failed;
};

/* Once a second or so: half of the memory that no request has needed since the last call may go. */
void http_client_trim(struct http_client *c);
/* Gives back what one request would need of it; false: none is left. Thousands are not for one turn
 * of a loop. */
bool http_client_drop(struct http_client *c);

struct http_client *http_client_create(struct loop *loop);
/* For the https origins that come later; lent for the client's life. Without it: the defaults. */
void http_client_use_tls(struct http_client *c, const struct tls_options *options);
/* For the connections to come; HTTP_VERSION_1_1 without it. Before the first https origin. */
void http_client_use_version(struct http_client *c, enum http_version version);
/* For the origins that come later; lent for the client's life. NULL or without it: the defaults. */
void http_client_use_network(struct http_client *c, const struct http_network *network);
/* Every http_conn of it must be closed. */
void http_client_destroy(struct http_client **c);

struct http_count http_client_take_count(struct http_client *c);

/* The origin of a URL, made when new and remembered. Its look-up begins here and requests wait for
 * it (net/resolver.h). A name that cannot be resolved is a valid origin whose requests fail with
 * gaierror and which is looked up again after 1 s. ERR_TOO_BIG beyond LIMIT_ORIGINS; of https what
 * tls_client_create() says, of the first name what resolver_create() says. */
enum err http_client_origin(struct http_client *c, const struct http_url *url,
			    const struct http_origin **out, struct err_text *why) MUST_CHECK;

/* Its name in lower case, without brackets. */
struct str http_origin_host(const struct http_origin *o);
bool http_origin_is_tls(const struct http_origin *o);
/* Appends "http://host:port", or https. */
void http_origin_write(const struct http_origin *o, struct buf *out);

void http_conn_init(struct http_conn *conn, struct http_client *c);
/* Sends; done(arg) is called in a later turn when *reply is filled. Never inside this call; a
 * request that fails at once also ends in a later turn. conn must be idle and released.
 * Bytes that would break the framing (CR, LF in method, target or content type) must have been
 * refused by the caller. */
void http_conn_send(struct http_conn *conn, const struct http_request *request,
		    struct http_reply *reply, http_done_fn done, void *arg);
/* To be called before the next turn of the loop. */
void http_send_held(struct list *held);
/* The target of the request that was answered, as sent; until http_conn_release(). */
struct str http_conn_target(const struct http_conn *conn);
/* Gives the exchange back; the reply's memory is gone. Harmless when idle. */
void http_conn_release(struct http_conn *conn);
/* Ends a request in flight without calling done, and closes the connection; harmless else. Takes
 * effect at once; conn may be freed at the end of the loop's turn (loop_bury). */
void http_conn_close(struct http_conn *conn);
/* True while a request is in flight. */
bool http_conn_is_busy(const struct http_conn *conn);
