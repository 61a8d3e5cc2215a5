/* SPDX-License-Identifier: MIT
 *
 * python_sleeper - the type _cicada.Sleeper: waits of one user, by timers of our loop.
 *
 * No time at all is a wait, too, so that others have their turn between two tasks; but whoever has
 * waited since for something else, as for an answer, has given way already and goes on at once.
 *
 * Another greenlet can end a wait early. That is how a waiting user is stopped: an exception thrown
 * at it would come later than it is thrown, and might hit the request that it has begun by then. */
#include "python/python_int.h"

#include "base/clock.h"

struct python_sleeper {
	PyObject_HEAD struct python_wait wait;
	struct loop_timer timer;
	uint64_t turn; /* python.turn at the end of the last wait */
	bool is_busy;
};

static void on_slept(void *arg)
{
	struct python_sleeper *s = arg;

	if (!s->wait.is_over)
		python_wait_end(python_self(), &s->wait);
}

static void add_lag(struct python *p, uint64_t due_us)
{
	uint64_t now_us = clock_us();

	/* It may have been woken early. */
	if (p->place && now_us >= due_us)
		health_add_lag(&p->place->tally.stats->health, now_us - due_us);
}

/* sleep(seconds) */
static PyObject *sleeper_sleep(PyObject *self, PyObject *arg)
{
	struct python_sleeper *s = (struct python_sleeper *)self;
	struct python *p = python_self();
	double seconds = PyFloat_AsDouble(arg);
	uint64_t due_us;
	bool is_over;

	if (seconds == -1 && PyErr_Occurred())
		return NULL;
	if (s->is_busy) {
		PyErr_SetString(PyExc_RuntimeError, "another greenlet sleeps here already");
		return NULL;
	}
	if (seconds <= 0 && s->turn != p->turn && !p->is_forked) {
		s->turn = p->turn;
		Py_RETURN_NONE;
	}
	s->is_busy = true;
	python_wait_init(&s->wait);
	loop_refresh(&p->loop);
	due_us = loop_now(&p->loop) + user_seconds_us(seconds);
	loop_timer_set(&p->loop, &s->timer, due_us);
	is_over = python_wait_for(p, &s->wait);
	loop_timer_clear(&p->loop, &s->timer);
	s->is_busy = false;
	s->turn = p->turn;
	if (!is_over)
		return NULL;
	add_lag(p, due_us);
	Py_RETURN_NONE;
}

/* wake(): the wait is over. */
static PyObject *sleeper_wake(PyObject *self, PyObject *unused)
{
	struct python_sleeper *s = (struct python_sleeper *)self;

	(void)unused;
	if (s->is_busy && !s->wait.is_over) {
		python_wait_end(python_self(), &s->wait);
		python_turn_soon(python_self());
	}
	Py_RETURN_NONE;
}

static PyObject *sleeper_new(PyTypeObject *type, PyObject *args, PyObject *named)
{
	struct python_sleeper *s = (struct python_sleeper *)type->tp_alloc(type, 0);

	(void)args;
	(void)named;
	if (s)
		loop_timer_init(&s->timer, on_slept, s);
	return (PyObject *)s;
}

/* Whoever sleeps holds a reference, so it is not busy. */
static void sleeper_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	type->tp_free(self);
	Py_DECREF(type);
}

static PyMethodDef methods[] = {
	{ "sleep", sleeper_sleep, METH_O, NULL },
	{ "wake", sleeper_wake, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_new, sleeper_new },
	{ Py_tp_dealloc, sleeper_dealloc },
	{ Py_tp_methods, methods },
	{ 0, NULL },
};

static PyType_Spec spec = { .name = "_cicada.Sleeper",
			    .basicsize = sizeof(struct python_sleeper),
			    .flags = Py_TPFLAGS_DEFAULT,
			    .slots = slots };

bool python_sleeper_register(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&spec);
	bool is_ok = type && PyModule_AddObjectRef(module, "Sleeper", type) == 0;

	Py_XDECREF(type);
	return is_ok;
}
