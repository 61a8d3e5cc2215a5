/* SPDX-License-Identifier: MIT
 *
 * master - the master's side of Locust's protocol as a pure state machine, and by it the
 * run_mode that spreads a test over workers.
 *
 * No I/O and no clock: time comes in as a parameter, frames go out through `send`.
 * cluster_master.h joins it to ZeroMQ and the loop; tests join it to a simulator. Belongs to
 * one thread.
 *
 * A test as it is seen from here: run_start() begins a ramp (user/dispatch.h), of which every
 * step sends `spawn` with absolute counts to every worker. The run is RUN_RUNNING when the
 * ramp is over and every worker has reported the last counts; one that does not is asked again
 * after 5 s and passed over after 10 s (a warning names it). run_stop() sends `stop`; the run
 * is RUN_STOPPED when every worker has delivered its last statistics, or is gone, or
 * stop_timeout_s + 5 s are over (a warning names it). Then the numbers stand still.
 *
 * The measured window is exact with workers of ours: they collect when they hear that all are
 * running, and again on `stop`, and mark each report (enum msg_phase). Locust's workers report
 * every 3 s without a mark, so the window is exact to that. Real ones are waited for until
 * the report that follows client_stopped, at most 3 s: the totals are exact for them too.
 *
 * Reports of our workers are numbered and answered for, so that each is counted once, by whichever
 * port it comes. Their `ack` names the second port, where they are to send them; a worker that does
 * not reach it sends them by the first one, and the run counts it (run.h: workers_on_one_port).
 *
 * Workers may come and go at any time. One that joins or leaves a running test makes the
 * users be spread anew over those present: the run is RUN_SPAWNING again, and the window begins
 * anew with RUN_RUNNING. The last one that leaves ends the test. A worker is `missing` 4 to 5 s
 * after its last heartbeat, forgotten a minute later, and taken back whenever it is heard of
 * again. A worker that is heard of but unknown (this master was started anew under it) is sent
 * `stop`, which makes it introduce itself. A second connection with the same id takes its place.
 *
 * Nothing a worker sends can stop the master: frames that are no messages are counted and
 * dropped, statistics of a worker that has not begun the present test are ignored. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "run/run.h"

struct cluster_listener;
struct msg_file;
struct opt_texts;

struct master_options {
	const struct run_options *run; /* its pointers are lent for the master's life */
	unsigned bulk_port;	       /* the second one; 0: there is none */
	/* Lent; given to workers that ask. is_native: it is C, which Locust's cannot run. */
	const struct msg_file *files;
	size_t file_count;
	bool is_native;
	double wall_offset_s;	 /* unix seconds = wall_offset_s + now_us / 1e6 */
	uint64_t expect_workers; /* for workers to know; 0: not said */
	/* For Locust's workers, which make their own choice of tasks by them. Lent; may be NULL. */
	const struct opt_texts *tags, *exclude_tags;
	/* Hands one frame to a worker. False when it cannot be queued now; what matters is
	 * then sent again by a later tick. */
	bool (*send)(void *arg, const char *worker_id, struct str frame);
	/* master_due_us() has become earlier outside of a tick or a frame: by run_start(),
	 * run_stop(). The time is taken from the tick that follows. */
	void (*due_changed)(void *arg);
	/* After master_quit(), once: every worker has said goodbye, or 1 s is over. */
	void (*ended)(void *arg);
	void *arg;
	const struct cluster_listener *listener; /* lent for the master's life; NULL: nobody */
};

struct master;

struct master *master_create(const struct master_options *options, uint64_t now_us);
void master_destroy(struct master **m);

/* The run this master drives: what run.h offers works on it. Lives as long as the master. */
struct run *master_run(struct master *m);

/* Time passes: steps of the ramp, silent workers, deadlines. Call at master_due_us() or later. */
void master_tick(struct master *m, uint64_t now_us);
uint64_t master_due_us(const struct master *m);
/* A frame of the worker with this ZeroMQ identity. Any bytes are allowed in both. */
void master_on_frame(struct master *m, struct str worker_id, struct str frame, uint64_t now_us);

/* The same by the second port, which takes nothing but numbered reports. */
void master_on_bulk_frame(struct master *m, struct str worker_id, struct str frame,
			  uint64_t now_us);

/* Answers on_start of the listener, each one, in order: the test that it was told of last may
 * begin. Without this it begins after LIMIT_TEST_START_S. */
void master_release(struct master *m);
/* Options of a locustfile's own for the workers, from the next `spawn` on, which is sent at once
 * where a test runs: copied. */
void master_set_options(struct master *m, struct str pairs, size_t count);
/* A message that is none of Locust's, to one worker or (NULL) to all that take part; data is
 * msgpack. How many it could not be queued for, or that worker is unknown. */
size_t master_send_custom(struct master *m, const char *worker_id, struct str type,
			  struct str data) MUST_CHECK;

/* This worker may not take part any more: it is told to quit, and its users go to the others. */
void master_cast_out(struct master *m, struct str worker_id, uint64_t now_us);

/* Tells every worker to quit, see `ended`. Stop the run first: what workers count from here on
 * is not added. */
void master_quit(struct master *m, uint64_t now_us);

/* Frames dropped because they were no messages of Locust's, or came from an impossible id. */
uint64_t master_bad_frames(const struct master *m);
