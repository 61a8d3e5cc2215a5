/* SPDX-License-Identifier: MIT
 *
 * drive: the order's steps with a clock that jumps, a platform that obeys or fails on
 * command, and a master (the functions of matrix/master_api.h, defined here) that does the
 * same. Minutes of matrix run in milliseconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "matrix/drive.h"
#include "matrix/master_api.h"
#include "matrix/pause.h"
#include "matrix/plan.h"
#include "matrix/platform.h"
#include "matrix/progress.h"
#include "matrix/result.h"

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
	uint64_t lose_replica_at_us;
	enum err lost_as;    /* what check_running() says then */
	enum err changed_as; /* what check_after() says; OK: nothing has */
	uint64_t stopped_by_other_at_us;
	uint64_t stop_signal_at_us; /* ctrl-C, of the clock */
	uint64_t served_more;	    /* the service counts this much more than the master */
	uint64_t failures;
	bool generator_is_known, generator_is_limited;
	uint64_t dropped;
	bool swarm_is_refused, replica_cannot_start, users_never_come, stop_hangs;
	enum err look_fails;
	uint64_t refused_swarms;	     /* the first ones */
	uint64_t retries, budget_s, repeats; /* of the plan */
} world;

static void note(const char *what)
{
	size_t len = strlen(world.trace);

	if (len + strlen(what) + 2 < sizeof(world.trace))
		snprintf(world.trace + len, sizeof(world.trace) - len, "%s ", what);
}

static uint64_t fake_now_us(struct pause *p)
{
	(void)p;
	return world.now_us;
}

static void fake_sleep_us(struct pause *p, uint64_t us)
{
	(void)p;
	world.now_us += us;
	if (world.stop_signal_at_us != NEVER && world.now_us >= world.stop_signal_at_us) {
		world.stops++;
		world.stop_signal_at_us = NEVER;
	}
}

/* Users come at once half a second after the swarm. */
static uint64_t window_us(void)
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
	uint64_t open_us = window_us();

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
	out->workers_ready = world.is_running ? 0 : world.connected;
	out->workers_busy = world.is_running ? world.connected : 0;
	if (open_us > world.lose_worker_at_us)
		out->workers_busy--;
	return OK;
}

enum err master_api_stop(struct master_api *m, uint64_t timeout_ms, struct err_text *text)
{
	(void)m;
	assert_true(timeout_ms >= 10000);
	note("stop");
	if (world.stop_hangs)
		return err_set(text, ERR_TIMEOUT, "GET /stop: timed out");
	world.is_running = false;
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
	return OK;
}

/* ---- the platform ---- */

static enum err fake_start(struct platform *p, struct err_text *text)
{
	(void)p;
	(void)text;
	return OK;
}

static enum err fake_scale_target(struct platform *p, uint64_t replicas, struct err_text *text)
{
	(void)p;
	(void)text;
	note("replicas");
	world.replicas = replicas;
	world.scaled_us = world.now_us;
	return OK;
}

static enum err fake_check_target(struct platform *p, struct err_text *text)
{
	(void)p;
	if (world.replica_cannot_start)
		return err_set(text, ERR_CLOSED, "inference-1 ended with status 1");
	if (world.now_us - world.scaled_us < world.target_ready_after_us)
		return err_set(text, ERR_BUSY, "inference-1 has not said that it is ready");
	return OK;
}

static enum err fake_scale_workers(struct platform *p, uint64_t workers, struct err_text *text)
{
	(void)p;
	(void)text;
	note("workers");
	world.workers = world.connected = workers;
	return OK;
}

static enum err fake_check_running(struct platform *p, enum platform_part *part,
				   struct err_text *text)
{
	(void)p;
	if (window_us() <= world.lose_replica_at_us)
		return OK;
	*part = PLATFORM_TARGET;
	return err_set(text, world.lost_as, "inference-1 was killed by signal 9");
}

static enum err fake_check_after(struct platform *p, enum platform_part *part,
				 struct err_text *text)
{
	(void)p;
	*part = PLATFORM_WORKERS;
	return world.changed_as ? err_set(text, world.changed_as, "a pod came or went") : OK;
}

