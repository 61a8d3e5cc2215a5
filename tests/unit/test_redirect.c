/* SPDX-License-Identifier: MIT
 *
 * Where a Location leads to (the examples of RFC 3986 5.4) and with which method. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/redirect.h"

static const char *resolved(const char *base, const char *location)
{
	static char text[512];
	struct buf out;

	buf_init(&out, 500);
	redirect_resolve(str_of(base), str_of(location), &out);
	assert_false(out.is_full);
	snprintf(text, sizeof(text), "%.*s", STR_ARG(buf_str(&out)));
	buf_fini(&out);
	return text;
}

/* RFC 3986 5.4.1 and 5.4.2, without the fragments. */
static void the_examples_of_the_rfc_hold(void **state)
{
	static const struct {
		const char *reference, *url;
	} cases[] = {
		{ "g:h", "g:h" },
		{ "g", "http://a/b/c/g" },
		{ "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" },
		{ "/g", "http://a/g" },
		{ "//g", "http://g" },
		{ "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },
		{ "#s", "http://a/b/c/d;p?q" },
		{ "g?y#s", "http://a/b/c/g?y" },
		{ ";x", "http://a/b/c/;x" },
		{ "g;x?y#s", "http://a/b/c/g;x?y" },
		{ "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" },
		{ "./", "http://a/b/c/" },
		{ "..", "http://a/b/" },
		{ "../", "http://a/b/" },
		{ "../g", "http://a/b/g" },
		{ "../..", "http://a/" },
		{ "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" },
		{ "../../../../g", "http://a/g" },
		{ "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },
		{ "g.", "http://a/b/c/g." },
		{ "..g", "http://a/b/c/..g" },
		{ "./../g", "http://a/b/g" },
		{ "./g/.", "http://a/b/c/g/" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g/../h", "http://a/b/c/h" },
		{ "g;x=1/../y", "http://a/b/c/y" },
		{ "g?y/../x", "http://a/b/c/g?y/../x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(resolved("http://a/b/c/d;p?q", cases[i].reference),
				    cases[i].url);
}

static void other_bases_and_odd_texts(void **state)
{
	(void)state;
	assert_string_equal(resolved("http://h:80", "next"), "http://h:80/next");
	assert_string_equal(resolved("http://h:80", "../x/.."), "http://h:80/");
	assert_string_equal(resolved("http://h:80/a?b", "http://o:1/x/../y?z"), "http://o:1/y?z");
	assert_string_equal(resolved("https://h/", "//o/x"), "https://o/x");
	assert_string_equal(resolved("http://h/", " /a b\x01\xc3\xbc "), "http://h/a%20b%01%C3%BC");
	assert_string_equal(resolved("http://h/a//b", ".."), "http://h/a/");
	assert_string_equal(resolved("http://h/a", "x:80"), "x:80");
	assert_string_equal(resolved("http://h/a", "1:80"), "http://h/1:80");
	assert_string_equal(resolved("http://h/a", "?"), "http://h/a?");
}

static void what_does_not_fit_in_says_so(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 10);
	redirect_resolve(str_of("http://h/"), str_of("a/long/one/../../and/more"), &out);
	assert_true(out.is_full);
	assert_true(out.len <= 10);
	buf_fini(&out);
}

static void the_method_follows_the_status(void **state)
{
	(void)state;
	assert_string_equal(redirect_method(301, "POST"), "GET");
	assert_string_equal(redirect_method(302, "POST"), "GET");
	assert_string_equal(redirect_method(303, "POST"), "GET");
	assert_string_equal(redirect_method(307, "POST"), "POST");
	assert_string_equal(redirect_method(308, "POST"), "POST");
	assert_string_equal(redirect_method(301, "PUT"), "PUT");
	assert_string_equal(redirect_method(302, "PUT"), "GET");
	assert_string_equal(redirect_method(303, "DELETE"), "GET");
	assert_string_equal(redirect_method(303, "HEAD"), "HEAD");
	for (int status = 100; status < 1000; status++)
		assert_int_equal(redirect_is(status), (status >= 301 && status <= 303) ||
							      status == 307 || status == 308);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc_hold),
		cmocka_unit_test(other_bases_and_odd_texts),
		cmocka_unit_test(what_does_not_fit_in_says_so),
		cmocka_unit_test(the_method_follows_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
