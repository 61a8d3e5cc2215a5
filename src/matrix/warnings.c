/* SPDX-License-Identifier: MIT
 *
 * warnings - see the header.
 *
 * An Event names its object and not whose that is. But pods are called after their ReplicaSet
 * (deployment-hash-id), and that after its Deployment (deployment-hash). */
#include "matrix/warnings.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "kube/kube_objects.h"

#define NEWEST 2 /* what a note has room for */

static bool is_about(const struct kube_event *e, const char *deployment)
{
	size_t len = strlen(deployment);
	const char *rest = e->name + len;

	if (strncmp(e->name, deployment, len) != 0)
		return false;
	if (!strcmp(e->kind, "Deployment"))
		return !*rest;
	if (*rest++ != '-')
		return false;
	rest = strchr(rest, '-');
	return strcmp(e->kind, "Pod") == 0 ? rest && !strchr(rest + 1, '-')
					   : !rest && strcmp(e->kind, "ReplicaSet") == 0;
}

/* The newest one before `limit`, which is in the list, or of all; NULL: none. */
static const json_t *find_before(const json_t *items, const json_t *limit, const char *deployment,
				 const char *since)
{
	struct kube_event end = kube_event_read(limit), best = { "" };
	const json_t *found = NULL;
	bool is_behind = false; /* the limit, among those of its second */

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		struct kube_event e = kube_event_read(item);
		int order = limit ? strcmp(e.at, end.at) : -1;

		if (item == limit)
			is_behind = true;
		else if (is_about(&e, deployment) && strncmp(e.at, since, sizeof(e.at) - 1) >= 0 &&
			 (order < 0 || (order == 0 && is_behind)) &&
			 (!found || strcmp(e.at, best.at) > 0)) {
			found = item;
			best = e;
		}
	}
	return found;
}

void warnings_add(const json_t *items, const char *deployment, const char *since, struct buf *out)
{
	const json_t *item = find_before(items, NULL, deployment, since);

	for (int i = 0; item && i < NEWEST; i++) {
		struct kube_event e = kube_event_read(item);

		buf_printf(out, "%s%s %.100s: %.60s", i ? "; " : "Events: ", e.kind, e.name,
			   e.reason);
		if (e.count > 1)
			buf_printf(out, " (%" PRIu64 " times)", e.count);
		buf_printf(out, ": %.120s", e.message);
		item = find_before(items, item, deployment, since);
	}
}
