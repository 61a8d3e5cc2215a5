/* SPDX-License-Identifier: MIT
 *
 * schema - what a request for a model must hold, and what its answer is made of: the names and
 * numbers of the model in the form in which bodies are read and written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"
#include "infer/moment.h"

struct model;

#define FED_BY_NONE SIZE_MAX

struct schema {
	size_t rows; /* of a window */
	size_t feature_count, time_count, target_count;
	size_t input_count; /* of a row: the features and two for each time */
	/* Each with its quotes, as it usually stands in a body: printable ASCII without
	 * quote and backslash inside. */
	struct str features[LIMIT_MODEL_COLUMNS], targets[LIMIT_MODEL_COLUMNS];
	enum moment_part times[LIMIT_MODEL_COLUMNS];
	/* The target of the same name, whose prediction is the feature of the row that follows. */
	size_t fed_by[LIMIT_MODEL_COLUMNS];
	int64_t interval_us; /* between rows, where these do not tell */
	char *names;	     /* what the texts are slices of */
};

void schema_init(struct schema *s, const struct model *m);
void schema_fini(struct schema *s);

/* Without its quotes. */
static inline struct str schema_name(struct str quoted)
{
	return (struct str){ quoted.p + 1, quoted.len - 2 };
}
/* The feature of this name; feature_count: there is none. */
size_t schema_find(const struct schema *s, struct str name);
/* Is the next row known, as far as the model can know it, when it has predicted? */
bool schema_can_continue(const struct schema *s);
