/* SPDX-License-Identifier: MIT
 *
 * safetensors - see the header. Format: huggingface/safetensors, README "Format".
 *
 * The values are little-endian and so are the machines we run on; a big-endian machine
 * would need a swap in tensor_copy(). Like the reference reader we refuse holes and
 * overlaps: sorted by offset, each tensor begins where the one before it ended and the last
 * ends with the file, so no byte is read twice and none is hidden. */
#include "infer/safetensors.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"

#define LENGTH_BYTES 8

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensor_copy() needs a byte swap here");

struct safetensors {
	size_t count;
	struct tensor tensors[LIMIT_MODEL_TENSORS];
	json_t *header; /* owns the names */
};

static enum err bad(struct err_text *text, const char *name, const char *what)
{
	return err_set(text, ERR_BAD_INPUT, "tensor %.100s: %s", name, what);
}

static enum err read_shape(const json_t *shape, struct tensor *t, struct err_text *text)
{
	if (!json_is_array(shape) || json_array_size(shape) > SAFETENSORS_RANK_MAX)
		return bad(text, t->name, "shape: must be a list of at most 4 numbers");
	t->rank = json_array_size(shape);
	t->count = 1;
	for (size_t i = 0; i < t->rank; i++) {
		const json_t *item = json_array_get(shape, i);
		json_int_t length = json_integer_value(item);

		if (!json_is_integer(item) || length < 1 ||
		    length > (json_int_t)LIMIT_MODEL_FILE_BYTES)
			return bad(text, t->name, "shape: must consist of positive whole numbers");
		if (t->count > LIMIT_MODEL_FILE_BYTES / (size_t)length)
			return bad(text, t->name, "shape: larger than a model file may be");
		t->shape[i] = (size_t)length;
		t->count *= t->shape[i];
	}
	return OK;
}

static enum err read_offsets(const json_t *offsets, struct str values, struct tensor *t,
			     struct err_text *text)
{
	const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
	json_int_t from = json_integer_value(begin), to = json_integer_value(end);

	if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
		return bad(text, t->name, "data_offsets: must be two whole numbers");
	if (from < 0 || to < from || (uint64_t)to > values.len)
		return bad(text, t->name, "data_offsets: outside the file");
	if ((uint64_t)(to - from) != (uint64_t)t->count * sizeof(float))
		return bad(text, t->name, "data_offsets: do not fit the shape");
	t->bytes = values.p + from;
	return OK;
}

static enum err read_tensor(const json_t *entry, struct str values, struct tensor *t,
			    struct err_text *text)
{
	const char *dtype = json_string_value(json_object_get(entry, "dtype"));
	enum err err;

	if (!json_is_object(entry))
		return bad(text, t->name, "must be an object");
	if (!dtype || strcmp(dtype, "F32") != 0)
		return bad(text, t->name, "dtype: only F32 is supported");
	err = read_shape(json_object_get(entry, "shape"), t, text);
	if (err)
		return err;
	return read_offsets(json_object_get(entry, "data_offsets"), values, t, text);
}

static int by_position(const void *a, const void *b)
{
	const struct tensor *x = a, *y = b;

	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static enum err check_layout(const struct safetensors *s, struct str values, struct err_text *text)
{
	const char *next = values.p;

	for (size_t i = 0; i < s->count; i++) {
		const struct tensor *t = &s->tensors[i];

		if (t->bytes < next)
			return bad(text, t->name, "data_offsets: shares bytes with another tensor");
		if (t->bytes > next)
			return bad(text, t->name, "data_offsets: leaves a hole before it");
		next = t->bytes + t->count * sizeof(float);
	}
	if (next != values.p + values.len)
		return err_set(text, ERR_BAD_INPUT, "%zu bytes after the last tensor",
			       (size_t)(values.p + values.len - next));
	return OK;
}

static enum err read_header(struct safetensors *s, struct str header, struct str values,
			    struct err_text *text)
{
	json_error_t where;
	json_t *entry;
	const char *name;
	enum err err;

	s->header = json_loadb(header.p, header.len, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(s->header))
		return err_set(text, ERR_BAD_INPUT, "header: %s at byte %d",
			       s->header ? "must be an object" : where.text,
			       LENGTH_BYTES + where.position);
	json_object_foreach (s->header, name, entry) {
		if (strcmp(name, "__metadata__") == 0)
			continue;
		if (s->count == LIMIT_MODEL_TENSORS)
			return err_set(text, ERR_TOO_BIG, "header: more than %d tensors",
				       LIMIT_MODEL_TENSORS);
		s->tensors[s->count].name = name;
		err = read_tensor(entry, values, &s->tensors[s->count], text);
		if (err)
			return err;
		s->count++;
	}
	qsort(s->tensors, s->count, sizeof(s->tensors[0]), by_position);
	return check_layout(s, values, text);
}

enum err safetensors_create(struct safetensors **out, struct str bytes, struct err_text *text)
{
	struct safetensors *s;
	uint64_t length = 0;
	enum err err;

	if (bytes.len < LENGTH_BYTES)
		return err_set(text, ERR_BAD_INPUT, "header length: the file has only %zu bytes",
			       bytes.len);
	memcpy(&length, bytes.p, LENGTH_BYTES);
	if (length > LIMIT_MODEL_JSON_BYTES)
		return err_set(text, ERR_TOO_BIG, "header length: %llu, more than the limit of %d",
			       (unsigned long long)length, LIMIT_MODEL_JSON_BYTES);
	if (length > bytes.len - LENGTH_BYTES)
		return err_set(text, ERR_BAD_INPUT, "header length: %llu, but the file ends before",
			       (unsigned long long)length);
	s = mem_zalloc(1, sizeof(*s));
	err = read_header(s, (struct str){ bytes.p + LENGTH_BYTES, (size_t)length },
			  (struct str){ bytes.p + LENGTH_BYTES + length,
					bytes.len - LENGTH_BYTES - (size_t)length },
			  text);
	if (err)
		safetensors_destroy(&s);
	else
		*out = s;
	return err;
}

void safetensors_destroy(struct safetensors **s)
{
	if (!*s)
		return;
	json_decref((*s)->header);
	mem_free(*s);
	*s = NULL;
}

size_t safetensors_count(const struct safetensors *s)
{
	return s->count;
}

const struct tensor *safetensors_at(const struct safetensors *s, size_t i)
{
	ensure(i < s->count);
	return &s->tensors[i];
}

const struct tensor *safetensors_find(const struct safetensors *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->tensors[i].name, name) == 0)
			return &s->tensors[i];
	return NULL;
}

void tensor_copy(const struct tensor *t, float *out)
{
	memcpy(out, t->bytes, t->count * sizeof(float));
}
