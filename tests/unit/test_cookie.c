/* SPDX-License-Identifier: MIT
 *
 * Which cookies are kept, where they go, and when they end (RFC 6265). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "http/cookie.h"

#define NOW 1000000

static struct cookie_jar jar;

static int clear(void **state)
{
	(void)state;
	cookie_jar_clear(&jar);
	assert_true(cookie_jar_is_empty(&jar));
	return 0;
}

static void set_at(const char *host, const char *target, const char *line, int64_t now_s)
{
	struct cookie_site site = { .host = str_of(host), .target = str_of(target) };

	cookie_jar_set(&jar, &site, str_of(line), now_s);
}

static void set(const char *host, const char *target, const char *line)
{
	set_at(host, target, line, NOW);
}

static const char *sent_at(const char *host, const char *target, bool is_secure, int64_t now_s)
{
	static char text[LIMIT_COOKIE_JAR_BYTES];
	struct cookie_site site = { .host = str_of(host),
				    .target = str_of(target),
				    .is_secure = is_secure };
	struct buf out;

	buf_init(&out, sizeof(text) - 1);
	cookie_jar_write(&jar, &site, now_s, &out);
	snprintf(text, sizeof(text), "%.*s", STR_ARG(buf_str(&out)));
	buf_fini(&out);
	return text;
}

static const char *sent(const char *host, const char *target)
{
	return sent_at(host, target, false, NOW);
}

static void a_cookie_comes_back_until_it_is_replaced(void **state)
{
	(void)state;
	set("h.org", "/", "a=1");
	set("h.org", "/", " b = two words ; HttpOnly; SameSite=Lax; Unknown");
	assert_string_equal(sent("h.org", "/x?y"), "a=1; b=two words");
	set("h.org", "/", "a=a much longer value");
	assert_string_equal(sent("h.org", ""), "a=a much longer value; b=two words");
	set("h.org", "/", "a=");
	assert_string_equal(sent("h.org", "/"), "a=; b=two words");
	set("h.org", "/", "A=x");
	assert_string_equal(sent("h.org", "/"), "a=; b=two words; A=x");
}

static void what_is_no_cookie_is_ignored(void **state)
{
	static const char *const lines[] = { "",
					     "a",
					     "=1",
					     ";a=1",
					     " ; Path=/",
					     "a=\x01",
					     "a=1\x7f",
					     "a=1; Path=/\r",
					     "a=1; Domain=other.org",
					     "a=1; Domain=org",
					     "a=1; Domain=.org",
					     "a=1; Domain=org.",
					     "a=1; Domain=sub.h.org",
					     "a=1; Domain=.h.org.",
					     "a=1; Max-Age=0",
					     "a=1; Max-Age=-1",
					     "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		set("h.org", "/", lines[i]);
		assert_true(cookie_jar_is_empty(&jar));
	}
}

static void all_can_be_looked_at(void **state)
{
	const struct cookie *at = NULL;
	struct cookie_view view;

	(void)state;
	assert_false(cookie_jar_next(&jar, &at, &view));
	set("a.example", "/", "one=1; Path=/x; Domain=a.example; Secure; Max-Age=5");
	set("b.example", "/", "two=2");
	assert_true(cookie_jar_next(&jar, &at, &view));
	assert_true(str_eq(view.name, "one") && str_eq(view.value, "1"));
	assert_true(str_eq(view.domain, "a.example") && str_eq(view.path, "/x"));
	assert_true(view.is_secure && !view.is_host_only);
	assert_int_equal(view.expires_s, NOW + 5);
	assert_true(cookie_jar_next(&jar, &at, &view));
	assert_true(str_eq(view.name, "two") && view.is_host_only && !view.is_secure);
	assert_true(view.expires_s == INT64_MAX);
	assert_false(cookie_jar_next(&jar, &at, &view));
}

static void domains_say_who_gets_it(void **state)
{
	(void)state;
	set("www.h.org", "/", "host=1");
	set("www.h.org", "/", "all=1; Domain=.H.org");
	assert_string_equal(sent("www.h.org", "/"), "host=1; all=1");
	assert_string_equal(sent("h.org", "/"), "all=1");
	assert_string_equal(sent("a.b.h.org", "/"), "all=1");
	assert_string_equal(sent("evilh.org", "/"), "");
	assert_string_equal(sent("org", "/"), "");
	clear(NULL);
	set("localhost", "/", "a=1; Domain=localhost");
	assert_string_equal(sent("localhost", "/"), "a=1");
	assert_string_equal(sent("x.localhost", "/"), "");
	clear(NULL);
	set("127.0.0.1", "/", "a=1; Domain=127.0.0.1");
	set("127.0.0.1", "/", "b=1; Domain=0.0.1");
	set("::1", "/", "c=1");
	assert_string_equal(sent("127.0.0.1", "/"), "a=1");
	assert_string_equal(sent("1.127.0.0.1", "/"), "");
	assert_string_equal(sent("::1", "/"), "c=1");
	clear(NULL);
	set("h.org.", "/", "a=1");
	assert_string_equal(sent("h.org.", "/"), "a=1");
}

static void paths_say_where_it_goes(void **state)
{
	(void)state;
	set("h", "/a/b?q=/c/d", "default=1");
	set("h", "/a/b", "root=1; Path=/");
	set("h", "/a/b", "deep=1; Path=/a/b/c");
	set("h", "/a/b", "slash=1; Path=/a/");
	set("h", "/x", "odd=1; Path=relative");
	assert_string_equal(sent("h", "/"), "root=1; odd=1");
	assert_string_equal(sent("h", "/a"), "default=1; root=1; odd=1");
	assert_string_equal(sent("h", "/a/b/c?x"), "deep=1; slash=1; default=1; root=1; odd=1");
	assert_string_equal(sent("h", "/ab"), "root=1; odd=1");
	set("h", "/", "root=2; Path=/a");
	assert_string_equal(sent("h", "/a"), "default=1; root=2; root=1; odd=1");
}

static void secure_ones_wait_for_tls(void **state)
{
	(void)state;
	set("h", "/", "a=1; Secure");
	assert_string_equal(sent("h", "/"), "");
	assert_string_equal(sent_at("h", "/", true, NOW), "a=1");
}

static void names_promise_what_attributes_keep(void **state)
{
	static const struct {
		const char *line;
		bool is_plain; /* set without TLS */
		bool is_kept;
	} cases[] = {
		{ "__Secure-a=1; Secure", false, true },
		{ "__Secure-a=1; Secure; Domain=h.org; Path=/x", false, true },
		{ "__Secure-a=1", false, false },
		{ "__SECURE-a=1", false, false },
		{ "__Secure-a=1; Secure", true, false },
		{ "__Host-a=1; Secure; Path=/", false, true },
		{ "__Host-a=1; Path=/", false, false },
		{ "__host-a=1; Path=/", false, false },
		{ "__Host-a=1; Secure; Path=/", true, false },
		{ "__Host-a=1; Secure", false, false },
		{ "__Host-a=1; Secure; Path=/x", false, false },
		{ "__Host-a=1; Secure; Path=/; Domain=h.org", false, false },
		{ "__Hosta=1", true, true },
		{ "x__Host-a=1", true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cookie_site site = { .host = str_of("h.org"),
					    .target = str_of("/"),
					    .is_secure = !cases[i].is_plain,
					    .knows_prefixes = true };

		cookie_jar_set(&jar, &site, str_of(cases[i].line), NOW);
		if (cookie_jar_is_empty(&jar) == cases[i].is_kept)
			fail_msg("%s: %s", cases[i].line, cases[i].is_kept ? "lost" : "kept");
		/* Python's jar takes them all. */
		site.knows_prefixes = false;
		cookie_jar_set(&jar, &site, str_of(cases[i].line), NOW);
		assert_false(cookie_jar_is_empty(&jar));
		cookie_jar_clear(&jar);
	}
}