static enum err fake_read_requests(struct platform *p, uint64_t *out, struct err_text *text)
{
	static uint64_t served;

	(void)p;
	(void)text;
	note("count");
	/* Called in pairs around a test. */
	if (strstr(world.trace, "finish count"))
		served += 1000 + world.served_more;
	*out = served;
	return OK;
}

static const char *fake_master_url(const struct platform *p)
{
	(void)p;
	return "http://master";
}

static const char *fake_target_url(const struct platform *p)
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
};

static void world_init(void)
{
	world = (struct world){ .now_us = 77 * CLOCK_S,
				.lose_worker_at_us = NEVER,
				.lose_replica_at_us = NEVER,
				.lost_as = ERR_CLOSED,
				.stopped_by_other_at_us = NEVER,
				.stop_signal_at_us = NEVER,
				.repeats = 1 };
}

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(folder);
}

/* Scenarios of 10 s with 2 workers and 100 users, each with more replicas; goes on with what is in
 * the folder. */
static struct outcome drive_in(const char *folder, size_t scenarios)
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
						       .plan = { "a plan", plan_count(&plan) } },
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
	out.rows = result_count(result);
	out.good = result_count_ok(result);
	buf_init(&csv, sizeof(out.csv) - 1);
	result_format_csv(result, &csv);
	memcpy(out.csv, csv.p, csv.len + 1);
	buf_fini(&csv);
	progress_destroy(&progress);
	fclose(screen);
	result_destroy(&result);
	return out;
}

static struct outcome drive(size_t scenarios)
{
	char folder[] = "/tmp/cicada-drive-XXXXXX";
	struct outcome out;

	assert_non_null(mkdtemp(folder));
	out = drive_in(folder, scenarios);
	remove_folder(folder);
	return out;
}

static void expect_status(const struct outcome *out, const char *status, const char *why)
{
	if (!strstr(out->csv, status) || !strstr(out->csv, why))
		fail_msg("'%s' or '%s' is not in %s", status, why, out->csv);
	assert_int_equal(out->good, 0);
	assert_int_equal(out->rows, 1);
	assert_int_equal(out->err, OK);
}

static void the_steps_come_in_the_orders_order(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	out = drive(1);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.good, 1);
	assert_string_equal(world.trace, "replicas workers reset count swarm stop finish count ");
	assert_non_null(strstr(out.csv, "1,2,100,90.00,5,7,8,0.00,1000,10.00,"));
	assert_non_null(strstr(out.csv, ",ok,6,"));
	/* Counted from when all users are there, and polled every 2 s from then on. */
	for (int s = 0; s <= 10; s += 2) {
		char line[32];

		snprintf(line, sizeof(line), "[%ds/10s] RPS: ", s);
		assert_non_null(strstr(out.screen, line));
	}
	assert_in_range(out.took_us, 10 * CLOCK_S + CLOCK_S / 2, 11 * CLOCK_S);
}

static void scenarios_are_parted_by_the_cool_down(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	out = drive(3);
	assert_int_equal(out.good, 3);
	assert_int_equal(world.replicas, 4);
	assert_in_range(out.took_us, 3 * 10 * CLOCK_S + 2 * 15 * CLOCK_S,
			3 * 11 * CLOCK_S + 2 * 15 * CLOCK_S);
}

static void a_slow_target_is_waited_for_and_a_late_one_not_measured(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.target_ready_after_us = 50 * CLOCK_S;
	out = drive(1);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.screen, "   inference-1 has not said that it is ready   "));
	world_init();
	world.target_ready_after_us = 61 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",target_not_ready,", "has not said that it is ready");
	assert_string_equal(world.trace, "replicas ");
	assert_in_range(out.took_us, 60 * CLOCK_S, 61 * CLOCK_S);
}

static void a_replica_that_cannot_start_is_not_waited_for(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.replica_cannot_start = true;
	out = drive(1);
	expect_status(&out, ",target_not_ready,", "inference-1 ended with status 1");
	assert_true(out.took_us < CLOCK_S);
}

