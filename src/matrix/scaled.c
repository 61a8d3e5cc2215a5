/* SPDX-License-Identifier: MIT
 *
 * scaled - see the header.
 *
 * A held autoscaler gets minReplicas = maxReplicas = what is ordered: then it wants what we
 * want, whatever it measures. Taking its hands off in another way leaves a bound that it
 * enforces. The order of calls keeps it so: autoscaler first, then scale. */
#include "matrix/scaled.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/map.h"
#include "base/mem.h"
#include "kube/kube_api.h"
#include "kube/kube_mirror.h"
#include "kube/kube_objects.h"

struct scaled {
	struct kube_api *api;
	const char *deployment, *service;
	struct kube_mirror *deployments, *pods, *slices; /* slices NULL: no service */
	char *selector;					 /* of the pods */
	uint64_t wanted;
	bool was_ordered;
	bool is_confirmed;   /* by a list since the order */
	struct map baseline; /* pod name -> restarts + 1, when scaled_check() was OK */
	struct scaled_before before;
	char *autoscaler; /* the name in `before` */
	bool was_pinned;
};

struct scaled *scaled_create(struct kube_api *api, const char *deployment, const char *service)
{
	struct scaled *s = mem_zalloc(1, sizeof(*s));

	s->api = api;
	s->deployment = deployment;
	s->service = service;
	map_init(&s->baseline);
	return s;
}

void scaled_destroy(struct scaled **s)
{
	if (!*s)
		return;
	kube_mirror_destroy(&(*s)->deployments);
	kube_mirror_destroy(&(*s)->pods);
	kube_mirror_destroy(&(*s)->slices);
	map_fini(&(*s)->baseline);
	mem_free((*s)->autoscaler);
	mem_free((*s)->selector);
	mem_free(*s);
	*s = NULL;
}

uint64_t scaled_wanted(const struct scaled *s)
{
	return s->wanted;
}

const char *scaled_name(const struct scaled *s)
{
	return s->deployment;
}

struct scaled_before scaled_before(const struct scaled *s)
{
	return s->before;
}

void scaled_forget(struct scaled *s)
{
	mem_free(s->autoscaler);
	s->autoscaler = NULL;
	s->before = (struct scaled_before){ .replicas = s->wanted };
	s->was_ordered = s->was_pinned = false;
}

void scaled_take_over(struct scaled *s, const struct scaled_before *before)
{
	scaled_forget(s);
	s->before.replicas = before->replicas;
	memcpy(s->before.uid, before->uid, sizeof(s->before.uid));
	s->was_ordered = true;
	s->was_pinned = before->autoscaler != NULL;
	if (before->autoscaler)
		scaled_hold(s, before->autoscaler, before->min, before->max);
}

static void watch_all(struct scaled *s)
{
	char *by_name = mem_printf("metadata.name=%s", s->deployment);

	s->deployments =
		kube_mirror_create(s->api, &(struct kube_query){ .kind = &kube_deployments,
								 .field_selector = by_name });
	s->pods = kube_mirror_create(
		s->api, &(struct kube_query){ .kind = &kube_pods, .label_selector = s->selector });
	if (s->service) {
		char *label = mem_printf("kubernetes.io/service-name=%s", s->service);

		s->slices =
			kube_mirror_create(s->api, &(struct kube_query){ .kind = &kube_slices,
									 .label_selector = label });
		mem_free(label);
	}
	mem_free(by_name);
}

static void read_before(struct scaled *s, const json_t *object)
{
	const char *uid =
		json_string_value(json_object_get(json_object_get(object, "metadata"), "uid"));
	bool is_known = uid && strlen(uid) < sizeof(s->before.uid) && kube_api_is_name(uid);

	s->wanted = kube_deployment_read(object).wanted;
	if (is_known && s->before.uid[0] && strcmp(uid, s->before.uid) != 0)
		scaled_forget(s);
	/* What was taken over is older than what is found. */
	if (!s->was_ordered)
		s->before.replicas = s->wanted;
	if (is_known)
		snprintf(s->before.uid, sizeof(s->before.uid), "%s", uid);
}

