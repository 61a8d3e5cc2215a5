/* SPDX-License-Identifier: MIT
 *
 * serve - an HTTP/1.1 server for people and programs: a table of routes over libmicrohttpd.
 *
 * Two ways to run it:
 *  threads > 0   libmicrohttpd's own epoll threads; handlers run on them, several at once.
 *                They inherit the signal mask of the thread that calls serve_create().
 *  threads == 0  the owner drives it: watch serve_fd() for reading (level-triggered), call
 *                serve_turn() when it is readable or serve_timeout_us() is over. Everything
 *                runs on the owner's thread.
 *
 * A handler is called once per request, with the whole body, and answers exactly once:
 * serve_reply() or serve_error() before it returns, or serve_defer() and one of the two
 * later. No answer becomes a 500. Who drives the server itself may also serve_hold() requests, to
 * answer those of one turn together. Requests without a route, with the wrong method or
 * with too large a body are answered here (404, 405 with Allow, 413) as JSON
 * {"error": "..."}, or, the first two, as the page that Locust shows. HEAD is served by GET's
 * handler. A body or a large answer that finds no room (max_held_bytes) beside those that slow
 * clients are sending or taking becomes a 503. A request line or head that is not HTTP is answered
 * (400, 414, 431) by libmicrohttpd itself and reaches neither handler nor observer.
 *
 * A guard (serve_guard.h) looks at requests before all that, but for a URL of too many arguments
 * (414) and a body that is coded in a way we do not read (501).
 *
 * All strings a request gives out live until it is answered; a lent body does not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct serve;
struct serve_guard;
struct serve_request;

typedef void (*serve_handler_fn)(void *arg, struct serve_request *r);

struct serve_route {
	const char *method; /* NULL ends the table */
	const char *path;   /* exact; ending in slash and star: everything below */
	serve_handler_fn fn;
	bool is_open;	  /* the guard lets everybody pass */
	bool is_change;	  /* pages of other sites may not ask for it */
	bool is_anywhere; /* not only below the base path */
};

/* One answer, told before its first byte is sent, on the thread that answers. */
struct serve_answer {
	int route;	    /* index into the table, -1: none fitted */
	const char *path;   /* the route's, "other" if none */
	const char *method; /* "other" if it is no method of RFC 9110 */
	unsigned status;
	uint64_t duration_us; /* from the end of the request's head */
	size_t body_bytes, reply_bytes;
	struct serve_request *request; /* to ask what was asked, during the call */
};
typedef void (*serve_observe_fn)(void *arg, const struct serve_answer *answer);
/* The connection of a request that is held has ended (silent for too long, or with the server): r
 * is not to be answered or touched any more. A client that just goes away is found out with the
 * answer. */
typedef void (*serve_gone_fn)(void *arg, struct serve_request *r);

struct serve_options {
	const char *host; /* name or address; NULL, "" and "*": all interfaces */
	uint16_t port;	  /* 0: the kernel chooses */
	bool reuse_port;  /* SO_REUSEPORT: several processes share the port */
	unsigned threads;
	unsigned max_connections;	 /* 0: LIMIT_SERVE_CONNECTIONS */
	size_t max_body_bytes;		 /* 0: LIMIT_SERVE_BODY_BYTES */
	size_t max_held_bytes;		 /* 0: LIMIT_SERVE_HELD_BYTES */
	unsigned idle_timeout_s;	 /* 0: LIMIT_SERVE_IDLE_S */
	bool allow_any_origin;		 /* CORS headers for every page of the world, and OPTIONS */
	bool want_html_errors;		 /* Flask's words for 404 and 405, as a page */
	const struct serve_guard *guard; /* lent until serve_destroy(); NULL: all are let in */
	/* Lent; of all routes, such as "/load"; NULL and "": they are where they say. */
	const char *base_path;
	const char *tls_cert, *tls_key;	  /* files (PEM); NULL: no TLS */
	const struct serve_route *routes; /* lent until serve_destroy() */
	/* Lent; for paths that no route has, whatever the method. NULL: 404. */
	const struct serve_route *other;
	serve_observe_fn observe; /* may be NULL */
	serve_gone_fn gone;	  /* needed by who holds requests */
	void *arg;		  /* for handlers, observe and gone */
	/* Takes connections from the door of that server too, in place of host and port: whichever
	 * of them is idle gets the next one. Each has to be told to stop accepting; the door is
	 * closed with the last. Lent for the call. */
	const struct serve *door;
	/* For threads == 0: serve_body() is there until the handler has returned, no longer. A body
	 * that comes in one piece is then not copied. */
	bool is_body_lent;
	/* Of memory for a request's head and what is read of its body at once; 0: 20 kB. */
	size_t connection_bytes;
};

