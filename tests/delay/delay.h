/* SPDX-License-Identifier: MIT
 *
 * delay - an HTTP/1.1 server whose truth is known: it answers after delays of a given
 * distribution, misbehaves in given shares, and keeps a record of every request.
 *
 * The oracle of the accuracy tests. It shares only clock, rng and memory with the engine it
 * judges; its record is a list, not a histogram. One thread, keep-alive, requests without a body
 * and not pipelined. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Time from the request read to the reply written; the record has what it was from packet to packet
 * (stamp.h), which is longer by what the server took to wake. */
enum delay_kind {
	DELAY_FIXED,	   /* a_us */
	DELAY_UNIFORM,	   /* a_us to b_us */
	DELAY_EXPONENTIAL, /* mean a_us */
	DELAY_BIMODAL	   /* b_us for this share, else a_us */
};

/* What becomes of a request whose head was read. */
enum delay_fate {
	FATE_ANSWER,
	FATE_ANSWER_CLOSE, /* with Connection: close */
	FATE_IDLE_RESET,   /* answered, and some time later the idle connection is reset */
	FATE_RESET,	   /* instead of an answer */
	FATE_CLOSE,	   /* likewise, but orderly */
	FATE_NEVER,	   /* no answer, until the client leaves */
	FATE_PARTIAL,	   /* half an answer, then the end */
	FATE_COUNT
};

/* Of one request: those that ask for /<id>. */
struct delay_note {
	unsigned reads;	      /* of its head: 2 when the client has sent it again */
	enum delay_fate fate; /* of the last one */
	enum delay_fate first_fate;
};

struct delay_options {
	enum delay_kind kind;
	double a_us, b_us, share;
	bool one_at_a_time;		/* the next request is begun when the last is answered */
	uint64_t stall_at_us, stall_us; /* nothing at all is done, once, so long after the start */
	double fates[FATE_COUNT];	/* shares; what is missing to 1 is FATE_ANSWER */
	double refuse_share;		/* of requests after which nobody can connect for 2 ms */
	uint64_t seed;
	size_t id_count; /* of notes to keep */
};

struct delay_server;

struct delay_server *delay_create(const struct delay_options *options);
void delay_destroy(struct delay_server **s);
uint16_t delay_port(const struct delay_server *s);
/* Serves until delay_stop(), which any thread and a signal handler may call; then reads what has
 * been sent already and returns. */
void delay_run(struct delay_server *s);
void delay_stop(struct delay_server *s);
/* After delay_run(): */
uint64_t delay_heads(const struct delay_server *s);
const struct delay_note *delay_notes(const struct delay_server *s);
/* Microseconds of every answer, in order of writing. */
const uint32_t *delay_times(const struct delay_server *s, size_t *count);
