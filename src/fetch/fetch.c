/* SPDX-License-Identifier: MIT
 *
 * fetch - over libcurl's multi interface.
 *
 * curl_easy_perform() asks its progress callback about once a second while nothing
 * moves, which is too slow for ctrl-C. A multi handle with one transfer and our own
 * poll gives the same call with a bound of FETCH_STOP_CHECK_MS. */
#include "fetch/fetch.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define NAME_BYTES     8192 /* of a call, in messages */
#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS  2000

/* One request that libcurl works on. */
struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	bool is_done;
	CURLcode code;
	char text[CURL_ERROR_SIZE];
};

struct fetch {
	CURLM *multi;
	struct transfer call; /* used again and again */
	fetch_stop_fn is_stopped;
	void *arg;
};

struct fetch_stream {
	struct fetch *f;
	struct transfer transfer;
	struct fetch_reply reply;
	fetch_bytes_fn on_bytes;
	void *arg;
	char *what; /* method and URL, for messages */
	bool has_started;
};

static bool must_stop(const struct fetch *f)
{
	return f->is_stopped && f->is_stopped(f->arg);
}

struct fetch *fetch_create(fetch_stop_fn is_stopped, void *arg)
{
	struct fetch *f = mem_zalloc(1, sizeof(*f));

	f->is_stopped = is_stopped;
	f->arg = arg;
	/* Fails only when memory is exhausted, like mem_alloc. */
	ensure(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	f->multi = curl_multi_init();
	f->call.easy = curl_easy_init();
	ensure(f->multi && f->call.easy);
	return f;
}

void fetch_destroy(struct fetch **f)
{
	if (!*f)
		return;
	curl_easy_cleanup((*f)->call.easy);
	curl_multi_cleanup((*f)->multi);
	curl_global_cleanup();
	mem_free(*f);
	*f = NULL;
}

void fetch_reply_init(struct fetch_reply *reply)
{
	reply->status = 0;
	buf_init(&reply->body, LIMIT_FETCH_BODY_BYTES);
}

void fetch_reply_fini(struct fetch_reply *reply)
{
	buf_fini(&reply->body);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	buf_add(body, bytes, size * count);
	return body->is_full ? 0 : size * count;
}

static const char *method_of(const struct fetch_request *request)
{
	return request->method ? request->method : request->body ? "POST" : "GET";
}

static enum err err_of_curl(CURLcode code, const struct fetch_reply *reply)
{
	if (reply->body.is_full)
		return ERR_TOO_BIG;
	switch (code) {
	case CURLE_OK:
		return OK;
	case CURLE_COULDNT_CONNECT:
		return ERR_REFUSED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return ERR_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
	/* The handshake broke off; a certificate that is not trusted is another code. */
	case CURLE_SSL_CONNECT_ERROR:
		return ERR_CLOSED;
	default:
		return ERR_BAD_INPUT;
	}
}

static void set_tls(CURL *easy, const struct fetch_tls *tls)
{
	const struct {
		CURLoption option;
		struct str pem;
	} blobs[] = { { CURLOPT_CAINFO_BLOB, tls->ca },
		      { CURLOPT_SSLCERT_BLOB, tls->cert },
		      { CURLOPT_SSLKEY_BLOB, tls->key } };

	for (size_t i = 0; i < sizeof(blobs) / sizeof(blobs[0]); i++) {
		struct curl_blob blob = { (void *)(uintptr_t)blobs[i].pem.p, blobs[i].pem.len,
					  CURL_BLOB_NOCOPY };

		if (blob.len)
			curl_easy_setopt(easy, blobs[i].option, &blob);
	}
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->is_unverified ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->is_unverified ? 0L : 2L);
}

static void add_header(struct transfer *t, const char *name, const char *value)
{
	char *line;

	if (!value)
		return;
	line = mem_printf("%s: %s", name, value);
	t->headers = curl_slist_append(t->headers, line);
	ensure(t->headers);
	mem_free(line);
}

static void prepare(struct transfer *t, const struct fetch_request *request, uint64_t timeout_ms)
{
	CURL *easy = t->easy;

	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "cicada-driver/" CICADA_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->text);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	t->headers = NULL;
	if (request->body)
		add_header(t, "Content-Type", request->content_type);
	add_header(t, "Accept", request->accept);
	if (request->bearer) {
		char *value = mem_printf("Bearer %s", request->bearer);

		add_header(t, "Authorization", value);
		mem_free(value);
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
	if (request->tls)
		set_tls(easy, request->tls);
	if (request->body)
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
	if (request->method)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	t->is_done = false;
	t->text[0] = '\0';
}

static void finish(struct fetch *f, struct transfer *t)
{
	curl_multi_remove_handle(f->multi, t->easy);
	curl_slist_free_all(t->headers);
	t->headers = NULL;
}