enum err scaled_read_before(struct scaled *s, struct err_text *text)
{
	const struct kube_ref scale = { &kube_deployments, s->deployment, "scale" };
	json_t *object = NULL;
	const char *selector;
	enum err err = kube_api_get(s->api, &scale, &object, text);

	if (err)
		return err;
	selector =
		json_string_value(json_object_get(json_object_get(object, "status"), "selector"));
	if (!selector || !*selector)
		err = err_set(text, ERR_BAD_INPUT, "Deployment %s: its scale has no selector",
			      s->deployment);
	read_before(s, object);
	if (!err && !s->selector)
		s->selector = mem_strdup(selector);
	json_decref(object);
	return err;
}

enum err scaled_open(struct scaled *s, struct err_text *text)
{
	enum err err;

	if (s->deployments)
		return OK;
	err = scaled_read_before(s, text);
	if (!err)
		watch_all(s);
	return err;
}

/* ---- orders ---- */

void scaled_hold(struct scaled *s, const char *autoscaler, uint64_t min, uint64_t max)
{
	if (s->autoscaler)
		return;
	s->autoscaler = mem_strdup(autoscaler);
	s->before.autoscaler = s->autoscaler;
	s->before.min = min;
	s->before.max = max;
}

static enum err pin(struct scaled *s, uint64_t min, uint64_t max, struct err_text *text)
{
	const struct kube_ref ref = { &kube_autoscalers, s->autoscaler, NULL };
	char patch[128];

	snprintf(patch, sizeof(patch),
		 "{\"spec\":{\"minReplicas\":%" PRIu64 ",\"maxReplicas\":%" PRIu64 "}}", min, max);
	return kube_api_merge(s->api, &ref, patch, NULL, text);
}

/* What was made of it counts: a webhook may have changed it, something in between answered. */
static enum err set_replicas(struct scaled *s, uint64_t replicas, struct err_text *text)
{
	const struct kube_ref ref = { &kube_deployments, s->deployment, "scale" };
	json_t *object = NULL;
	char patch[64];
	uint64_t made;
	enum err err;

	snprintf(patch, sizeof(patch), "{\"spec\":{\"replicas\":%" PRIu64 "}}", replicas);
	err = kube_api_merge(s->api, &ref, patch, &object, text);
	if (err)
		return err;
	made = kube_deployment_read(object).wanted;
	if (made != replicas || !json_is_object(json_object_get(object, "spec")))
		err = err_set(text, ERR_BAD_INPUT,
			      "Deployment %s was scaled to %" PRIu64 ", but has %" PRIu64
			      " replicas in its spec: does an admission webhook change it?",
			      s->deployment, replicas, made);
	json_decref(object);
	return err;
}

enum err scaled_order(struct scaled *s, uint64_t replicas, struct err_text *text)
{
	enum err err = OK;

	map_clear(&s->baseline);
	s->wanted = replicas;
	s->is_confirmed = false;
	/* Also when the answer does not come: it may have been heard. */
	s->was_ordered = true;
	if (s->autoscaler) {
		s->was_pinned = true;
		err = pin(s, replicas, replicas, text);
	}
	return err ? err : set_replicas(s, replicas, text);
}

void scaled_say_replicas(const char *ns, const char *deployment, const struct scaled_before *before,
			 struct buf *out)
{
	buf_printf(out, "  kubectl -n %s scale deployment %s --replicas=%" PRIu64 "\n", ns,
		   deployment, before->replicas);
}

