/* SPDX-License-Identifier: MIT
 *
 * python_guest - the users of a load as greenlets (user/load.h), and what else control tells.
 *
 * All of it arrives within a turn of a loop, where no Python may run. So it is noted, and
 * python_guest_act() tells the module locust_host after the turn. A user is known there by a
 * capsule, which is good until the user has left: its context says so. */
#include "python/python_int.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define CAPSULE "cicada.user"

static struct python_user *user_of(struct cic_user *u)
{
	return cic_data(u);
}

static struct python_class *class_of(const struct cic_user *u)
{
	return CONTAINER_OF(u->kind->class, struct python_class, class);
}

/* ---- within a turn ---- */

static void note(struct cic_user *u)
{
	struct list *node = &user_of(u)->node;

	list_remove(node);
	list_append(&class_of(u)->python->users, node);
}

static void begin_user(struct cic_user *u)
{
	list_init(&user_of(u)->node);
	user_of(u)->begins = true;
	note(u);
}

static void stop_user(struct cic_user *u)
{
	user_of(u)->stops = true;
	note(u);
}

static void cut_user(struct cic_user *u)
{
	user_of(u)->is_cut = true;
	note(u);
}

static void forget_user(struct cic_user *u)
{
	struct python_user *user = user_of(u);

	list_remove(&user->node);
	if (user->capsule)
		PyCapsule_SetContext(user->capsule, u);
	Py_CLEAR(user->capsule);
}

static const struct user_guest users = { begin_user, stop_user, cut_user, forget_user };

static void note_event(struct python *p, const char *event, uint64_t value)
{
	struct tell *tell = mem_zalloc(1, sizeof(*tell));

	tell->kind = TELL_EVENT;
	tell->event = event;
	tell->value = (long long)value;
	list_append(&p->tells, &tell->mail.node);
}

static void want(void *arg, uint64_t user_count)
{
	note_event(arg, "want", user_count);
}

/* A byte for each task of the class: is it drawn? */
static void draw(void *arg, const struct cic_user_class *of, const bool *draws)
{
	struct python *p = arg;
	const struct python_class *class = CONTAINER_OF(of, struct python_class, class);
	struct tell *tell = mem_zalloc(1, sizeof(*tell));

	tell->kind = TELL_MESSAGE;
	tell->event = "draw";
	tell->value = (long long)class->index;
	while (class->tasks[tell->data_len].run)
		tell->data_len++;
	tell->data = mem_alloc(tell->data_len + 1);
	for (size_t i = 0; i < tell->data_len; i++)
		tell->data[i] = !draws || draws[i];
	list_append(&p->tells, &tell->mail.node);
}

static void settle(void *arg, struct load_thread *thread)
{
	(void)thread;
	note_event(arg, "settle", 0);
	/* It may be a user that has left between two turns. */
	python_turn_soon(arg);
}

static void count(void *arg, struct stats *taken)
{
	struct python *p = arg;

	python_way_count(p, &taken->health);
	stats_merge(&p->counted, taken);
}

void python_guest_told(void *arg, struct mail *mail)
{
	struct python *p = arg;
	struct tell *tell = CONTAINER_OF(&mail->node, struct tell, mail.node);

	list_append(&p->tells, &tell->mail.node);
}

/* ---- after it ---- */

/* From the network, so it need not be UTF-8. None where there is no text. */
static PyObject *text_of(const char *text)
{
	return text ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace")
		    : Py_NewRef(Py_None);
}

/* Steals `args`. What goes wrong is a bug of ours, and is shown. */
static void call_host(struct python *p, const char *name, PyObject *args)
{
	PyObject *f = args ? PyObject_GetAttrString(p->host, name) : NULL;
	PyObject *result = f ? PyObject_CallObject(f, args) : NULL;

	if (!result)
		PyErr_WriteUnraisable(p->host);
	Py_XDECREF(result);
	Py_XDECREF(f);
	Py_XDECREF(args);
}

static void act_on_user(struct python *p, struct python_user *user)
{
	struct cic_user *u = (struct cic_user *)user - 1;
	bool stops = user->stops, is_cut = user->is_cut;

	if (user->begins) {
		user->begins = false;
		user->capsule = PyCapsule_New(u, CAPSULE, NULL);
		call_host(p, "begin_user",
			  Py_BuildValue("(Onz)", user->capsule, (Py_ssize_t)class_of(u)->index,
					u->kind->host));
	}
	user->stops = user->is_cut = false;
	if (stops || is_cut)
		call_host(p, is_cut ? "cut_user" : "stop_user",
			  Py_BuildValue("(O)", user->capsule));
}

