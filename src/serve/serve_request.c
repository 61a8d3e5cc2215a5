/* SPDX-License-Identifier: MIT
 *
 * serve_request - one request from head to answer.
 *
 * libmicrohttpd calls on_access with the head alone, then with pieces of the body, then once
 * without body: only the first and the last call may queue an answer. Answering at the head
 * makes it close the connection with body bytes unread, which resets the connection and
 * often destroys the answer on its way. So a body nobody wants is read and dropped up to
 * LIMIT_SERVE_DISCARD_BYTES, and only larger ones, or ones whose sender waits for
 * "100 Continue", are refused at the head. */
#include "serve/serve_int.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "serve/serve_guard.h"

/* Of the connection's memory, what libmicrohttpd needs for an argument beside its text. */
#define QUERY_ARG_BYTES 64
/* What a connection may keep between requests; larger buffers are given back. */
#define KEPT_BUFFER_BYTES (16 * 1024)

static bool path_fits(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);

	if (len >= 2 && strcmp(pattern + len - 2, "/*") == 0)
		return strncmp(pattern, path, len - 1) == 0;
	return strcmp(pattern, path) == 0;
}

static bool method_fits(const char *routed, const char *asked)
{
	return strcmp(routed, asked) == 0 ||
	       (strcmp(asked, "HEAD") == 0 && strcmp(routed, "GET") == 0);
}

static bool is_at(const struct serve_route *route, const struct serve_request *r)
{
	return (r->is_below_base || route->is_anywhere) && path_fits(route->path, r->path);
}

/* Finds the route; with NULL the first whose path alone fits. */
static const struct serve_route *find_route(const struct serve_request *r, const char *method)
{
	for (const struct serve_route *at = r->serve->options.routes; at->method; at++)
		if (is_at(at, r) && (!method || method_fits(at->method, method)))
			return at;
	return NULL;
}

static const char *base_of(const struct serve *s)
{
	return s->options.base_path ? s->options.base_path : "";
}

static void set_path(struct serve_request *r, const char *path)
{
	const char *base = base_of(r->serve);
	size_t len = strlen(base);

	r->whole_path = path;
	r->is_below_base = !len || (strncmp(path, base, len) == 0 && path[len] == '/');
	r->path = r->is_below_base ? path + len : path;
}

static bool is_base_itself(const struct serve_request *r)
{
	return *base_of(r->serve) && strcmp(r->whole_path, base_of(r->serve)) == 0;
}

static const char *known_method(const char *method)
{
	static const char *const known[] = { "GET",	"POST",	 "HEAD",  "PUT",    "DELETE",
					     "OPTIONS", "PATCH", "TRACE", "CONNECT" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], method) == 0)
			return known[i];
	return "other";
}

static void observe(struct serve_request *r)
{
	const struct serve_options *o = &r->serve->options;
	struct serve_answer answer = {
		.route = -1,
		.path = "other",
		.method = known_method(r->method),
		.status = r->status,
		.body_bytes = r->body_bytes,
		.reply_bytes = r->reply.len,
		.request = r,
	};

	if (!o->observe)
		return;
	if (r->route && r->route != o->other) {
		answer.route = (int)(r->route - o->routes);
		answer.path = r->route->path;
	}
	answer.duration_us = clock_us() - r->begun_us;
	o->observe(o->arg, &answer);
}

/* As Flask-CORS has it: who says where he comes from is named, so that caches keep them apart. */
static void add_origin_headers(struct serve_request *r)
{
	const char *origin = serve_header(r, "Origin");

	if (origin)
		MHD_add_response_header(r->response, "Vary", "Origin");
	MHD_add_response_header(r->response, "Access-Control-Allow-Origin", origin ? origin : "*");
}

static void add_response_headers(struct serve_request *r, const char *content_type)
{
	const char *at = buf_str(&r->headers).p, *end = at + r->headers.len;

	if (content_type)
		MHD_add_response_header(r->response, "Content-Type", content_type);
	if (r->serve->options.allow_any_origin)
		add_origin_headers(r);
	if (atomic_load_explicit(&r->serve->is_draining, memory_order_relaxed))
		MHD_add_response_header(r->response, "Connection", "close");
	while (at < end) { /* name, NUL, value, NUL */
		const char *value = at + strlen(at) + 1;

		MHD_add_response_header(r->response, at, value);
		at = value + strlen(value) + 1;
	}
}