void scaled_say_bounds(const char *ns, const struct scaled_before *before, struct buf *out)
{
	buf_printf(out,
		   "  kubectl -n %s patch hpa %s --type merge -p "
		   "'{\"spec\":{\"minReplicas\":%" PRIu64 ",\"maxReplicas\":%" PRIu64 "}}'\n",
		   ns, before->autoscaler, before->min, before->max);
}

bool scaled_is_owed(const struct scaled *s)
{
	return s->was_ordered || s->was_pinned;
}

void scaled_say_owed(const struct scaled *s, struct buf *out)
{
	const char *ns = kube_api_namespace(s->api);

	if (s->was_pinned)
		scaled_say_bounds(ns, &s->before, out);
	if (s->was_ordered)
		scaled_say_replicas(ns, s->deployment, &s->before, out);
}

enum err scaled_restore(struct scaled *s, struct buf *todo)
{
	const char *ns = kube_api_namespace(s->api);
	struct err_text text = { "" };
	enum err err = OK, first = OK;

	if (s->was_pinned)
		first = pin(s, s->before.min, s->before.max, &text);
	if (first) {
		buf_printf(todo, "%s\n", err_say(&text, first));
		scaled_say_bounds(ns, &s->before, todo);
	}
	if (s->was_ordered)
		err = set_replicas(s, s->before.replicas, &text);
	if (err) {
		buf_printf(todo, "%s\n", err_say(&text, err));
		scaled_say_replicas(ns, s->deployment, &s->before, todo);
	}
	s->was_pinned = first != OK;
	s->was_ordered = err != OK;
	return first ? first : err;
}

/* ---- are they there? ---- */

static enum err for_each_mirror(struct scaled *s,
				enum err (*ask)(struct kube_mirror *, struct err_text *),
				struct err_text *text)
{
	enum err err = ask(s->deployments, text);

	if (!err)
		err = ask(s->pods, text);
	if (!err && s->slices)
		err = ask(s->slices, text);
	return err;
}

static bool will_pass(enum err err)
{
	return err != ERR_REFUSED && err != ERR_NOT_FOUND && err != ERR_BAD_INPUT &&
	       err != ERR_TOO_BIG && err != ERR_INTERRUPTED;
}

struct pods {
	uint64_t ready, ending, alive;
	char trouble[400]; /* of one of them, with its name */
};

static struct pods count_pods(const struct scaled *s)
{
	struct pods pods = { 0 };
	struct map_entry *e;

	for (size_t i = 0; (e = map_next(kube_mirror_objects(s->pods), &i));) {
		struct kube_pod pod = kube_pod_read(e->value);

		/* One that is over answers nothing and stays until somebody removes it. */
		if (pod.is_over && !pod.is_ending)
			continue;
		pods.ending += pod.is_ending;
		pods.alive += !pod.is_ending;
		pods.ready += pod.is_ready && !pod.is_ending;
		/* That the programs of an ending one have ended is no trouble. */
		if (pod.trouble[0] && !pod.is_ready && !pod.is_ending && !pods.trouble[0])
			snprintf(pods.trouble, sizeof(pods.trouble), "; pod %.100s: %s", pod.name,
				 pod.trouble);
	}
	return pods;
}

static enum err say_gone(const struct scaled *s, struct err_text *text)
{
	return err_set(text, ERR_NOT_FOUND, "Deployment %s is gone from namespace %s",
		       s->deployment, kube_api_namespace(s->api));
}

/* All that are wanted may be available, and yet be of different versions. */
static enum err say_rollout(const struct scaled *s, const struct kube_deployment *d,
			    const struct pods *pods, struct err_text *text)
{
	return err_set(text, ERR_BUSY,
		       "%s: %" PRIu64 " of %" PRIu64 " replicas are of its newest version; %s%s",
		       s->deployment, d->updated, s->wanted,
		       d->is_paused ? "the Deployment is paused: kubectl rollout resume deployment "
				    : "a rollout goes on",
		       d->is_paused ? s->deployment : pods->trouble);
}

