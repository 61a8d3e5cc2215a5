/* SPDX-License-Identifier: MIT
 *
 * predict_body - the body of POST /predict, straight into a matrix of floats.
 *
 *   rows:     {"data": [{"timestamp": "2024-01-15T10:00:00", "features": {"down": 1.5, ...}}, ...]}
 *   columns:  {"data": {"ts": ["2024-01-15T10:00:00", ...], "down": [1.5, ...], ...}}
 *   several:  {"windows": [..., ...]}, each as data may be
 *
 * beside them, in any order, "inference_length" (rows to forecast) and, for columns, "index_col"
 * (which one is the time). Rows are as many as the model takes, oldest first; columns may be
 * longer, then their ends count. Every time is one of ISO 8601, every feature of the schema stands
 * once, in any order. Nothing unknown is passed over: a misspelt name is an error, not a missing
 * value. Allocates nothing beyond what the ask may keep. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "infer/ask.h"

/* Fills *ask, which ask_begin() has begun, with finite floats, in its schema's order. On false
 * *fault is filled and *ask is in no particular state. A body that is both not JSON and otherwise
 * wrong is not JSON. */
bool predict_body_parse(struct str body, struct ask *ask, struct ask_fault *fault);
