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
#include "stat/shown.h"
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
static PyObject *log_record(PyObject *module, PyObject *args)
{
	const char *logger, *text;
	int level;

	(void)module;
	if (!PyArg_ParseTuple(args, "iss", &level, &logger, &text))
		return NULL;
	log_text((enum log_level)(level < 0		 ? 0
				  : level > LOG_CRITICAL ? LOG_CRITICAL
							 : level),
		 logger, text);
	Py_RETURN_NONE;
}

/* A response time of whatever kind, as microseconds. */
static uint64_t ms_to_us(double ms)
{
	return ms > 0 ? (uint64_t)((ms < LIMIT_WAIT_S * 1e3 ? ms : LIMIT_WAIT_S * 1e3) * 1e3 + 0.5)
		      : 0;
}

/* record(type, name, response time in ms or None, length, error or None, has an answer come) */
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
	request.is_untimed = args[2] == Py_None;
	if (!request.is_untimed)
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

/* fail(type, name, error): of a request that is recorded besides */
static PyObject *fail(PyObject *module, PyObject *args)
{
	struct python *p = python_self();
	const char *type, *name, *error;

	(void)module;
	if (!PyArg_ParseTuple(args, "sss", &type, &name, &error))
		return NULL;
	if (p->place)
		tally_fail(&p->place->tally, tally_label(&p->place->tally, type, name), error,
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

/* Posts it; takes what it points at. */
static void wish(const struct wish *given)
{
	struct python *p = python_self();
	struct wish *w = mem_alloc(sizeof(*w));

	*w = *given;
	pthread_mutex_lock(&p->lock);
	if (p->is_heard) {
		mailbox_post(&p->replies, &w->mail);
		w = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	if (!w)
		return;
	mem_free(w->type);
	mem_free(w->to);
	mem_free(w->data);
	mem_free(w);
}

/* shape(users, spawn_rate, classes): what tick() said, names with spaces between or None; shape(-1,
 * 0, None): the test ends. */
static PyObject *set_shape(PyObject *module, PyObject *args)
{
	struct python *p = python_self();
	const char *classes;
	long long users;
	double spawn_rate;

	(void)module;
	if (!PyArg_ParseTuple(args, "Ldz", &users, &spawn_rate, &classes))
		return NULL;
	pthread_mutex_lock(&p->lock);
	p->shape_is_over = users < 0;
	if (users >= 0) {
		p->shape_tick = (struct cic_tick){ (uint64_t)users, spawn_rate };
		mem_free(p->shape_classes);
		p->shape_classes = classes ? mem_strdup(classes) : NULL;
	}
	pthread_mutex_unlock(&p->lock);
	wish(&(struct wish){ .kind = WISH_SHAPE });
	Py_RETURN_NONE;
}

/* shape_now() -> (users that run, and of the start: users, spawn_rate, run_time), for the shape */
static PyObject *shape_now(PyObject *module, PyObject *unused)
{
	struct python *p = python_self();
	struct cic_now now;

	(void)module;
	(void)unused;
	pthread_mutex_lock(&p->lock);
	now = p->shape_now;
	pthread_mutex_unlock(&p->lock);
	return Py_BuildValue("(KKdd)", (unsigned long long)now.user_count,
			     (unsigned long long)now.asked_users, now.asked_spawn_rate,
			     now.asked_run_time_s);
}

/* Numbers of a list; false: an exception. */
static bool read_shares(PyObject *list, struct shares *out)
{
	Py_ssize_t count = PySequence_Size(list);

	if (count > LIMIT_SHARES)
		PyErr_Format(PyExc_ValueError, "at most %d percentiles", LIMIT_SHARES);
	*out = (struct shares){ 0 };
	for (Py_ssize_t i = 0; i < count && !PyErr_Occurred(); i++) {
		PyObject *item = PySequence_GetItem(list, i);
		double share = item ? PyFloat_AsDouble(item) : 0;

		Py_XDECREF(item);
		if (!PyErr_Occurred() && !(share >= 0 && share <= 1))
			PyErr_SetString(PyExc_ValueError,
					"a percentile is a number from 0 to 1, such as 0.95");
		out->value[out->count++] = share;
	}
	return !PyErr_Occurred();
}

/* Seconds from 0.1 to a day. */
static bool read_interval(double seconds, uint64_t *out)
{
	if (!(seconds >= 0.1 && seconds <= 86400))
		PyErr_SetString(PyExc_ValueError, "an interval is from 0.1 to 86400 seconds");
	else
		*out = (uint64_t)(seconds * CLOCK_S);
	return !PyErr_Occurred();
}

/* shown(percentiles to report, to statistics, to chart, seconds of the console's tables, of CSV
 * files, of the history, of what is current, widths of type and name, is it late). The control
 * thread waits meanwhile, or it is late. */
static PyObject *set_shown(PyObject *module, PyObject *args)
{
	PyObject *report, *statistics, *chart;
	double console_s, csv_s, history_s, recent_s;
	struct shown given = shown_usual();
	int is_late;

	(void)module;
	if (!PyArg_ParseTuple(args, "OOOddddIIp", &report, &statistics, &chart, &console_s, &csv_s,
			      &history_s, &recent_s, &given.type_width, &given.name_width,
			      &is_late))
		return NULL;
	if (!read_shares(report, &given.report) || !read_shares(statistics, &given.statistics) ||
	    !read_shares(chart, &given.chart) || !read_interval(console_s, &given.console_us) ||
	    !read_interval(csv_s, &given.csv_us) || !read_interval(history_s, &given.history_us) ||
	    !read_interval(recent_s, &given.recent_us))
		return NULL;
	if (given.type_width > given.name_width || given.name_width > LIMIT_STAT_NAME_BYTES)
		return PyErr_Format(PyExc_ValueError,
				    "STATS_TYPE_WIDTH and STATS_NAME_WIDTH, up to %d, do not fit",
				    LIMIT_STAT_NAME_BYTES);
	if (is_late)
		shown_change(&given);
	else
		shown_begin(&given);
	Py_RETURN_NONE;
}

/* foreseen() -> users at the end of the ramp */
static PyObject *foreseen(PyObject *module, PyObject *unused)
{
	struct python *p = python_self();
	uint64_t count;

	(void)module;
	(void)unused;
	pthread_mutex_lock(&p->lock);
	count = p->users_foreseen;
	pthread_mutex_unlock(&p->lock);
	return PyLong_FromUnsignedLongLong(count);
}

/* wish(what, code): "quit", "stop", "reset", "begun" (test_start is over), or "quit_done" with the
 * exit code. Before `init` in vain. */
static PyObject *make_wish(PyObject *module, PyObject *args)
{
	const char *what;
	int code = 0;

	(void)module;
	if (!PyArg_ParseTuple(args, "s|i", &what, &code))
		return NULL;
	wish(&(struct wish){ .kind = strcmp(what, "quit") == 0	  ? WISH_QUIT
				     : strcmp(what, "stop") == 0  ? WISH_STOP
				     : strcmp(what, "reset") == 0 ? WISH_RESET
				     : strcmp(what, "begun") == 0 ? WISH_BEGUN
								  : WISH_QUIT_DONE,
			     .code = code });
	Py_RETURN_NONE;
}

/* start(users, spawn_rate): so many of them from now on. */
static PyObject *start(PyObject *module, PyObject *args)
{
	struct wish w = { .kind = WISH_START };
	unsigned long long users;

	(void)module;
	if (!PyArg_ParseTuple(args, "Kd", &users, &w.spawn_rate))
		return NULL;
	w.users = users;
	wish(&w);
	Py_RETURN_NONE;
}

/* pages(host, port): the web interface is there from now on. */
static PyObject *open_pages(PyObject *module, PyObject *args)
{
	unsigned short port;
	const char *host;

	(void)module;
	if (!PyArg_ParseTuple(args, "sH", &host, &port))
		return NULL;
	wish(&(struct wish){ .kind = WISH_PAGES, .type = mem_strdup(host), .code = port });
	Py_RETURN_NONE;
}

/* send(type, to, data): a custom message. */
static PyObject *send_message(PyObject *module, PyObject *args)
{
	const char *type, *to, *data;
	Py_ssize_t len;

	(void)module;
	if (!PyArg_ParseTuple(args, "ssy#", &type, &to, &data, &len))
		return NULL;
	if (len > LIMIT_CUSTOM_BYTES)
		return PyErr_Format(PyExc_ValueError, "message '%s' has %zd bytes; at most %d fit",
				    type, len, LIMIT_CUSTOM_BYTES);
	wish(&(struct wish){ .kind = WISH_SEND,
			     .type = mem_strdup(type),
			     .to = mem_strdup(to),
			     .data = mem_strndup(data, (size_t)len),
			     .data_len = (size_t)len });
	Py_RETURN_NONE;
}

/* Of extra() and options(). */
static PyObject *wish_with_pairs(PyObject *args, enum wish_kind kind)
{
	const char *data;
	Py_ssize_t len, count;

	if (!PyArg_ParseTuple(args, "y#n", &data, &len, &count))
		return NULL;
	if (len > LIMIT_CUSTOM_BYTES)
		return PyErr_Format(PyExc_ValueError,
				    "%zd bytes for other processes; at most %d fit", len,
				    LIMIT_CUSTOM_BYTES);
	wish(&(struct wish){ .kind = kind,
			     .data = mem_strndup(data, (size_t)len),
			     .data_len = (size_t)len,
			     .count = (size_t)count });
	Py_RETURN_NONE;
}

/* extra(pairs, count): what listeners of report_to_master have added. */
static PyObject *give_extra(PyObject *module, PyObject *args)
{
	(void)module;
	return wish_with_pairs(args, WISH_EXTRA);
}

/* usual(pairs, count): what they add while nothing has happened. */
static PyObject *give_usual(PyObject *module, PyObject *args)
{
	(void)module;
	return wish_with_pairs(args, WISH_USUAL);
}

/* options(pairs, count): the locustfile's own, for the workers. */
static PyObject *give_options(PyObject *module, PyObject *args)
{
	(void)module;
	return wish_with_pairs(args, WISH_OPTIONS);
}

/* web(ticket, status, headers, body): headers as name NUL value NUL. */
static PyObject *answer_web(PyObject *module, PyObject *args)
{
	const char *headers, *body;
	Py_ssize_t headers_len, body_len;
	unsigned long long ticket;
	int status;

	(void)module;
	if (!PyArg_ParseTuple(args, "Kiy#y#", &ticket, &status, &headers, &headers_len, &body,
			      &body_len))
		return NULL;
	wish(&(struct wish){ .kind = WISH_WEB,
			     .ticket = ticket,
			     .code = status,
			     .type = mem_strndup(headers, (size_t)headers_len),
			     .type_len = (size_t)headers_len,
			     .data = mem_strndup(body, (size_t)body_len),
			     .data_len = (size_t)body_len });
	Py_RETURN_NONE;
}

/* want("reports") or want("heartbeats"): somebody listens. */
static PyObject *want(PyObject *module, PyObject *what)
{
	struct python *p = python_self();
	bool is_reports = PyUnicode_CompareWithASCIIString(what, "reports") == 0;

	(void)module;
	atomic_store(is_reports ? &p->wants_reports : &p->wants_heartbeats, true);
	Py_RETURN_NONE;
}

static PyObject *users_of_classes(const struct python_cluster *c)
{
	PyObject *dict = PyDict_New(), *count;

	for (size_t i = 0; dict && i < c->class_count; i++) {
		count = PyLong_FromUnsignedLongLong(c->classes[i].user_count);
		if (!count || PyDict_SetItemString(dict, c->classes[i].name, count))
			Py_CLEAR(dict);
		Py_XDECREF(count);
	}
	return dict;
}

/* cluster() -> (users, wanted users, workers, [(id, state, users, cpu, memory)], {class: users}),
 * of a master */
static PyObject *read_cluster(PyObject *module, PyObject *unused)
{
	const struct python_cluster *c = &python_self()->cluster;
	PyObject *list = PyList_New(0), *row;

	(void)module;
	(void)unused;
	for (size_t i = 0; list && i < c->count; i++) {
		const struct python_worker *w = &c->workers[i];

		row = Py_BuildValue("(ssKdK)", w->id, w->state, (unsigned long long)w->user_count,
				    w->cpu_usage, (unsigned long long)w->memory_usage);
		if (!row || PyList_Append(list, row))
			Py_CLEAR(list);
		Py_XDECREF(row);
	}
	return list ? Py_BuildValue("(KKnNN)", (unsigned long long)c->user_count,
				    (unsigned long long)c->target_user_count,
				    (Py_ssize_t)c->worker_count, list, users_of_classes(c))
		    : NULL;
}

/* ---- statistics ---- */

static PyObject *row_of(const struct stats_entry *e, const struct stats_entry *total)
{
	PyObject *min = isnan(e->min_response_time_ms)
				? Py_NewRef(Py_None)
				: PyFloat_FromDouble(e->min_response_time_ms);

	return Py_BuildValue(
		"{ss ss sK sK sK sd sN sd sK sd sd sd sd sd sd sd}", "name", e->name, "method",
		e->method, "num_requests", (unsigned long long)e->num_requests, "num_none_requests",
		(unsigned long long)e->num_none_requests, "num_failures",
		(unsigned long long)e->num_failures, "total_response_time",
		e->total_response_time_ms, "min_response_time", min, "max_response_time",
		e->max_response_time_ms, "total_content_length",
		(unsigned long long)e->total_content_length, "start_time", e->start_time,
		"last_request_timestamp", e->last_request_timestamp, "median_response_time",
		stats_median_ms(e), "current_rps", stats_current_rps(e, total),
		"current_fail_per_sec", stats_current_fail_per_sec(e, total), "total_rps",
		stats_total_rps(e, total), "total_fail_per_sec",
		stats_total_fail_per_sec(e, total));
}

/* {second: count} of the last minute. */
static PyObject *seconds_of(const struct stats_entry *e, bool want_failures)
{
	PyObject *out = PyDict_New();

	for (size_t i = 0; out && i < STATS_SECONDS; i++) {
		const struct stats_second *s = &e->seconds[i];
		uint64_t count = want_failures ? s->failures : s->requests;
		PyObject *key = count ? PyLong_FromLongLong(s->unix_s) : NULL;
		PyObject *value = key ? PyLong_FromUnsignedLongLong(count) : NULL;

		if (count && (!value || PyDict_SetItem(out, key, value)))
			Py_CLEAR(out);
		Py_XDECREF(key);
		Py_XDECREF(value);
	}
	return out;
}

/* {rounded milliseconds: count} */
static PyObject *rounded_times_of(const struct stats_entry *e)
{
	PyObject *out = PyDict_New();
	struct rounded times;

	rounded_init(&times);
	stats_rounded(e, &times);
	for (size_t i = 0; out && i < times.used; i++) {
		PyObject *key = PyLong_FromDouble(times.buckets[i].ms);
		PyObject *value = key ? PyLong_FromUnsignedLongLong(times.buckets[i].count) : NULL;

		if (!value || PyDict_SetItem(out, key, value))
			Py_CLEAR(out);
		Py_XDECREF(key);
		Py_XDECREF(value);
	}
	rounded_fini(&times);
	return out;
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

/* A row, or the total where the name is NULL. */
static struct stats_entry *find_entry(struct stats *s, const char *method, const char *name)
{
	return name ? stats_entry(s, str_of(method), str_of(name), 0) : &s->total;
}

/* percentile(method, name or None, share) */
static PyObject *percentile(PyObject *module, PyObject *args)
{
	const char *method, *name;
	PyObject *out;
	struct stats s;
	double share;

	(void)module;
	if (!PyArg_ParseTuple(args, "szd", &method, &name, &share))
		return NULL;
	copy_stats(python_self(), &s);
	out = PyFloat_FromDouble(stats_percentile_ms(find_entry(&s, method, name), share));
	stats_fini(&s);
	return out;
}

/* times(method, name or None) -> ({ms: count}, {second: requests}, {second: failures}) */
static PyObject *times(PyObject *module, PyObject *args)
{
	const char *method, *name;
	const struct stats_entry *e;
	PyObject *out;
	struct stats s;

	(void)module;
	if (!PyArg_ParseTuple(args, "sz", &method, &name))
		return NULL;
	copy_stats(python_self(), &s);
	e = find_entry(&s, method, name);
	out = Py_BuildValue("(NNN)", rounded_times_of(e), seconds_of(e, false),
			    seconds_of(e, true));
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
	{ "log", log_record, METH_VARARGS, NULL },
	{ "turn", python_turn, METH_NOARGS, NULL },
	{ "record", (PyCFunction)(void (*)(void))record, METH_FASTCALL, NULL },
	{ "fail", fail, METH_VARARGS, NULL },
	{ "json_text", (PyCFunction)(void (*)(void))python_json_text, METH_FASTCALL, NULL },
	{ "exception", exception, METH_VARARGS, NULL },
	{ "leave", leave, METH_O, NULL },
	{ "run_main", run_main, METH_NOARGS, NULL },
	{ "settle", settle, METH_NOARGS, NULL },
	{ "shape", set_shape, METH_VARARGS, NULL },
	{ "shown", set_shown, METH_VARARGS, NULL },
	{ "shape_now", shape_now, METH_NOARGS, NULL },
	{ "foreseen", foreseen, METH_NOARGS, NULL },
	{ "wish", make_wish, METH_VARARGS, NULL },
	{ "start", start, METH_VARARGS, NULL },
	{ "pages", open_pages, METH_VARARGS, NULL },
	{ "send", send_message, METH_VARARGS, NULL },
	{ "extra", give_extra, METH_VARARGS, NULL },
	{ "usual", give_usual, METH_VARARGS, NULL },
	{ "options", give_options, METH_VARARGS, NULL },
	{ "web", answer_web, METH_VARARGS, NULL },
	{ "want", want, METH_O, NULL },
	{ "way", python_way, METH_VARARGS, NULL },
	{ "cluster", read_cluster, METH_NOARGS, NULL },
	{ "stats", read_stats, METH_NOARGS, NULL },
	{ "percentile", percentile, METH_VARARGS, NULL },
	{ "times", times, METH_VARARGS, NULL },
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
