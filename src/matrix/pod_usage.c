/* SPDX-License-Identifier: MIT
 *
 * pod_usage - see the header. */
#include "matrix/pod_usage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "kube/kube_objects.h"
#include "matrix/result_row.h"

/* The clocks of node and driver may be so far apart. */
#define CLOCKS_APART_S 2

struct pod_used {
	char name[LIMIT_KUBE_NAME_BYTES + 1];
	double last_wall_s;
	double cpu_s, seconds; /* cpu_s of so many */
	double memory_bytes;   /* the most */
};

void pod_usage_init(struct pod_usage *u, double wall_start_s)
{
	*u = (struct pod_usage){ .wall_start_s = wall_start_s };
}

void pod_usage_fini(struct pod_usage *u)
{
	mem_free(u->pods);
	pod_usage_init(u, NAN);
}

static struct pod_used *find(struct pod_usage *u, const char *name)
{
	for (size_t i = 0; i < u->count; i++)
		if (!strcmp(u->pods[i].name, name))
			return &u->pods[i];
	if (u->count == LIMIT_KUBE_OBJECTS)
		return NULL;
	u->pods = mem_realloc(u->pods, (u->count + 1) * sizeof(*u->pods));
	u->pods[u->count] = (struct pod_used){ .last_wall_s = -INFINITY };
	snprintf(u->pods[u->count].name, sizeof(u->pods[0].name), "%s", name);
	return &u->pods[u->count++];
}

void pod_usage_add(struct pod_usage *u, const struct kube_usage *usage)
{
	struct pod_used *pod;

	if (!(usage->wall_s - usage->window_s >= u->wall_start_s - CLOCKS_APART_S) ||
	    !(usage->window_s > 0) || isnan(usage->cpus) || isnan(usage->memory_bytes) ||
	    strlen(usage->pod) > LIMIT_KUBE_NAME_BYTES)
		return;
	pod = find(u, usage->pod);
	if (!pod || usage->wall_s <= pod->last_wall_s)
		return;
	pod->last_wall_s = usage->wall_s;
	pod->cpu_s += usage->cpus * usage->window_s;
	pod->seconds += usage->window_s;
	pod->memory_bytes = fmax(pod->memory_bytes, usage->memory_bytes);
}

void pod_usage_assess(const struct pod_usage *u, struct result_row *row)
{
	double cpus = 0, most_bytes = 0;

	if (!u->count)
		return;
	for (size_t i = 0; i < u->count; i++) {
		cpus += u->pods[i].cpu_s / u->pods[i].seconds;
		most_bytes = fmax(most_bytes, u->pods[i].memory_bytes);
	}
	row->server_cpu_pct = 100 * cpus / (double)u->count;
	row->server_memory_mib = most_bytes / 0x1p20;
}
