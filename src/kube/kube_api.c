/* SPDX-License-Identifier: MIT
 *
 * kube_api - see the header. Errors of the API server are mostly a Status object with a
 * message, but 429 and some 404 are plain text, so both are read. */
#include "kube/kube_api.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "kube/kube_access.h"

#define TRY_TIMEOUT_MS 10000
#define RETRY_FIRST_MS 200
#define RETRY_MOST_MS  5000
#define PAGE_ITEMS     "500"
#define WATCH_GRACE_MS 5000 /* for the server to end what it was asked to end */
#define LIST_STARTS    3    /* when the pages of a list expire before the last one */

const struct kube_kind kube_deployments = { "/apis/apps/v1", "apps", "deployments" };
const struct kube_kind kube_pods = { "/api/v1", "", "pods" };
const struct kube_kind kube_slices = { "/apis/discovery.k8s.io/v1", "discovery.k8s.io",
				       "endpointslices" };
const struct kube_kind kube_autoscalers = { "/apis/autoscaling/v2", "autoscaling",
					    "horizontalpodautoscalers" };
const struct kube_kind kube_events = { "/api/v1", "", "events" };
const struct kube_kind kube_usages = { "/apis/metrics.k8s.io/v1beta1", "metrics.k8s.io", "pods" };
const struct kube_kind kube_leases = { "/apis/coordination.k8s.io/v1", "coordination.k8s.io",
				       "leases" };
static const struct kube_kind access_reviews = { "/apis/authorization.k8s.io/v1",
						 "authorization.k8s.io",
						 "selfsubjectaccessreviews" };

struct kube_api {
	const struct kube_access *access;
	const char *ns;
	struct fetch *fetch;
	struct fetch_tls tls;
	bool had_token; /* so that one that cannot be read may be exchanged just now */
};

/* A call and what a Role calls it. */
struct call {
	const struct kube_kind *kind;
	const char *verb; /* of RBAC */
	const char *name, *part;
	const char *method; /* NULL: GET */
	const char *body, *content_type;
	uint64_t timeout_ms;
	bool is_exact; /* a conflict is its answer */
};

bool kube_api_is_name(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > LIMIT_KUBE_NAME_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool is_inner = i && i + 1 < len;

		if (!(name[i] >= 'a' && name[i] <= 'z') && !isdigit((unsigned char)name[i]) &&
		    !(is_inner && (name[i] == '-' || name[i] == '.')))
			return false;
	}
	return true;
}

struct kube_api *kube_api_create(const struct kube_access *access, const char *ns,
				 fetch_stop_fn is_stopped, void *arg)
{
	struct kube_api *api = mem_zalloc(1, sizeof(*api));

	api->access = access;
	api->ns = ns;
	api->fetch = fetch_create(is_stopped, arg);
	api->tls = (struct fetch_tls){ .ca = buf_str(&access->ca),
				       .cert = buf_str(&access->cert),
				       .key = buf_str(&access->key),
				       .is_unverified = access->is_unverified };
	return api;
}

void kube_api_destroy(struct kube_api **api)
{
	if (!*api)
		return;
	fetch_destroy(&(*api)->fetch);
	mem_free(*api);
	*api = NULL;
}

const char *kube_api_namespace(const struct kube_api *api)
{
	return api->ns;
}

/* ---- errors ---- */

/* The message of a Status object, else the first line of the body. */
static void read_message(const struct buf *body, char out[256])
{
	json_t *status = json_loadb(body->p ? body->p : "", body->len, 0, NULL);
	const char *message = json_string_value(json_object_get(status, "message"));
	char quote[FETCH_QUOTE_BYTES];
	size_t len = 0;

	fetch_quote(body, quote);
	for (const char *c = message ? message : quote; *c && len < 255; c++)
		out[len++] = (unsigned char)*c < ' ' ? ' ' : *c;
	out[len] = '\0';
	json_decref(status);
}

