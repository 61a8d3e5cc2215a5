/* SPDX-License-Identifier: MIT
 *
 * predict_body: the order's body in many spellings, and one wrong body of each kind with its
 * status and place. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rng.h"
#include "base/json_scan.h"
#include "infer/predict_body.h"

#define STAMP "\"timestamp\":\"2024-01-15T10:00:00\""
#define GOOD0 "{" STAMP ",\"features\":{\"down\":1.5,\"up\":-2,\"mcs_down\":3e1}}"
#define GOOD1 "{\"features\":{\"mcs_down\":6,\"down\":4,\"up\":5},\"timestamp\":\"2024-01-15\"}"
/* A body whose second row is given. */
#define WITH_ROW(row)	     "{\"data\":[" GOOD0 "," row "]}"
#define WITH_FEATURES(text)  WITH_ROW("{" STAMP ",\"features\":" text "}")
#define WITH_DOWN(value)     WITH_FEATURES("{\"down\":" value ",\"up\":1,\"mcs_down\":1}")
#define WITH_TIMESTAMP(text) WITH_ROW("{\"timestamp\":" text ",\"features\":{}}")

static const struct schema schema = {
	.rows = 2,
	.feature_count = 3,
	.input_count = 3,
	.target_count = 1,
	.fed_by = { FED_BY_NONE, FED_BY_NONE, FED_BY_NONE },
	.interval_us = 2000000,
	.features = { { "\"down\"", 6 }, { "\"up\"", 4 }, { "\"mcs_down\"", 10 } },
};

/* Parses an exact copy on the heap, so that the sanitizers see a read past its end. */
static bool parse_ask(struct str body, struct ask *a, struct ask_fault *fault)
{
	char *copy = malloc(body.len ? body.len : 1);
	bool is_good;

	memcpy(copy, body.p, body.len);
	ask_begin(a, &schema);
	is_good = predict_body_parse((struct str){ copy, body.len }, a, fault);
	free(copy);
	return is_good;
}

/* The rows of the last window. */
static bool parse(struct str body, float *out, struct ask_fault *fault)
{
	struct ask a;
	bool is_good;

	ask_init(&a);
	is_good = parse_ask(body, &a, fault);
	if (is_good)
		memcpy(out, ask_rows(&a, a.window_count - 1), 6 * sizeof(*out));
	ask_fini(&a);
	return is_good;
}

static void expect_values(const char *body, const float *want)
{
	struct ask_fault fault;
	float got[6] = { 0 };

	if (!parse(str_of(body), got, &fault))
		fail_msg("%s: refused: %s", body, fault.text);
	assert_memory_equal(got, want, sizeof(got));
}

/* text: how the message begins. */
static void expect_refusal(const char *body, unsigned status, const char *text)
{
	struct ask_fault fault;
	float out[6];

	if (parse(str_of(body), out, &fault))
		fail_msg("accepted: %s", body);
	if (fault.status != status || strncmp(fault.text, text, strlen(text)) != 0)
		fail_msg("%s\n got %u %s\nwant %u %s", body, fault.status, fault.text, status,
			 text);
}

static void rows_and_features_land_in_the_schemas_order(void **state)
{
	static const float want[] = { 1.5f, -2, 30, 4, 5, 6 };

	(void)state;
	expect_values("{\"data\":[" GOOD0 "," GOOD1 "]}", want);
	expect_values(" {\r\n\t\"data\" : [ " GOOD0 " , " GOOD1 " ] } \n", want);
	expect_values("{\"d\\u0061ta\":[{\"timest\\u0061mp\":\"2024-01-15T10:00:00.123Z\","
		      "\"features\":{\"mcs\\u005fdown\":30,\"down\":1.5,\"up\":-2}}," GOOD1 "]}",
		      want);
}

static void expect_float(const char *number)
{
	struct json_scan s;
	float got;

	json_scan_init(&s, str_of(number));
	assert_true(json_scan_float(&s, &got));
	assert_true(json_scan_finish(&s));
	if (got != strtof(number, NULL))
		fail_msg("%s became %.17g", number, (double)got);
}

