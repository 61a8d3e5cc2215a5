/* SPDX-License-Identifier: MIT
 *
 * conclude - from rows to answers: what each number of replicas carries, and how many a target rate
 * needs. findings.h tells them.
 *
 * The capacity of a number of replicas is the throughput of its best row that may be believed, or
 * of its repeats together; of a search, that of the row with the most users within the objectives.
 * Where more load would have brought more, it is only a floor.
 * The mathematics is in capacity/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "capacity/search.h"
#include "capacity/sizing.h"
#include "capacity/usl.h"
#include "matrix/agenda.h"

struct knee;
struct result_row;

/* What was asked of a matrix. Texts are lent. */
struct conclude_questions {
	struct agenda agenda;
	double target_rps; /* NAN: not asked */
	double head_room;
	double cost_per_replica_hour;		 /* NAN: not asked */
	const char *deployment, *name_space;	 /* of the snippets */
	const char *prometheus_url, *rate_query; /* of KEDA's */
};

/* What the rows say to it. */
struct conclude {
	struct sizing_level levels[LIMIT_AXIS_VALUES]; /* capacities, ascending */
	uint64_t users[LIMIT_AXIS_VALUES];	       /* that they were measured with */
	size_t count;
	bool has_law;
	struct usl law; /* over replicas */
	struct err_text no_law;
	bool has_sizing;
	struct sizing sizing; /* for the target */
	struct err_text no_sizing;
};

void conclude_rows(const struct conclude_questions *q, const struct result_row *rows, size_t count,
		   struct conclude *out);
/* Has the target its number of replicas, and every search its limit? */
bool conclude_is_answered(const struct conclude_questions *q, const struct conclude *c,
			  const struct result_row *rows, size_t count);
/* From which number of users on more of them bring little, with so many replicas. */
enum err conclude_knee(const struct result_row *rows, size_t count, uint64_t replicas,
		       struct knee *out, struct err_text *why) MUST_CHECK;
