/* SPDX-License-Identifier: MIT
 *
 * python_thread - the thread that runs Python, from the interpreter's beginning to its end.
 *
 * The module locust_host does the rest: it imports the locustfile and waits until it is told to
 * close. Signals are not Python's: they are blocked here and come to the control thread. */
#include "python/python_int.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"

#define LOGGER "locust.main"

/* Debian's interpreter, whatever python3 comes first in the PATH: what is imported has to fit the
 * library that this program was linked with. */
static PyStatus start_interpreter(const struct python *p)
{
	PyConfig config;
	PyStatus status;

	PyConfig_InitPythonConfig(&config);
	config.install_signal_handlers = 0;
	config.parse_argv = 0;
	status = PyConfig_SetBytesString(&config, &config.program_name, PYTHON_PROGRAM);
	if (!PyStatus_Exception(status))
		status = PyConfig_SetBytesArgv(&config, p->argc, p->argv);
	if (!PyStatus_Exception(status))
		status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	return status;
}

static PyObject *texts(const char *const *list, size_t count)
{
	PyObject *out = PyList_New(0), *text;

	for (size_t i = 0; out && i < count; i++) {
		text = PyUnicode_DecodeFSDefault(list[i]);
		if (!text || PyList_Append(out, text))
			Py_CLEAR(out);
		Py_XDECREF(text);
	}
	return out;
}

static PyObject *is_so(bool value)
{
	return value ? Py_True : Py_False;
}

/* Those that a locustfile sees and nobody else. */
static PyObject *other_options_of(const struct python_options *o)
{
	const char *base = o->web_base_path ? o->web_base_path : "";

	return Py_BuildValue(
		"{sO sO sO sO sO sO sO sO sO sO sO ss ss sz sz sz sz sz sz sz sz sz sK sK sK sK sK "
		"sK sL}",
		"show_task_ratio", is_so(o->want_task_ratio), "show_task_ratio_json",
		is_so(o->want_task_ratio_json), "equal_weights", is_so(o->want_equal_weights),
		"reset_stats", is_so(o->want_reset_stats), "autostart", is_so(o->want_autostart),
		"class_picker", is_so(o->want_class_picker), "print_stats",
		is_so(o->want_print_stats), "only_summary", is_so(o->want_only_summary),
		"stats_history_enabled", is_so(o->want_full_history), "skip_log_setup",
		is_so(o->want_skip_log_setup), "web_login", is_so(o->has_guest_login),
		"web_base_path", base, "base_path", base, "profile", o->profile, "logfile",
		o->log_file, "csv_prefix", o->csv_prefix, "html_file", o->html_file, "web_host",
		o->web_host, "master_host", o->master_host, "master_bind_host", o->master_bind_host,
		"tls_cert", o->web_tls_cert ? o->web_tls_cert : "", "tls_key",
		o->web_tls_key ? o->web_tls_key : "", "web_port", (unsigned long long)o->web_port,
		"master_port", (unsigned long long)o->master_port, "master_bind_port",
		(unsigned long long)o->master_bind_port, "expect_workers",
		(unsigned long long)o->expect_workers, "expect_workers_max_wait",
		(unsigned long long)o->expect_workers_max_wait_s, "exit_code_on_error",
		(unsigned long long)o->exit_code_on_error, "autoquit",
		o->autoquit_s == UINT64_MAX ? -1 : (long long)o->autoquit_s);
}

static PyObject *options_of(const struct python_options *o)
{
	static const char *const roles[] = { "local", "master", "worker" };

	return Py_BuildValue(
		"{sO sN ss sz sK sd sK sK sO sz sN sN sN}", "has_web", is_so(o->has_web), "others",
		other_options_of(o), "role", roles[o->role], "host", o->host, "num_users",
		(unsigned long long)o->users, "spawn_rate", o->spawn_rate, "run_time",
		(unsigned long long)o->run_time_s, "stop_timeout",
		(unsigned long long)o->stop_timeout_s, "headless", is_so(o->is_headless),
		"loglevel", o->log_level, "user_classes",
		texts(o->user_classes, o->user_class_count), "tags", texts(o->tags, o->tag_count),
		"exclude_tags", texts(o->exclude_tags, o->exclude_tag_count));
}

static bool is_of(struct python *p, PyObject *type, const char *name)
{
	PyObject *class = p->host ? PyObject_GetAttrString(p->host, name) : NULL;
	bool matches = class && type && PyErr_GivenExceptionMatches(type, class);

	Py_XDECREF(class);
	return matches;
}