static void numbers_are_read_to_the_last_bit_of_a_float(void **state)
{
	static const char *const numbers[] = {
		"0",
		"-0",
		"0.0",
		"1e0",
		"1E+2",
		"1e-2",
		"123456789",
		"0.1",
		"1234.56",
		"-789.01",
		"3.4028234e38",
		"1.17549435e-38",
		"1e-45",
		"1e-400",
		"0e999999999",
		"16777217",
		"12345678901234567890123",
		"0.000000000000000000000000000012345678901234567890",
		"9007199254740993",
		"1e22",
		"1e23",
		"0.30000001192092896",
		"4.9e-324",
		/* Just above and below the middle between two floats, and between two doubles. */
		"1.00000005960464477539062500000000000000000001",
		"1.000000059604644775390625",
		"1.00000005960464477539062499999999999999999999",
		"16777217.000000000000000000000000000000000001",
		"9007199254740993.0000000000000000000000000001",
		"9007199254740992.9999999999999999999999999999",
		"1.401298464324817e-45",
		"7.0064923216240853546186479164495806564013097e-46",
		"7.0064923216240853546186479164495806564013098e-46",
		"340282356779733661637539395458142568447.999",
		"340282356779733661637539395458142568448",
		"12345678901234567890e-400",
		"0.000000000000000000000000000000000000000000000000001e50",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct json_scan s;
		double got;

		json_scan_init(&s, str_of(numbers[i]));
		assert_true(json_scan_number(&s, &got));
		assert_true(json_scan_finish(&s));
		if (!(got == strtod(numbers[i], NULL)))
			fail_msg("%s became %.17g", numbers[i], got);
		expect_float(numbers[i]);
	}
}

static void random_numbers_are_read_as_strtod_reads_them(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 7, 0);
	for (int i = 0; i < 200000; i++) {
		double value = (double)(int64_t)rng_next(&rng) / 9007199254740992.0;
		struct json_scan s;
		char text[96];
		double got;

		snprintf(text, sizeof(text), i % 2 ? "%.17g" : "%.6f", value);
		json_scan_init(&s, str_of(text));
		assert_true(json_scan_number(&s, &got));
		if (got != strtod(text, NULL))
			fail_msg("%s became %.17g", text, got);
		expect_float(text);
		/* Between two floats, and on either side of the middle by a digit far behind. */
		snprintf(text, sizeof(text), "%.25f%d",
			 ((double)(float)value + (double)nextafterf((float)value, 1e9f)) / 2,
			 i % 3);
		expect_float(text);
	}
}

