/* SPDX-License-Identifier: MIT
 *
 * checklist - see the header. */
#include "matrix/checklist.h"

#include <stdarg.h>

#include "base/limits.h"

void checklist_init(struct checklist *c)
{
	*c = (struct checklist){ .checks = 0 };
	buf_init(&c->lines, LIMIT_CHECKLIST_BYTES);
	buf_init(&c->rules, LIMIT_CHECKLIST_BYTES);
}

void checklist_fini(struct checklist *c)
{
	buf_fini(&c->lines);
	buf_fini(&c->rules);
}

static PRINTF_LIKE(3, 0) void add_line(struct checklist *c, const char *verdict, const char *fmt,
				       va_list ap)
{
	buf_printf(&c->lines, "  %-6s ", verdict);
	buf_vprintf(&c->lines, fmt, ap);
	buf_add_char(&c->lines, '\n');
	c->checks++;
}

void checklist_pass(struct checklist *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(c, "ok", fmt, ap);
	va_end(ap);
}

void checklist_fail(struct checklist *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(c, "FAULT", fmt, ap);
	va_end(ap);
	c->faults++;
}

void checklist_say(const struct checklist *c, struct buf *out)
{
	buf_add_str(out, buf_str(&c->lines));
	if (c->rules.len) {
		buf_add_text(out, "The Role of the driver lacks:\n");
		buf_add_str(out, buf_str(&c->rules));
	}
	if (c->faults)
		buf_printf(out, "%zu of %zu are not as they should be; nothing was changed\n",
			   c->faults, c->checks);
	else
		buf_printf(out, "All %zu are as they should be; nothing was changed\n", c->checks);
}
