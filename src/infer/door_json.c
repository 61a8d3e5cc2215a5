/* SPDX-License-Identifier: MIT
 *
 * door_json - see the header. */
#include "infer/door_json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* The library's own words; two of its reasons are about JSON that we do not take. */
static void refuse_text(const json_error_t *where, struct ask_fault *fault)
{
	const enum json_error_code code = json_error_code(where);
	const bool is_json =
		code == json_error_numeric_overflow || code == json_error_duplicate_key;

	ask_refuse(fault, is_json ? 422 : 400, "body: %sat line %d, column %d: %s",
		   is_json ? "" : "not JSON ", where->line, where->column, where->text);
}

json_t *door_parse(struct str body, struct ask_fault *fault)
{
	json_error_t where;
	json_t *json = json_loadb(
		body.p, body.len,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &where);

	if (!json) {
		refuse_text(&where, fault);
	} else if (!json_is_object(json)) {
		json_decref(json);
		json = NULL;
		ask_refuse(fault, 422, "body: must be an object");
	}
	return json;
}

bool door_number(const json_t *value, float *out, struct ask_fault *fault, const char *place_fmt,
		 ...)
{
	const char *what = "must be a number";
	char place[160];
	va_list ap;

	*out = (float)json_number_value(value);
	if (json_is_number(value) && isfinite(*out))
		return true;
	va_start(ap, place_fmt);
	vsnprintf(place, sizeof(place), place_fmt, ap);
	va_end(ap);
	if (json_is_number(value))
		what = "too large for a 32-bit float";
	return ask_refuse(fault, 422, "%s: %s", place, what);
}

bool door_whole(const json_t *value, size_t max, size_t *out)
{
	const double number = json_number_value(value);

	if (!(number >= 1 && number <= (double)max) || number != floor(number))
		return false;
	*out = (size_t)number;
	return true;
}

bool door_steps(const json_t *params, const char *field, struct ask *a, struct ask_fault *fault)
{
	const json_t *steps = json_object_get(params, "inference_length");

	if (params && !json_is_object(params))
		return ask_refuse(fault, 422, "%s: must be an object", field);
	if (!steps)
		return true;
	if (!door_whole(steps, LIMIT_PREDICT_STEPS, &a->steps))
		return ask_refuse(fault, 422,
				  "%s.inference_length: must be a whole number from 1 to %d", field,
				  LIMIT_PREDICT_STEPS);
	a->has_steps = true;
	return true;
}

float *door_window(struct ask *a, const char *field, struct ask_fault *fault)
{
	float *rows = ask_add_window(a);

	if (!rows)
		ask_refuse(fault, 422, "%s: more than %d windows", field, LIMIT_PREDICT_WINDOWS);
	return rows;
}

bool door_needs_no_times(const struct ask *a, const char *field, struct ask_fault *fault)
{
	return !a->schema->time_count ||
	       ask_refuse(fault, 422,
			  "%s: bare numbers, but this model looks at the time of each row", field);
}

static bool read_row(const json_t *list, const char *place, const struct schema *s, float *out,
		     struct ask_fault *fault)
{
	if (json_array_size(list) != s->feature_count)
		return ask_refuse(fault, 422, "%s: must be a list of %zu features", place,
				  s->feature_count);
	for (size_t i = 0; i < s->feature_count; i++)
		if (!door_number(json_array_get(list, i), &out[i], fault, "%s[%zu]", place, i))
			return false;
	return true;
}

static bool read_window(const json_t *list, const char *place, struct ask *a,
			struct ask_fault *fault)
{
	const struct schema *s = a->schema;
	float *rows = door_window(a, place, fault);
	char row_place[96];

	if (!rows)
		return false;
	if (json_array_size(list) != s->rows)
		return ask_refuse(fault, 422, "%s: must be a list of %zu rows", place, s->rows);
	for (size_t i = 0; i < s->rows; i++) {
		snprintf(row_place, sizeof(row_place), "%s[%zu]", place, i);
		if (!read_row(json_array_get(list, i), row_place, s, rows + i * s->input_count,
			      fault))
			return false;
	}
	return true;
}

bool door_tensor(const json_t *list, const char *field, struct ask *a, struct ask_fault *fault)
{
	const json_t *window;
	char place[64];
	size_t i;

	if (!door_needs_no_times(a, field, fault))
		return false;
	if (!json_array_size(list))
		return ask_refuse(fault, 422, "%s: must be a list that is not empty", field);
	if (!json_is_array(json_array_get(json_array_get(list, 0), 0)))
		return read_window(list, field, a, fault);
	json_array_foreach (list, i, window) {
		snprintf(place, sizeof(place), "%s[%zu]", field, i);
		if (!read_window(window, place, a, fault))
			return false;
	}
	return true;
}
