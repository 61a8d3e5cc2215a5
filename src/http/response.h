/* SPDX-License-Identifier: MIT
 *
 * response - incremental HTTP/1.x response parser (RFC 9112), in place, without memory of
 * its own: all text stays in the caller's receive buffer and is named by offsets from the
 * start of that buffer, so the buffer may be moved between calls.
 *
 *	http_response_init(&r, is_head_request);
 *	  receive, then  http_response_head(&r, bytes, len)                  until IO_OK;
 *	  then           http_response_body(&r, bytes + at, len - at, ...)   until IO_OK,
 *	                 where `at` begins at r.head_bytes and moves on by *used.
 *	  end of stream: http_response_eof(&r).
 *
 * No byte is looked at twice, and the outcome never depends on how the bytes were cut
 * into pieces. IO_AGAIN wants more bytes, IO_FAIL is final and r.fault says why. Lines
 * end with LF, the CR before it may be missing (RFC 9112 2.2).
 *
 * Bytes left over after IO_OK (*used < len) belong to no request of ours: HTTP_SURPLUS.
 * The reply itself is good, but the connection must be closed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum http_fault {
	HTTP_NO_FAULT = 0,
#define FAULT(name, text) HTTP_##name,
#include "http/fault.def"
#undef FAULT
	HTTP_FAULT_COUNT
};

enum http_framing {
	HTTP_BODY_NONE,	      /* HEAD, 204, 304 */
	HTTP_BODY_LENGTH,     /* Content-Length */
	HTTP_BODY_CHUNKED,    /* Transfer-Encoding: chunked */
	HTTP_BODY_UNTIL_CLOSE /* none of them: the end of the stream is the end */
};

/* Bytes [at, at + len) of the receive buffer; len 0: absent or empty. */
struct http_slice {
	uint32_t at, len;
};

/* The part above the line is for reading once http_response_head() said IO_OK. */
struct http_response {
	uint16_t status;	   /* 200 to 999; 1xx replies are skipped */
	uint8_t minor_version;	   /* 0 or 1 */
	bool is_head_done;	   /* the head is complete, the fields around are valid */
	bool can_reuse;		   /* keep-alive, once the body is complete */
	bool has_set_cookie;	   /* at least one Set-Cookie line */
	uint8_t framing;	   /* enum http_framing */
	uint8_t fault;		   /* enum http_fault, after IO_FAIL */
	uint32_t head_bytes;	   /* where the body begins; skipped 1xx heads count in */
	struct http_slice reason;  /* "Not Found" */
	struct http_slice headers; /* all header lines, for http_response_next_header() */
	struct http_slice location, content_type, content_encoding; /* the last one of each */
	uint64_t content_length; /* as announced, also for HEAD; 0 without the header */
	uint64_t body_bytes;	 /* decoded and handed over so far */

	/* Private. */
	uint64_t left;	     /* bytes missing of the body or of the chunk */
	uint32_t line_at;    /* start of the line being received */
	uint32_t scanned;    /* bytes searched for its end */
	uint32_t line_bytes; /* of this chunk line or of all trailers */
	uint16_t header_count;
	uint8_t chunk_state; /* enum chunk_state of response.c */
	bool is_head_request;
	bool has_content_length, has_transfer_encoding, wants_close, wants_keep_alive;
};

/* RFC 9110 5.6.2: what methods and header names consist of. */
bool http_is_token(struct str s);

void http_response_init(struct http_response *r, bool is_head_request);

/* bytes: everything received since init. */
enum io http_response_head(struct http_response *r, const char *bytes, size_t len) MUST_CHECK;

/* bytes: what follows the bytes already used. Works through them until the reply is
 * complete (IO_OK) or they are used up (IO_AGAIN), and leaves the decoded body bytes among
 * them at bytes[0 .. *body_len): chunks are moved together, other framings do not move. */
enum io http_response_body(struct http_response *r, char *bytes, size_t len, size_t *used,
			   size_t *body_len) MUST_CHECK;

/* The stream has ended. IO_OK: that completes the reply; IO_FAIL: it was cut off. Must not
 * be called after the reply was complete. */
enum io http_response_eof(struct http_response *r) MUST_CHECK;

/* Visits the header lines of a complete head in order; *at begins at 0. */
bool http_response_next_header(const struct http_response *r, const char *bytes, size_t *at,
			       struct str *name, struct str *value);
/* The first header of that name, any case. False when absent. */
bool http_response_header(const struct http_response *r, const char *bytes, const char *name,
			  struct str *value);

/* The sentence of fault.def, never NULL. */
const char *http_fault_text(enum http_fault fault);

static inline struct str http_slice_str(struct http_slice s, const char *bytes)
{
	return (struct str){ bytes + s.at, s.len };
}
