/* SPDX-License-Identifier: MIT
 *
 * gate - see the header.
 *
 * What a gate looks at is gathered in a struct stats of which only the total is used: the rows that
 * it names, merged. For the last seconds an older copy of it is taken out again. */
#include "run/gate.h"

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"

/* Workers report every 3 s: what is younger may not be complete. */
#define RATE_LAG_S 4

enum err gate_parse(const char *text, struct gate *out, struct err_text *why)
{
	*out = (struct gate){ .is_known = false };
	return bound_parse(text, &out->bound, why);
}

void gates_init(struct gates *g)
{
	*g = (struct gates){ .count = 0 };
}

void gates_fini(struct gates *g)
{
	for (size_t i = 0; i < g->count; i++)
		for (size_t j = 0; j < g->used; j++)
			stats_fini(&g->copies[i][j]);
	g->used = 0;
	mem_free(g->copies);
	g->copies = NULL;
}

static bool is_meant(struct str who, const struct stats_entry *e)
{
	size_t method = strlen(e->method);

	return str_eq(who, e->name) ||
	       (who.len > method + 1 && !memcmp(who.p, e->method, method) && who.p[method] == ' ' &&
		str_eq((struct str){ who.p + method + 1, who.len - method - 1 }, e->name));
}

/* The rows it names, merged into the total of *out, which is init'ed and empty. */
static void gather(const struct gate *gate, const struct stats *from, struct stats *out)
{
	struct map_entry *slot;

	if (!gate->bound.who.len)
		stats_entry_merge(&out->total, &from->total);
	for (size_t i = 0; gate->bound.who.len && (slot = map_next(&from->entries, &i));)
		if (is_meant(gate->bound.who, slot->value))
			stats_entry_merge(&out->total, slot->value);
}

static double value_of(const struct gate *gate, const struct stats_entry *e, double seconds)
{
	switch (gate->bound.metric) {
	case BOUND_PERCENTILE:
		return stats_percentile_exact_ms(e, gate->bound.share);
	case BOUND_MEAN:
		return stats_avg_response_time_ms(e);
	case BOUND_MAX:
		return e->max_response_time_ms;
	case BOUND_FAIL_RATIO:
		return stats_fail_ratio(e);
	case BOUND_FAILURES:
		return (double)e->num_failures;
	case BOUND_RPS:
		break;
	}
	return seconds > 0 ? (double)e->num_requests / seconds : 0;
}

static bool is_measured(const struct gate *gate, const struct stats_entry *e)
{
	return bound_is_time(&gate->bound) ? e->num_requests > e->num_none_requests
					   : e->num_requests || e->num_failures;
}

static void decide(struct gate *gate, bool is_known, double value)
{
	gate->is_known = is_known;
	gate->value = value;
	gate->has_failed = is_known && bound_is_broken(&gate->bound, value);
}

bool gates_judge(struct gates *g, const struct run *run)
{
	const struct stats *stats = run->has_window ? &run->window : &run->stats;
	const struct stats_entry *total = &run->stats.total;
	bool have_passed = true;

	g->is_judged = true;
	g->was_whole_test = !run->has_window;
	g->seconds = run->has_window ? run_window_s(run, run->now_us)
				     : fmax(total->last_request_timestamp - total->start_time, 0);
	for (size_t i = 0; i < g->count; i++) {
		struct gate *gate = &g->items[i];
		struct stats seen;

		stats_init(&seen, total->start_time);
		gather(gate, stats, &seen);
		decide(gate, is_measured(gate, &seen.total),
		       value_of(gate, &seen.total, g->seconds));
		/* Silence is no success. */
		if (gate->stopped_us != run->started_us)
			gate->stopped_us = 0;
		gate->has_failed |= !gate->is_known || gate->stopped_us;
		have_passed &= !gate->has_failed;
		stats_fini(&seen);
	}
	return have_passed;
}

