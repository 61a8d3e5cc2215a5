/* SPDX-License-Identifier: MIT
 *
 * platform_kubernetes - see the header; what is done to one Deployment is in scaled.c. */
#include "matrix/platform_kubernetes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "fetch/fetch.h"
#include "kube/kube_access.h"
#include "kube/kube_api.h"
#include "kube/kube_objects.h"
#include "matrix/checklist.h"
#include "matrix/claims.h"
#include "matrix/counter_text.h"
#include "matrix/owed.h"
#include "matrix/pause.h"
#include "matrix/pod_usage.h"
#include "matrix/result_row.h"
#include "matrix/rights.h"
#include "matrix/scaled.h"
#include "matrix/server_side.h"
#include "matrix/warnings.h"

#define METRICS_TIMEOUT_MS 2000
#define METRICS_ALL_MS	   5000 /* of all pods, one after the other */
#define USAGE_TIMEOUT_MS   1000
#define EVENTS_TIMEOUT_MS  5000
#define CLOCKS_APART_S	   5 /* that of the cluster and ours */
#define IMAGES_BYTES	   8192
#define IMAGES_WAIT_MS	   30000
#define IMAGES_POLL_MS	   1000

enum part { TARGET, WORKERS, PARTS };

struct platform_kubernetes {
	struct platform base;
	struct platform_kubernetes_config config;
	struct kube_access access;
	struct kube_api *api;
	struct fetch *fetch; /* for the replicas' counters */
	struct scaled *parts[PARTS];
	struct claims *claims;	  /* on them */
	struct owed owed;	  /* what they have to get back; holder: who noted it before us */
	struct buf images[PARTS]; /* of their pods when the driver came */
	bool knows_images[PARTS]; /* with the content of each */
	bool is_claimed;
	bool is_noted;	 /* what the parts have to get back is on disk */
	bool was_killed; /* an earlier driver, before it gave that back */
	double wall_scaled_s;
};

static struct platform_kubernetes *of(struct platform *p)
{
	return (struct platform_kubernetes *)p;
}

static bool is_stopped(void *arg)
{
	return pause_is_stopped(arg);
}

static struct rights_wanted wanted_rights(const struct platform_kubernetes *k)
{
	return (struct rights_wanted){ k->config.target, k->config.workers,
				       k->config.want_pause_autoscaler };
}

/* ---- start ---- */

static enum err meet_autoscaler(struct platform_kubernetes *k, const struct kube_autoscaler *a,
				struct scaled *s, struct err_text *text)
{
	const char *ns = kube_api_namespace(k->api);

	/* KEDA writes its autoscaler again whenever it differs from the ScaledObject. */
	if (!strcmp(a->owner_kind, "ScaledObject"))
		return err_set(
			text, ERR_STATE,
			"KEDA's ScaledObject %.100s scales Deployment %s too; pause it: kubectl "
			"-n %s annotate scaledobject %.100s autoscaling.keda.sh/paused=true",
			a->owner, a->target, ns, a->owner);
	if (!k->config.want_pause_autoscaler)
		return err_set(text, ERR_STATE,
			       "HorizontalPodAutoscaler %.100s scales Deployment %s too (%" PRIu64
			       " to %" PRIu64
			       " replicas): remove it, or give --pause-autoscaler to hold it at "
			       "the replicas of each scenario",
			       a->name, a->target, a->min, a->max);
	scaled_hold(s, a->name, a->min, a->max);
	return OK;
}

static enum err look_for_autoscalers(struct platform_kubernetes *k, struct err_text *text)
{
	const struct kube_query all = { .kind = &kube_autoscalers };
	char version[KUBE_VERSION_BYTES];
	json_t *items = NULL;
	enum err err = kube_api_list(k->api, &all, KUBE_CALL_TIMEOUT_MS, &items, version, text);

	for (size_t i = 0; !err && i < json_array_size(items); i++) {
		struct kube_autoscaler a = kube_autoscaler_read(json_array_get(items, i));

		for (size_t p = 0; !err && p < PARTS; p++)
			if (!strcmp(a.target_kind, "Deployment") &&
			    !strcmp(a.target, scaled_name(k->parts[p])))
				err = meet_autoscaler(k, &a, k->parts[p], text);
	}
	json_decref(items);
	return err;
}

