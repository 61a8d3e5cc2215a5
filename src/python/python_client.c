/* SPDX-License-Identifier: MIT
 *
 * python_client - the type _cicada.Client: cookies and keep-alive connections of one HTTP session,
 * whose requests take the way of all others (user/visit.h).
 *
 * Client(pool, connections): those that a client keeps are those of another one, where several have
 * a pool in common. Several greenlets may ask at the same time, each over a connection of its own.
 * What the loop writes to while a greenlet waits may not lie on its stack, which is moved away
 * then; it is a struct lane, kept for the next request. */
#include "python/python_int.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "http/client.h"
#include "http/url.h"
#include "user/visit.h"

struct python_conn {
	struct http_conn conn; /* first */
	struct list node;      /* in its client's idle or busy */
};

/* All that belongs to a request in flight. */
struct lane {
	struct python_wait wait; /* first */
	struct turn turn;
	struct python_client *client;
	PyObject *hops; /* of redirects, a list; NULL: none yet */
	struct lane *next;
};

struct python_client {
	PyObject_HEAD struct list node; /* in python.clients */
	struct user_place *place;	/* NULL: not used yet, or the load is over */
	struct cookie_jar cookies;
	struct python_client *pool; /* whose connections it uses; NULL: its own */
	struct list idle, busy;	    /* of struct python_conn; last used first */
	unsigned idle_count, idle_max;
	uint64_t body_us; /* of the last answer */
};

static struct python_client *pool_of(struct python_client *c)
{
	return c->pool ? c->pool : c;
}

/* Of a URL or header that cannot be sent. */
static PyObject *invalid;

/* ---- connections ---- */

static void conn_destroy(struct python_conn *conn)
{
	list_remove(&conn->node);
	http_conn_close(&conn->conn);
	mem_free(conn);
}

/* An idle one that leads there already, else a new one; where there are enough, the one that was
 * idle for longest makes room. */
static struct python_conn *take_conn(struct python_client *c, struct http_client *http,
				     const struct http_origin *origin)
{
	struct python_conn *conn = NULL;

	LIST_EACH (it, &c->idle) {
		conn = CONTAINER_OF(it, struct python_conn, node);
		if (conn->conn.origin == origin)
			break;
		conn = NULL;
	}
	if (!conn) {
		conn = mem_zalloc(1, sizeof(*conn));
		list_init(&conn->node);
		http_conn_init(&conn->conn, http);
	} else {
		c->idle_count--;
	}
	list_remove(&conn->node);
	list_append(&c->busy, &conn->node);
	return conn;
}

static void give_conn(struct python_client *c, struct python_conn *conn)
{
	if (!c->place) {
		conn_destroy(conn);
		return;
	}
	if (c->idle_count == c->idle_max)
		conn_destroy(CONTAINER_OF(c->idle.prev, struct python_conn, node));
	else
		c->idle_count++;
	list_remove(&conn->node);
	/* At the front. */
	list_append(c->idle.next, &conn->node);
}

static void close_idle(struct python_client *c)
{
	LIST_EACH (it, &c->idle)
		conn_destroy(CONTAINER_OF(it, struct python_conn, node));
	c->idle_count = 0;
}

/* Those that are busy stay with their requests, which end by the exception that reaches their
 * greenlets, or never. */
static void detach(struct python_client *c)
{
	close_idle(c);
	LIST_EACH (it, &c->busy)
		http_conn_close(&CONTAINER_OF(it, struct python_conn, node)->conn);
	c->place = NULL;
}

void python_client_detach_all(struct python *p)
{
	LIST_EACH (it, &p->clients)
		detach(CONTAINER_OF(it, struct python_client, node));
	python_way_detach_all(p);
}

/* ---- lanes ---- */

static struct lane *take_lane(struct python *p)
{
	struct lane *lane = p->idle_lanes;

	if (lane) {
		p->idle_lanes = lane->next;
	} else {
		lane = mem_zalloc(1, sizeof(*lane));
		buf_init(&lane->turn.url, LIMIT_URL_BYTES);
	}
	python_wait_init(&lane->wait);
	lane->turn.reply = (struct http_reply){ 0 };
	return lane;
}

static void give_lane(struct python *p, struct lane *lane)
{
	Py_CLEAR(lane->hops);
	buf_clear(&lane->turn.url);
	lane->next = p->idle_lanes;
	p->idle_lanes = lane;
}

void python_client_fini(struct python *p)
{
	while (p->idle_lanes) {
		struct lane *lane = p->idle_lanes;

		p->idle_lanes = lane->next;
		buf_fini(&lane->turn.url);
		mem_free(lane);
	}
	Py_CLEAR(invalid);
}

/* ---- a request ---- */

#define TIMEOUT_MIN_S 1e-6

