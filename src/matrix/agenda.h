/* SPDX-License-Identifier: MIT
 *
 * agenda - what is measured next, which follows from the plan and the rows that are there.
 *
 * A matrix is walked in the order of its plan; with --until-interval what is known well enough is
 * passed over in further passes. A search (--slo) looks for the largest number of users within the
 * objectives, for each number of replicas and workers: what to measure next hangs on what came out.
 * Rows are all it remembers, so a driver that comes later goes on as if nothing had happened. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "capacity/search.h"
#include "matrix/plan.h"

struct objectives;
struct result_row;

struct agenda {
	const struct plan *plan;
	const struct objectives *objectives; /* of a search */
};

/* rows: in the order of their scenarios. False: nothing is left. */
bool agenda_next(const struct agenda *a, const struct result_row *rows, size_t count,
		 struct scenario *out);
/* Of a search: how far it is with the i-th number of replicas and the k-th of workers; its loads
 * are users. */
struct search agenda_search(const struct agenda *a, const struct result_row *rows, size_t count,
			    size_t i, size_t k);
/* Is the throughput of this scenario known to plan->until_interval? */
bool agenda_is_known(const struct plan *plan, const struct scenario *s,
		     const struct result_row *rows, size_t count);
