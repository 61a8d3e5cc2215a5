/* SPDX-License-Identifier: MIT
 *
 * loop - epoll, timers, and burying the dead. One loop belongs to one thread; all of these
 * are called from that thread only. Other threads reach it through loop/mailbox.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"

struct loop;

/* events: EPOLL* bits that are ready. */
typedef void (*loop_watch_fn)(void *arg, uint32_t events);
typedef void (*loop_timer_fn)(void *arg);

/* One watched descriptor, embedded by its owner, who also owns the descriptor. */
struct loop_watch {
	int fd;
	loop_watch_fn fn;
	void *arg;
};

struct loop_timer {
	struct heap_node node;
	loop_timer_fn fn;
	void *arg;
};

/* Embedded in objects that end inside their own callback. */
struct loop_grave {
	struct list node;
	loop_timer_fn fn;
	void *arg;
};

struct loop {
	int epoll_fd;
	uint64_t now_us;       /* monotonic, read once per turn */
	uint64_t timer_lag_us; /* of the timer that fires */
	bool should_stop;
	struct heap timers;
	struct list graves;
};

/* ERR_IO when the kernel refuses (no descriptors left); the text says how to raise the limit. */
enum err loop_init(struct loop *loop, struct err_text *text) MUST_CHECK;
void loop_fini(struct loop *loop);

/* Turns until loop_stop(). A turn: due timers, ready descriptors, graves. */
void loop_run(struct loop *loop);
/* Takes effect at the end of the turn. */
void loop_stop(struct loop *loop);

/* For a thread that waits elsewhere, until epoll_fd is readable or loop_due_us() has come: one turn
 * without waiting. The loop shall be stopped when should_stop is set. */
void loop_turn(struct loop *loop);
/* When the next timer is due, UINT64_MAX: there is none. */
uint64_t loop_due_us(const struct loop *loop);
/* Such a thread also calls into modules of the loop between two turns: the time is that of now. */
void loop_refresh(struct loop *loop);

/* Time at the start of this turn. */
static inline uint64_t loop_now(const struct loop *loop)
{
	return loop->now_us;
}

/* Inside a timer's fn: how long before this turn it was due. */
static inline uint64_t loop_timer_lag_us(const struct loop *loop)
{
	return loop->timer_lag_us;
}

/* Registers fd (non-blocking) for events, EPOLLET included if it is wanted. The watch must
 * stay where it is until loop_unwatch(). */
enum err loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
		    loop_watch_fn fn, void *arg) MUST_CHECK;
/* Call before closing the descriptor. An event of this turn that is not yet delivered is
 * dropped only if the memory of *watch lives until the turn's end: bury its owner. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

void loop_timer_init(struct loop_timer *timer, loop_timer_fn fn, void *arg);
/* Fires once at at_us or as soon after as the loop can; replaces an earlier setting. Never
 * fires inside this call. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_us);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);

/* Calls fn(arg) when the turn ends: the one way to free an object inside its own callback. */
void loop_bury(struct loop *loop, struct loop_grave *grave, loop_timer_fn fn, void *arg);
