/* SPDX-License-Identifier: MIT
 *
 * search - the largest load at which a service keeps its objectives.
 *
 * A state machine without time or I/O: search_next() says what to measure, search_tell() takes what
 * came out. From the hint on the load is doubled until it fails (or halved until it passes), then
 * the bracket is narrowed to the tolerance, then the winner has to pass once more in a longer
 * window. If it does not, a load by the tolerance lower has to.
 *
 * What comes out is one number, the excess: the worst of measured / limit over all objectives, so
 * at most 1 passes. It has an interval; a probe that failed although its interval has 1 in it is
 * repeated, once in a search, and both together count. Where the excess grows smoothly the next
 * load is guessed from it (1 / excess falls towards saturation, nearly in a straight line for an
 * open queue), else the bracket is halved. With a hint within a factor of four it takes about 8
 * probes, never more than SEARCH_PROBES. No search is more exact than its probes: their windows
 * have to be long enough for an interval of the excess that is about as narrow as the tolerance. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "capacity/interval.h"

#define SEARCH_PROBES 10u

/* Loads are users, or requests per second of an open loop. */
struct search_config {
	double start;	  /* hint: of a ladder of users, or of fewer replicas; within min and max */
	double min, max;  /* neither is left; min above 0 */
	double tolerance; /* relative, of the answer: 0.04 leaves room for noise up to 5 % */
	bool is_whole;	  /* users: whole numbers only, min and max too */
};

struct search_probe {
	double load;
	bool is_confirmation; /* in a longer window */
	bool is_repeat;	      /* of the probe before */
};

enum search_end {
	SEARCH_RUNNING,
	SEARCH_CONFIRMED,    /* the limit is known to the tolerance and was confirmed */
	SEARCH_UNCONFIRMED,  /* SEARCH_PROBES were not enough to confirm it, or for the tolerance */
	SEARCH_ABOVE_MAX,    /* max was confirmed: the limit is there or above */
	SEARCH_BELOW_MIN,    /* not even min passes */
	SEARCH_UNMEASURABLE, /* two probes in a row could not be measured */
};

struct search_told {
	struct search_probe probe;
	struct interval excess;
	bool is_void; /* could not be measured */
};

/* Plain values, so it can be kept and made again from what was told. */
struct search {
	struct search_config config;
	enum search_end end;
	struct search_probe next;
	struct search_told told[SEARCH_PROBES];
	size_t count;	   /* of told */
	double pass, fail; /* the bracket: highest load that passes, lowest that fails; NAN: none */
	double pass_excess, fail_excess;
	bool is_last_pass;
	size_t narrowed_alike; /* probes in a row that moved the same end of it */
};

void search_init(struct search *s, const struct search_config *config);
/* What to measure next; false: it is over, see s->end. */
bool search_next(const struct search *s, struct search_probe *out);
/* The outcome of that probe. low and high may equal value when no interval is known. */
void search_tell(struct search *s, const struct interval *excess);
/* The probe could not be measured, or its row is invalid. */
void search_tell_void(struct search *s);
/* With CONFIRMED, UNCONFIRMED and ABOVE_MAX: the largest load that keeps the objectives (value),
 * and the loads between which the true limit lies: it has passed at low, failed at high (INFINITY:
 * none has failed). NAN when there is none. */
struct interval search_limit(const struct search *s);
/* A sentence on how it ended. `unit`: "users", "requests/s". */
void search_say(const struct search *s, const char *unit, struct buf *out);