static void each_wrong_body_gets_its_status_and_place(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *text; /* begins so */
	} cases[] = {
		/* Not JSON. */
		{ "", 400, "body: not JSON at byte 0: ends too early" },
		{ "   ", 400, "body: not JSON at byte 3: ends too early" },
		{ "hello", 400, "body: not JSON at byte 0" },
		{ "{", 400, "body: not JSON at byte 1: ends too early" },
		{ "{\"data\"", 400, "body: not JSON at byte 7" },
		{ "{\"data\":", 400, "body: not JSON at byte 8" },
		{ "{'data':[]}", 400, "body: not JSON at byte 1: strings stand in double quotes" },
		{ "{\"data\":[" GOOD0 "," GOOD1 "]", 400, "body: not JSON at byte" },
		{ "{\"data\":[" GOOD0 "," GOOD1 ",]}", 400, "body: not JSON at byte" },
		{ "{\"data\":[" GOOD0 "," GOOD1 "]},", 400, "body: not JSON at byte" },
		{ "{\"data\":[" GOOD0 "," GOOD1 "],}", 400, "body: not JSON at byte" },
		{ "{\"data\":[" GOOD0 "," GOOD1 "]} {}", 400, "body: not JSON at byte" },
		{ "\xef\xbb\xbf{\"data\":[" GOOD0 "," GOOD1 "]}", 400, "body: not JSON at byte 0" },
		{ "{\"data\":[" GOOD0 " " GOOD1 "]}", 400,
		  "data[0]: not JSON at byte 92: expected ',' or ']'" },
		{ WITH_DOWN("NaN"), 400,
		  "data[1].features.down: not JSON at byte 146: NaN is not" },
		{ WITH_DOWN("Infinity"), 400, "data[1].features.down: not JSON at byte 146: Inf" },
		{ WITH_DOWN("-Infinity"), 400, "data[1].features.down: not JSON at byte 146: -I" },
		{ WITH_DOWN("nan"), 400, "data[1].features.down: not JSON" },
		{ WITH_DOWN("+1"), 400, "data[1].features.down: not JSON" },
		{ WITH_DOWN("01"), 400, "data[1].features.down: not JSON" },
		{ WITH_DOWN(".5"), 400, "data[1].features.down: not JSON" },
		{ WITH_DOWN("1."), 400, "data[1].features.down: not JSON" },
		{ WITH_DOWN("1e"), 400, "data[1].features.down: not JSON" },
		{ WITH_DOWN("-"), 400, "data[1].features.down: not JSON" },
		{ WITH_DOWN("0x10"), 400, "data[1].features: not JSON" },
		{ WITH_DOWN("1_000"), 400, "data[1].features: not JSON" },
		{ WITH_DOWN(""), 400, "data[1].features.down: not JSON" },
		{ WITH_DOWN("tru"), 400, "body: not JSON at byte 146" },
		{ WITH_TIMESTAMP("\"\n\""), 400,
		  "data[1].timestamp: not JSON at byte 106: control" },
		{ WITH_TIMESTAMP("\"\\x\""), 400, "data[1].timestamp: not JSON at byte 106" },
		{ WITH_TIMESTAMP("\"\\u12g4\""), 400, "data[1].timestamp: not JSON at byte 106" },
		{ WITH_TIMESTAMP("\"\xc3\x28\""), 400, "data[1].timestamp: not JSON at byte 106" },
		{ WITH_TIMESTAMP("\"\xed\xa0\x80\""), 400, "data[1].timestamp: not JSON" },
		{ WITH_TIMESTAMP("\"2024"), 400, "body: not JSON at byte 112" },
		{ WITH_FEATURES("{\"down\" 1}"), 400, "data[1].features.down: not JSON" },
		{ WITH_FEATURES("{\"down\":1,}"), 400, "data[1].features: not JSON" },
		{ WITH_FEATURES("{down:1}"), 400, "data[1].features: not JSON" },
		/* Wrong and not JSON: not JSON. */
		{ "{\"date\":[}", 400, "body: not JSON at byte 9" },
		{ WITH_FEATURES("{\"down\":true,\"up\":NaN}"), 400, "body: not JSON at byte 156" },
		/* JSON, but not what is asked for. */
		{ "[]", 422, "body: must be an object" },
		{ "null", 422, "body: must be an object" },
		{ "\"data\"", 422, "body: must be an object" },
		{ "{}", 422, "data: missing" },
		{ "{\"date\":[]}", 422, "body: unknown field \"date\"" },
		{ "{\"data\":[" GOOD0 "," GOOD1 "],\"x\":1}", 422, "body: unknown field \"x\"" },
		{ "{\"data\":[" GOOD0 "," GOOD1 "],\"data\":1}", 422, "data: stands twice" },
		{ "{\"data\":null}", 422, "data: must be a list of 2 rows" },
		{ "{\"data\":{}}", 422, "data.down: missing" },
		{ "{\"data\":[]}", 422, "data: 0 rows, the model takes 2" },
		{ "{\"data\":[" GOOD0 "]}", 422, "data: 1 rows, the model takes 2" },
		{ "{\"data\":[" GOOD0 "," GOOD0 "," GOOD0 "]}", 422, "data[2]: one row too many" },
		{ WITH_ROW("null"), 422, "data[1]: must be an object" },
		{ WITH_ROW("[1]"), 422, "data[1]: must be an object" },
		{ WITH_ROW("{}"), 422, "data[1].timestamp: missing" },
		{ WITH_ROW("{" STAMP "}"), 422, "data[1].features: missing" },
		{ WITH_ROW("{" STAMP "," STAMP "}"), 422, "data[1].timestamp: stands twice" },
		{ WITH_ROW("{" STAMP ",\"feature\":{}}"), 422,
		  "data[1]: unknown field \"feature\"" },
		{ WITH_TIMESTAMP("3"), 422, "data[1].timestamp: must be a text" },
		{ WITH_TIMESTAMP("\"\""), 422, "data[1].timestamp: must be a time" },
		{ WITH_TIMESTAMP("\"yesterday\""), 422, "data[1].timestamp: must be a time" },
		{ WITH_TIMESTAMP("\"2024-13-15\""), 422, "data[1].timestamp: must be a time" },
		{ WITH_TIMESTAMP("\"2024-01-15T10:00:00+1\""), 422, "data[1].timestamp: must be" },
		{ WITH_FEATURES("null"), 422, "data[1].features: must be an object" },
		{ WITH_FEATURES("[1,2,3]"), 422, "data[1].features: must be an object" },
		{ WITH_FEATURES("{}"), 422, "data[1].features.down: missing" },
		{ WITH_FEATURES("{\"down\":1,\"up\":2}"), 422,
		  "data[1].features.mcs_down: missing" },
		{ WITH_FEATURES("{\"down\":1,\"left\":2}"), 422,
		  "data[1].features: unknown feature \"left\"" },
		{ WITH_FEATURES("{\"down\":1,\"down\":2}"), 422,
		  "data[1].features.down: stands twice" },
		{ WITH_FEATURES("{\"Down\":1}"), 422,
		  "data[1].features: unknown feature \"Down\"" },
		{ WITH_DOWN("null"), 422, "data[1].features.down: must be a number" },
		{ WITH_DOWN("true"), 422, "data[1].features.down: must be a number" },
		{ WITH_DOWN("\"1\""), 422, "data[1].features.down: must be a number" },
		{ WITH_DOWN("[1]"), 422, "data[1].features.down: must be a number" },
		{ WITH_DOWN("{}"), 422, "data[1].features.down: must be a number" },
		{ WITH_DOWN("1e39"), 422, "data[1].features.down: too large" },
		{ WITH_DOWN("-1e999999999999"), 422, "data[1].features.down: too large" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(cases[i].body, cases[i].status, cases[i].text);
}

/* Columns, and several windows at once. */

#define TIMES	      "\"ts\":[\"2024-01-15T23:59:00+01:00\",\"2024-01-16T00:01:00+01:00\"]"
#define OTHERS	      "\"mcs_down\":[30,6],\"up\":[-2,5]"
#define COLUMNS(more) "{\"data\":{" TIMES "," OTHERS "," more "}}"

static void columns_are_turned_into_rows(void **state)
{
	static const float want[] = { 1.5f, -2, 30, 4, 5, 6 };

	(void)state;
	expect_values("{\"data\":{" TIMES "," OTHERS ",\"down\":[1.5,4]}}", want);
	expect_values("{\"index_col\":\"ts\",\"data\":{\"down\":[1.5,4]," OTHERS "," TIMES
		      "},\"inference_length\":1}",
		      want);
	/* Longer columns: their ends count. */
	expect_values("{\"data\":{\"time\":[\"2024-01-15\",\"2024-01-16\",\"2024-01-17\"],"
		      "\"d\\u006fwn\":[9,1.5,4],\"up\":[9,-2,5],\"mcs_down\":[9,30,6]}}",
		      want);
	expect_values("{\"data\":{\"time\":[\"2024-01-15\",\"2024-01-16\",\"2024-01-17\","
		      "\"2024-01-18\"],\"down\":[9,9,1.5,4],\"up\":[9,9,-2,5],"
		      "\"mcs_down\":[9,9,30,6]}}",
		      want);
}

static void wrong_columns_get_their_place(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *text;
	} cases[] = {
		{ COLUMNS("\"down\":[1,2"), 400, "data.down[1]: not JSON" },
		{ COLUMNS("\"down\":[1,NaN]"), 400, "data.down[1]: not JSON at byte" },
		{ COLUMNS("\"down\":[1,2,]"), 400, "data.down[2]: not JSON at byte" },
		{ COLUMNS("\"down\":[1 2]"), 400, "data.down[0]: not JSON at byte" },
		{ COLUMNS("\"down\" [1,2]"), 400, "data.down: not JSON at byte" },
		{ COLUMNS("\"down\":[1,null]"), 422, "data.down[1]: must be a number" },
		{ COLUMNS("\"down\":[1e39,1]"), 422, "data.down[0]: too large" },
		{ COLUMNS("\"down\":7"), 422, "data.down: must be a list" },
		{ COLUMNS("\"down\":[1]"), 422,
		  "data.down: 1 values, but the column before has 2" },
		{ COLUMNS("\"down\":[1,2],\"down\":[1,2]"), 422, "data.down: stands twice" },
		{ COLUMNS("\"down\":[1,2],\"up\":[1,2]"), 422, "data.up: stands twice" },
		{ COLUMNS("\"down\":[1,2],\"time\":[]"), 422, "data.time: is called \"ts\"" },
		{ COLUMNS("\"down\":[1,2],\"ts\":[]"), 422, "data.ts: stands twice" },
		{ COLUMNS("\"snr\":[1,2]"), 422, "data: unknown feature \"snr\"" },
		{ "{\"data\":{" TIMES ",\"up\":[1,2]}}", 422, "data.down: missing" },
		{ "{\"data\":{" OTHERS ",\"down\":[1,2]}}", 422, "data: no column of times" },
		{ "{\"data\":{\"ts\":[1,2]}}", 422, "data.ts[0]: must be a text" },
		{ "{\"data\":{\"ts\":[\"noon\"]}}", 422, "data.ts[0]: must be a time of ISO" },
		{ "{\"data\":{\"ts\":[\"2024-01-15\"],\"up\":[1],\"down\":[1],"
		  "\"mcs_down\":[1]}}",
		  422, "data: 1 rows, the model takes 2" },
		{ "{\"index_col\":\"time\",\"data\":{" TIMES "," OTHERS ",\"down\":[1,2]}}", 422,
		  "index_col: is \"time\", but the times are called \"ts\"" },
		{ "{\"index_col\":\"date\"}", 422, "index_col: must be \"ts\"" },
		{ "{\"index_col\":5}", 422, "index_col: must be \"ts\"" },
		{ "{\"index_col\":\"ts\",\"data\":[" GOOD0 "," GOOD1 "]}", 422,
		  "index_col: is for data in columns only" },
		{ "{\"inference_length\":0}", 422, "inference_length: must be a whole number" },
		{ "{\"inference_length\":1.5}", 422, "inference_length: must be a whole number" },
		{ "{\"inference_length\":10001}", 422, "inference_length: must be a whole number" },
		{ "{\"inference_length\":\"2\"}", 422, "inference_length: must be a whole" },
		{ "{\"inference_length\":01}", 400, "inference_length: not JSON" },
		{ "{\"windows\":[]}", 422, "windows: must not be empty" },
		{ "{\"windows\":{}}", 422, "windows: must be a list of windows" },
		{ "{\"windows\":[1]}", 422, "windows[0]: must be a list of 2 rows or an object" },
		{ "{\"windows\":[[" GOOD0 "," GOOD1 "],[" GOOD0 ",{}]]}", 422,
		  "windows[1][1].timestamp: missing" },
		{ "{\"windows\":[[" GOOD0 "," GOOD1 "],{" TIMES "," OTHERS "}]}", 422,
		  "windows[1].down: missing" },
		{ "{\"windows\":[[" GOOD0 "," GOOD1 "]],\"data\":[]}", 422,
		  "data: data and windows cannot stand together" },
		{ "{\"data\":[" GOOD0 "," GOOD1 "],\"inference_length\":2}", 422,
		  "inference_length: this model forecasts nothing that it takes in" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(cases[i].body, cases[i].status, cases[i].text);
}

static void windows_stand_side_by_side(void **state)
{
	static const float want[] = { 1.5f, -2, 30, 4, 5, 6 };
	struct ask_fault fault;
	struct ask a;

	(void)state;
	ask_init(&a);
	assert_true(parse_ask(str_of("{\"windows\":[[" GOOD0 "," GOOD1 "],{" TIMES "," OTHERS
				     ",\"down\":[1.5,4]},[" GOOD1 "," GOOD0 "]]}"),
			      &a, &fault));
	assert_int_equal(a.window_count, 3);
	assert_int_equal(a.form, ASK_WINDOWS);
	assert_memory_equal(ask_rows(&a, 0), want, sizeof(want));
	assert_memory_equal(ask_rows(&a, 1), want, sizeof(want));
	assert_memory_equal(ask_rows(&a, 2), want + 3, sizeof(want) / 2);
	ask_fini(&a);
}

static void the_next_time_follows_from_the_last_two(void **state)
{
	struct ask_fault fault;
	struct moment next;
	struct buf text;
	struct ask a;

	(void)state;
	ask_init(&a);
	buf_init(&text, 100);
	assert_true(parse_ask(str_of(COLUMNS("\"down\":[1,2]")), &a, &fault));
	assert_string_equal(a.index_name, "ts");
	next = ask_moment(&a, 0, 1);
	moment_write(&next, &text);
	assert_string_equal(text.p, "2024-01-16T00:05:00+01:00");
	/* Times that stand still: the model's own interval. */
	assert_true(parse_ask(str_of("{\"data\":[" GOOD0 "," GOOD0 "]}"), &a, &fault));
	next = ask_moment(&a, 0, 0);
	buf_clear(&text);
	moment_write(&next, &text);
	assert_string_equal(text.p, "2024-01-15T10:00:02");
	buf_fini(&text);
	ask_fini(&a);
}

/* Two features, the second of which is forecast, and the hour. */
static void a_forecast_becomes_the_next_row(void **state)
{
	static const struct schema fed = {
		.rows = 2,
		.feature_count = 2,
		.input_count = 4,
		.target_count = 2,
		.time_count = 1,
		.features = { { "\"a\"", 3 }, { "\"b\"", 3 } },
		.targets = { { "\"x\"", 3 }, { "\"b\"", 3 } },
		.times = { PART_HOUR },
		.fed_by = { FED_BY_NONE, 1 },
	};
	static const char body[] = "{\"inference_length\":2,\"data\":{\"ts\":["
				   "\"2024-01-15T00:00\",\"2024-01-15T06:00\"],"
				   "\"a\":[1,2],\"b\":[3,4]}}";
	static const float begin[] = { 1, 3, 0, 1, 2, 4, 1, 0 },
			   then[] = { 2, 4, 1, 0, 2, 9, 0, -1 };
	struct ask_fault fault;
	struct ask a;

	(void)state;
	ask_init(&a);
	ask_begin(&a, &fed);
	assert_true(predict_body_parse(str_of(body), &a, &fault));
	assert_int_equal(a.steps, 2);
	for (int i = 0; i < 8; i++)
		assert_float_equal(ask_rows(&a, 0)[i], begin[i], 1e-6);
	ask_predictions(&a, 0, 0)[0] = 8;
	ask_predictions(&a, 0, 0)[1] = 9;
	ask_advance(&a, 0, 0);
	for (int i = 0; i < 8; i++)
		assert_float_equal(ask_rows(&a, 0)[i], then[i], 1e-6);
	ask_fini(&a);
}

static void a_nul_byte_is_no_end(void **state)
{
	static const char body[] = "{\"data\":[" GOOD0 "," GOOD1 "]}\0";
	struct ask_fault fault;
	float out[6];

	(void)state;
	assert_false(parse((struct str){ body, sizeof(body) - 1 }, out, &fault));
	assert_int_equal(fault.status, 400);
}

static void every_cut_of_a_good_body_is_not_json(void **state)
{
	static const char body[] = "{\"data\":[" GOOD0 "," GOOD1 "]}";
	struct ask_fault fault;
	float out[6];

	(void)state;
	for (size_t len = 0; len < sizeof(body) - 1; len++) {
		assert_false(parse((struct str){ body, len }, out, &fault));
		assert_int_equal(fault.status, 400);
	}
}

static void deep_nesting_is_refused_and_allowed_up_to_the_limit(void **state)
{
	struct ask_fault fault;
	struct buf b;
	float out[6];

	(void)state;
	buf_init(&b, 1 << 20);
	for (int depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
		buf_clear(&b);
		for (int i = 0; i < depth; i++)
			buf_add_char(&b, '[');
		for (int i = 0; i < depth; i++)
			buf_add_char(&b, ']');
		assert_false(parse(buf_str(&b), out, &fault));
		assert_int_equal(fault.status, depth > LIMIT_JSON_DEPTH ? 400 : 422);
	}
	buf_clear(&b);
	for (int i = 0; i < 100000; i++)
		buf_add_text(&b, "{\"a\":[");
	assert_false(parse(buf_str(&b), out, &fault));
	assert_int_equal(fault.status, 400);
	assert_non_null(strstr(fault.text, "nested too deep"));
	buf_fini(&b);
}

static void a_long_foreign_name_is_cut_in_the_message(void **state)
{
	struct ask_fault fault;
	struct buf b;
	float out[6];

	(void)state;
	buf_init(&b, 1 << 20);
	buf_add_text(&b, "{\"");
	for (int i = 0; i < 10000; i++)
		buf_add_text(&b, "\\u00e9");
	buf_add_text(&b, "\":1}");
	assert_false(parse(buf_str(&b), out, &fault));
	assert_int_equal(fault.status, 422);
	assert_in_range(strlen(fault.text), 1, 100);
	buf_fini(&b);
}

static void escapes_become_the_text_they_stand_for(void **state)
{
	char out[16];
	size_t len;

	(void)state;
	len = json_unescape(str_of("a\\n\\u00e9\\u20AC\\ud83d\\ude00\\/"), out, sizeof(out));
	assert_int_equal(len, 12);
	assert_memory_equal(out, "a\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/", 12);
	assert_int_equal(json_unescape(str_of("\\ud83dx"), out, sizeof(out)), 4);
	assert_memory_equal(out, "\xef\xbf\xbdx", 4);
	assert_int_equal(json_unescape(str_of("abcdef"), out, 2), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_features_land_in_the_schemas_order),
		cmocka_unit_test(numbers_are_read_to_the_last_bit_of_a_float),
		cmocka_unit_test(random_numbers_are_read_as_strtod_reads_them),
		cmocka_unit_test(each_wrong_body_gets_its_status_and_place),
		cmocka_unit_test(columns_are_turned_into_rows),
		cmocka_unit_test(wrong_columns_get_their_place),
		cmocka_unit_test(windows_stand_side_by_side),
		cmocka_unit_test(the_next_time_follows_from_the_last_two),
		cmocka_unit_test(a_forecast_becomes_the_next_row),
		cmocka_unit_test(a_nul_byte_is_no_end),
		cmocka_unit_test(every_cut_of_a_good_body_is_not_json),
		cmocka_unit_test(deep_nesting_is_refused_and_allowed_up_to_the_limit),
		cmocka_unit_test(a_long_foreign_name_is_cut_in_the_message),
		cmocka_unit_test(escapes_become_the_text_they_stand_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
