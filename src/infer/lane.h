/* SPDX-License-Identifier: MIT
 *
 * lane - one thread that serves HTTP and predicts what has come meanwhile, together.
 *
 * In each turn it reads whatever has arrived on its connections and predicts, model by model, up to
 * a batch of the requests that wait (line.h). So a single request is never delayed and
 * a batch is as large as the load makes it; between two turns no more is computed than takes
 * about two milliseconds, or twice as long as the last turn took, so other requests are not kept
 * waiting behind a long queue, and those that come do not take the time of those that wait. A
 * request that finds the queue full, or that has waited longer than its deadline, gets a 503 with
 * Retry-After.
 *
 * lane_create() and lane_start() may fail; from lane_start() to lane_stop() the thread runs, and
 * the handlers of options.http on it. All functions but lane_predict() are the owner's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "infer/line.h"
#include "serve/serve.h"

struct door;
struct lane;
struct seat;

struct lane_options {
	struct serve_options http; /* threads and door are set by the lane */
	const struct lane *door;   /* a lane that listens already; NULL: listen */
	/* One for each model, lent until left (struct seat) or lane_destroy(). The array is lent
	 * for the call. */
	struct seat *const *seats;
	size_t model_count;	  /* at most LIMIT_MODELS */
	struct line_options line; /* of each model */
};

/* Listens, but does not serve yet. */
enum err lane_create(struct lane **out, const struct lane_options *options,
		     struct err_text *text) MUST_CHECK;
uint16_t lane_port(const struct lane *l);
enum err lane_start(struct lane *l, struct err_text *text) MUST_CHECK;

/* For handlers, on the lane's thread: answers r now or later. identifier as in line_add(). */
void lane_predict(struct lane *l, size_t model, struct serve_request *r, const struct door *door,
		  const char *identifier);
/* For http.gone, on the lane's thread. */
void lane_forget(struct lane *l, struct serve_request *r);

/* Gives the thread another seat at this model and returns at once; the thread leaves the old one
 * when it can. Not before the one before that is left. */
void lane_exchange(struct lane *l, size_t model, struct seat *seat);

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
