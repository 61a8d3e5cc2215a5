/* SPDX-License-Identifier: MIT
 *
 * api - the functions of cicada.h. They run on the fiber of the user they are given; a scenario
 * finds them in the program that loads it. What a scenario passes is checked here, for its
 * texts may come from anywhere: nothing of it may change the framing of a request. */
#include "cicada.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "user/json_path.h"
#include "user/user.h"
#include "user/visit.h"

#define TIMEOUT_DEFAULT_S 60.0

/* Always false. */
static bool refuse(struct turn *t, enum failure_class class, const char *text)
{
	user_fail_request(t, class, text);
	return false;
}

static bool is_absolute(const char *path)
{
	return path[0] != '/' &&
	       (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0);
}

static bool set_absolute(struct visit *v, const char *url)
{
	struct turn *t = v->turn;
	struct http_client *http = t->user->place->http;
	struct err_text why = { 0 };
	struct http_url parts;
	enum err err = http_url_parse(str_of(url), &parts, &why);

	if (!err)
		err = http_client_origin(http, &parts, &v->http.origin, &why);
	if (err)
		return refuse(t, FAILURE_URL, err_say(&why, err));
	v->http.target = parts.target;
	v->userinfo = parts.userinfo;
	return true;
}

/* The path without its fragment; false when it cannot stand in a request line. */
static bool cut_path(const char *path, struct str *out)
{
	const char *p = path;

	while ((unsigned char)*p > ' ' && *p != 0x7f && *p != '#')
		p++;
	*out = (struct str){ path, (size_t)(p - path) };
	return (!*p || *p == '#') && out->len <= LIMIT_URL_BYTES;
}

static bool set_target(struct visit *v, const char *path)
{
	struct turn *t = v->turn;
	const struct user_kind *kind = t->user->kind;
	struct buf *joined = &t->user->place->target;
	struct str tail;

	if (!path)
		return refuse(t, FAILURE_URL,
			      "the path is NULL, as what a row or an answer lacks is");
	if (is_absolute(path))
		return set_absolute(v, path);
	if (!kind->origin)
		return refuse(t, FAILURE_NO_HOST, kind->host_error.text);
	if (!cut_path(path, &tail))
		return refuse(t, FAILURE_URL,
			      "a path may not hold blanks or control characters (write %20), nor "
			      "be longer than 8192 bytes");
	v->http.origin = kind->origin;
	v->http.target = tail;
	v->is_at_host = true;
	if (!kind->base.len)
		return true;
	buf_clear(joined);
	buf_add_str(joined, kind->base);
	if (tail.len && tail.p[0] != '/' && tail.p[0] != '?')
		buf_add_char(joined, '/');
	buf_add_str(joined, tail);
	v->http.target = buf_str(joined);
	return true;
}

static void set_body(struct http_request *out, const struct cic_request *request)
{
	const char *body = request->json ? request->json : request->body;

	if (!body)
		return;
	out->body = (struct str){ body, request->body_len ? request->body_len : strlen(body) };
	if (request->json)
		out->content_type = "application/json";
}

/* False: t->error says why it cannot be sent. */
static bool prepare(struct visit *v, const char *path)
{
	const struct cic_request *request = v->request;
	struct http_request *out = &v->http;
	struct turn *t = v->turn;
	double timeout_s = request->timeout_s > 0 ? request->timeout_s : TIMEOUT_DEFAULT_S;

	if (request->abi != CIC_ABI)
		return refuse(t, FAILURE_VALUE, "set .abi = CIC_ABI in struct cic_request");
	if (!http_is_token(str_of(out->method)))
		return refuse(t, FAILURE_VALUE, "the method is not a word of letters");
	out->timeout_us = user_seconds_us(timeout_s);
	if (!out->timeout_us)
		out->timeout_us = 1;
	set_body(out, request);
	return set_target(v, path) && visit_write_headers(v);
}

/* As requests' raise_for_status() does, in the words of Locust 2.46. */
static void judge_status(struct turn *t)
{
	int status = t->response.status;
	struct str reason = http_slice_str(t->reply.head->reason, t->reply.bytes);
	char text[512];

	if (status < 400)
		return;
	snprintf(text, sizeof(text), "%d %s Error: %.*s for url: %.300s", status,
		 status < 500 ? "Client" : "Server", reason.len < 100 ? (int)reason.len : 100,
		 reason.p, tally_label_name(t->label));
	user_fail_request(t, FAILURE_HTTP, text);
}

static void wait_for_answer(void *arg)
{
	user_suspend(arg);
}

static void on_answer(void *arg)
{
	user_resume(arg);
}

static void ask(struct visit *v)
{
	struct turn *t = v->turn;
	struct loop *loop = t->user->place->loop;
	bool is_whole;

	t->asked_us = loop_now(loop);
	t->state = TURN_ASKED;
	is_whole = visit_walk(v);
	t->state = TURN_ANSWERED;
	t->ended_us = loop_now(loop);
	t->has_answer = !t->reply.error;
	health_add_lag(&t->user->place->tally.stats->health, t->reply.ended_us - t->ended_us);
	t->response.time_us = t->reply.time_us;
	if (!is_whole)
		return;
	t->response.error = t->reply.error;
	t->response.body = t->reply.body;
	t->response.body_len = t->reply.body_len;
	if (t->reply.error)
		return;
	t->response.status = t->reply.head->status;
	judge_status(t);
}

