/* SPDX-License-Identifier: MIT
 *
 * line - the requests for one model on one lane: those that wait and those that are computed.
 *
 * A request is read when it comes, while its bytes are in the CPU's cache and before anybody has to
 * keep them; what waits (serve_hold()) are its numbers. In each round as many windows as fit a
 * batch are computed together: the oldest requests of the queue, and beside them the next windows
 * or steps of the requests that need more than one round. These take at most half of a batch while
 * others wait, so nobody is kept waiting behind a long forecast, and at most LIMIT_LONG_ASKS of
 * them are under way.
 *
 * A model is exchanged by giving the line another seat. Requests that have been read end at the
 * old one, the others begin at the new one.
 *
 * Everything belongs to the lane's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct door;
struct line;
struct meter;
struct seat;
struct serve_request;

struct line_options {
	struct meter *meter; /* lent until line_destroy() */
	size_t queue_max;    /* at least 1 */
	/* How long a request waits for others to be predicted with it; 0: not at all. */
	uint64_t queue_delay_us;
	uint64_t deadline_us; /* of waiting in the queue */
};

/* The seat is lent until is_left is set in it or line_destroy(). */
struct line *line_create(const struct line_options *options, struct seat *seat);
void line_destroy(struct line **l);
/* Not before the one that was exchanged last is left. */
void line_exchange(struct line *l, struct seat *seat);

/* Answers r now or later. identifier: what the request called the model; of static life. is_crowd:
 * there are more clients than may wait. Of these, when the last turns have brought too many, no
 * more than two batches are kept waiting. */
void line_add(struct line *l, struct serve_request *r, const struct door *door,
	      const char *identifier, bool is_crowd);
/* All requests of a turn of the server are here. */
void line_end_turn(struct line *l);
/* r is not to be answered any more. */
void line_forget(struct line *l, struct serve_request *r);

bool line_has_work(const struct line *l);
/* How long the line's work may still wait for more. */
uint64_t line_delay_us(const struct line *l);
/* Computes one batch and answers what is complete. */
void line_run(struct line *l);
