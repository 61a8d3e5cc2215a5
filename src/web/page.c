/* SPDX-License-Identifier: MIT
 *
 * page - see the header. */
#include "web/page.h"

#include "base/buf.h"
#include "web/html.h"

#define PAGE_BYTES (256 * 1024)

/* Copies the page and puts the values where their names stand. */
static void expand(struct buf *out, const char *at, const struct page_value *values, size_t count)
{
	const char *open;

	while ((open = strstr(at, "{{"))) {
		struct str name = { open + 2, strcspn(open + 2, "}") };

		buf_add(out, at, (size_t)(open - at));
		at = name.p + name.len + 2;
		for (size_t i = 0; i < count; i++)
			if (str_eq(name, values[i].name))
				html_add(out, values[i].text, true);
	}
	buf_add_text(out, at);
}

void page_answer_filled(struct serve_request *r, unsigned status, const char *html,
			const struct page_value *values, size_t count)
{
	struct buf out;

	buf_init(&out, PAGE_BYTES);
	expand(&out, html, values, count);
	ensure(!out.is_full);
	serve_add_header(r, "Content-Security-Policy",
			 "default-src 'none'; form-action 'self'; base-uri 'none'; "
			 "frame-ancestors 'none'");
	serve_add_header(r, "X-Content-Type-Options", "nosniff");
	serve_add_header(r, "Cache-Control", "no-cache");
	serve_reply(r, status, "text/html; charset=utf-8", out.p, out.len);
	buf_fini(&out);
}
