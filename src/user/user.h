/* SPDX-License-Identifier: MIT
 *
 * user - one virtual user: on_start, tasks with waits between them, on_stop.
 *
 * All of it belongs to the thread of its loop. A user holds a fiber only while scenario code of
 * it runs; waiting, it is a struct cic_user, a timer, and an open connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/failure_class.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/rng.h"
#include "cicada.h"
#include "http/client.h"
#include "http/cookie.h"
#include "http/decode.h"
#include "loop/fiber.h"
#include "loop/loop.h"
#include "user/tally.h"
#include "user/texts.h"

struct cic_user;
struct open_class;

/* Users whose code runs elsewhere than on fibers, in the same thread: those of a locustfile
 * (src/python). Such a user is told to begin once and lives until user_leave(). No user of an open
 * class. */
struct user_guest {
	void (*begin)(struct cic_user *u);
	/* It is to end: a waiting one now, else after its task. */
	void (*stop)(struct cic_user *u);
	/* It is to end now, wherever it is. */
	void (*cut)(struct cic_user *u);
	/* Its memory is going, whatever it does: it may not be used any more. */
	void (*forget)(struct cic_user *u);
};

/* Requests without an answer whose users were cut off at once, so that nobody gave them time. */
struct user_cuts {
	uint64_t count, longest_us; /* longest: of the one that had waited longest */
};

/* What the users of one thread share. */
struct user_place {
	struct loop *loop;
	struct http_client *http;
	struct fiber_pool fibers;
	struct tally tally;
	struct buf target, headers; /* of the request that is being written */
	struct decoder *decoder;    /* made by the first class that wants it */
	struct cic_user *running;   /* whose code runs now; NULL: the loop's */
	uint64_t seed;
	const struct user_guest *guest; /* NULL: the users are ours */
	bool gives_time; /* before it cuts users off: then their requests have failed */
	struct user_cuts cuts;
	/* The user is leaving: off its list, and its memory goes at the end of the turn. */
	void (*on_gone)(void *arg, struct cic_user *u);
	/* The user called cic_stop_user(). */
	void (*on_quitting)(void *arg, struct cic_user *u);
	/* The session has done its task, and no code of it runs. */
	void (*on_idle)(void *arg, struct cic_user *u);
	void *arg;
};

/* A user class on one thread. */
struct user_kind {
	const struct cic_user_class *class;
	struct cic_wait wait;  /* the class's, or what load_options has in its place */
	double *weights_below; /* of its tasks that are drawn: sums up to and including each */
	size_t task_count;
	size_t last_task; /* that is drawn */
	/* Where its requests go. */
	char *host;			  /* what `base` points into */
	const struct http_origin *origin; /* NULL: nowhere, and host_error says why */
	struct str base;		  /* the host's path, without a slash at its end */
	struct str userinfo;		  /* user:password of host */
	struct err_text host_error;
	struct list users;    /* that are wanted, in order of creation */
	size_t user_count;    /* of them */
	size_t leaving_count; /* users that are to stop and not gone yet */
	uint64_t wanted;      /* users that shall be left of those there are */
	/* Users still to be made. Not what user_count lacks: one may leave in its own start. */
	uint64_t missing;
	/* NULL: the users draw their tasks themselves. Else they are sessions (open.h). */
	struct open_class *open;
};

enum user_phase {
	USER_STARTING, /* on_start, then as working */
	USER_WORKING,  /* in a task, or waiting for the next */
	USER_ENDING    /* on_stop */
};

/* State of the request a turn asked last. */
enum turn_state { TURN_IDLE, TURN_ASKED, TURN_ANSWERED };

/* What only scenario code that runs needs; lives on its fiber's stack. */
/* Path, name, headers and body of a request may be texts that do not last by themselves. */
#define TURN_OWN_MAX 4

