/* SPDX-License-Identifier: MIT
 *
 * crew - see the header. A user is on exactly one list: its kind's `users` while it is wanted,
 * the crew's `leaving` from then on. living == the sum over kinds of user_count + leaving_count.
 * Surplus users are stopped newest first, as the dispatcher takes them back. */
#include "user/crew.h"

#include <string.h>

#include "base/mem.h"
#include "http/url.h"
#include "user/open.h"

static void settle_if_done(struct crew *c)
{
	if (c->is_settled || !list_is_empty(&c->leaving))
		return;
	c->is_settled = true;
	c->on_settled(c->arg);
}

/* From the wanted ones to those that are to stop. */
static void take_off(struct crew *c, struct cic_user *u, uint64_t cut_at_us)
{
	list_remove(&u->node);
	list_append(&c->leaving, &u->node);
	u->kind->user_count--;
	u->kind->leaving_count++;
	u->cut_at_us = cut_at_us;
	u->is_leaving = true;
}

static void on_quitting(void *arg, struct cic_user *u)
{
	/* Sessions come and go; those that go must not hold up what waits for the crew to settle.
	 */
	if (!u->kind->open)
		take_off(arg, u, UINT64_MAX);
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

static void kind_init(struct crew *c, struct user_kind *kind, const struct cic_user_class *class)
{
	double below = 0;

	*kind = (struct user_kind){ .class = class };
	list_init(&kind->users);
	while (class->tasks[kind->task_count].run)
		kind->task_count++;
	kind->weights_below = mem_zalloc(kind->task_count, sizeof(*kind->weights_below));
	for (size_t i = 0; i < kind->task_count; i++) {
		below += class->tasks[i].weight > 0 ? class->tasks[i].weight : 1;
		kind->weights_below[i] = below;
	}
	err_set(&kind->host_error, ERR_NOT_FOUND,
		"class %s has no host; give one with --host, or .host in the class", class->name);
	if (class->host)
		set_host(c, kind, class->host);
}

/* Cuts off those whose time is over, and sets the timer for the next ones. */
static void cut_late(void *arg)
{
	struct crew *c = arg;
	uint64_t now_us = loop_now(c->place.loop), next_us = UINT64_MAX;

	LIST_EACH (it, &c->leaving) {
		struct cic_user *u = CONTAINER_OF(it, struct cic_user, node);

		if (u->cut_at_us <= now_us)
			user_cut(u);
		else if (u->cut_at_us < next_us)
			next_us = u->cut_at_us;
	}
	if (next_us == UINT64_MAX)
		loop_timer_clear(c->place.loop, &c->cut_timer);
	else
		loop_timer_set(c->place.loop, &c->cut_timer, next_us);
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
	loop_timer_init(&c->cut_timer, cut_late, c);
	c->kinds = mem_zalloc(c->kind_count, sizeof(*c->kinds));
	for (size_t i = 0; i < c->kind_count; i++) {
		kind_init(c, &c->kinds[i], s->classes[i]);
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
			take_off(c, CONTAINER_OF(it, struct cic_user, node), 0);
		if (kind->open)
			LIST_EACH (it, &kind->open->idle)
				take_off(c, CONTAINER_OF(it, struct cic_user, node), 0);
	}
	LIST_EACH (it, &c->leaving)
		user_discard(CONTAINER_OF(it, struct cic_user, node));
	loop_timer_clear(c->place.loop, &c->cut_timer);
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

static void stop_one(struct crew *c, struct cic_user *u, uint64_t cut_at_us)
{
	take_off(c, u, cut_at_us);
	user_stop(u);
}

static void stop_surplus(struct crew *c, struct user_kind *kind, uint64_t count, uint64_t cut_at_us)
{
	while (kind->user_count > count)
		stop_one(c, CONTAINER_OF(kind->users.prev, struct cic_user, node), cut_at_us);
}

/* Sessions of a class that goes on stay for the arrivals to come, however few. */
static void set_open(struct crew *c, struct user_kind *kind, uint64_t count, uint64_t cut_at_us)
{
	open_set_count(kind->open, count);
	if (count)
		return;
	while (!list_is_empty(&kind->open->idle))
		stop_one(c, CONTAINER_OF(kind->open->idle.prev, struct cic_user, node), cut_at_us);
	while (!list_is_empty(&kind->users))
		stop_one(c, CONTAINER_OF(kind->users.prev, struct cic_user, node), cut_at_us);
}

/* A user may leave in the middle of its own start, so what is made is counted beforehand. */
static void start_missing(struct crew *c, struct user_kind *kind, uint64_t count)
{
	uint64_t missing = kind->user_count < count ? count - kind->user_count : 0;

	for (; missing; missing--) {
		uint64_t number = c->next_number;

		c->next_number += c->number_step;
		c->living++;
		kind->user_count++;
		user_create(&c->place, kind, number);
	}
}

void crew_set(struct crew *c, const uint64_t *counts, const char *host, uint64_t stop_timeout_us)
{
	uint64_t cut_at_us = loop_now(c->place.loop) + stop_timeout_us;

	/* Not before all of it is done: the last of those that leave may go in between. */
	c->is_settled = true;
	for (size_t i = 0; host && i < c->kind_count; i++)
		set_host(c, &c->kinds[i], host);
	LIST_EACH (it, &c->leaving) {
		struct cic_user *u = CONTAINER_OF(it, struct cic_user, node);

		if (cut_at_us < u->cut_at_us)
			u->cut_at_us = cut_at_us;
	}
	for (size_t i = 0; i < c->kind_count; i++)
		if (c->kinds[i].open)
			set_open(c, &c->kinds[i], counts[i], cut_at_us);
		else
			stop_surplus(c, &c->kinds[i], counts[i], cut_at_us);
	for (size_t i = 0; i < c->kind_count; i++)
		if (!c->kinds[i].open)
			start_missing(c, &c->kinds[i], counts[i]);
	cut_late(c);
	c->is_settled = false;
	settle_if_done(c);
}

void crew_count(const struct crew *c, uint64_t *out)
{
	for (size_t i = 0; i < c->kind_count; i++)
		out[i] = c->kinds[i].open ? c->kinds[i].open->count
					  : c->kinds[i].user_count + c->kinds[i].leaving_count;
}
