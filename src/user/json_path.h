/* SPDX-License-Identifier: MIT
 *
 * json_path - values of a JSON text (RFC 8259) by path, such as $.items[0].price.
 *
 * The text is checked as a whole, at most LIMIT_JSON_DEPTH deep, without a tree: what is cut short
 * or malformed anywhere holds nothing. Of a key that stands twice the last one counts, as in Python
 * and JavaScript. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json_scan.h"
#include "base/limits.h"
#include "base/str.h"

enum json_kind {
	JSON_IS_ABSENT, /* there is no such value */
	JSON_IS_NULL,
	JSON_IS_FALSE,
	JSON_IS_TRUE,
	JSON_IS_NUMBER,
	JSON_IS_TEXT,
	JSON_IS_LIST,
	JSON_IS_OBJECT
};

struct json_value {
	enum json_kind kind;
	struct str
		raw; /* as it stands in the text; JSON_IS_TEXT: between its quotes, with escapes */
	double number; /* JSON_IS_NUMBER; infinite when it is too large */
};

struct json_step {
	struct str key; /* key.p == NULL: the element `index` of a list */
	size_t index;
};

struct json_path {
	struct json_step steps[LIMIT_JSON_PATH_STEPS];
	size_t count; /* 0: the whole text */
};

/* [$][.]key, .key, [0], ["odd key"] or ['odd key'], one after the other; a key without quotes ends
 * at a point or a bracket. The steps point into `text`. */
enum err json_path_parse(struct json_path *path, const char *text, struct err_text *why) MUST_CHECK;
void json_path_find(const struct json_path *path, struct str text, struct json_value *out);

/* The value that comes next in the scan; false: malformed, see json_scan.h. */
bool json_value_scan(struct json_scan *s, struct json_value *out);

/* True when the text is one JSON object with this key (UTF-8) at its top level. */
bool json_has_key(struct str text, struct str key);
