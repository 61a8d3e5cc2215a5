/* SPDX-License-Identifier: MIT
 *
 * rehearsal - --dry-run: would a walk through the matrix begin? Looks at platform and master, and
 * changes nothing. */
#pragma once

#include <stdbool.h>

struct checklist;
struct master_access;
struct pause;
struct plan;
struct platform;

struct rehearsal {
	struct platform *platform; /* created, not started */
	const struct master_access *master_access;
	struct pause *pause;
	const struct plan *plan;
	bool has_leftover; /* a driver of this journal may have left a test */
};

void rehearsal_run(const struct rehearsal *r, struct checklist *out);