struct turn {
	struct cic_response response; /* first: cic_check() and others find the turn by it */
	struct cic_user *user;
	const struct cic_task *task; /* NULL: on_start or on_stop */
	struct http_reply reply;
	struct label *label;
	struct buf url;		 /* where a redirect leads to; memory until the task ends */
	struct decoded *decoded; /* what response.body points into; NULL: into the reply */
	char *own[TURN_OWN_MAX]; /* copies of those that do not */
	size_t own_count;
	uint64_t asked_us, ended_us;
	enum turn_state state;
	bool has_failed_check;
	bool has_answer;    /* the last request's came, whole */
	bool has_waited;    /* was suspended since the task began */
	struct texts texts; /* of the response's JSON values */
	char error[LIMIT_STAT_ERROR_BYTES];
	char header[LIMIT_HEADER_VALUE_BYTES];
};

#define USER_MAGIC 0x75736572u

/* In order of use: what each request needs is in the first three cache lines. */
struct cic_user {
	/* Aligned for the class's data behind it. */
	_Alignas(max_align_t) uint32_t magic;
	uint8_t phase;			     /* enum user_phase */
	bool wants_stop, is_cut, is_leaving; /* the last: its crew has taken it off */
	struct list node; /* in its kind's users, or with those that are to stop */
	struct user_place *place;
	struct user_kind *kind;
	struct http_conn conn;
	struct cookie_jar cookies;
	struct fiber *fiber; /* suspended; NULL: none */
	struct turn *turn;   /* NULL: no scenario code runs */
	uint64_t next_us;    /* when the next task begins */
	/* Of the running task, set before it runs: it was meant for a moment (paced, open), and
	 * began so much later. The first request of the task carries late_us and zeroes it. */
	uint64_t late_us;
	bool is_scheduled;
	struct loop_timer timer; /* of a wait or a sleep */
	struct rng rng;
	uint64_t number;
	uint64_t paced_us;  /* the last start on its grid; of a session: its arrival */
	uint64_t meant_us;  /* of a paced user: when its task is to begin */
	uint64_t cut_at_us; /* latest end of a user that is to stop */
	struct loop_grave grave;
	/* then the class's data_bytes */
};

/* Begins at once: it may have run on_start and asked its first request before this returns.
 * It is appended to kind->users before. */
void user_create(struct user_place *place, struct user_kind *kind, uint64_t number);
/* A session, with its first arrival: that runs on_start and then its task. */
void user_create_session(struct user_place *place, struct user_kind *kind, uint64_t number,
			 uint64_t intended_us);
/* Runs a task on an idle session. The caller has put it back on kind->users. */
void user_arrive(struct cic_user *u, uint64_t intended_us);
/* Ends a waiting user, now; one whose code runs ends after its task. The caller has taken it off
 * kind->users and put it where on_gone() takes it off. */
void user_stop(struct cic_user *u);
/* The time to stop is over: what runs is cut off at the call where it waits, a request in flight
 * counts as failed. What is left of on_stop ends at its first wait. */
void user_cut(struct cic_user *u);
/* Ends it now and runs no on_stop. */
void user_discard(struct cic_user *u);
/* For a guest: the user has ended, asked to or not. */
void user_leave(struct cic_user *u);

/* For the scenario API, on the user's fiber: */

/* The running turn; stops the program when the scenario uses a user whose code does not run. */
struct turn *user_turn(struct cic_user *u);
/* Does not return when the user's time is over. Call before anything that waits. */
void user_check_cut(struct cic_user *u);
/* Gives way to others until resumed by user_resume(). Does not return when cut off meanwhile. */
void user_suspend(struct cic_user *u);
void user_pause(struct cic_user *u, uint64_t us);
/* Counts the last request, if there was one, and gives its memory back. */
void user_settle_request(struct cic_user *u);
void user_free_own(struct turn *t);
/* Marks the request as failed: Class('text'), quoted as Python's repr() would. */
void user_fail_request(struct turn *t, enum failure_class class, const char *text);
/* Class('text') as above, cut to size bytes. */
void user_quote_error(char *out, size_t size, enum failure_class class, const char *text);
/* Ends the code that runs, wherever it is: the task, or on_start or on_stop. */
_Noreturn void user_end_code(struct cic_user *u);
/* From the loop: goes on with suspended code. */
void user_resume(struct cic_user *u);

/* Seconds of a scenario, whatever it says, in 0 to LIMIT_WAIT_S. */
uint64_t user_seconds_us(double seconds);
