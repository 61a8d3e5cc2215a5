/* SPDX-License-Identifier: MIT
 *
 * mlmodel - see the header. */
#include "infer/mlmodel.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

/* MLflow's ids are 32 hexadecimal digits; other stores use letters, dashes and the like. Nothing of
 * YAML's own punctuation. */
static bool is_id(struct str s)
{
	static const char others[] = "-_.";

	if (!s.len || s.len > LIMIT_MODEL_NAME_BYTES)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c && strchr(others, c))))
			return false;
	}
	return true;
}

/* What stands behind the colon, without its quotes or a comment. */
static struct str scalar_of(struct str s)
{
	const char *end;

	s = str_trim(s);
	if (s.len && (s.p[0] == '"' || s.p[0] == '\'')) {
		end = memchr(s.p + 1, s.p[0], s.len - 1);
		return end ? (struct str){ s.p + 1, (size_t)(end - s.p - 1) } : s;
	}
	end = s.len ? memchr(s.p, '#', s.len) : NULL;
	return end ? str_trim((struct str){ s.p, (size_t)(end - s.p) }) : s;
}

enum err mlmodel_run_id(struct str bytes, struct str *out, struct err_text *text)
{
	struct str rest = bytes, line, key;
	size_t number = 0;

	*out = (struct str){ NULL, 0 };
	while (str_cut(&rest, '\n', &line)) {
		struct str value = line;

		number++;
		/* A key that is indented belongs to something else. */
		if (!memchr(line.p, ':', line.len) || !str_cut(&value, ':', &key) ||
		    !str_eq(key, "run_id"))
			continue;
		value = scalar_of(value.p ? value : (struct str){ "", 0 });
		if (!value.len || str_eq(value, "null") || str_eq(value, "~"))
			return OK;
		if (!is_id(value))
			return err_set(text, ERR_BAD_INPUT,
				       "line %zu: run_id: must be 1 to %d letters, digits, '-', "
				       "'_' and '.'",
				       number, LIMIT_MODEL_NAME_BYTES);
		*out = value;
		return OK;
	}
	return OK;
}
