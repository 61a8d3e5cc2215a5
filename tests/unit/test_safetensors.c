/* SPDX-License-Identifier: MIT
 *
 * safetensors: files written by hand, one of each kind that must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "infer/safetensors.h"

#define ONE_OF(dtype, shape, offsets) \
	"{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const float values[] = { 1.5f, -2.0f, 3.25f, 0.0f, 5.0f, 6.0f };

/* A file of this header followed by the first value_count values. */
static void write_file(struct buf *b, const char *header, size_t value_count)
{
	uint64_t length = strlen(header);

	buf_init(b, 1 << 20);
	buf_add(b, &length, sizeof(length));
	buf_add_text(b, header);
	buf_add(b, values, value_count * sizeof(float));
}

static void a_file_with_metadata_and_two_tensors_is_read(void **state)
{
	struct safetensors *s = NULL;
	struct err_text text = { 0 };
	const struct tensor *t;
	struct buf b;
	float got[4];

	(void)state;
	write_file(&b,
		   "{\"__metadata__\":{\"format\":\"pt\"},"
		   "\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]},"
		   "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}   ",
		   6);
	assert_int_equal(safetensors_create(&s, buf_str(&b), &text), OK);
	assert_int_equal(safetensors_count(s), 2);
	t = safetensors_find(s, "w");
	assert_non_null(t);
	assert_int_equal(t->rank, 2);
	assert_int_equal(t->shape[0], 2);
	assert_int_equal(t->shape[1], 2);
	tensor_copy(t, got);
	assert_memory_equal(got, values + 2, sizeof(got));
	t = safetensors_find(s, "b");
	assert_int_equal(t->count, 2);
	tensor_copy(t, got);
	assert_memory_equal(got, values, 8);
	assert_null(safetensors_find(s, "c"));
	safetensors_destroy(&s);
	assert_null(s);
	buf_fini(&b);
}

static void a_bad_file_is_refused_with_the_place(void **state)
{
	static const struct {
		const char *header, *place;
		size_t value_count;
	} cases[] = {
		{ "", "header: ", 0 },
		{ "[1]", "header: must be an object", 0 },
		{ "{\"a\":", "header: ", 0 },
		{ "{} x", "header: ", 0 },
		{ "{}", "4 bytes after the last", 1 },
		{ "{\"a\":3}", "tensor a: must be an object", 1 },
		{ ONE_OF("F16", "[1]", "[0,4]"), "tensor a: dtype", 1 },
		{ ONE_OF("F32", "1", "[0,4]"), "tensor a: shape", 1 },
		{ ONE_OF("F32", "[0]", "[0,0]"), "tensor a: shape", 0 },
		{ ONE_OF("F32", "[-1]", "[0,4]"), "tensor a: shape", 1 },
		{ ONE_OF("F32", "[1.0]", "[0,4]"), "tensor a: shape", 1 },
		{ ONE_OF("F32", "[1,1,1,1,1]", "[0,4]"), "tensor a: shape", 1 },
		{ ONE_OF("F32", "[268435456,268435456]", "[0,4]"), "tensor a: shape", 1 },
		{ ONE_OF("F32", "[4611686018427387905]", "[0,4]"), "tensor a: shape", 1 },
		{ ONE_OF("F32", "[1]", "[0]"), "tensor a: data_offsets", 1 },
		{ ONE_OF("F32", "[1]", "[-4,0]"), "tensor a: data_offsets", 1 },
		{ ONE_OF("F32", "[1]", "[4,8]"), "tensor a: data_offsets: outside", 1 },
		{ ONE_OF("F32", "[2]", "[0,4]"), "tensor a: data_offsets: do not fit", 1 },
		{ ONE_OF("F32", "[1]", "[4,8]"), "tensor a: data_offsets: leaves a hole", 2 },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
		  "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
		  "shares bytes", 1 },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
		  "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
		  "header: duplicate", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct safetensors *s = NULL;
		struct err_text text = { 0 };
		struct buf b;

		write_file(&b, cases[i].header, cases[i].value_count);
		assert_int_equal(safetensors_create(&s, buf_str(&b), &text), ERR_BAD_INPUT);
		if (!strstr(text.text, cases[i].place))
			fail_msg("%s: says '%s'", cases[i].header, text.text);
		assert_null(s);
		buf_fini(&b);
	}
}

static void a_header_length_past_the_end_or_the_limit_is_refused(void **state)
{
	static const uint64_t lengths[] = { 3, 1 << 20, (1 << 20) + 1, UINT64_MAX, INT64_MAX };
	struct safetensors *s = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct err_text text = { 0 };
		struct buf b;

		buf_init(&b, 100);
		buf_add(&b, &lengths[i], 8);
		buf_add_text(&b, "{}");
		assert_int_not_equal(safetensors_create(&s, buf_str(&b), &text), OK);
		assert_non_null(strstr(text.text, "header length"));
		buf_fini(&b);
	}
	for (size_t len = 0; len < 8; len++)
		assert_int_equal(
			safetensors_create(&s, (struct str){ "\2\0\0\0\0\0\0\0{}", len }, NULL),
			ERR_BAD_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_with_metadata_and_two_tensors_is_read),
		cmocka_unit_test(a_bad_file_is_refused_with_the_place),
		cmocka_unit_test(a_header_length_past_the_end_or_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