static void answer(struct serve_request *r, unsigned status, const char *content_type,
		   struct MHD_Response *response)
{
	ensure(response);
	r->status = status;
	r->response = response;
	add_response_headers(r, content_type);
	observe(r);
	if (r->is_deferred) {
		atomic_fetch_sub(&r->serve->deferred, 1);
		if (!r->serve->options.threads)
			r->serve->has_resumed = true;
		/* From here r belongs to the connection's thread again. */
		MHD_resume_connection(r->connection);
	}
}

/* Room for so many bytes until the request has ended, beside what others hold. */
static bool hold_bytes(struct serve_request *r, size_t bytes)
{
	struct serve *s = r->serve;

	if (atomic_fetch_add(&s->held_bytes, bytes) + bytes <= s->options.max_held_bytes) {
		r->held_bytes += bytes;
		return true;
	}
	atomic_fetch_sub(&s->held_bytes, bytes);
	return false;
}

static void let_go(struct serve_request *r)
{
	if (!r->held_bytes)
		return;
	atomic_fetch_sub(&r->serve->held_bytes, r->held_bytes);
	r->held_bytes = 0;
}

static void answer_crowded(struct serve_request *r)
{
	/* Those of the answer that found no room say how it was coded. */
	buf_clear(&r->headers);
	serve_add_header(r, "Retry-After", "1");
	serve_error(r, 503, "large requests and answers of others are under way; ask again later");
}

bool serve_reply(struct serve_request *r, unsigned status, const char *content_type,
		 const void *bytes, size_t len)
{
	ensure(r->magic == REQUEST_MAGIC && r->is_active && !r->response);
	if (len > KEPT_BUFFER_BYTES && !hold_bytes(r, len)) {
		answer_crowded(r);
		return false;
	}
	buf_clear(&r->reply);
	buf_add(&r->reply, bytes, len);
	ensure(!r->reply.is_full);
	/* r->reply outlives the response: it is only touched again by the next request. */
	answer(r, status, content_type,
	       MHD_create_response_from_buffer(r->reply.len, (void *)buf_str(&r->reply).p,
					       MHD_RESPMEM_PERSISTENT));
	return true;
}

void serve_reply_file(struct serve_request *r, unsigned status, const char *content_type, int fd,
		      uint64_t len)
{
	ensure(r->magic == REQUEST_MAGIC && r->is_active && !r->response);
	answer(r, status, content_type, MHD_create_response_from_fd64(len, fd));
}

void serve_error(struct serve_request *r, unsigned status, const char *fmt, ...)
{
	char said[512];
	struct buf json;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	buf_init(&json, 8 * sizeof(said));
	buf_add_text(&json, "{\"error\": ");
	buf_add_json(&json, str_of(said));
	buf_add_text(&json, "}\n");
	serve_reply(r, status, "application/json", json.p, json.len);
	buf_fini(&json);
}

void serve_defer(struct serve_request *r)
{
	ensure(r->magic == REQUEST_MAGIC && r->is_active && !r->response && !r->is_deferred);
	r->is_deferred = true;
	atomic_fetch_add(&r->serve->deferred, 1);
	MHD_suspend_connection(r->connection);
}

void serve_hold(struct serve_request *r)
{
	const struct serve_options *o = &r->serve->options;

	ensure(r->magic == REQUEST_MAGIC && r->is_active && !r->response && !r->is_deferred);
	ensure(!o->threads && o->gone);
	r->is_held = true;
}

void serve_add_header(struct serve_request *r, const char *name, const char *value)
{
	buf_add(&r->headers, name, strlen(name) + 1);
	for (const char *at = value; *at; at++)
		buf_add_char(&r->headers, (unsigned char)*at < 0x20 || *at == 0x7f ? '_' : *at);
	buf_add_char(&r->headers, '\0');
}

