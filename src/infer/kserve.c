/* SPDX-License-Identifier: MIT
 *
 * kserve - see the header. */
#include "infer/kserve.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "infer/door_json.h"
#include "infer/engine.h"

#define OUTPUT "predictions"

enum kserve_page kserve_route(const char *path, char *name, size_t size)
{
	const char *begin = path + strlen(KSERVE_MODELS);
	const size_t len = strcspn(begin, "/");
	const char *rest = begin + len;

	if (!len || len >= size)
		return KSERVE_NONE;
	memcpy(name, begin, len);
	name[len] = '\0';
	if (!*rest)
		return KSERVE_MODEL;
	if (strcmp(rest, "/ready") == 0)
		return KSERVE_READY;
	return strcmp(rest, "/infer") == 0 ? KSERVE_INFER : KSERVE_NONE;
}

/* Requests. */

static bool is_numeric(const char *type)
{
	static const char *const types[] = { "FP16",  "FP32",  "FP64",	 "INT8",   "INT16", "INT32",
					     "INT64", "UINT8", "UINT16", "UINT32", "UINT64" };

	for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

/* The number of windows; the shape must fit the model. */
static bool read_shape(const json_t *shape, const struct schema *s, size_t *windows,
		       struct ask_fault *fault)
{
	const size_t rank = json_array_size(shape);
	const double want[] = { (double)s->rows, (double)s->feature_count };

	for (size_t i = 0; i < 2; i++)
		if ((rank != 2 && rank != 3) ||
		    json_number_value(json_array_get(shape, rank - 2 + i)) != want[i])
			return ask_refuse(fault, 422,
					  "inputs[0].shape: must be [windows, %zu, %zu] or [%zu, "
					  "%zu]",
					  s->rows, s->feature_count, s->rows, s->feature_count);
	*windows = 1;
	if (rank == 3 && !door_whole(json_array_get(shape, 0), LIMIT_PREDICT_WINDOWS, windows))
		return ask_refuse(fault, 422, "inputs[0].shape: must be of 1 to %d windows",
				  LIMIT_PREDICT_WINDOWS);
	return true;
}

static bool read_flat(const json_t *data, size_t windows, struct ask *a, struct ask_fault *fault)
{
	const struct schema *s = a->schema;
	const size_t values = s->rows * s->feature_count;

	if (json_array_size(data) != windows * values)
		return ask_refuse(fault, 422, "inputs[0].data: %zu values, the shape has %zu",
				  json_array_size(data), windows * values);
	for (size_t w = 0; w < windows; w++) {
		float *rows = door_window(a, "inputs[0].data", fault);

		if (!rows)
			return false;
		for (size_t i = 0; i < values; i++) {
			const size_t at = w * values + i;

			if (!door_number(json_array_get(data, at),
					 &rows[i / s->feature_count * s->input_count +
					       i % s->feature_count],
					 fault, "inputs[0].data[%zu]", at))
				return false;
		}
	}
	return true;
}

static bool read_data(const json_t *data, size_t windows, struct ask *a, struct ask_fault *fault)
{
	if (!json_is_array(data))
		return ask_refuse(fault, 422, "inputs[0].data: must be a list");
	if (!door_needs_no_times(a, "inputs[0]", fault))
		return false;
	if (!json_is_array(json_array_get(data, 0)))
		return read_flat(data, windows, a, fault);
	if (!door_tensor(data, "inputs[0].data", a, fault))
		return false;
	return a->window_count == windows ||
	       ask_refuse(fault, 422, "inputs[0].data: %zu windows, the shape has %zu",
			  a->window_count, windows);
}

static bool check_outputs(const json_t *outputs, struct ask_fault *fault)
{
	const json_t *output;
	size_t i;

	json_array_foreach (outputs, i, output) {
		const char *name = json_string_value(json_object_get(output, "name"));

		if (!name || strcmp(name, OUTPUT) != 0)
			return ask_refuse(fault, 422,
					  "outputs[%zu].name: there is only \"" OUTPUT "\"", i);
	}
	return true;
}

static bool read_object(const json_t *body, struct ask *a, struct ask_fault *fault)
{
	const json_t *inputs = json_object_get(body, "inputs"), *input = json_array_get(inputs, 0);
	const json_t *id = json_object_get(body, "id");
	size_t windows = 0;

	a->form = ASK_TENSOR;
	if (json_array_size(inputs) != 1 || !json_is_object(input))
		return ask_refuse(fault, 422, "inputs: must be a list of one tensor");
	if (!is_numeric(json_string_value(json_object_get(input, "datatype"))))
		return ask_refuse(fault, 422,
				  "inputs[0].datatype: must be a numeric type, such as "
				  "FP32");
	if (id && !json_is_string(id))
		return ask_refuse(fault, 422, "id: must be a text");
	if (!check_outputs(json_object_get(body, "outputs"), fault) ||
	    !door_steps(json_object_get(body, "parameters"), "parameters", a, fault) ||
	    !read_shape(json_object_get(input, "shape"), a->schema, &windows, fault) ||
	    !read_data(json_object_get(input, "data"), windows, a, fault))
		return false;
	if (id)
		a->echo = mem_strndup(json_string_value(id), json_string_length(id));
	return ask_is_complete(a, fault);
}

static bool read(struct str body, struct ask *a, struct ask_fault *fault)
{
	json_t *json = door_parse(body, fault);
	bool is_good = json && read_object(json, a, fault);

	json_decref(json);
	return is_good;
}

/* Answers. */

static void write(const struct door_reply *reply, struct buf *out)
{
	const struct ask *a = reply->ask;
	const size_t count = a->window_count * a->steps * a->schema->target_count;

	buf_add_text(out, "{\"model_name\": ");
	buf_add_json(out, str_of(reply->engine->name));
	buf_add_text(out, ", \"model_version\": ");
	buf_add_json(out, str_of(engine_run_id(reply->engine)));
	if (a->echo) {
		buf_add_text(out, ", \"id\": ");
		buf_add_json(out, str_of(a->echo));
	}
	buf_printf(out, ", \"outputs\": [{\"name\": \"" OUTPUT "\", \"shape\": [%zu, ",
		   a->window_count);
	if (a->has_steps)
		buf_printf(out, "%zu, ", a->steps);
	buf_printf(out, "%zu], \"datatype\": \"FP64\", \"data\": ", a->schema->target_count);
	/* Windows, steps and targets lie one behind the other. */
	door_write_numbers(a->predictions, count, out);
	buf_add_text(out, "}]}\n");
}

const struct door door_kserve = { .read = read, .write = write };

void kserve_write_server(struct buf *out)
{
	buf_add_text(out, "{\"name\": \"cicada-inference\", \"version\": \"" CICADA_VERSION
			  "\", \"extensions\": []}\n");
}

void kserve_write_model(const struct engine *e, struct buf *out)
{
	buf_add_text(out, "{\"name\": ");
	buf_add_json(out, str_of(e->name));
	buf_add_text(out, ", \"versions\": [");
	buf_add_json(out, str_of(engine_run_id(e)));
	buf_printf(out,
		   "], \"platform\": \"cicada-lstm-1\", \"inputs\": [{\"name\": \"input\", "
		   "\"datatype\": \"FP32\", \"shape\": [-1, %zu, %zu]}], \"outputs\": [{\"name\": "
		   "\"" OUTPUT "\", \"datatype\": \"FP64\", \"shape\": [-1, %zu]}]}\n",
		   e->schema.rows, e->schema.feature_count, e->schema.target_count);
}
