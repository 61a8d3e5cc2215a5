/* SPDX-License-Identifier: MIT
 *
 * fuzz_predict - the /predict body, with Jansson as the second opinion: what we accept is JSON
 * with the same numbers in it, and what we call JSON is JSON to it. */
#include "fuzz.h"

#include <jansson.h>
#include <math.h>

#include "infer/predict_body.h"

static const struct schema schema = {
	.rows = 2,
	.feature_count = 3,
	.input_count = 3,
	.target_count = 1,
	.fed_by = { 0, FED_BY_NONE, FED_BY_NONE },
	.features = { { "\"down\"", 6 }, { "\"up\"", 4 }, { "\"mcs_down\"", 10 } },
};

static const char *const names[] = { "down", "up", "mcs_down" };

/* Jansson's double may be the middle between two floats where the number itself is not. */
static bool is_near(float a, float b)
{
	return a == b || nextafterf(a, b) == b;
}

static void check_value(const json_t *value, float got)
{
	float want = (float)json_number_value(value);

	FUZZ_CHECK(json_is_number(value));
	FUZZ_CHECK(isfinite(want) && is_near(want, got));
}

static void check_rows(const json_t *rows, const float *got)
{
	FUZZ_CHECK(json_array_size(rows) == schema.rows);
	for (size_t i = 0; i < schema.rows; i++) {
		json_t *features = json_object_get(json_array_get(rows, i), "features");

		FUZZ_CHECK(json_object_size(features) == schema.feature_count);
		for (size_t k = 0; k < schema.feature_count; k++)
			check_value(json_object_get(features, names[k]),
				    got[i * schema.input_count + k]);
	}
}

static void check_columns(const json_t *columns, const float *got)
{
	FUZZ_CHECK(json_object_size(columns) == schema.feature_count + 1);
	for (size_t k = 0; k < schema.feature_count; k++) {
		const json_t *column = json_object_get(columns, names[k]);
		size_t count = json_array_size(column);

		FUZZ_CHECK(count >= schema.rows);
		for (size_t i = 0; i < schema.rows; i++)
			check_value(json_array_get(column, count - schema.rows + i),
				    got[i * schema.input_count + k]);
	}
}

static void check_windows(const json_t *body, struct ask *ask)
{
	const json_t *windows = json_object_get(body, "windows");

	FUZZ_CHECK(!windows || json_array_size(windows) == ask->window_count);
	for (size_t i = 0; i < ask->window_count; i++) {
		const json_t *window =
			windows ? json_array_get(windows, i) : json_object_get(body, "data");

		(json_is_array(window) ? check_rows : check_columns)(window, ask_rows(ask, i));
	}
}

/* Jansson refuses some JSON: numbers beyond a double, NUL in a name, half surrogate pairs. */
static bool is_stricter(const char *bytes, size_t len, const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
	       memmem(bytes, len, "\\ud", 3) || memmem(bytes, len, "\\uD", 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct ask_fault fault = { 0 };
	struct ask ask;
	bool is_good;
	json_error_t error;
	json_t *body;

	ask_init(&ask);
	ask_begin(&ask, &schema);
	is_good = predict_body_parse((struct str){ bytes, len }, &ask, &fault);
	body = json_loadb(bytes, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL,
			  &error);

	if (is_good) {
		FUZZ_CHECK(body);
		check_windows(body, &ask);
	} else {
		FUZZ_CHECK(fault.status == 400 || fault.status == 422);
		FUZZ_CHECK(fault.text[0]);
		FUZZ_CHECK(fault.status == 400 || body || is_stricter(bytes, len, &error));
	}
	json_decref(body);
	ask_fini(&ask);
	free(bytes);
	return 0;
}
