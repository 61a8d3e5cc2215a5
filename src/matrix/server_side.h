/* SPDX-License-Identifier: MIT
 *
 * server_side - what the replicas say of themselves, from their pages for Prometheus: requests,
 * time in the queue, time of the model, CPU.
 *
 * All are counters, so two readings around a window say what happened in it. A name that a page
 * does not have stays unknown, for each service has its own. */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct result_row;

/* Of one replica; NAN: its page does not say. */
struct server_counts {
	double requests, queued, queue_s, computed, compute_s, cpu_s;
};

struct server_side {
	struct server_counts *replicas;
	size_t count;
};

void server_side_init(struct server_side *s);
void server_side_fini(struct server_side *s);
/* The page of one more replica, in the same order each time. */
void server_side_add(struct server_side *s, struct str page);
/* Fills the row's figures of the server from what came between; what is not known of all replicas
 * stays unknown. */
void server_side_assess(const struct server_side *before, const struct server_side *after,
			struct result_row *row);