void python_guest_leave(PyObject *capsule)
{
	struct cic_user *u = PyCapsule_GetPointer(capsule, CAPSULE);

	if (!u || PyCapsule_GetContext(capsule))
		return;
	forget_user(u);
	/* Between turns, as seen from the loop: its memory goes with the next one. */
	user_leave(u);
}

/* The hub watches both loops for as long as the load runs. */
static void turn(void *arg, struct user_place *place, struct load_thread *thread)
{
	struct python *p = arg;

	stats_init(&p->counted, clock_wall_s());
	p->place = place;
	p->load_thread = thread;
	place->loop->should_stop = false;
	call_host(p, "begin_load", Py_BuildValue("(i)", place->loop->epoll_fd));
	while (!place->loop->should_stop) {
		python_wait_init(&p->load_wait);
		/* Nobody has this greenlet to throw anything into it. */
		if (!python_wait_for(p, &p->load_wait))
			PyErr_WriteUnraisable(p->host);
	}
	call_host(p, "end_load", PyTuple_New(0));
	python_client_detach_all(p);
	p->place = NULL;
	p->load_thread = NULL;
	stats_fini(&p->counted);
}

void python_guest_run(struct python *p)
{
	void *(*main)(void *) = p->main;

	if (!main || p->is_forked)
		return;
	p->main = NULL;
	main(p->main_arg);
	pthread_mutex_lock(&p->lock);
	p->is_main_running = false;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void forget_stats(struct stats *stats)
{
	if (stats)
		stats_fini(stats);
	mem_free(stats);
}

static void forget_cluster(const struct python_cluster *c)
{
	for (size_t i = 0; i < c->count; i++)
		mem_free(c->workers[i].id);
	mem_free(c->workers);
	for (size_t i = 0; i < c->class_count; i++)
		mem_free(c->classes[i].name);
	mem_free(c->classes);
}

void python_guest_forget(struct python *p, struct tell *tell)
{
	atomic_fetch_sub(&p->told_bytes, tell->cost);
	if (tell->kind == TELL_STATS)
		atomic_fetch_sub(&p->given_count, 1);
	forget_stats(tell->stats);
	forget_cluster(&tell->cluster);
	mem_free(tell->from);
	mem_free(tell->type);
	mem_free(tell->data);
	mem_free(tell);
}

void python_guest_fini(struct python *p)
{
	forget_stats(p->given);
	forget_cluster(&p->cluster);
}

/* What was given before goes with the tell. */
static void swap_given(struct python *p, struct tell *tell)
{
	struct stats *stats = p->given;
	struct python_cluster cluster = p->cluster;

	if (tell->kind == TELL_STATS) {
		p->given = tell->stats;
		tell->stats = stats;
	} else {
		p->cluster = tell->cluster;
		tell->cluster = cluster;
	}
}

static void act_on_tell(struct python *p, struct tell *tell)
{
	switch (tell->kind) {
	case TELL_RUN:
		p->main = tell->main;
		p->main_arg = tell->main_arg;
		call_host(p, "run_load", PyTuple_New(0));
		break;
	case TELL_EVENT:
		call_host(p, "on_event", Py_BuildValue("(sL)", tell->event, tell->value));
		break;
	case TELL_MESSAGE:
		call_host(p, "on_message",
			  Py_BuildValue("(sNNy#L)", tell->event, text_of(tell->from),
					text_of(tell->type), tell->data ? tell->data : "",
					(Py_ssize_t)tell->data_len, tell->value));
		break;
	case TELL_CLUSTER:
	case TELL_STATS:
		swap_given(p, tell);
		if (tell->kind == TELL_CLUSTER)
			call_host(p, "on_cluster", PyTuple_New(0));
		break;
	case TELL_PING:
		atomic_store(&p->pong_number, tell->value);
		break;
	case TELL_CLOSE:
		call_host(p, "close", PyTuple_New(0));
		break;
	}
}

void python_guest_act(struct python *p)
{
	while (!list_is_empty(&p->tells)) {
		struct tell *tell = CONTAINER_OF(p->tells.next, struct tell, mail.node);

		list_remove(&tell->mail.node);
		act_on_tell(p, tell);
		python_guest_forget(p, tell);
	}
	while (!list_is_empty(&p->users)) {
		struct python_user *user = CONTAINER_OF(p->users.next, struct python_user, node);

		list_remove(&user->node);
		act_on_user(p, user);
	}
}

void python_guest_init_ops(struct load_guest *guest)
{
	guest->users = &users;
	guest->turn = turn;
	guest->want = want;
	guest->settle = settle;
	guest->draw = draw;
	guest->counted = count;
}
