/* SPDX-License-Identifier: MIT
 *
 * platform_kubernetes - see the header; what is done to one Deployment is in scaled.c. */
#include "matrix/platform_kubernetes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "kube/kube_access.h"
#include "kube/kube_api.h"
#include "kube/kube_objects.h"
#include "matrix/pause.h"
#include "matrix/scaled.h"

struct platform_kubernetes {
	struct platform base;
	struct platform_kubernetes_config config;
	struct kube_access access;
	struct kube_api *api;
	struct scaled *target, *workers;
};

static struct platform_kubernetes *of(struct platform *p)
{
	return (struct platform_kubernetes *)p;
}

static bool is_stopped(void *arg)
{
	return pause_is_stopped(arg);
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
	struct scaled *const parts[] = { k->target, k->workers };
	char version[KUBE_VERSION_BYTES];
	json_t *items = NULL;
	enum err err = kube_api_list(k->api, &all, KUBE_CALL_TIMEOUT_MS, &items, version, text);

	for (size_t i = 0; !err && i < json_array_size(items); i++) {
		struct kube_autoscaler a = kube_autoscaler_read(json_array_get(items, i));

		for (size_t p = 0; !err && p < 2; p++)
			if (!strcmp(a.target_kind, "Deployment") &&
			    !strcmp(a.target, scaled_name(parts[p])))
				err = meet_autoscaler(k, &a, parts[p], text);
	}
	json_decref(items);
	return err;
}

/* Each time: an autoscaler may have come since. */
static enum err kubernetes_start(struct platform *p, struct err_text *text)
{
	struct platform_kubernetes *k = of(p);
	enum err err = scaled_open(k->target, text);

	if (!err)
		err = scaled_open(k->workers, text);
	return err ? err : look_for_autoscalers(k, text);
}

/* ---- the scenario ---- */

static enum err kubernetes_scale_target(struct platform *p, uint64_t replicas,
					struct err_text *text)
{
	return scaled_order(of(p)->target, replicas, text);
}

static enum err kubernetes_check_target(struct platform *p, struct err_text *text)
{
	return scaled_check(of(p)->target, text);
}

static enum err kubernetes_scale_workers(struct platform *p, uint64_t workers,
					 struct err_text *text)
{
	return scaled_order(of(p)->workers, workers, text);
}

static enum err kubernetes_check_workers(struct platform *p, struct err_text *text)
{
	return scaled_check(of(p)->workers, text);
}

static enum err for_both(struct platform *p, enum err (*ask)(struct scaled *, struct err_text *),
			 enum platform_part *part, struct err_text *text)
{
	enum err err;

	*part = PLATFORM_TARGET;
	err = ask(of(p)->target, text);
	if (err)
		return err;
	*part = PLATFORM_WORKERS;
	return ask(of(p)->workers, text);
}

static enum err kubernetes_check_running(struct platform *p, enum platform_part *part,
					 struct err_text *text)
{
	return for_both(p, scaled_compare, part, text);
}

static enum err kubernetes_check_after(struct platform *p, enum platform_part *part,
				       struct err_text *text)
{
	return for_both(p, scaled_verify, part, text);
}

static enum err kubernetes_read_requests(struct platform *p, uint64_t *out, struct err_text *text)
{
	(void)p;
	(void)out;
	return err_set(text, ERR_UNSUPPORTED, "the target's counters are not known to the driver");
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
	const struct scaled *const parts[] = { k->target, k->workers };

	buf_add_text(out, "- Platform: Kubernetes at ");
	buf_add_url(out, k->access.server);
	buf_printf(out, ", namespace %s; master ", kube_api_namespace(k->api));
	buf_add_url(out, k->config.master_url);
	buf_add_text(out, ", target ");
	buf_add_url(out, k->config.target_url);
	buf_printf(out, " by Service %s\n", k->config.service);
	for (size_t i = 0; i < 2; i++)
		buf_printf(
			out, "- Deployment %s: %" PRIu64 " replicas before%s\n",
			scaled_name(parts[i]), scaled_original(parts[i]),
			scaled_is_held(parts[i])
				? "; its autoscaler is held at the replicas of each scenario "
				  "(minReplicas = maxReplicas) and gets its bounds back at the end"
				: "");
}

static enum err kubernetes_restore(struct platform *p, struct buf *todo)
{
	enum err target = scaled_restore(of(p)->target, todo),
		 workers = scaled_restore(of(p)->workers, todo);

	return target ? target : workers;
}

static void kubernetes_destroy(struct platform *p)
{
	struct platform_kubernetes *k = of(p);

	scaled_destroy(&k->target);
	scaled_destroy(&k->workers);
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
	.read_requests = kubernetes_read_requests,
	.master_url = kubernetes_master_url,
	.target_url = kubernetes_target_url,
	.describe = kubernetes_describe,
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
	k->target = scaled_create(k->api, config->target, config->service);
	k->workers = scaled_create(k->api, config->workers, NULL);
	err = check_names(config, ns, text);
	if (err)
		kubernetes_destroy(&k->base);
	else
		*out = &k->base;
	return err;
}
