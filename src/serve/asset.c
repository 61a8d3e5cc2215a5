/* SPDX-License-Identifier: MIT
 *
 * asset - see the header. */
#include "serve/asset.h"

#include <string.h>

#include <zlib.h>

#define GZIP_WINDOW (16 + MAX_WBITS)
#define PLACE	    "{{report}}"

static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/* Whether gzip is named, as in "br, gzip;q=0.5", and not with q=0. */
static bool takes_gzip(const struct serve_request *r)
{
	const char *accepted = serve_header(r, "Accept-Encoding");
	struct str left = str_of(accepted ? accepted : ""), coding, name;

	while (str_cut(&left, ',', &coding)) {
		(void)str_cut(&coding, ';', &name);
		if (!str_case_eq(str_trim(name), "gzip"))
			continue;
		coding = str_trim(coding);
		return !coding.len || strspn(coding.p, "q=0.") < coding.len;
	}
	return false;
}

void asset_unpack(const struct asset *asset, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)asset->packed,
		       .avail_in = (unsigned)asset->packed_len,
		       .next_out = (unsigned char *)buf_room(out, asset->len),
		       .avail_out = (unsigned)asset->len };

	if (!z.next_out)
		return;
	/* They are our own bytes. */
	ensure(inflateInit2(&z, GZIP_WINDOW) == Z_OK);
	ensure(inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == asset->len);
	inflateEnd(&z);
	out->len += asset->len;
	out->p[out->len] = '\0';
}

void asset_begin(struct asset_page *p, const struct asset *page, struct buf *out)
{
	const char *place;

	buf_init(&p->html, page->len);
	asset_unpack(page, &p->html);
	place = strstr(buf_str(&p->html).p, PLACE);
	ensure(place);
	buf_add(out, p->html.p, (size_t)(place - p->html.p));
	p->rest = place + strlen(PLACE);
}

/* A "<" of JSON stands in a string. Escaped, nothing in it can end its element. */
void asset_add(struct str json, struct buf *out)
{
	const char *at;

	while ((at = memchr(json.p, '<', json.len))) {
		size_t before = (size_t)(at - json.p);

		buf_add(out, json.p, before);
		buf_add_text(out, "\\u003c");
		json.p = at + 1;
		json.len -= before + 1;
	}
	buf_add_str(out, json);
}

void asset_end(struct asset_page *p, struct buf *out)
{
	buf_add_text(out, p->rest);
	buf_fini(&p->html);
}

static void reply_unpacked(const struct asset *asset, struct serve_request *r)
{
	struct buf bytes;

	buf_init(&bytes, asset->len);
	asset_unpack(asset, &bytes);
	serve_reply(r, 200, asset->type, bytes.p, bytes.len);
	buf_fini(&bytes);
}

static void reply(const struct asset *asset, struct serve_request *r)
{
	const char *seen = serve_header(r, "If-None-Match");

	serve_add_header(r, "Content-Security-Policy", policy);
	serve_add_header(r, "X-Content-Type-Options", "nosniff");
	serve_add_header(r, "Referrer-Policy", "no-referrer");
	serve_add_header(r, "Cache-Control", "no-cache");
	serve_add_header(r, "ETag", asset->tag);
	serve_add_header(r, "Vary", "Accept-Encoding");
	if (seen && strcmp(seen, asset->tag) == 0) {
		serve_reply(r, 304, NULL, "", 0);
	} else if (takes_gzip(r)) {
		serve_add_header(r, "Content-Encoding", "gzip");
		serve_reply(r, 200, asset->type, asset->packed, asset->packed_len);
	} else {
		reply_unpacked(asset, r);
	}
}

void asset_answer(const struct asset *table, const char *name, struct serve_request *r)
{
	for (const struct asset *at = table; at->name; at++) {
		if (strcmp(at->name, name) == 0) {
			reply(at, r);
			return;
		}
	}
	serve_error(r, 404, "there is no file '%.100s'", name);
}