/* Requests of whole seconds: reports come in bursts, and only the seconds say when it was. */
static double recent_rps(const struct stats_entry *e, const struct run *run, uint64_t span_s)
{
	int64_t end = (int64_t)run_wall_s(run) - RATE_LAG_S;
	uint64_t requests = 0;

	for (int64_t s = end - (int64_t)span_s; s < end; s++)
		if (e->seconds[(uint64_t)s % STATS_SECONDS].unix_s == s)
			requests += e->seconds[(uint64_t)s % STATS_SECONDS].requests;
	return (double)requests / (double)span_s;
}

/* Now against the oldest copy, which this replaces. */
static void look(struct gate *gate, const struct run *run, struct stats *copy, bool is_old,
		 uint64_t span_s)
{
	struct stats seen;

	stats_init(&seen, run->window.total.start_time);
	gather(gate, &run->window, &seen);
	if (is_old && gate->bound.metric == BOUND_RPS) {
		decide(gate, true, recent_rps(&seen.total, run, span_s));
	} else if (is_old) {
		stats_entry_subtract(&seen.total, &copy->total);
		decide(gate, is_measured(gate, &seen.total), value_of(gate, &seen.total, 0));
	}
	stats_clear(copy, run->window.total.start_time);
	gather(gate, &run->window, copy);
	stats_fini(&seen);
}

static void begin_watch(struct gates *g, const struct run *run)
{
	gates_fini(g);
	g->copies = mem_zalloc(g->count, sizeof(*g->copies));
	g->next = 0;
	g->window_us = run->window_start_us;
	g->due_us = run->now_us;
}

const struct gate *gates_watch(struct gates *g, const struct run *run, uint64_t span_s)
{
	struct gate *failed = NULL;
	bool is_old, can_rate;

	if (!run->is_window_open || !g->count)
		return NULL;
	if (!g->used || g->window_us != run->window_start_us)
		begin_watch(g, run);
	if (run->now_us < g->due_us)
		return NULL;
	g->due_us = run->now_us + span_s * CLOCK_S / GATE_COPIES;
	is_old = g->used == GATE_COPIES;
	can_rate = run_window_s(run, run->now_us) >= (double)(span_s + RATE_LAG_S + 1);
	for (size_t i = 0; i < g->count; i++) {
		struct gate *gate = &g->items[i];

		if (!is_old)
			stats_init(&g->copies[i][g->next], run->window_start_wall_s);
		look(gate, run, &g->copies[i][g->next], is_old, span_s);
		if (is_old && gate->has_failed && (gate->bound.metric != BOUND_RPS || can_rate))
			failed = gate;
	}
	if (failed)
		failed->stopped_us = run->started_us;
	g->used += !is_old;
	g->next = (g->next + 1) % GATE_COPIES;
	return failed;
}

bool gates_judge_failures(const struct gates *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (!g->items[i].bound.who.len && (g->items[i].bound.metric == BOUND_FAIL_RATIO ||
						   g->items[i].bound.metric == BOUND_FAILURES))
			return true;
	return false;
}

void gate_add_value(const struct gate *gate, struct buf *out)
{
	if (gate->is_known)
		bound_add_value(&gate->bound, gate->value, out);
	else
		buf_add_text(out, "nothing was measured");
}

void gates_print(const struct gates *g, struct buf *out)
{
	if (!g->count || !g->is_judged)
		return;
	buf_printf(out, "Gates, over %.1f s %s\n", g->seconds,
		   g->was_whole_test ? "(the whole test: the users were never all running)"
				     : "(without the ramp)");
	for (size_t i = 0; i < g->count; i++) {
		buf_printf(out, "%-6s  --fail-if '%s': ", g->items[i].has_failed ? "FAILED" : "ok",
			   g->items[i].bound.text);
		gate_add_value(&g->items[i], out);
		buf_add_text(out, g->items[i].stopped_us ? ", and it stopped the test\n" : "\n");
	}
	buf_add_char(out, '\n');
}
