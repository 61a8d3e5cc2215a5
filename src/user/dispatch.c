/* SPDX-License-Identifier: MIT
 *
 * dispatch - see the header.
 *
 * Users are a stack of (worker, class) in order of creation, so that a decrease pops and
 * a rebalancing replays.
 *
 * Invariants: used == sum of counts; which class comes next never depends on the workers. */
#include "user/dispatch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

struct dispatched_user {
	uint32_t worker;
	uint32_t class;
};

struct dispatch {
	enum picker_order order;
	struct dispatch_class *classes; /* as given */
	size_t *by_name;		/* class indices, ascending by name */
	size_t class_count;

	struct map workers; /* id -> number + 1, in the order users are given out */
	size_t worker_count, next_worker;
	uint32_t *counts; /* [worker][class] */

	struct dispatched_user *users; /* in order of creation */
	size_t used, cap;
	uint64_t *per_class;

	struct picker weighted, fixed;
	uint64_t fixed_missing;	 /* users that `fixed` still has to produce */
	bool must_recheck_fixed; /* users went away: fixed classes may be short again */

	uint64_t target;
	double rate;
	bool is_ramping, must_resend;
	uint64_t step_due_us, resend_due_us;
};

static bool is_round_robin(const struct dispatch *d)
{
	return d->order == PICKER_ROUND_ROBIN;
}

/* By gain the fixed classes follow from who is missing (recheck_fixed()); the round-robin goes on
 * where it was, and passes over the complete ones. */
static void restart_order(struct dispatch *d)
{
	picker_clear(&d->weighted, d->order);
	picker_clear(&d->fixed, d->order);
	for (size_t i = 0; i < d->class_count; i++) {
		size_t c = d->by_name[i];
		const struct dispatch_class *class = &d->classes[c];

		if (class->fixed_count && is_round_robin(d))
			picker_add(&d->fixed, c, (double)class->fixed_count);
		else if (!class->fixed_count && class->weight > 0)
			picker_add(&d->weighted, c, class->weight);
	}
	d->must_recheck_fixed = true;
}

static bool is_complete(const struct dispatch *d, size_t class)
{
	return d->per_class[class] >= d->classes[class].fixed_count;
}

static void recheck_fixed(struct dispatch *d)
{
	d->must_recheck_fixed = false;
	d->fixed_missing = 0;
	if (!is_round_robin(d))
		picker_clear(&d->fixed, d->order);
	for (size_t i = 0; i < d->class_count; i++) {
		size_t c = d->by_name[i];
		uint64_t missing;

		if (is_complete(d, c))
			continue;
		missing = d->classes[c].fixed_count - d->per_class[c];
		d->fixed_missing += missing;
		if (!is_round_robin(d))
			picker_add(&d->fixed, c, (double)missing);
	}
}

static size_t next_fixed(struct dispatch *d)
{
	size_t class = picker_next(&d->fixed);

	d->fixed_missing--;
	while (is_round_robin(d) && is_complete(d, class))
		class = picker_next(&d->fixed);
	return class;
}

static size_t next_class(struct dispatch *d)
{
	if (d->must_recheck_fixed)
		recheck_fixed(d);
	return d->fixed_missing ? next_fixed(d) : picker_next(&d->weighted);
}

/* False when there is nobody to make: no worker, or only fixed classes and all are there. */
static bool add_user(struct dispatch *d)
{
	size_t class, worker = d->next_worker;

	if (!d->worker_count)
		return false;
	class = next_class(d);
	if (class == PICKER_NONE)
		return false;
	d->next_worker = (worker + 1) % d->worker_count;
	if (d->used == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 256;
		d->users = mem_realloc(d->users, d->cap * sizeof(*d->users));
	}
	d->users[d->used++] = (struct dispatched_user){ (uint32_t)worker, (uint32_t) class };
	d->counts[worker * d->class_count + class]++;
	d->per_class[class]++;
	return true;
}

static void remove_user(struct dispatch *d)
{
	struct dispatched_user last = d->users[--d->used];

	d->counts[last.worker * d->class_count + last.class]--;
	d->per_class[last.class]--;
	d->must_recheck_fixed = true;
}

/* qsort() has no argument for context, and classes are few. */
static void sort_by_name(struct dispatch *d)
{
	for (size_t i = 0; i < d->class_count; i++) {
		size_t at = i;

		for (; at && strcmp(d->classes[d->by_name[at - 1]].name, d->classes[i].name) > 0;
		     at--)
			d->by_name[at] = d->by_name[at - 1];
		d->by_name[at] = i;
	}
}

struct dispatch *dispatch_create(const struct dispatch_class *classes, size_t count,
				 enum picker_order order)
{
	struct dispatch *d = mem_zalloc(1, sizeof(*d));

	ensure(count <= LIMIT_USER_CLASSES);
	d->class_count = count;
	d->order = order;
	d->classes = mem_zalloc(count + 1, sizeof(*d->classes));
	d->by_name = mem_zalloc(count + 1, sizeof(*d->by_name));
	d->per_class = mem_zalloc(count + 1, sizeof(*d->per_class));
	memcpy(d->classes, classes, count * sizeof(*classes));
	sort_by_name(d);
	map_init(&d->workers);
	restart_order(d);
	return d;
}

