/* SPDX-License-Identifier: MIT
 *
 * pod_usage - CPU and memory of the target's pods while the window was open, as the cluster has
 * measured them (metrics.k8s.io).
 *
 * The cluster measures every 15 s or so, and says the mean of that time: what began before the
 * window is left out, and what is said twice counts once. A window shorter than two of its
 * measurements may have none. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct kube_usage;
struct result_row;

struct pod_usage {
	double wall_start_s; /* of the window */
	struct pod_used *pods;
	size_t count;
};

void pod_usage_init(struct pod_usage *u, double wall_start_s);
void pod_usage_fini(struct pod_usage *u);
void pod_usage_add(struct pod_usage *u, const struct kube_usage *usage);
/* The mean CPU of a pod, and the memory of the one that had most; where nothing is known the row
 * stays as it is. */
void pod_usage_assess(const struct pod_usage *u, struct result_row *row);