/* Before the API server is asked: when it does not answer, what is owed can still be said. */
static enum err take_over(struct platform_kubernetes *k, struct err_text *text)
{
	enum err err;

	if (k->is_noted)
		return OK;
	err = owed_take_over(k->config.results, &k->owed, text);
	k->is_noted = k->was_killed = !err && owed_is_there(k->config.results);
	return err;
}

/* What exactly is measured, and with what. Which content an image's name stands for is known when
 * its container has begun; soon, when the Job was created together with the Deployments. Without
 * it the figures are as right as before. */
static enum err find_images(struct platform_kubernetes *k, struct err_text *text)
{
	struct pause *pause = k->config.pause;
	uint64_t end_us = pause->now_us(pause) + IMAGES_WAIT_MS * CLOCK_MS;
	struct err_text ignored = { "" };

	for (size_t i = 0; i < PARTS; i++) {
		struct buf *images = &k->images[i];
		enum err err = ERR_BUSY;

		if (images->len)
			continue;
		while (err == ERR_BUSY) {
			buf_clear(images);
			err = scaled_find_images(k->parts[i], images, &ignored);
			if (err == ERR_BUSY && pause->now_us(pause) >= end_us)
				break;
			if (err == ERR_INTERRUPTED ||
			    (err == ERR_BUSY && !pause_for(pause, IMAGES_POLL_MS * CLOCK_MS)))
				return pause_interrupted(text);
		}
		k->knows_images[i] = !err && images->len;
	}
	return OK;
}

/* Both on our disk and in the cluster, for whoever comes after us. */
static enum err note_owed(struct platform_kubernetes *k, struct err_text *text)
{
	struct owed ours = k->owed;
	enum err err;

	snprintf(ours.holder, sizeof(ours.holder), "%s", claims_holder(k->claims));
	err = owed_write(k->config.results, &ours, text);
	k->is_noted |= !err;
	return err ? err : claims_note(k->claims, text);
}

/* Opened before, so that there is no Lease of what does not exist; and what they had before counts
 * from when nobody else can scale any more. */
static enum err claim(struct platform_kubernetes *k, struct err_text *text)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < PARTS; i++)
		err = scaled_open(k->parts[i], text);
	if (!err)
		err = claims_take(k->claims, k->owed.holder, text);
	for (size_t i = 0; !err && i < PARTS; i++)
		err = scaled_read_before(k->parts[i], text);
	k->was_killed = scaled_is_owed(k->parts[TARGET]) || scaled_is_owed(k->parts[WORKERS]);
	k->is_claimed = !err;
	return err;
}

/* Each time: an autoscaler may have come since. */
static enum err kubernetes_start(struct platform *p, struct err_text *text)
{
	struct platform_kubernetes *k = of(p);
	struct rights_wanted wanted = wanted_rights(k);
	enum err err = take_over(k, text);

	if (!err && !k->is_claimed)
		err = rights_demand(k->api, &wanted, text);
	if (!err && !k->is_claimed)
		err = claim(k, text);
	if (!err)
		err = look_for_autoscalers(k, text);
	if (!err)
		err = note_owed(k, text);
	return err ? err : find_images(k, text);
}

/* ---- --dry-run ---- */

static enum err rehearse_part(struct scaled *s, struct checklist *out, struct err_text *text)
{
	enum err err = scaled_open(s, text);

	if (!err)
		err = scaled_check(s, text);
	if (!err)
		checklist_pass(out, "Deployment %s has %" PRIu64 " replicas, all ready",
			       scaled_name(s), scaled_wanted(s));
	return err;
}

static void rehearse_autoscalers(struct platform_kubernetes *k, struct checklist *out)
{
	struct err_text text = { "" };
	enum err err = look_for_autoscalers(k, &text);

	if (err)
		checklist_fail(out, "%s", err_say(&text, err));
	for (size_t i = 0; !err && i < PARTS; i++) {
		const char *name = scaled_before(k->parts[i]).autoscaler;

		checklist_pass(out, "Deployment %s: %s%s", scaled_name(k->parts[i]),
			       name ? "will be held: autoscaler " : "no autoscaler",
			       name ? name : "");
	}
}

