/* SPDX-License-Identifier: MIT
 *
 * meter - what the service counts, and its page of Prometheus text.
 *
 * inference_requests_total counts every answer on the main port by path, method and status code.
 * Each label has a fixed set of values and one for everything else, so nobody can make the page
 * grow by asking for strange paths. Every function may be called from all threads; an
 * answer that meter_request() was told of stands in every page written afterwards. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct meter;

/* What became of a request for a prediction. */
enum outcome {
	OUTCOME_PREDICTED,
	OUTCOME_INVALID,	/* 400, 422: the body */
	OUTCOME_NOT_FINITE,	/* 422: the values */
	OUTCOME_QUEUE_FULL,	/* 503 */
	OUTCOME_DEADLINE,	/* 503 */
	OUTCOME_CONNECTION_LOST /* while it waited */
};

struct meter *meter_create(void);
void meter_destroy(struct meter **m);
void meter_request(struct meter *m, const char *path, const char *method, unsigned status,
		   uint64_t duration_us);
void meter_outcome(struct meter *m, enum outcome outcome);
/* So many rows have been forecast for a request. */
void meter_predicted(struct meter *m, size_t rows);
/* A folder was read again, and taken or refused. */
void meter_reload(struct meter *m, bool is_taken);
/* A request has waited so long in the queue, and a batch of so many windows has taken so long. */
void meter_wait(struct meter *m, uint64_t us);
void meter_batch(struct meter *m, size_t windows, uint64_t us);
/* A model in use. */
struct meter_model {
	const char *name, *model, *run_id;
};

/* Appends the page. */
void meter_write(struct meter *m, const struct meter_model *models, size_t model_count,
		 unsigned in_flight, struct buf *out);
