/* SPDX-License-Identifier: MIT
 *
 * report_html - see the header. The page is made by ui/bundle.mjs from ui/src/matrix. */
#include "matrix/report_html.h"

#include <string.h>

#include "base/err.h"
#include "serve/asset.h"

#define PLACE "{{report}}"

extern const struct asset asset_matrix_alone;

/* A "<" of JSON stands in a string. Escaped, nothing in the report can end its element. */
static void add_inert(struct str json, struct buf *out)
{
	struct str part;
	const char *escape = "";

	while (str_cut(&json, '<', &part)) {
		buf_add_text(out, escape);
		buf_add_str(out, part);
		escape = "\\u003c";
	}
}

void report_html_format(struct str json, struct buf *out)
{
	struct buf page;
	const char *place;

	buf_init(&page, asset_matrix_alone.len);
	asset_unpack(&asset_matrix_alone, &page);
	place = strstr(buf_str(&page).p, PLACE);
	ensure(place);
	buf_add(out, page.p, (size_t)(place - page.p));
	add_inert(json, out);
	buf_add_text(out, place + strlen(PLACE));
	buf_fini(&page);
}
