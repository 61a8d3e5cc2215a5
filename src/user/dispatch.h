/* SPDX-License-Identifier: MIT
 *
 * dispatch - how many users of which class run on which worker, and when.
 *
 * Pure: no I/O, time is a parameter. Follows Locust (reference sections 3.1 to 3.8): steps of
 * max(1, floor(rate)) users every step/rate seconds, fixed_count classes first, then in one of
 * Locust's two orders (picker.h), users to workers in turn, decreases in reverse order of
 * creation. Counts are absolute.
 *
 * In the order of 2.12 one thing is not as there: classes whose fixed_count is met in part, after a
 * decrease or a change of the classes, get who is missing. 2.12 loops for ever or leaves them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "user/picker.h"

struct dispatch;

struct dispatch_class {
	const char *name; /* lent for the dispatcher's life */
	double weight;
	uint64_t fixed_count;
};

/* classes in any order; counts are asked for by the caller's own index. Workers: none yet. */
struct dispatch *dispatch_create(const struct dispatch_class *classes, size_t count,
				 enum picker_order order);
void dispatch_destroy(struct dispatch **d);

/* Another share from the next increase on; users that exist stay. What is as before changes
 * nothing, else Locust's order of the classes by weight begins anew. */
void dispatch_set_class(struct dispatch *d, size_t class_index, double weight,
			uint64_t fixed_count);

/* Replaces the worker list (ids are copied, any order; ordered as Locust does). If
 * users exist they are spread anew over the list, and a step is due at once. */
void dispatch_set_workers(struct dispatch *d, const char *const *ids, size_t count,
			  uint64_t now_us);

/* Begins a ramp from the present number to `users` at `rate` users/s (> 0). The first step
 * is due at now_us, also when nothing changes. */
void dispatch_begin(struct dispatch *d, uint64_t users, double rate, uint64_t now_us);

/* If a step is due at now_us takes it and returns true: then send every worker its counts. */
bool dispatch_step(struct dispatch *d, uint64_t now_us);
/* When the next step is due; UINT64_MAX when the ramp is over. */
uint64_t dispatch_due_us(const struct dispatch *d);

/* Users of class (index as given at creation) wanted on the worker now; 0 for an unknown id. */
uint64_t dispatch_users(const struct dispatch *d, const char *worker_id, size_t class_index);
uint64_t dispatch_total(const struct dispatch *d);
uint64_t dispatch_target(const struct dispatch *d);
