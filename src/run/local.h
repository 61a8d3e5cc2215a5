/* SPDX-License-Identifier: MIT
 *
 * local - a test run by this process alone: the run_mode over the load threads of user/load.h.
 *
 * Ramps with user/dispatch.h and one worker called "local" (reference section 3.8). Statistics
 * are collected once a second, when all users are running, when stop is asked for (so that the
 * window ends there), and when the last user is gone. Control thread only. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "run/run.h"
#include "user/load.h"
#include "user/scenario.h"

struct http_network;
struct tls_options;
struct local;

struct local_options {
	const struct run_options *run;	 /* its pointers are lent for the life of the run */
	const struct scenario *scenario; /* lent; classes in the order of run->classes */
	unsigned threads;
	uint64_t seed;
	const struct tls_options *tls; /* lent, see user/load.h */
	enum http_version http_version;
	const struct cic_arrivals *arrivals; /* as tls */
	const struct cic_wait *wait;	     /* as tls */
	const struct http_network *network;
	const struct load_guest *guest; /* as tls */
};

enum err local_create(struct loop *loop, const struct local_options *options, struct local **out,
		      struct err_text *text) MUST_CHECK;
/* Stop the run first; what was not collected is lost. */
void local_destroy(struct local **l);
/* Lives as long as the local. */
struct run *local_run(struct local *l);
