/* SPDX-License-Identifier: MIT
 *
 * token - a secret in a file that whoever asks over HTTP has to know. Never logged.
 *
 * It has to be long and drawn at random. So it needs no slow hash, which would hold up everything
 * else that the thread of a web interface does. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct token {
	char text[LIMIT_TOKEN_BYTES + 1];
};

/* The one line of a file: 16 or more visible ASCII characters, as `openssl rand -hex 32` makes
 * them. ERR_BAD_INPUT names the file; what stands in it is not shown. */
enum err token_read(const char *path, struct token *out, struct err_text *text) MUST_CHECK;
/* How long it takes does not tell how much of it was right. */
bool token_equals(const struct token *t, struct str said);