struct asked {
	struct str method, url, headers, body;
	double timeout_s, connect_timeout_s; /* the second one 0: as the first */
	long redirects_max;		     /* below 0: the first answer is it */
	unsigned long way;
};

static void on_answer(void *arg)
{
	python_wait_end(python_self(), arg);
}

static void wait_for_answer(void *arg)
{
	struct lane *lane = arg;

	if (!python_wait_for(python_self(), &lane->wait))
		lane->turn.reply.error = "interrupted";
	lane->wait.is_over = false;
}

/* For a URL that is UTF-8 or not. */
static PyObject *text_of(struct str s)
{
	return PyUnicode_DecodeLatin1(s.p, (Py_ssize_t)s.len, NULL);
}

static PyObject *head_of(const struct http_reply *reply)
{
	struct str lines = http_slice_str(reply->head->headers, reply->bytes);

	return PyBytes_FromStringAndSize(lines.p, (Py_ssize_t)lines.len);
}

static void on_redirect(void *arg, const struct http_reply *reply, struct str url)
{
	struct lane *lane = arg;
	PyObject *hop;

	if (!lane->hops)
		lane->hops = PyList_New(0);
	hop = Py_BuildValue("(iNNNd)", reply->head->status,
			    text_of(http_slice_str(reply->head->reason, reply->bytes)),
			    head_of(reply), text_of(url), (double)reply->time_us / 1e6);
	/* Without memory for it the history is shorter. */
	if (!lane->hops || !hop || PyList_Append(lane->hops, hop))
		PyErr_Clear();
	Py_XDECREF(hop);
}

/* (status, error, reason, head, body, seconds, URL after redirects, hops) */
static PyObject *result_of(const struct lane *lane, bool is_whole)
{
	const struct turn *t = &lane->turn;
	const struct http_reply *reply = &t->reply;
	const char *error = is_whole ? reply->error : t->error;
	double seconds = (double)reply->time_us / 1e6;
	PyObject *hops = lane->hops ? lane->hops : Py_None;

	if (error)
		return Py_BuildValue("(isOOOdOO)", 0, error, Py_None, Py_None, Py_None, seconds,
				     Py_None, hops);
	return Py_BuildValue(
		"(iONNNdNO)", reply->head->status, Py_None,
		text_of(http_slice_str(reply->head->reason, reply->bytes)), head_of(reply),
		PyBytes_FromStringAndSize(reply->body, (Py_ssize_t)reply->body_len), seconds,
		lane->hops ? text_of(buf_str(&t->url)) : Py_NewRef(Py_None), hops);
}

/* Always NULL. */
static PyObject *refuse(const char *why)
{
	PyErr_SetString(invalid, why);
	return NULL;
}

static PyObject *walk(struct python_client *c, struct lane *lane, struct visit *v)
{
	struct python *p = python_self();
	PyObject *result = NULL;
	bool is_whole;

	if (!visit_write_headers(v))
		return result_of(lane, false);
	is_whole = visit_walk(v);
	if (PyErr_Occurred()) {
		http_conn_close(v->conn);
	} else {
		uint64_t now_us = clock_us();

		result = result_of(lane, is_whole);
		c->body_us = lane->turn.reply.body_us;
		if (c->place)
			health_add_lag(&p->place->tally.stats->health,
				       now_us > lane->turn.reply.ended_us
					       ? now_us - lane->turn.reply.ended_us
					       : 0);
		http_conn_release(v->conn);
	}
	if (c->place)
		decoder_release(c->place->decoder, &lane->turn.decoded);
	return result;
}

/* A function of its own, lest the stack that greenlet moves away holds the error's text. */
__attribute__((noinline)) static bool find_origin(struct http_client *http, struct str text,
						  struct http_url *url,
						  const struct http_origin **out)
{
	struct err_text why = { "" };
	enum err err = http_url_parse(text, url, &why);

	if (!err)
		err = http_client_origin(http, url, out, &why);
	if (err)
		refuse(err_say(&why, err));
	return !err;
}

