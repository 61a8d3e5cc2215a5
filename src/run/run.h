/* SPDX-License-Identifier: MIT
 *
 * run - a test run and its states by Locust's names: what the web API, the console and
 * the CSV writers see, whoever makes the load.
 *
 * The part that differs is struct run_mode (one of the five seams): `local` drives load
 * threads of this process (run/local.h), `master` drives workers (cluster/master.h).
 * Everything belongs to the control thread.
 *
 * Two sets of statistics: `stats` covers the whole test, `window` only the part from the
 * moment all users were running until stop was asked for. The window is what a
 * capacity figure may be built on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "stat/stats.h"

enum run_state {
	RUN_READY,    /* no test yet */
	RUN_SPAWNING, /* users are being started (or the number is being changed) */
	RUN_RUNNING,  /* all users wanted are running */
	RUN_CLEANUP,  /* local only: users are being stopped before a new start */
	RUN_STOPPING, /* stop was asked for, users still finish */
	RUN_STOPPED,  /* the test is over, numbers are final */
	RUN_MISSING   /* a worker that fell silent; never the state of a run */
};

/* Locust's word for it. */
const char *run_state_name(enum run_state state);

/* What a test can be made of; read off the scenario, constant over the process. */
struct run_task {
	const char *name;
	double weight;
};

struct run_class {
	const char *name;
	double weight;
	uint64_t fixed_count; /* 0: by weight */
	const struct run_task *tasks;
	size_t task_count;
};

/* One start (or change while running) as POST /swarm asks for it. */
struct run_start {
	uint64_t user_count;
	double spawn_rate;   /* users/s, > 0 */
	const char *host;    /* NULL: keep */
	uint64_t run_time_s; /* 0: until stopped */
};

/* A worker as /stats/requests lists it. */
struct run_worker {
	const char *id;
	enum run_state state;
	uint64_t user_count;
	double cpu_usage;      /* percent of one CPU */
	uint64_t memory_usage; /* bytes RSS */
};

struct run_exception {
	uint64_t count;
	char *msg, *traceback;
	struct map nodes; /* node id -> (void *)1 */
};

struct run;
typedef void (*run_stopped_fn)(void *arg);

struct run_mode {
	bool is_distributed;
	/* Starts or changes; run.c has checked *start and set state, statistics and window. */
	enum err (*start)(struct run *run, const struct run_start *start, struct err_text *text);
	/* Begins to stop; the mode calls run_set_state(RUN_STOPPED) when every user is gone
	 * and the last numbers are in. */
	void (*stop)(struct run *run);
	/* The i-th known worker; false past the last. local: always false. */
	bool (*worker)(const struct run *run, size_t i, struct run_worker *out);
	size_t (*worker_count)(const struct run *run); /* ready + spawning + running */
};

struct run_options {
	const struct run_class *classes;
	size_t class_count;
	const char *host; /* from -H or the scenario; may be NULL */
	double stop_timeout_s;
	bool want_reset_stats;	   /* --reset-stats: zero `stats` when all users are spawned */
	const char *scenario_name; /* file name shown to people */
};

#define RUN_STOP_WAITERS 64

struct run {
	const struct run_mode *mode;
	struct run_options options;
	char *host; /* present target base URL or NULL */
	enum run_state state;
	double stop_timeout_s;
	struct stats stats, window;
	double window_start_wall_s;		 /* 0: the window has not begun */
	uint64_t window_start_us, window_end_us; /* end 0: still open */
	uint64_t started_us;
	struct run_start wanted;   /* host is run->host */
	uint64_t *users_per_class; /* running now, as reported */
	struct map exceptions;	   /* traceback -> struct run_exception */
	uint64_t generation; /* changes with every state change, start and reset; for caches */
	struct {
		run_stopped_fn fn;
		void *arg;
	} stop_waiters[RUN_STOP_WAITERS];
	size_t stop_waiter_count;
};

/* For the modes: they embed struct run as their first member. options' pointers are lent
 * for the life of the run. */
void run_init(struct run *run, const struct run_mode *mode, const struct run_options *options);
void run_fini(struct run *run);

/* POST /swarm. Checks the numbers, clears the statistics when no test is running, sets
 * RUN_SPAWNING and calls the mode. ERR_BAD_INPUT names the field. */
enum err run_start(struct run *run, const struct run_start *start,
		   struct err_text *text) MUST_CHECK;
/* Asks for the stop; fn (may be NULL) is called once the run is RUN_STOPPED or RUN_READY, at once
 * when it is already. ERR_BUSY when RUN_STOP_WAITERS are waiting; then fn is never called. */
enum err run_stop(struct run *run, run_stopped_fn fn, void *arg) MUST_CHECK;
/* GET /stats/reset: zeroes stats and exceptions; an open window begins anew. */
void run_reset_stats(struct run *run);
/* Time passes: ends the run when run_time_s is over. Call at least once a second. */
void run_tick(struct run *run, uint64_t now_us);

uint64_t run_user_count(const struct run *run);
/* Length of the measured window so far, seconds. 0 before it began. */
double run_window_s(const struct run *run, uint64_t now_us);

/* Called by the modes. The only place where state changes: checks the edge, opens the
 * window on RUN_RUNNING, closes it on RUN_STOPPING, answers waiters on RUN_STOPPED. */
void run_set_state(struct run *run, enum run_state state);
/* Adds a report to stats, and to the window too if that is open and the report was not made
 * while draining (after stop was asked for). */
void run_add_stats(struct run *run, const struct stats *delta, bool is_draining);
void run_add_exception(struct run *run, struct str node, struct str msg, struct str traceback,
		       uint64_t times);
