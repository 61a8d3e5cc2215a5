/* SPDX-License-Identifier: MIT
 *
 * session - one thread's use of a model: from inputs as they come to predictions.
 *
 * Scales the inputs, runs the LSTM, applies the dense head and scales back, as model.h
 * describes, for up to session_batch_max() windows at once:
 *
 *	session_put(s, 0, rows);
 *	session_put(s, 1, other_rows);
 *	session_run(s, 2);
 *	use(session_predictions(s, 0), session_predictions(s, 1));
 *
 * Used by one thread at a time. */
#pragma once

#include <stddef.h>

struct lstm;
struct model;
struct session;

/* Both are lent until session_destroy(). */
struct session *session_create(const struct model *m, const struct lstm *l);
void session_destroy(struct session **s);
size_t session_batch_max(const struct session *s);
/* Window i of the coming run: [window][input_count], lent until it is over. */
void session_put(struct session *s, size_t i, const float *rows);
/* Predicts the first count windows. */
void session_run(struct session *s, size_t count);
/* Of window i: [target_count], valid until the next run. NULL: its values are so large that a
 * prediction is not finite. */
const double *session_predictions(const struct session *s, size_t i);