static void a_failed_scenario_does_not_end_the_matrix(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.swarm_is_refused = true;
	out = drive(4);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.rows, 4);
	assert_int_equal(out.good, 0);
	assert_non_null(strstr(out.csv, ",start_failed,"));
	assert_non_null(strstr(out.csv, "no such user class"));
}

static void a_row_says_when_the_generator_was_the_limit(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.generator_is_known = true;
	out = drive(1);
	assert_non_null(strstr(out.csv, ",1.25,42.00,ok,9,11,closed+paced,0,1,1\n"));
	world_init();
	world.generator_is_known = world.generator_is_limited = true;
	out = drive(1);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, ",this row shows the limit of the load generator: too "
					"busy,1.25,42.00,limited,9,11,closed+paced,0,1,1\n"));
	world.dropped = UINT64_MAX;
	out = drive(1);
	assert_non_null(strstr(out.csv, "too busy,1.25,42.00,limited,9,11,closed+paced,,1,1\n"));
}

static void a_row_says_when_arrivals_were_dropped(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.generator_is_known = true;
	world.dropped = 12;
	out = drive(1);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, "12 arrivals were dropped, the target did not get the load "
					"asked for; raise --max-in-flight"));
	assert_non_null(strstr(out.csv, ",ok,9,11,closed+paced,12,1,1\n"));
}

static void a_lost_worker_ends_the_scenario_and_stops_the_test(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.lose_worker_at_us = 5 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",lost_worker,", "1 of 2 workers are left at the master");
	assert_string_equal(world.trace, "replicas workers reset count swarm stop ");
}

static void a_lost_replica_is_told_with_its_reason(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.lose_replica_at_us = 5 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",lost_replica,", "inference-1 was killed by signal 9");
	assert_false(world.is_running);
}

static void what_somebody_else_has_changed_is_invalid(void **state)
{
	static const struct {
		enum err err;
		const char *status;
	} after[] = { { ERR_STATE, ",changed," },
		      { ERR_IO, ",changed," },
		      { ERR_CLOSED, ",lost_worker," } };
	struct outcome out;

	(void)state;
	world_init();
	world.lose_replica_at_us = 5 * CLOCK_S;
	world.lost_as = ERR_STATE;
	out = drive(1);
	expect_status(&out, ",changed,", "inference-1 was killed by signal 9");
	for (size_t i = 0; i < 3; i++) {
		world_init();
		world.changed_as = after[i].err;
		out = drive(1);
		expect_status(&out, after[i].status, "a pod came or went");
		/* It was measured: the numbers are there. */
		assert_non_null(strstr(out.csv, ",1000,"));
	}
}

static void a_master_that_falls_silent_is_lost(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.look_fails = ERR_TIMEOUT;
	world.stop_hangs = true;
	out = drive(1);
	expect_status(&out, ",lost_master,", "and the test could not be stopped");
}

static void a_test_stopped_by_another_hand_is_no_result(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.stopped_by_other_at_us = 5 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",stopped_early,", "the window closed");
}

static void users_that_never_come_meet_a_deadline(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.users_never_come = true;
	out = drive(1);
	expect_status(&out, ",start_failed,", "0 of 100 users were spawned");
	assert_in_range(out.took_us, 60 * CLOCK_S, 64 * CLOCK_S);
	assert_false(world.is_running);
}

static void counts_that_differ_are_told_and_failures_excuse_them(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.served_more = 3;
	world.failures = 2;
	out = drive(1);
	expect_status(&out, ",counts_differ,", "the service answered");
	assert_non_null(strstr(out.csv, "1,2,100,90.00,"));
}

static void a_test_that_does_not_stop_is_no_result(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.stop_hangs = true;
	out = drive(1);
	expect_status(&out, ",stop_failed,", "GET /stop: timed out");
}