void dispatch_destroy(struct dispatch **d)
{
	if (!*d)
		return;
	map_fini(&(*d)->workers);
	mem_free((*d)->classes);
	mem_free((*d)->by_name);
	mem_free((*d)->per_class);
	mem_free((*d)->counts);
	mem_free((*d)->users);
	mem_free(*d);
	*d = NULL;
}

void dispatch_set_class(struct dispatch *d, size_t class_index, double weight, uint64_t fixed_count)
{
	struct dispatch_class *class = &d->classes[class_index];

	if (class->weight == weight && class->fixed_count == fixed_count)
		return;
	class->weight = weight;
	class->fixed_count = fixed_count;
	restart_order(d);
}

struct placed {
	const char *id;
	size_t rank;
};

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct placed *)a)->id, ((const struct placed *)b)->id);
}

static int by_rank_then_id(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* One worker of every host first, then the second of each (reference 3.4). */
static void rank_by_host(struct placed *placed, size_t count)
{
	struct map hosts; /* host -> number of its workers so far */

	map_init(&hosts);
	qsort(placed, count, sizeof(*placed), by_id);
	for (size_t i = 0; i < count; i++) {
		struct str host = { placed[i].id, strcspn(placed[i].id, "_") };

		placed[i].rank = (size_t)(uintptr_t)map_get(&hosts, host);
		map_put(&hosts, host, (void *)(uintptr_t)(placed[i].rank + 1));
	}
	map_fini(&hosts);
}

/* Those that are left when others go keep their order, as in Locust; with a new one all are
 * ranked anew. */
static struct placed *place_workers(const struct dispatch *d, const char *const *ids, size_t count)
{
	struct placed *placed = mem_zalloc(count + 1, sizeof(*placed));
	bool has_newcomer = false;

	for (size_t i = 0; i < count; i++) {
		size_t number = (size_t)(uintptr_t)map_get(&d->workers, str_of(ids[i]));

		placed[i] = (struct placed){ ids[i], number };
		has_newcomer |= !number;
	}
	if (has_newcomer)
		rank_by_host(placed, count);
	qsort(placed, count, sizeof(*placed), by_rank_then_id);
	return placed;
}

void dispatch_set_workers(struct dispatch *d, const char *const *ids, size_t count, uint64_t now_us)
{
	struct placed *placed = place_workers(d, ids, count);
	size_t users = d->used;

	map_clear(&d->workers);
	for (size_t i = 0; i < count; i++)
		map_put(&d->workers, str_of(placed[i].id), (void *)(uintptr_t)(i + 1));
	mem_free(placed);
	d->worker_count = d->workers.count;
	d->next_worker = 0;
	mem_free(d->counts);
	d->counts = mem_zalloc(d->worker_count * d->class_count + 1, sizeof(*d->counts));
	memset(d->per_class, 0, d->class_count * sizeof(*d->per_class));
	d->used = 0;
	restart_order(d);
	while (d->used < users && add_user(d))
		;
	if (users) {
		d->must_resend = true;
		d->resend_due_us = now_us;
	}
}

void dispatch_begin(struct dispatch *d, uint64_t users, double rate, uint64_t now_us)
{
	ensure(rate > 0);
	d->target = users < LIMIT_USERS ? users : LIMIT_USERS;
	d->rate = rate;
	d->is_ramping = true;
	d->step_due_us = now_us;
}

static void take_step(struct dispatch *d, uint64_t now_us)
{
	double per_step = fmax(1, floor(d->rate)), pause_us = per_step / d->rate * 1e6;
	uint64_t left = per_step < LIMIT_USERS ? (uint64_t)per_step : LIMIT_USERS;
	bool is_stuck = false;

	while (left && d->used > d->target) {
		remove_user(d);
		left--;
	}
	while (left && d->used < d->target && !is_stuck) {
		is_stuck = !add_user(d);
		left--;
	}
	d->is_ramping = d->used != d->target && !is_stuck;
	/* From when it was due, so that lateness does not add up; but no burst after a stall. */
	d->step_due_us += pause_us < 1e15 ? (uint64_t)pause_us : (uint64_t)1e15;
	if (d->step_due_us < now_us)
		d->step_due_us = now_us;
}

bool dispatch_step(struct dispatch *d, uint64_t now_us)
{
	if (now_us < dispatch_due_us(d))
		return false;
	if (d->must_resend)
		d->must_resend = false;
	else
		take_step(d, now_us);
	return true;
}

uint64_t dispatch_due_us(const struct dispatch *d)
{
	if (d->must_resend)
		return d->resend_due_us;
	return d->is_ramping ? d->step_due_us : UINT64_MAX;
}

uint64_t dispatch_users(const struct dispatch *d, const char *worker_id, size_t class_index)
{
	size_t number = (size_t)(uintptr_t)map_get(&d->workers, str_of(worker_id));

	return number ? d->counts[(number - 1) * d->class_count + class_index] : 0;
}

uint64_t dispatch_total(const struct dispatch *d)
{
	return d->used;
}

uint64_t dispatch_target(const struct dispatch *d)
{
	return d->target;
}
