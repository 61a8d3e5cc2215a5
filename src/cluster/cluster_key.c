/* SPDX-License-Identifier: MIT
 *
 * cluster_key - see the header. */
#include "cluster/cluster_key.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"

#define FILE_BYTES 256

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool read_digits(struct str digits, struct cluster_key *out)
{
	if (digits.len != 2 * sizeof(out->bytes))
		return false;
	for (size_t i = 0; i < sizeof(out->bytes); i++) {
		int high = digit_of(digits.p[2 * i]), low = digit_of(digits.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

enum err cluster_key_read(const char *path, struct cluster_key *out, struct err_text *text)
{
	struct buf file;
	enum err err;

	buf_init(&file, FILE_BYTES);
	err = file_read(path, &file, text);
	if (err == ERR_TOO_BIG || (!err && !read_digits(str_trim(buf_str(&file)), out)))
		err = err_set(text, ERR_BAD_INPUT,
			      "%s: a cluster key is 64 hexadecimal digits; openssl rand -hex 32 "
			      "makes one",
			      path);
	if (file.p)
		explicit_bzero(file.p, file.len);
	buf_fini(&file);
	return err;
}
