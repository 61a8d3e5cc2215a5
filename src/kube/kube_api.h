/* SPDX-License-Identifier: MIT
 *
 * kube_api - the few calls of the Kubernetes API that the driver needs.
 *
 * Every call blocks, at most for KUBE_CALL_TIMEOUT_MS, and is ended by is_stopped. What may
 * pass is tried again until then: no connection, 429 (after as long as the server asks for),
 * 500, 502, 503, 504, a conflict, and once a 401, for the token may just have been exchanged.
 * Merge-patches of ours say what shall be, so repeating one does no harm.
 *
 *   ERR_REFUSED    401, 403: *text names the rule that the Role lacks, if it lacks one
 *   ERR_NOT_FOUND  404
 *   ERR_STATE      409 of a call that says which state it is for: somebody was faster
 *   ERR_BAD_INPUT  other 4xx, and replies that are not JSON
 *   ERR_IO         429 and 5xx to the end; connections fail as in fetch
 *
 * Belongs to one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fetch/fetch.h"

#define KUBE_CALL_TIMEOUT_MS 30000
#define KUBE_VERSION_BYTES   64

struct json_t;
struct kube_access;
struct kube_api;

struct kube_kind {
	const char *prefix; /* path of the API group: "/apis/apps/v1" */
	const char *group;  /* as in a Role's apiGroups */
	const char *plural;
};

extern const struct kube_kind kube_deployments, kube_pods, kube_slices, kube_autoscalers,
	kube_events, kube_leases, kube_usages; /* of pods, where the cluster has metrics.k8s.io */

/* What a Role grants. */
struct kube_right {
	const struct kube_kind *kind;
	const char *part; /* "scale"; NULL: the object */
	const char *verb;
	const char *name; /* of the one object; NULL: all */
};

/* One object, or a part of it ("scale"; NULL: all of it). */
struct kube_ref {
	const struct kube_kind *kind;
	const char *name, *part;
};

/* Which objects of a kind: both may be NULL. */
struct kube_query {
	const struct kube_kind *kind;
	const char *label_selector, *field_selector;
};

/* May this stand in a path: a name as Kubernetes has them? */
bool kube_api_is_name(const char *name);

/* access and ns are lent until destroy. */
struct kube_api *kube_api_create(const struct kube_access *access, const char *ns,
				 fetch_stop_fn is_stopped, void *arg);
void kube_api_destroy(struct kube_api **api);
const char *kube_api_namespace(const struct kube_api *api);

/* The caller gives *out back with json_decref(), here and below. */
enum err kube_api_get(struct kube_api *api, const struct kube_ref *ref, struct json_t **out,
		      struct err_text *text) MUST_CHECK;
/* out may be NULL. */
enum err kube_api_merge(struct kube_api *api, const struct kube_ref *ref, const char *patch,
			struct json_t **out, struct err_text *text) MUST_CHECK;
/* The patch names the resourceVersion that it is for: ERR_STATE when there is another one. */
enum err kube_api_merge_exactly(struct kube_api *api, const struct kube_ref *ref, const char *patch,
				struct json_t **out, struct err_text *text) MUST_CHECK;
/* ERR_STATE: there is one by that name. */
enum err kube_api_add(struct kube_api *api, const struct kube_kind *kind, const char *object,
		      struct json_t **out, struct err_text *text) MUST_CHECK;
/* Would that be granted to us? Asked in a SelfSubjectAccessReview, which changes nothing. */
enum err kube_api_may(struct kube_api *api, const struct kube_right *right, bool *out,
		      struct err_text *text) MUST_CHECK;
/* All pages; *out is an array. version gets the resourceVersion a watch can begin with. */
enum err kube_api_list(struct kube_api *api, const struct kube_query *query, uint64_t timeout_ms,
		       struct json_t **out, char version[KUBE_VERSION_BYTES],
		       struct err_text *text) MUST_CHECK;

/* Lines of JSON from `version` on, for at most timeout_s. */
enum err kube_api_watch(struct kube_api *api, const struct kube_query *query, const char *version,
			unsigned timeout_s, fetch_bytes_fn on_bytes, void *arg,
			struct fetch_stream **out, struct err_text *text) MUST_CHECK;
/* The error of a watch that was not answered with 200. */
enum err kube_api_explain_watch(struct kube_api *api, const struct kube_query *query,
				const struct fetch_reply *reply, struct err_text *text) MUST_CHECK;
