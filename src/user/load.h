/* SPDX-License-Identifier: MIT
 *
 * load - the virtual users of this process, on load threads of their own.
 *
 * The control thread gives orders and gets answers through its loop; all functions belong to it.
 * Each load thread has its own loop, users, connections and statistics (DESIGN decision 1); the
 * threads get the users of each class in turn. Orders take effect in the order given: what a
 * collect reports was counted before a set_users that is called after it.
 *
 * Each thread watches itself, too: what is collected says in `health` how late users ran, how busy
 * the thread was and which connections came and went (stat/health.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "http/client.h"
#include "loop/loop.h"
#include "stat/stats.h"
#include "user/scenario.h"

struct http_network;
struct tls_options;
struct user_guest;
struct user_place;
struct load;
struct load_thread;

/* Whoever runs users that are not ours, on a thread of its own (user.h, src/python). The functions
 * get `arg`. */
struct load_guest {
	const struct user_guest *users;
	void *arg;
	/* Has main(main_arg) run on that thread. Control thread. */
	void (*run)(void *arg, void *(*main)(void *), void *main_arg);
	/* So many users are to come by the end of the ramp. Control thread. */
	void (*foresee)(void *arg, uint64_t users);
	/* main() has returned. Control thread. */
	void (*join)(void *arg);
	/* Within main(): turns the place's loop until it is stopped. */
	void (*turn)(void *arg, struct user_place *place, struct load_thread *thread);
	/* That many users are wanted from now on, of all classes. Begins and stops follow. */
	void (*want)(void *arg, uint64_t users);
	/* The counts are reached: calls load_settle(thread) when the guest has done what it does
	 * then. Called again when other counts came meanwhile; one load_settle() answers all. */
	void (*settle)(void *arg, struct load_thread *thread);
	/* load_set_tasks(); draws has an item for each task of the class. */
	void (*draw)(void *arg, const struct cic_user_class *class, const bool *draws);
	/* These statistics are about to leave for the control thread. */
	void (*counted)(void *arg, struct stats *taken);
};

struct load_options {
	const struct scenario *scenario; /* lent for the load's life */
	unsigned threads;		 /* 1 to LIMIT_THREADS */
	uint64_t seed;			 /* of all users' random numbers */
	/* Lent for the load's life and checked before; NULL: the defaults. */
	const struct tls_options *tls;
	enum http_version http_version;
	const struct cic_arrivals *arrivals; /* lent as tls; NULL: as the classes say */
	const struct cic_wait *wait;	     /* the same, between tasks of users of ours */
	const struct http_network *network;
	const struct load_guest *guest; /* lent; then `threads` is 1. NULL: the users are ours */
	/* Answers, in turns of the control loop and never inside a call of load_*(). */
	/* Exactly one per load_collect(), in order: what was counted since the last one, over all
	 * threads (lent for the call), and how many users of each class run now. */
	void (*on_delta)(void *arg, const struct stats *delta, const uint64_t *users);
	/* The counts of the last load_set_users() are reached. One per load_set_users(), unless
	 * another one came first. */
	void (*on_settled)(void *arg);
	/* A guest's task broke with an error that is no failed request. */
	void (*on_exception)(void *arg, struct str msg, struct str traceback);
	void *arg;
};

/* Starts the threads. Signals are blocked in them. */
enum err load_create(struct loop *control, const struct load_options *options, struct load **out,
		     struct err_text *text) MUST_CHECK;
/* Ends all users at once and joins the threads: what they counted since the last collect is lost,
 * so settle at zero and collect first. No answer comes any more. */
void load_destroy(struct load **l);

/* Wants counts[i] users of class i (index in scenario->classes) running; absolute. New ones start
 * at once, surplus ones stop: a waiting one at once, one inside a task (or on_start) when it
 * ends, at the latest after stop_timeout_s: then its request is cut off and counted as a
 * failure "StopTimeout(...)", unless that time was 0: then it is not counted, but told in the log.
 * A stopped user runs on_stop within the same time. "At once" is in slices, so that thousands of
 * them do not keep those that run waiting (crew.h). host: base URL for every class; NULL keeps the
 * last one given, to all or to the class; before any, the class's own. Copied. A class without any
 * host fails its requests with a text that says so. */
void load_set_users(struct load *l, const uint64_t *counts, const char *host,
		    double stop_timeout_s);
/* So many are to come: warns when they want more connections than there can be. load_set_users()
 * does so, too, once per test. */
void load_foresee(struct load *l, const uint64_t *counts, const char *host);
/* A new test begins, no user runs: feeds give their first rows again. */
void load_begin_test(struct load *l);
/* Which of a class's tasks its users draw from now on, by their place in the class; NULL: all, else
 * at least one. Copied. A task that runs is not disturbed. */
void load_set_tasks(struct load *l, size_t class_index, const bool *draws);
/* The base URL of one class, until load_set_users() gives one for all. Copied. Users that run take
 * it as they take that. */
void load_set_host(struct load *l, size_t class_index, const char *host);
void load_collect(struct load *l);

/* For a guest, on its thread. */
void load_settle(struct load_thread *t);
void load_report_exception(struct load_thread *t, struct str msg, struct str traceback);
