/* SPDX-License-Identifier: MIT
 *
 * master_api - the driver's side of Locust's HTTP API.
 *
 * Talks to our master and to a real Locust master (2.12 to 2.46). Ours has the route
 * /stats/window, which counts the window from "all users are there" to "stop was
 * asked for" exactly; it is found out at master_api_open() whether the other side has it.
 * Without it the window is estimated from what Locust offers, and master_api_has_window()
 * says so: requests per second are the slope of the request count from the first look
 * that sees all users to the stop, and the percentiles are those of
 * /stats/requests/csv, which cover the whole test.
 *
 * Every call blocks, with a deadline, and is ended by the pause's stop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "fetch/fetch.h"

struct evidence;
struct master_api;
struct pause;

/* What a look at the test shows. Unknown numbers are NAN. */
struct master_api_live {
	/* Locust's states, as far as they matter here. */
	enum { MASTER_IDLE, MASTER_SPAWNING, MASTER_RUNNING, MASTER_STOPPING } state;
	uint64_t users;
	uint64_t workers_ready, workers_busy; /* idle; spawning or running */
	uint64_t requests;		      /* since the test was started */
	bool is_window_open;
	double window_s;
	double rps, median_ms, p90_ms, p95_ms;
};

/* The finished test. */
struct master_api_final {
	uint64_t total_requests, total_failures;
	uint64_t window_requests; /* UINT64_MAX: not known */
	double window_s, rps;
	double median_ms, p90_ms, p95_ms, p99_ms, avg_ms, min_ms, max_ms;
	/* Of the load generator itself, in the window; only a master of ours knows. */
	double lag_p99_ms, generator_cpu_pct;
	bool is_generator_known, is_generator_limited;
	char generator_reason[128]; /* when limited */
	/* From the intended start, in the window; NAN where requests had none. */
	double response_p95_ms, response_p99_ms;
	char model[LIMIT_MODEL_WORD]; /* of the load; "": not known */
	uint64_t dropped;	      /* arrivals; UINT64_MAX: not known */
};

/* How the master is to be asked. Lent to who asks it. */
struct master_access {
	const char *token;    /* NULL: none */
	struct fetch_tls tls; /* of an https address */
};

/* Does not call yet. url without a path, such as http://127.0.0.1:8089. */
struct master_api *master_api_create(const char *url, const struct master_access *access,
				     struct pause *pause);
void master_api_destroy(struct master_api **m);

/* Asks until the master answers or timeout_ms have passed. */
enum err master_api_open(struct master_api *m, uint64_t timeout_ms,
			 struct err_text *text) MUST_CHECK;
bool master_api_has_window(const struct master_api *m);
/* GET /stats/reset */
enum err master_api_reset(struct master_api *m, struct err_text *text) MUST_CHECK;
/* POST /swarm. Never repeated by itself: the first one may have been heard. */
enum err master_api_swarm(struct master_api *m, uint64_t users, double spawn_rate, const char *host,
			  struct err_text *text) MUST_CHECK;
/* GET /stats/requests, and /stats/window where there is one. */
enum err master_api_look(struct master_api *m, struct master_api_live *out,
			 struct err_text *text) MUST_CHECK;
/* GET /stop. Answers when the users are gone, so the deadline includes their drain. */
enum err master_api_stop(struct master_api *m, uint64_t timeout_ms,
			 struct err_text *text) MUST_CHECK;
/* After master_api_stop(). */
enum err master_api_finish(struct master_api *m, struct master_api_final *out,
			   struct err_text *text) MUST_CHECK;
/* Replaces the evidence by what the master has counted itself. ERR_NOT_FOUND: it is none of ours,
 * or an older one; the evidence stays as it is. */
enum err master_api_read_details(struct master_api *m, struct evidence *out,
				 struct err_text *text) MUST_CHECK;
