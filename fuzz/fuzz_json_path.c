/* SPDX-License-Identifier: MIT
 *
 * fuzz_json_path - the first line is a path, the rest a text. Jansson is the second opinion on
 * whether the text is an object with the key "a", and on what stands at a[1].b. */
#include "fuzz.h"

#include <jansson.h>

#include "base/limits.h"
#include "user/json_path.h"

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

static const struct json_value *find(const char *path_text, struct str text)
{
	static struct json_value value;
	struct err_text why = { 0 };
	struct json_path path;

	if (json_path_parse(&path, path_text, &why)) {
		FUZZ_CHECK(why.text[0]);
		return NULL;
	}
	json_path_find(&path, text, &value);
	if (value.kind != JSON_IS_ABSENT)
		FUZZ_CHECK(value.raw.p >= text.p &&
			   value.raw.p + value.raw.len <= text.p + text.len);
	return &value;
}

static void compare(struct str text)
{
	json_error_t error = { 0 };
	json_t *root = json_loadb(text.p, text.len, JSON_ALLOW_NUL, &error);
	json_t *theirs = json_object_get(json_array_get(json_object_get(root, "a"), 1), "b");
	bool has_key = json_has_key(text, str_of("a"));
	const struct json_value *ours = find("$.a[1].b", text);

	/* Jansson 2.14 overlooks a NUL byte behind true, false and null. */
	if (root && !may_be_too_deep(text.p, text.len) && !memchr(text.p, '\0', text.len)) {
		FUZZ_CHECK(has_key == (json_object_get(root, "a") != NULL));
		FUZZ_CHECK((ours->kind != JSON_IS_ABSENT) == (theirs != NULL));
		if (json_is_string(theirs))
			FUZZ_CHECK(json_text_is(ours->raw,
						(struct str){ json_string_value(theirs),
							      json_string_length(theirs) }));
	} else if (!root) {
		FUZZ_CHECK((!has_key && ours->kind == JSON_IS_ABSENT) ||
			   is_stricter(text.p, text.len, &error));
	}
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const uint8_t *newline = len ? memchr(input, '\n', len) : NULL;
	size_t path_len = newline ? (size_t)(newline - input) : 0;
	char *path = calloc(1, path_len + 1);
	size_t skipped = newline ? path_len + 1 : 0;
	char *bytes = fuzz_copy(input + skipped, len - skipped);
	struct str text = { bytes, len - skipped };

	memcpy(path, input, path_len);
	find(path, text);
	compare(text);
	free(path);
	free(bytes);
	return 0;
}
