/* SPDX-License-Identifier: MIT
 *
 * fuzz_json_key - Jansson is the second opinion on whether a text is an object with the key. */
#include "fuzz.h"

#include <jansson.h>

#include "base/limits.h"
#include "user/json_key.h"

/* Jansson refuses numbers beyond a double, NUL in a name, text that is no UTF-8 and half
 * surrogate pairs, which it takes for bad UTF-8 or bad syntax. */
static bool is_stricter(const char *bytes, size_t len, const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
	       code == json_error_invalid_utf8 || memmem(bytes, len, "\\ud", 3) ||
	       memmem(bytes, len, "\\uD", 3);
}

static bool may_be_too_deep(const char *bytes, size_t len)
{
	size_t levels = 0;

	for (size_t i = 0; i < len; i++)
		levels += bytes[i] == '[' || bytes[i] == '{';
	return levels > LIMIT_JSON_DEPTH;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	bool has_key = json_has_key((struct str){ bytes, len }, str_of("a"));
	json_error_t error = { 0 };
	json_t *root = json_loadb(bytes, len, JSON_ALLOW_NUL, &error);

	/* Jansson 2.14 overlooks a NUL byte behind true, false and null. */
	if (root)
		FUZZ_CHECK(has_key == (json_object_get(root, "a") != NULL) ||
			   may_be_too_deep(bytes, len) || memchr(bytes, '\0', len));
	else
		FUZZ_CHECK(!has_key || is_stricter(bytes, len, &error));
	json_decref(root);
	free(bytes);
	return 0;
}
