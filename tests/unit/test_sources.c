/* SPDX-License-Identifier: MIT
 *
 * test_sources - which addresses a list names, what is no list, and what a socket is bound to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sources.h"

static struct sources sources;

/* "first..last" of each family, and how many. */
static void describe(char *text, size_t size)
{
	char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
	size_t at = 0;

	text[0] = '\0';
	if (sources.v4_count) {
		inet_ntop(AF_INET, &sources.v4[0], first, sizeof(first));
		inet_ntop(AF_INET, &sources.v4[sources.v4_count - 1], last, sizeof(last));
		at = (size_t)snprintf(text, size, "%zu %s..%s", sources.v4_count, first, last);
	}
	if (sources.v6_count) {
		inet_ntop(AF_INET6, &sources.v6[0], first, sizeof(first));
		inet_ntop(AF_INET6, &sources.v6[sources.v6_count - 1], last, sizeof(last));
		snprintf(text + at, size - at, "%s%zu %s..%s", at ? " " : "", sources.v6_count,
			 first, last);
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *list, *addresses;
	} cases[] = {
		{ "10.0.0.7", "1 10.0.0.7..10.0.0.7" },
		{ " 10.0.0.7 , 10.0.0.9 ", "2 10.0.0.7..10.0.0.9" },
		{ "127.0.0.2-127.0.0.9", "8 127.0.0.2..127.0.0.9" },
		{ "10.0.0.254 - 10.0.1.1", "4 10.0.0.254..10.0.1.1" },
		{ "10.0.0.1-10.0.0.1", "1 10.0.0.1..10.0.0.1" },
		{ "10.0.0.0/29", "6 10.0.0.1..10.0.0.6" },
		{ "10.0.0.0/30", "2 10.0.0.1..10.0.0.2" },
		{ "10.0.0.0/31", "2 10.0.0.0..10.0.0.1" },
		{ "10.0.0.5/32", "1 10.0.0.5..10.0.0.5" },
		{ "10.0.0.0/22", "1022 10.0.0.1..10.0.3.254" },
		{ "::1", "1 ::1..::1" },
		{ "fd00::/126", "3 fd00::1..fd00::3" },
		{ "fd00::/127", "2 fd00::..fd00::1" },
		{ "fd00::ffff-fd00::1:1", "3 fd00::ffff..fd00::1:1" },
		{ "fd00::5,10.0.0.1,10.1.0.0/30,fd00::6",
		  "3 10.0.0.1..10.1.0.2 2 fd00::5..fd00::6" },
		{ "223.255.255.254-223.255.255.255", "2 223.255.255.254..223.255.255.255" },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_text why = { "" };

		if (sources_parse(cases[i].list, &sources, &why))
			fail_msg("%s: %s", cases[i].list, why.text);
		describe(text, sizeof(text));
		assert_string_equal(text, cases[i].addresses);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *list, *why;
	} cases[] = {
		{ "", "'' is no address" },
		{ "10.0.0.1,", "'' is no address" },
		{ "10.0.0.256", "'10.0.0.256' is no address" },
		{ "10.1", "'10.1' is no address" },
		{ "localhost", "'localhost' is no address" },
		{ "[::1]", "'[::1]' is no address" },
		{ "fe80::1%lo", "'fe80::1%lo' is no address" },
		{ "10.0.0.0/33", "'10.0.0.0/33' is no address" },
		{ "10.0.0.0/", "'10.0.0.0/' is no address" },
		{ "10.0.0.0/x", "'10.0.0.0/x' is no address" },
		{ "10.0.0.0/29/1", "'10.0.0.0/29/1' is no address" },
		{ "10.0.0.1-::1", "'10.0.0.1-::1' is no address" },
		{ "10.0.0.1-", "'10.0.0.1-' is no address" },
		{ "10.0.0.1-10.0.0.2-10.0.0.3", "is no address" },
		{ "10.0.0.9-10.0.0.1", "10.0.0.9-10.0.0.1 ends before it begins" },
		{ "10.0.0.5/29", "10.0.0.5/29 does not begin with a network's own address" },
		{ "10.0.0.1-10.0.0.9,10.0.0.3", "10.0.0.3 is there twice" },
		{ "::1,::1", "::1 is there twice" },
		{ "0.0.0.0", "nothing can come from 0.0.0.0" },
		{ "::", "nothing can come from ::" },
		{ "224.0.0.1", "nothing can come from 224.0.0.1" },
		{ "255.255.255.255", "nothing can come from 255.255.255.255" },
		{ "ff02::1", "nothing can come from ff02::1" },
		{ "::ffff:10.0.0.1", "nothing can come from ::ffff:10.0.0.1" },
		{ "10.0.0.0/8", "10.0.4.1 would be one more than the 1024" },
		{ "::1-ffff::", "would be one more than the 1024" },
		{ "fd00::/64", "would be one more than the 1024" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_text why = { "" };

		assert_int_equal(sources_parse(cases[i].list, &sources, &why), ERR_BAD_OPTION);
		if (!strstr(why.text, cases[i].why) || !strstr(why.text, "--source-addresses: "))
			fail_msg("%s: '%s' is not in '%s'", cases[i].list, cases[i].why, why.text);
	}
}

/* 198.51.100.0/24 is for documents (RFC 5737): no machine has it. */
static void test_foreign_addresses(void **state)
{
	struct err_text why = { "" };

	(void)state;
	assert_int_equal(sources_parse("127.0.0.2-127.0.0.9", &sources, &why), OK);
	assert_int_equal(sources_check(&sources, &why), OK);
	assert_int_equal(sources_parse("127.0.0.2,198.51.100.7", &sources, &why), OK);
	assert_int_equal(sources_check(&sources, &why), ERR_BAD_OPTION);
	assert_non_null(strstr(why.text, "198.51.100.7 is no address of this machine"));
	assert_non_null(strstr(why.text, "ip addr add 198.51.100.7/32"));
}

static void test_turns(void **state)
{
	static const char *const expected[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4",
						"127.0.0.2" };

	(void)state;
	assert_int_equal(sources_parse("127.0.0.2-127.0.0.4", &sources, NULL), OK);
	for (size_t turn = 0; turn < 4; turn++) {
		struct sockaddr_in name;
		socklen_t bytes = sizeof(name);
		char text[INET_ADDRSTRLEN];
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		assert_int_equal(sources_bind(&sources, fd, AF_INET, turn), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &bytes), 0);
		assert_string_equal(inet_ntop(AF_INET, &name.sin_addr, text, sizeof(text)),
				    expected[turn]);
		/* The port is left to connect(2). */
		assert_int_equal(name.sin_port, 0);
		assert_int_equal(sources_bind(&sources, fd, AF_INET6, turn), EAFNOSUPPORT);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_foreign_addresses),
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