/* Listens and begins to serve. ERR_BUSY: the port is taken; ERR_NOT_FOUND: no such host;
 * the text names host and port. */
enum err serve_create(struct serve **out, const struct serve_options *options,
		      struct err_text *text) MUST_CHECK;
/* The real port. */
uint16_t serve_port(const struct serve *s);

/* For threads == 0 only. */
int serve_fd(const struct serve *s);
void serve_turn(struct serve *s);
/* How long until serve_turn() is wanted at the latest; UINT64_MAX: only when readable. Ask again
 * after every turn and after answering a deferred request. */
uint64_t serve_timeout_us(const struct serve *s);

/* Closes the door: connections that are made keep being served, but each is closed after its
 * next answer. New ones are refused. */
void serve_stop_accepting(struct serve *s);
/* That are open. */
unsigned serve_connections(const struct serve *s);
/* Requests whose head has arrived and whose answer is not yet sent. */
unsigned serve_in_flight(const struct serve *s);
/* Requests whose head has arrived, since the start. A server that drains and sees this number
 * stand still knows that no client is in the middle of something. */
uint64_t serve_begun(const struct serve *s);
/* Stops accepting, waits up to timeout_us for the requests in flight (driving the server
 * itself when threads == 0), then closes every connection. Deferred requests must have
 * been answered before the call. NULL is fine. */
void serve_destroy(struct serve **s, uint64_t timeout_us);

/* What was asked. Names are found without regard to case only for headers; NULL: absent. */
const char *serve_method(const struct serve_request *r);
/* Percent-decoded; the first without the base path, where it is below that. */
const char *serve_path(const struct serve_request *r);
const char *serve_whole_path(const struct serve_request *r);
const char *serve_query(const struct serve_request *r, const char *name);
const char *serve_header(const struct serve_request *r, const char *name);
/* All parameters of the URL, all headers. */
typedef void (*serve_pair_fn)(void *arg, const char *name, const char *value);
void serve_each_query(const struct serve_request *r, serve_pair_fn fn, void *arg);
void serve_each_header(const struct serve_request *r, serve_pair_fn fn, void *arg);
/* A field of a form, application/x-www-form-urlencoded or multipart/form-data, decoded; the first
 * of its name. */
const char *serve_form(struct serve_request *r, const char *name);
/* The one of this name after the value that was given out last; NULL: the first. */
const char *serve_form_next(struct serve_request *r, const char *name, const char *last);
struct str serve_body(const struct serve_request *r);
/* The peer's address without port, "" if unknown. */
const char *serve_remote(struct serve_request *r);

/* A further header of the coming answer. Bytes that may not stand in a header become '_'. */
void serve_add_header(struct serve_request *r, const char *name, const char *value);
/* Answers; bytes are copied. content_type may be NULL (no body type). False: there was no room for
 * so large an answer, and it has become a 503. */
bool serve_reply(struct serve_request *r, unsigned status, const char *content_type,
		 const void *bytes, size_t len);
/* Answers with the first len bytes of an open file, which is read while it is sent and closed at
 * the end. */
void serve_reply_file(struct serve_request *r, unsigned status, const char *content_type, int fd,
		      uint64_t len);
/* Answers {"error": "<text>"}. */
void serve_error(struct serve_request *r, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Answers as if there were no route. */
void serve_no_path(struct serve_request *r);
/* The answer comes later: from the owner's thread when threads == 0, else from any thread. A
 * handler calls this first, then passes r on and returns without touching it. The request
 * waits for ever, also when the client has gone away, so whoever defers has a deadline. */
void serve_defer(struct serve_request *r);
/* For threads == 0: the answer comes between two turns of the server, from the owner's thread. For
 * answers that come at once, since it costs nothing while it lasts one turn, and a little with
 * each further one, where serve_defer() costs some system calls. While requests are
 * held serve_timeout_us() is 0. */
void serve_hold(struct serve_request *r);
