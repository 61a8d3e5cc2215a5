/* SPDX-License-Identifier: MIT
 *
 * lstm - the recurrent layers of a model on oneDNN, one window at a time.
 *
 * A struct lstm holds the compiled layers and their packed weights; it does not change and
 * all threads share it. A struct lstm_run owns every float that changes; it belongs to the
 * thread that created it, and that thread uses one core: creating either object sets the
 * calling thread's number of OpenMP threads to 1. */
#pragma once

#include "base/err.h"

struct lstm;
struct lstm_run;
struct model;

/* The model is lent until lstm_destroy(). ERR_UNSUPPORTED: oneDNN refuses. */
enum err lstm_create(struct lstm **out, const struct model *m, struct err_text *text) MUST_CHECK;
void lstm_destroy(struct lstm **l);

/* The lstm is lent until lstm_run_destroy(). */
enum err lstm_run_create(struct lstm_run **out, const struct lstm *l,
			 struct err_text *text) MUST_CHECK;
void lstm_run_destroy(struct lstm_run **r);
/* Where the scaled features go: [window][feature_count], oldest row first. */
float *lstm_run_input(struct lstm_run *r);
/* Starts from a zero state and gives the last layer's output after the last row: [hidden],
 * valid until the next call. NULL: oneDNN failed. */
const float *lstm_run_step(struct lstm_run *r);
