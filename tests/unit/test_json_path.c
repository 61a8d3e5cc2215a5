/* SPDX-License-Identifier: MIT
 *
 * Keys and values of JSON texts, good and bad, and of paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "user/json_path.h"

static bool has(const char *text, const char *key)
{
	return json_has_key(str_of(text), str_of(key));
}

static void keys_of_the_top_level_are_found(void **state)
{
	(void)state;
	assert_true(has("{\"a\":1}", "a"));
	assert_true(has(" { \"b\" : [ {\"c\": {}} , [] ] , \"a\" : null } \n", "a"));
	assert_true(has("{\"a\":1,\"a\":2,\"z\":-0.5e+3}", "z"));
	assert_true(has("{\"\\u0061\\n\":true}", "a\n"));
	assert_true(has("{\"\\ud83d\\ude00\":false}", "\xf0\x9f\x98\x80"));
	assert_true(has("{\"\":\"\"}", ""));
}

static void other_keys_and_values_are_not(void **state)
{
	(void)state;
	assert_false(has("{\"b\":{\"a\":1}}", "a"));
	assert_false(has("{\"b\":\"a\",\"ab\":1,\"\":2}", "a"));
	assert_false(has("[\"a\"]", "a"));
	assert_false(has("[{\"a\":1}]", "a"));
	assert_false(has("{}", "a"));
	assert_false(has("\"a\"", "a"));
}

static void what_is_no_json_has_no_keys(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,}",
		"{\"a\":1}x",
		"{\"a\":01}",
		"{\"a\":1.}",
		"{\"a\":1e}",
		"{\"a\":-}",
		"{\"a\":tru}",
		"{\"a\":\"\n\"}",
		"{\"a\":\"\\x\"}",
		"{\"a\":[1,]}",
		"{\"a\":[}]",
		"{,\"a\":1}",
		"{\"a\" 1}",
		"{a:1}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":[1 2]}",
		"{\"a\":1]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(has(texts[i], "a"));
	assert_false(json_has_key((struct str){ "{\"a\":1}\0", 8 }, str_of("a")));
}

static void nesting_is_bounded(void **state)
{
	char text[4 * LIMIT_JSON_DEPTH + 16];

	(void)state;
	for (int levels = 1; levels <= LIMIT_JSON_DEPTH + 1; levels++) {
		size_t at = 0;

		memcpy(text, "{\"a\":", 5);
		at = 5;
		for (int i = 1; i < levels; i++)
			text[at++] = '[';
		text[at++] = '1';
		for (int i = 1; i < levels; i++)
			text[at++] = ']';
		text[at++] = '}';
		assert_int_equal(json_has_key((struct str){ text, at }, str_of("a")),
				 levels <= LIMIT_JSON_DEPTH);
	}
}

/* The value as it stands, "-" when there is none. */
static const char *at(const char *path_text, const char *text)
{
	static char raw[64];
	struct err_text why = { 0 };
	struct json_path path;
	struct json_value value;

	assert_int_equal(json_path_parse(&path, path_text, &why), OK);
	json_path_find(&path, str_of(text), &value);
	snprintf(raw, sizeof(raw), "%.*s", value.kind ? (int)value.raw.len : 1,
		 value.kind ? value.raw.p : "-");
	return raw;
}

static void values_are_found_by_path(void **state)
{
	static const char text[] =
		" {\"a\": [ 1, {\"b\": \"x\\n\"}, [-2.5e1] ], \"a.b\": {\"\": null},"
		" \"t\": true, \"\\u0066\": false, \"[\": 7 } ";

	(void)state;
	assert_string_equal(at("$.a[0]", text), "1");
	assert_string_equal(at("a[1].b", text), "x\\n");
	assert_string_equal(at(".a[2][0]", text), "-2.5e1");
	assert_string_equal(at("$[\"a\"][1]", text), "{\"b\": \"x\\n\"}");
	assert_string_equal(at("['a.b']['']", text), "null");
	assert_string_equal(at("t", text), "true");
	assert_string_equal(at("f", text), "false");
	assert_string_equal(at("[\"[\"]", text), "7");
	assert_string_equal(at("$", "[1]"), "[1]");
	assert_string_equal(at("", " 5"), "5");
	assert_string_equal(at("[4294967295]", "[1]"), "-");
	assert_string_equal(at("[99999999999999999999]", "[1]"), "-");
	assert_string_equal(at("a[3]", text), "-");
	assert_string_equal(at("a.b", text), "-");
	assert_string_equal(at("t.x", text), "-");
	assert_string_equal(at("t[0]", text), "-");
	assert_string_equal(at("x", text), "-");
}

