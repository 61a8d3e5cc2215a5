/* SPDX-License-Identifier: MIT
 *
 * conclude - see the header. */
#include "matrix/conclude.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "capacity/knee.h"
#include "matrix/objectives.h"
#include "matrix/plan.h"
#include "matrix/result_row.h"

/* Users that spend less of their time waiting for answers than this make as many requests as they
 * want to, and an open loop that gets more of its arrivals answered than that all of them. */
#define BUSY_SHARE   0.1
#define SERVED_SHARE 0.95
/* What a further load brings, in proportion to it, where the service is at its limit. */
#define LIMIT_SLOPE 0.5

/* ---- capacities ---- */

/* The share of the requests that did not fail. */
static double good_share(const struct result_row *row)
{
	return isnan(row->failures_pct) ? 1 : 1 - row->failures_pct / 100;
}

static bool is_believed(const struct result_row *row)
{
	return row->status == RESULT_OK && row->verdict != RESULT_VERDICT_INVALID &&
	       row->generator != RESULT_GENERATOR_LIMITED && row->rps > 0 && good_share(row) > 0;
}

/* What the row says of the capacity: failed requests are none of it, and where there was a steady
 * state, neither is what was before. */
static struct interval goodput(const struct result_row *row)
{
	const double good = good_share(row);

	if (isnan(row->steady_rps))
		return (struct interval){ good * row->rps, NAN, NAN };
	return (struct interval){ good * row->steady_rps, good * row->steady_rps_range.low,
				  good * row->steady_rps_range.high };
}

/* By scenario, then as they were measured. */
static int compare_scenarios(const void *a, const void *b)
{
	const struct result_row *x = *(const struct result_row *const *)a,
				*y = *(const struct result_row *const *)b;
	const uint64_t of_x[] = { x->replicas, x->workers, x->users, x->scenario },
		       of_y[] = { y->replicas, y->workers, y->users, y->scenario };
	size_t i = 0;

	while (i < 3 && of_x[i] == of_y[i])
		i++;
	return (of_x[i] > of_y[i]) - (of_x[i] < of_y[i]);
}

static bool is_same_scenario(const struct result_row *a, const struct result_row *b)
{
	return a->replicas == b->replicas && a->workers == b->workers && a->users == b->users;
}

/* The throughput of a scenario, of all its repeats together where there are several: the rows from
 * the first on that are of it; *out_best is the fastest of them. */
static struct interval rps_of_scenario(const struct result_row *const *rows, size_t count,
				       const struct result_row **out_best)
{
	double rps[LIMIT_REPEATS];
	struct interval found;
	struct err_text why = { "" };
	size_t repeats = 0;

	*out_best = rows[0];
	for (size_t i = 0; i < count && is_same_scenario(rows[i], rows[0]); i++) {
		if (repeats < LIMIT_REPEATS)
			rps[repeats++] = goodput(rows[i]).value;
		if (goodput(rows[i]).value > goodput(*out_best).value)
			*out_best = rows[i];
	}
	found = goodput(*out_best);
	if (repeats >= INTERVAL_REPEATS_MIN && !interval_repeats(rps, repeats, &found, &why))
		found.low = fmax(found.low, 0);
	return found;
}

/* What the load asked for is what it got. */
static bool is_served(const struct result_row *row)
{
	const double users = (double)row->users;

	if (strcmp(row->model, "open") == 0)
		return row->rps >= SERVED_SHARE * users;
	return row->rps * row->avg_ms / 1000 < BUSY_SHARE * users;
}

/* The heaviest load of these replicas and workers below that of the row; NULL: there is none. */
static const struct result_row *find_lighter(const struct result_row *const *rows, size_t count,
					     const struct result_row *row)
{
	const struct result_row *lighter = NULL;

	for (size_t i = 0; i < count; i++)
		if (rows[i]->replicas == row->replicas && rows[i]->workers == row->workers &&
		    rows[i]->users < row->users && (!lighter || rows[i]->users > lighter->users))
			lighter = rows[i];
	return lighter;
}

/* More load would have brought more. */
static bool is_floor(const struct result_row *const *rows, size_t count,
		     const struct result_row *best)
{
	const struct result_row *lighter = find_lighter(rows, count, best);

	if (is_served(best))
		return true;
	return lighter && best->rps / lighter->rps - 1 >
				  LIMIT_SLOPE * ((double)best->users / (double)lighter->users - 1);
}

/* Of rows in the order of their scenarios: the one that says what so many replicas carry; NULL:
 * none does. */
static const struct result_row *find_best(const struct result_row *const *rows, size_t count,
					  uint64_t replicas, struct interval *out)
{
	const struct result_row *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct result_row *row;
		struct interval rps;

		if (rows[i]->replicas != replicas || (i && is_same_scenario(rows[i], rows[i - 1])))
			continue;
		rps = rps_of_scenario(rows + i, count - i, &row);
		if (best && rps.value <= out->value)
			continue;
		best = row;
		*out = rps;
	}
	return best;
}

/* The last row with the users that the search has found, over all numbers of workers. */
static const struct result_row *find_limit(const struct agenda *a, const struct result_row *rows,
					   size_t count, size_t i, struct interval *out,
					   bool *out_is_floor)
{
	const struct plan *plan = a->plan;
	const struct result_row *best = NULL;

	for (size_t k = 0; k < plan->workers.count; k++) {
		struct search s = agenda_search(a, rows, count, i, k);
		double limit = search_limit(&s).value;

		for (size_t row = 0; row < count && !isnan(limit); row++) {
			const struct result_row *r = &rows[row];

			if (r->replicas != plan->replicas.value[i] ||
			    r->workers != plan->workers.value[k] || !is_believed(r) ||
			    (double)r->users != limit || (best && goodput(r).value < out->value))
				continue;
			best = r;
			*out_is_floor = s.end == SEARCH_ABOVE_MAX || s.end == SEARCH_UNMEASURABLE;
			*out = goodput(r);
		}
	}
	return best;
}

