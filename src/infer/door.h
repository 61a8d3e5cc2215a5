/* SPDX-License-Identifier: MIT
 *
 * door - a way to ask for predictions: how its body is read and how its answer is written.
 *
 * Behind every door is the same ask; a door knows one format and nothing of queues or models. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "infer/ask.h"

struct engine;

/* What an answer says beside the predictions. */
struct door_reply {
	const struct engine *engine;
	const struct ask *ask;
	const char *identifier; /* the model as the request called it */
	const char *now;	/* UTC */
	uint32_t id;		/* of this answer */
};

struct door {
	/* *ask has been begun. On false *fault is filled. */
	bool (*read)(struct str body, struct ask *ask, struct ask_fault *fault);
	/* As JSON; every prediction is finite. */
	void (*write)(const struct door_reply *reply, struct buf *out);
};

extern const struct door door_predict; /* predict.c: POST /predict */
extern const struct door door_mlflow;  /* mlflow.c: POST /invocations */
extern const struct door door_kserve;  /* kserve.c: POST /v2/models/{model}/infer */

/* [1.5, 2] */
void door_write_numbers(const double *values, size_t count, struct buf *out);
/* Of one window: the numbers of each step, [[..], [..]] if the request said how many steps it
 * wants, else those of the only step. */
void door_write_window(const struct ask *a, size_t window, struct buf *out);
/* Of one step: {"ts": "2024-01-15T10:00:30", "down": 1.5, ..}, the time if the request had any. */
void door_write_record(const struct ask *a, size_t window, size_t step, struct buf *out);
