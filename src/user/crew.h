/* SPDX-License-Identifier: MIT
 *
 * crew - the users of one load thread: how many of each class, from where to where.
 *
 * Belongs to its loop's thread after crew_init(). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"
#include "user/scenario.h"
#include "user/user.h"

struct crew_options {
	struct loop *loop;
	const struct scenario *scenario; /* lent */
	struct stats *stats;		 /* given, see tally_init() */
	struct http_client *http;	 /* given, with all its options */
	uint64_t seed;
	/* Users are numbered first_number, first_number + number_step, ... */
	uint64_t first_number, number_step;
	const struct cic_arrivals *arrivals; /* lent; NULL: as the classes say. See open_choose() */
	const struct cic_wait *wait;	     /* of all classes; NULL: as they say */
	/* The last crew_set() is fulfilled; once for each, in a later turn of the loop, unless
	 * another one came first. */
	void (*on_settled)(void *arg);
	void *arg;
};

struct crew {
	struct user_place place;
	struct user_kind *kinds; /* in the order of the scenario's classes */
	size_t kind_count;
	struct list leaving;  /* users that are to stop, by cut_at_us */
	struct list quitting; /* that asked for it: nothing cuts them off until a crew_set() */
	size_t living;	      /* users, those that are to stop included */
	uint64_t cut_at_us;   /* of those that the last crew_set() stops */
	struct loop_timer timer;
	bool is_at_work; /* what the last crew_set() wants is not all begun */
	uint64_t next_number, number_step;
	bool is_settled;
	void (*on_settled)(void *arg);
	void *arg;
};

void crew_init(struct crew *c, const struct crew_options *options);
/* Ends all users at once, without on_stop. Their memory goes at the end of the loop's turn. */
void crew_disband(struct crew *c);
/* After crew_disband() and the end of the turn. */
void crew_fini(struct crew *c);

/* counts: users wanted of each class; host: NULL keeps what there is. See load_set_users(). They
 * come and go in later turns of the loop, at most LIMIT_SLICE_USERS in each. */
void crew_set(struct crew *c, const uint64_t *counts, const char *host, uint64_t stop_timeout_us);
/* See load_set_host() and load_set_tasks(). */
void crew_set_host(struct crew *c, size_t class_index, const char *host);
void crew_set_tasks(struct crew *c, size_t class_index, const bool *draws);
/* Once a second or so: gives back, in later turns of the loop, memory that was not needed since. */
void crew_trim(struct crew *c);
/* Users of each class that run now, those that are to stop included; of an open class those that
 * its rate is of. */
void crew_count(const struct crew *c, uint64_t *out);
