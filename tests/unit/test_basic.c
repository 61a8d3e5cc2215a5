/* SPDX-License-Identifier: MIT
 *
 * user:password of a URL becomes a header; the examples of RFC 7617 and odd ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/basic.h"

static void a_user_becomes_a_header(void **state)
{
	static const struct {
		const char *userinfo, *base64;
	} cases[] = {
		/* RFC 7617 2. */
		{ "Aladdin:open%20sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
		{ "test:123%C2%a3", "dGVzdDoxMjPCow==" },
		{ "user", "dXNlcjo=" },
		{ "u:p:q", "dTpwOnE=" },
		{ ":", "Og==" },
		{ "", "" },
		{ "a:bc%", "YTpiYyU=" },
		{ "a:%4", "YTolNA==" },
		{ "a:%zz", "YToleno=" },
		{ "a:%0D%0A", "YToNCg==" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char wanted[100];
		struct buf out;

		buf_init(&out, 1000);
		basic_write(str_of(cases[i].userinfo), &out);
		snprintf(wanted, sizeof(wanted), "Authorization: Basic %s\r\n", cases[i].base64);
		assert_string_equal(out.p, wanted);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_user_becomes_a_header) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