static PyObject *ask(struct python_client *c, const struct asked *asked)
{
	struct python *p = python_self();
	struct user_place *place = c->place;
	struct cic_request request = { .headers = asked->headers.p,
				       .no_redirects = asked->redirects_max < 0 };
	struct http_client *http = python_way_client(p, (unsigned)asked->way);
	const struct http_origin *origin;
	struct python_conn *conn;
	struct http_url url;
	struct lane *lane;
	PyObject *result;

	loop_refresh(place->loop);
	if (!find_origin(http, asked->url, &url, &origin))
		return NULL;
	conn = take_conn(pool_of(c), http, origin);
	lane = take_lane(p);
	lane->client = c;
	result = walk(c, lane,
		      &(struct visit){ .turn = &lane->turn,
				       .place = place,
				       .client = http,
				       .conn = &conn->conn,
				       .cookies = &c->cookies,
				       .wants_decode = true,
				       .follows_head = true,
				       .redirects_max = (unsigned)asked->redirects_max,
				       .wait = wait_for_answer,
				       .done = on_answer,
				       .on_redirect = on_redirect,
				       .arg = lane,
				       .request = &request,
				       .userinfo = url.userinfo,
				       .http = { .method = asked->method.p,
						 .origin = origin,
						 .target = url.target,
						 .body = asked->body,
						 .held = &p->held,
						 .no_accept = true,
						 .timeout_us = user_seconds_us(asked->timeout_s),
						 .connect_timeout_us = user_seconds_us(
							 asked->connect_timeout_s) } });
	give_conn(pool_of(c), conn);
	give_lane(p, lane);
	return result;
}

/* Text or bytes; None is nothing at all. Lent from the argument. */
static bool read_text(PyObject *arg, struct str *out)
{
	Py_ssize_t len = 0;
	char *bytes = NULL;

	*out = (struct str){ 0 };
	if (arg == Py_None)
		return true;
	if (PyUnicode_Check(arg))
		out->p = PyUnicode_AsUTF8AndSize(arg, &len);
	else if (PyBytes_AsStringAndSize(arg, &bytes, &len) == 0)
		out->p = bytes;
	out->len = (size_t)len;
	return out->p;
}

/* request(method, url, headers, body, timeout, timeout of the connect, redirects, way): headers are
 * lines, timeouts seconds. */
static PyObject *client_request(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	struct python_client *c = (struct python_client *)self;
	struct python *p = python_self();
	struct asked asked;

	if (count != 8) {
		PyErr_SetString(PyExc_TypeError, "request() takes 8 arguments");
		return NULL;
	}
	if (!read_text(args[0], &asked.method) || !read_text(args[1], &asked.url) ||
	    !read_text(args[2], &asked.headers) || !read_text(args[3], &asked.body))
		return NULL;
	asked.timeout_s = PyFloat_AsDouble(args[4]);
	asked.connect_timeout_s = PyFloat_AsDouble(args[5]);
	asked.redirects_max = PyLong_AsLong(args[6]);
	asked.way = PyLong_AsUnsignedLong(args[7]);
	if (PyErr_Occurred())
		return NULL;
	if (p->is_forked)
		return python_fork_refuse(p);
	if (!p->place) {
		PyErr_SetString(
			PyExc_RuntimeError,
			"no requests can be made here: this process runs no users, or not yet");
		return NULL;
	}
	if (!http_is_token(asked.method))
		return refuse("the method is not a word of letters");
	if (!(asked.timeout_s >= TIMEOUT_MIN_S && asked.connect_timeout_s >= 0))
		return refuse("the timeout is not a number of seconds above 0");
	if (asked.way > p->way_count)
		return refuse("there is no such way");
	c->place = pool_of(c)->place = p->place;
	return ask(c, &asked);
}

/* body_seconds(): how long the body of the last answer came after its head. */
static PyObject *client_body_seconds(PyObject *self, PyObject *unused)
{
	(void)unused;
	return PyFloat_FromDouble((double)((struct python_client *)self)->body_us / 1e6);
}

/* ---- cookies ---- */

#define HOST_BYTES (LIMIT_HOST_BYTES + 1)

/* host: room for its name in lower case. */
static enum err read_site(struct str text, char host[HOST_BYTES], struct cookie_site *out,
			  struct err_text *why)
{
	struct http_url url;
	enum err err = http_url_parse(text, &url, why);

