/* SPDX-License-Identifier: MIT
 *
 * worker - the worker's side of Locust's protocol as a pure state machine.
 *
 * No I/O and no clock: time comes in as a parameter, frames go out through `send`, users
 * are started and stopped through struct worker_load_ops. cluster_worker.h joins it to
 * ZeroMQ and the loop; tests join it to a simulator. Belongs to one thread.
 *
 * Life: client_ready (again every 5 s, for about 5 minutes) until `ack`; then a heartbeat each
 * second and statistics each second (under our master) or every 3 s (Locust's). When a master that
 * sent heartbeats sends none for 60 s the users are stopped and it begins anew with client_ready.
 *
 * Every report says in which phase its requests ended (enum msg_phase), so that the master's
 * measured window is exact: what is counted until the master's `spawning_complete` is "ramp",
 * until `stop` "test", then "drain". Each change of phase collects what was counted before it.
 *
 * Reports to our master are numbered and kept until it has answered for them (`report_ack`), so
 * that they may take its second port, where they delay no command, and still come before what is
 * said after them. Without an answer within 3 s they go by the first port, and the second is
 * tried again after 10 s. While our master drives no test there is nothing to report.
 *
 * On `spawn` the users are set and, when they are there, statistics and spawning_complete
 * follow. On `stop` the users finish; when the last statistics are on their way, so are
 * client_stopped and client_ready. A `spawn` that comes in between is left unanswered: the
 * master repeats it after client_ready. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "stat/stats.h"

struct opt_texts;

/* What the master says of a test that begins. */
struct worker_test {
	int64_t index;		 /* this worker's number there, from 0; -1: unknown */
	uint64_t expect_workers; /* how many it waits for; 0: unknown */
	const struct opt_texts *tags, *exclude_tags; /* of tasks; NULL: not said */
};

/* What makes the load. Commands take effect in the order given: what a collect() reports was
 * counted before a set_users() that is called after it. None of them may call back into the
 * worker before it has returned. */
struct worker_load_ops {
	/* Wants counts[i] users of class i running (absolute; index as in worker_options.classes).
	 * Surplus users are stopped: a waiting one at once, one inside a task when the task
	 * ends, at the latest after stop_timeout_s. host: base URL, NULL keeps the present
	 * one; lent for the call. Answered by one worker_on_settled() when the counts are
	 * reached, unless another set_users() comes first. */
	void (*set_users)(void *load, const uint64_t *counts, const char *host,
			  double stop_timeout_s);
	/* A new test: before its first set_users(). Lent for the call. */
	void (*begin_test)(void *load, const struct worker_test *test);
	/* Users of the class draw only tasks of these names from now on; lent for the call. */
	void (*set_tasks)(void *load, size_t class_index, const struct str *names, size_t count);
	/* The base URL of one class, until set_users() has one for all; lent for the call. */
	void (*set_host)(void *load, size_t class_index, const char *host);
	/* Asks for what was counted since the last collect(). Answered by exactly one
	 * worker_on_delta(), in order. */
	void (*collect)(void *load);
};

struct cluster_listener;
struct msg_pairs;

struct worker_options {
	const char *id;		    /* host_<32 hex>, copied */
	const char *const *classes; /* names of the user classes, lent for the worker's life */
	size_t class_count;
	bool waits_for_usual; /* worker_set_usual() will be called once a master has taken it */
	const struct worker_load_ops *ops;
	void *load;
	/* Hands one frame to the master. False when it cannot be queued now; the worker then
	 * keeps statistics for the next report and drops the rest. */
	bool (*send)(void *arg, struct str frame);
	/* Our master's second port, for reports alone, is to be connected (again with the same
	 * port: nothing to do), and one frame handed to it. False when it is not connected. */
	void (*open_bulk)(void *arg, unsigned port);
	bool (*send_bulk)(void *arg, struct str frame);
	/* The master asked for a new connection with the same identity. */
	void (*reconnect)(void *arg);
	/* The worker is done, called once: OK when it was told to quit, else why. */
	void (*ended)(void *arg, enum err err, const struct err_text *text);
	void *arg;
	const struct cluster_listener *listener; /* lent for the worker's life; NULL: nobody */
};

struct worker;

struct worker *worker_create(const struct worker_options *options, uint64_t now_us);
void worker_destroy(struct worker **w);

/* Time passes: heartbeats, reports, retries, deadlines. Call at worker_due_us() or later. */
void worker_tick(struct worker *w, uint64_t now_us);
uint64_t worker_due_us(const struct worker *w);
/* A frame from the master. Hostile bytes are counted and dropped. */
void worker_on_frame(struct worker *w, struct str frame, uint64_t now_us);

/* Answers collect(): the statistics since the last one (lent for the call) and how many users
 * of each class run now. */
void worker_on_delta(struct worker *w, const struct stats *delta, const uint64_t *users,
		     uint64_t now_us);
/* Answers set_users(). */
void worker_on_settled(struct worker *w, uint64_t now_us);
/* A task broke with an error that is not a failed request. */
void worker_on_exception(struct worker *w, struct str msg, struct str traceback);

/* For heartbeats: percent of one CPU, bytes RSS. */
void worker_set_usage(struct worker *w, double cpu_percent, uint64_t memory_bytes);
/* For people who look at the master: the last lines of this process's log, each ended by NUL. False
 * when they were not sent: no master has been heard of that understands it, or the connection is
 * full. */
bool worker_send_logs(struct worker *w, struct str lines);
/* A message that is none of Locust's; data is msgpack. False when it cannot be queued now. */
bool worker_send_custom(struct worker *w, struct str type, struct str data) MUST_CHECK;
/* A report that counts nothing, with more keys for those who listen at the master. */
bool worker_send_extra(struct worker *w, const struct msg_pairs *extra,
		       double now_wall_s) MUST_CHECK;
/* With options.waits_for_usual: what goes with the reports to a master that is not ours from here
 * on, so that those who listen there find their keys in each; copied. Until then, and for one
 * interval at most, there is no report. */
void worker_set_usual(struct worker *w, const struct msg_pairs *usual);
/* The process shall end: stops the users, sends the last statistics and `quit`, then calls
 * ended(). Not later than the stop timeout plus 5 s. */
void worker_quit(struct worker *w, uint64_t now_us);
/* Frames that were no messages of Locust's. */
uint64_t worker_bad_frames(const struct worker *w);