/* Of locust_host.Exit. */
static enum err note_exit(struct python *p, PyObject *value)
{
	PyObject *code = PyObject_GetAttrString(value, "code");

	p->exit_code = code ? (int)PyLong_AsLong(code) & 0xff : 1;
	Py_XDECREF(code);
	return ERR_INTERRUPTED;
}

/* ERR_BAD_INPUT with the exception's words; for locust_host.OptionError ERR_BAD_OPTION. */
static enum err say_exception(struct python *p, struct err_text *text)
{
	PyObject *type, *value, *trace, *words;
	enum err err = ERR_BAD_INPUT;

	PyErr_Fetch(&type, &value, &trace);
	PyErr_NormalizeException(&type, &value, &trace);
	words = value ? PyObject_Str(value) : NULL;
	if (is_of(p, type, "OptionError"))
		err = ERR_BAD_OPTION;
	else if (is_of(p, type, "Exit"))
		err = note_exit(p, value);
	err_set(text, err, "%s", words ? PyUnicode_AsUTF8(words) : "Python failed");
	if (!p->host && type)
		err_set(text, ERR_BAD_INPUT,
			"Python cannot run locustfiles: %s; are python3-gevent and "
			"python3-greenlet "
			"installed?",
			words ? PyUnicode_AsUTF8(words) : "it does not start");
	Py_XDECREF(words);
	Py_XDECREF(type);
	Py_XDECREF(value);
	Py_XDECREF(trace);
	PyErr_Clear();
	return err;
}

/* The module that installs our importer, then gevent, then locust_host. */
static bool start_host(struct python *p)
{
	const char *name = "cicada:/locust_importer.py";
	PyObject *code = Py_CompileString(embed_locust_importer_py, name, Py_file_input);
	PyObject *module = code ? PyImport_ExecCodeModule("locust_importer", code) : NULL;
	PyObject *greenlet = NULL, *gevent = NULL;

	if (module)
		greenlet = PyImport_ImportModule("greenlet");
	if (greenlet)
		gevent = PyImport_ImportModule("gevent");
	if (gevent)
		p->greenlet_exit = PyObject_GetAttrString(gevent, "GreenletExit");
	if (p->greenlet_exit)
		p->hub = PyObject_CallMethod(gevent, "get_hub", NULL);
	if (p->hub) {
		PyObject *type = PyObject_GetAttrString(greenlet, "greenlet");

		p->current = PyObject_GetAttrString(greenlet, "getcurrent");
		p->switch_to = type ? PyObject_GetAttrString(type, "switch") : NULL;
		Py_XDECREF(type);
	}
	if (p->current && p->switch_to)
		p->host = PyImport_ImportModule("locust_host");
	Py_XDECREF(code);
	Py_XDECREF(module);
	Py_XDECREF(greenlet);
	Py_XDECREF(gevent);
	return p->host;
}

/* A list as an array that ends with NULL, however far it came; false: an exception. */
static bool take_texts(PyObject *list, char ***out)
{
	Py_ssize_t count = PyList_Size(list);

	*out = mem_zalloc((size_t)count + 1, sizeof(**out));
	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *bytes = PyUnicode_EncodeFSDefault(PyList_GET_ITEM(list, i));

		if (!bytes)
			return false;
		(*out)[i] = mem_strdup(PyBytes_AS_STRING(bytes));
		Py_DECREF(bytes);
	}
	return true;
}

/* What the locustfile has left of the command line. */
static bool take_argv(struct python *p, PyObject *rest)
{
	if (!take_texts(rest, &p->own_argv))
		return false;
	p->argc = (int)PyList_GET_SIZE(rest);
	p->argv = p->own_argv;
	return true;
}

static enum err import_file(struct python *p, struct err_text *text)
{
	PyObject *argv, *settings, *rest = NULL, *files, *own;
	bool is_ok;

	if (start_host(p)) {
		argv = texts((const char *const *)p->argv, (size_t)p->argc);
		settings = texts(p->settings->value, p->settings->count);
		rest = PyObject_CallMethod(p->host, p->as_main ? "open_script" : "open_file",
					   "(NNN)", PyUnicode_DecodeFSDefault(p->path), argv,
					   settings);
	}
	files = rest ? PyObject_GetAttrString(p->host, "files") : NULL;
	own = files ? PyObject_GetAttrString(p->host, "own_settings") : NULL;
	is_ok = own && take_texts(files, &p->files) && take_texts(own, &p->own_settings) &&
		(rest == Py_None || take_argv(p, rest));
	Py_XDECREF(own);
	Py_XDECREF(files);
	Py_XDECREF(rest);
	return is_ok ? OK : say_exception(p, text);
}

