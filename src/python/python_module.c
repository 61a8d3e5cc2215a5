/* SPDX-License-Identifier: MIT
 *
 * python_module - the C module _cicada: what locust's modules (lib/) are written against. */
#include "python/python_int.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "user/tally.h"

#define MODULE(symbol, name, is_package) extern const char symbol[];
#include "python/modules.def"
#undef MODULE

static const struct {
	const char *source, *name;
	bool is_package;
} modules[] = {
#define MODULE(symbol, name, is_package) { symbol, name, is_package },
#include "python/modules.def"
#undef MODULE
};

/* module_source(name) -> (source, is_package), or None. */
static PyObject *module_source(PyObject *module, PyObject *name)
{
	(void)module;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (PyUnicode_CompareWithASCIIString(name, modules[i].name) == 0)
			return Py_BuildValue("(sO)", modules[i].source,
					     modules[i].is_package ? Py_True : Py_False);
	Py_RETURN_NONE;
}

/* log(level 0 to 4, logger, text) */
static PyObject *log_text(PyObject *module, PyObject *args)
{
	const char *logger, *text;
	int level;

	(void)module;
	if (!PyArg_ParseTuple(args, "iss", &level, &logger, &text))
		return NULL;
	log_line((enum log_level)(level < 0		 ? 0
				  : level > LOG_CRITICAL ? LOG_CRITICAL
							 : level),
		 logger, "%s", text);
	Py_RETURN_NONE;
}

/* A response time of whatever kind, as microseconds. */
static uint64_t ms_to_us(double ms)
{
	return ms > 0 ? (uint64_t)((ms < LIMIT_WAIT_S * 1e3 ? ms : LIMIT_WAIT_S * 1e3) * 1e3 + 0.5)
		      : 0;
}

/* record(type, name, response time in ms, length, error or None, has an answer come) */
static PyObject *record(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct python *p = python_self();
	struct stats_request request = { 0 };
	const char *type, *name;
	double length;

	(void)module;
	if (count != 6) {
		PyErr_SetString(PyExc_TypeError, "record() takes 6 arguments");
		return NULL;
	}
	type = PyUnicode_AsUTF8(args[0]);
	name = type ? PyUnicode_AsUTF8(args[1]) : NULL;
	if (!name)
		return NULL;
	request.service_us = ms_to_us(PyFloat_AsDouble(args[2]));
	length = PyFloat_AsDouble(args[3]);
	request.content_bytes = length > 0 && length < 1e15 ? (uint64_t)length : 0;
	if (args[4] != Py_None) {
		request.error = PyUnicode_AsUTF8(args[4]);
		request.outcome = args[5] == Py_True ? STATS_HTTP_ERROR : STATS_NETWORK_ERROR;
	}
	if (PyErr_Occurred())
		return NULL;
	/* Outside of a load nobody counts. */
	if (p->place)
		tally_record(&p->place->tally, tally_label(&p->place->tally, type, name), &request,
			     clock_us());
	Py_RETURN_NONE;
}

/* exception(message, traceback): a task broke. */
static PyObject *exception(PyObject *module, PyObject *args)
{
	struct python *p = python_self();
	struct str msg, traceback;
	Py_ssize_t msg_len, traceback_len;

	(void)module;
	if (!PyArg_ParseTuple(args, "s#s#", &msg.p, &msg_len, &traceback.p, &traceback_len))
		return NULL;
	msg.len = (size_t)msg_len < LIMIT_EXCEPTION_BYTES ? (size_t)msg_len : LIMIT_EXCEPTION_BYTES;
	traceback.len = (size_t)traceback_len < LIMIT_EXCEPTION_BYTES ? (size_t)traceback_len
								      : LIMIT_EXCEPTION_BYTES;
	if (p->load_thread)
		load_report_exception(p->load_thread, msg, traceback);
	Py_RETURN_NONE;
}