static void answer_options(struct serve_request *r, const char *allow)
{
	serve_add_header(r, "Access-Control-Allow-Methods",
			 "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
	serve_add_header(r, "Allow", allow);
	serve_reply(r, 200, NULL, "", 0);
}

static void answer_page(struct serve_request *r, unsigned status, const char *title,
			const char *text)
{
	char page[512];

	snprintf(page, sizeof(page),
		 "<!doctype html>\n<html lang=en>\n<title>%u %s</title>\n<h1>%s</h1>\n<p>%s</p>\n",
		 status, title, title, text);
	serve_reply(r, status, "text/html; charset=utf-8", page, strlen(page));
}

void serve_no_path(struct serve_request *r)
{
	if (r->serve->options.want_html_errors)
		answer_page(r, 404, "Not Found",
			    "The requested URL was not found on the server. If you entered the URL "
			    "manually please check your spelling and try again.");
	else
		serve_error(r, 404, "no such path: %.200s", r->path);
}

static void answer_no_method(struct serve_request *r, const char *allow)
{
	serve_add_header(r, "Allow", allow);
	if (r->serve->options.want_html_errors)
		answer_page(r, 405, "Method Not Allowed",
			    "The method is not allowed for the requested URL.");
	else
		serve_error(r, 405, "method %.40s is not allowed for %.200s, only %s", r->method,
			    r->path, allow);
}

/* Relative, for a proxy may have us below a path of its own. */
static void go_below_base(struct serve_request *r)
{
	char *to = mem_printf("%s/", strrchr(base_of(r->serve), '/') + 1);

	serve_add_header(r, "Location", to);
	mem_free(to);
	serve_reply(r, 308, NULL, "", 0);
}

/* The path or the method has no route. */
static void answer_unrouted(struct serve_request *r)
{
	const struct serve *s = r->serve;
	bool can_options = s->options.allow_any_origin;
	char allow[128] = "";
	size_t len = 0;

	for (const struct serve_route *at = s->options.routes; at->method; at++)
		if (is_at(at, r) && len < sizeof(allow))
			len += (size_t)snprintf(allow + len, sizeof(allow) - len, "%s%s%s",
						len ? ", " : "", at->method,
						strcmp(at->method, "GET") ? "" : ", HEAD");
	if (!len) {
		if (is_base_itself(r))
			go_below_base(r);
		else
			serve_no_path(r);
		return;
	}
	if (can_options && len < sizeof(allow))
		snprintf(allow + len, sizeof(allow) - len, ", OPTIONS");
	if (can_options && strcmp(r->method, "OPTIONS") == 0) {
		answer_options(r, allow);
		return;
	}
	answer_no_method(r, allow);
}

static void answer_too_large(struct serve_request *r)
{
	serve_error(r, 413, "the body is larger than the %zu bytes this server takes",
		    r->serve->options.max_body_bytes);
}

static void dispatch(struct serve_request *r)
{
	const struct serve_guard *guard = r->serve->options.guard;

	r->is_dispatched = true;
	if (r->has_long_query) {
		serve_error(r, 414, "the URL has more than %d arguments, or long ones",
			    LIMIT_SERVE_QUERY_ARGS);
		return;
	}
	if (guard && !serve_guard_admits(guard, r))
		return;
	if (!r->route) {
		answer_unrouted(r);
		return;
	}
	if (r->is_crowded) {
		answer_crowded(r);
		return;
	}
	if (r->is_discarded) {
		answer_too_large(r);
		return;
	}
	r->route->fn(r->serve->options.arg, r);
}

static enum MHD_Result queue_answer(struct serve_request *r)
{
	enum MHD_Result result = MHD_queue_response(r->connection, r->status, r->response);

	r->is_queued = true;
	if (r->is_held)
		r->serve->has_queued = true;
	MHD_destroy_response(r->response);
	return result;
}

static void begin(struct serve_request *r, struct MHD_Connection *connection, const char *method,
		  const char *path)
{
	r->connection = connection;
	r->method = method;
	set_path(r, path);
	r->begun_us = clock_us();
	r->body_bytes = 0;
	r->announced_bytes = UINT64_MAX;
	r->route = find_route(r, method);
	if (!r->route && !find_route(r, NULL) && strcmp(method, "OPTIONS") != 0 &&
	    !is_base_itself(r))
		r->route = r->serve->options.other;
	r->held_bytes = 0;
	r->is_discarded = !r->route;
	r->is_crowded = false;
	r->is_dispatched = r->is_queued = r->is_deferred = false;
	r->is_held = r->is_form_parsed = false;
	r->response = NULL;
	r->remote[0] = '\0';
	buf_clear(&r->body);
	buf_clear(&r->headers);
	r->is_active = true;
	atomic_fetch_add(&r->serve->begun, 1);
	atomic_fetch_add(&r->serve->in_flight, 1);
}

/* The head is here, the body is not. */
static enum MHD_Result on_head(struct serve_request *r)
{
	const char *length = serve_header(r, "Content-Length");
	const char *coding = serve_header(r, "Transfer-Encoding");
	uint64_t bytes;

	/* Its end would be that of the connection, which the client keeps open for the answer. */
	if (coding && strcasecmp(coding, "chunked") != 0) {
		r->is_dispatched = true;
		serve_error(r, 501, "a body may be chunked, and nothing else");
		return queue_answer(r);
	}
	if (!length)
		return MHD_YES;
	if (!num_parse_u64(str_of(length), UINT64_MAX, &bytes))
		bytes = UINT64_MAX;
	if (bytes <= r->serve->options.max_body_bytes) {
		if (!coding)
			r->announced_bytes = bytes;
		return MHD_YES;
	}
	r->is_discarded = true;
	if (bytes <= LIMIT_SERVE_DISCARD_BYTES && !serve_header(r, "Expect"))
		return MHD_YES;
	dispatch(r);
	return queue_answer(r);
}

static void dispatch_lent(struct serve_request *r, const char *body, size_t len)
{
	r->lent = (struct str){ body, len };
	dispatch(r);
	r->lent = (struct str){ 0 };
	if (!r->response && !r->is_held && !r->is_deferred)
		serve_error(r, 500, "the request was not answered");
}

/* What is there of the body makes room for those of others. */
static void discard_for_others(struct serve_request *r)
{
	r->is_discarded = r->is_crowded = true;
	buf_fini(&r->body);
	let_go(r);
}

static enum MHD_Result on_body(struct serve_request *r, const char *upload, size_t *upload_bytes)
{
	const bool is_whole = !r->body_bytes && *upload_bytes == r->announced_bytes;
	size_t len = *upload_bytes;

	*upload_bytes = 0;
	r->body_bytes += len;
	if (r->body_bytes > r->serve->options.max_body_bytes)
		r->is_discarded = true;
	else if (!r->is_discarded && is_whole && r->serve->options.is_body_lent)
		dispatch_lent(r, upload, len);
	else if (!r->is_discarded && !hold_bytes(r, len))
		discard_for_others(r);
	else if (!r->is_discarded)
		buf_add(&r->body, upload, len);
	/* The idle timeout alone would let one byte a minute hold a place for ever. */
	if (r->body_bytes > r->serve->options.max_body_bytes + LIMIT_SERVE_DISCARD_BYTES ||
	    clock_us() - r->begun_us > LIMIT_SERVE_UPLOAD_S * CLOCK_S)
		return MHD_NO;
	return MHD_YES;
}

static struct serve_request *request_of(struct MHD_Connection *connection)
{
	struct serve_request *r =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
			->socket_context;

	ensure(r->magic == REQUEST_MAGIC);
	return r;
}

/* libmicrohttpd 0.9.75 keeps a note of each argument in the connection's memory, and when that is
 * used up it answers 431, forgets that it has, and waits for ever. So a query that has too many is
 * taken away before it is read: the text is a part of its own buffer, where arguments end with a
 * zero. */
void *serve_request_on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	const struct serve *s = cls;
	struct serve_request *r = request_of(connection);
	char *query = strchr(uri, '?');
	size_t count = 0;

	for (const char *at = query; at && count <= LIMIT_SERVE_QUERY_ARGS; count++)
		at = strchr(at + 1, '&');
	r->has_long_query = count > LIMIT_SERVE_QUERY_ARGS ||
			    (query && strlen(uri) + count * QUERY_ARG_BYTES >
					      s->options.connection_bytes / 4 * 3);
	if (r->has_long_query)
		query[1] = '\0';
	return NULL;
}

