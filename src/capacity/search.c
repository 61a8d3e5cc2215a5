/* SPDX-License-Identifier: MIT
 *
 * search - see the header.
 *
 * The bracket is (pass, fail). What is known of it comes from the probes alone, so when the winner
 * fails its confirmation it becomes the upper end, and the lower one is what passed below it. */
#include "capacity/search.h"

#include <math.h>

#include "base/err.h"

/* Probes that failed at the edge and are repeated, in one search: more would use it up. One that
 * passed by accident is found out by the confirmation, one that failed by nothing else. */
#define REPEATS_MAX 1u
/* How far beside the guessed limit to probe, as a share of the tolerance: with one probe on each
 * side the bracket is narrow enough. */
#define BESIDE 0.4
/* An excess below says little of how far the limit is. One above is deep in overload, where it
 * grows with the length of the window, and is taken for this one. */
#define EXCESS_TELLING_MIN 0.1
#define EXCESS_TELLING_MAX 10.0
/* Guesses that moved the same end of the bracket; then it is halved. */
#define ALIKE_MAX 3u

static double whole(const struct search *s, double load)
{
	return s->config.is_whole ? floor(load) : load;
}

static bool is_narrow(const struct search *s)
{
	double width = s->fail - s->pass;

	/* A step down of the tolerance is narrow, whatever it was rounded to. */
	return width <= s->config.tolerance * s->pass * (1 + 1e-9) ||
	       (s->config.is_whole && width <= 1);
}

static bool is_telling(double excess)
{
	return excess >= EXCESS_TELLING_MIN && excess <= EXCESS_TELLING_MAX;
}

/* The probe next to the bracket that bends the line through its ends; NULL: none. */
static const struct search_told *find_third(const struct search *s)
{
	const struct search_told *best = NULL;
	double middle = (s->pass + s->fail) / 2;

	for (size_t i = 0; i < s->count; i++) {
		const struct search_told *t = &s->told[i];

		if (t->is_void || t->probe.load == s->pass || t->probe.load == s->fail ||
		    !is_telling(t->excess.value))
			continue;
		if (!best || fabs(t->probe.load - middle) < fabs(best->probe.load - middle))
			best = t;
	}
	return best;
}

/* Where 1 / excess is 1: on the line through the ends of the bracket, or the parabola through them
 * and a third probe (Newton's divided differences). It has one root in between. NAN: they do not
 * tell. */
static double guess_limit(const struct search *s)
{
	double low = s->pass, high = s->fail, bend = 0;
	double at_pass = 1 / s->pass_excess;
	double at_fail = 1 / fmin(s->fail_excess, EXCESS_TELLING_MAX);
	double slope = (at_fail - at_pass) / (s->fail - s->pass);
	const struct search_told *third = find_third(s);

	if (s->narrowed_alike >= ALIKE_MAX || s->pass_excess < EXCESS_TELLING_MIN)
		return NAN;
	if (third)
		bend = ((1 / third->excess.value - at_fail) / (third->probe.load - s->fail) -
			slope) /
		       (third->probe.load - s->pass);
	for (int i = 0; i < 50; i++) {
		double x = (low + high) / 2;

		if (at_pass + (x - s->pass) * (slope + bend * (x - s->fail)) > 1)
			low = x;
		else
			high = x;
	}
	return low;
}

/* The next load within the bracket: on the other side of the guess than the probe before, unless
 * that is no longer inside. */
static double narrow(struct search *s)
{
	double guess = guess_limit(s), beside = BESIDE * s->config.tolerance;
	double below = whole(s, guess * (1 - beside)), above = guess * (1 + beside);
	bool is_below_inside, is_above_inside;

	if (s->config.is_whole)
		above = ceil(above);
	is_below_inside = below > s->pass && below < s->fail;
	is_above_inside = above > s->pass && above < s->fail;
	if (is_below_inside && !(is_above_inside && s->narrowed_alike && s->is_last_pass))
		return below;
	if (is_above_inside)
		return above;
	s->narrowed_alike = 0;
	return whole(s, (s->pass + s->fail) / 2);
}

static void probe(struct search *s, double load, bool is_confirmation)
{
	s->next = (struct search_probe){ load, is_confirmation, false };
}

static void plan_next(struct search *s)
{
	const struct search_config *c = &s->config;

	if (isnan(s->pass)) {
		if (s->fail <= c->min)
			s->end = SEARCH_BELOW_MIN;
		else
			probe(s, fmax(c->min, whole(s, s->fail / 2)), false);
	} else if (s->count == SEARCH_PROBES - 1) {
		probe(s, s->pass, true);
	} else if (isnan(s->fail)) {
		probe(s, fmin(c->max, 2 * s->pass), s->pass >= c->max);
	} else if (is_narrow(s)) {
		probe(s, s->pass, true);
	} else {
		probe(s, narrow(s), false);
	}
}

/* The highest load below the failed one that has passed. */
static void find_pass(struct search *s)
{
	s->pass = NAN;
	for (size_t i = 0; i < s->count; i++) {
		const struct search_told *t = &s->told[i];

		if (t->is_void || t->excess.value > 1 || t->probe.load >= s->fail ||
		    t->probe.load <= s->pass)
			continue;
		s->pass = t->probe.load;
		s->pass_excess = t->excess.value;
	}
}

