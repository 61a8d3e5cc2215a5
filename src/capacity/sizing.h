/* SPDX-License-Identifier: MIT
 *
 * sizing - how many replicas does a target rate need, and what do they cost?
 *
 * From the capacity that was measured for some numbers of replicas: between measured numbers by
 * straight lines, beyond the largest only by a law that fits (usl.h); with too few levels for one
 * it refuses rather than extrapolate. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capacity/interval.h"
#include "capacity/usl.h"

/* Capacity of a number of replicas: the most that they answer within the objectives. */
struct sizing_level {
	uint64_t replicas;
	struct interval rps; /* low and high NAN where not known */
	bool is_floor;	     /* it is at least that: the load did not reach the limit */
};

enum sizing_basis {
	SIZING_MEASURED, /* this number of replicas was measured */
	SIZING_BETWEEN,	 /* it lies between measured ones */
	SIZING_LAW	 /* beyond them, by the law; at most twice the largest that was measured */
};

struct sizing {
	uint64_t replicas;
	/* What it would be if the capacities were at the high and the low ends of their intervals.
	 * 0: not known. */
	uint64_t replicas_low, replicas_high;
	enum sizing_basis basis;
	double rps; /* capacity of that many replicas */
};

/* levels ascend in replicas. head_room: the share of the capacity that stays free, 0 to below 1.
 * law: fitted over replicas, or NULL. ERR_NOT_FOUND: the target is beyond what is known, with the
 * largest rate that is and what to measure; ERR_BAD_INPUT for levels or numbers out of range. */
enum err sizing_find(const struct sizing_level *levels, size_t count, double target_rps,
		     double head_room, const struct usl *law, struct sizing *out,
		     struct err_text *why) MUST_CHECK;
/* Throughput per replica over that of one replica alone; NAN when no level has one replica, or one
 * of the two is a floor. */
double sizing_efficiency(const struct sizing_level *levels, size_t count, size_t index);
/* In the unit of the cost per replica and hour. */
double sizing_cost_per_million(uint64_t replicas, double rps, double cost_per_replica_hour);