static char *text_of(PyObject *object)
{
	const char *text = PyUnicode_AsUTF8(object);

	return mem_strdup(text ? text : "");
}

/* fields: [(name, help, value, is_secret, [choice, ...] or None), ...] */
static bool take_fields(struct python *p)
{
	PyObject *list = PyObject_CallMethod(p->host, "fields", NULL);
	size_t count = list ? (size_t)PyList_GET_SIZE(list) : 0;
	bool is_ok = list;

	p->fields = mem_zalloc(count, sizeof(*p->fields));
	for (; is_ok && p->field_count < count; p->field_count++) {
		PyObject *item = PyList_GET_ITEM(list, (Py_ssize_t)p->field_count);
		PyObject *choices = PyTuple_GET_ITEM(item, 4);
		struct python_field *f = &p->fields[p->field_count];

		*f = (struct python_field){ .name = text_of(PyTuple_GET_ITEM(item, 0)),
					    .help = text_of(PyTuple_GET_ITEM(item, 1)),
					    .value = text_of(PyTuple_GET_ITEM(item, 2)),
					    .is_secret = PyTuple_GET_ITEM(item, 3) == Py_True };
		is_ok = choices == Py_None || take_texts(choices, &f->choices);
	}
	Py_XDECREF(list);
	return is_ok && !PyErr_Occurred();
}

static enum err load(struct python *p, struct err_text *text)
{
	PyObject *options = options_of(p->options), *found = NULL;
	enum err err;

	python_way_init(p);
	if (options)
		found = PyObject_CallMethod(p->host, "load", "(O)", options);
	err = found && take_fields(p) ? python_classes_describe(p, found, text)
				      : say_exception(p, text);
	Py_XDECREF(options);
	Py_XDECREF(found);
	return err;
}

static void announce(struct python *p, bool *flag)
{
	pthread_mutex_lock(&p->lock);
	*flag = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* True: control says how to go on. */
static bool wait_for_options(struct python *p)
{
	bool goes_on;

	pthread_mutex_lock(&p->lock);
	while (!p->options && !p->is_closing)
		pthread_cond_wait(&p->changed, &p->lock);
	goes_on = p->options;
	pthread_mutex_unlock(&p->lock);
	return goes_on;
}

static void note(struct python *p, enum err err, const struct err_text *text)
{
	p->load_error = err;
	p->load_text = *text;
}

/* From the import to the end of everything. */
static void serve(struct python *p)
{
	struct err_text text = { "" };
	PyObject *result;

	note(p, import_file(p, &text), &text);
	announce(p, &p->is_imported);
	if (p->load_error || !wait_for_options(p))
		return;
	note(p, load(p, &text), &text);
	announce(p, &p->is_loaded);
	/* Until it is told to close. */
	result = PyObject_CallMethod(p->host, "serve", "(i)", p->loop.epoll_fd);
	if (!result)
		PyErr_WriteUnraisable(p->host);
	Py_XDECREF(result);
}

static void stop_interpreter(struct python *p)
{
	python_nudge_fini(p);
	python_client_fini(p);
	Py_CLEAR(p->greenlet_exit);
	Py_CLEAR(p->host);
	Py_CLEAR(p->hub);
	Py_CLEAR(p->switch_to);
	Py_CLEAR(p->current);
	if (Py_FinalizeEx())
		log_line(LOG_WARNING, LOGGER, "The output of the locustfile was not written whole");
}

void *python_thread_main(void *arg)
{
	struct python *p = arg;
	PyStatus status;

	PyImport_AppendInittab("_cicada", python_module_init);
	status = start_interpreter(p);
	if (PyStatus_Exception(status)) {
		p->load_error = err_set(&p->load_text, ERR_UNSUPPORTED,
					"Python does not start: %s; is %s installed?",
					status.err_msg ? status.err_msg : "it wants to exit",
					PYTHON_PROGRAM);
		announce(p, &p->is_imported);
	} else {
		p->state = PyThreadState_Get();
		p->state_thread = PyThread_get_thread_ident();
		serve(p);
		stop_interpreter(p);
	}
	announce(p, &p->is_ended);
	return NULL;
}
