/* SPDX-License-Identifier: MIT
 *
 * test_url - what is a URL for us, what is not, and its parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "http/url.h"

static void test_parts(void **state)
{
	static const struct {
		const char *text, *host, *target;
		uint16_t port;
		bool is_ipv6, is_tls;
		const char *userinfo; /* NULL: none */
	} cases[] = {
		{ "http://localhost:8089", "localhost", "", 8089, false },
		{ "http://localhost", "localhost", "", 80, false },
		{ "HTTP://Exa-mple.com:/", "Exa-mple.com", "/", 80, false },
		{ "http://h/a/b?c=d&e=%20#part", "h", "/a/b?c=d&e=%20", 80, false },
		{ "http://h?q", "h", "?q", 80, false },
		{ "http://h#f", "h", "", 80, false },
		{ "http://h/?u=http://x:1/@", "h", "/?u=http://x:1/@", 80, false },
		{ "http://[::1]:8080/x", "::1", "/x", 8080, true },
		{ "http://[fe80::1:2.3.4.5]", "fe80::1:2.3.4.5", "", 80, true },
		{ "http://10.0.0.1:65535/", "10.0.0.1", "/", 65535, false },
		{ "https://h/", "h", "/", 443, false, true },
		{ "HTTPS://[::1]:80", "::1", "", 80, true, true },
		{ "http://user:p%40ss@h:81/x@y", "h", "/x@y", 81, false, false, "user:p%40ss" },
		{ "http://a@b@[::1]?@", "::1", "?@", 80, true, false, "a@b" },
		{ "http://@h", "h", "", 80, false, false, "" },
		{ "http://a_b.svc/\xc3\xa4", "a_b.svc", "/\xc3\xa4", 80, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_text why = { 0 };
		struct http_url url;

		assert_int_equal(http_url_parse(str_of(cases[i].text), &url, &why), OK);
		assert_true(str_eq(url.host, cases[i].host));
		assert_true(str_eq(url.target, cases[i].target));
		assert_int_equal(url.port, cases[i].port);
		assert_int_equal(url.is_ipv6, cases[i].is_ipv6);
		assert_int_equal(url.is_tls, cases[i].is_tls);
		assert_true(str_eq(url.userinfo, cases[i].userinfo ? cases[i].userinfo : ""));
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
		enum err err;
	} cases[] = {
		{ "", "no scheme", ERR_BAD_INPUT },
		{ "localhost:8089", "no scheme", ERR_BAD_INPUT },
		{ "/path?u=http://x", "no scheme", ERR_BAD_INPUT },
		{ "http:/host", "no scheme", ERR_BAD_INPUT },
		{ "localhost:", "no scheme", ERR_BAD_INPUT },
		{ "user:secret@host", "user: is not supported", ERR_UNSUPPORTED },
		{ "javascript:alert(1)", "javascript: is not supported", ERR_UNSUPPORTED },
		{ "wss://host", "wss:// is not supported", ERR_UNSUPPORTED },
		{ "https://", "no host", ERR_BAD_INPUT },
		{ "ftp://host", "ftp:// is not supported", ERR_UNSUPPORTED },
		{ "http://", "no host", ERR_BAD_INPUT },
		{ "http:///path", "no host", ERR_BAD_INPUT },
		{ "http://:80", "no host", ERR_BAD_INPUT },
		{ "http://h:0", ":1 to :65535", ERR_BAD_INPUT },
		{ "http://h:65536", ":1 to :65535", ERR_BAD_INPUT },
		{ "http://h:80a", ":1 to :65535", ERR_BAD_INPUT },
		{ "http://::1/", "no host", ERR_BAD_INPUT },
		{ "http://[::1]80", ":1 to :65535", ERR_BAD_INPUT },
		{ "http://[::1", "closing ]", ERR_BAD_INPUT },
		{ "http://[::x]/", "not an IPv6 address", ERR_BAD_INPUT },
		{ "http://[]/", "not an IPv6 address", ERR_BAD_INPUT },
		{ "http://user:secret@/", "no host", ERR_BAD_INPUT },
		{ "http://us er@h/", "blank", ERR_BAD_INPUT },
		{ "http://h/a b", "blank at byte 11; write it as %20", ERR_BAD_INPUT },
		{ "http://h/a\r\nX: y", "control character at byte 11", ERR_BAD_INPUT },
		{ "http://b\xc3\xbc/", "xn--", ERR_BAD_INPUT },
		{ "http://a<b/", "xn--", ERR_BAD_INPUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_text why = { 0 };
		struct http_url url;

		assert_int_equal(http_url_parse(str_of(cases[i].text), &url, &why), cases[i].err);
		if (!strstr(why.text, cases[i].why))
			fail_msg("'%s': %s", cases[i].text, why.text);
		assert_null(strstr(why.text, "secret"));
	}
}

static void test_limits(void **state)
{
	char *text = mem_alloc(LIMIT_URL_BYTES + 1);
	struct http_url url;

	(void)state;
	memset(text, 'a', LIMIT_URL_BYTES + 1);
	memcpy(text, "http://h/", 9);
	assert_int_equal(http_url_parse((struct str){ text, LIMIT_URL_BYTES + 1 }, &url, NULL),
			 ERR_BAD_INPUT);
	assert_int_equal(http_url_parse((struct str){ text, LIMIT_URL_BYTES }, &url, NULL), OK);
	text[8] = 'a';
	assert_int_equal(http_url_parse((struct str){ text, 7 + 256 }, &url, NULL), ERR_BAD_INPUT);
	assert_int_equal(http_url_parse((struct str){ text, 7 + 255 }, &url, NULL), OK);
	assert_int_equal(http_url_parse((struct str){ "http://h\0x", 10 }, &url, NULL),
			 ERR_BAD_INPUT);
	mem_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
