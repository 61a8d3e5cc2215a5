/* SPDX-License-Identifier: MIT
 *
 * deadline - see the header. */
#include "loop/deadline.h"

static void on_timer(void *arg)
{
	struct deadline *d = arg;

	d->timer_us = UINT64_MAX;
	if (d->at_us == UINT64_MAX)
		return;
	if (d->at_us > loop_now(d->loop)) {
		deadline_advance(d);
		return;
	}
	deadline_lift(d);
	d->fn(d->arg);
}

void deadline_init(struct deadline *d, struct loop *loop, loop_timer_fn fn, void *arg)
{
	*d = (struct deadline){
		.at_us = UINT64_MAX, .timer_us = UINT64_MAX, .loop = loop, .fn = fn, .arg = arg
	};
	loop_timer_init(&d->timer, on_timer, d);
}

void deadline_fini(struct deadline *d)
{
	loop_timer_clear(d->loop, &d->timer);
}

void deadline_advance(struct deadline *d)
{
	d->timer_us = d->at_us;
	loop_timer_set(d->loop, &d->timer, d->at_us);
}