static void kubernetes_rehearse(struct platform *p, uint64_t *workers, struct checklist *out)
{
	struct platform_kubernetes *k = of(p);
	struct rights_wanted wanted = wanted_rights(k);
	struct err_text text = { "" };
	enum err err = rights_check(k->api, &wanted, out, &text);

	if (err) {
		checklist_fail(out, "%s", err_say(&text, err));
		return;
	}
	err = take_over(k, &text);
	if (err)
		checklist_fail(out, "%s", err_say(&text, err));
	else if (k->was_killed)
		checklist_pass(out, "an earlier driver was killed; the next one gives back what "
				    "it has left scaled (" OWED_FILE ")");
	for (size_t i = 0; i < PARTS; i++) {
		err = rehearse_part(k->parts[i], out, &text);
		if (err)
			checklist_fail(out, "%s", err_say(&text, err));
		else if (i == WORKERS)
			*workers = scaled_wanted(k->parts[i]);
	}
	rehearse_autoscalers(k, out);
	claims_rehearse(k->claims, k->owed.holder, out);
}

/* ---- the scenario ---- */

static enum err order(struct platform_kubernetes *k, enum part part, uint64_t replicas,
		      struct err_text *text)
{
	enum err err = claims_ensure(k->claims, text);

	return err ? err : scaled_order(k->parts[part], replicas, text);
}

static enum err kubernetes_scale_target(struct platform *p, uint64_t replicas,
					struct err_text *text)
{
	of(p)->wall_scaled_s = clock_wall_s();
	return order(of(p), TARGET, replicas, text);
}

static enum err kubernetes_check_target(struct platform *p, struct err_text *text)
{
	return scaled_check(of(p)->parts[TARGET], text);
}

static enum err kubernetes_scale_workers(struct platform *p, uint64_t workers,
					 struct err_text *text)
{
	return order(of(p), WORKERS, workers, text);
}

static enum err kubernetes_check_workers(struct platform *p, struct err_text *text)
{
	return scaled_check(of(p)->parts[WORKERS], text);
}

static enum err for_both(struct platform *p, enum err (*ask)(struct scaled *, struct err_text *),
			 enum platform_part *part, struct err_text *text)
{
	enum err err;

	*part = PLATFORM_TARGET;
	err = ask(of(p)->parts[TARGET], text);
	if (err)
		return err;
	*part = PLATFORM_WORKERS;
	return ask(of(p)->parts[WORKERS], text);
}

static enum err kubernetes_check_ours(struct platform *p, struct err_text *text)
{
	return claims_check(of(p)->claims, text);
}

static enum err kubernetes_check_running(struct platform *p, enum platform_part *part,
					 struct err_text *text)
{
	*part = PLATFORM_TARGET;
	if (kubernetes_check_ours(p, text))
		return ERR_STATE;
	return for_both(p, scaled_compare, part, text);
}

static enum err kubernetes_check_after(struct platform *p, enum platform_part *part,
				       struct err_text *text)
{
	*part = PLATFORM_TARGET;
	if (kubernetes_check_ours(p, text))
		return ERR_STATE;
	return for_both(p, scaled_verify, part, text);
}

/* A tag may be moved, or a new version rolled out, between two scenarios: then their rows are of
 * different things. */
static void kubernetes_remark(struct platform *p, struct buf *out)
{
	struct platform_kubernetes *k = of(p);

	for (size_t i = 0; i < PARTS; i++) {
		struct buf all;

		buf_init(&all, IMAGES_BYTES);
		buf_add_str(&all, buf_str(&k->images[i]));
		if (k->knows_images[i] && scaled_add_images(k->parts[i], &all) &&
		    all.len > k->images[i].len)
			buf_printf(out, "%s%s has other images than when the driver came: %.200s",
				   out->len ? "; " : "", scaled_name(k->parts[i]),
				   all.p + k->images[i].len + strlen(", "));
		buf_fini(&all);
	}
}

