/* SPDX-License-Identifier: MIT
 *
 * dispatch - see the header.
 *
 * Users are a stack of (worker, class) in order of creation, so that a decrease pops and
 * a rebalancing replays. Which class comes next is the state of a `picker`: a greedy
 * choice by gain, where only the chosen class's gain changes, so a user costs one scan over
 * the classes and one logarithm.
 *
 * Invariants: used == sum of counts; a picker's order depends only on how often it was
 * asked, never on the workers. */
#include "user/dispatch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

#define NO_CLASS SIZE_MAX

struct pick {
	size_t class; /* index into dispatch.classes */
	double weight;
	double have; /* weight + how often it was chosen */
	double gain; /* weight * log2(have / (have + 1)): the smallest is next */
};

struct picker {
	struct pick picks[LIMIT_USER_CLASSES]; /* ascending by class name */
	size_t count;
};

struct dispatched_user {
	uint32_t worker;
	uint32_t class;
};

struct dispatch {
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

static void add_pick(struct picker *p, size_t class, double weight)
{
	p->picks[p->count++] = (struct pick){
		.class = class,
		.weight = weight,
		.have = weight,
		.gain = weight * log2(weight / (weight + 1)),
	};
}

static bool is_better(const struct pick *a, const struct pick *b)
{
	if (a->gain != b->gain)
		return a->gain < b->gain;
	if (a->have != b->have)
		return a->have < b->have;
	return a->weight < b->weight;
}

static size_t pick_next(struct picker *p)
{
	struct pick *best = NULL;

	for (size_t i = 0; i < p->count; i++)
		if (!best || is_better(&p->picks[i], best))
			best = &p->picks[i];
	if (!best)
		return NO_CLASS;
	best->have++;
	best->gain = best->weight * log2(best->have / (best->have + 1));
	return best->class;
}

static void restart_weighted(struct dispatch *d)
{
	d->weighted.count = 0;
	for (size_t i = 0; i < d->class_count; i++) {
		const struct dispatch_class *class = &d->classes[d->by_name[i]];

		if (!class->fixed_count && class->weight > 0)
			add_pick(&d->weighted, d->by_name[i], class->weight);
	}
}

static void recheck_fixed(struct dispatch *d)
{
	d->must_recheck_fixed = false;
	d->fixed.count = 0;
	d->fixed_missing = 0;
	for (size_t i = 0; i < d->class_count; i++) {
		size_t c = d->by_name[i];
		uint64_t wanted = d->classes[c].fixed_count;

		if (wanted <= d->per_class[c])
			continue;
		add_pick(&d->fixed, c, (double)(wanted - d->per_class[c]));
		d->fixed_missing += wanted - d->per_class[c];
	}
}

static size_t next_class(struct dispatch *d)
{
	if (d->must_recheck_fixed)
		recheck_fixed(d);
	if (d->fixed_missing) {
		d->fixed_missing--;
		return pick_next(&d->fixed);
	}
	return pick_next(&d->weighted);
}

/* False when there is nobody to make: no worker, or only fixed classes and all are there. */
static bool add_user(struct dispatch *d)
{
	size_t class, worker = d->next_worker;

	if (!d->worker_count)
		return false;
	class = next_class(d);
	if (class == NO_CLASS)
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

struct dispatch *dispatch_create(const struct dispatch_class *classes, size_t count)
{
	struct dispatch *d = mem_zalloc(1, sizeof(*d));

	ensure(count <= LIMIT_USER_CLASSES);
	d->class_count = count;
	d->classes = mem_zalloc(count + 1, sizeof(*d->classes));
	d->by_name = mem_zalloc(count + 1, sizeof(*d->by_name));
	d->per_class = mem_zalloc(count + 1, sizeof(*d->per_class));
	memcpy(d->classes, classes, count * sizeof(*classes));
	sort_by_name(d);
	map_init(&d->workers);
	restart_weighted(d);
	d->must_recheck_fixed = true;
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
	restart_weighted(d);
	d->must_recheck_fixed = true;
}

struct placed {
	const char *id;
	size_t host_len; /* of the part before the first '_' */
	size_t rank;	 /* among the workers of the same host */
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
static struct placed *place_workers(const char *const *ids, size_t count)
{
	struct placed *placed = mem_zalloc(count + 1, sizeof(*placed));
	struct map hosts; /* host -> number of its workers so far; kept as rank + 1 */

	map_init(&hosts);
	for (size_t i = 0; i < count; i++)
		placed[i] = (struct placed){ ids[i], strcspn(ids[i], "_"), 0 };
	qsort(placed, count, sizeof(*placed), by_id);
	for (size_t i = 0; i < count; i++) {
		struct str host = { placed[i].id, placed[i].host_len };

		placed[i].rank = (size_t)(uintptr_t)map_get(&hosts, host);
		map_put(&hosts, host, (void *)(uintptr_t)(placed[i].rank + 1));
	}
	map_fini(&hosts);
	qsort(placed, count, sizeof(*placed), by_rank_then_id);
	return placed;
}

void dispatch_set_workers(struct dispatch *d, const char *const *ids, size_t count, uint64_t now_us)
{
	struct placed *placed = place_workers(ids, count);
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
	restart_weighted(d);
	d->must_recheck_fixed = true;
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
