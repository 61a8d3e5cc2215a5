/* SPDX-License-Identifier: MIT
 *
 * gate - see the header.
 *
 * What a gate looks at is gathered in a struct stats of which only the total is used: the rows that
 * it names, merged. For the last seconds an older copy of it is taken out again. */
#include "run/gate.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

/* Workers report every 3 s: what is younger may not be complete. */
#define RATE_LAG_S 4

static const struct {
	const char *name;
	enum gate_metric metric;
} metrics[] = {
	{ "mean", GATE_MEAN },	       { "max", GATE_MAX }, { "fail_ratio", GATE_FAIL_RATIO },
	{ "failures", GATE_FAILURES }, { "rps", GATE_RPS },
};

static const struct {
	const char *unit;
	double ms;
} time_units[] = { { "us", 1e-3 }, { "ms", 1 }, { "s", 1e3 } };

static enum err parse_metric(struct str word, struct gate *out, struct err_text *why)
{
	double percent;

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (!str_eq(word, metrics[i].name))
			continue;
		out->metric = metrics[i].metric;
		return OK;
	}
	if (word.len > 1 && word.p[0] == 'p' &&
	    num_parse_double((struct str){ word.p + 1, word.len - 1 }, &percent) && percent > 0 &&
	    percent <= 100) {
		out->metric = GATE_PERCENTILE;
		out->share = percent / 100;
		return OK;
	}
	return err_set(why, ERR_BAD_INPUT,
		       "'%.*s' is no measure; give p50, p99.9 or another percentile, mean, max, "
		       "fail_ratio, failures or rps",
		       STR_ARG(word));
}

/* A number and, for what needs one, a unit. */
static enum err parse_limit(struct str word, struct gate *out, struct err_text *why)
{
	size_t digits = 0;
	struct str unit;

	while (digits < word.len && strchr("0123456789.+-", word.p[digits]))
		digits++;
	unit = str_trim((struct str){ word.p + digits, word.len - digits });
	if (!num_parse_double((struct str){ word.p, digits }, &out->limit) || out->limit < 0)
		return err_set(why, ERR_BAD_INPUT, "'%.*s' is no limit; give a number",
			       STR_ARG(word));
	switch (out->metric) {
	case GATE_PERCENTILE:
	case GATE_MEAN:
	case GATE_MAX:
		for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
			if (!str_eq(unit, time_units[i].unit))
				continue;
			out->limit *= time_units[i].ms;
			return OK;
		}
		return err_set(why, ERR_BAD_INPUT, "'%.*s' needs a unit: us, ms or s",
			       STR_ARG(word));
	case GATE_FAIL_RATIO:
		if (str_eq(unit, "%"))
			out->limit /= 100;
		else if (unit.len)
			return err_set(why, ERR_BAD_INPUT, "'%.*s' is no ratio; give 1%% or 0.01",
				       STR_ARG(word));
		return OK;
	case GATE_FAILURES:
	case GATE_RPS:
		break;
	}
	return unit.len ? err_set(why, ERR_BAD_INPUT, "'%.*s' is no plain number", STR_ARG(word))
			: OK;
}

/* What stands in the braces. A name may hold braces and signs of its own: the last one ends it. */
static enum err take_who(struct str *rest, struct gate *out, struct err_text *why)
{
	const char *end = memrchr(rest->p, '}', rest->len);

	if (!end)
		return err_set(why, ERR_BAD_INPUT, "a { needs a }");
	out->who = str_trim((struct str){ rest->p + 1, (size_t)(end - rest->p) - 1 });
	if (!out->who.len)
		return err_set(why, ERR_BAD_INPUT,
			       "the braces are empty; give {METHOD name} or {name}");
	*rest = str_trim((struct str){ end + 1, rest->len - (size_t)(end + 1 - rest->p) });
	return OK;
}

enum err gate_parse(const char *text, struct gate *out, struct err_text *why)
{
	struct str rest = str_trim(str_of(text)), word = { rest.p, 0 };
	enum err err;

	*out = (struct gate){ .text = text, .who = { text, 0 } };
	while (word.len < rest.len && !strchr("{<>= \t", rest.p[word.len]))
		word.len++;
	rest = str_trim((struct str){ rest.p + word.len, rest.len - word.len });
	err = parse_metric(word, out, why);
	if (!err && rest.len && rest.p[0] == '{')
		err = take_who(&rest, out, why);
	if (err)
		return err;
	if (!rest.len || (rest.p[0] != '>' && rest.p[0] != '<'))
		return err_set(why, ERR_BAD_INPUT,
			       "behind the measure comes >, >=, < or <=, such as p99>200ms");
	out->is_above = rest.p[0] == '>';
	out->is_equal = rest.len > 1 && rest.p[1] == '=';
	rest.p += 1 + out->is_equal;
	rest.len -= 1 + out->is_equal;
	return parse_limit(str_trim(rest), out, why);
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

	if (!gate->who.len)
		stats_entry_merge(&out->total, &from->total);
	for (size_t i = 0; gate->who.len && (slot = map_next(&from->entries, &i));)
		if (is_meant(gate->who, slot->value))
			stats_entry_merge(&out->total, slot->value);
}

static double value_of(const struct gate *gate, const struct stats_entry *e, double seconds)
{
	switch (gate->metric) {
	case GATE_PERCENTILE:
		return stats_percentile_exact_ms(e, gate->share);
	case GATE_MEAN:
		return stats_avg_response_time_ms(e);
	case GATE_MAX:
		return e->max_response_time_ms;
	case GATE_FAIL_RATIO:
		return stats_fail_ratio(e);
	case GATE_FAILURES:
		return (double)e->num_failures;
	case GATE_RPS:
		break;
	}
	return seconds > 0 ? (double)e->num_requests / seconds : 0;
}

static bool is_time(const struct gate *gate)
{
	return gate->metric == GATE_PERCENTILE || gate->metric == GATE_MEAN ||
	       gate->metric == GATE_MAX;
}

static bool is_measured(const struct gate *gate, const struct stats_entry *e)
{
	return is_time(gate) ? e->num_requests > e->num_none_requests
			     : e->num_requests || e->num_failures;
}

static void decide(struct gate *gate, bool is_known, double value)
{
	gate->is_known = is_known;
	gate->value = value;
	gate->has_failed =
		is_known && ((gate->is_above ? value > gate->limit : value < gate->limit) ||
			     (gate->is_equal && value == gate->limit));
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
	if (is_old && gate->metric == GATE_RPS) {
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
		if (is_old && gate->has_failed && (gate->metric != GATE_RPS || can_rate))
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
		if (!g->items[i].who.len &&
		    (g->items[i].metric == GATE_FAIL_RATIO || g->items[i].metric == GATE_FAILURES))
			return true;
	return false;
}

void gate_add_value(const struct gate *gate, struct buf *out)
{
	double v = gate->value;

	if (!gate->is_known)
		buf_add_text(out, "nothing was measured");
	else if (is_time(gate))
		buf_printf(out, "%.*f ms", v < 10 ? 3 : v < 1000 ? 1 : 0, v);
	else if (gate->metric == GATE_FAIL_RATIO)
		buf_printf(out, "%.*f %%", v < 0.01 ? 4 : 2, v * 100);
	else if (gate->metric == GATE_RPS)
		buf_printf(out, "%.1f/s", v);
	else
		buf_printf(out, "%.0f", v);
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
			   g->items[i].text);
		gate_add_value(&g->items[i], out);
		buf_add_text(out, g->items[i].stopped_us ? ", and it stopped the test\n" : "\n");
	}
	buf_add_char(out, '\n');
}
