/* SPDX-License-Identifier: MIT
 *
 * answer - see the header. */
#include "capacity/answer.h"

#include <math.h>

static const char *replica_word(uint64_t replicas)
{
	return replicas == 1 ? "replica" : "replicas";
}

static void add_replicas(uint64_t replicas, struct buf *out)
{
	buf_printf(out, "%llu %s %s", (unsigned long long)replicas, replica_word(replicas),
		   replicas == 1 ? "carries" : "carry");
}

/* "612.3 requests/s (598.1 to 626.5)". */
static void add_rps(const struct interval *rps, struct buf *out)
{
	buf_printf(out, "%.4g requests/s", rps->value);
	if (isfinite(rps->low) && isfinite(rps->high))
		buf_printf(out, " (%.4g to %.4g)", rps->low, rps->high);
}

static void add_level(const struct sizing_level *level, struct buf *out)
{
	buf_add_text(out, level->is_floor ? "at least " : "");
	add_rps(&level->rps, out);
}

static void add_objectives(const struct answer *a, struct buf *out)
{
	if (a->objectives)
		buf_printf(out, " within %s", a->objectives);
}

static void add_bounds(const struct sizing *s, struct buf *out)
{
	if (s->replicas_low == s->replicas && s->replicas_high == s->replicas)
		return;
	if (s->replicas_low && s->replicas_high)
		buf_printf(out, ", %llu to %llu by the intervals",
			   (unsigned long long)s->replicas_low,
			   (unsigned long long)s->replicas_high);
	else if (s->replicas_low)
		buf_printf(out, ", %llu or more by the intervals",
			   (unsigned long long)s->replicas_low);
}

static void say_sizing(const struct answer *a, struct buf *out)
{
	static const char *const basis[] = {
		[SIZING_MEASURED] = "as measured",
		[SIZING_BETWEEN] = "between measured numbers of replicas",
		[SIZING_LAW] = "by a law beyond what was measured",
	};
	const struct sizing *s = a->sizing;

	if (!s) {
		buf_printf(out, "How many replicas carry %.6g requests/s", a->target_rps);
		add_objectives(a, out);
		buf_printf(out, " is not known: %s.",
			   a->why_no_sizing ? a->why_no_sizing : "it was not measured");
		return;
	}
	add_replicas(s->replicas, out);
	buf_printf(out, " %.6g requests/s", a->target_rps);
	add_objectives(a, out);
	if (a->head_room > 0)
		buf_printf(out, " with at least %.0f %% of the capacity free", a->head_room * 100);
	buf_printf(out, " (%s", basis[s->basis]);
	add_bounds(s, out);
	buf_add_text(out, ")");
	if (!isnan(a->cost_per_million))
		buf_printf(out, ", at a cost of %.4g per million requests", a->cost_per_million);
	buf_add_char(out, '.');
}

static const struct sizing_level *find_best(const struct answer *a)
{
	const struct sizing_level *best = NULL;

	for (size_t i = 0; i < a->level_count; i++)
		if (!best || a->levels[i].rps.value > best->rps.value)
			best = &a->levels[i];
	return best;
}

static void say_best(const struct answer *a, struct buf *out)
{
	const struct sizing_level *best = find_best(a);

	if (!best) {
		buf_add_text(out, "No capacity was measured.");
		return;
	}
	buf_add_text(out, "The most that was measured");
	add_objectives(a, out);
	buf_add_text(out, " is ");
	add_rps(&best->rps, out);
	buf_printf(out, " with %llu %s", (unsigned long long)best->replicas,
		   replica_word(best->replicas));
	if (best->is_floor)
		buf_add_text(out, ", which is all that was asked of the service: its limit "
				  "shows under more load");
	else if (a->objectives && a->head_room > 0)
		buf_printf(out, "; plan for %.4g, which leaves %.0f %% of it free",
			   best->rps.value * (1 - a->head_room), a->head_room * 100);
	buf_add_char(out, '.');
}

/* One alone, and how much of that is left for each when they are many. */
static void say_levels(const struct answer *a, struct buf *out)
{
	const struct sizing_level *first = a->levels, *last;
	double efficiency;

	if (!a->level_count) {
		buf_add_text(out, "So nothing can be said of one replica.");
		return;
	}
	last = first + a->level_count - 1;
	add_replicas(first->replicas, out);
	buf_add_char(out, ' ');
	add_level(first, out);
	if (last == first) {
		buf_add_text(out, "; other numbers of replicas were not measured.");
		return;
	}
	buf_printf(out, ", %llu together ", (unsigned long long)last->replicas);
	add_level(last, out);
	efficiency = sizing_efficiency(a->levels, a->level_count, a->level_count - 1);
	if (!isnan(efficiency))
		buf_printf(out, ": %.0f %% of what %llu times one would", efficiency * 100,
			   (unsigned long long)last->replicas);
	buf_add_char(out, '.');
}

static void say_trust(const struct answer *a, struct buf *out)
{
	size_t doubtful = a->rows_suspect + a->rows_invalid;

	if (!a->rows)
		buf_add_text(out, "No row was measured.");
	else if (!doubtful && a->rows == 1)
		buf_add_text(out, "The one row is valid.");
	else if (!doubtful)
		buf_printf(out, "All %zu rows are valid.", a->rows);
	else
		buf_printf(out, "Of %zu row%s %zu %s suspect and %zu invalid; the worst is %s.",
			   a->rows, a->rows == 1 ? "" : "s", a->rows_suspect,
			   a->rows_suspect == 1 ? "is" : "are", a->rows_invalid,
			   a->worst ? a->worst : "not named");
}

void answer_say(const struct answer *a, struct buf *out)
{
	if (isnan(a->target_rps))
		say_best(a, out);
	else
		say_sizing(a, out);
	buf_add_char(out, '\n');
	say_levels(a, out);
	buf_add_char(out, '\n');
	say_trust(a, out);
	buf_add_char(out, '\n');
}
