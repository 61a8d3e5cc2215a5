/* SPDX-License-Identifier: MIT
 *
 * kube_objects - what Kubernetes objects say about themselves, as plain structs.
 *
 * Pure functions on the JSON of the API server. A field that is missing is zero, as in
 * Kubernetes; one of a wrong type counts as missing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct json_t;
struct map;

struct kube_deployment {
	uint64_t wanted; /* spec.replicas */
	uint64_t generation, observed_generation;
	uint64_t replicas, updated, ready, available; /* status */
	bool is_paused;				      /* no rollout goes on */
	char trouble[256];			      /* of ReplicaFailure; "": none */
};

struct kube_deployment kube_deployment_read(const struct json_t *object);
/* The controller has seen the last change and nothing is left to do for it. Old pods may
 * still be ending. Every weaker rule has been seen to be wrong: right after a scale the
 * counts are the old ones, on the way down "enough are ready" holds too early. */
bool kube_deployment_is_settled(const struct kube_deployment *d, uint64_t wanted);

struct kube_pod {
	const char *name, *uid; /* lent by the object; "" when missing */
	bool is_ready;
	bool is_ending; /* to be deleted */
	bool is_over;	/* Succeeded or Failed: an evicted pod stays as such */
	uint64_t restarts;
	char trouble[256]; /* why it will hardly become ready; "": nothing known */
};

struct kube_pod kube_pod_read(const struct json_t *object);

/* Puts what is ready in an EndpointSlice into `ready`: under a pod's uid, else its address, that
 * address (const char *, lent by the object). A pod with two addresses stands in two slices. */
void kube_slice_collect_ready(const struct json_t *object, struct map *ready);

struct kube_event {
	const char *kind, *name;      /* lent, as the next two: of whom it speaks */
	const char *reason, *message; /* "Unhealthy", and in words */
	uint64_t count;		      /* how often it has happened */
	char at[20];		      /* the last time: "2026-01-01T00:00:00"; "": not known */
};

struct kube_event kube_event_read(const struct json_t *object);

struct kube_autoscaler {
	const char *name;		  /* lent, as the next three */
	const char *target_kind, *target; /* what it scales */
	const char *owner_kind, *owner;	  /* who made it: "ScaledObject" is KEDA; "": nobody */
	uint64_t min, max;
};

struct kube_autoscaler kube_autoscaler_read(const struct json_t *object);

/* PodMetrics of metrics.k8s.io: what the containers of a pod used together, CPU as the mean of
 * window_s seconds that ended at wall_s. NAN: it does not say, or in no way that we know. */
struct kube_usage {
	const char *pod; /* lent; "" when missing */
	double cpus, memory_bytes;
	double wall_s, window_s;
};

struct kube_usage kube_usage_read(const struct json_t *object);

/* The images of a pod's containers, each with what it is by content: "image (imageID)", with a
 * comma between them. What is there already, by whatever name, is not added again. False: a
 * container is still being made, so that only its image's name is known. */
bool kube_pod_add_images(const struct json_t *object, struct buf *out);