static void kubernetes_explain(struct platform *p, struct buf *out)
{
	const struct kube_query warnings = { .kind = &kube_events,
					     .field_selector = "type=Warning" };
	struct platform_kubernetes *k = of(p);
	char version[KUBE_VERSION_BYTES], since[RESULT_CELL_BYTES];
	struct err_text text = { "" };
	json_t *items = NULL;
	enum err err = kube_api_list(k->api, &warnings, EVENTS_TIMEOUT_MS, &items, version, &text);

	result_cell_wall(k->wall_scaled_s - CLOCKS_APART_S, since);
	for (size_t i = 0; i < PARTS; i++)
		warnings_add(items, scaled_name(k->parts[i]), since, out);
	if (err == ERR_REFUSED)
		buf_add_text(out, err_say(&text, err));
	json_decref(items);
}

/* From the pod itself: the Service would ask any of them. */
static enum err fetch_page(struct platform_kubernetes *k, const char *address, unsigned attempts,
			   struct fetch_reply *reply, struct err_text *text)
{
	bool is_v6 = strchr(address, ':');
	char url[128];
	struct fetch_request request = { .url = url,
					 .timeout_ms = METRICS_TIMEOUT_MS,
					 .attempts = attempts };
	enum err err;

	snprintf(url, sizeof(url), "http://%s%.60s%s:%" PRIu64 "/metrics", is_v6 ? "[" : "",
		 address, is_v6 ? "]" : "", k->config.metrics_port);
	err = fetch_call(k->fetch, &request, reply, text);
	return err ? err : fetch_expect(&request, reply, text);
}

static enum err read_pod(struct platform_kubernetes *k, const char *address, uint64_t *out,
			 struct err_text *text)
{
	struct fetch_reply reply;
	enum err err;

	fetch_reply_init(&reply);
	err = fetch_page(k, address, 3, &reply, text);
	if (!err && (!counter_text_has(buf_str(&reply.body), COUNTER_OF_REQUESTS) ||
		     !counter_text_sum(buf_str(&reply.body), COUNTER_OF_REQUESTS, out)))
		err = err_set(text, ERR_UNSUPPORTED,
			      "http://%s:%" PRIu64 "/metrics has no counter " COUNTER_OF_REQUESTS,
			      address, k->config.metrics_port);
	fetch_reply_fini(&reply);
	return err;
}

/* That a pod cannot be asked harms no row: whether it is still there the watches tell. */
static enum err kubernetes_read_requests(struct platform *p, uint64_t *out, struct err_text *text)
{
	struct platform_kubernetes *k = of(p);
	struct err_text why = { "" };
	struct map addresses;
	struct map_entry *e;
	enum err err = OK;

	if (!k->config.metrics_port)
		return ERR_UNSUPPORTED;
	map_init(&addresses);
	scaled_collect_addresses(k->parts[TARGET], &addresses);
	*out = 0;
	for (size_t i = 0; !err && (e = map_next(&addresses, &i));) {
		uint64_t count = 0;

		err = read_pod(k, e->value, &count, &why);
		*out += count;
	}
	map_fini(&addresses);
	if (!err || err == ERR_INTERRUPTED)
		return err;
	return err_set(text, ERR_UNSUPPORTED, "the replicas' requests were not counted: %s",
		       err_say(&why, err));
}

/* One that cannot be asked is not asked again: the window is open, and there may be hundreds, which
 * may be slow. */
static enum err kubernetes_read_server(struct platform *p, struct server_side *out,
				       struct err_text *text)
{
	struct platform_kubernetes *k = of(p);
	uint64_t end_us = clock_us() + METRICS_ALL_MS * CLOCK_MS;
	struct map addresses;
	struct map_entry *e;
	enum err err = OK;

	if (!k->config.metrics_port)
		return OK;
	map_init(&addresses);
	scaled_collect_addresses(k->parts[TARGET], &addresses);
	for (size_t i = 0; !err && (e = map_next(&addresses, &i));) {
		struct fetch_reply reply;

		fetch_reply_init(&reply);
		err = fetch_page(k, e->value, 1, &reply, text);
		if (!err)
			server_side_add(out, e->key, buf_str(&reply.body));
		fetch_reply_fini(&reply);
		if (!err && clock_us() > end_us)
			err = err_set(text, ERR_TIMEOUT, "the replicas answer too slowly");
	}
	map_fini(&addresses);
	return err;
}

