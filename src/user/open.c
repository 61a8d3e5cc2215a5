/* SPDX-License-Identifier: MIT
 *
 * open - see the header. One timer for the class, set for the next arrival, or for at once when a
 * session became idle while others wait: never from within, so that tasks that end at once do not
 * call each other without end. Serving allocates only for a new session. */
#include "user/open.h"

#include "base/limits.h"
#include "base/mem.h"
#include "user/user.h"

struct cic_arrivals open_choose(const struct cic_arrivals *own, const struct cic_arrivals *asked)
{
	struct cic_arrivals chosen = *own;

	if (!asked)
		return chosen;
	if (asked->kind)
		chosen.kind = asked->kind;
	if (asked->max_in_flight)
		chosen.max_in_flight = asked->max_in_flight;
	if (asked->max_waiting)
		chosen.max_waiting = asked->max_waiting;
	return chosen;
}

static void drop(struct open_class *o, uint64_t count)
{
	o->place->tally.stats->health.dropped += count;
}

/* False: no session can serve it now. */
static bool serve(struct open_class *o, uint64_t intended_us)
{
	if (!list_is_empty(&o->idle)) {
		struct cic_user *u = CONTAINER_OF(o->idle.prev, struct cic_user, node);

		list_remove(&u->node);
		list_append(&o->kind->users, &u->node);
		user_arrive(u, intended_us);
		return true;
	}
	if (o->kind->user_count >= o->max_in_flight)
		return false;
	o->make(o->arg, o->kind, intended_us);
	return true;
}

static void accept(struct open_class *o, uint64_t intended_us)
{
	/* Those that wait were here before. */
	if (!o->waiting_count && serve(o, intended_us))
		return;
	if (o->waiting_count == o->waiting_max) {
		drop(o, 1);
		return;
	}
	o->waiting_us[(o->waiting_first + o->waiting_count) % o->waiting_max] = intended_us;
	o->waiting_count++;
}

static void serve_waiting(struct open_class *o)
{
	while (o->waiting_count && serve(o, o->waiting_us[o->waiting_first])) {
		o->waiting_first = (o->waiting_first + 1) % o->waiting_max;
		o->waiting_count--;
	}
}

static void serve_due(struct open_class *o)
{
	uint64_t now_us = loop_now(o->place->loop), at_us;

	serve_waiting(o);
	while ((at_us = arrivals_next_us(&o->arrivals)) <= now_us) {
		health_add_lag(&o->place->tally.stats->health, now_us - at_us);
		arrivals_pass(&o->arrivals);
		accept(o, at_us);
	}
}

static void set_timer(struct open_class *o)
{
	uint64_t next_us = arrivals_next_us(&o->arrivals);

	if (o->waiting_count && !list_is_empty(&o->idle))
		next_us = loop_now(o->place->loop);
	if (next_us == UINT64_MAX)
		loop_timer_clear(o->place->loop, &o->timer);
	else
		loop_timer_set(o->place->loop, &o->timer, next_us);
}

static void on_timer(void *arg)
{
	struct open_class *o = arg;

	serve_due(o);
	set_timer(o);
}

static uint64_t share_of(uint64_t all, uint64_t thread, uint64_t threads)
{
	return all / threads + (thread < all % threads);
}

struct open_class *open_create(struct user_place *place, struct user_kind *kind,
			       const struct cic_arrivals *arrivals, uint64_t thread,
			       uint64_t threads, uint64_t stream)
{
	struct open_class *o = mem_zalloc(1, sizeof(*o));
	uint64_t max = arrivals->max_in_flight ? arrivals->max_in_flight : OPEN_IN_FLIGHT_DEFAULT;

	o->place = place;
	o->kind = kind;
	o->per_s = arrivals->per_s > 0 ? arrivals->per_s : 1;
	o->max_in_flight = share_of(max, thread, threads);
	if (!o->max_in_flight)
		o->max_in_flight = 1;
	o->waiting_max = share_of(arrivals->max_waiting, thread, threads);
	if (o->waiting_max)
		o->waiting_us = mem_zalloc(o->waiting_max, sizeof(*o->waiting_us));
	list_init(&o->idle);
	loop_timer_init(&o->timer, on_timer, o);
	arrivals_init(&o->arrivals, arrivals->kind, place->seed, stream);
	return o;
}

void open_destroy(struct open_class **at)
{
	struct open_class *o = *at;

	if (!o)
		return;
	*at = NULL;
	mem_free(o->waiting_us);
	mem_free(o);
}

void open_set_count(struct open_class *o, uint64_t count)
{
	/* What was due came at the old rate. */
	serve_due(o);
	o->count = count;
	arrivals_set_rate(&o->arrivals, (double)count * o->per_s, loop_now(o->place->loop));
	if (!count) {
		drop(o, o->waiting_count);
		o->waiting_count = 0;
	}
	set_timer(o);
}

void open_halt(struct open_class *o)
{
	o->waiting_count = 0;
	loop_timer_clear(o->place->loop, &o->timer);
}

void open_add_idle(struct open_class *o, struct cic_user *session)
{
	list_remove(&session->node);
	list_append(&o->idle, &session->node);
	if (o->waiting_count)
		set_timer(o);
}