static enum err check_deployment(const struct scaled *s, const struct pods *pods,
				 struct err_text *text)
{
	const json_t *object = map_get(kube_mirror_objects(s->deployments), str_of(s->deployment));
	struct kube_deployment d = kube_deployment_read(object);

	if (!object)
		return say_gone(s, text);
	if (d.wanted != s->wanted)
		return err_set(text, ERR_BUSY,
			       "Deployment %s has %" PRIu64 " replicas in its spec, %" PRIu64
			       " were ordered: does somebody else scale it?",
			       s->deployment, d.wanted, s->wanted);
	if (d.observed_generation >= d.generation && d.updated < s->wanted &&
	    d.available >= s->wanted)
		return say_rollout(s, &d, pods, text);
	if (!kube_deployment_is_settled(&d, s->wanted))
		return err_set(text, ERR_BUSY,
			       "%s: %" PRIu64 " of %" PRIu64 " replicas are available%s%s%s",
			       s->deployment, d.available, s->wanted, d.trouble[0] ? "; " : "",
			       d.trouble, pods->trouble);
	return OK;
}

void scaled_collect_addresses(const struct scaled *s, struct map *out)
{
	struct map_entry *e;

	for (size_t i = 0; s->slices && (e = map_next(kube_mirror_objects(s->slices), &i));)
		kube_slice_collect_ready(e->value, out);
}

const char *scaled_selector(const struct scaled *s)
{
	return s->selector;
}

static size_t count_endpoints(const struct scaled *s)
{
	struct map ready;
	size_t count;

	map_init(&ready);
	scaled_collect_addresses(s, &ready);
	count = ready.count;
	map_fini(&ready);
	return count;
}

static enum err check_endpoints(const struct scaled *s, struct err_text *text)
{
	size_t count = s->slices ? count_endpoints(s) : s->wanted;

	if (count == s->wanted)
		return OK;
	return err_set(text, ERR_BUSY,
		       "Service %s has %zu ready endpoints, %" PRIu64
		       " are wanted; does its selector mean the pods of Deployment %s?",
		       s->service, count, s->wanted, s->deployment);
}

static void remember_pods(struct scaled *s)
{
	struct map_entry *e;

	map_clear(&s->baseline);
	for (size_t i = 0; (e = map_next(kube_mirror_objects(s->pods), &i));) {
		struct kube_pod pod = kube_pod_read(e->value);

		if (!pod.is_over)
			map_put(&s->baseline, str_of(pod.name),
				(void *)(uintptr_t)(pod.restarts + 1));
	}
}

/* By the copies of the cluster's objects. */
static enum err check_copies(const struct scaled *s, struct err_text *text)
{
	struct pods pods = count_pods(s);
	enum err err = check_deployment(s, &pods, text);

	if (!err && (pods.ending || pods.alive != s->wanted || pods.ready != s->wanted))
		err = err_set(text, ERR_BUSY,
			      "%s: %" PRIu64 " of %" PRIu64 " pods are ready, %" PRIu64
			      " old ones are ending%s",
			      s->deployment, pods.ready, s->wanted, pods.ending, pods.trouble);
	return err ? err : check_endpoints(s, text);
}

enum err scaled_check(struct scaled *s, struct err_text *text)
{
	enum err err = for_each_mirror(s, kube_mirror_step, text);

	if (err)
		return will_pass(err) ? ERR_BUSY : err;
	err = check_copies(s, text);
	/* An order of what is there already changes nothing that would tell copies of before a
	 * pause from those of now. */
	if (!err && !s->is_confirmed) {
		err = for_each_mirror(s, kube_mirror_refresh, text);
		if (err)
			return will_pass(err) ? ERR_BUSY : err;
		s->is_confirmed = true;
		err = check_copies(s, text);
	}
	if (!err)
		remember_pods(s);
	return err;
}

