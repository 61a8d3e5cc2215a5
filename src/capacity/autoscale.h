/* SPDX-License-Identifier: MIT
 *
 * autoscale - what was measured, as objects of Kubernetes that keep to it.
 *
 * A HorizontalPodAutoscaler (autoscaling/v2), by requests per pod, and a ScaledObject of KEDA with
 * its prometheus scaler. Each is a whole YAML document; texts are quoted. Both take the same
 * target: the capacity of a replica less the head-room, so that new pods are started before the
 * objectives break. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct autoscale {
	const char *deployment, *name_space;
	uint64_t replicas_min, replicas_max;
	double rps_per_replica;	    /* capacity of one */
	double head_room;	    /* share of it that stays free */
	const char *pod_metric;	    /* requests per second of a pod, in the custom metrics API */
	const char *prometheus_url; /* for KEDA */
	const char *rate_query;	    /* PromQL: requests per second of all replicas */
};

void autoscale_add_hpa(const struct autoscale *a, struct buf *out);
void autoscale_add_keda(const struct autoscale *a, struct buf *out);
