/* SPDX-License-Identifier: MIT
 *
 * test_room - when there is room for the connections of all users, and what is said when not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "http/room.h"

static const char *judge(struct room_limits limits, uint64_t all, uint64_t users)
{
	static char text[1024];
	struct buf out;

	buf_init(&out, sizeof(text) - 1);
	room_judge(&limits, all, "shop.test", users, &out);
	memcpy(text, buf_str(&out).p, out.len);
	text[out.len] = '\0';
	buf_fini(&out);
	return text;
}

static void test_enough(void **state)
{
	(void)state;
	assert_string_equal(judge((struct room_limits){ 1024, 100, 1 }, 500, 100), "");
	assert_string_equal(judge((struct room_limits){ 1024, 100, 4 }, 500, 400), "");
	assert_string_equal(judge((struct room_limits){ 0 }, UINT64_MAX, UINT64_MAX), "");
}

static void test_short_of_files(void **state)
{
	(void)state;
	assert_string_equal(judge((struct room_limits){ .open_files = 1024 }, 1024, 10),
			    "1024 users want a connection each; this process may have 1024 open "
			    "files: raise the hard limit (ulimit -Hn, LimitNOFILE=)");
}

static void test_short_of_ports(void **state)
{
	(void)state;
	assert_string_equal(judge((struct room_limits){ 1024, 100, 1 }, 500, 101),
			    "500 users want a connection each; 100 to shop.test can be had, 100 "
			    "local ports for each of 1 pair of source and target address: widen "
			    "net.ipv4.ip_local_port_range (sysctl), or give more "
			    "--source-addresses");
	assert_non_null(
		strstr(judge((struct room_limits){ 1024, 100, 4 }, 500, 401),
		       "; 400 to shop.test can be had, 100 local ports for each of 4 pairs"));
}

static void test_short_of_both(void **state)
{
	const char *text = judge((struct room_limits){ 512, 100, 1 }, 500, 500);

	(void)state;
	assert_non_null(strstr(text, "512 open files"));
	assert_non_null(strstr(text, "100 to shop.test"));
	assert_null(strchr(text, '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_short_of_files),
		cmocka_unit_test(test_short_of_ports),
		cmocka_unit_test(test_short_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
