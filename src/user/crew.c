/* SPDX-License-Identifier: MIT
 *
 * crew - see the header. A user is on exactly one list: its kind's `users` while it is wanted (an
 * open class's idle ones aside), the crew's `leaving` or `quitting` from then on. living == the sum
 * over kinds of user_count + leaving_count. Surplus users are stopped newest first, as the
 * dispatcher takes them back.
 *
 * Thousands of users that come or go in one turn of the loop would keep those that run waiting for
 * milliseconds. So crew_set() notes only what is wanted, and the timer's turns do it in slices:
 * stop the surplus, cut off those whose time is over, start what is missing; then give back memory
 * that crew_trim() has found to be spare. */
#include "user/crew.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "http/url.h"
#include "user/open.h"

/* What one turn has done of its share. */
struct slice {
	unsigned users;
	uint64_t ends_us;
};

/* Another user may come or go in this turn; the first one always may. */
static bool slice_take(struct slice *s)
{
	if (s->users == LIMIT_SLICE_USERS || (s->users && clock_us() >= s->ends_us))
		return false;
	s->users++;
	return true;
}

static void settle_if_done(struct crew *c)
{
	if (c->is_settled || c->is_at_work || !list_is_empty(&c->leaving) ||
	    !list_is_empty(&c->quitting))
		return;
	c->is_settled = true;
	c->on_settled(c->arg);
}

/* From the wanted ones to `gone`, a list of those that are to stop. */
static void take_off(struct cic_user *u, struct list *gone, uint64_t cut_at_us)
{
	list_remove(&u->node);
	list_append(gone, &u->node);
	u->kind->user_count--;
	u->kind->leaving_count++;
	u->cut_at_us = cut_at_us;
	u->is_leaving = true;
}

static void on_quitting(void *arg, struct cic_user *u)
{
	struct crew *c = arg;

	/* Sessions come and go; those that go must not hold up what waits for the crew to settle.
	 */
	if (!u->kind->open)
		take_off(u, &c->quitting, UINT64_MAX);
}

static void on_idle(void *arg, struct cic_user *u)
{
	(void)arg;
	open_add_idle(u->kind->open, u);
}

static void on_gone(void *arg, struct cic_user *u)
{
	struct crew *c = arg;

	list_remove(&u->node);
	if (u->is_leaving)
		u->kind->leaving_count--;
	else
		u->kind->user_count--;
	c->living--;
	if (!c->living)
		tally_forget(&c->place.tally);
	settle_if_done(c);
}

static void find_origin(struct crew *c, struct user_kind *kind)
{
	struct http_url url;
	const char *query;
	enum err err;

	kind->origin = NULL;
	kind->userinfo = (struct str){ 0 };
	kind->host_error = (struct err_text){ 0 };
	err = http_url_parse(str_of(kind->host), &url, &kind->host_error);
	if (!err)
		err = http_client_origin(c->place.http, &url, &kind->origin, &kind->host_error);
	if (err) {
		if (!kind->host_error.text[0])
			err_set(&kind->host_error, err, "%s", err_name(err));
		kind->origin = NULL;
		return;
	}
	kind->base = url.target;
	kind->userinfo = url.userinfo;
	query = kind->base.len ? memchr(kind->base.p, '?', kind->base.len) : NULL;
	if (query)
		kind->base.len = (size_t)(query - kind->base.p);
	while (kind->base.len && kind->base.p[kind->base.len - 1] == '/')
		kind->base.len--;
}

static void set_host(struct crew *c, struct user_kind *kind, const char *host)
{
	if (kind->host && strcmp(kind->host, host) == 0)
		return;
	mem_free(kind->host);
	kind->host = mem_strdup(host);
	find_origin(c, kind);
}

static void weigh_tasks(struct user_kind *kind, const bool *draws)
{
	double below = 0;

	for (size_t i = 0; i < kind->task_count; i++) {
		double weight = kind->class->tasks[i].weight;

		if (!draws || draws[i]) {
			below += weight > 0 ? weight : 1;
			kind->last_task = i;
		}
		kind->weights_below[i] = below;
	}
}

static void kind_init(struct crew *c, struct user_kind *kind, const struct cic_user_class *class)
{
	*kind = (struct user_kind){ .class = class };
	list_init(&kind->users);
	while (class->tasks[kind->task_count].run)
		kind->task_count++;
	kind->weights_below = mem_zalloc(kind->task_count, sizeof(*kind->weights_below));
	weigh_tasks(kind, NULL);
	err_set(&kind->host_error, ERR_NOT_FOUND,
		"class %s has no host; give one with --host, or .host in the class", class->name);
	if (class->host)
		set_host(c, kind, class->host);
}

