/* SPDX-License-Identifier: MIT
 *
 * drive_fixture - the order's steps with a clock that jumps, a platform that obeys or fails on
 * command, and a master (the functions of matrix/master_api.h, defined here) that does the
 * same. Minutes of matrix run in milliseconds. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "matrix/drive.h"
#include "matrix/master_api.h"
#include "matrix/pause.h"
#include "matrix/plan.h"
#include "matrix/platform.h"
#include "matrix/progress.h"
#include "matrix/result.h"
#include "folder_fixture.h"

#define NEVER UINT64_MAX

/* The world: what was asked of it, and when it misbehaves. One at a time. */
static struct world {
	uint64_t now_us;
	volatile sig_atomic_t stops;
	char trace[4096]; /* the calls in order */
	uint64_t replicas, workers, connected;
	uint64_t scaled_us, swarm_us;
	bool is_running;
	/* Orders: */
	uint64_t target_ready_after_us; /* of scaling */
	uint64_t lose_worker_at_us;	/* of the window */
	uint64_t another_joins_at_us;
	uint64_t lose_replica_at_us;
	enum err lost_as;      /* what check_running() says then */
	uint64_t others_after; /* rows until another driver has taken over; 0: never */
	enum err changed_as;   /* what check_after() says; OK: nothing has */
	uint64_t stopped_by_other_at_us;
	uint64_t master_restarts_at_us; /* of the window */
	bool master_forgets;		/* the finished test */
	uint64_t stop_signal_at_us;	/* ctrl-C, of the clock */
	uint64_t served_more;		/* the service counts this much more than the master */
	const char *uncounted;		/* why it does not count; NULL: it does */
	uint64_t failures;
	bool generator_is_known, generator_is_limited, details_are_strange;
	uint64_t dropped;
	bool swarm_is_refused, replica_cannot_start, users_never_come, stop_hangs;
	uint64_t hanging_stops;	     /* the first ones */
	uint64_t others_start_after; /* that many stops, a test of their own; 0: never */
	enum err look_fails;
	uint64_t look_us;	 /* a look takes so long, the next one half of it, and so on */
	uint64_t refused_swarms; /* the first ones */
	uint64_t retries, budget_s, repeats; /* of the plan */
	bool is_fresh;
} world;

static inline void note(const char *what)
{
	size_t len = strlen(world.trace);

	if (len + strlen(what) + 2 < sizeof(world.trace))
		snprintf(world.trace + len, sizeof(world.trace) - len, "%s ", what);
}

static inline uint64_t fake_now_us(struct pause *p)
{
	(void)p;
	return world.now_us;
}

static inline void fake_sleep_us(struct pause *p, uint64_t us)
{
	(void)p;
	world.now_us += us;
	if (world.stop_signal_at_us != NEVER && world.now_us >= world.stop_signal_at_us) {
		world.stops++;
		world.stop_signal_at_us = NEVER;
	}
}

/* Users come at once half a second after the swarm. */
static inline uint64_t window_us(void)
{
	uint64_t opens_us = world.swarm_us + CLOCK_S / 2;

	if (!world.is_running || world.users_never_come || world.now_us < opens_us)
		return 0;
	return world.now_us - opens_us;
}

/* ---- the master ---- */

struct master_api {
	uint64_t users;
};

struct master_api *master_api_create(const char *url, const struct master_access *access,
				     struct pause *pause)
{
	(void)access;
	(void)pause;
	assert_string_equal(url, "http://master");
	return mem_zalloc(1, sizeof(struct master_api));
}

void master_api_destroy(struct master_api **m)
{
	mem_free(*m);
	*m = NULL;
}

enum err master_api_open(struct master_api *m, uint64_t timeout_ms, struct err_text *text)
{
	(void)m;
	(void)text;
	assert_true(timeout_ms > 0);
	return OK;
}

bool master_api_has_window(const struct master_api *m)
{
	(void)m;
	return true;
}

enum err master_api_reset(struct master_api *m, struct err_text *text)
{
	(void)m;
	(void)text;
	note("reset");
	return OK;
}

enum err master_api_swarm(struct master_api *m, uint64_t users, double spawn_rate, const char *host,
			  struct err_text *text)
{
	assert_true(spawn_rate > 0);
	assert_string_equal(host, "http://target");
	note("swarm");
	if (world.swarm_is_refused || world.refused_swarms) {
		world.refused_swarms -= world.refused_swarms > 0;
		return err_set(text, ERR_REFUSED, "no such user class");
	}
	m->users = users;
	world.swarm_us = world.now_us;
	world.is_running = true;
	return OK;
}

enum err master_api_look(struct master_api *m, struct master_api_live *out, struct err_text *text)
{
	uint64_t open_us;

