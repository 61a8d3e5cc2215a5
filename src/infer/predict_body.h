/* SPDX-License-Identifier: MIT
 *
 * predict_body - the body of POST /predict, straight into a matrix of floats.
 *
 *   {"data": [{"timestamp": "2024-01-15T10:00:00", "features": {"down": 1234.56, ...}}, ...]}
 *
 * Exactly `rows` rows, oldest first; in each a timestamp (ISO 8601, loosely checked, not used)
 * and every feature of the schema once, in any order. Nothing unknown is passed over: a
 * misspelt name is an error, not a missing value. Allocates nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct predict_schema {
	size_t rows, feature_count;
	/* Each with its quotes, as it usually stands in a body: printable ASCII without
	 * quote and backslash inside. Lent. */
	struct str quoted[LIMIT_MODEL_COLUMNS];
};

/* What is wrong. The text begins with the place: "data[3].features.mcs_down: missing". */
struct predict_fault {
	unsigned status; /* 400: not JSON; 422: JSON, but not what is asked for */
	char text[256];
};

/* Writes rows * feature_count finite floats to out, in the schema's order, row by row. On
 * false *fault is filled and out is in no particular state. A body that is both not JSON
 * and otherwise wrong is not JSON. */
bool predict_body_parse(const struct predict_schema *schema, struct str body, float *out,
			struct predict_fault *fault);
