/* SPDX-License-Identifier: MIT
 *
 * test_proxy - which proxy the environment names for a target. What is expected is what
 * requests 2.28 answers (utils.get_environ_proxies(), utils.select_proxy()). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "http/proxy.h"

#define VARIABLES_MAX 4

static const char *choose(const char *const *environment, const char *target)
{
	static char text[100];
	static struct proxies proxies;
	struct err_text why = { "" };
	const struct proxy *proxy;
	struct http_url url;

	if (proxy_read(&proxies, (char *const *)environment, &why))
		fail_msg("%s", why.text);
	assert_int_equal(http_url_parse(str_of(target), &url, NULL), OK);
	proxy = proxy_choose(&proxies, &url);
	if (!proxy)
		return "none";
	url = proxy_url(proxy);
	snprintf(text, sizeof(text), "%.*s:%u", STR_ARG(url.host), url.port);
	return text;
}

static void test_as_requests(void **state)
{
	static const struct {
		const char *environment[VARIABLES_MAX];
		const char *target, *proxy; /* NULL: none */
	} cases[] = {
		{ { NULL }, "http://a/", NULL },
		{ { "http_proxy=http://p:1" }, "http://a/", "p:1" },
		{ { "http_proxy=http://p:1" }, "https://a/", NULL },
		{ { "https_proxy=http://s:2" }, "https://a/", "s:2" },
		{ { "https_proxy=http://s:2" }, "http://a/", NULL },
		{ { "http_proxy=http://p:1", "https_proxy=http://s:2" },
		  "http://127.0.0.1/",
		  "p:1" },
		{ { "http_proxy=http://p:1" }, "http://localhost/", "p:1" },
		{ { "HTTP_PROXY=http://p:1" }, "http://a/", "p:1" },
		{ { "HTTPS_PROXY=10.9.9.9:3128" }, "https://a/", "10.9.9.9:3128" },
		{ { "HTTP_PROXY=http://u:1", "http_proxy=http://l:2" }, "http://a/", "l:2" },
		{ { "HTTP_PROXY=http://u:1", "http_proxy=" }, "http://a/", NULL },
		{ { "http_proxy=", "all_proxy=http://x:3" }, "http://a/", "x:3" },
		{ { "all_proxy=http://x:3" }, "https://a/", "x:3" },
		{ { "ALL_PROXY=http://x:3" }, "http://a/", "x:3" },
		{ { "all_proxy=http://x:3", "http_proxy=http://p:1" }, "http://a/", "p:1" },
		{ { "all_proxy=http://x:3", "http_proxy=http://p:1" }, "https://a/", "x:3" },
		{ { "http_proxy=u:w@proxy.net:8080" }, "http://a/", "proxy.net:8080" },
		{ { "http_proxy=http://p" }, "http://a/", "p:80" },
		{ { "http_proxy=http://p:1", "no_proxy=*" }, "http://a/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=b,*" }, "http://a/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=example.com" },
		  "http://example.com/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=example.com" },
		  "http://www.example.com/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=example.com" },
		  "http://badexample.com/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=.example.com" },
		  "http://example.com/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=.example.com" },
		  "http://www.example.com/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=.example.com" },
		  "http://badexample.com/",
		  "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=EXAMPLE.com" },
		  "http://www.example.com/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=EXAMPLE.com" },
		  "http://badexample.com/",
		  "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=example.com" },
		  "http://WWW.Example.COM/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=www.example.com" },
		  "http://example.com/",
		  "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=a, b ,c" }, "http://b/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=a,,b" }, "http://b/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=," }, "http://b/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=example.com:8080" },
		  "http://example.com:8080/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=example.com:8080" },
		  "http://example.com:8081/",
		  "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=example.com:8080" },
		  "http://www.example.com:8080/",
		  NULL },
		{ { "http_proxy=http://p:1", "no_proxy=:8080" }, "http://example.com:8080/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=localhost" }, "http://localhost:5/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=localhost" }, "http://127.0.0.1:5/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=127.0.0.1" }, "http://127.0.0.1:5/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=127.0.0.1:5" },
		  "http://127.0.0.1:5/",
		  "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=127.0.0.0/8" }, "http://127.9.9.9/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=10.1.0.0/16" }, "http://10.1.255.3/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=10.1.0.0/16" }, "http://10.2.0.1/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=10.1.2.3/16" }, "http://10.1.9.9/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=10.1.2.3/32" }, "http://10.1.2.3/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=10.1.2.3/32" }, "http://10.1.2.4/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=0.0.0.0/0" }, "http://10.1.2.3/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=0.0.0.0/1" }, "http://10.1.2.3/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=10.1.0.0/33" }, "http://10.1.2.3/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=10.0.0.0/8" },
		  "http://example.com/",
		  "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=10.0.0.0/8/1" }, "http://10.1.2.3/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=0.1" }, "http://10.0.0.1/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=0.0.1" }, "http://10.0.0.1/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=1" }, "http://10.0.0.11/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=::1" }, "http://[::1]:5/", NULL },
		{ { "http_proxy=http://p:1", "no_proxy=[::1]" }, "http://[::1]:5/", "p:1" },
		{ { "http_proxy=http://p:1", "no_proxy=fd00::1" }, "http://[fd00::2]/", "p:1" },
		{ { "http_proxy=http://p:1", "NO_PROXY=a" }, "http://a/", NULL },
		{ { "http_proxy=http://p:1", "NO_PROXY=a", "no_proxy=b" }, "http://a/", "p:1" },
		{ { "http_proxy=http://p:1", "NO_PROXY=a", "no_proxy=b" }, "http://b/", NULL },
		{ { "http_proxy=http://p:1", "NO_PROXY=a", "no_proxy=" }, "http://a/", NULL },
		{ { "http_proxy=http://p:1", "https_proxy=http://s:2", "no_proxy=a" },
		  "https://a/",
		  NULL },
		{ { "no_proxy=b" }, "http://a/", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *expected = cases[i].proxy ? cases[i].proxy : "none";
		const char *chosen = choose(cases[i].environment, cases[i].target);

		if (strcmp(chosen, expected) != 0)
			fail_msg("case %zu, %s: %s instead of %s", i, cases[i].target, chosen,
				 expected);
	}
}

