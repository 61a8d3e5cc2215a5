/* SPDX-License-Identifier: MIT
 *
 * report_html - see the header. The page is made by ui/bundle.mjs from ui/src/matrix. */
#include "matrix/report_html.h"

#include <string.h>

#include "base/err.h"
#include "serve/asset.h"

#define PLACE "{{report}}"

extern const struct asset asset_matrix_alone;

void report_html_begin(struct report_html *h, struct buf *out)
{
	const char *place;

	buf_init(&h->page, asset_matrix_alone.len);
	asset_unpack(&asset_matrix_alone, &h->page);
	place = strstr(buf_str(&h->page).p, PLACE);
	ensure(place);
	buf_add(out, h->page.p, (size_t)(place - h->page.p));
	h->rest = place + strlen(PLACE);
}

/* A "<" of JSON stands in a string. Escaped, nothing in the report can end its element. */
void report_html_add(struct str json, struct buf *out)
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

void report_html_end(struct report_html *h, struct buf *out)
{
	buf_add_text(out, h->rest);
	buf_fini(&h->page);
}