/* Not every cluster measures its pods, and not every Role lets us ask. */
static enum err kubernetes_read_usage(struct platform *p, struct pod_usage *out,
				      struct err_text *text)
{
	struct platform_kubernetes *k = of(p);
	const struct kube_query query = { .kind = &kube_usages,
					  .label_selector = scaled_selector(k->parts[TARGET]) };
	struct err_text why = { "" };
	char version[KUBE_VERSION_BYTES];
	json_t *items = NULL;
	enum err err = kube_api_list(k->api, &query, USAGE_TIMEOUT_MS, &items, version, &why);

	for (size_t i = 0; i < json_array_size(items); i++) {
		struct kube_usage usage = kube_usage_read(json_array_get(items, i));

		pod_usage_add(out, &usage);
	}
	json_decref(items);
	if (err == ERR_NOT_FOUND)
		err_set(&why, err, "the cluster has no metrics.k8s.io");
	if (err && err != ERR_INTERRUPTED)
		err_set(text, err, "CPU and memory of the pods are not known: %s",
			err_say(&why, err));
	return err;
}

/* ---- the rest ---- */

static const char *kubernetes_master_url(const struct platform *p)
{
	return ((const struct platform_kubernetes *)p)->config.master_url;
}

static const char *kubernetes_target_url(const struct platform *p)
{
	return ((const struct platform_kubernetes *)p)->config.target_url;
}

static void kubernetes_describe(const struct platform *p, struct buf *out)
{
	const struct platform_kubernetes *k = (const struct platform_kubernetes *)p;

	buf_add_text(out, "- Platform: Kubernetes at ");
	buf_add_url(out, k->access.server);
	buf_printf(out, ", namespace %s; master ", kube_api_namespace(k->api));
	buf_add_url(out, k->config.master_url);
	buf_add_text(out, ", target ");
	buf_add_url(out, k->config.target_url);
	buf_printf(out, " by Service %s\n", k->config.service);
	for (size_t i = 0; i < PARTS; i++) {
		struct scaled_before before = scaled_before(k->parts[i]);

		buf_printf(
			out, "- Deployment %s: %" PRIu64 " replicas before%s%s\n",
			scaled_name(k->parts[i]), before.replicas,
			k->was_killed ? " an earlier driver, which was killed" : "",
			before.autoscaler
				? "; its autoscaler is held at the replicas of each scenario "
				  "(minReplicas = maxReplicas) and gets its bounds back at the end"
				: "");
		if (k->images[i].len)
			buf_printf(out, "- Images of %s: %s\n", scaled_name(k->parts[i]),
				   k->images[i].p);
	}
}

/* Whoever has taken over gives back what was there before us: it was in the Leases. */
static enum err give_back(struct platform_kubernetes *k, struct buf *todo)
{
	struct err_text text = { "" };
	enum err target, workers, err;

	if (!scaled_is_owed(k->parts[TARGET]) && !scaled_is_owed(k->parts[WORKERS]))
		return OK;
	err = claims_ensure(k->claims, &text);
	if (err) {
		buf_printf(todo, "%s%s\n", err_say(&text, err),
			   err == ERR_STATE ? "; it gives back what was there before, or else:"
					    : "");
		for (size_t i = 0; i < PARTS; i++)
			scaled_say_owed(k->parts[i], todo);
		return err;
	}
	target = scaled_restore(k->parts[TARGET], todo);
	workers = scaled_restore(k->parts[WORKERS], todo);
	return target ? target : workers;
}

static enum err kubernetes_restore(struct platform *p, struct buf *todo)
{
	struct platform_kubernetes *k = of(p);
	struct err_text text = { "" }, why = { "" };
	enum err err = give_back(k, todo), released = claims_release(k->claims, !err, &why);

	if (err) {
		buf_printf(todo,
			   "then remove %s/" OWED_FILE
			   " and the notes in the Leases, from which a later start would do it:\n",
			   k->config.results);
		claims_say_notes(k->claims, todo);
		return err;
	}
	if (k->is_noted && (err = owed_remove(k->config.results, &text)))
		buf_printf(todo, "%s\n", err_say(&text, err));
	if (released) {
		buf_printf(todo,
			   "%s\nthe replicas have been; remove the notes in the Leases, from which "
			   "a later start would do it again:\n",
			   why.text);
		claims_say_notes(k->claims, todo);
	}
	return err ? err : released;
}