static void conclude_confirmation(struct search *s, bool has_passed)
{
	double lower;

	if (has_passed) {
		s->pass = s->next.load;
		if (isnan(s->fail))
			s->end = s->pass >= s->config.max ? SEARCH_ABOVE_MAX : SEARCH_UNCONFIRMED;
		else
			s->end = is_narrow(s) ? SEARCH_CONFIRMED : SEARCH_UNCONFIRMED;
		return;
	}
	s->fail = s->next.load;
	find_pass(s);
	lower = s->fail / (1 + s->config.tolerance);
	if (s->config.is_whole)
		lower = fmin(floor(lower), s->fail - 1);
	if (s->fail <= s->config.min)
		s->end = SEARCH_BELOW_MIN;
	else
		probe(s, fmax(s->config.min, lower), true);
}

static void conclude_probe(struct search *s, double excess)
{
	double load = s->next.load;
	bool has_bracket = !isnan(s->pass) && !isnan(s->fail), is_pass = excess <= 1;

	if (!has_bracket)
		s->narrowed_alike = 0;
	else if (is_pass == s->is_last_pass)
		s->narrowed_alike++;
	else
		s->narrowed_alike = 1;
	s->is_last_pass = is_pass;
	*(is_pass ? &s->pass : &s->fail) = load;
	*(is_pass ? &s->pass_excess : &s->fail_excess) = excess;
	plan_next(s);
}

static size_t count_repeats(const struct search *s)
{
	size_t repeats = 0;

	for (size_t i = 0; i < s->count; i++)
		repeats += s->told[i].probe.is_repeat;
	return repeats;
}

/* The excess of the probe that the one told last repeats. */
static double excess_before(const struct search *s)
{
	size_t i = s->count - 1;

	do
		ensure(i-- > 0);
	while (s->told[i].is_void);
	return s->told[i].excess.value;
}

static struct search_told *tell(struct search *s)
{
	struct search_told *t = &s->told[s->count];

	ensure(s->end == SEARCH_RUNNING && s->count < SEARCH_PROBES);
	t->probe = s->next;
	s->count++;
	return t;
}

static void end_when_used_up(struct search *s)
{
	if (s->end == SEARCH_RUNNING && s->count == SEARCH_PROBES)
		s->end = SEARCH_UNCONFIRMED;
}

void search_init(struct search *s, const struct search_config *config)
{
	ensure(config->min > 0 && config->max >= config->min && config->start >= config->min &&
	       config->start <= config->max && config->tolerance > 0);
	*s = (struct search){ .config = *config, .pass = NAN, .fail = NAN };
	probe(s, whole(s, config->start), false);
}

bool search_next(const struct search *s, struct search_probe *out)
{
	if (s->end != SEARCH_RUNNING)
		return false;
	*out = s->next;
	return true;
}

void search_tell(struct search *s, const struct interval *excess)
{
	struct search_told *t = tell(s);
	double value = excess->value;

	ensure(!isnan(value));
	t->excess = *excess;
	t->is_void = false;
	if (s->next.is_repeat)
		value = (value + excess_before(s)) / 2;
	if (s->next.is_confirmation)
		conclude_confirmation(s, value <= 1);
	else if (!s->next.is_repeat && value > 1 && excess->low < 1 &&
		 count_repeats(s) < REPEATS_MAX && s->count < SEARCH_PROBES - 1)
		s->next.is_repeat = true;
	else
		conclude_probe(s, value);
	end_when_used_up(s);
}

void search_tell_void(struct search *s)
{
	struct search_told *t = tell(s);

	t->is_void = true;
	if (s->count > 1 && t[-1].is_void)
		s->end = SEARCH_UNMEASURABLE;
	end_when_used_up(s);
}

struct interval search_limit(const struct search *s)
{
	if (s->end == SEARCH_RUNNING || isnan(s->pass))
		return (struct interval){ NAN, NAN, NAN };
	return (struct interval){ s->pass, s->pass, isnan(s->fail) ? INFINITY : s->fail };
}

static void say_why_unconfirmed(const struct search *s, const char *unit, struct buf *out)
{
	struct interval limit = search_limit(s);

	if (isnan(limit.value))
		buf_printf(out, "no load passed in %zu probes, down to %.6g %s", s->count,
			   s->next.load, unit);
	else if (isinf(limit.high))
		buf_printf(out, "%.6g %s pass, and %zu probes found no limit; begin higher",
			   limit.value, unit, s->count);
	else
		buf_printf(out,
			   "%.6g %s pass and %.6g do not, but %zu probes were not enough to narrow "
			   "that and to confirm it",
			   limit.value, unit, limit.high, s->count);
}

void search_say(const struct search *s, const char *unit, struct buf *out)
{
	switch (s->end) {
	case SEARCH_RUNNING:
		buf_printf(out, "probe %zu of at most %u: %.6g %s%s", s->count + 1, SEARCH_PROBES,
			   s->next.load, unit,
			   s->next.is_confirmation ? ", to confirm it"
			   : s->next.is_repeat	   ? ", again"
						   : "");
		break;
	case SEARCH_CONFIRMED:
		buf_printf(out,
			   "%.6g %s, confirmed in a longer window; %.6g are too many (%zu probes)",
			   s->pass, unit, s->fail, s->count);
		break;
	case SEARCH_UNCONFIRMED:
		say_why_unconfirmed(s, unit, out);
		break;
	case SEARCH_ABOVE_MAX:
		buf_printf(out, "at least %.6g %s, the most that was allowed (%zu probes)", s->pass,
			   unit, s->count);
		break;
	case SEARCH_BELOW_MIN:
		buf_printf(out, "not even %.6g %s keep the objectives", s->config.min, unit);
		break;
	case SEARCH_UNMEASURABLE:
		buf_printf(out, "%.6g %s could not be measured, twice", s->next.load, unit);
		break;
	}
}
