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

static bool is_row_of(const struct result_row *row, const struct scenario *s)
{
	return is_cell(row, s) && row->repeat == s->repeat;
}

/* Mostly they are in the order of the plan, all of them. */
static bool has_row(const struct scenario *s, size_t place, const struct result_row *rows,
		    size_t count)
{
	if (place < count && is_row_of(&rows[place], s))
		return true;
	for (size_t i = 0; i < count; i++)
		if (is_row_of(&rows[i], s))
			return true;
	return false;
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
		if (has_row(out, i, rows, count))
			continue;
		if (plan->until_interval <= 0 || !agenda_is_known(plan, out, rows, count))
			return true;
	}
	return false;
}

/* ---- a search ---- */

/* What was measured next to it promises as much, in proportion. */
static double start_of(const struct agenda *a, const struct result_row *rows, size_t count,
		       size_t i, size_t k)
{
	const struct opt_counts *replicas = &a->plan->replicas;
	double start = (double)a->plan->users.value[0];

	if (i) {
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
	else
		search_tell(s, &excess);
}

struct search agenda_search(const struct agenda *a, const struct result_row *rows, size_t count,
			    size_t i, size_t k)
{
	const struct plan *plan = a->plan;
	struct search_probe probe;
	struct search s;

	search_init(&s, &(struct search_config){ .start = start_of(a, rows, count, i, k),
						 .min = 1,
						 .max = (double)plan->users_max,
						 .tolerance = plan->tolerance,
						 .is_whole = true });
	for (size_t row = 0; row < count && search_next(&s, &probe); row++)
		if (rows[row].replicas == plan->replicas.value[i] &&
		    rows[row].workers == plan->workers.value[k])
			tell(&s, a->objectives, &rows[row]);
	return s;
}

/* The index of a probe that comes after all of its cell; those of the cell are `first` and
 * SEARCH_PROBES - 1 more. Past them: the cell has none left, for probes that could not be measured
 * have been measured again. */
static size_t index_after(const struct result_row *rows, size_t count, size_t first)
{
	size_t index = first;

	for (size_t i = 0; i < count; i++)
		if (rows[i].scenario >= index && rows[i].scenario < first + SEARCH_PROBES)
			index = rows[i].scenario + 1;
	return index;
}

static bool next_of_search(const struct agenda *a, const struct result_row *rows, size_t count,
			   struct scenario *out)
{
	const struct plan *plan = a->plan;

	for (size_t i = 0; i < plan->replicas.count; i++) {
		for (size_t k = 0; k < plan->workers.count; k++) {
			struct search s = agenda_search(a, rows, count, i, k);
			size_t first = (i * plan->workers.count + k) * SEARCH_PROBES;
			size_t index = index_after(rows, count, first);
			struct search_probe probe;

			if (index == first + SEARCH_PROBES || !search_next(&s, &probe))
				continue;
			*out = (struct scenario){
				.index = index,
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
