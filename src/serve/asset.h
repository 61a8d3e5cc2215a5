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
/* A page that has a place for JSON, {{report}}, written with JSON in it: as data of an element,
 * which nothing in it can end. The JSON comes in parts of any length, between begin and end. */
struct asset_page {
	struct buf html;
	const char *rest; /* of it, behind the place */
};

void asset_begin(struct asset_page *p, const struct asset *page, struct buf *out);
void asset_add(struct str json, struct buf *out);
void asset_end(struct asset_page *p, struct buf *out);