static enum err explain(const struct kube_api *api, const struct call *c,
			const struct fetch_reply *reply, struct err_text *text)
{
	const char *slash = c->part ? "/" : "", *part = c->part ? c->part : "",
		   *name = c->name ? c->name : "";
	char message[256];

	read_message(&reply->body, message);
	switch (reply->status) {
	case 401:
		return err_set(text, ERR_REFUSED,
			       "%s: the credentials of %.150s are not accepted (401 %.60s); "
			       "are they expired, is the ServiceAccount gone?",
			       api->access->server, api->access->origin, message);
	case 403:
		/* Also of an admission webhook, a quota, a namespace that is being removed. */
		if (!strstr(message, " cannot "))
			return err_set(text, ERR_REFUSED,
				       "%s %s%s%s %s in namespace %s was refused: 403 %s", c->verb,
				       c->kind->plural, slash, part, name, api->ns, message);
		return err_set(text, ERR_REFUSED,
			       "no right to %s %s%s%s in namespace %s; the Role needs the rule "
			       "{apiGroups: [\"%s\"], resources: [\"%s%s%s\"], verbs: [\"%s\"]} "
			       "(%s)",
			       c->verb, c->kind->plural, slash, part, api->ns, c->kind->group,
			       c->kind->plural, slash, part, c->verb, message);
	case 404:
		return err_set(text, ERR_NOT_FOUND, "%s %s %s in namespace %s: 404 %s", c->verb,
			       c->kind->plural, name, api->ns, message);
	case 409:
		return err_set(text, c->is_exact ? ERR_STATE : ERR_BAD_INPUT,
			       "%s %s %s in namespace %s: 409 %s", c->verb, c->kind->plural, name,
			       api->ns, message);
	default:
		return err_set(text,
			       reply->status >= 400 && reply->status < 500 && reply->status != 429
				       ? ERR_BAD_INPUT
				       : ERR_IO,
			       "%s %s%s%s %s: the API server answered %ld %s", c->verb,
			       c->kind->plural, slash, part, name, reply->status, message);
	}
}

/* How long to wait before the next try; 0: this was the last. */
static uint64_t rest_ms_after(const struct call *c, enum err err, const struct fetch_reply *reply,
			      unsigned tries)
{
	uint64_t rest_ms = RETRY_FIRST_MS << (tries < 6 ? tries - 1 : 5);

	if (rest_ms > RETRY_MOST_MS)
		rest_ms = RETRY_MOST_MS;
	if (err)
		return err == ERR_REFUSED || err == ERR_UNREACHABLE || err == ERR_CLOSED ||
				       err == ERR_TIMEOUT
			       ? rest_ms
			       : 0;
	switch (reply->status) {
	case 401:
		return tries == 1 ? rest_ms : 0;
	case 409:
		return c->is_exact ? 0 : rest_ms;
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		/* More than a call may last need not be told apart. */
		if (reply->retry_after_s > KUBE_CALL_TIMEOUT_MS / 1000)
			return KUBE_CALL_TIMEOUT_MS;
		return reply->retry_after_s ? reply->retry_after_s * 1000 : rest_ms;
	default:
		return 0;
	}
}

/* ---- calls ---- */

static enum err read_token(struct kube_api *api, struct buf *out, struct err_text *text)
{
	enum err err = kube_access_token(api->access, out, text);

	if (err && api->had_token)
		return ERR_CLOSED;
	api->had_token = !err;
	return err;
}

static enum err one_try(struct kube_api *api, const struct call *c, const char *url,
			uint64_t left_ms, struct fetch_reply *reply, struct err_text *text)
{
	struct buf token;
	enum err err;

	buf_init(&token, LIMIT_KUBE_TOKEN_BYTES);
	err = read_token(api, &token, text);
	if (!err)
		err = fetch_call(api->fetch,
				 &(struct fetch_request){ .url = url,
							  .method = c->method,
							  .body = c->body,
							  .content_type = c->content_type,
							  .accept = "application/json",
							  .bearer = token.len ? token.p : NULL,
							  .tls = &api->tls,
							  .timeout_ms = left_ms < TRY_TIMEOUT_MS
										? left_ms
										: TRY_TIMEOUT_MS },
				 reply, text);
	buf_fini(&token);
	return err;
}

