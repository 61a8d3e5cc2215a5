/* SPDX-License-Identifier: MIT
 *
 * ask - one request for predictions: the windows it brought, how far each is, what was predicted.
 *
 * A reader (predict_body, mlflow, kserve) fills it for a schema, a session computes it window by
 * window and step by step, a writer of the same door makes the answer of it. It keeps its memory
 * from one request to the next, up to a size, so for most requests nothing is allocated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "infer/moment.h"
#include "infer/schema.h"

/* What is wrong with a request. The text begins with the place: "data[3].features.mcs_down:
 * missing". */
struct ask_fault {
	unsigned status; /* 400: not JSON; 422: JSON, but not what is asked for */
	char text[256];
};

struct ask_window {
	struct moment last; /* of the last row, if the request has times */
	int64_t step_us;    /* from one row to the next */
};

/* How the answer is to look; each door knows its own. */
enum ask_form { ASK_ROWS, ASK_COLUMNS, ASK_WINDOWS, ASK_RECORDS, ASK_TENSOR };

struct ask {
	const struct schema *schema;
	enum ask_form form;
	size_t window_count;
	size_t steps; /* rows that are predicted of each window, one after the other */
	bool has_steps, has_times;
	/* The column of times, as the request calls it. */
	char index_name[16];
	float *rows;		    /* [window_count][schema rows][input_count] */
	struct ask_window *windows; /* [window_count] */
	double *predictions;	    /* [window_count][steps][target_count] */
	size_t rows_cap, windows_cap, predictions_cap; /* bytes */
	/* For what a door has to say again in its answer; NULL if nothing. mem_free()d with it. */
	char *echo;
};

void ask_init(struct ask *a);
void ask_fini(struct ask *a);
/* Begins a new request, which has no windows and one step. */
void ask_begin(struct ask *a, const struct schema *schema);

/* As text, a whole number from 1 to LIMIT_PREDICT_STEPS. */
bool ask_set_steps(struct ask *a, const char *text, struct ask_fault *fault);

/* Room for the rows of one window more, [schema rows][input_count] in no particular state. Earlier
 * results move. NULL: there are LIMIT_PREDICT_WINDOWS already. */
float *ask_add_window(struct ask *a);
float *ask_rows(struct ask *a, size_t window);
double *ask_predictions(const struct ask *a, size_t window, size_t step);
/* "ts", "time" or "timestamp", what the column of times may be called; NULL: it is none of them. */
const char *ask_index_name(struct str name);
/* Of the newest window: its last time and the one before it, which may be NULL. */
void ask_set_times(struct ask *a, const struct moment *previous, const struct moment *last);

/* All is read: checks the steps and makes room for the predictions. False: the fault says why. */
bool ask_is_complete(struct ask *a, struct ask_fault *fault);
/* Of memory that it keeps. */
size_t ask_bytes(const struct ask *a);
/* The prediction of `step` is there: makes it the last row, for the next. */
void ask_advance(struct ask *a, size_t window, size_t step);
/* When the row predicted at this step is. */
struct moment ask_moment(const struct ask *a, size_t window, size_t step);

/* Fills *fault and returns false. */
bool ask_refuse(struct ask_fault *fault, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