static void stop_last(struct crew *c, struct list *users)
{
	struct cic_user *u = CONTAINER_OF(users->prev, struct cic_user, node);

	take_off(u, &c->leaving, c->cut_at_us);
	user_stop(u);
}

/* Sessions of a class that goes on stay for the arrivals to come, however few. */
static struct list *surplus_of(struct user_kind *kind)
{
	if (!kind->open)
		return kind->user_count > kind->wanted ? &kind->users : NULL;
	if (kind->open->count)
		return NULL;
	if (!list_is_empty(&kind->open->idle))
		return &kind->open->idle;
	return list_is_empty(&kind->users) ? NULL : &kind->users;
}

/* These return false when the slice is over before all is done. */
static bool stop_surplus(struct crew *c, struct slice *slice)
{
	struct list *users;

	for (size_t i = 0; i < c->kind_count; i++)
		while ((users = surplus_of(&c->kinds[i]))) {
			if (!slice_take(slice))
				return false;
			stop_last(c, users);
		}
	return true;
}

/* *next_us: when the next one's time is over. */
static bool cut_late(struct crew *c, struct slice *slice, uint64_t *next_us)
{
	LIST_EACH (it, &c->leaving) {
		struct cic_user *u = CONTAINER_OF(it, struct cic_user, node);

		if (u->cut_at_us > loop_now(c->place.loop)) {
			*next_us = u->cut_at_us;
			return true;
		}
		if (!slice_take(slice))
			return false;
		user_cut(u);
	}
	return true;
}

static bool start_missing(struct crew *c, struct slice *slice)
{
	for (size_t i = 0; i < c->kind_count; i++) {
		struct user_kind *kind = &c->kinds[i];

		for (; kind->missing; kind->missing--) {
			uint64_t number = c->next_number;

			if (!slice_take(slice))
				return false;
			c->next_number += c->number_step;
			c->living++;
			kind->user_count++;
			user_create(&c->place, kind, number);
		}
	}
	return true;
}

static bool drop_spare(struct crew *c, struct slice *slice)
{
	do
		if (!slice_take(slice))
			return false;
	while (fiber_pool_drop(&c->place.fibers) || http_client_drop(c->place.http));
	return true;
}

static void work(void *arg)
{
	struct crew *c = arg;
	struct slice slice = { .ends_us = clock_us() + LIMIT_SLICE_US };
	uint64_t next_us = UINT64_MAX;

	c->is_at_work = !stop_surplus(c, &slice) || !cut_late(c, &slice, &next_us) ||
			!start_missing(c, &slice);
	if (c->is_at_work || !drop_spare(c, &slice))
		next_us = loop_now(c->place.loop);
	if (next_us != UINT64_MAX)
		loop_timer_set(c->place.loop, &c->timer, next_us);
	settle_if_done(c);
}

/* None of those that are to stop may stay longer than until cut_at_us. That keeps `leaving` in
 * order: what is appended from now on has this time. */
static void shorten_stops(struct crew *c, uint64_t cut_at_us)
{
	for (struct list *it = c->leaving.prev; it != &c->leaving; it = it->prev) {
		struct cic_user *u = CONTAINER_OF(it, struct cic_user, node);

		if (u->cut_at_us <= cut_at_us)
			break;
		u->cut_at_us = cut_at_us;
	}
	LIST_EACH (it, &c->quitting) {
		CONTAINER_OF(it, struct cic_user, node)->cut_at_us = cut_at_us;
		list_remove(it);
		list_append(&c->leaving, it);
	}
}

static void make_session(void *arg, struct user_kind *kind, uint64_t intended_us)
{
	struct crew *c = arg;
	uint64_t number = c->next_number;

	c->next_number += c->number_step;
	c->living++;
	kind->user_count++;
	user_create_session(&c->place, kind, number, intended_us);
}

static void init_open(struct crew *c, struct user_kind *kind, const struct crew_options *options,
		      size_t index)
{
	struct cic_arrivals arrivals = open_choose(&kind->class->arrivals, options->arrivals);
	/* Users have the streams from 0 on. */
	uint64_t stream = UINT64_MAX - (options->first_number * LIMIT_USER_CLASSES + index);

	if (!arrivals.kind)
		return;
	kind->open = open_create(&c->place, kind, &arrivals, options->first_number,
				 options->number_step, stream);
	kind->open->make = make_session;
	kind->open->arg = c;
}

