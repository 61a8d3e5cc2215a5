/* SPDX-License-Identifier: MIT
 *
 * server_side - what the replicas say of themselves, from their pages for Prometheus: requests,
 * time in the queue, time of the model, CPU, memory.
 *
 * Most are counters, so two readings around a window say what happened in it. A name that a page
 * does not have stays unknown, for each service has its own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct result_row;

/* Of one replica; NAN: its page does not say. */
struct server_counts {
	char *name;
	double requests, queued, queue_s, computed, compute_s, cpu_s;
	double memory_bytes; /* in use at that moment */
};

struct server_side {
	struct server_counts *replicas;
	size_t count;
	uint64_t at_us; /* when they were read */
};

void server_side_init(struct server_side *s);
void server_side_fini(struct server_side *s);
/* The page of one more replica, which has this name in both readings. */
void server_side_add(struct server_side *s, const char *name, struct str page);
/* Fills the row's figures of the server from what came between; what is not known of all replicas
 * stays unknown, and of other replicas than before all. CPU for each request is by the replicas'
 * own count of these, or by that of the row's window where they have none. */
void server_side_assess(const struct server_side *before, const struct server_side *after,
			struct result_row *row);