static PyObject *leave(PyObject *module, PyObject *capsule)
{
	(void)module;
	python_guest_leave(capsule);
	if (PyErr_Occurred())
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *run_main(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	python_guest_run(python_self());
	Py_RETURN_NONE;
}

static PyObject *settle(PyObject *module, PyObject *unused)
{
	struct python *p = python_self();

	(void)module;
	(void)unused;
	if (p->load_thread)
		load_settle(p->load_thread);
	Py_RETURN_NONE;
}

/* shape(users, spawn_rate): what tick() said; shape(-1, 0): the test ends. */
static PyObject *set_shape(PyObject *module, PyObject *args)
{
	struct python *p = python_self();
	long long users;
	double spawn_rate;

	(void)module;
	if (!PyArg_ParseTuple(args, "Ld", &users, &spawn_rate))
		return NULL;
	pthread_mutex_lock(&p->lock);
	p->shape_is_over = users < 0;
	if (users >= 0)
		p->shape_tick = (struct cic_tick){ (uint64_t)users, spawn_rate };
	pthread_mutex_unlock(&p->lock);
	Py_RETURN_NONE;
}

/* users_running() -> over all workers, for the shape of a master */
static PyObject *users_running(PyObject *module, PyObject *unused)
{
	struct python *p = python_self();
	uint64_t count;

	(void)module;
	(void)unused;
	pthread_mutex_lock(&p->lock);
	count = p->users_running;
	pthread_mutex_unlock(&p->lock);
	return PyLong_FromUnsignedLongLong(count);
}

static void wish(struct python *p, enum wish_kind kind, int code)
{
	struct wish *w = mem_zalloc(1, sizeof(*w));

	w->kind = kind;
	w->code = code;
	pthread_mutex_lock(&p->lock);
	if (p->is_heard)
		mailbox_post(&p->replies, &w->mail);
	else
		mem_free(w);
	pthread_mutex_unlock(&p->lock);
}

/* wish(what, code): "quit", "stop", or "quit_done" with the exit code. Before `init` in vain. */
static PyObject *make_wish(PyObject *module, PyObject *args)
{
	struct python *p = python_self();
	const char *what;
	int code = 0;

	(void)module;
	if (!PyArg_ParseTuple(args, "s|i", &what, &code))
		return NULL;
	wish(p,
	     strcmp(what, "quit") == 0	 ? WISH_QUIT
	     : strcmp(what, "stop") == 0 ? WISH_STOP
					 : WISH_QUIT_DONE,
	     code);
	Py_RETURN_NONE;
}

/* ---- statistics ---- */

static PyObject *row_of(const struct stats_entry *e, const struct stats_entry *total)
{
	return Py_BuildValue("{ss ss sK sK sK sd sd sd sK sd sd sd sd sd sd}", "name", e->name,
			     "method", e->method, "num_requests",
			     (unsigned long long)e->num_requests, "num_none_requests",
			     (unsigned long long)e->num_none_requests, "num_failures",
			     (unsigned long long)e->num_failures, "total_response_time",
			     e->total_response_time_ms, "min_response_time",
			     isnan(e->min_response_time_ms) ? 0 : e->min_response_time_ms,
			     "max_response_time", e->max_response_time_ms, "total_content_length",
			     (unsigned long long)e->total_content_length, "start_time",
			     e->start_time, "last_request_timestamp", e->last_request_timestamp,
			     "median_response_time", stats_median_ms(e), "current_rps",
			     stats_current_rps(e, total), "total_rps", stats_total_rps(e, total),
			     "total_fail_per_sec", stats_total_fail_per_sec(e, total));
}

static PyObject *error_rows(const struct stats *s)
{
	PyObject *list = PyList_New(0), *row;
	struct map_entry *slot;

	for (size_t i = 0; list && (slot = map_next(&s->errors, &i));) {
		const struct stats_error *e = slot->value;

		row = Py_BuildValue("{ss ss ss ss sK}", "key", e->key, "method", e->method, "name",
				    e->name, "error", e->error, "occurrences",
				    (unsigned long long)e->occurrences);
		if (!row || PyList_Append(list, row))
			Py_CLEAR(list);
		Py_XDECREF(row);
	}
	return list;
}

/* What this process has counted since the test began; of a master what it was told. */
static void copy_stats(const struct python *p, struct stats *out)
{
	stats_init(out, p->place   ? p->counted.total.start_time
			: p->given ? p->given->total.start_time
				   : clock_wall_s());
	if (p->given)
		stats_merge(out, p->given);
	if (!p->place)
		return;
	stats_merge(out, &p->counted);
	stats_merge(out, p->place->tally.stats);
}

/* stats() -> (total, [rows], [errors]) */
static PyObject *read_stats(PyObject *module, PyObject *unused)
{
	PyObject *list = PyList_New(0), *row, *out = NULL;
	struct stats_entry **entries;
	struct stats s;
	size_t count;

	(void)module;
	(void)unused;
	copy_stats(python_self(), &s);
	entries = stats_sorted(&s, &count);
	for (size_t i = 0; list && i < count; i++) {
		row = row_of(entries[i], &s.total);
		if (!row || PyList_Append(list, row))
			Py_CLEAR(list);
		Py_XDECREF(row);
	}
	if (list)
		out = Py_BuildValue("(NON)", row_of(&s.total, &s.total), list, error_rows(&s));
	Py_XDECREF(list);
	mem_free(entries);
	stats_fini(&s);
	return out;
}

/* percentile(method, name, share): of a row, or of the total where the name is None. */
static PyObject *percentile(PyObject *module, PyObject *args)
{
	const struct stats_entry *e;
	const char *method, *name;
	PyObject *out;
	struct stats s;
	double share;

	(void)module;
	if (!PyArg_ParseTuple(args, "szd", &method, &name, &share))
		return NULL;
	copy_stats(python_self(), &s);
	e = name ? stats_entry(&s, str_of(method), str_of(name), 0) : &s.total;
	out = PyFloat_FromDouble(stats_percentile_ms(e, share));
	stats_fini(&s);
	return out;
}

/* A test begins. */
static PyObject *clear_stats(PyObject *module, PyObject *unused)
{
	struct python *p = python_self();

	(void)module;
	(void)unused;
	if (p->place)
		stats_clear(&p->counted, clock_wall_s());
	Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
	{ "module_source", module_source, METH_O, NULL },
	{ "log", log_text, METH_VARARGS, NULL },
	{ "turn", python_turn, METH_NOARGS, NULL },
	{ "record", (PyCFunction)(void (*)(void))record, METH_FASTCALL, NULL },
	{ "json_text", (PyCFunction)(void (*)(void))python_json_text, METH_FASTCALL, NULL },
	{ "exception", exception, METH_VARARGS, NULL },
	{ "leave", leave, METH_O, NULL },
	{ "run_main", run_main, METH_NOARGS, NULL },
	{ "settle", settle, METH_NOARGS, NULL },
	{ "shape", set_shape, METH_VARARGS, NULL },
	{ "users_running", users_running, METH_NOARGS, NULL },
	{ "wish", make_wish, METH_VARARGS, NULL },
	{ "stats", read_stats, METH_NOARGS, NULL },
	{ "percentile", percentile, METH_VARARGS, NULL },
	{ "clear_stats", clear_stats, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, .m_name = "_cicada", .m_size = -1,
					 .m_methods = methods };

PyObject *python_module_init(void)
{
	PyObject *module = PyModule_Create(&definition);

	if (module && (!python_client_register(module) || !python_sleeper_register(module) ||
		       PyModule_AddStringConstant(module, "version", CICADA_VERSION)))
		Py_CLEAR(module);
	return module;
}
