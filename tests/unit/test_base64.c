/* SPDX-License-Identifier: MIT
 *
 * base64: the vectors of RFC 4648, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

static void the_vectors_of_the_rfc(void **state)
{
	static const char *const vectors[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct buf text, bytes;

		buf_init(&text, 100);
		buf_init(&bytes, 100);
		base64_add(str_of(vectors[i][0]), &text);
		assert_string_equal(buf_str(&text).p, vectors[i][1]);
		assert_true(base64_read(buf_str(&text), &bytes));
		assert_string_equal(buf_str(&bytes).p, vectors[i][0]);
		buf_fini(&text);
		buf_fini(&bytes);
	}
}

static void blanks_pass_and_nothing_else(void **state)
{
	static const char *const wrong[] = { "Z", "Zg==x", "Zm9vY", "Zm-v", "Zm9v\x80" };
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 100);
	assert_true(base64_read(str_of(" Zm9v\r\nYmFy\n"), &bytes));
	assert_string_equal(bytes.p, "foobar");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(base64_read(str_of(wrong[i]), &bytes));
	buf_fini(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfc),
		cmocka_unit_test(blanks_pass_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
