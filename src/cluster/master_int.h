/* SPDX-License-Identifier: MIT
 *
 * master_int - shared by master.c (what the master hears), master_course.c (what follows from it)
 * and master_post.c (what it sends). */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "cluster/listener.h"
#include "cluster/master.h"
#include "cluster/msg.h"
#include "cluster/peers.h"
#include "cluster/seldom.h"
#include "cluster/strangers.h"
#include "user/dispatch.h"

#define NEVER	  UINT64_MAX
#define LOOK_US	  CLOCK_S	/* how often silence is looked for */
#define REPEAT_US (5 * CLOCK_S) /* of what was sent and not answered */

struct master {
	struct run run; /* first: struct run_mode gets this pointer */
	struct master_options options;
	struct dispatch *dispatch; /* NULL: no test */
	struct dispatch_class *classes;
	struct msg_count *counts; /* scratch for messages */
	struct peers peers;
	struct strangers strangers;
	struct seldom complaints;
	uint64_t now_us, look_due_us;
	uint64_t test; /* which one this is: when it began, unix milliseconds */
	bool is_bulk;  /* the frame that is read came by the second port */
	bool has_warned_one_port;
	bool want_begin; /* run_start() was called */
	bool want_stop;	 /* run_stop() was called */
	bool is_pressed; /* one of them was, or `quit`: due at once */
	bool is_owing;	 /* some peer is owed something */
	bool is_quitting, has_ended;
	uint64_t hold_deadline_us; /* 0: a start need not wait for the listener */
	unsigned told_starts;	   /* to the listener, which has not answered yet */
	struct buf own_options;
	size_t own_option_count;
	struct str frame;	      /* that is read */
	uint64_t confirm_deadline_us; /* ramp over, confirmations missing; NEVER: not waiting */
	uint64_t stop_deadline_us, quit_deadline_us;
	uint64_t bad_frames;
};

/* Sets the receiver of *msg. False: it cannot be queued now. */
bool master_post(struct master *m, const char *id, struct msg *msg);
/* Of this class, on this worker, at this step of the ramp. */
uint64_t master_wanted_users(const struct master *m, const struct peer *p, size_t class_index);
/* Notes that the worker is to be told. */
void master_owe(struct master *m, struct peer *p, enum peer_debt debt);
/* Tells it at once, whether it is owed or not. False: cannot be queued now. */
bool master_post_debt(struct master *m, struct peer *p, enum peer_debt debt);
/* Tells every worker what it is owed, as far as its connection takes it. */
void master_pay(struct master *m);

/* A test runs and is not stopping. */
bool master_is_active(const struct master *m);
uint64_t master_stop_timeout_us(const struct master *m);
/* The set of those that take part has changed: gives the dispatcher the new one. */
void master_spread(struct master *m, const char *why_none);
/* It takes part no longer: it stopped, left or fell silent. */
void master_leave(struct master *m, struct peer *p, enum run_state state, const char *why_none);
void master_forget(struct master *m, struct peer *p);

/* Acts on what is wanted, due or complete, and pays what is owed. */
void master_settle(struct master *m);
void master_look_for_silence(struct master *m);
