/* SPDX-License-Identifier: MIT
 *
 * model - see the header. Fields are read in the order of the file's documentation
 * (docs/models.md); the first thing wrong ends the reading. */
#include "infer/model.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "infer/mlmodel.h"
#include "infer/safetensors.h"

#define FORMAT "cicada-lstm-1"

static enum err bad(struct err_text *text, const char *field, const char *what)
{
	return err_set(text, ERR_BAD_INPUT, "%s: %s", field, what);
}

static enum err read_text(const json_t *json, const char *field, const char **out,
			  struct err_text *text)
{
	const json_t *item = json_object_get(json, field);

	if (!json_is_string(item) || !json_string_length(item))
		return bad(text, field, "must be a text that is not empty");
	if (json_string_length(item) > LIMIT_MODEL_NAME_BYTES)
		return bad(text, field, "is too long");
	*out = json_string_value(item);
	return OK;
}

static enum err read_size(const json_t *json, const char *field, size_t max, size_t *out,
			  struct err_text *text)
{
	const json_t *item = json_object_get(json, field);
	json_int_t value = json_integer_value(item);

	if (!json_is_integer(item) || value < 1 || (uint64_t)value > max)
		return err_set(text, ERR_BAD_INPUT, "%s: must be a whole number from 1 to %zu",
			       field, max);
	*out = (size_t)value;
	return OK;
}

/* So that a name stands in a request body as it is (predict_body.h). */
static bool is_plain_name(const char *name)
{
	for (; *name; name++)
		if (*name < 0x20 || *name > 0x7e || *name == '"' || *name == '\\')
			return false;
	return true;
}

static enum err read_column(const json_t *item, const char *place, struct model_column *out,
			    struct err_text *text)
{
	const json_t *offset = json_object_get(item, "offset");
	const json_t *scale = json_object_get(item, "scale");
	enum err err;

	err = read_text(item, "name", &out->name, text);
	if (err)
		return bad(text, place, "name must be a text that is neither empty nor too long");
	if (!is_plain_name(out->name))
		return bad(text, place, "name must be ASCII without quotes and backslashes");
	if (!json_is_number(offset) || !json_is_number(scale))
		return bad(text, place, "offset and scale must be numbers");
	out->offset = json_number_value(offset);
	out->scale = json_number_value(scale);
	if (!isfinite(out->offset) || !isnormal((float)out->scale))
		return bad(text, place, "offset must be finite, and scale neither zero nor tiny");
	return OK;
}

/* Leaves room for `more` columns behind those of the file. */
static enum err read_columns(const json_t *json, const char *field, size_t more,
			     struct model_column **out, size_t *count, struct err_text *text)
{
	const json_t *list = json_object_get(json, field);
	char place[32];
	enum err err;

	if (json_array_size(list) < 1 || json_array_size(list) > LIMIT_MODEL_COLUMNS)
		return err_set(text, ERR_BAD_INPUT, "%s: must be a list of 1 to %d objects", field,
			       LIMIT_MODEL_COLUMNS);
	*count = json_array_size(list);
	*out = mem_zalloc(*count + more, sizeof(**out));
	for (size_t i = 0; i < *count; i++) {
		snprintf(place, sizeof(place), "%s[%zu]", field, i);
		err = read_column(json_array_get(list, i), place, &(*out)[i], text);
		if (err)
			return err;
		for (size_t k = 0; k < i; k++)
			if (strcmp((*out)[k].name, (*out)[i].name) == 0)
				return bad(text, place, "name stands twice");
	}
	return OK;
}

static enum err read_times(struct model *m, struct err_text *text)
{
	const json_t *list = json_object_get(m->json, "time_features");
	size_t i;
	json_t *item;

	if (list && (!json_is_array(list) || json_array_size(list) > PART_COUNT))
		return err_set(text, ERR_BAD_INPUT,
			       "time_features: must be a list of at most %d texts", PART_COUNT);
	json_array_foreach (list, i, item) {
		const char *name = json_string_value(item);
		enum moment_part part = name ? moment_part_of(name) : PART_COUNT;

		if (part == PART_COUNT)
			return err_set(text, ERR_BAD_INPUT,
				       "time_features[%zu]: must be minute, hour, day_second, "
				       "weekday or month",
				       i);
		for (size_t k = 0; k < i; k++)
			if (m->times[k] == part)
				return err_set(text, ERR_BAD_INPUT,
					       "time_features[%zu]: stands twice", i);
		m->times[m->time_count++] = part;
	}
	return OK;
}

