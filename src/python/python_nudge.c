/* SPDX-License-Identifier: MIT
 *
 * python_nudge - Python code that runs and runs: says where that is, or ends it.
 *
 * Only with CPython's lock can another thread look at what Python code does, and it gets the lock
 * when that code calls into C or its time slice is over; maybe never. So it is a thread of its own
 * that asks for it. (Py_AddPendingCall() wants no lock, but what it adds is seen by a running loop
 * only when somebody waits for the lock.) */
#include "python/python_int.h"

#include <signal.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

static void report(struct python *p)
{
	PyFrameObject *frame = PyThreadState_GetFrame(p->state);
	PyCodeObject *code = frame ? PyFrame_GetCode(frame) : NULL;

	if (code)
		log_line(LOG_WARNING, "locust.main",
			 "%s:%d: the locustfile keeps its thread in %s() for more than %d s, and "
			 "all users wait; let it call gevent.sleep(0) from time to time",
			 PyUnicode_AsUTF8(code->co_filename), PyFrame_GetLineNumber(frame),
			 PyUnicode_AsUTF8(code->co_name), LIMIT_PYTHON_GIVE_WAY_S);
	Py_XDECREF(code);
	Py_XDECREF(frame);
}

static void *nudge_main(void *arg)
{
	struct python *p = arg;
	PyGILState_STATE state = PyGILState_Ensure();

	if (p->nudge_ends)
		PyThreadState_SetAsyncExc(p->state_thread, p->greenlet_exit);
	else
		report(p);
	atomic_store(&p->is_nudging, false);
	PyGILState_Release(state);
	return NULL;
}

void python_nudge(struct python *p, bool ends)
{
	sigset_t all, before;
	pthread_t thread;

	pthread_mutex_lock(&p->lock);
	if (p->is_final || !p->greenlet_exit || atomic_exchange(&p->is_nudging, true)) {
		pthread_mutex_unlock(&p->lock);
		return;
	}
	p->nudge_ends = ends;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, nudge_main, p) == 0)
		pthread_detach(thread);
	else
		atomic_store(&p->is_nudging, false);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_mutex_unlock(&p->lock);
}

void python_nudge_fini(struct python *p)
{
	PyThreadState *state;

	pthread_mutex_lock(&p->lock);
	p->is_final = true;
	pthread_mutex_unlock(&p->lock);
	state = PyEval_SaveThread();
	while (atomic_load(&p->is_nudging))
		clock_sleep_us(CLOCK_MS);
	PyEval_RestoreThread(state);
}