static void add_level(struct conclude *c, const struct result_row *row, const struct interval *rps,
		      bool is_floor)
{
	size_t at = c->count++;

	for (; at && c->levels[at - 1].replicas > row->replicas; at--) {
		c->levels[at] = c->levels[at - 1];
		c->users[at] = c->users[at - 1];
	}
	c->levels[at] = (struct sizing_level){ row->replicas, *rps, is_floor };
	c->users[at] = row->users;
}

/* Those that may be believed, in the order of their scenarios; mem_free() it. */
static const struct result_row **sort_believed(const struct result_row *rows, size_t count,
					       size_t *out_count)
{
	const struct result_row **sorted = mem_alloc((count + 1) * sizeof(*sorted));

	*out_count = 0;
	for (size_t i = 0; i < count; i++)
		if (is_believed(&rows[i]))
			sorted[(*out_count)++] = &rows[i];
	qsort(sorted, *out_count, sizeof(*sorted), compare_scenarios);
	return sorted;
}

static void find_levels(const struct conclude_questions *q, const struct result_row *rows,
			size_t count, struct conclude *out)
{
	const struct plan *plan = q->agenda.plan;
	size_t sorted_count;
	const struct result_row **sorted = sort_believed(rows, count, &sorted_count);

	for (size_t i = 0; i < plan->replicas.count; i++) {
		const struct result_row *row;
		struct interval rps;
		bool is_least = false;

		if (plan->is_search) {
			row = find_limit(&q->agenda, rows, count, i, &rps, &is_least);
		} else {
			row = find_best(sorted, sorted_count, plan->replicas.value[i], &rps);
			is_least = row && is_floor(sorted, sorted_count, row);
		}
		if (row)
			add_level(out, row, &rps, is_least);
	}
	mem_free(sorted);
}

static void fit_law(struct conclude *c)
{
	double replicas[LIMIT_AXIS_VALUES], rps[LIMIT_AXIS_VALUES];
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (c->levels[i].is_floor)
			continue;
		replicas[count] = (double)c->levels[i].replicas;
		rps[count++] = c->levels[i].rps.value;
	}
	c->has_law = !usl_fit(replicas, rps, count, &c->law, &c->no_law);
	if (!c->has_law && count < c->count)
		err_set(&c->no_law, ERR_NOT_FOUND,
			"with %zu of %zu numbers of replicas the load did not reach the limit",
			c->count - count, c->count);
}

void conclude_rows(const struct conclude_questions *q, const struct result_row *rows, size_t count,
		   struct conclude *out)
{
	*out = (struct conclude){ .count = 0 };
	find_levels(q, rows, count, out);
	fit_law(out);
	if (!isnan(q->target_rps))
		out->has_sizing = !sizing_find(out->levels, out->count, q->target_rps, q->head_room,
					       out->has_law ? &out->law : NULL, &out->sizing,
					       &out->no_sizing);
}

static bool is_found(enum search_end end)
{
	return end == SEARCH_CONFIRMED || end == SEARCH_ABOVE_MAX;
}

bool conclude_is_answered(const struct conclude_questions *q, const struct conclude *c,
			  const struct result_row *rows, size_t count)
{
	const struct plan *plan = q->agenda.plan;

	if (!isnan(q->target_rps) && !c->has_sizing)
		return false;
	for (size_t i = 0; plan->is_search && i < plan->replicas.count; i++)
		for (size_t k = 0; k < plan->workers.count; k++)
			if (!is_found(agenda_search(&q->agenda, rows, count, i, k).end))
				return false;
	return true;
}

/* ---- knees ---- */

static int compare_levels(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* (users, goodput) of one number of replicas, ascending; the best of what there is for each. */
static size_t collect_loads(const struct result_row *rows, size_t count, uint64_t replicas,
			    double (*out)[2], size_t max)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		double good_rps, users = (double)rows[i].users;
		size_t at = 0;

		if (rows[i].replicas != replicas || !is_believed(&rows[i]))
			continue;
		good_rps = good_share(&rows[i]) * rows[i].rps;
		while (at < used && out[at][0] != users)
			at++;
		if (at == max)
			continue;
		if (at == used) {
			out[used][0] = users;
			out[used++][1] = good_rps;
		}
		out[at][1] = fmax(out[at][1], good_rps);
	}
	qsort(out, used, sizeof(*out), compare_levels);
	return used;
}

enum err conclude_knee(const struct result_row *rows, size_t count, uint64_t replicas,
		       struct knee *out, struct err_text *why)
{
	double(*loads)[2] = mem_zalloc(LIMIT_LEVELS, sizeof(*loads));
	double *load = mem_zalloc(LIMIT_LEVELS, sizeof(*load)),
	       *rps = mem_zalloc(LIMIT_LEVELS, sizeof(*rps));
	size_t used = collect_loads(rows, count, replicas, loads, LIMIT_LEVELS);
	enum err err;

	for (size_t i = 0; i < used; i++) {
		load[i] = loads[i][0];
		rps[i] = loads[i][1];
	}
	err = knee_find(load, rps, used, out, why);
	mem_free(loads);
	mem_free(load);
	mem_free(rps);
	return err;
}
