/* SPDX-License-Identifier: MIT
 *
 * assess - what follows from a row and its evidence: steady state, intervals, whether users,
 * throughput and times fit together, and whether the row may be believed (capacity/trust.h). */
#pragma once

struct evidence;
struct result_row;

/* Fills the figures of the row that are not measured themselves; what cannot be told stays unknown.
 * The verdict stays empty where nothing was measured. generator: why the load generator was the
 * limit, if it was; NULL: nobody has said. */
void assess_row(struct result_row *row, const struct evidence *evidence, const char *generator);
