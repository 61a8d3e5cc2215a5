/* SPDX-License-Identifier: MIT
 *
 * fetch - over libcurl's multi interface.
 *
 * curl_easy_perform() asks its progress callback about once a second while nothing
 * moves, which is too slow for ctrl-C. A multi handle with one transfer and our own
 * poll gives the same call with a bound of FETCH_STOP_CHECK_MS. */
#include "fetch/fetch.h"

#include <ctype.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS  2000
#define QUOTE_BYTES    120

struct fetch {
	CURLM *multi;
	CURL *easy;
	fetch_stop_fn is_stopped;
	void *arg;
	char curl_text[CURL_ERROR_SIZE];
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
	f->easy = curl_easy_init();
	ensure(f->multi && f->easy);
	return f;
}

void fetch_destroy(struct fetch **f)
{
	if (!*f)
		return;
	curl_easy_cleanup((*f)->easy);
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
	return request->body ? "POST" : "GET";
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
		return ERR_CLOSED;
	default:
		return ERR_BAD_INPUT;
	}
}

static void prepare(struct fetch *f, const struct fetch_request *request, struct fetch_reply *reply,
		    struct curl_slist *headers, uint64_t timeout_ms)
{
	CURL *easy = f->easy;

	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "cicada-driver/" CICADA_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, f->curl_text);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply->body);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	if (request->body)
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	f->curl_text[0] = '\0';
}

/* Moves the transfer until it ends, one way or the other. */
static enum err transfer(struct fetch *f, CURLcode *code)
{
	CURLMsg *message;
	int running = 1, left;

	while (running) {
		if (must_stop(f))
			return ERR_INTERRUPTED;
		if (curl_multi_perform(f->multi, &running) != CURLM_OK)
			return ERR_IO;
		if (running &&
		    curl_multi_poll(f->multi, NULL, 0, FETCH_STOP_CHECK_MS, NULL) != CURLM_OK)
			return ERR_IO;
	}
	message = curl_multi_info_read(f->multi, &left);
	if (!message || message->msg != CURLMSG_DONE)
		return ERR_IO;
	*code = message->data.result;
	return OK;
}

static enum err call_once(struct fetch *f, const struct fetch_request *request,
			  struct fetch_reply *reply, uint64_t timeout_ms, struct err_text *text)
{
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OK;
	enum err err;

	buf_clear(&reply->body);
	reply->status = 0;
	if (request->body && request->content_type) {
		char line[128];

		snprintf(line, sizeof(line), "Content-Type: %s", request->content_type);
		headers = curl_slist_append(headers, line);
	}
	prepare(f, request, reply, headers, timeout_ms);
	if (curl_multi_add_handle(f->multi, f->easy) != CURLM_OK) {
		curl_slist_free_all(headers);
		return err_set(text, ERR_IO, "%s %s: libcurl does not start the call",
			       method_of(request), request->url);
	}
	err = transfer(f, &code);
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_multi_remove_handle(f->multi, f->easy);
	curl_slist_free_all(headers);
	if (!err)
		err = err_of_curl(code, reply);
	if (!err)
		return OK;
	return err_set(text, err, "%s %s: %s", method_of(request), request->url,
		       err == ERR_TOO_BIG		 ? "the reply is larger than the limit"
		       : err == ERR_INTERRUPTED || !code ? err_name(err)
		       : f->curl_text[0]		 ? f->curl_text
							 : curl_easy_strerror(code));
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

static bool rest_before_retry(struct fetch *f, uint64_t rest_ms)
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
		if (!rest_before_retry(f, rest_ms))
			return err_set(text, ERR_INTERRUPTED, "%s %s: interrupted",
				       method_of(request), request->url);
		rest_ms = rest_ms * 2 < RETRY_MOST_MS ? rest_ms * 2 : RETRY_MOST_MS;
	}
}

/* The first line of a body, printable, so that it may stand in a message. */
static void quote_body(const struct buf *body, char out[QUOTE_BYTES])
{
	size_t len = 0;

	while (len < body->len && len + 1 < QUOTE_BYTES && body->p[len] != '\n' &&
	       body->p[len] != '\r') {
		out[len] = isprint((unsigned char)body->p[len]) ? body->p[len] : '.';
		len++;
	}
	out[len] = '\0';
}

enum err fetch_expect(const struct fetch_request *request, const struct fetch_reply *reply,
		      struct err_text *text)
{
	char quote[QUOTE_BYTES];
	enum err err;

	if (reply->status >= 200 && reply->status < 300)
		return OK;
	err = reply->status == 404			    ? ERR_NOT_FOUND
	      : reply->status >= 400 && reply->status < 500 ? ERR_REFUSED
							    : ERR_IO;
	quote_body(&reply->body, quote);
	return err_set(text, err, "%s %s: answered %ld %s", method_of(request), request->url,
		       reply->status, quote);
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
		err = err_set(text, ERR_BAD_INPUT, "%s %s: the reply is not JSON: %s (line %d)",
			      method_of(request), request->url, where.text, where.line);
	else if (!json_is_object(root))
		err = err_set(text, ERR_BAD_INPUT, "%s %s: the reply is JSON, but not an object",
			      method_of(request), request->url);
out:
	fetch_reply_fini(&reply);
	if (err)
		json_decref(root);
	else
		*out = root;
	return err;
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
