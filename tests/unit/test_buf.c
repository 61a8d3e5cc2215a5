/* SPDX-License-Identifier: MIT
 *
 * buf: decimal numbers, and a full one that says so and keeps what it has. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"

static void numbers_are_those_of_printf(void **state)
{
	static const uint64_t values[] = { 0, 1, 9, 10, 99, 7000, 4294967296u, UINT64_MAX };
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "%" PRIu64, values[i]);
		buf_clear(&b);
		buf_add_u64(&b, values[i]);
		assert_string_equal(b.p, expected);
		assert_int_equal(b.len, strlen(expected));
	}
	buf_fini(&b);
}

static void what_does_not_fit_is_left_out(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_add_u64(&b, 12345);
	assert_false(b.is_full);
	buf_add_u64(&b, 67890);
	assert_true(b.is_full);
	assert_string_equal(b.p, "12345");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_printf),
		cmocka_unit_test(what_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