/* requests wants the port in the URL, too. */
static void test_a_port_of_the_scheme(void **state)
{
	static const char *const environment[] = { "http_proxy=http://p:1",
						   "https_proxy=http://s:2", "no_proxy=a:80,b:443",
						   NULL };

	(void)state;
	assert_string_equal(choose(environment, "http://a/"), "none");
	assert_string_equal(choose(environment, "https://a/"), "s:2");
	assert_string_equal(choose(environment, "https://b/"), "none");
}

static void test_refused(void **state)
{
	static const struct {
		const char *variable, *why;
		enum err err;
	} cases[] = {
		{ "http_proxy=socks5://user:secret@h:1080",
		  "http_proxy: socks5:// proxies are not supported", ERR_UNSUPPORTED },
		{ "HTTPS_PROXY=https://user:secret@h:3128",
		  "HTTPS_PROXY: https:// proxies are not supported", ERR_UNSUPPORTED },
		{ "ALL_PROXY=socks5h://h", "ALL_PROXY: socks5h:// proxies", ERR_UNSUPPORTED },
		{ "http_proxy=http://user:secret@", "http_proxy is not the URL of a proxy",
		  ERR_BAD_OPTION },
		{ "http_proxy=http://user:sec/ret@h:3128", "write @ / : and % as", ERR_BAD_OPTION },
		{ "http_proxy=user:secret:h", "http_proxy is not the URL", ERR_BAD_OPTION },
		{ "http_proxy=http://h:secret", "http_proxy is not the URL", ERR_BAD_OPTION },
		{ "http_proxy=http://h secret", "http_proxy is not the URL", ERR_BAD_OPTION },
	};
	static struct proxies proxies;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *environment[] = { cases[i].variable, NULL };
		struct err_text why = { "" };

		assert_int_equal(proxy_read(&proxies, (char *const *)environment, &why),
				 cases[i].err);
		if (!strstr(why.text, cases[i].why) || strstr(why.text, "sec"))
			fail_msg("%s: %s", cases[i].variable, why.text);
	}
}

static void test_too_long(void **state)
{
	static char variable[LIMIT_PROXY_URL_BYTES + 100] = "http_proxy=http://user:";
	const char *environment[] = { variable, NULL };
	static struct proxies proxies;

	(void)state;
	memset(variable + strlen(variable), 'x', LIMIT_PROXY_URL_BYTES);
	memcpy(variable + strlen(variable), "@h", 3);
	assert_int_equal(proxy_read(&proxies, (char *const *)environment, NULL), ERR_BAD_OPTION);
}

/* What is not used may be anything. */
static void test_unused(void **state)
{
	static const char *const environment[] = { "http_proxy=http://p:1",
						   "https_proxy=http://s:2", "all_proxy=socks5://h",
						   NULL };

	(void)state;
	assert_string_equal(choose(environment, "http://a/"), "p:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_requests), cmocka_unit_test(test_a_port_of_the_scheme),
		cmocka_unit_test(test_refused),	    cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_unused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
