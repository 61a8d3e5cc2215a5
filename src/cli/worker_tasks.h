/* SPDX-License-Identifier: MIT
 *
 * worker_tasks - which tasks the users of a worker draw, as its master wants it: those that the
 * tags of a test leave, and of these the ones that POST /user names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "user/load.h"
#include "user/scenario.h"

struct opt_texts;

struct worker_class_tasks {
	size_t count;
	bool *is_named;	 /* of each task */
	bool *is_tagged; /* likewise */
	bool is_idle;	 /* the tags leave none */
};

struct worker_tasks {
	const struct scenario *scenario; /* lent */
	struct load *load;		 /* lent */
	struct worker_class_tasks *classes;
	uint64_t *counts;
	bool has_tags;
};

void worker_tasks_init(struct worker_tasks *t, const struct scenario *scenario, struct load *load);
/* A zeroed one is fine too. */
void worker_tasks_fini(struct worker_tasks *t);
/* From POST /user: users of the class draw only these, until they are named anew. */
void worker_tasks_name(struct worker_tasks *t, size_t class_index, const struct str *names,
		       size_t count);
/* Of a test that begins; both may be NULL, as may be each. */
void worker_tasks_tag(struct worker_tasks *t, const struct opt_texts *only,
		      const struct opt_texts *except);
/* Users wanted of each class, but none of those that are left without a task. Lent until the next
 * call. */
const uint64_t *worker_tasks_wanted(struct worker_tasks *t, const uint64_t *counts);