/* OK: a reply came, and trying again would not change it. */
static enum err call_until_answered(struct kube_api *api, const struct call *c, const char *url,
				    struct fetch_reply *reply, struct err_text *text)
{
	uint64_t end_us = clock_us() + c->timeout_ms * CLOCK_MS;

	for (unsigned tries = 1;; tries++) {
		uint64_t now_us = clock_us(), rest_ms,
			 left_ms = now_us < end_us ? (end_us - now_us) / CLOCK_MS + 1 : 1;
		enum err err = one_try(api, c, url, left_ms, reply, text);

		rest_ms = rest_ms_after(c, err, reply, tries);
		if (!rest_ms || clock_us() + rest_ms * CLOCK_MS >= end_us)
			return err;
		if (!fetch_rest(api->fetch, rest_ms))
			return err_set(text, ERR_INTERRUPTED, "interrupted");
	}
}

/* out NULL: the reply's body is of no interest. */
static enum err call_for_object(struct kube_api *api, const struct call *c, const char *url,
				long *status, json_t **out, struct err_text *text)
{
	struct fetch_reply reply;
	json_t *object = NULL;
	enum err err;

	fetch_reply_init(&reply);
	err = call_until_answered(api, c, url, &reply, text);
	*status = err ? 0 : reply.status;
	if (!err && (reply.status < 200 || reply.status > 299))
		err = explain(api, c, &reply, text);
	if (!err && out) {
		object = json_loadb(reply.body.p ? reply.body.p : "", reply.body.len, 0, NULL);
		if (json_is_object(object))
			*out = json_incref(object);
		else
			err = err_set(text, ERR_BAD_INPUT, "%s: the reply is no JSON object", url);
	}
	json_decref(object);
	fetch_reply_fini(&reply);
	return err;
}

static char *url_of_kind(const struct kube_api *api, const struct kube_kind *kind)
{
	return mem_printf("%s%s/namespaces/%s/%s", api->access->server, kind->prefix, api->ns,
			  kind->plural);
}

/* patch NULL: get. */
static enum err call_ref(struct kube_api *api, const struct kube_ref *ref, const char *patch,
			 bool is_exact, json_t **out, struct err_text *text)
{
	struct call c = { .kind = ref->kind,
			  .verb = patch ? "patch" : "get",
			  .name = ref->name,
			  .part = ref->part,
			  .method = patch ? "PATCH" : NULL,
			  .body = patch,
			  .content_type = "application/merge-patch+json",
			  .timeout_ms = KUBE_CALL_TIMEOUT_MS,
			  .is_exact = is_exact };
	char *kind_url = url_of_kind(api, ref->kind),
	     *url = mem_printf("%s/%s%s%s", kind_url, ref->name, ref->part ? "/" : "",
			       ref->part ? ref->part : "");
	long status;
	enum err err = call_for_object(api, &c, url, &status, out, text);

	mem_free(kind_url);
	mem_free(url);
	return err;
}

enum err kube_api_get(struct kube_api *api, const struct kube_ref *ref, json_t **out,
		      struct err_text *text)
{
	return call_ref(api, ref, NULL, false, out, text);
}

enum err kube_api_merge(struct kube_api *api, const struct kube_ref *ref, const char *patch,
			json_t **out, struct err_text *text)
{
	return call_ref(api, ref, patch, false, out, text);
}

enum err kube_api_merge_exactly(struct kube_api *api, const struct kube_ref *ref, const char *patch,
				json_t **out, struct err_text *text)
{
	return call_ref(api, ref, patch, true, out, text);
}

