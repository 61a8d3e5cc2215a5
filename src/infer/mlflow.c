/* SPDX-License-Identifier: MIT
 *
 * mlflow - the scoring protocol of MLflow's servers, POST /invocations.
 *
 *   {"dataframe_split": {"columns": ["ts", "down", ..], "data": [[..], ..]}}
 *   {"dataframe_records": [{"ts": .., "down": ..}, ..]}
 *   {"instances": [..]}      records, or numbers as door_tensor() takes them
 *   {"inputs": ..}           columns by name, or as instances
 *
 * beside one of them "params": {"inference_length": 3}. A table is one window: its last rows,
 * oldest first. Its column of times may be left out if the model does not need it. The answer has a
 * record per step for a table, a list of numbers per window for bare numbers. */
#include "infer/door.h"

#include <stdio.h>
#include <string.h>

#include "infer/door_json.h"

/* A column that is not there. */
#define NO_COLUMN SIZE_MAX

enum table_form { TABLE_SPLIT, TABLE_RECORDS, TABLE_COLUMNS };

struct table {
	enum table_form form;
	const char *field;    /* for messages */
	const json_t *values; /* rows, or columns by name */
	size_t row_count;
	const char *index; /* the name of the column of times; NULL: none */
	/* TABLE_SPLIT: where in a row each feature stands, and behind them the time. */
	size_t places[LIMIT_MODEL_COLUMNS + 1];
};

/* Takes the name of a column: the feature it is, feature_count for the times. */
static bool take_name(struct table *t, const struct schema *s, const char *name, size_t *out,
		      struct ask_fault *fault)
{
	const char *index = ask_index_name(str_of(name));

	*out = schema_find(s, str_of(name));
	if (*out < s->feature_count)
		return true;
	if (!index)
		return ask_refuse(fault, 422, "%s: unknown feature \"%.40s\"", t->field, name);
	if (t->index && t->index != index)
		return ask_refuse(fault, 422, "%s: two columns of times, %s and %s", t->field,
				  t->index, index);
	t->index = index;
	return true;
}

static bool open_split(struct table *t, const struct schema *s, const json_t *json,
		       struct ask_fault *fault)
{
	const json_t *names = json_object_get(json, "columns"), *name;
	size_t i, column;

	for (i = 0; i <= LIMIT_MODEL_COLUMNS; i++)
		t->places[i] = NO_COLUMN;
	if (!json_is_array(names))
		return ask_refuse(fault, 422, "%s.columns: must be a list of names", t->field);
	json_array_foreach (names, i, name) {
		if (!json_is_string(name))
			return ask_refuse(fault, 422, "%s.columns[%zu]: must be a text", t->field,
					  i);
		if (!take_name(t, s, json_string_value(name), &column, fault))
			return false;
		if (t->places[column] != NO_COLUMN)
			return ask_refuse(fault, 422, "%s.columns[%zu]: stands twice", t->field, i);
		t->places[column] = i;
	}
	t->values = json_object_get(json, "data");
	if (!json_is_array(t->values))
		return ask_refuse(fault, 422, "%s.data: must be a list of rows", t->field);
	t->row_count = json_array_size(t->values);
	return true;
}

/* The names of the first record or of the columns; that others have the same shows cell by cell. */
static bool open_named(struct table *t, const struct schema *s, const json_t *named,
		       struct ask_fault *fault)
{
	const char *name;
	const json_t *value;
	size_t column;

	if (!json_is_object(named))
		return ask_refuse(fault, 422, "%s[0]: must be an object", t->field);
	json_object_foreach ((json_t *)named, name, value) {
		if (!take_name(t, s, name, &column, fault))
			return false;
		if (t->form != TABLE_COLUMNS)
			continue;
		if (!json_is_array(value))
			return ask_refuse(fault, 422, "%s.%.40s: must be a list", t->field, name);
		if (t->row_count && json_array_size(value) != t->row_count)
			return ask_refuse(fault, 422,
					  "%s.%.40s: %zu values, but the column before has %zu",
					  t->field, name, json_array_size(value), t->row_count);
		t->row_count = json_array_size(value);
	}
	return true;
}

static bool open_table(struct table *t, const struct schema *s, const json_t *json,
		       struct ask_fault *fault)
{
	t->values = json;
	if (t->form == TABLE_SPLIT)
		return open_split(t, s, json, fault);
	if (t->form == TABLE_COLUMNS)
		return open_named(t, s, json, fault);
	if (!json_array_size(json))
		return ask_refuse(fault, 422, "%s: must be a list of records", t->field);
	t->row_count = json_array_size(json);
	return open_named(t, s, json_array_get(json, 0), fault);
}

/* NULL: it is missing. */
static const json_t *cell(const struct table *t, size_t row, size_t column, const char *name)
{
	switch (t->form) {
	case TABLE_SPLIT:
		return json_array_get(json_array_get(t->values, row), t->places[column]);
	case TABLE_RECORDS:
		return json_object_get(json_array_get(t->values, row), name);
	default:
		return json_array_get(json_object_get(t->values, name), row);
	}
}

/* Nothing beside the features and the time. */
static bool check_width(const struct table *t, const struct schema *s, size_t row,
			struct ask_fault *fault)
{
	const json_t *values = json_array_get(t->values, row);
	const size_t want = s->feature_count + (t->index != NULL);
	size_t got = t->form == TABLE_SPLIT ? json_array_size(values) : json_object_size(values);

	if (t->form == TABLE_COLUMNS || got == want)
		return true;
	return ask_refuse(fault, 422, "%s: row %zu has %zu values, not %zu", t->field, row, got,
			  want);
}

