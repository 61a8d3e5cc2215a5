/* SPDX-License-Identifier: MIT
 *
 * python_fork - what a process is that the locustfile has forked (os.fork(), multiprocessing).
 *
 * Of the threads it has the one that forked, and of the engine nothing: sockets, event queues and
 * timers are the parent's, and whoever uses them here takes from the parent what was for it. So it
 * is without a load from the first moment on, nobody hears its wishes, and locust_host ends it
 * where it would go on as a user. Its signals are as those of any program. */
#include "python/python_int.h"

#include <signal.h>

#include "base/log_kept.h"

static void prepare(void)
{
	if (!python_self())
		return;
	pthread_mutex_lock(&python_self()->lock);
	log_kept_hold();
}

static void go_on(void)
{
	if (!python_self())
		return;
	log_kept_release();
	pthread_mutex_unlock(&python_self()->lock);
}

static void begin_child(void)
{
	struct python *p = python_self();
	sigset_t none;

	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	if (!p)
		return;
	p->is_forked = true;
	p->is_heard = false;
	p->place = NULL;
	p->load_thread = NULL;
	list_init(&p->held); /* the parent sends them */
	go_on();
}

void python_fork_init(void)
{
	static bool is_done;

	if (!is_done)
		pthread_atfork(prepare, go_on, begin_child);
	is_done = true;
}

PyObject *python_fork_refuse(struct python *p)
{
	return PyObject_CallMethod(p->host, "refuse_in_child", NULL);
}