enum err kube_api_add(struct kube_api *api, const struct kube_kind *kind, const char *object,
		      json_t **out, struct err_text *text)
{
	struct call c = { .kind = kind,
			  .verb = "create",
			  .method = "POST",
			  .body = object,
			  .content_type = "application/json",
			  .timeout_ms = KUBE_CALL_TIMEOUT_MS,
			  .is_exact = true };
	char *url = url_of_kind(api, kind);
	long status;
	enum err err = call_for_object(api, &c, url, &status, out, text);

	mem_free(url);
	return err;
}

enum err kube_api_may(struct kube_api *api, const struct kube_right *right, bool *out,
		      struct err_text *text)
{
	char *url = mem_printf("%s%s/%s", api->access->server, access_reviews.prefix,
			       access_reviews.plural),
	     *body = mem_printf("{\"apiVersion\":\"authorization.k8s.io/v1\","
				"\"kind\":\"SelfSubjectAccessReview\",\"spec\":{"
				"\"resourceAttributes\":{\"namespace\":\"%s\",\"verb\":\"%s\","
				"\"group\":\"%s\",\"resource\":\"%s\",\"subresource\":\"%s\","
				"\"name\":\"%s\"}}}",
				api->ns, right->verb, right->kind->group, right->kind->plural,
				right->part ? right->part : "", right->name ? right->name : "");
	struct call c = { .kind = &access_reviews,
			  .verb = "create",
			  .method = "POST",
			  .body = body,
			  .content_type = "application/json",
			  .timeout_ms = KUBE_CALL_TIMEOUT_MS };
	json_t *answer = NULL;
	long status;
	enum err err = call_for_object(api, &c, url, &status, &answer, text);

	if (!err)
		*out = json_is_true(json_object_get(json_object_get(answer, "status"), "allowed"));
	json_decref(answer);
	mem_free(body);
	mem_free(url);
	return err;
}

/* ---- lists ---- */

/* The query part of a URL: what is wanted, then name=value pairs up to a NULL. */
static char *url_of_query(const struct kube_api *api, const struct kube_query *query,
			  const char *const pairs[])
{
	char *kind_url = url_of_kind(api, query->kind), *url;
	struct buf form;

	buf_init(&form, LIMIT_URL_BYTES);
	if (query->label_selector)
		fetch_form_add(&form, "labelSelector", query->label_selector);
	if (query->field_selector)
		fetch_form_add(&form, "fieldSelector", query->field_selector);
	for (; pairs[0]; pairs += 2)
		fetch_form_add(&form, pairs[0], pairs[1]);
	url = form.is_full ? NULL : mem_printf("%s?%s", kind_url, form.p ? form.p : "");
	buf_fini(&form);
	mem_free(kind_url);
	return url;
}

static enum err too_long(const struct kube_query *query, struct err_text *text)
{
	return err_set(text, ERR_TOO_BIG, "%s: the selector makes a URL of more than %d bytes",
		       query->kind->plural, LIMIT_URL_BYTES);
}

static enum err get_page(struct kube_api *api, const struct kube_query *query, const char *at,
			 uint64_t timeout_ms, long *status, json_t **out, struct err_text *text)
{
	const char *const pairs[] = { "limit", PAGE_ITEMS, *at ? "continue" : NULL, at, NULL };
	struct call c = { .kind = query->kind, .verb = "list", .timeout_ms = timeout_ms };
	char *url = url_of_query(api, query, pairs);
	enum err err;

	*status = 0;
	if (!url)
		return too_long(query, text);
	err = call_for_object(api, &c, url, status, out, text);
	mem_free(url);
	return err;
}

static enum err add_items(const struct kube_query *query, json_t *all, const json_t *page,
			  struct err_text *text)
{
	json_t *items = json_object_get(page, "items");