bool scaled_add_images(const struct scaled *s, struct buf *out)
{
	bool are_known = true;
	struct map_entry *e;

	for (size_t i = 0; (e = map_next(kube_mirror_objects(s->pods), &i));) {
		struct kube_pod pod = kube_pod_read(e->value);

		if (!pod.is_over && !pod.is_ending)
			are_known &= kube_pod_add_images(e->value, out);
	}
	return are_known;
}

enum err scaled_find_images(struct scaled *s, struct buf *out, struct err_text *text)
{
	enum err err = kube_mirror_refresh(s->pods, text);

	if (!err && !scaled_add_images(s, out))
		err = err_set(text, ERR_BUSY, "%s: pods are still being made", s->deployment);
	return err;
}

/* ---- are they still there? ---- */

/* The pods are as they were; does the Service still lead to them? */
static enum err compare_endpoints(const struct scaled *s, struct err_text *text)
{
	size_t count = s->slices ? count_endpoints(s) : s->wanted;

	if (count == s->wanted)
		return OK;
	return err_set(text, ERR_CLOSED,
		       "Service %s has %zu ready endpoints, %" PRIu64
		       " were measured: was its selector changed?",
		       s->service, count, s->wanted);
}

static enum err compare_pod(const struct scaled *s, const char *name, uint64_t restarts,
			    struct err_text *text)
{
	const json_t *object = map_get(kube_mirror_objects(s->pods), str_of(name));
	struct kube_pod pod = kube_pod_read(object);
	const char *what = !object		      ? "is gone"
			   : pod.is_over	      ? "has ended"
			   : pod.is_ending	      ? "is being deleted"
			   : pod.restarts != restarts ? "was restarted"
			   : !pod.is_ready	      ? "is no longer ready"
						      : NULL;

	if (!what)
		return OK;
	return err_set(text, ERR_CLOSED, "pod %s %s%s%s", name, what, pod.trouble[0] ? ": " : "",
		       pod.trouble);
}

static enum err compare_all(const struct scaled *s, struct err_text *text)
{
	const json_t *object = map_get(kube_mirror_objects(s->deployments), str_of(s->deployment));
	struct kube_deployment d = kube_deployment_read(object);
	struct map_entry *e;
	enum err err = OK;

	if (!object)
		return say_gone(s, text);
	if (d.wanted != s->wanted)
		return err_set(text, ERR_STATE,
			       "somebody else scaled Deployment %s from %" PRIu64 " to %" PRIu64
			       " replicas while it was measured",
			       s->deployment, s->wanted, d.wanted);
	for (size_t i = 0; !err && (e = map_next(&s->baseline, &i));)
		err = compare_pod(s, e->key, (uint64_t)(uintptr_t)e->value - 1, text);
	for (size_t i = 0; !err && (e = map_next(kube_mirror_objects(s->pods), &i));)
		if (!kube_pod_read(e->value).is_over &&
		    !map_get(&s->baseline, (struct str){ e->key, e->key_len }))
			err = err_set(text, ERR_STATE, "pod %s came while %s was measured", e->key,
				      s->deployment);
	return err ? err : compare_endpoints(s, text);
}

enum err scaled_compare(struct scaled *s, struct err_text *text)
{
	struct err_text passing = { "" };
	enum err err = for_each_mirror(s, kube_mirror_step, &passing);

	if (err == ERR_INTERRUPTED)
		return err_set(text, err, "interrupted");
	/* The API server is not needed while the load runs; scaled_verify() asks it later. */
	return err ? OK : compare_all(s, text);
}

enum err scaled_verify(struct scaled *s, struct err_text *text)
{
	struct err_text why = { "" };
	enum err err = for_each_mirror(s, kube_mirror_refresh, &why);

	if (!err)
		return compare_all(s, text);
	return err_set(text, err == ERR_INTERRUPTED ? err : ERR_IO,
		       "whether %s stayed as it was is not known: %.300s", s->deployment,
		       err_say(&why, err));
}
