/* SPDX-License-Identifier: MIT
 *
 * open - an open class on one load thread: its arrivals, and the sessions that serve them.
 *
 * A session is a struct cic_user that runs one task per arrival and is idle in between. An
 * arrival takes the idle session that was used last, or makes one; when max_in_flight of them are
 * there and none is idle it waits in order, and when max_waiting wait it is dropped and counted
 * (stat/health.h). Nothing makes up for a dropped one later. After a late wake-up of the loop all
 * that are due begin at once, each as late as it is.
 *
 * arrivals == tasks begun + waiting + dropped, at every turn boundary. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "cicada.h"
#include "loop/loop.h"
#include "user/arrivals.h"

#define OPEN_IN_FLIGHT_DEFAULT 10000u

struct user_place;
struct user_kind;
struct cic_user;

struct open_class {
	struct user_place *place;
	struct user_kind *kind; /* its users are the busy sessions, its user_count those of both */
	struct arrivals arrivals;
	double per_s;		/* of one user */
	uint64_t count;		/* users wanted: the unit of the rate */
	uint64_t max_in_flight; /* sessions */
	struct list idle;	/* sessions, last used at the end */
	struct loop_timer timer;
	/* Ring of the intended times of those that wait. */
	uint64_t *waiting_us;
	uint64_t waiting_max, waiting_first, waiting_count;
	/* Makes a session that serves its first arrival. */
	void (*make)(void *arg, struct user_kind *kind, uint64_t intended_us);
	void *arg;
};

/* What the command line says: fields that are not 0 stand above those of `own`. */
struct cic_arrivals open_choose(const struct cic_arrivals *own, const struct cic_arrivals *asked);

/* arrivals: of open_choose(), of a kind that is not NONE. Thread `thread` of `threads` has its
 * share of the limits, at least one session. */
struct open_class *open_create(struct user_place *place, struct user_kind *kind,
			       const struct cic_arrivals *arrivals, uint64_t thread,
			       uint64_t threads, uint64_t stream);
/* Its sessions are gone. */
void open_destroy(struct open_class **o);
/* The rate is that of so many users from now on; 0 drops those that wait. */
void open_set_count(struct open_class *o, uint64_t count);
/* Nothing comes any more; nobody is told. */
void open_halt(struct open_class *o);
/* The session has no arrival any more. */
void open_add_idle(struct open_class *o, struct cic_user *session);
