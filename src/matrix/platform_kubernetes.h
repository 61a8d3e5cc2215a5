/* SPDX-License-Identifier: MIT
 *
 * platform_kubernetes - target and workers are Deployments of a namespace, the master is a
 * Service: Cicada's or Locust's. The driver scales, waits until pods, Service and master agree,
 * and gives the old numbers back at the end.
 *
 * An autoscaler of the same Deployments would undo what is ordered: the platform does not
 * start beside one, unless told to hold it. Nor does it beside another driver of theirs: claims.h.
 */
#pragma once

#include "matrix/platform.h"

struct pause;

struct platform_kubernetes_config {
	const char *kubeconfig;	      /* NULL: the pod's service account, else ~/.kube/config */
	const char *context;	      /* NULL: the current one */
	const char *service_account;  /* its folder */
	const char *namespace;	      /* NULL: what the two above say */
	const char *target, *workers; /* Deployments */
	const char *service;	      /* of the target */
	const char *master_url, *target_url;
	uint64_t metrics_port; /* of each replica's pod; 0: none */
	const char *results;   /* the folder, where what has to be given back is noted */
	bool want_pause_autoscaler;
	struct pause *pause;
	void (*say)(
		const char *line); /* what it waits for while nobody shows progress; may be NULL */
};

/* Strings and pause are lent until destroy. Calls nobody yet. */
enum err platform_kubernetes_create(const struct platform_kubernetes_config *config,
				    struct platform **out, struct err_text *text) MUST_CHECK;