/* The default name of a row: a password must not stand in it. */
static const char *name_of(const char *path)
{
	size_t authority = is_absolute(path) ? (size_t)(strstr(path, "://") - path) + 3 : 0;
	size_t end = authority + strcspn(path + authority, "/?#");
	const char *at = authority ? memrchr(path + authority, '@', end - authority) : NULL;

	return at ? at + 1 : path;
}

static bool is_of_response(const struct turn *t, const char *text)
{
	const struct cic_response *r = &t->response;

	return (text >= r->body && text <= r->body + r->body_len) || texts_has(&t->texts, text);
}

/* Text out of the response to the request before, whose memory is about to go, becomes one of the
 * turn's own. len: without the NUL that is given to the copy; 0: up to the one there is. */
static void outlive(struct turn *t, const char **text, size_t len)
{
	char *own;

	if (!*text || !is_of_response(t, *text))
		return;
	if (!len)
		len = strlen(*text);
	own = mem_alloc(len + 1);
	memcpy(own, *text, len);
	own[len] = '\0';
	*text = t->own[t->own_count++] = own;
}

static void outlive_response(struct turn *t, const char **path, struct cic_request *request)
{
	const char **body = request->json ? &request->json : &request->body;

	user_free_own(t);
	outlive(t, path, 0);
	outlive(t, &request->name, 0);
	outlive(t, &request->headers, 0);
	outlive(t, body, request->body_len);
}

struct cic_response *cic_request(struct cic_user *u, const char *method, const char *path,
				 const struct cic_request *request)
{
	struct turn *t = user_turn(u);
	struct cic_request own = request ? *request : (struct cic_request){ .abi = CIC_ABI };
	struct visit v = { .turn = t,
			   .place = u->place,
			   .kind = u->kind,
			   .client = u->place->http,
			   .conn = &u->conn,
			   .cookies = &u->cookies,
			   .knows_cookie_prefixes = true,
			   .wants_decode = u->kind->class->decode,
			   .redirects_max = LIMIT_REDIRECTS,
			   .wait = wait_for_answer,
			   .done = on_answer,
			   .arg = u,
			   .request = &own,
			   .http = { .method = method } };
	const char *name;

	if (own.abi == CIC_ABI)
		outlive_response(t, &path, &own);
	user_settle_request(u);
	user_check_cut(u);
	name = v.request->name ? v.request->name : name_of(path ? path : "(no path)");
	t->label = tally_label(&u->place->tally, method, name);
	t->response = (struct cic_response){ .body = "" };
	t->has_failed_check = t->has_answer = false;
	if (prepare(&v, path)) {
		ask(&v);
		return &t->response;
	}
	t->state = TURN_ANSWERED;
	t->ended_us = loop_now(u->place->loop);
	/* A scenario that asks nothing but this in a circle must not keep the thread. */
	user_pause(u, 0);
	return &t->response;
}

void cic_check(struct cic_response *r, bool ok, const char *failure_text)
{
	struct turn *t = (struct turn *)r;

	if (ok || t->has_failed_check || (r->error && !r->status))
		return;
	t->has_failed_check = true;
	user_fail_request(t, FAILURE_CHECK, failure_text);
}

void cic_success(struct cic_response *r)
{
	if (!((struct turn *)r)->has_failed_check)
		r->error = NULL;
}

bool cic_json_has(const struct cic_response *r, const char *key)
{
	return json_has_key((struct str){ r->body, r->body_len }, str_of(key));
}

const char *cic_header(struct cic_response *r, const char *name)
{
	struct turn *t = (struct turn *)r;
	struct str value;

	if (!r->status || !http_response_header(t->reply.head, t->reply.bytes, name, &value))
		return NULL;
	snprintf(t->header, sizeof(t->header), "%.*s", STR_ARG(value));
	return t->header;
}

void *cic_data(struct cic_user *u)
{
	ensure(u && u->magic == USER_MAGIC);
	return u + 1;
}

uint64_t cic_user_number(const struct cic_user *u)
{
	ensure(u && u->magic == USER_MAGIC);
	return u->number;
}

double cic_random(struct cic_user *u)
{
	return rng_unit(&user_turn(u)->user->rng);
}

int64_t cic_random_int(struct cic_user *u, int64_t low, int64_t high)
{
	struct rng *rng = &user_turn(u)->user->rng;
	uint64_t range;

	if (low > high) {
		int64_t other = low;

		low = high;
		high = other;
	}
	range = (uint64_t)high - (uint64_t)low;
	return (int64_t)((uint64_t)low +
			 (range == UINT64_MAX ? rng_next(rng) : rng_below(rng, range + 1)));
}

void cic_sleep(struct cic_user *u, double seconds)
{
	user_turn(u);
	user_pause(u, user_seconds_us(seconds));
}

void cic_stop_user(struct cic_user *u)
{
	user_turn(u);
	if (u->wants_stop)
		return;
	u->wants_stop = true;
	u->place->on_quitting(u->place->arg, u);
}

void cic_log(struct cic_user *u, const char *fmt, ...)
{
	char line[LIMIT_LOG_LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_line(LOG_INFO, "cicada.user", "%s: %s", u->kind->class->name, line);
}
