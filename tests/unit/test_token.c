/* SPDX-License-Identifier: MIT
 *
 * token: what a file may hold, and what is equal to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/token.h"

static enum err read_text(const char *content, struct token *out, struct err_text *text)
{
	char path[] = "/tmp/test_token_XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	enum err err;

	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	err = token_read(path, out, text);
	assert_true(err == OK || strstr(text->text, path));
	unlink(path);
	return err;
}

static void a_token_is_one_long_word(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"0123456789abcde",	    /* short */
		"0123456789 abcdef",	    /* two words */
		"0123456789abcdef\nabc",    /* two lines */
		"0123456789abcdef\x7f",	    /* not visible */
		"0123456789abcdef\xc3\xa4", /* not ASCII */
	};
	char most[LIMIT_TOKEN_BYTES + 2];
	struct err_text text = { "" };
	struct token token;

	(void)state;
	assert_int_equal(read_text(" 0123456789abcdef\r\n", &token, &text), OK);
	assert_string_equal(token.text, "0123456789abcdef");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_text(bad[i], &token, &text), ERR_BAD_INPUT);
		assert_null(strstr(text.text, "abcde")); /* is not shown */
	}
	memset(most, 'x', sizeof(most));
	most[LIMIT_TOKEN_BYTES + 1] = '\0';
	assert_int_equal(read_text(most, &token, &text), ERR_BAD_INPUT);
	most[LIMIT_TOKEN_BYTES] = '\0';
	assert_int_equal(read_text(most, &token, &text), OK);
	assert_int_equal(token_read("/nowhere/token", &token, &text), ERR_NOT_FOUND);
}

static void only_the_same_is_equal(void **state)
{
	const struct token token = { "0123456789abcdef" };
	static const char *const other[] = { "",
					     "0",
					     "0123456789abcde",
					     "0123456789abcdeF",
					     "0123456789abcdef0",
					     "0123456789abcdef0123456789abcdef" };

	(void)state;
	assert_true(token_equals(&token, str_of("0123456789abcdef")));
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		assert_false(token_equals(&token, str_of(other[i])));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_one_long_word),
		cmocka_unit_test(only_the_same_is_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
