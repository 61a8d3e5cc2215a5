/* SPDX-License-Identifier: MIT
 *
 * visit - see the header.
 *
 * Every hop is written anew from what the scenario gave, for the memory of the place in which a
 * request is put together belongs to whoever runs. A request without headers of its own in a
 * class without cookies, password and decoding passes through here untouched: that is the path
 * that has to cost nothing. */
#include "user/visit.h"

#include <stdio.h>

#include "base/clock.h"
#include "http/basic.h"
#include "http/redirect.h"

/* Always false. */
static bool refuse(struct visit *v, enum failure_class class, const char *text)
{
	user_fail_request(v->turn, class, text);
	return false;
}

/* Of the scenario's headers: what is not meant for where a redirect led to. */
static bool stays_behind(const struct visit *v, struct str name)
{
	return (v->has_left && (str_case_eq(name, "authorization") || str_case_eq(name, "cookie") ||
				str_case_eq(name, "host"))) ||
	       (v->has_no_content && str_case_eq(name, "content-type"));
}

static bool add_header(const struct visit *v, struct buf *out, struct str line)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct str name = { line.p, colon ? (size_t)(colon - line.p) : 0 };

	if (!http_is_token(name))
		return false;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	if (stays_behind(v, name))
		return true;
	buf_add_str(out, line);
	buf_add(out, "\r\n", 2);
	return true;
}

static bool add_scenario_headers(struct visit *v, struct buf *lines)
{
	struct str rest = str_of(v->request->headers), line;
	char why[80];

	for (int number = 1; str_cut(&rest, '\n', &line); number++) {
		line = str_trim(line);
		if (!line.len || add_header(v, lines, line))
			continue;
		snprintf(why, sizeof(why),
			 "header line %d is not `Name: value` without control characters", number);
		return refuse(v, FAILURE_HEADER, why);
	}
	return true;
}

/* name: with its colon. */
static bool has_header(struct str lines, const char *name)
{
	size_t len = strlen(name);
	struct str line;

	while (str_cut(&lines, '\n', &line))
		if (line.len >= len && strncasecmp(line.p, name, len) == 0)
			return true;
	return false;
}

static struct cookie_site site_of(const struct visit *v, const struct http_origin *origin,
				  struct str target)
{
	return (struct cookie_site){ .host = http_origin_host(origin),
				     .target = target,
				     .is_secure = http_origin_is_tls(origin),
				     .knows_prefixes = v->knows_cookie_prefixes };
}

static void add_cookies(struct visit *v, struct buf *lines)
{
	struct cookie_site site = site_of(v, v->http.origin, v->http.target);
	size_t before = lines->len, empty;

	buf_add_text(lines, "Cookie: ");
	empty = lines->len;
	cookie_jar_write(v->cookies, &site, (int64_t)clock_wall_s(), lines);
	if (lines->len == empty)
		lines->len = before;
	else
		buf_add(lines, "\r\n", 2);
}

/* The host may have been changed since the last hop, and its text with it. */
static struct str secret_of(const struct visit *v)
{
	const struct user_kind *kind = v->kind;

	if (v->has_left || (v->is_at_host && kind->origin != v->http.origin))
		return (struct str){ 0 };
	return v->is_at_host ? kind->userinfo : v->userinfo;
}

bool visit_write_headers(struct visit *v)
{
	struct buf *lines = &v->place->headers;
	bool has_cookies = !cookie_jar_is_empty(v->cookies);
	struct str secret = secret_of(v);

	v->http.headers = (struct str){ "", 0 };
	if (!v->request->headers && !has_cookies && !secret.len && !v->wants_decode)
		return true;
	buf_clear(lines);
	if (v->request->headers && !add_scenario_headers(v, lines))
		return false;
	if (secret.len && !has_header(buf_str(lines), "authorization:"))
		basic_write(secret, lines);
	if (v->wants_decode && !has_header(buf_str(lines), "accept-encoding:"))
		buf_add_text(lines, DECODE_ACCEPT);
	if (has_cookies && !has_header(buf_str(lines), "cookie:"))
		add_cookies(v, lines);
	if (lines->is_full)
		return refuse(v, FAILURE_HEADER, "the headers are larger than 65536 bytes");
	v->http.headers = buf_str(lines);
	return true;
}