enum MHD_Result serve_request_on_access(void *cls, struct MHD_Connection *connection,
					const char *path, const char *method, const char *version,
					const char *upload, size_t *upload_bytes, void **con_cls)
{
	struct serve_request *r = *con_cls;

	(void)cls;
	(void)version;
	if (!r) {
		r = request_of(connection);
		*con_cls = r;
		begin(r, connection, method, path);
		return on_head(r);
	}
	ensure(r->magic == REQUEST_MAGIC);
	if (*upload_bytes)
		return on_body(r, upload, upload_bytes);
	if (!r->is_dispatched) {
		bool is_deferred;

		dispatch(r);
		/* If it was deferred, r may be another thread's by now, or already answered
		 * there: either way this function is called again after the resume. The
		 * connection says which it is without touching r. */
		is_deferred = MHD_get_connection_info(connection,
						      MHD_CONNECTION_INFO_CONNECTION_SUSPENDED)
				      ->suspended == MHD_YES;
		if (is_deferred)
			return MHD_YES;
		if (!r->response && !r->is_held)
			serve_error(r, 500, "the request was not answered");
	}
	/* Without an answer libmicrohttpd asks again in its next turn. */
	return r->response ? queue_answer(r) : MHD_YES;
}

/* Answered, or given up. */
static void end(struct serve_request *r)
{
	struct buf *kept[] = { &r->body, &r->form, &r->reply, &r->headers };

	r->is_active = false;
	let_go(r);
	if (r->is_held && !r->response)
		r->serve->options.gone(r->serve->options.arg, r);
	/* Answered later, when the client had gone. */
	if (r->response && !r->is_queued)
		MHD_destroy_response(r->response);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i]->cap > KEPT_BUFFER_BYTES)
			buf_fini(kept[i]);
	atomic_fetch_sub(&r->serve->in_flight, 1);
}

