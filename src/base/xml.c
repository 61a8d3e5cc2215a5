/* SPDX-License-Identifier: MIT
 *
 * xml - see the header. */
#include "base/xml.h"

#include <string.h>

void xml_add(struct buf *out, const char *text)
{
	struct str rest = str_of(text);

	while (rest.len) {
		size_t step = str_utf8_step(rest.p, rest.len);
		unsigned char c = (unsigned char)*rest.p;

		if (!step || (c < ' ' && !strchr("\t\n\r", c)) || c == 0x7f)
			buf_add_text(out, "\xef\xbf\xbd");
		else if (step == 1 && strchr("<>&\"'\t\n\r", c))
			buf_printf(out, "&#%u;", c);
		else
			buf_add(out, rest.p, step);
		step += !step;
		rest = (struct str){ rest.p + step, rest.len - step };
	}
}