	world.now_us += world.look_us;
	world.look_us /= 2;
	open_us = window_us();
	*out = (struct master_api_live){
		.rps = NAN, .median_ms = NAN, .p90_ms = NAN, .p95_ms = NAN
	};
	if (world.look_fails && world.is_running)
		return err_set(text, world.look_fails, "GET /stats/requests: no answer");
	if (world.is_running && open_us > world.stopped_by_other_at_us)
		world.is_running = false;
	out->state = !world.is_running ? MASTER_IDLE : open_us ? MASTER_RUNNING : MASTER_SPAWNING;
	out->users = open_us ? m->users : 0;
	out->is_window_open = open_us > 0 && world.is_running;
	out->window_s = (double)open_us / CLOCK_S;
	if (open_us > world.master_restarts_at_us) {
		world.is_running = out->is_window_open = false;
		out->window_s = NAN;
	}
	out->workers_ready = world.is_running ? 0 : world.connected;
	out->workers_busy = world.is_running ? world.connected : 0;
	if (open_us > world.another_joins_at_us)
		out->workers_busy++;
	if (open_us > world.lose_worker_at_us)
		out->workers_busy--;
	return OK;
}

enum err master_api_stop(struct master_api *m, uint64_t timeout_ms, struct err_text *text)
{
	(void)m;
	assert_true(timeout_ms >= 10000);
	note("stop");
	if (world.stop_hangs || world.hanging_stops) {
		world.hanging_stops -= world.hanging_stops > 0;
		return err_set(text, ERR_TIMEOUT, "GET /stop: timed out");
	}
	world.is_running = world.others_start_after && !--world.others_start_after;
	world.swarm_us = world.now_us;
	return OK;
}

enum err master_api_finish(struct master_api *m, struct master_api_final *out,
			   struct err_text *text)
{
	(void)m;
	(void)text;
	note("finish");
	*out = (struct master_api_final){ .total_requests = 1000,
					  .total_failures = world.failures,
					  .window_requests = 900,
					  .window_s = 10,
					  .rps = 90,
					  .median_ms = 5,
					  .p95_ms = 7,
					  .p99_ms = 8,
					  .p90_ms = 6,
					  .lag_p99_ms = 1.25,
					  .generator_cpu_pct = 42,
					  .is_generator_known = world.generator_is_known,
					  .is_generator_limited = world.generator_is_limited,
					  .generator_reason = "too busy",
					  .response_p95_ms = 9,
					  .response_p99_ms = 11,
					  .model = "closed+paced",
					  .dropped = world.dropped };
	if (world.master_forgets)
		*out = (struct master_api_final){ .window_s = NAN, .rps = NAN };
	return OK;
}

enum err master_api_read_details(struct master_api *m, struct evidence *out, struct err_text *text)
{
	(void)m;
	(void)out;
	if (world.details_are_strange)
		return err_set(text, ERR_BAD_INPUT, "/stats/window/details: the lists differ");
	return err_set(text, ERR_NOT_FOUND, "GET /stats/window/details: 404");
}

/* ---- the platform ---- */

static inline enum err fake_start(struct platform *p, struct err_text *text)
{
	(void)p;
	(void)text;
	return OK;
}

static inline enum err fake_scale_target(struct platform *p, uint64_t replicas,
					 struct err_text *text)
{
	(void)p;
	(void)text;
	note("replicas");
	world.replicas = replicas;
	world.scaled_us = world.now_us;
	return OK;
}

static inline enum err fake_check_target(struct platform *p, struct err_text *text)
{
	(void)p;
	if (world.replica_cannot_start)
		return err_set(text, ERR_CLOSED, "inference-1 ended with status 1");
	if (world.now_us - world.scaled_us < world.target_ready_after_us)
		return err_set(text, ERR_BUSY, "inference-1 has not said that it is ready");
	return OK;
}

static inline enum err fake_scale_workers(struct platform *p, uint64_t workers,
					  struct err_text *text)
{
	(void)p;
	(void)text;
	note("workers");
	world.workers = world.connected = workers;
	return OK;
}

static inline enum err fake_check_running(struct platform *p, enum platform_part *part,
					  struct err_text *text)
{
	(void)p;
	if (window_us() <= world.lose_replica_at_us)
		return OK;
	*part = PLATFORM_TARGET;
	return err_set(text, world.lost_as, "inference-1 was killed by signal 9");
}

static inline enum err fake_check_after(struct platform *p, enum platform_part *part,
					struct err_text *text)
{
	(void)p;
	*part = PLATFORM_WORKERS;
	return world.changed_as ? err_set(text, world.changed_as, "a pod came or went") : OK;
}

