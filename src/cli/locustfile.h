/* SPDX-License-Identifier: MIT
 *
 * locustfile - what a locustfile hears of the run, and what it asks for, in the process that owns
 * the run: master or standalone. The wishes of Python come to the control thread by its loop. */
#pragma once

#include "cluster/listener.h"
#include "python/python.h"
#include "run/run.h"
#include "web/field.h"
#include "web/guest.h"

struct cluster_master;
struct follow;
struct loop;
struct web;

struct locustfile {
	struct python *python; /* NULL: a native scenario; then only locustfile_end() is for it */
	bool is_master;
	void (*end)(void *arg); /* it wants the program to end */
	/* It wants the web interface; which it is told of in `web`. */
	void (*open_pages)(void *arg, const char *host, uint16_t port);
	void *arg;
	/* Lent, once they are there; NULL: there is none. */
	struct run *run;
	struct cluster_master *master;
	struct web *web;
	struct follow *follow;
	/* From locustfile_begin() on, for master and web. */
	struct cluster_listener listener;
	struct web_guest guest;
	struct web_fields fields;

	struct loop *loop;
	struct python_wishes wishes;
	struct web_field *field_items;
	char **field_values;	   /* of these, as a form has given them; NULL: it has not */
	enum run_state seen_state; /* of the run, at the last look */
	uint64_t seen_epoch, seen_start_us;
	uint64_t due_us; /* when a master's numbers are told again */
	size_t told_workers;
	bool is_ending;	  /* the program; no other test begins, which would clear the results */
	bool has_stopped; /* the test that was last; the file may start another one */
	bool has_next;	  /* it wants to, but the last one is still stopping */
	struct run_start next;
	uint64_t run_time_end_us; /* of all its tests; 0: none is set */
};

/* Event `init`, and what the form offers. */
enum err locustfile_begin(struct locustfile *l, struct loop *loop,
			  struct err_text *text) MUST_CHECK;
/* Looks at the run and says what is new. */
void locustfile_watch(struct locustfile *l);
/* Starts what it wanted to start while the last test was stopping. */
void locustfile_start_next(struct locustfile *l);
void locustfile_end(struct locustfile *l);
