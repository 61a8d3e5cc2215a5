/* SPDX-License-Identifier: MIT
 *
 * conclude - from rows to answers: what each number of replicas carries, how many a target rate
 * needs, what they cost, and objects of Kubernetes that keep to it.
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

/* What the figures of the answers mean, up to one without a name. */
extern const struct conclude_term {
	const char *name, *unit, *meaning;
} conclude_terms[];

void conclude_rows(const struct conclude_questions *q, const struct result_row *rows, size_t count,
		   struct conclude *out);
/* Has the target its number of replicas, and every search its limit? */
bool conclude_is_answered(const struct conclude_questions *q, const struct conclude *c,
			  const struct result_row *rows, size_t count);
/* The three sentences of capacity/answer.h, a line each. */
void conclude_say(const struct conclude_questions *q, const struct conclude *c,
		  const struct result_row *rows, size_t count, struct buf *out);
/* A Markdown section: capacities, laws, searches, snippets. */
void conclude_add_markdown(const struct conclude_questions *q, const struct conclude *c,
			   const struct result_row *rows, size_t count, struct buf *out);
/* The elements of "answers" in report.json, in brackets. */
void conclude_add_json(const struct conclude_questions *q, const struct conclude *c,
		       const struct result_row *rows, size_t count, struct buf *out);
