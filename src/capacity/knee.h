/* SPDX-License-Identifier: MIT
 *
 * knee - the load from which on more load brings little more throughput.
 *
 * Kneedle with S = 1 (Satopaa et al., Finding a "Kneedle" in a Haystack, 2011) on (load, goodput),
 * loads ascending, joined by straight lines. A knee that moves further than to the next measured
 * load when any one level is left out is an accident of the levels, and not reported. */
#pragma once

#include <stddef.h>

#include "base/err.h"

#define KNEE_LEVELS_MIN 5u

struct knee {
	size_t index;		    /* of the level */
	double load, rps;	    /* there */
	double load_low, load_high; /* where it was with one level left out */
};

/* load: strictly ascending; rps: goodput, what was answered well. ERR_NOT_FOUND with the reason:
 * too few levels, throughput grows all along, or the knee hangs on one level (which one).
 * ERR_TOO_BIG above LIMIT_LEVELS, ERR_BAD_INPUT when the loads do not ascend. */
enum err knee_find(const double *load, const double *rps, size_t count, struct knee *out,
		   struct err_text *why) MUST_CHECK;