static enum err read_interval(struct model *m, struct err_text *text)
{
	const json_t *item = json_object_get(m->json, "interval_s");

	m->interval_s = item ? json_number_value(item) : 1;
	if (!(m->interval_s >= 1e-6 && m->interval_s <= LIMIT_MODEL_INTERVAL_S))
		return err_set(text, ERR_BAD_INPUT,
			       "interval_s: must be a number of seconds from 0.000001 to %d",
			       LIMIT_MODEL_INTERVAL_S);
	return OK;
}

static enum err read_inputs(struct model *m, struct err_text *text)
{
	enum err err;

	err = read_times(m, text);
	if (!err)
		err = read_columns(m->json, "features", 2 * m->time_count, &m->inputs,
				   &m->feature_count, text);
	if (err)
		return err;
	m->input_count = m->feature_count + 2 * m->time_count;
	for (size_t i = m->feature_count; i < m->input_count; i++)
		m->inputs[i].scale = 1;
	return OK;
}

/* MLmodel has said it already, or model.json must. */
static enum err read_run_id(struct model *m, struct err_text *text)
{
	m->run_id = m->mlflow_id;
	return m->run_id ? OK : read_text(m->json, "run_id", &m->run_id, text);
}

static enum err read_description(struct model *m, struct str bytes, struct err_text *text)
{
	const char *format, *weights;
	json_error_t where;
	enum err err;

	m->json = json_loadb(bytes.p, bytes.len, JSON_REJECT_DUPLICATES, &where);
	if (!m->json)
		return err_set(text, ERR_BAD_INPUT, "line %d: %s", where.line, where.text);
	if ((err = read_text(m->json, "format", &format, text)))
		return err;
	if (strcmp(format, FORMAT) != 0)
		return bad(text, "format", "is not " FORMAT);
	if ((err = read_text(m->json, "model", &m->name, text)) || (err = read_run_id(m, text)) ||
	    (err = read_text(m->json, "weights", &weights, text)) ||
	    (err = read_size(m->json, "window", LIMIT_MODEL_WINDOW, &m->window, text)) ||
	    (err = read_size(m->json, "layers", LIMIT_MODEL_LAYERS, &m->layer_count, text)) ||
	    (err = read_size(m->json, "hidden", LIMIT_MODEL_HIDDEN, &m->hidden, text)) ||
	    (err = read_interval(m, text)) || (err = read_inputs(m, text)) ||
	    (err = read_columns(m->json, "targets", 0, &m->targets, &m->target_count, text)))
		return err;
	/* A name with a slash could name any file of the machine. */
	if (strchr(weights, '/'))
		return bad(text, "weights", "must be a file name without a folder");
	return OK;
}

/* columns 0: a vector. */
static enum err read_weights(const struct safetensors *file, const char *name, size_t rows,
			     size_t columns, float **out, struct err_text *text)
{
	const struct tensor *t = safetensors_find(file, name);
	char want[48];

	if (columns)
		snprintf(want, sizeof(want), "[%zu, %zu]", rows, columns);
	else
		snprintf(want, sizeof(want), "[%zu]", rows);
	if (!t)
		return err_set(text, ERR_BAD_INPUT, "tensor %s: missing", name);
	if (t->rank != (columns ? 2u : 1u) || t->shape[0] != rows ||
	    (columns && t->shape[1] != columns))
		return err_set(text, ERR_BAD_INPUT, "tensor %s: shape must be %s", name, want);
	*out = mem_zalloc(t->count, sizeof(float));
	tensor_copy(t, *out);
	for (size_t i = 0; i < t->count; i++)
		if (!isfinite((*out)[i]))
			return err_set(text, ERR_BAD_INPUT, "tensor %s: value %zu is not finite",
				       name, i);
	return OK;
}