static void a_stop_keeps_the_rows_and_ends_the_test(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.stop_signal_at_us = world.now_us + 30 * CLOCK_S;
	out = drive(4);
	assert_int_equal(out.err, ERR_INTERRUPTED);
	assert_int_equal(out.rows, 2);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, "2,2,100,,,,,,,,"));
	assert_non_null(strstr(out.csv, ",interrupted,"));
	assert_false(world.is_running);
	assert_in_range(out.took_us, 30 * CLOCK_S, 30 * CLOCK_S + CLOCK_S / 10);
}

static void a_stop_in_the_cool_down_adds_no_row(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.stop_signal_at_us = world.now_us + 15 * CLOCK_S;
	out = drive(4);
	assert_int_equal(out.err, ERR_INTERRUPTED);
	assert_int_equal(out.rows, 1);
	assert_int_equal(out.good, 1);
}

static void what_is_not_ok_is_tried_again_as_often_as_asked_for(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.retries = 2;
	world.refused_swarms = 2;
	out = drive(2);
	assert_int_equal(out.rows, 2);
	assert_int_equal(out.good, 2);
	assert_non_null(strstr(out.csv, "\"attempts before: start_failed, start_failed\""));
	assert_non_null(strstr(out.csv, ",closed+paced,0,1,3\n2,2,100,"));
	/* With the cool-downs between. */
	assert_in_range(out.took_us, (2 * 10 + 3 * 15) * CLOCK_S, (2 * 11 + 3 * 15) * CLOCK_S);
	world_init();
	world.retries = 2;
	world.refused_swarms = 3;
	out = drive(1);
	expect_status(&out, ",start_failed,",
		      "no such user class / attempts before: start_failed, "
		      "start_failed\",");
}

static void repeats_have_rows_of_their_own(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.repeats = 2;
	out = drive(2);
	assert_int_equal(out.good, 4);
	assert_non_null(strstr(out.csv, ",1,1\n1,2,100,"));
	assert_non_null(strstr(out.csv, ",2,1\n2,2,100,"));
}

/* A scenario takes 3 s of ramp by plan and 10 s, then 15 s of rest. */
static void what_does_not_fit_into_the_budget_is_not_begun(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.budget_s = 13 + 15 + 13;
	out = drive(4);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.rows, 2);
	assert_true(out.took_us <= 41 * CLOCK_S);
	world_init();
	world.budget_s = 12;
	out = drive(4);
	assert_int_equal(out.rows, 0);
	assert_string_equal(world.trace, "");
	/* What scaling has taken once it may take again. */
	world_init();
	world.target_ready_after_us = 20 * CLOCK_S;
	world.budget_s = 13 + 20 + 15 + 13;
	out = drive(4);
	assert_int_equal(out.rows, 1);
	/* Nor is an attempt made that would not fit. */
	world_init();
	world.retries = 9;
	world.budget_s = 13 + 15 + 13;
	world.swarm_is_refused = true;
	out = drive(1);
	assert_int_equal(out.rows, 1);
	assert_non_null(strstr(out.csv, ",1,2\n"));
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what))) {
		count++;
		text++;
	}
	return count;
}

static void a_later_start_goes_on_behind_the_last_row(void **state)
{
	char folder[] = "/tmp/cicada-drive-XXXXXX";
	struct outcome out;

	(void)state;
	assert_non_null(mkdtemp(folder));
	world_init();
	world.stop_signal_at_us = world.now_us + 30 * CLOCK_S;
	out = drive_in(folder, 4);
	assert_int_equal(out.err, ERR_INTERRUPTED);
	/* The first has its row, the second was interrupted and comes again. */
	world_init();
	out = drive_in(folder, 4);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.rows, 4);
	assert_int_equal(out.good, 4);
	assert_int_equal(count_of(world.trace, "swarm"), 3);
	assert_int_equal(count_of(out.csv, "interrupted"), 0);
	assert_non_null(strstr(out.screen, "[2/4] replicas=2"));
	assert_null(strstr(out.screen, "[1/4]"));
	world_init();
	out = drive_in(folder, 4);
	assert_int_equal(out.good, 4);
	assert_string_equal(world.trace, "");
	remove_folder(folder);
}

