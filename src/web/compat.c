/* SPDX-License-Identifier: MIT
 *
 * compat - see the header. */
#include "web/compat.h"

bool web_compat_parse(const char *version, enum web_compat *out)
{
	*out = strcmp(version, "2.12") == 0 ? WEB_COMPAT_2_12 : WEB_COMPAT_2_46;
	return *out == WEB_COMPAT_2_12 || strcmp(version, "2.46") == 0;
}

/* Python prefers single quotes, unless the text has some and no double ones. */
static void add_repr(struct buf *out, const char *text)
{
	char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

	buf_add_char(out, quote);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == (unsigned char)quote || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n' || c == '\r' || c == '\t')
			buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_add_char(out, *text);
	}
	buf_add_char(out, quote);
}

void web_compat_error(enum web_compat compat, const struct run *run, const char *error,
		      struct buf *out)
{
	if (compat == WEB_COMPAT_2_12 && run->mode->is_distributed)
		add_repr(out, error);
	else
		buf_add_text(out, error);
}