static void kubernetes_destroy(struct platform *p)
{
	struct platform_kubernetes *k = of(p);

	claims_destroy(&k->claims);
	for (size_t i = 0; i < PARTS; i++) {
		scaled_destroy(&k->parts[i]);
		buf_fini(&k->images[i]);
	}
	fetch_destroy(&k->fetch);
	kube_api_destroy(&k->api);
	kube_access_fini(&k->access);
	mem_free(k);
}

static const struct platform_ops kubernetes_ops = {
	.name = "kubernetes",
	.start = kubernetes_start,
	.scale_target = kubernetes_scale_target,
	.check_target = kubernetes_check_target,
	.scale_workers = kubernetes_scale_workers,
	.check_workers = kubernetes_check_workers,
	.check_running = kubernetes_check_running,
	.check_after = kubernetes_check_after,
	.check_ours = kubernetes_check_ours,
	.remark = kubernetes_remark,
	.explain = kubernetes_explain,
	.read_requests = kubernetes_read_requests,
	.read_server = kubernetes_read_server,
	.read_usage = kubernetes_read_usage,
	.master_url = kubernetes_master_url,
	.target_url = kubernetes_target_url,
	.describe = kubernetes_describe,
	.rehearse = kubernetes_rehearse,
	.restore = kubernetes_restore,
	.destroy = kubernetes_destroy,
};

/* kubectl's order: the file that was named, the pod's account, the file at home. */
static enum err find_access(const struct platform_kubernetes_config *c, struct kube_access *out,
			    struct err_text *text)
{
	const char *home = getenv("HOME");
	char *path;
	enum err err;

	if (c->kubeconfig)
		return kube_access_from_file(c->kubeconfig, c->context, out, text);
	if (!c->context && kube_access_is_in_pod(c->service_account))
		return kube_access_from_pod(c->service_account, out, text);
	path = mem_printf("%s/.kube/config", home ? home : "");
	err = kube_access_from_file(path, c->context, out, text);
	mem_free(path);
	return err;
}

static enum err check_names(const struct platform_kubernetes_config *c, const char *ns,
			    struct err_text *text)
{
	const struct {
		const char *option, *value;
	} names[] = {
		{ "--namespace", ns },
		{ "--target-deployment", c->target },
		{ "--worker-deployment", c->workers },
		{ "--target-service", c->service },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!kube_api_is_name(names[i].value))
			return err_set(text, ERR_BAD_OPTION,
				       "%s: '%.100s' is no name of Kubernetes (a-z, 0-9, - and .)",
				       names[i].option, names[i].value);
	return OK;
}

enum err platform_kubernetes_create(const struct platform_kubernetes_config *config,
				    struct platform **out, struct err_text *text)
{
	struct platform_kubernetes *k = mem_zalloc(1, sizeof(*k));
	const char *ns;
	enum err err;

	k->base.ops = &kubernetes_ops;
	k->config = *config;
	err = find_access(config, &k->access, text);
	if (err) {
		mem_free(k);
		return err;
	}
	ns = config->namespace ? config->namespace : k->access.namespace;
	k->api = kube_api_create(&k->access, ns, is_stopped, config->pause);
	k->fetch = fetch_create(is_stopped, config->pause);
	for (size_t i = 0; i < PARTS; i++)
		buf_init(&k->images[i], IMAGES_BYTES);
	k->parts[TARGET] = scaled_create(k->api, config->target, config->service);
	k->parts[WORKERS] = scaled_create(k->api, config->workers, NULL);
	k->owed = (struct owed){ .namespace = ns, .parts = k->parts, .count = PARTS };
	k->claims = claims_create(&(struct claims_config){ .access = &k->access,
							   .api = k->api,
							   .parts = k->parts,
							   .count = PARTS,
							   .pause = config->pause,
							   .say = config->say });
	err = check_names(config, ns, text);
	if (err)
		kubernetes_destroy(&k->base);
	else
		*out = &k->base;
	return err;
}
