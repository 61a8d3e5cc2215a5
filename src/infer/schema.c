/* SPDX-License-Identifier: MIT
 *
 * schema - see the header. */
#include "infer/schema.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "infer/model.h"

static void add_names(struct buf *names, const struct model_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(names, "\"%s\"", columns[i].name);
}

/* Cuts the next names off *at. */
static void cut_names(const char **at, const struct model_column *columns, size_t count,
		      struct str *out)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = (struct str){ *at, strlen(columns[i].name) + 2 };
		*at += out[i].len;
	}
}

static size_t find(const struct str *quoted, size_t count, struct str name)
{
	size_t i = 0;

	while (i < count &&
	       (quoted[i].len != name.len + 2 || memcmp(quoted[i].p + 1, name.p, name.len) != 0))
		i++;
	return i;
}

void schema_init(struct schema *s, const struct model *m)
{
	const char *at;
	struct buf names;

	*s = (struct schema){
		.rows = m->window,
		.feature_count = m->feature_count,
		.time_count = m->time_count,
		.target_count = m->target_count,
		.input_count = m->input_count,
		.interval_us = (int64_t)llround(m->interval_s * 1e6),
	};
	memcpy(s->times, m->times, sizeof(s->times));
	buf_init(&names, 2 * LIMIT_MODEL_COLUMNS * (LIMIT_MODEL_NAME_BYTES + 2));
	add_names(&names, m->inputs, m->feature_count);
	add_names(&names, m->targets, m->target_count);
	at = s->names = buf_take(&names);
	cut_names(&at, m->inputs, m->feature_count, s->features);
	cut_names(&at, m->targets, m->target_count, s->targets);
	for (size_t i = 0; i < m->feature_count; i++) {
		size_t target = find(s->targets, s->target_count, schema_name(s->features[i]));

		s->fed_by[i] = target < s->target_count ? target : FED_BY_NONE;
	}
}

void schema_fini(struct schema *s)
{
	mem_free(s->names);
	s->names = NULL;
}

size_t schema_find(const struct schema *s, struct str name)
{
	return find(s->features, s->feature_count, name);
}

bool schema_can_continue(const struct schema *s)
{
	for (size_t i = 0; i < s->feature_count; i++)
		if (s->fed_by[i] != FED_BY_NONE)
			return true;
	return false;
}
