/* SPDX-License-Identifier: MIT
 *
 * html - see the header. */
#include "web/html.h"

static const char *entity(char c, bool want_quotes)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return want_quotes ? "&quot;" : NULL;
	case '\'':
		return want_quotes ? "&#x27;" : NULL;
	default:
		return NULL;
	}
}

void html_add(struct buf *out, const char *text, bool want_quotes)
{
	for (; *text; text++) {
		const char *as = entity(*text, want_quotes);

		if (as)
			buf_add_text(out, as);
		else
			buf_add_char(out, *text);
	}
}
