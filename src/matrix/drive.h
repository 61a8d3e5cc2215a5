/* SPDX-License-Identifier: MIT
 *
 * drive - walks the matrix: for every scenario the steps of the order, with a deadline
 * on each, and a row in the results before the next one begins.
 *
 * A scenario that cannot be measured properly is recorded with the reason and never
 * measured "anyway"; the next one goes on with whatever has to be started again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct objectives;
struct pause;
struct plan;
struct master_access;
struct platform;
struct progress;
struct result;

struct drive_config {
	const struct plan *plan;
	const struct objectives *objectives; /* of a search; else NULL */
	struct platform *platform;
	const struct master_access *master_access;
	struct pause *pause;
	struct progress *progress;
	struct result *result;
};

/* The platform has been started once, and so have the results; those scenarios that have a row
 * already are passed over. OK: every scenario has its row, whatever its status, or the next one
 * would not fit into the budget. ERR_INTERRUPTED: a stop was asked for; the scenario that ran is
 * recorded as interrupted. ERR_STATE: a test of somebody else runs at the master, and nothing was
 * done. ERR_IO and others: the results cannot be written. */
enum err drive_run(const struct drive_config *config, struct err_text *text) MUST_CHECK;
/* What is planned for the scenarios from `first` on that have no row: ramps, windows and the
 * cool-downs between them. */
double drive_rest_s(const struct plan *plan, const struct result *result, size_t first);
