/* SPDX-License-Identifier: MIT
 *
 * deadline - a timer of what nearly always ends long before it, as a request does.
 *
 * Putting it off and lifting it cost one write: the timer behind it stays where it is in the
 * loop, and asks when it fires whether there is a deadline and whether it has come. So each
 * deadline in use wakes the loop once per its length, and not only when it is missed. */
#pragma once

#include <stdint.h>

#include "loop/loop.h"

/* Embedded by its owner; fields are private. */
struct deadline {
	uint64_t at_us;	   /* UINT64_MAX: none */
	uint64_t timer_us; /* when the timer fires, never after at_us; UINT64_MAX: not set */
	struct loop_timer timer;
	struct loop *loop;
	loop_timer_fn fn;
	void *arg;
};

void deadline_init(struct deadline *d, struct loop *loop, loop_timer_fn fn, void *arg);
/* Before its memory goes, or the loop. */
void deadline_fini(struct deadline *d);
/* deadline_set() where the timer is to fire earlier than it would. */
void deadline_advance(struct deadline *d);

/* fn(arg) is called once at at_us or as soon after as the loop can, never inside this call;
 * replaces an earlier setting. */
static inline void deadline_set(struct deadline *d, uint64_t at_us)
{
	d->at_us = at_us;
	if (at_us < d->timer_us)
		deadline_advance(d);
}

static inline void deadline_lift(struct deadline *d)
{
	d->at_us = UINT64_MAX;
}