static void keep_cookies(struct visit *v)
{
	struct turn *t = v->turn;
	struct cookie_site site = site_of(v, v->http.origin, http_conn_target(v->conn));
	int64_t wall_s = (int64_t)clock_wall_s();
	struct str name, value;
	size_t at = 0;

	while (http_response_next_header(t->reply.head, t->reply.bytes, &at, &name, &value))
		if (str_case_eq(name, "set-cookie"))
			cookie_jar_set(v->cookies, &site, value, wall_s);
}

/* Sends once and waits. True: an answer came. */
static bool hop(struct visit *v)
{
	struct turn *t = v->turn;
	uint64_t before_us = v->redirects ? t->reply.time_us : 0;

	http_conn_send(v->conn, &v->http, &t->reply, v->done, v->arg);
	v->wait(v->arg);
	t->reply.time_us += before_us;
	if (t->reply.error)
		return false;
	if (t->reply.head->has_set_cookie)
		keep_cookies(v);
	return true;
}

static bool leads_on(const struct visit *v)
{
	const struct http_response *head = v->turn->reply.head;

	return redirect_is(head->status) && head->location.len && !v->request->no_redirects &&
	       (v->follows_head || strcmp(v->http.method, "HEAD") != 0);
}

/* The URL of the next hop into turn->url. */
static void resolve(struct visit *v)
{
	struct turn *t = v->turn;
	struct buf *base = &v->place->target;

	buf_clear(base);
	http_origin_write(v->http.origin, base);
	buf_add_str(base, http_conn_target(v->conn));
	buf_clear(&t->url);
	redirect_resolve(buf_str(base), http_slice_str(t->reply.head->location, t->reply.bytes),
			 &t->url);
}

static bool set_next_url(struct visit *v)
{
	struct turn *t = v->turn;
	const struct http_origin *before = v->http.origin;
	struct err_text why = { 0 };
	struct http_url url;
	enum err err;

	if (t->url.is_full)
		return refuse(v, FAILURE_URL, "the Location is longer than 8192 bytes");
	err = http_url_parse(buf_str(&t->url), &url, &why);
	if (!err)
		err = http_client_origin(v->client, &url, &v->http.origin, &why);
	if (err)
		return refuse(v, err == ERR_UNSUPPORTED ? FAILURE_SCHEMA : FAILURE_URL,
			      err_say(&why, err));
	v->http.target = url.target;
	v->has_left = v->has_left || v->http.origin != before;
	return true;
}

/* Gets the next hop ready. False: the turn's error says why there is none. */
static bool follow(struct visit *v)
{
	struct turn *t = v->turn;
	int status = t->reply.head->status;
	const char *method = redirect_method(status, v->http.method);

	if (v->redirects >= v->redirects_max) {
		char text[64];

		snprintf(text, sizeof(text), "Exceeded %u redirects.", v->redirects_max);
		return refuse(v, FAILURE_REDIRECTS, text);
	}
	v->redirects++;
	resolve(v);
	if (v->on_redirect)
		v->on_redirect(v->arg, &t->reply, buf_str(&t->url));
	http_conn_release(v->conn);
	if (!set_next_url(v))
		return false;
	v->http.method = method;
	/* As Python's requests do, whatever the method is. */
	if (status != 307 && status != 308) {
		v->http.body = (struct str){ 0 };
		v->http.content_type = NULL;
		v->has_no_content = true;
	}
	return visit_write_headers(v);
}

static bool is_coded(const struct visit *v)
{
	const struct turn *t = v->turn;

	return v->wants_decode && t->reply.head->content_encoding.len && t->reply.body_len;
}

static bool decode(struct visit *v)
{
	struct turn *t = v->turn;
	struct user_place *place = v->place;
	struct http_reply *reply = &t->reply;
	struct str coding = http_slice_str(reply->head->content_encoding, reply->bytes);
	struct str body = { reply->body, reply->body_len };
	struct err_text why = { 0 };
	enum err err;

	if (!place->decoder)
		place->decoder = decoder_create();
	err = decoder_run(place->decoder, coding, body, &t->decoded, &why);
	if (err)
		return refuse(v, FAILURE_DECODING, err_say(&why, err));
	if (t->decoded) {
		reply->body = t->decoded->bytes.p;
		reply->body_len = t->decoded->bytes.len;
	}
	return true;
}

bool visit_walk(struct visit *v)
{
	while (hop(v))
		if (!leads_on(v))
			return !is_coded(v) || decode(v);
		else if (!follow(v))
			return false;
	return true;
}