static void the_last_of_equal_keys_counts(void **state)
{
	(void)state;
	assert_string_equal(at("a", "{\"a\":1,\"a\":2}"), "2");
	assert_string_equal(at("a.b", "{\"a\":{\"b\":1},\"a\":{}}"), "-");
	assert_string_equal(at("a.b", "{\"a\":{\"b\":1},\"a\":3}"), "-");
}

static void a_text_that_is_malformed_behind_the_value_has_none(void **state)
{
	(void)state;
	assert_string_equal(at("a", "{\"a\":1,\"b\":}"), "-");
	assert_string_equal(at("[0]", "[1"), "-");
	assert_string_equal(at("[0]", "[1] 2"), "-");
	assert_string_equal(at("[0]", "[1,\"\xff\"]"), "-");
	assert_string_equal(at("a", ""), "-");
}

static void kinds_and_numbers_are_told(void **state)
{
	static const struct {
		const char *text;
		enum json_kind kind;
	} kinds[] = { { "null", JSON_IS_NULL }, { "false", JSON_IS_FALSE },
		      { "true", JSON_IS_TRUE }, { "[]", JSON_IS_LIST },
		      { "{}", JSON_IS_OBJECT }, { "\"\"", JSON_IS_TEXT },
		      { "x", JSON_IS_ABSENT } };
	const struct json_path whole = { .count = 0 };
	struct json_value value;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		json_path_find(&whole, str_of(kinds[i].text), &value);
		assert_int_equal(value.kind, kinds[i].kind);
	}
	json_path_find(&whole, str_of("-12.5e-1"), &value);
	assert_int_equal(value.kind, JSON_IS_NUMBER);
	assert_true(value.number == -1.25);
}

static void a_bad_path_is_refused_with_its_step(void **state)
{
	static const struct {
		const char *path, *word;
	} bad[] = {
		{ "a..b", "step 2: expected a key" },
		{ "a.", "step 2: expected a key" },
		{ "$a", "behind '$'" },
		{ "[x]", "step 1: expected a number or a key in quotes" },
		{ "a[", "step 2: expected a number" },
		{ "a[1", "step 2: expected ']'" },
		{ "a['b", "step 2: the quote is never closed" },
		{ "['b'", "step 1: expected ']'" },
		{ "[-1]", "step 1: expected a number" },
	};
	char text[2 * LIMIT_JSON_PATH_STEPS + 3] = "";
	struct json_path path;
	struct err_text why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = (struct err_text){ 0 };
		assert_int_equal(json_path_parse(&path, bad[i].path, &why), ERR_BAD_INPUT);
		if (!strstr(why.text, bad[i].word) || !strstr(why.text, bad[i].path))
			fail_msg("%s: %s", bad[i].path, why.text);
	}
	for (size_t i = 0; i < LIMIT_JSON_PATH_STEPS; i++)
		memcpy(text + 2 * i, ".a", 3);
	assert_int_equal(json_path_parse(&path, text, &why), OK);
	assert_int_equal(path.count, LIMIT_JSON_PATH_STEPS);
	memcpy(text + strlen(text), ".a", 3);
	assert_int_equal(json_path_parse(&path, text, &why), ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_the_top_level_are_found),
		cmocka_unit_test(other_keys_and_values_are_not),
		cmocka_unit_test(what_is_no_json_has_no_keys),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(values_are_found_by_path),
		cmocka_unit_test(the_last_of_equal_keys_counts),
		cmocka_unit_test(a_text_that_is_malformed_behind_the_value_has_none),
		cmocka_unit_test(kinds_and_numbers_are_told),
		cmocka_unit_test(a_bad_path_is_refused_with_its_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
