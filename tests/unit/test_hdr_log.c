/* SPDX-License-Identifier: MIT
 *
 * hdr_log: what is written is read again, and is what others write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/rng.h"
#include "matrix/hdr_log.h"

/* Of hdr-histogram-js 3.0.1: 1 us to 1 h, 3 digits; recordValue(1), recordValueWithCount(1500, 2),
 * recordValueWithCount(2500, 1000), recordValue(3600000000). */
#define FOREIGN "HISTFAAAADB4nJNpmSzMwMDAy8DAwMjAwMDMAAEgNsO1yUsY4HymzeIsnTwX+BceZ2ICAI3RBxc="

static const struct hdr_log_interval interval = { 1767225600.75, 120.004 };

static void expect_same(const struct hist *a, const struct hist *b)
{
	size_t at_a = 0, at_b = 0;
	uint64_t us_a, us_b, count_a, count_b;

	assert_int_equal(a->count, b->count);
	while (hist_next(a, &at_a, &us_a, &count_a)) {
		assert_true(hist_next(b, &at_b, &us_b, &count_b));
		assert_int_equal(us_a, us_b);
		assert_int_equal(count_a, count_b);
	}
	assert_false(hist_next(b, &at_b, &us_b, &count_b));
}

static void round_trip(const struct hist *h)
{
	struct err_text why = { "" };
	struct hist read;
	struct buf text;

	buf_init(&text, LIMIT_EVIDENCE_BYTES);
	hist_init(&read);
	hdr_log_add(h, &interval, &text);
	assert_false(text.is_full);
	assert_non_null(strstr(text.p, "[StartTime: 1767225600.750 "));
	assert_non_null(strstr(text.p, "\n0.000,120.004,"));
	assert_int_equal(hdr_log_read(buf_str(&text), &read, &why), OK);
	expect_same(h, &read);
	hist_fini(&read);
	buf_fini(&text);
}

static void what_is_written_is_read(void **state)
{
	struct hist h;
	struct rng rng;

	(void)state;
	hist_init(&h);
	round_trip(&h);
	hist_add(&h, 0, 1);
	hist_add(&h, HIST_MAX_US, LIMIT_MESSAGE_COUNT);
	round_trip(&h);
	rng_init(&rng, 1, 1);
	for (int i = 0; i < 20000; i++)
		hist_add(&h, 1ull << rng_below(&rng, 32) | rng_below(&rng, 1000),
			 1 + rng_below(&rng, 1000000));
	round_trip(&h);
	hist_fini(&h);
}

static void what_others_write_is_read(void **state)
{
	struct err_text why = { "" };
	struct hist read, want;

	(void)state;
	hist_init(&read);
	hist_init(&want);
	hist_add(&want, 1, 1);
	hist_add(&want, 1500, 2);
	hist_add(&want, 2500, 1000);
	hist_add(&want, HIST_MAX_US, 1);
	assert_int_equal(hdr_log_read(str_of("#a comment\n\"StartTimestamp\"\n0,1,2," FOREIGN "\n"),
				      &read, &why),
			 OK);
	expect_same(&want, &read);
	hist_fini(&read);
	hist_fini(&want);
}

static void expect_refused(const char *text, enum err err, const char *said)
{
	struct err_text why = { "" };
	struct hist h;

	hist_init(&h);
	assert_int_equal(hdr_log_read(str_of(text), &h, &why), err);
	assert_non_null(strstr(why.text, said));
	hist_fini(&h);
}

static void what_is_no_log_is_refused(void **state)
{
	(void)state;
	expect_refused("", ERR_BAD_INPUT, "no interval");
	expect_refused("0,1,2\n", ERR_BAD_INPUT, "no interval");
	expect_refused("0,1,2,!\n", ERR_BAD_INPUT, "not base64");
	expect_refused("0,1,2,HIST\n", ERR_BAD_INPUT, "cut off");
	expect_refused("0,1,2,HISTFAAAACt4nJNpmSzM\n", ERR_BAD_INPUT, "compressed V2");
	expect_refused("0,1,2,HISTFAAAAAV4nJNpmQ==\n", ERR_BAD_INPUT, "decompressed");
	/* One empty bucket too many. */
	expect_refused("0,1,2,"
		       "HISTFAAAAEx42u3HQRGAIABFwe8YwStdLGIcGlDBTOQwgjNABI67lzev1HYlz5HpXB3f25"
		       "v7CwAAAAAAAAAAAAAAAAAAAAAAAAAAAACw2w9sdQTk\n",
		       ERR_BAD_INPUT, "more buckets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_others_write_is_read),
		cmocka_unit_test(what_is_no_log_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