static struct buf read_file(const char *folder, const char *name)
{
	struct buf bytes;
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	buf_init(&bytes, 1024 * 1024);
	if (file_read(path, &bytes, NULL) == ERR_NOT_FOUND)
		buf_add_text(&bytes, "");
	return bytes;
}

/* Starts the walk in a process of its own and kills it after a time below most_us; false when it
 * was done before. */
static bool walk_and_kill(const char *folder, struct rng *rng, uint64_t most_us)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		world_init();
		_exit(drive_in(folder, 4).err);
	}
	usleep((useconds_t)rng_below(rng, most_us));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), OK);
	return WIFSIGNALED(status);
}

/* Killed again and again, and each time with more time, until it has come through. */
static void check_kills(uint64_t seed)
{
	char folder[] = "/tmp/cicada-drive-XXXXXX", row[64];
	struct buf before = read_file("/nonexistent", "x"), after;
	uint64_t most_us = 2000;
	struct rng rng;
	bool was_killed;

	rng_init(&rng, seed, 0);
	assert_non_null(mkdtemp(folder));
	do {
		const char *end;

		was_killed = walk_and_kill(folder, &rng, most_us);
		most_us += most_us / 2;
		after = read_file(folder, JOURNAL_FILE);
		/* What was a whole line stays one. */
		if (after.len < before.len || memcmp(after.p, before.p, before.len) != 0)
			fail_msg("seed %d: a line is lost: %s, then %s", (int)seed, before.p,
				 after.p);
		buf_fini(&before);
		before = after;
		end = memrchr(before.p, '\n', before.len);
		before.len = end ? (size_t)(end + 1 - before.p) : 0;
	} while (was_killed);
	after = read_file(folder, "auto_summary.csv");
	assert_int_equal(count_of(after.p, "\n"), 5);
	for (size_t i = 0; i < 4; i++) {
		snprintf(row, sizeof(row), "\n%d,2,100,90.00,", 1 << i);
		assert_int_equal(count_of(after.p, row), 1);
		snprintf(row, sizeof(row), "{\"record\":\"row\",\"scenario\":%zu,", i + 1);
		assert_int_equal(count_of(before.p, row), 1);
	}
	buf_fini(&before);
	buf_fini(&after);
	remove_folder(folder);
}

static void whenever_it_is_killed_no_row_is_lost_or_doubled(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		check_kills(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_steps_come_in_the_orders_order),
		cmocka_unit_test(scenarios_are_parted_by_the_cool_down),
		cmocka_unit_test(a_slow_target_is_waited_for_and_a_late_one_not_measured),
		cmocka_unit_test(a_replica_that_cannot_start_is_not_waited_for),
		cmocka_unit_test(a_failed_scenario_does_not_end_the_matrix),
		cmocka_unit_test(a_row_says_when_the_generator_was_the_limit),
		cmocka_unit_test(a_row_says_when_arrivals_were_dropped),
		cmocka_unit_test(a_lost_worker_ends_the_scenario_and_stops_the_test),
		cmocka_unit_test(a_lost_replica_is_told_with_its_reason),
		cmocka_unit_test(what_somebody_else_has_changed_is_invalid),
		cmocka_unit_test(a_master_that_falls_silent_is_lost),
		cmocka_unit_test(a_test_stopped_by_another_hand_is_no_result),
		cmocka_unit_test(users_that_never_come_meet_a_deadline),
		cmocka_unit_test(counts_that_differ_are_told_and_failures_excuse_them),
		cmocka_unit_test(a_test_that_does_not_stop_is_no_result),
		cmocka_unit_test(a_stop_keeps_the_rows_and_ends_the_test),
		cmocka_unit_test(a_stop_in_the_cool_down_adds_no_row),
		cmocka_unit_test(what_is_not_ok_is_tried_again_as_often_as_asked_for),
		cmocka_unit_test(repeats_have_rows_of_their_own),
		cmocka_unit_test(what_does_not_fit_into_the_budget_is_not_begun),
		cmocka_unit_test(a_later_start_goes_on_behind_the_last_row),
		cmocka_unit_test(whenever_it_is_killed_no_row_is_lost_or_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
