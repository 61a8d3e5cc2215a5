/* SPDX-License-Identifier: MIT
 *
 * run - a test run and its states by Locust's names: what the web API, the console and
 * the CSV writers see, whoever makes the load.
 *
 * The part that differs is struct run_mode (one of the five seams): `local` drives load
 * threads of this process (run/local.h), `master` drives workers (cluster/master.h).
 * Everything belongs to the control thread.
 *
 * Time: the run keeps what run_tick() told it last. Whoever calls into a run - the mode on
 * each event, the web API on each request - ticks first, and at least once a second.
 *
 * Two sets of statistics: `stats` covers the whole test, `window` only the part from the
 * moment all users were running until stop was asked for. The window is what a
 * capacity figure may be built on. A change of the number of users begins it anew, but not in a
 * test that follows a shape: there the changes are the test. Both say in `health` whether the load
 * generator was the limit (stat/health.h); the first time it is so for some seconds a warning is
 * logged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/map.h"
#include "run/history.h"
#include "run/parts.h"
#include "run/recent.h"
#include "run/series.h"
#include "stat/stats.h"
#include "user/picker.h"

enum run_state {
	RUN_READY,    /* no test yet */
	RUN_SPAWNING, /* users are being started (or the number is being changed) */
	RUN_RUNNING,  /* all users wanted are running */
	RUN_STOPPING, /* stop was asked for, users still finish */
	RUN_STOPPED,  /* the test is over, numbers are final */
	RUN_MISSING   /* a worker that fell silent; never the state of a run */
};

/* Locust's word for it. */
const char *run_state_name(enum run_state state);

/* What a test can be made of; read off the scenario, constant over the process. The shares are only
 * what a run begins with. */
struct run_task {
	const char *name;
	double weight;
	const char *tags; /* words; NULL: none */
};

/* When a user class sends: what its response times can mean. */
enum run_model {
	RUN_CLOSED, /* after the last answer and a wait: a slow target slows the load down */
	RUN_PACED,  /* at moments of its own, but one after the other */
	RUN_OPEN,   /* at moments that do not depend on the target at all */
	RUN_MODELS
};

struct run_class {
	const char *name;
	double weight;
	uint64_t fixed_count; /* 0: by weight */
	const char *host;     /* NULL: none of its own */
	const struct run_task *tasks;
	size_t task_count;
	enum run_model model;
};

/* What of a class may change between and during tests. */
struct run_share {
	double weight;
	uint64_t fixed_count;
	const bool *draws; /* of each task, whether users draw it; NULL: all of them */
	const char *host;  /* given to this class alone, after that of the test; NULL: none was */
};

/* Some of a run's classes, by index; none of them stands for all. */
struct run_classes {
	uint64_t words[(LIMIT_USER_CLASSES + 63) / 64];
};

static inline void run_classes_add(struct run_classes *c, size_t class_index)
{
	c->words[class_index / 64] |= (uint64_t)1 << (class_index % 64);
}

static inline void run_classes_remove(struct run_classes *c, size_t class_index)
{
	c->words[class_index / 64] &= ~((uint64_t)1 << (class_index % 64));
}

/* One start (or change while running) as POST /swarm asks for it. */
struct run_start {
	uint64_t user_count;
	double spawn_rate;   /* users/s, > 0; more than LIMIT_USERS is as good as that */
	const char *host;    /* of all classes; NULL and "": they keep theirs */
	uint64_t run_time_s; /* 0: until stopped, or when changing: keep; else from this start on */
	bool is_shaped;	     /* by follow.h: the window stays open */
	/* That users are made of from here on; those of others stay until they are too many. */
	struct run_classes classes;
};

