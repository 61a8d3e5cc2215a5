/* SPDX-License-Identifier: MIT
 *
 * agenda - see the header. */
#include "matrix/agenda.h"

#include <math.h>

#include "capacity/interval.h"
#include "matrix/objectives.h"
#include "matrix/result_row.h"

/* Student's t of fewer is so wide, or by chance so narrow, that it decides nothing. */
#define REPEATS_MIN 3
/* The winner has to pass in a window so many times as long. */
#define CONFIRMATION 2

/* ---- a matrix ---- */

static bool is_cell(const struct result_row *row, const struct scenario *s)
{
	return row->replicas == s->replicas && row->workers == s->workers && row->users == s->users;
}

bool agenda_is_known(const struct plan *plan, const struct scenario *s,
		     const struct result_row *rows, size_t count)
{
	double rps[LIMIT_REPEATS];
	struct err_text why = { "" };
	struct interval interval;
	size_t repeats = 0;

	for (size_t i = 0; i < count && repeats < LIMIT_REPEATS; i++)
		if (is_cell(&rows[i], s) && rows[i].status == RESULT_OK)
			rps[repeats++] = rows[i].rps;
	return repeats >= REPEATS_MIN && !interval_repeats(rps, repeats, &interval, &why) &&
	       interval_relative(&interval) <= plan->until_interval;
}

static bool next_of_matrix(const struct plan *plan, const struct result_row *rows, size_t count,
			   struct scenario *out)
{
	for (size_t i = 0; i < plan_count(plan); i++) {
		*out = plan_scenario(plan, i);
		if (result_row_find(rows, count, i))
			continue;
		if (plan->until_interval <= 0 || !agenda_is_known(plan, out, rows, count))
			return true;
	}
	return false;
}

/* ---- a search ---- */

/* The index of the first probe of a cell; it has SEARCH_PROBES of them. */
static size_t first_probe(const struct plan *plan, size_t i, size_t k)
{
	return (i * plan->workers.count + k) * SEARCH_PROBES;
}

/* Its first row says where a search has begun. Before that what was measured next to it promises
 * as much, in proportion. */
static double start_of(const struct agenda *a, const struct result_row *rows, size_t count,
		       size_t i, size_t k)
{
	const struct opt_counts *replicas = &a->plan->replicas;
	size_t first = first_probe(a->plan, i, k), place = result_row_place(rows, count, first);
	double start = (double)a->plan->users.value[0];

	if (place < count && rows[place].scenario < first + SEARCH_PROBES) {
		start = (double)rows[place].users;
	} else if (i) {
		struct search before = agenda_search(a, rows, count, i - 1, k);
		double limit = search_limit(&before).value;

		if (!isnan(limit))
			start = limit * (double)replicas->value[i] / (double)replicas->value[i - 1];
	}
	return fmin(fmax(floor(start), 1), (double)a->plan->users_max);
}

static void tell(struct search *s, const struct objectives *objectives,
		 const struct result_row *row)
{
	struct interval excess;
	struct err_text why;

	if (objectives_excess(objectives, row, &excess, &why))
		search_tell_void(s);
	else if (s->next.is_confirmation && excess.value <= 1 &&
		 objectives_check_samples(objectives, row, &why))
		search_tell_void(s); /* Too few to confirm anything by. */
	else
		search_tell(s, &excess);
}

/* A probe that could not be measured has no row after a restart. Where others follow it, they came
 * of its having been there. */
struct search agenda_search(const struct agenda *a, const struct result_row *rows, size_t count,
			    size_t i, size_t k)
{
	const struct plan *plan = a->plan;
	size_t first = first_probe(plan, i, k), place = result_row_place(rows, count, first);
	struct search s;

	search_init(&s, &(struct search_config){ .start = start_of(a, rows, count, i, k),
						 .min = 1,
						 .max = (double)plan->users_max,
						 .tolerance = plan->tolerance,
						 .is_whole = true });
	for (; place < count && rows[place].scenario < first + SEARCH_PROBES; place++) {
		while (s.end == SEARCH_RUNNING && first + s.count < rows[place].scenario)
			search_tell_void(&s);
		if (s.end == SEARCH_RUNNING)
			tell(&s, a->objectives, &rows[place]);
	}
	return s;
}

static bool next_of_search(const struct agenda *a, const struct result_row *rows, size_t count,
			   struct scenario *out)
{
	const struct plan *plan = a->plan;

	for (size_t i = 0; i < plan->replicas.count; i++) {
		for (size_t k = 0; k < plan->workers.count; k++) {
			struct search s = agenda_search(a, rows, count, i, k);
			struct search_probe probe;

			if (!search_next(&s, &probe))
				continue;
			*out = (struct scenario){
				.index = first_probe(plan, i, k) + s.count,
				.replicas = plan->replicas.value[i],
				.workers = plan->workers.value[k],
				.users = (uint64_t)probe.load,
				.repeat = s.count + 1,
				.duration_s = plan->duration_s *
					      (probe.is_confirmation ? CONFIRMATION : 1),
			};
			return true;
		}
	}
	return false;
}

bool agenda_next(const struct agenda *a, const struct result_row *rows, size_t count,
		 struct scenario *out)
{
	return a->plan->is_search ? next_of_search(a, rows, count, out)
				  : next_of_matrix(a->plan, rows, count, out);
}