static inline enum err fake_check_ours(struct platform *p, struct err_text *text)
{
	(void)p;
	if (!world.others_after || --world.others_after)
		return OK;
	return err_set(text, ERR_STATE, "another driver has taken over");
}

static inline enum err fake_read_requests(struct platform *p, uint64_t *out, struct err_text *text)
{
	static uint64_t served;

	(void)p;
	if (world.uncounted)
		return err_set(text, ERR_UNSUPPORTED, "%s", world.uncounted);
	note("count");
	/* Called in pairs around a test. */
	if (strstr(world.trace, "finish count"))
		served += 1000 + world.served_more;
	*out = served;
	return OK;
}

static inline const char *fake_master_url(const struct platform *p)
{
	(void)p;
	return "http://master";
}

static inline const char *fake_target_url(const struct platform *p)
{
	(void)p;
	return "http://target";
}

static const struct platform_ops fake_ops = {
	.name = "fake",
	.start = fake_start,
	.scale_target = fake_scale_target,
	.check_target = fake_check_target,
	.scale_workers = fake_scale_workers,
	.check_workers = fake_start,
	.check_running = fake_check_running,
	.check_after = fake_check_after,
	.check_ours = fake_check_ours,
	.read_requests = fake_read_requests,
	.master_url = fake_master_url,
	.target_url = fake_target_url,
};

/* ---- the matrix ---- */

struct outcome {
	enum err err;
	size_t rows, good;
	uint64_t took_us;
	char csv[4096];
	char screen[16384];
	char why[sizeof(struct err_text)];
};

static inline void world_init(void)
{
	world = (struct world){ .now_us = 77 * CLOCK_S,
				.lose_worker_at_us = NEVER,
				.another_joins_at_us = NEVER,
				.lose_replica_at_us = NEVER,
				.lost_as = ERR_CLOSED,
				.stopped_by_other_at_us = NEVER,
				.master_restarts_at_us = NEVER,
				.stop_signal_at_us = NEVER,
				.repeats = 1 };
}
/* Scenarios of 10 s with 2 workers and 100 users, each with more replicas; goes on with what is in
 * the folder. */
static inline struct outcome drive_in(const char *folder, size_t scenarios)
{
	struct plan plan = plan_defaults();
	struct platform platform = { &fake_ops };
	struct pause pause = { .now_us = fake_now_us,
			       .sleep_us = fake_sleep_us,
			       .stops = &world.stops };
	struct outcome out = { OK };
	struct err_text text = { "" };
	struct result *result = NULL;
	struct progress *progress;
	struct buf csv;
	char path[300];
	FILE *screen = fmemopen(out.screen, sizeof(out.screen), "w");

	plan.replicas.count = scenarios;
	plan.workers = (struct opt_counts){ { 2 }, 1 };
	plan.users = (struct opt_counts){ { 100 }, 1 };
	plan.duration_s = 10;
	plan.retries = world.retries;
	plan.budget_s = world.budget_s;
	plan.repeats = world.repeats;
	assert_int_equal(
		result_create(&(struct result_config){ .folder = folder,
						       .plan = { "a plan", plan_count(&plan) },
						       .is_fresh = world.is_fresh },
			      &result, &text),
		OK);
	assert_int_equal(result_start(result, "", &text), OK);
	progress = progress_create(&plan, screen, false);
	out.took_us = world.now_us;
	out.err = drive_run(&(struct drive_config){ .plan = &plan,
						    .platform = &platform,
						    .pause = &pause,
						    .progress = progress,
						    .result = result },
			    &text);
	out.took_us = world.now_us - out.took_us;
	memcpy(out.why, text.text, sizeof(out.why));
	out.rows = result_count(result);
	out.good = result_count_ok(result);
	snprintf(path, sizeof(path), "%s/" RESULT_CSV, folder);
	buf_init(&csv, sizeof(out.csv) - 1);
	assert_int_equal(file_read(path, &csv, NULL), OK);
	memcpy(out.csv, csv.p, csv.len + 1);
	buf_fini(&csv);
	progress_destroy(&progress);
	fclose(screen);
	result_destroy(&result);
	return out;
}

static inline struct outcome drive(size_t scenarios)
{
	char folder[] = "/tmp/cicada-drive-XXXXXX";
	struct outcome out;

	assert_non_null(mkdtemp(folder));
	out = drive_in(folder, scenarios);
	assert_int_equal(remove_tree(folder), 0);
	return out;
}

static inline void expect_status(const struct outcome *out, const char *status, const char *why)
{
	if (!strstr(out->csv, status) || !strstr(out->csv, why))
		fail_msg("'%s' or '%s' is not in %s", status, why, out->csv);
	assert_int_equal(out->good, 0);
	assert_int_equal(out->rows, 1);
	assert_int_equal(out->err, OK);
}
