/* SPDX-License-Identifier: MIT
 *
 * token - see the header. */
#include "base/token.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"

#define TOKEN_BYTES_MIN 16
#define FILE_BYTES	(LIMIT_TOKEN_BYTES + 16) /* with blanks around it */

static bool is_token(struct str said)
{
	for (size_t i = 0; i < said.len; i++)
		if (said.p[i] <= ' ' || said.p[i] > '~')
			return false;
	return said.len >= TOKEN_BYTES_MIN && said.len <= LIMIT_TOKEN_BYTES;
}

enum err token_read(const char *path, struct token *out, struct err_text *text)
{
	struct str said;
	struct buf file;
	enum err err;

	buf_init(&file, FILE_BYTES);
	err = file_read(path, &file, text);
	said = str_trim(buf_str(&file));
	if (err == ERR_TOO_BIG || (!err && !is_token(said))) {
		err = err_set(text, ERR_BAD_INPUT,
			      "%s: a token is one line of %d to %d characters without blanks; "
			      "openssl rand -hex 32 makes one",
			      path, TOKEN_BYTES_MIN, LIMIT_TOKEN_BYTES);
	} else if (!err) {
		memcpy(out->text, said.p, said.len);
		out->text[said.len] = '\0';
	}
	if (file.p)
		explicit_bzero(file.p, file.len);
	buf_fini(&file);
	return err;
}

bool token_equals(const struct token *t, struct str said)
{
	size_t len = strlen(t->text);
	unsigned char differs = said.len != len;

	for (size_t i = 0; i < len && said.len; i++)
		differs |= (unsigned char)(t->text[i] ^ said.p[i % said.len]);
	return !differs;
}
