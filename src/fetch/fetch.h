/* SPDX-License-Identifier: MIT
 *
 * fetch - HTTP calls of the control plane: few, small, and never without an end.
 *
 * One struct fetch keeps its connections between calls and belongs to the thread
 * that made it. A call blocks its caller until the reply is whole, the deadline
 * has passed, or `is_stopped` says that nobody waits any longer (asked at least
 * every FETCH_STOP_CHECK_MS). A reply with any status is a success here; what a
 * status means is for the caller to say, fetch_expect() helps. Bodies are bounded
 * by LIMIT_FETCH_BODY_BYTES. Redirects are not followed and proxies of the
 * environment are not used: the control plane talks to the address it was given.
 *
 * A stream is a reply that goes on: its bytes arrive while other calls of the same
 * struct fetch are made, or when fetch_stream_step() asks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define FETCH_STOP_CHECK_MS 100
#define FETCH_QUOTE_BYTES   120

struct fetch;
struct json_t;

/* True: give up the call in flight. */
typedef bool (*fetch_stop_fn)(void *arg);

/* Of https URLs, as PEM. The bytes are lent for the life of the struct fetch. */
struct fetch_tls {
	struct str ca;	      /* whom to trust; empty: whom the system trusts */
	struct str cert, key; /* of the client; empty: none */
	bool is_unverified;   /* take any certificate */
};

struct fetch_request {
	const char *url;	  /* user and password in it are used, and not shown in messages */
	const char *method;	  /* NULL: GET, or POST where there is a body */
	const char *body;	  /* NULL: none */
	const char *content_type; /* of body; NULL: application/x-www-form-urlencoded */
	const char *accept;	  /* NULL: anything */
	const char *bearer;	  /* token; NULL: none */
	const struct fetch_tls *tls;
	uint64_t timeout_ms; /* of the whole call, attempts included; must not be 0 */
	/* Tries of a call that is safe to repeat: 0 and 1 mean once. A try that failed
	 * on the way or was answered 502, 503, 504 is repeated after 50, 100, 200 ... ms
	 * until the deadline. */
	unsigned attempts;
};

struct fetch_reply {
	long status;
	uint64_t retry_after_s; /* what the server asks for; 0: nothing */
	struct buf body;
};

struct fetch_stream;
typedef void (*fetch_bytes_fn)(const char *bytes, size_t len, void *arg);

/* is_stopped may be NULL. */
struct fetch *fetch_create(fetch_stop_fn is_stopped, void *arg);
void fetch_destroy(struct fetch **f);

void fetch_reply_init(struct fetch_reply *reply);
void fetch_reply_fini(struct fetch_reply *reply);

/* Replaces what *reply held. ERR_UNREACHABLE, ERR_REFUSED, ERR_TIMEOUT, ERR_CLOSED,
 * ERR_TOO_BIG, ERR_BAD_INPUT (not HTTP, bad URL) or ERR_INTERRUPTED, with method and
 * URL in *text. */
enum err fetch_call(struct fetch *f, const struct fetch_request *request, struct fetch_reply *reply,
		    struct err_text *text) MUST_CHECK;

/* OK when the status is 200 to 299; else ERR_DENIED for 401, ERR_NOT_FOUND for 404, ERR_REFUSED
 * for other 4xx, ERR_IO for the rest, with status and first line of the body in *text. */
enum err fetch_expect(const struct fetch_request *request, const struct fetch_reply *reply,
		      struct err_text *text) MUST_CHECK;

/* fetch_call, fetch_expect, then the body as a JSON object. The caller owns *out and
 * gives it back with json_decref(). */
enum err fetch_json(struct fetch *f, const struct fetch_request *request, struct json_t **out,
		    struct err_text *text) MUST_CHECK;

/* Starts a request whose 200 reply goes to on_bytes in pieces, as they come; on_bytes makes no
 * calls of fetch. The strings of *request are copied; attempts are not its business. */
struct fetch_stream *fetch_stream_open(struct fetch *f, const struct fetch_request *request,
				       fetch_bytes_fn on_bytes, void *arg);
/* Moves what can be moved without waiting. ERR_BUSY: it goes on; OK: the server has ended it;
 * else as fetch_call(). */
enum err fetch_stream_step(struct fetch_stream *s, struct err_text *text) MUST_CHECK;
/* Status and, when it is not 200, body. Lent until close. */
const struct fetch_reply *fetch_stream_reply(const struct fetch_stream *s);
/* Before fetch_destroy(). */
void fetch_stream_close(struct fetch_stream **s);

/* Waits this long. False: is_stopped said so meanwhile. */
bool fetch_rest(struct fetch *f, uint64_t rest_ms);

/* The first line of the body, printable and cut, so that it may stand in a message. */
void fetch_quote(const struct buf *body, char out[FETCH_QUOTE_BYTES]);

/* Adds name=value, percent-encoded, to a form body; puts the & where one is due. */
void fetch_form_add(struct buf *form, const char *name, const char *value);
