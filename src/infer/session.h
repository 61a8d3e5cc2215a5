/* SPDX-License-Identifier: MIT
 *
 * session - one thread's use of a model: from features as they come to predictions.
 *
 * Scales the features, runs the LSTM, applies the dense head and scales back, as model.h
 * describes. Belongs to the thread that created it. */
#pragma once

#include "base/err.h"

struct lstm;
struct model;
struct session;

/* Both are lent until session_destroy(). */
enum err session_create(struct session **out, const struct model *m, const struct lstm *l,
			struct err_text *text) MUST_CHECK;
void session_destroy(struct session **s);
/* rows: [window][feature_count]; predictions: [target_count]. ERR_BAD_INPUT: the values are
 * so large that a prediction is not finite. */
enum err session_predict(struct session *s, const float *rows, double *predictions) MUST_CHECK;