/* Moves every transfer as far as it goes without waiting. */
static enum err pump(struct fetch *f)
{
	CURLMsg *message;
	int running, left;

	if (curl_multi_perform(f->multi, &running) != CURLM_OK)
		return ERR_IO;
	while ((message = curl_multi_info_read(f->multi, &left))) {
		struct transfer *t = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		t->is_done = true;
		t->code = message->data.result;
	}
	return OK;
}

/* Moves the call until it ends, one way or the other. */
static enum err wait_for_call(struct fetch *f)
{
	for (;;) {
		enum err err = must_stop(f) ? ERR_INTERRUPTED : pump(f);

		if (err || f->call.is_done)
			return err;
		if (curl_multi_poll(f->multi, NULL, 0, FETCH_STOP_CHECK_MS, NULL) != CURLM_OK)
			return ERR_IO;
	}
}

static void read_head(CURL *easy, struct fetch_reply *reply)
{
	curl_off_t retry_after_s = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	reply->retry_after_s = retry_after_s > 0 ? (uint64_t)retry_after_s : 0;
}

static const char *say_failure(const struct transfer *t, enum err err)
{
	return err == ERR_TOO_BIG		    ? "the reply is larger than the limit"
	       : err == ERR_INTERRUPTED || !t->code ? err_name(err)
	       : t->text[0]			    ? t->text
						    : curl_easy_strerror(t->code);
}

/* In messages: without the user and the password that the URL may have. */
static void name_call(const struct fetch_request *request, struct buf *out)
{
	buf_init(out, NAME_BYTES);
	buf_printf(out, "%s ", method_of(request));
	buf_add_url(out, request->url);
}

static enum err PRINTF_LIKE(4, 5) fail(struct err_text *text, enum err err,
				       const struct fetch_request *request, const char *fmt, ...)
{
	char why[sizeof(text->text)];
	struct buf name;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	name_call(request, &name);
	err_set(text, err, "%.*s: %s", STR_ARG(buf_str(&name)), why);
	buf_fini(&name);
	return err;
}

static enum err call_once(struct fetch *f, const struct fetch_request *request,
			  struct fetch_reply *reply, uint64_t timeout_ms, struct err_text *text)
{
	struct transfer *t = &f->call;
	enum err err = ERR_IO;

	buf_clear(&reply->body);
	t->code = CURLE_OK;
	prepare(t, request, timeout_ms);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, &reply->body);
	if (curl_multi_add_handle(f->multi, t->easy) == CURLM_OK)
		err = wait_for_call(f);
	read_head(t->easy, reply);
	finish(f, t);
	if (!err)
		err = err_of_curl(t->code, reply);
	if (!err)
		return OK;
	return fail(text, err, request, "%s", say_failure(t, err));
}

static bool is_worth_another_try(enum err err, long status)
{
	switch (err) {
	case OK:
		return status == 502 || status == 503 || status == 504;
	case ERR_REFUSED:
	case ERR_UNREACHABLE:
	case ERR_CLOSED:
		return true;
	default:
		return false;
	}
}

bool fetch_rest(struct fetch *f, uint64_t rest_ms)
{
	while (rest_ms) {
		uint64_t part_ms = rest_ms < FETCH_STOP_CHECK_MS ? rest_ms : FETCH_STOP_CHECK_MS;

		if (must_stop(f))
			return false;
		clock_sleep_us(part_ms * CLOCK_MS);
		rest_ms -= part_ms;
	}
	return true;
}

enum err fetch_call(struct fetch *f, const struct fetch_request *request, struct fetch_reply *reply,
		    struct err_text *text)
{
	uint64_t end_us = clock_us() + request->timeout_ms * CLOCK_MS, rest_ms = RETRY_FIRST_MS;

	ensure(request->timeout_ms);
	for (unsigned tries = 1;; tries++) {
		uint64_t now_us = clock_us(),
			 left_ms = now_us < end_us ? (end_us - now_us) / CLOCK_MS + 1 : 1;
		enum err err = call_once(f, request, reply, left_ms, text);

		if (tries >= request->attempts || !is_worth_another_try(err, reply->status) ||
		    clock_us() + rest_ms * CLOCK_MS >= end_us)
			return err;
		if (!fetch_rest(f, rest_ms))
			return fail(text, ERR_INTERRUPTED, request, "interrupted");
		rest_ms = rest_ms * 2 < RETRY_MOST_MS ? rest_ms * 2 : RETRY_MOST_MS;
	}
}

