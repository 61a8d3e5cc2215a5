/* SPDX-License-Identifier: MIT
 *
 * The top-level keys of JSON texts, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "user/json_key.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_the_top_level_are_found),
		cmocka_unit_test(other_keys_and_values_are_not),
		cmocka_unit_test(what_is_no_json_has_no_keys),
		cmocka_unit_test(nesting_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
