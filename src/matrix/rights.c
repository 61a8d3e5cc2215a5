/* SPDX-License-Identifier: MIT
 *
 * rights - see the header. SelfSubjectAccessReview is granted to everybody who is known to the
 * cluster (ClusterRole system:basic-user), so the Role has no rule for it. */
#include "matrix/rights.h"

#include <string.h>

#include "kube/kube_api.h"
#include "matrix/checklist.h"

#define VERBS_MAX 3

static const struct right {
	const struct kube_kind *kind;
	const char *part;
	const char *verbs[VERBS_MAX];
	bool is_of_deployments; /* a Role may grant it by their names */
	bool is_for_pausing;
	const char *without; /* what is missing without it; NULL: it has to be there */
} rights[] = {
	{ &kube_deployments, "scale", { "get", "patch" }, .is_of_deployments = true },
	{ &kube_deployments, NULL, { "list", "watch" }, .is_of_deployments = true },
	{ &kube_pods, NULL, { "list", "watch" } },
	{ &kube_slices, NULL, { "list", "watch" } },
	{ &kube_leases, NULL, { "get", "create", "patch" } },
	{ &kube_events,
	  NULL,
	  { "list" },
	  .without = "what they say of a row that went wrong is left out" },
	{ &kube_autoscalers, NULL, { "list" } },
	{ &kube_autoscalers, NULL, { "patch" }, .is_for_pausing = true },
	{ &kube_usages,
	  NULL,
	  { "list" },
	  .without = "CPU and memory as the cluster measures them are left out" },
};

/* *out: for all names it is wanted for. */
static enum err ask(struct kube_api *api, const struct rights_wanted *wanted,
		    const struct right *right, const char *verb, bool *out, struct err_text *text)
{
	const char *const names[] = { wanted->target, wanted->workers };
	size_t count = right->is_of_deployments ? 2 : 1;
	enum err err = OK;

	*out = true;
	for (size_t i = 0; !err && *out && i < count; i++)
		err = kube_api_may(
			api,
			&(struct kube_right){ .kind = right->kind,
					      .part = right->part,
					      .verb = verb,
					      .name = right->is_of_deployments ? names[i] : NULL },
			out, text);
	return err;
}

static void add_rule(const struct right *right, const char *const missing[], size_t count,
		     struct buf *out)
{
	buf_printf(out, "  - apiGroups: [\"%s\"]\n    resources: [\"%s%s%s\"]\n    verbs: [",
		   right->kind->group, right->kind->plural, right->part ? "/" : "",
		   right->part ? right->part : "");
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s\"%s\"", i ? ", " : "", missing[i]);
	buf_add_text(out, "]\n");
}

/* Two groups have "pods". */
static const char *of_group(const struct right *right)
{
	return right->kind == &kube_usages ? " of metrics.k8s.io" : "";
}

static enum err check_right(struct kube_api *api, const struct rights_wanted *wanted,
			    const struct right *right, struct checklist *out, struct err_text *text)
{
	const char *missing[VERBS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < VERBS_MAX && right->verbs[i]; i++) {
		const char *slash = right->part ? "/" : "", *part = right->part ? right->part : "";
		bool is_granted;
		enum err err = ask(api, wanted, right, right->verbs[i], &is_granted, text);

		if (err)
			return err;
		if (is_granted)
			checklist_pass(out, "right to %s %s%s%s%s", right->verbs[i],
				       right->kind->plural, slash, part, of_group(right));
		else if (right->without)
			checklist_pass(out, "no right to %s %s%s: %s", right->verbs[i],
				       right->kind->plural, of_group(right), right->without);
		else
			checklist_fail(out, "no right to %s %s%s%s", right->verbs[i],
				       right->kind->plural, slash, part);
		if (!is_granted && !right->without)
			missing[count++] = right->verbs[i];
	}
	if (count)
		add_rule(right, missing, count, &out->rules);
	return OK;
}

enum err rights_check(struct kube_api *api, const struct rights_wanted *wanted,
		      struct checklist *out, struct err_text *text)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < sizeof(rights) / sizeof(rights[0]); i++)
		if (!rights[i].is_for_pausing || wanted->want_pause_autoscaler)
			err = check_right(api, wanted, &rights[i], out, text);
	return err;
}

enum err rights_demand(struct kube_api *api, const struct rights_wanted *wanted,
		       struct err_text *text)
{
	struct err_text ignored = { "" };
	struct checklist list;
	enum err err;

	checklist_init(&list);
	err = rights_check(api, wanted, &list, &ignored);
	if (err == ERR_INTERRUPTED)
		err = err_set(text, err, "%s", ignored.text);
	else if (list.rules.len)
		err = err_set(
			text, ERR_REFUSED,
			"in namespace %.63s the driver's Role lacks (--dry-run shows it whole):\n"
			"%.360s",
			kube_api_namespace(api), list.rules.p);
	else
		err = OK;
	checklist_fini(&list);
	return err;
}
