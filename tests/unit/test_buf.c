/* SPDX-License-Identifier: MIT
 *
 * buf: numbers as printf writes them, and a full one that says so and keeps what it has. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rng.h"

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

static void expect_g9(double value)
{
	char expected[64];
	struct buf b;

	snprintf(expected, sizeof(expected), "%.9g", value);
	buf_init(&b, 64);
	buf_add_g9(&b, value);
	assert_string_equal(b.p, expected);
	buf_fini(&b);
}

static void nine_digits_are_those_of_printf(void **state)
{
	static const double values[] = {
		0,
		-0.0,
		1,
		-1,
		10,
		0.5,
		123456789,
		1234567890,
		999999999,
		999999999.5,
		99999999.95,
		999999.9995,
		0.0001,
		0.00009999,
		0.001,
		0.1,
		1.0000000005,
		1.000000005,
		1.00000000499,
		2.5,
		100000000,
		99999999.99,
		1e15,
		1e-300,
		0.000123456789,
		1e300,
		123.4567885,
		123.4567895,
		0.09999999995,
		9.9999999949,
		1234.5,
		0.3,
		12345678.95,
		INFINITY,
		NAN,
	};
	struct rng rng;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		expect_g9(values[i]);
		expect_g9(-values[i]);
	}
	rng_init(&rng, 3, 0);
	for (int i = 0; i < 300000; i++) {
		double value = rng_unit(&rng) * pow(10, (double)rng_below(&rng, 18) - 6);

		expect_g9(i % 3 ? value : round(value * 1e4) / 1e4);
		/* Halves of the last digit. */
		expect_g9((double)(100000000 + rng_below(&rng, 900000000)) / 1e4 + 0.5e-4);
	}
}

static void printf_stops_at_the_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_printf(&b, "%d", 1234);
	buf_printf(&b, "%s", "5678");
	assert_string_equal(b.p, "12345678");
	assert_false(b.is_full);
	buf_printf(&b, "%s", "9");
	assert_true(b.is_full);
	assert_string_equal(b.p, "12345678");
	buf_clear(&b);
	buf_printf(&b, "%d", 123456789);
	assert_true(b.is_full);
	assert_string_equal(b.p, "");
	buf_fini(&b);
	buf_init(&b, 10000);
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	assert_memory_equal(b.p + 1990, "5,6,7,8,9,", 11);
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

/* Whatever room growing left over: the maximum is the maximum. */
static void appending_stops_at_the_maximum(void **state)
{
	struct buf b;

	(void)state;
	for (size_t max = 250; max < 260; max++) {
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_add_char(&b, 'x');
		buf_add(&b, "", 0);
		assert_false(b.is_full);
		assert_int_equal(strlen(b.p), max);
		assert_null(buf_room(&b, 1));
		assert_true(b.is_full);
		buf_drop(&b, max);
		/* It says so until it is cleared, also when there would be room again. */
		buf_add_text(&b, "y");
		assert_int_equal(b.len, 0);
		buf_clear(&b);
		buf_add_text(&b, "y");
		assert_string_equal(b.p, "y");
		buf_fini(&b);
	}
}

static void a_url_is_told_without_its_secrets(void **state)
{
	static const char *const cases[][2] = {
		{ "http://a:8089/x", "http://a:8089/x" },
		{ "http://me:secret@a/x@y", "http://a/x@y" },
		{ "http://me:s@cret@a?q=@", "http://a?q=@" },
		{ "me:secret@a", "a" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct buf b;

		buf_init(&b, 100);
		buf_add_url(&b, cases[i][0]);
		assert_string_equal(buf_str(&b).p, cases[i][1]);
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_is_told_without_its_secrets),
		cmocka_unit_test(numbers_are_those_of_printf),
		cmocka_unit_test(nine_digits_are_those_of_printf),
		cmocka_unit_test(printf_stops_at_the_maximum),
		cmocka_unit_test(appending_stops_at_the_maximum),
		cmocka_unit_test(what_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
