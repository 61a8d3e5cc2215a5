/* SPDX-License-Identifier: MIT
 *
 * asset - the files of our own pages, as ui/bundle.mjs embeds them: packed, and unpacked only for
 * who cannot take them so.
 *
 * Every one goes out with a policy by which the page uses nothing but this server, runs no
 * script but its own and is shown inside of no other. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "serve/serve.h"

struct asset {
	const char *name; /* "test.js"; NULL ends a table */
	const char *type;
	const char *tag;	     /* of its content, as an ETag is written */
	const unsigned char *packed; /* gzip */
	size_t packed_len, len;
};

/* Answers with the file of this name in the table, 404 when there is none. */
void asset_answer(const struct asset *table, const char *name, struct serve_request *r);
/* Appends the content. */
void asset_unpack(const struct asset *asset, struct buf *out);