static bool read_time(const struct table *t, struct ask *a, size_t row, float *out,
		      struct moment *moment, struct ask_fault *fault)
{
	const struct schema *s = a->schema;
	const json_t *value = cell(t, row, s->feature_count, t->index);

	if (!json_is_string(value) || !moment_parse(str_of(json_string_value(value)), moment))
		return ask_refuse(fault, 422,
				  "%s: row %zu: %s must be a time of ISO 8601, such as "
				  "2024-01-15T10:00:00",
				  t->field, row, t->index);
	moment_fill(moment, s->times, s->time_count, out + s->feature_count);
	return true;
}

static bool read_row(const struct table *t, struct ask *a, size_t row, float *out,
		     struct moment *moment, struct ask_fault *fault)
{
	const struct schema *s = a->schema;
	char name[LIMIT_MODEL_NAME_BYTES + 1];

	for (size_t i = 0; i < s->feature_count; i++) {
		const json_t *value;

		snprintf(name, sizeof(name), "%.*s", STR_ARG(schema_name(s->features[i])));
		value = cell(t, row, i, name);
		if (!value)
			return ask_refuse(fault, 422, "%s: row %zu: %s: missing", t->field, row,
					  name);
		if (!door_number(value, &out[i], fault, "%s: row %zu: %s", t->field, row, name))
			return false;
	}
	return check_width(t, s, row, fault) &&
	       (!t->index || read_time(t, a, row, out, moment, fault));
}

static bool read_table(struct table *t, const json_t *json, struct ask *a, struct ask_fault *fault)
{
	const struct schema *s = a->schema;
	struct moment moments[2] = { 0 };
	float *rows;
	size_t first;

	if (!open_table(t, s, json, fault))
		return false;
	if (!t->index && !door_needs_no_times(a, t->field, fault))
		return false;
	if (t->row_count < s->rows)
		return ask_refuse(fault, 422, "%s: %zu rows, the model takes %zu", t->field,
				  t->row_count, s->rows);
	rows = door_window(a, t->field, fault);
	if (!rows)
		return false;
	first = t->row_count - s->rows;
	for (size_t i = 0; i < s->rows; i++) {
		moments[0] = moments[1];
		if (!read_row(t, a, first + i, rows + i * s->input_count, &moments[1], fault))
			return false;
	}
	a->form = ASK_RECORDS;
	if (t->index) {
		snprintf(a->index_name, sizeof(a->index_name), "%s", t->index);
		ask_set_times(a, s->rows > 1 ? &moments[0] : NULL, &moments[1]);
	}
	return true;
}

static bool read_numbers(const char *field, const json_t *json, struct ask *a,
			 struct ask_fault *fault)
{
	a->form = ASK_TENSOR;
	return door_tensor(json, field, a, fault);
}

static bool read_field(const char *field, const json_t *json, struct ask *a,
		       struct ask_fault *fault)
{
	struct table t = { .field = field };

	if (strcmp(field, "dataframe_split") == 0)
		t.form = TABLE_SPLIT;
	else if (json_is_object(json) && strcmp(field, "inputs") == 0)
		t.form = TABLE_COLUMNS;
	else if (strcmp(field, "dataframe_records") == 0 || json_is_object(json_array_get(json, 0)))
		t.form = TABLE_RECORDS;
	else
		return read_numbers(field, json, a, fault);
	return read_table(&t, json, a, fault);
}

static bool is_input(const char *name)
{
	static const char *const inputs[] = { "dataframe_split", "dataframe_records", "instances",
					      "inputs" };

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
		if (strcmp(inputs[i], name) == 0)
			return true;
	return false;
}

/* The one that is there; *found stays NULL if there is none. */
static bool find_input(const json_t *body, const char **found, struct ask_fault *fault)
{
	const char *name;
	const json_t *value;

	json_object_foreach ((json_t *)body, name, value) {
		if (strcmp(name, "params") == 0)
			continue;
		if (!is_input(name))
			return ask_refuse(fault, 422, "body: unknown field \"%.40s\"", name);
		if (*found)
			return ask_refuse(fault, 422, "body: both %s and %s", *found, name);
		*found = name;
	}
	return true;
}

static bool check_params(const json_t *params, struct ask_fault *fault)
{
	const char *name;
	const json_t *value;

	json_object_foreach ((json_t *)params, name, value)
		if (strcmp(name, "inference_length") != 0)
			return ask_refuse(fault, 422, "params: unknown \"%.40s\"", name);
	return true;
}

static bool read_object(const json_t *body, struct ask *a, struct ask_fault *fault)
{
	const json_t *params = json_object_get(body, "params");
	const char *found = NULL;

	if (!find_input(body, &found, fault))
		return false;
	if (!found)
		return ask_refuse(fault, 422,
				  "body: must have dataframe_split, dataframe_records, instances "
				  "or inputs");
	return door_steps(params, "params", a, fault) && check_params(params, fault) &&
	       read_field(found, json_object_get(body, found), a, fault) &&
	       ask_is_complete(a, fault);
}

static bool read(struct str body, struct ask *a, struct ask_fault *fault)
{
	json_t *json = door_parse(body, fault);
	bool is_good = json && read_object(json, a, fault);

	json_decref(json);
	return is_good;
}

static void write(const struct door_reply *reply, struct buf *out)
{
	const struct ask *a = reply->ask;
	const size_t count = a->form == ASK_TENSOR ? a->window_count : a->steps;

	for (size_t i = 0; i < count; i++) {
		buf_add_text(out, i ? ", " : "{\"predictions\": [");
		if (a->form == ASK_TENSOR)
			door_write_window(a, i, out);
		else
			door_write_record(a, 0, i, out);
	}
	buf_add_text(out, "]}\n");
}

const struct door door_mlflow = { .read = read, .write = write };
