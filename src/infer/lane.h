/* SPDX-License-Identifier: MIT
 *
 * lane - one thread that serves HTTP and predicts what has come meanwhile, together.
 *
 * In each turn it reads whatever has arrived on its connections, predicts up to a batch of the
 * requests that wait, oldest first, and answers them. So a single request is never delayed and
 * a batch is as large as the load makes it; between two turns no more is computed than takes
 * about two milliseconds, so other requests are not kept waiting behind a long queue. A request
 * that finds the queue full, or that has waited longer than its deadline, gets a 503 with
 * Retry-After.
 *
 * lane_create() and lane_start() may fail; from lane_start() to lane_stop() the thread runs, and
 * the handlers of options.http on it. All functions but lane_predict() are the owner's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "serve/serve.h"

struct lane;
struct lstm;
struct meter;
struct model;
struct predict_schema;

struct lane_options {
	struct serve_options http; /* threads and door are set by the lane */
	const struct lane *door;   /* a lane that listens already; NULL: listen */
	const struct model *model; /* all four are lent until lane_destroy() */
	const struct lstm *lstm;
	const struct predict_schema *schema;
	struct meter *meter;
	size_t queue_max; /* at least 1 */
	/* How long a request waits for others to be predicted with it; 0: not at all. */
	uint64_t queue_delay_us;
	uint64_t deadline_us; /* of waiting in the queue */
};

/* Listens, but does not serve yet. Every shape of a batch has been computed once. */
enum err lane_create(struct lane **out, const struct lane_options *options,
		     struct err_text *text) MUST_CHECK;
uint16_t lane_port(const struct lane *l);
enum err lane_start(struct lane *l, struct err_text *text) MUST_CHECK;

/* For the handler of POST /predict, on the lane's thread: answers r now or later. */
void lane_predict(struct lane *l, struct serve_request *r);
/* For http.gone, on the lane's thread. */
void lane_forget(struct lane *l, struct serve_request *r);

/* Asks the thread to stop accepting (serve_stop_accepting()) and returns at once. */
void lane_close_door(struct lane *l);
bool lane_is_closed(const struct lane *l);
/* serve_in_flight(), serve_begun(). */
unsigned lane_in_flight(const struct lane *l);
uint64_t lane_begun(const struct lane *l);
/* Ends the thread after its turn. */
void lane_stop(struct lane *l);
/* Stops and closes every connection. */
void lane_destroy(struct lane **l);
