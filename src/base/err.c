/* SPDX-License-Identifier: MIT
 *
 * err - texts of the error codes and the end of a broken program. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const err_texts[ERR_COUNT] = {
	[OK] = "success",
#define ERR(name, text) [ERR_##name] = text,
#include "base/err.def"
#undef ERR
};

const char *err_name(enum err err)
{
	return (unsigned)err < ERR_COUNT ? err_texts[err] : "unknown error";
}

enum err err_set(struct err_text *out, enum err err, const char *fmt, ...)
{
	if (out) {
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(out->text, sizeof(out->text), fmt, ap);
		va_end(ap);
	}
	return err;
}

const char *err_say(const struct err_text *text, enum err err)
{
	return text && text->text[0] ? text->text : err_name(err);
}

void err_ensure_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "%s:%d: internal error: %s does not hold\n", file, line, cond);
	abort();
}