/* A worker as /stats/requests lists it. */
struct run_worker {
	const char *id;
	size_t index;
	const char *version; /* of Locust, as it introduced itself; NULL: it did not say */
	const char *cicada;  /* of Cicada; NULL: it is none of ours, or has not said yet */
	enum run_state state;
	uint64_t user_count;
	double cpu_usage;      /* percent of one CPU */
	uint64_t memory_usage; /* bytes RSS */
	double lag_p99_ms;     /* of its last report (stat/health.h); NAN: it does not say */
	struct str logs;       /* the last lines it logged, each ended by NUL */
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
	/* Starts or changes; run.c has checked *start and set state, statistics and window. An
	 * error undoes the state only. */
	enum err (*start)(struct run *run, const struct run_start *start, struct err_text *text);
	/* Begins to stop; the mode calls run_set_state(RUN_STOPPED) when every user is gone
	 * and the last numbers are in. */
	void (*stop)(struct run *run);
	/* The i-th known worker; false past the last. local: always false. */
	bool (*worker)(const struct run *run, size_t i, struct run_worker *out);
	size_t (*worker_count)(const struct run *run); /* ready + spawning + running */
	/* run_set_share() has changed the class. NULL: there is nobody to tell. */
	void (*change_class)(struct run *run, size_t class_index);
};

struct run_options {
	const struct run_class *classes;
	size_t class_count;
	const char *host; /* from -H or the scenario; may be NULL */
	/* Whether users can ask it; says what is wrong. NULL: all can be. */
	enum err (*check_host)(const char *host, struct err_text *text);
	double stop_timeout_s;
	bool want_reset_stats;	   /* --reset-stats: zero `stats` when all users are spawned */
	const char *scenario_name; /* file name shown to people */
	const char *profile;	   /* what people call the test; NULL: nothing */
	enum picker_order order;   /* in which users of the classes are made */
};

#define RUN_STOP_WAITERS   64
#define RUN_SPAWN_RATE_MIN 1e-6 /* users/s */
#define RUN_WEIGHT_MAX	   1e9
#define RUN_TIME_MAX_S	   (100ull * 365 * 86400)

struct run_stop_waiter {
	run_stopped_fn fn;
	void *arg;
};

struct run {
	const struct run_mode *mode;
	struct run_options options;
	char *host;    /* present target base URL or NULL */
	char *profile; /* as in run_options, until a start says otherwise; NULL: none */
	enum run_state state;
	double stop_timeout_s;
	struct stats stats, window;
	uint64_t now_us;	    /* as last told */
	double wall_offset_s;	    /* unix seconds = wall_offset_s + now_us / 1e6 */
	bool has_window;	    /* all users have been running since the last start or change,
				     * or, following a shape, were running once */
	bool is_window_open;	    /* and stop was not asked for yet */
	double window_start_wall_s; /* of these, only meaningful with a window */
	uint64_t window_start_us, window_end_us; /* end: once it is closed */
	uint64_t window_counted_us;		 /* when the newest of its statistics came */
	uint64_t started_us;			 /* of the last start; a change leaves it */
	uint64_t ends_us;			 /* when run_time_s is over; UINT64_MAX: never */
	struct run_start wanted;		 /* host is run->host */
	uint64_t connections_open;	/* to the target, as reported; one of a worker that was lost
					 * counts until the next test */
	size_t workers_on_one_port;	/* whose statistics come more rarely: they do not reach
					 * the master's second port */
	bool has_warned;		/* in this test, that the generator is the limit */
	bool has_warned_dropped;	/* that arrivals were dropped */
	uint64_t *users_per_class;	/* running now, as reported */
	uint64_t *last_users_per_class; /* when the stop was asked for */
	struct run_share *shares;	/* per class, for modes to use in start */
	bool *has_new_share;		/* per class: it is not what the scenario says */
	struct run_classes untagged;	/* the tags of a start have left them no task */
	struct map exceptions;		/* traceback -> struct run_exception */
	struct recent recent;
	struct history history;
	struct series series; /* of the window */
	struct parts parts;   /* the same */
	uint64_t epoch;	      /* changes when stats are cleared or reset */
	uint64_t generation;  /* changes with every state change, start and reset; for caches */
	struct run_stop_waiter stop_waiters[RUN_STOP_WAITERS];
	size_t stop_waiter_count;
};

/* For the modes: they embed struct run as their first member. options' pointers are lent
 * for the life of the run. wall_offset_s: see struct run. */