	if (err)
		return err;
	snprintf(host, HOST_BYTES, "%.*s", STR_ARG(url.host));
	for (char *p = host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	*out = (struct cookie_site){ .host = str_of(host),
				     .target = url.target,
				     .is_secure = url.is_tls };
	return OK;
}

/* set_cookie(url, line of a Set-Cookie header) */
static PyObject *client_set_cookie(PyObject *self, PyObject *args)
{
	struct python_client *c = (struct python_client *)self;
	struct err_text why = { "" };
	const char *url_text, *line;
	struct cookie_site site;
	char host[HOST_BYTES];

	if (!PyArg_ParseTuple(args, "ss", &url_text, &line))
		return NULL;
	if (read_site(str_of(url_text), host, &site, &why))
		return refuse(why.text);
	cookie_jar_set(&c->cookies, &site, str_of(line), (int64_t)clock_wall_s());
	Py_RETURN_NONE;
}

/* cookies(url) -> "a=1; b=2": those of a request to the URL. */
static PyObject *client_cookies(PyObject *self, PyObject *arg)
{
	struct python_client *c = (struct python_client *)self;
	struct err_text why = { "" };
	struct cookie_site site;
	char host[HOST_BYTES];
	struct str text;
	struct buf out;
	PyObject *result;

	if (!read_text(arg, &text))
		return NULL;
	if (read_site(text, host, &site, &why))
		return refuse(why.text);
	buf_init(&out, 2 * LIMIT_COOKIE_JAR_BYTES);
	cookie_jar_write(&c->cookies, &site, (int64_t)clock_wall_s(), &out);
	result = text_of(buf_str(&out));
	buf_fini(&out);
	return result;
}

/* cookie_list() -> [(name, value, domain, path, expires or None, is of one host only, is secure)]
 */
static PyObject *client_cookie_list(PyObject *self, PyObject *unused)
{
	const struct cookie_jar *jar = &((struct python_client *)self)->cookies;
	int64_t now_s = (int64_t)clock_wall_s();
	PyObject *list = PyList_New(0), *row;
	const struct cookie *at = NULL;
	struct cookie_view view;

	(void)unused;
	while (list && cookie_jar_next(jar, &at, &view)) {
		if (view.expires_s <= now_s)
			continue;
		row = Py_BuildValue("(NNNNNOO)", text_of(view.name), text_of(view.value),
				    text_of(view.domain), text_of(view.path),
				    view.expires_s == INT64_MAX
					    ? Py_NewRef(Py_None)
					    : PyLong_FromLongLong(view.expires_s),
				    view.is_host_only ? Py_True : Py_False,
				    view.is_secure ? Py_True : Py_False);
		if (!row || PyList_Append(list, row))
			Py_CLEAR(list);
		Py_XDECREF(row);
	}
	return list;
}

static PyObject *client_clear_cookies(PyObject *self, PyObject *unused)
{
	(void)unused;
	cookie_jar_clear(&((struct python_client *)self)->cookies);
	Py_RETURN_NONE;
}

/* close(): gives back its idle connections; requests of other greenlets go on. */
static PyObject *client_close(PyObject *self, PyObject *unused)
{
	(void)unused;
	if (!python_self()->is_forked)
		close_idle(pool_of((struct python_client *)self));
	Py_RETURN_NONE;
}

/* ---- the type ---- */

static PyObject *client_new(PyTypeObject *type, PyObject *args, PyObject *named)
{
	unsigned idle_max = LIMIT_PYTHON_CLIENT_CONNS;
	struct python_client *c;
	PyObject *pool = Py_None;

	(void)named;
	if (!PyArg_ParseTuple(args, "|OI", &pool, &idle_max))
		return NULL;
	c = (struct python_client *)type->tp_alloc(type, 0);
	if (c) {
		if (Py_IS_TYPE(pool, type))
			c->pool = (struct python_client *)Py_NewRef(pool);
		c->idle_max = idle_max ? idle_max : 1;
		list_init(&c->idle);
		list_init(&c->busy);
		list_init(&c->node);
		list_append(&python_self()->clients, &c->node);
	}
	return (PyObject *)c;
}

static void client_dealloc(PyObject *self)
{
	struct python_client *c = (struct python_client *)self;
	PyTypeObject *type = Py_TYPE(self);

	list_remove(&c->node);
	/* In a child they are the parent's. */
	if (!python_self()->is_forked)
		detach(c);
	cookie_jar_clear(&c->cookies);
	Py_XDECREF(c->pool);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMethodDef client_methods[] = {
	{ "request", (PyCFunction)(void (*)(void))client_request, METH_FASTCALL, NULL },
	{ "body_seconds", client_body_seconds, METH_NOARGS, NULL },
	{ "set_cookie", client_set_cookie, METH_VARARGS, NULL },
	{ "cookies", client_cookies, METH_O, NULL },
	{ "cookie_list", client_cookie_list, METH_NOARGS, NULL },
	{ "clear_cookies", client_clear_cookies, METH_NOARGS, NULL },
	{ "close", client_close, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot client_slots[] = {
	{ Py_tp_new, client_new },
	{ Py_tp_dealloc, client_dealloc },
	{ Py_tp_methods, client_methods },
	{ 0, NULL },
};

static PyType_Spec client_spec = { .name = "_cicada.Client",
				   .basicsize = sizeof(struct python_client),
				   .flags = Py_TPFLAGS_DEFAULT,
				   .slots = client_slots };

bool python_client_register(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&client_spec);

	invalid = PyErr_NewException("_cicada.Invalid", PyExc_ValueError, NULL);
	if (!type || !invalid || PyModule_AddObjectRef(module, "Client", type) ||
	    PyModule_AddObjectRef(module, "Invalid", invalid)) {
		Py_XDECREF(type);
		return false;
	}
	Py_DECREF(type);
	return true;
}
