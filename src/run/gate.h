/* SPDX-License-Identifier: MIT
 *
 * gate - --fail-if: bounds under which a test has failed.
 *
 * base/bound.h says how they are written. Times are service times in full resolution, those of
 * failures too, as in /stats/window.
 *
 * At the end of a test every gate is judged over the window (run.h), or over the whole test when
 * the users were never all running; one of which nothing was measured has failed. While the test
 * runs gates_watch() judges the last seconds alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bound.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "run/run.h"

/* Copies of what a gate looks at, as far apart as makes the oldest one as old as the span. */
#define GATE_COPIES 10

struct gate {
	struct bound bound;
	/* The verdict. */
	bool is_known; /* there was something to measure */
	bool has_failed;
	double value;
	uint64_t stopped_us; /* when the test began that gates_watch() failed by it; 0: none */
};

struct gates {
	struct gate items[LIMIT_GATES];
	size_t count;
	bool is_judged, was_whole_test;
	double seconds; /* that were judged */
	/* Of gates_watch(): a ring for each gate, NULL before. Only `total` of a copy is used. */
	struct stats (*copies)[GATE_COPIES];
	size_t next, used;
	uint64_t due_us, window_us; /* the next copies; the window they are of */
};

/* *text is lent for the gate's life. ERR_BAD_INPUT: what is wrong with it and how it should be. */
enum err gate_parse(const char *text, struct gate *out, struct err_text *why) MUST_CHECK;

void gates_init(struct gates *g);
void gates_fini(struct gates *g);
/* Judges all, once the run is stopped. True: none has failed. */
bool gates_judge(struct gates *g, const struct run *run);
/* Call several times a second while a test runs. The gate that has failed over the last span_s
 * seconds, with its value, which has failed this test then whatever comes; NULL: none, or the
 * window is not that long yet. */
const struct gate *gates_watch(struct gates *g, const struct run *run, uint64_t span_s);
/* One of them is about the failures of all requests: then these do not make a failed test by
 * themselves. */
bool gates_judge_failures(const struct gates *g);
/* "312.4 ms", "1.25 %", "nothing was measured". */
void gate_add_value(const struct gate *gate, struct buf *out);
/* A line for each, after gates_judge(). */
void gates_print(const struct gates *g, struct buf *out);