static void cookies_expire(void **state)
{
	(void)state;
	set("h", "/", "a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
	set("h", "/", "b=1; Expires=Mon, 12 Jan 1970 13:46:50 GMT");
	set("h", "/", "c=1; Max-Age=1x");
	set("h", "/", "d=1; Max-Age=99999999999999999999999999");
	assert_string_equal(sent_at("h", "/", false, NOW + 9), "a=1; b=1; c=1; d=1");
	assert_string_equal(sent_at("h", "/", false, NOW + 10), "c=1; d=1");
	/* Forgotten, not just passed over. */
	assert_string_equal(sent("h", "/"), "c=1; d=1");
	set("h", "/", "c=; Max-Age=0");
	assert_string_equal(sent_at("h", "/", false, NOW + 401LL * 86400), "");
	assert_true(cookie_jar_is_empty(&jar));
}

static void the_jar_is_bounded(void **state)
{
	static char line[LIMIT_COOKIE_BYTES + 64];
	unsigned count = 0;

	(void)state;
	for (int i = 0; i < LIMIT_COOKIES + 10; i++) {
		snprintf(line, sizeof(line), "c%d=1", i);
		set("h", "/", line);
	}
	for (const char *p = sent("h", "/"); *p; p++)
		count += *p == '=';
	assert_int_equal(count, LIMIT_COOKIES);
	assert_ptr_equal(strstr(sent("h", "/"), "c10=1"), sent("h", "/"));
	clear(NULL);
	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof(line), "c%02d=%04000d", i, 0);
		set("h", "/", line);
	}
	assert_true(strlen(sent("h", "/")) <= LIMIT_COOKIE_JAR_BYTES);
	assert_non_null(strstr(sent("h", "/"), "c19="));
	assert_null(strstr(sent("h", "/"), "c00="));
	clear(NULL);
	snprintf(line, sizeof(line), "a=%0*d", LIMIT_COOKIE_BYTES, 0);
	set("h", "/", line);
	assert_true(cookie_jar_is_empty(&jar));
}