void crew_init(struct crew *c, const struct crew_options *options)
{
	const struct scenario *s = options->scenario;

	*c = (struct crew){ .kind_count = s->class_count,
			    .next_number = options->first_number,
			    .number_step = options->number_step,
			    .is_settled = true,
			    .on_settled = options->on_settled,
			    .arg = options->arg };
	c->place = (struct user_place){ .loop = options->loop,
					.http = options->http,
					.seed = options->seed,
					.on_gone = on_gone,
					.on_quitting = on_quitting,
					.on_idle = on_idle,
					.arg = c };
	fiber_pool_init(&c->place.fibers);
	tally_init(&c->place.tally, options->stats, loop_now(options->loop));
	/* Host and path, and the "http://host:port" of an answer's URL. */
	buf_init(&c->place.target, 2 * LIMIT_URL_BYTES + LIMIT_HOST_BYTES + 32);
	buf_init(&c->place.headers, LIMIT_REQUEST_HEADER_BYTES);
	list_init(&c->leaving);
	list_init(&c->quitting);
	loop_timer_init(&c->timer, work, c);
	c->kinds = mem_zalloc(c->kind_count, sizeof(*c->kinds));
	for (size_t i = 0; i < c->kind_count; i++) {
		kind_init(c, &c->kinds[i], s->classes[i]);
		c->kinds[i].wait = options->wait ? *options->wait : s->classes[i]->wait;
		init_open(c, &c->kinds[i], options, i);
	}
}

void crew_disband(struct crew *c)
{
	c->is_settled = true;
	for (size_t i = 0; i < c->kind_count; i++) {
		struct user_kind *kind = &c->kinds[i];

		if (kind->open)
			open_halt(kind->open);
		LIST_EACH (it, &kind->users)
			take_off(CONTAINER_OF(it, struct cic_user, node), &c->leaving, 0);
		if (kind->open)
			LIST_EACH (it, &kind->open->idle)
				take_off(CONTAINER_OF(it, struct cic_user, node), &c->leaving, 0);
	}
	shorten_stops(c, 0);
	LIST_EACH (it, &c->leaving)
		user_discard(CONTAINER_OF(it, struct cic_user, node));
	loop_timer_clear(c->place.loop, &c->timer);
}

void crew_fini(struct crew *c)
{
	ensure(!c->living);
	for (size_t i = 0; i < c->kind_count; i++) {
		open_destroy(&c->kinds[i].open);
		mem_free(c->kinds[i].weights_below);
		mem_free(c->kinds[i].host);
	}
	mem_free(c->kinds);
	http_client_destroy(&c->place.http);
	fiber_pool_fini(&c->place.fibers);
	tally_fini(&c->place.tally);
	buf_fini(&c->place.target);
	buf_fini(&c->place.headers);
	decoder_destroy(&c->place.decoder);
}

void crew_set(struct crew *c, const uint64_t *counts, const char *host, uint64_t stop_timeout_us)
{
	c->cut_at_us = loop_now(c->place.loop) + stop_timeout_us;
	c->place.gives_time = stop_timeout_us > 0;
	for (size_t i = 0; host && i < c->kind_count; i++)
		set_host(c, &c->kinds[i], host);
	shorten_stops(c, c->cut_at_us);
	for (size_t i = 0; i < c->kind_count; i++) {
		struct user_kind *kind = &c->kinds[i];

		kind->wanted = counts[i];
		if (kind->open)
			open_set_count(kind->open, counts[i]);
		else
			kind->missing =
				counts[i] > kind->user_count ? counts[i] - kind->user_count : 0;
	}
	c->is_settled = false;
	c->is_at_work = true;
	loop_timer_set(c->place.loop, &c->timer, loop_now(c->place.loop));
}

void crew_trim(struct crew *c)
{
	fiber_pool_trim(&c->place.fibers);
	http_client_trim(c->place.http);
	loop_timer_set(c->place.loop, &c->timer, loop_now(c->place.loop));
}

void crew_set_host(struct crew *c, size_t class_index, const char *host)
{
	set_host(c, &c->kinds[class_index], host);
}

void crew_set_tasks(struct crew *c, size_t class_index, const bool *draws)
{
	weigh_tasks(&c->kinds[class_index], draws);
}

void crew_count(const struct crew *c, uint64_t *out)
{
	for (size_t i = 0; i < c->kind_count; i++)
		out[i] = c->kinds[i].open ? c->kinds[i].open->count
					  : c->kinds[i].user_count + c->kinds[i].leaving_count;
}
