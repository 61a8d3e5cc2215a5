/* SPDX-License-Identifier: MIT
 *
 * plan - what the matrix consists of, and how long it will take.
 *
 * A plan is a value: filled from plan_defaults() and the options, checked once, and
 * read-only afterwards. Scenarios are numbered from 0 in the order they run: users
 * change fastest, then workers, then replicas, so that the slow thing, scaling the
 * target, happens least often; or at random, so that what drifts meanwhile (heat,
 * neighbours, caches) is no property of large users. Repeats are whole passes, each
 * in an order of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/opt.h"

/* Without --spawn-rate all users are there after this share of the duration, but not before
 * PLAN_RAMP_MIN_S: users that start together also wait together, and a window that begins
 * with all of them waiting counts too few requests. */
#define PLAN_RAMP_SHARE 0.05
#define PLAN_RAMP_MIN_S 3

struct plan {
	struct opt_counts replicas, workers, users;
	uint64_t duration_s; /* of the measured window */
	uint64_t cooldown_s; /* between two scenarios */
	double poll_s;	     /* between two looks at the master */
	double spawn_rate;   /* users per second; 0: see PLAN_RAMP_SHARE */
	uint64_t ready_timeout_s;
	uint64_t stop_timeout_s; /* for requests in flight when the test is stopped */
	uint64_t repeats;	 /* passes through the matrix */
	uint64_t retries;	 /* of a scenario that is not ok */
	uint64_t budget_s;	 /* of one walk; 0: none */
	uint64_t seed;		 /* of the random order */
	bool is_random;
	/* With it repeats end early for scenarios whose throughput is known so well: half the
	 * interval, as a share. 0: none do. */
	double until_interval;
	/* A search: for each number of replicas and workers, the most users within objectives,
	 * from users.value[0] on. */
	bool is_search;
	uint64_t users_max;
	double tolerance;		 /* of what is found, a share of it */
	uint16_t order[LIMIT_SCENARIOS]; /* of plan_shuffle(): places in the listed order */
};

struct scenario {
	uint64_t replicas, workers, users;
	uint64_t repeat;     /* from 1; of a search: the probe */
	uint64_t duration_s; /* of the measured window */
	size_t index;	     /* below plan_count() */
};

/* The order's: 1,2,4,8 replicas, 4,8 workers, 200,400,800 users, 120 s each, 15 s cool
 * down, a poll every 2 s. */
struct plan plan_defaults(void);
/* ERR_BAD_OPTION with the option's name and the remedy. */
enum err plan_check(const struct plan *plan, struct err_text *text) MUST_CHECK;
/* Makes the order random: the same seed and lists give the same order everywhere. The plan has been
 * checked. */
void plan_shuffle(struct plan *plan, uint64_t seed);
/* With repeats. Of a search: at most so many. */
size_t plan_count(const struct plan *plan);
/* Are these, and the time they take, only the most? So with searches and --until-interval. */
bool plan_may_end_early(const struct plan *plan);
/* i < plan_count(). Of a search: as if every probe had the users it begins with. */
struct scenario plan_scenario(const struct plan *plan, size_t i);
/* Users per second for this many users. */
double plan_spawn_rate(const struct plan *plan, uint64_t users);
/* Ramp and window of one scenario, without cool-down. */
double plan_scenario_s(const struct plan *plan, const struct scenario *s);
/* What is planned from scenario `first` to the end: ramps, windows and the cool-downs
 * between them. What scaling takes is not known beforehand and not in it. */
double plan_rest_s(const struct plan *plan, size_t first);
/* Adds what defines the scenarios and how they are measured, as "name=value" with blanks between;
 * plans with equal texts have equal results. */
void plan_describe(const struct plan *plan, struct buf *out);