void fetch_quote(const struct buf *body, char out[FETCH_QUOTE_BYTES])
{
	size_t len = 0;

	while (len < body->len && len + 1 < FETCH_QUOTE_BYTES && body->p[len] != '\n' &&
	       body->p[len] != '\r') {
		out[len] = isprint((unsigned char)body->p[len]) ? body->p[len] : '.';
		len++;
	}
	out[len] = '\0';
}

enum err fetch_expect(const struct fetch_request *request, const struct fetch_reply *reply,
		      struct err_text *text)
{
	char quote[FETCH_QUOTE_BYTES];
	enum err err;

	if (reply->status >= 200 && reply->status < 300)
		return OK;
	err = reply->status == 401			    ? ERR_DENIED
	      : reply->status == 404			    ? ERR_NOT_FOUND
	      : reply->status >= 400 && reply->status < 500 ? ERR_REFUSED
							    : ERR_IO;
	fetch_quote(&reply->body, quote);
	return fail(text, err, request, "answered %ld %s", reply->status, quote);
}

enum err fetch_json(struct fetch *f, const struct fetch_request *request, struct json_t **out,
		    struct err_text *text)
{
	struct fetch_reply reply;
	json_error_t where;
	json_t *root = NULL;
	enum err err;

	fetch_reply_init(&reply);
	err = fetch_call(f, request, &reply, text);
	if (!err)
		err = fetch_expect(request, &reply, text);
	if (err)
		goto out;
	root = json_loadb(reply.body.p ? reply.body.p : "", reply.body.len, 0, &where);
	if (!root)
		err = fail(text, ERR_BAD_INPUT, request, "the reply is not JSON: %s (line %d)",
			   where.text, where.line);
	else if (!json_is_object(root))
		err = fail(text, ERR_BAD_INPUT, request, "the reply is JSON, but not an object");
out:
	fetch_reply_fini(&reply);
	if (err)
		json_decref(root);
	else
		*out = root;
	return err;
}

static size_t on_stream(char *bytes, size_t size, size_t count, void *arg)
{
	struct fetch_stream *s = arg;

	if (!s->reply.status)
		read_head(s->transfer.easy, &s->reply);
	if (s->reply.status != 200)
		return on_body(bytes, size, count, &s->reply.body);
	s->on_bytes(bytes, size * count, s->arg);
	return size * count;
}

struct fetch_stream *fetch_stream_open(struct fetch *f, const struct fetch_request *request,
				       fetch_bytes_fn on_bytes, void *arg)
{
	struct fetch_stream *s = mem_zalloc(1, sizeof(*s));
	struct buf name;

	ensure(request->timeout_ms);
	s->f = f;
	s->on_bytes = on_bytes;
	s->arg = arg;
	name_call(request, &name);
	s->what = mem_strndup(name.p, name.len);
	buf_fini(&name);
	fetch_reply_init(&s->reply);
	s->transfer.easy = curl_easy_init();
	ensure(s->transfer.easy);
	prepare(&s->transfer, request, request->timeout_ms);
	curl_easy_setopt(s->transfer.easy, CURLOPT_WRITEFUNCTION, on_stream);
	curl_easy_setopt(s->transfer.easy, CURLOPT_WRITEDATA, s);
	s->has_started = curl_multi_add_handle(f->multi, s->transfer.easy) == CURLM_OK;
	return s;
}

enum err fetch_stream_step(struct fetch_stream *s, struct err_text *text)
{
	enum err err = s->has_started ? pump(s->f) : ERR_IO;

	if (!err && !s->transfer.is_done)
		return ERR_BUSY;
	if (!err) {
		read_head(s->transfer.easy, &s->reply);
		err = err_of_curl(s->transfer.code, &s->reply);
	}
	if (!err)
		return OK;
	return err_set(text, err, "%s: %s", s->what, say_failure(&s->transfer, err));
}

const struct fetch_reply *fetch_stream_reply(const struct fetch_stream *s)
{
	return &s->reply;
}

void fetch_stream_close(struct fetch_stream **s)
{
	if (!*s)
		return;
	finish((*s)->f, &(*s)->transfer);
	curl_easy_cleanup((*s)->transfer.easy);
	fetch_reply_fini(&(*s)->reply);
	mem_free((*s)->what);
	mem_free(*s);
	*s = NULL;
}

void fetch_form_add(struct buf *form, const char *name, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *const parts[] = { name, value };

	if (form->len)
		buf_add_char(form, '&');
	for (size_t i = 0; i < 2; i++) {
		if (i)
			buf_add_char(form, '=');
		for (const char *c = parts[i]; *c; c++) {
			unsigned char byte = (unsigned char)*c;

			if (isalnum(byte) || strchr("-._~", byte)) {
				buf_add_char(form, *c);
			} else {
				buf_add_char(form, '%');
				buf_add_char(form, hex[byte >> 4]);
				buf_add_char(form, hex[byte & 15]);
			}
		}
	}
}