void run_init(struct run *run, const struct run_mode *mode, const struct run_options *options,
	      double wall_offset_s, uint64_t now_us);
void run_fini(struct run *run);

/* POST /swarm. Checks the numbers, clears the statistics when no test is running, sets
 * RUN_SPAWNING and calls the mode. ERR_BAD_INPUT names the field, ERR_UNREACHABLE: a distributed
 * run without workers (then nothing is changed), ERR_STATE: the last test is still stopping. */
enum err run_start(struct run *run, const struct run_start *start,
		   struct err_text *text) MUST_CHECK;
/* Whether it would be refused now, and why. */
enum err run_check_start(const struct run *run, const struct run_start *start,
			 struct err_text *text) MUST_CHECK;
/* Whether a test can be called that. ERR_TOO_BIG: LIMIT_PROFILE_BYTES. */
enum err run_check_profile(const char *name, struct err_text *text) MUST_CHECK;
/* What it is called from now on; NULL and "": nothing. */
void run_set_profile(struct run *run, const char *name);
/* Asks for the stop; fn (may be NULL) is called once the run is RUN_STOPPED or RUN_READY, at once
 * when it is already. ERR_BUSY when RUN_STOP_WAITERS are waiting; then fn is never called, but
 * the run does stop. */
enum err run_stop(struct run *run, run_stopped_fn fn, void *arg) MUST_CHECK;
/* Takes back every wait with this fn and arg. */
void run_stop_forget(struct run *run, run_stopped_fn fn, void *arg);
/* POST /user: the share of a class (copied). Its users get another host and other tasks at once,
 * their number follows from the next start or change on. ERR_BAD_INPUT names the field; somebody
 * must be left to make, and a task to draw. */
enum err run_set_share(struct run *run, size_t class_index, const struct run_share *share,
		       struct err_text *text) MUST_CHECK;
/* What modes shall make of the class now: its share, or none when run->wanted is without it. */
struct run_share run_share_now(const struct run *run, size_t class_index);
/* A class has a host that is not the test's. */
bool run_has_class_hosts(const struct run *run);
/* The base URL that users of the class ask; NULL: none. */
const char *run_class_host(const struct run *run, size_t class_index);
/* GET /stats/reset: zeroes stats and exceptions; an open window begins anew, a closed one is
 * forgotten. */
void run_reset_stats(struct run *run);
/* Time passes: see the head; ends the run when run_time_s is over. */
void run_tick(struct run *run, uint64_t now_us);

/* A test is being started, made or stopped. */
bool run_is_busy(const struct run *run);
uint64_t run_user_count(const struct run *run);
/* "closed", "paced", "open", or several with a plus, by the scenario's classes; NULL without. */
const char *run_model_name(const struct run *run);
/* Logs "All users spawned: {"A": 1, "B": 2} (3 total users)", as Locust words it. */
void run_log_spawned(const struct run *run);
/* Unix seconds of now. */
double run_wall_s(const struct run *run);
/* Length of the measured window so far, seconds. 0 before it began. */
double run_window_s(const struct run *run, uint64_t now_us);
/* How much of it its statistics tell of: while it is open the newest of them are of up to a report
 * ago. When none have come for longer than reports take, all of it: then nothing was done. */
double run_window_counted_s(const struct run *run);

/* Called by the modes. The only place where state changes: checks the edge, opens the
 * window on RUN_RUNNING, closes it on RUN_STOPPING, answers waiters on RUN_STOPPED. */
void run_set_state(struct run *run, enum run_state state);
/* Adds a report to stats, and to the window too unless the report was made while draining
 * (after stop was asked for). A report made before the stop may come in after it: it belongs
 * to the window. */
void run_add_stats(struct run *run, const struct stats *delta, bool is_draining);
/* LIMIT_EXCEPTIONS different tracebacks; those beyond count under STATS_OTHERS. */
void run_add_exception(struct run *run, struct str node, struct str msg, struct str traceback,
		       uint64_t times);
/* The names of its nodes, joined by ", " as Locust does. mem_free() them. */
char *run_exception_nodes(const struct run_exception *exception);