void serve_request_on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
				enum MHD_RequestTerminationCode code)
{
	struct serve_request *r = *con_cls;

	(void)cls;
	(void)connection;
	(void)code;
	*con_cls = NULL;
	if (r)
		end(r);
}

void serve_request_on_connection(void *cls, struct MHD_Connection *connection, void **socket_ctx,
				 enum MHD_ConnectionNotificationCode code)
{
	struct serve *s = cls;
	struct serve_request *r;

	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		atomic_fetch_add(&s->connections, 1);
		r = mem_zalloc(1, sizeof(*r));
		r->magic = REQUEST_MAGIC;
		r->serve = s;
		buf_init(&r->body, s->options.max_body_bytes);
		buf_init(&r->form, 2 * s->options.max_body_bytes + 2);
		buf_init(&r->reply, SIZE_MAX / 2);
		buf_init(&r->headers, LIMIT_SERVE_HEADER_BYTES);
		*socket_ctx = r;
		return;
	}
	r = *socket_ctx;
	*socket_ctx = NULL;
	if (!r)
		return;
	atomic_fetch_sub(&s->connections, 1);
	buf_fini(&r->body);
	buf_fini(&r->form);
	buf_fini(&r->reply);
	buf_fini(&r->headers);
	r->magic = 0;
	mem_free(r);
}

const char *serve_method(const struct serve_request *r)
{
	return r->method;
}

const char *serve_path(const struct serve_request *r)
{
	return r->path;
}

const char *serve_whole_path(const struct serve_request *r)
{
	return r->whole_path;
}

const char *serve_query(const struct serve_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *serve_header(const struct serve_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

struct each {
	serve_pair_fn fn;
	void *arg;
};

static enum MHD_Result on_pair(void *cls, enum MHD_ValueKind kind, const char *name,
			       const char *value)
{
	const struct each *each = cls;

	(void)kind;
	each->fn(each->arg, name, value ? value : "");
	return MHD_YES;
}

void serve_each_query(const struct serve_request *r, serve_pair_fn fn, void *arg)
{
	MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, on_pair,
				  &(struct each){ fn, arg });
}

void serve_each_header(const struct serve_request *r, serve_pair_fn fn, void *arg)
{
	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, on_pair,
				  &(struct each){ fn, arg });
}

struct str serve_body(const struct serve_request *r)
{
	return r->lent.p ? r->lent : buf_str(&r->body);
}

const char *serve_remote(struct serve_request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *from = info ? info->client_addr : NULL;

	if (r->remote[0] || !from)
		return r->remote;
	if (from->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, r->remote,
			  sizeof(r->remote));
	else if (from->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)from)->sin6_addr, r->remote,
			  sizeof(r->remote));
	return r->remote;
}
