/* SPDX-License-Identifier: MIT
 *
 * failure_class - see the header. */
#include "base/failure_class.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[FAILURE_CLASS_COUNT] = {
#define FAILURE(name, text) [FAILURE_##name] = text,
#include "base/failure_class.def"
#undef FAILURE
};

const char *failure_class_name(enum failure_class c)
{
	ensure((unsigned)c < FAILURE_CLASS_COUNT);
	return names[c];
}

void failure_say(char *text, size_t size, enum failure_class c, const char *fmt, ...)
{
	const char *name = failure_class_name(c);
	int room = (int)(size - strlen(name) - sizeof("()"));
	char cause[512];
	va_list ap;

	ensure(size > strlen(name) + sizeof("()"));

	va_start(ap, fmt);
	vsnprintf(cause, sizeof(cause), fmt, ap);
	va_end(ap);
	snprintf(text, size, "%s(%.*s)", name, room, cause);
}