static enum err read_layer(struct model *m, const struct safetensors *file, size_t index,
			   struct err_text *text)
{
	struct model_layer *layer = &m->layers[index];
	const struct {
		const char *name;
		size_t columns;
		float **to;
	} parts[] = {
		{ "weight_ih", index ? m->hidden : m->input_count, &layer->weight_ih },
		{ "weight_hh", m->hidden, &layer->weight_hh },
		{ "bias_ih", 0, &layer->bias_ih },
		{ "bias_hh", 0, &layer->bias_hh },
	};
	char name[64];
	enum err err;

	layer->in = parts[0].columns;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(name, sizeof(name), "lstm.%s_l%zu", parts[i].name, index);
		err = read_weights(file, name, 4 * m->hidden, parts[i].columns, parts[i].to, text);
		if (err)
			return err;
	}
	return OK;
}

static enum err read_tensors(struct model *m, struct str bytes, struct err_text *text)
{
	struct safetensors *file = NULL;
	enum err err;

	err = safetensors_create(&file, bytes, text);
	if (err)
		return err;
	m->layers = mem_zalloc(m->layer_count, sizeof(*m->layers));
	for (size_t i = 0; i < m->layer_count && !err; i++)
		err = read_layer(m, file, i, text);
	if (!err)
		err = read_weights(file, "fc.weight", m->target_count, m->hidden, &m->head_weight,
				   text);
	if (!err)
		err = read_weights(file, "fc.bias", m->target_count, 0, &m->head_bias, text);
	if (!err && safetensors_count(file) != 4 * m->layer_count + 2)
		err = err_set(text, ERR_BAD_INPUT, "has tensors that the model does not name");
	safetensors_destroy(&file);
	return err;
}

/* Reads a file of the folder and has `read` take it in; puts the path before the error. */
static enum err read_part(struct model *m, const char *folder, const char *name, size_t max_bytes,
			  enum err (*read)(struct model *, struct str, struct err_text *),
			  struct err_text *text)
{
	char *path = mem_printf("%s/%s", folder, name);
	struct err_text what = { 0 };
	struct buf bytes;
	enum err err;

	buf_init(&bytes, max_bytes);
	err = file_read(path, &bytes, &what);
	if (err)
		*text = what;
	else if ((err = read(m, buf_str(&bytes), &what)))
		err_set(text, err, "%s: %s", path, err_say(&what, err));
	buf_fini(&bytes);
	mem_free(path);
	return err;
}

static enum err read_mlmodel(struct model *m, struct str bytes, struct err_text *text)
{
	struct str id;
	enum err err;

	err = mlmodel_run_id(bytes, &id, text);
	if (!err && id.len)
		m->mlflow_id = mem_strndup(id.p, id.len);
	return err;
}

enum err model_create(struct model **out, const char *folder, struct err_text *text)
{
	struct model *m = mem_zalloc(1, sizeof(*m));
	enum err err;

	err = read_part(m, folder, "MLmodel", LIMIT_MODEL_JSON_BYTES, read_mlmodel, text);
	if (!err || err == ERR_NOT_FOUND)
		err = read_part(m, folder, "model.json", LIMIT_MODEL_JSON_BYTES, read_description,
				text);
	if (!err)
		err = read_part(m, folder, json_string_value(json_object_get(m->json, "weights")),
				LIMIT_MODEL_FILE_BYTES, read_tensors, text);
	if (err)
		model_destroy(&m);
	else
		*out = m;
	return err;
}

void model_destroy(struct model **m)
{
	struct model *old = *m;

	if (!old)
		return;
	for (size_t i = 0; old->layers && i < old->layer_count; i++) {
		mem_free(old->layers[i].weight_ih);
		mem_free(old->layers[i].weight_hh);
		mem_free(old->layers[i].bias_ih);
		mem_free(old->layers[i].bias_hh);
	}
	mem_free(old->layers);
	mem_free(old->inputs);
	mem_free(old->targets);
	mem_free(old->head_weight);
	mem_free(old->head_bias);
	json_decref(old->json);
	mem_free(old->mlflow_id);
	mem_free(old);
	*m = NULL;
}
