/* SPDX-License-Identifier: MIT
 *
 * decode - bodies with a Content-Encoding of gzip, deflate or br (RFC 9110 8.4).
 *
 * One decoder per thread: it keeps zlib's state and the buffers of bodies nobody needs any more, so
 * that gzip and deflate allocate nothing in steady state (libbrotli makes its state for each
 * body anew). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* What a request says that wants this. */
#define DECODE_ACCEPT "Accept-Encoding: gzip, deflate, br\r\n"

struct decoder;

/* A decoded body. Borrowed from the decoder. */
struct decoded {
	struct decoded *next; /* private */
	struct buf bytes;     /* followed by a NUL */
	size_t lent_bytes;    /* private */
};

struct decoder *decoder_create(void);
/* Every body must have been given back. */
void decoder_destroy(struct decoder **d);

/* Decodes a whole body. coding: the value of Content-Encoding. *out stays NULL when there is
 * nothing to do: the coding is "identity". ERR_UNSUPPORTED for other codings and for several of
 * them, which nobody asked for; ERR_BAD_INPUT for a body that is corrupt or cut off;
 * ERR_TOO_BIG when it would be larger than LIMIT_DECODED_BODY_BYTES, or all that are lent
 * together larger than LIMIT_BODIES_BYTES. */
enum err decoder_run(struct decoder *d, struct str coding, struct str body, struct decoded **out,
		     struct err_text *why) MUST_CHECK;
/* Gives the body back; NULL is fine. */
void decoder_release(struct decoder *d, struct decoded **body);