	if (!items)
		return err_set(text, ERR_BAD_INPUT, "list %s: the reply is no list",
			       query->kind->plural);
	if (json_array_size(all) + json_array_size(items) > LIMIT_KUBE_OBJECTS)
		return err_set(text, ERR_TOO_BIG, "there are more than %d %s", LIMIT_KUBE_OBJECTS,
			       query->kind->plural);
	/* "items": null is an empty list. */
	if (json_is_array(items))
		json_array_extend(all, items);
	return OK;
}

static void read_version(const json_t *metadata, char version[KUBE_VERSION_BYTES])
{
	const char *text = json_string_value(json_object_get(metadata, "resourceVersion"));

	snprintf(version, KUBE_VERSION_BYTES, "%s", text ? text : "");
}

/* *is_expired: the server has forgotten the version the pages belong to. */
static enum err list_once(struct kube_api *api, const struct kube_query *query, uint64_t end_us,
			  json_t *all, char version[KUBE_VERSION_BYTES], bool *is_expired,
			  struct err_text *text)
{
	char at[LIMIT_URL_BYTES / 4] = "";
	enum err err;

	do {
		uint64_t now_us = clock_us(),
			 left_ms = now_us < end_us ? (end_us - now_us) / CLOCK_MS + 1 : 1;
		json_t *page = NULL, *metadata;
		const char *more;
		long status;

		err = get_page(api, query, at, left_ms, &status, &page, text);
		*is_expired = status == 410;
		if (err)
			break;
		metadata = json_object_get(page, "metadata");
		more = json_string_value(json_object_get(metadata, "continue"));
		read_version(metadata, version);
		err = add_items(query, all, page, text);
		if (!err && more && strlen(more) >= sizeof(at))
			err = err_set(text, ERR_TOO_BIG, "list %s: the continue token is too long",
				      query->kind->plural);
		else
			snprintf(at, sizeof(at), "%s", more ? more : "");
		json_decref(page);
	} while (!err && *at);
	return err;
}

enum err kube_api_list(struct kube_api *api, const struct kube_query *query, uint64_t timeout_ms,
		       json_t **out, char version[KUBE_VERSION_BYTES], struct err_text *text)
{
	uint64_t end_us = clock_us() + timeout_ms * CLOCK_MS;
	json_t *all = json_array();
	bool is_expired = true;
	enum err err = OK;

	for (unsigned starts = 0; is_expired && starts < LIST_STARTS; starts++) {
		json_array_clear(all);
		err = list_once(api, query, end_us, all, version, &is_expired, text);
	}
	if (err)
		json_decref(all);
	else
		*out = all;
	return err;
}

/* ---- watches ---- */

enum err kube_api_watch(struct kube_api *api, const struct kube_query *query, const char *version,
			unsigned timeout_s, fetch_bytes_fn on_bytes, void *arg,
			struct fetch_stream **out, struct err_text *text)
{
	char timeout[16];
	const char *const pairs[] = { "watch",
				      "true",
				      "allowWatchBookmarks",
				      "true",
				      "resourceVersion",
				      version,
				      "timeoutSeconds",
				      timeout,
				      NULL };
	struct buf token;
	char *url;
	enum err err;

	snprintf(timeout, sizeof(timeout), "%u", timeout_s);
	url = url_of_query(api, query, pairs);
	if (!url)
		return too_long(query, text);
	buf_init(&token, LIMIT_KUBE_TOKEN_BYTES);
	err = read_token(api, &token, text);
	if (!err)
		*out = fetch_stream_open(
			api->fetch,
			&(struct fetch_request){ .url = url,
						 .accept = "application/json",
						 .bearer = token.len ? token.p : NULL,
						 .tls = &api->tls,
						 .timeout_ms = timeout_s * 1000 + WATCH_GRACE_MS },
			on_bytes, arg);
	buf_fini(&token);
	mem_free(url);
	return err;
}

enum err kube_api_explain_watch(struct kube_api *api, const struct kube_query *query,
				const struct fetch_reply *reply, struct err_text *text)
{
	struct call c = { .kind = query->kind, .verb = "watch" };

	return explain(api, &c, reply, text);
}