static void dates_are_read_in_many_spellings(void **state)
{
	static const struct {
		const char *text;
		int64_t at_s; /* -1: none */
	} cases[] = {
		{ "Wed, 21 Oct 2015 07:28:00 GMT", 1445412480 },
		{ "Wednesday, 21-Oct-15 07:28:00 GMT", 1445412480 },
		{ "Wed Oct 21 07:28:00 2015", 1445412480 },
		{ "07:28:00 2015 21 october", 1445412480 },
		{ "Thu, 1 Jan 70 0:0:0", 0 },
		{ "01 Jan 1969 00:00:00", -86400LL * 365 },
		{ "Tue, 31 Dec 9999 23:59:59 GMT", 253402300799 },
		{ "", -1 },
		{ "0", -1 },
		{ "21 Oct 2015", -1 },
		{ "Wed, 32 Oct 2015 07:28:00 GMT", -1 },
		{ "Wed, 21 Oct 2015 24:28:00 GMT", -1 },
		{ "Wed, 21 Oct 1600 07:28:00 GMT", -1 },
		{ "Wed, 21 Okt 2015 07:28:00 GMT", -1 },
		{ "Wed, 21 Oct 20155 07:28:00 GMT", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t at_s = -1;

		assert_int_equal(cookie_parse_date(str_of(cases[i].text), &at_s),
				 cases[i].at_s != -1);
		assert_int_equal(at_s, cases[i].at_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_cookie_comes_back_until_it_is_replaced, clear),
		cmocka_unit_test_teardown(what_is_no_cookie_is_ignored, clear),
		cmocka_unit_test_teardown(all_can_be_looked_at, clear),
		cmocka_unit_test_teardown(domains_say_who_gets_it, clear),
		cmocka_unit_test_teardown(paths_say_where_it_goes, clear),
		cmocka_unit_test_teardown(secure_ones_wait_for_tls, clear),
		cmocka_unit_test_teardown(names_promise_what_attributes_keep, clear),
		cmocka_unit_test_teardown(cookies_expire, clear),
		cmocka_unit_test_teardown(the_jar_is_bounded, clear),
		cmocka_unit_test(dates_are_read_in_many_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
