/* SPDX-License-Identifier: MIT
 *
 * python_turn - greenlets that wait for something of our loops, and the turns that wake them.
 *
 * gevent's hub is where the thread sleeps. It watches the epoll descriptors of our loops; when one
 * of them is readable it calls python_turn(), which turns both loops, none of which runs Python,
 * and then switches to each greenlet whose wait is over. So Python code never runs inside a turn:
 * what the loops promise of a turn holds, and the clock may be read anew whenever Python code calls
 * in. The loops' timers reach the hub by a timerfd among what they watch.
 *
 * What the greenlets of a turn ask for is sent after all of them have run. Sent one by one, every
 * request would wake a target that has slept since the last one, which costs as much as the request
 * itself; and an answer would lie there, and its time grow, while others run. */
#include "python/python_int.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/client.h"

static void on_timerfd(void *arg, uint32_t events)
{
	struct python *p = arg;
	uint64_t count;

	(void)events;
	/* Its only purpose was to have the loops turned. */
	if (read(p->timer_fd, &count, sizeof(count)) == sizeof(count))
		p->armed_us = UINT64_MAX;
}

enum err python_turn_init(struct python *p, struct err_text *text)
{
	enum err err = loop_init(&p->loop, text);

	list_init(&p->tells);
	list_init(&p->users);
	list_init(&p->ready);
	list_init(&p->clients);
	list_init(&p->held);
	p->armed_us = UINT64_MAX;
	p->timer_fd = -1;
	if (err)
		return err;
	err = mailbox_open(&p->told, &p->loop, python_guest_told, p, text);
	if (err)
		return err;
	p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (p->timer_fd < 0 ||
	    loop_watch(&p->loop, &p->timer_watch, p->timer_fd, EPOLLIN, on_timerfd, p))
		return err_set(text, ERR_IO, "cannot create a timer: %s; raise `ulimit -n`",
			       strerror(errno));
	return OK;
}

void python_turn_fini(struct python *p)
{
	if (p->told.loop)
		mailbox_close(&p->told);
	/* Told too late. */
	LIST_EACH (it, &p->tells) {
		struct tell *tell = CONTAINER_OF(it, struct tell, mail.node);

		python_guest_forget(p, tell);
	}
	python_guest_fini(p);
	if (p->timer_fd >= 0)
		close(p->timer_fd);
	loop_fini(&p->loop);
}

void python_turn_arm(struct python *p)
{
	uint64_t due_us = loop_due_us(&p->loop), load_us = UINT64_MAX;
	struct itimerspec at = { 0 };

	if (p->place)
		load_us = loop_due_us(p->place->loop);
	if (load_us < due_us)
		due_us = load_us;
	/* One that fires early costs a turn; one that is set anew each time, a system call. */
	if (due_us >= p->armed_us)
		return;
	p->armed_us = due_us;
	at.it_value =
		(struct timespec){ (time_t)(due_us / CLOCK_S), (long)(due_us % CLOCK_S) * 1000 };
	timerfd_settime(p->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

void python_turn_soon(struct python *p)
{
	const struct itimerspec at = { .it_value = { .tv_nsec = 1 } };

	p->armed_us = 0;
	timerfd_settime(p->timer_fd, 0, &at, NULL);
}

void python_wait_init(struct python_wait *w)
{
	list_init(&w->node);
	w->greenlet = NULL;
	w->is_over = false;
}

/* True: it may wait. */
static bool set_greenlet(struct python *p, struct python_wait *w)
{
	w->greenlet = PyObject_CallNoArgs(p->current);
	if (!w->greenlet)
		return false;
	if (w->greenlet != p->hub)
		return true;
	Py_CLEAR(w->greenlet);
	PyErr_SetString(PyExc_RuntimeError,
			"this would block gevent's hub; do it in a greenlet (gevent.spawn)");
	return false;
}

bool python_wait_for(struct python *p, struct python_wait *w)
{
	PyObject *result = NULL;
	bool is_over;

	if (p->is_forked) {
		result = python_fork_refuse(p);
	} else if (set_greenlet(p, w)) {
		if (!p->is_running_ready)
			http_send_held(&p->held);
		python_turn_arm(p);
		/* Others may have switched here, too; only python_wait_end() counts. */
		do {
			Py_XDECREF(result);
			result = PyObject_CallOneArg(p->switch_to, p->hub);
		} while (result && !w->is_over);
	}
	is_over = result;
	list_remove(&w->node);
	Py_CLEAR(w->greenlet);
	Py_XDECREF(result);
	return is_over;
}

void python_wait_end(struct python *p, struct python_wait *w)
{
	w->is_over = true;
	list_append(&p->ready, &w->node);
}

/* Those that are ready now; what they lead to is for the next turn. */
static void run_ready(struct python *p)
{
	unsigned count = 0;

	p->is_running_ready = true;
	/* One of them may fork: in the child the others are not to go on. */
	while (!list_is_empty(&p->ready) && !p->is_forked) {
		struct python_wait *w = CONTAINER_OF(p->ready.next, struct python_wait, node);
		PyObject *greenlet = w->greenlet, *result;

		list_remove(&w->node);
		if (!greenlet)
			continue;
		Py_INCREF(greenlet);
		result = PyObject_CallOneArg(p->switch_to, greenlet);
		if (!result)
			PyErr_WriteUnraisable(greenlet);
		Py_XDECREF(result);
		Py_DECREF(greenlet);
		if (++count % LIMIT_PYTHON_HELD == 0)
			http_send_held(&p->held);
	}
	http_send_held(&p->held);
	p->is_running_ready = false;
}

PyObject *python_turn(PyObject *module, PyObject *unused)
{
	struct python *p = python_self();

	(void)module;
	(void)unused;
	if (p->place) {
		loop_turn(p->place->loop);
		if (p->place->loop->should_stop && !p->load_wait.is_over)
			python_wait_end(p, &p->load_wait);
	}
	/* After it: what control has told before it ordered users is known before they begin. */
	loop_turn(&p->loop);
	python_guest_act(p);
	run_ready(p);
	p->turn++;
	python_turn_arm(p);
	Py_RETURN_NONE;
}
