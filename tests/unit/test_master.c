/* SPDX-License-Identifier: MIT
 *
 * master: what it tells workers of each kind (ours, Locust 2.12 and 2.46, foreign) and when,
 * with workers that are played frame by frame. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/master.h"
#include "cluster/msg.h"

#define WALL_S 1800000000.0

struct fixture {
	struct master *master;
	struct run *run;
	uint64_t now_us;
	bool is_full;	     /* the connection takes nothing */
	char said[512];	     /* "id:type " of each frame sent since the last look */
	uint64_t spawned[3]; /* users in the last spawn to a, b, c */
	double timestamps[3];
	char host[64], hosts[3][64]; /* of the last spawn, and of those to a, b, c */
	unsigned ends, stops;
	int64_t last_index;
	uint64_t test, answered; /* of the last spawn; number of the last report_ack */
	char file[256];	     /* name and contents of the last locustfile, or why there is none */
	char tasks[64];	     /* "weight:name name " of the last update_user_class */
	char class_host[64]; /* of the same */
};

static const struct run_task tasks[] = { { "read", 3, NULL },
					 { "write", 1, NULL },
					 { "look", 1, NULL } };
static const struct run_class classes[] = {
	{ .name = "Alpha", .weight = 1, .tasks = tasks, .task_count = 3 }
};

static void note_class(struct fixture *f, const struct msg_user_class *class)
{
	size_t len = (size_t)snprintf(f->tasks, sizeof(f->tasks), "%g:", class->weight);

	assert_true(str_eq(class->name, "Alpha"));
	snprintf(f->class_host, sizeof(f->class_host), "%.*s", STR_ARG(class->host));
	for (size_t i = 0; i < class->task_count; i++)
		len += (size_t)snprintf(f->tasks + len, sizeof(f->tasks) - len, "%.*s ",
					STR_ARG(class->tasks[i]));
}

static bool take_frame(void *arg, const char *id, struct str frame)
{
	struct fixture *f = arg;
	size_t len = strlen(f->said);
	struct msg m;

	if (f->is_full)
		return false;
	assert_int_equal(msg_decode(frame, WALL_S, &m, NULL), OK);
	assert_true(str_eq(m.node_id, id));
	snprintf(f->said + len, sizeof(f->said) - len, "%s:%s ", id, msg_type_name(m.type));
	if (m.type == MSG_SPAWN) {
		size_t i = (size_t)(id[0] - 'a');

		f->spawned[i] = m.spawn.counts.items[0].users;
		assert_true(m.spawn.timestamp > f->timestamps[i]);
		f->timestamps[i] = m.spawn.timestamp;
		snprintf(f->host, sizeof(f->host), "%.*s", STR_ARG(m.spawn.host));
		snprintf(f->hosts[i], sizeof(f->hosts[i]), "%s", f->host);
	}
	if (m.type == MSG_REPORT_ACK)
		f->answered = m.report_ack.number;
	if (m.type == MSG_SPAWN)
		f->test = m.spawn.test;
	if (m.type == MSG_LOCUSTFILE)
		snprintf(f->file, sizeof(f->file), "%.*s: %.*s%.*s",
			 STR_ARG(m.locustfile.file_count ? m.locustfile.files[0].name : str_of("")),
			 STR_ARG(m.locustfile.file_count ? m.locustfile.files[0].contents
							 : str_of("")),
			 STR_ARG(m.locustfile.error));
	if (m.type == MSG_ACK)
		f->last_index = m.ack.index;
	if (m.type == MSG_UPDATE_USER_CLASS)
		note_class(f, &m.user_class);
	msg_fini(&m);
	return true;
}

static void on_due_changed(void *arg)
{
	(void)arg;
}

static void on_ended(void *arg)
{
	((struct fixture *)arg)->ends++;
}

static void on_stopped(void *arg)
{
	((struct fixture *)arg)->stops++;
}

static void expect_said(struct fixture *f, const char *wanted)
{
	assert_string_equal(f->said, wanted);
	f->said[0] = '\0';
}

static void hear(struct fixture *f, const char *id, const struct msg *m)
{
	struct msg copy = *m;
	struct buf frame;

	copy.node_id = str_of(id);
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&copy, &frame);
	master_on_frame(f->master, str_of(id), buf_str(&frame), f->now_us);
	buf_fini(&frame);
}

static void hear_plain(struct fixture *f, const char *id, enum msg_type type)
{
	hear(f, id, &(struct msg){ .type = type });
}

static void hear_ready(struct fixture *f, const char *id, const char *version)
{
	hear(f, id,
	     &(struct msg){ .type = MSG_CLIENT_READY, .client_ready = { str_of(version), false } });
}

static void hear_beat(struct fixture *f, const char *id, const char *state)
{
	hear(f, id,
	     &(struct msg){ .type = MSG_HEARTBEAT, .heartbeat = { str_of(state), 12.5, 1000 } });
}

static void hear_complete(struct fixture *f, const char *id, uint64_t users)
{
	struct msg_count counts[] = { { str_of("Alpha"), users } };
	struct msg m = { .type = MSG_SPAWNING_COMPLETE };

	m.spawning_complete = (struct msg_spawning_complete){ { counts, 1 }, users };
	hear(f, id, &m);
}

static void hear_stats(struct fixture *f, const char *id, unsigned requests, enum msg_phase phase,
		       uint64_t users)
{
	struct msg_count counts[] = { { str_of("Alpha"), users } };
	struct msg m = { .type = MSG_STATS };
	struct stats stats;

	stats_init(&stats, WALL_S);
	for (; requests; requests--)
		stats_record(&stats, stats_entry(&stats, str_of("GET"), str_of("/"), WALL_S),
			     &(struct stats_request){ .service_us = 1000, .content_bytes = 1 },
			     WALL_S);
	m.report = (struct msg_report){ .stats = &stats, .counts = { counts, 1 }, .phase = phase };
	hear(f, id, &m);
	stats_fini(&stats);
}

/* A numbered report with one request; by the second port or by the first. */
static void hear_numbered(struct fixture *f, const char *id, uint64_t test,
			  struct msg_number number, bool is_bulk)
{
	struct msg_count counts[] = { { str_of("Alpha"), 4 } };
	struct msg m = { .type = MSG_STATS, .node_id = str_of(id) };
	struct stats stats;
	struct buf frame;

	stats_init(&stats, WALL_S);
	stats_record(&stats, stats_entry(&stats, str_of("GET"), str_of("/"), WALL_S),
		     &(struct stats_request){ .service_us = 1000, .content_bytes = 1 }, WALL_S);
	m.report = (struct msg_report){ .stats = &stats,
					.have_times = true,
					.counts = { counts, 1 },
					.phase = MSG_PHASE_TEST,
					.number = number,
					.test = test };
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&m, &frame);
	if (is_bulk)
		master_on_bulk_frame(f->master, str_of(id), buf_str(&frame), f->now_us);
	else
		master_on_frame(f->master, str_of(id), buf_str(&frame), f->now_us);
	buf_fini(&frame);
	stats_fini(&stats);
}

static void tick(struct fixture *f, uint64_t later_us)
{
	uint64_t until_us = f->now_us + later_us;

	while (master_due_us(f->master) <= until_us) {
		f->now_us =
			master_due_us(f->master) > f->now_us ? master_due_us(f->master) : f->now_us;
		master_tick(f->master, f->now_us);
		f->now_us++;
	}
	f->now_us = until_us;
}

static void start(struct fixture *f, uint64_t users)
{
	struct run_start start = { .user_count = users, .spawn_rate = 1000, .host = "http://t" };

	assert_int_equal(run_start(f->run, &start, NULL), OK);
	tick(f, 1000);
}

static void stop(struct fixture *f)
{
	assert_int_equal(run_stop(f->run, on_stopped, f), OK);
	assert_int_equal(f->stops, 0);
	tick(f, 1000);
}

/* "a" of the version runs all users. */
static void run_users(struct fixture *f, const char *version, uint64_t users)
{
	hear_ready(f, "a", version);
	start(f, users);
	hear_plain(f, "a", MSG_SPAWNING);
	hear_complete(f, "a", users);
	assert_int_equal(f->run->state, RUN_RUNNING);
	f->said[0] = '\0';
}

static int open_fixture(void **state)
{
	static const struct run_options run = {
		.classes = classes, .class_count = 1, .stop_timeout_s = 1, .scenario_name = "s.c"
	};
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	static const struct msg_file file = { { "s.c", 3 }, { "int x;", 6 } };
	struct master_options options = { .run = &run,
					  .files = &file,
					  .file_count = 1,
					  .is_native = true,
					  .wall_offset_s = WALL_S,
					  .send = take_frame,
					  .due_changed = on_due_changed,
					  .ended = on_ended,
					  .arg = f };

	f->now_us = CLOCK_S;
	f->master = master_create(&options, f->now_us);
	f->run = master_run(f->master);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	master_destroy(&f->master);
	mem_free(f);
	return 0;
}

static void workers_are_acknowledged_with_their_number(void **state)
{
	struct fixture *f = *state;

	hear_ready(f, "a", "2.46.6");
	expect_said(f, "a:ack ");
	assert_int_equal(f->last_index, 0);
	hear_ready(f, "b", ""); /* Debian's 2.12.1 */
	assert_int_equal(f->last_index, 1);
	hear(f, "c",
	     &(struct msg){ .type = MSG_CLIENT_READY, .client_ready = { .is_foreign = true } });
	assert_int_equal(f->last_index, 2);
	assert_int_equal(f->run->mode->worker_count(f->run), 3);
	/* The same number when it comes back. */
	hear_plain(f, "a", MSG_QUIT);
	assert_int_equal(f->run->mode->worker_count(f->run), 2);
	hear_ready(f, "a", "2.46.6");
	assert_int_equal(f->last_index, 0);
}

static void only_versions_that_know_it_hear_a_heartbeat(void **state)
{
	struct fixture *f = *state;
	struct run_worker worker;

	hear_ready(f, "a", "2.46.6");
	hear_ready(f, "b", "2.12.1");
	hear_ready(f, "c", "");
	f->said[0] = '\0';
	hear_beat(f, "a", "ready");
	hear_beat(f, "b", "ready");
	hear_beat(f, "c", "ready");
	expect_said(f, "a:heartbeat ");
	assert_true(f->run->mode->worker(f->run, 1, &worker));
	assert_string_equal(worker.id, "b");
	assert_int_equal(worker.memory_usage, 1000);
	assert_true(worker.cpu_usage == 12.5);
	assert_int_equal(worker.index, 1);
	assert_string_equal(worker.version, "2.12.1");
	assert_null(worker.cicada);
	hear(f, "b",
	     &(struct msg){ .type = MSG_HEARTBEAT,
			    .heartbeat = { .state = str_of("ready"), .cicada = str_of("0.1.0") } });
	assert_true(f->run->mode->worker(f->run, 1, &worker));
	assert_string_equal(worker.cicada, "0.1.0");
	assert_true(f->run->mode->worker(f->run, 2, &worker));
	assert_null(worker.version);
	assert_true(isnan(worker.lag_p99_ms));
	assert_false(f->run->mode->worker(f->run, 3, &worker));
}

/* Workers from 2.25 on, also one that comes later; before the counts that go by it. */
static void workers_hear_of_a_class_that_changed(void **state)
{
	const bool draws[] = { true, false, true };
	struct run_share share = { .weight = 2, .draws = draws };
	struct fixture *f = *state;

	hear_ready(f, "a", "2.46.6");
	hear_ready(f, "b", "2.12.1");
	f->said[0] = '\0';
	assert_int_equal(run_set_share(f->run, 0, &share, NULL), OK);
	f->is_full = true;
	tick(f, 1000);
	expect_said(f, "");
	f->is_full = false;
	start(f, 1);
	expect_said(f, "a:update_user_class a:spawn b:spawn ");
	assert_string_equal(f->tasks, "2:read look ");
	f->tasks[0] = '\0';
	hear_ready(f, "c", "2.25.0");
	assert_non_null(strstr(f->said, "c:ack c:update_user_class "));
	assert_string_equal(f->tasks, "2:read look ");
	/* A class has its host, and no spawn takes it back until a start names one; b, which is
	 * told of no class, gets that of the test. */
	share.host = "http://own";
	assert_int_equal(run_set_share(f->run, 0, &share, NULL), OK);
	assert_int_equal(
		run_start(f->run, &(struct run_start){ .user_count = 9, .spawn_rate = 1000 }, NULL),
		OK);
	tick(f, 1000);
	assert_string_equal(f->class_host, "http://own");
	assert_string_equal(f->hosts[0], "");
	assert_string_equal(f->hosts[1], "http://t");
	start(f, 12);
	assert_string_equal(f->hosts[0], "http://t");
}

static void a_test_is_spread_and_confirmed(void **state)
{
	struct fixture *f = *state;

	hear_ready(f, "a", "2.46.6");
	hear_ready(f, "b", "2.12.1");
	f->said[0] = '\0';
	start(f, 5);
	expect_said(f, "a:spawn b:spawn ");
	assert_int_equal(f->spawned[0], 3);
	assert_int_equal(f->spawned[1], 2);
	assert_string_equal(f->host, "http://t");
	hear_plain(f, "a", MSG_SPAWNING);
	hear_plain(f, "b", MSG_SPAWNING);
	hear_complete(f, "a", 3);
	hear_complete(f, "b", 1); /* not yet */
	assert_int_equal(f->run->state, RUN_SPAWNING);
	expect_said(f, "");
	hear_complete(f, "b", 2);
	assert_int_equal(f->run->state, RUN_RUNNING);
	expect_said(f, "a:spawning_complete ");
	assert_int_equal(run_user_count(f->run), 5);
}

/* Workers drop a spawn that is not newer than the last one; take_frame() checks that too. */
static void spawns_of_one_moment_have_rising_timestamps(void **state)
{
	struct fixture *f = *state;
	struct run_start start = { .user_count = 5, .spawn_rate = 1000 };

	run_users(f, "2.46.6", 4);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_start(f->run, &start, NULL), OK);
		master_tick(f->master, f->now_us);
	}
	expect_said(f, "a:spawn a:spawn a:spawn ");
	hear_ready(f, "a", "2.46.6");
	expect_said(f, "a:ack a:spawn ");
}

static void without_a_worker_no_test_begins(void **state)
{
	struct fixture *f = *state;
	struct run_start start = { .user_count = 1, .spawn_rate = 1 };
	struct err_text text = { 0 };

	assert_int_equal(run_start(f->run, &start, &text), ERR_UNREACHABLE);
	assert_int_equal(f->run->state, RUN_READY);
}

static void a_worker_that_does_not_confirm_is_asked_again_and_then_passed_over(void **state)
{
	struct fixture *f = *state;

	hear_ready(f, "a", "2.46.6");
	start(f, 5);
	f->said[0] = '\0';
	for (int i = 0; i < 6; i++) {
		hear_beat(f, "a", "running");
		tick(f, CLOCK_S);
	}
	assert_non_null(strstr(f->said, "a:spawn "));
	assert_int_equal(f->run->state, RUN_SPAWNING);
	for (int i = 0; i < 6; i++) {
		hear_beat(f, "a", "running");
		tick(f, CLOCK_S);
	}
	assert_int_equal(f->run->state, RUN_RUNNING);
}

static void a_worker_that_was_passed_over_is_asked_on(void **state)
{
	struct fixture *f = *state;
	unsigned spawns = 0;

	hear_ready(f, "a", "2.46.6");
	start(f, 4);
	for (int i = 0; i < 18; i++) {
		f->said[0] = '\0';
		tick(f, CLOCK_S);
		hear_beat(f, "a", "ready");
		spawns += i > 11 && strstr(f->said, "a:spawn ");
	}
	assert_int_equal(f->run->state, RUN_RUNNING);
	assert_in_range(spawns, 1, 2);
	hear_plain(f, "a", MSG_SPAWNING);
	hear_complete(f, "a", 4);
	assert_int_equal(run_user_count(f->run), 4);
	f->said[0] = '\0';
	/* The spawn made it think of a ramp. */
	hear_stats(f, "a", 5, MSG_PHASE_RAMP, 4);
	expect_said(f, "a:spawning_complete ");
	tick(f, 3 * CLOCK_S);
	expect_said(f, "");
}

static void the_window_is_what_our_workers_say_it_is(void **state)
{
	struct fixture *f = *state;

	hear_ready(f, "a", "2.46.6");
	start(f, 2);
	hear_stats(f, "a", 100, MSG_PHASE_RAMP, 0); /* of whatever was before the test */
	hear_plain(f, "a", MSG_SPAWNING);
	hear_stats(f, "a", 1, MSG_PHASE_RAMP, 2);
	hear_complete(f, "a", 2);
	hear_stats(f, "a", 2, MSG_PHASE_RAMP, 2);
	hear_stats(f, "a", 4, MSG_PHASE_TEST, 2);
	stop(f);
	hear_stats(f, "a", 8, MSG_PHASE_TEST, 2);
	hear_stats(f, "a", 16, MSG_PHASE_DRAIN, 0);
	hear_plain(f, "a", MSG_CLIENT_STOPPED);
	hear_ready(f, "a", "2.46.6");
	assert_int_equal(f->run->state, RUN_STOPPED);
	assert_int_equal(f->stops, 1);
	assert_int_equal(f->run->window.total.num_requests, 12);
	assert_int_equal(f->run->stats.total.num_requests, 31);
	/* Then the numbers stand still. */
	hear_stats(f, "a", 32, MSG_PHASE_RAMP, 0);
	assert_int_equal(f->run->stats.total.num_requests, 31);
}

static void expect_counted(struct fixture *f, uint64_t requests, uint64_t answered)
{
	assert_int_equal(f->run->stats.total.num_requests, requests);
	assert_int_equal(f->answered, answered);
}

static void a_numbered_report_is_counted_once(void **state)
{
	struct fixture *f = *state;
	uint64_t old;

	hear_ready(f, "a", "2.46.6");
	start(f, 4);
	assert_true(f->test > 0);
	/* It may be here before the `spawning` that went by the other port. */
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 1, 1 }, true);
	expect_counted(f, 1, 1);
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 1, 1 }, false);
	expect_counted(f, 1, 1);
	/* One is missing before it, so it will come again. */
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 3, 1 }, true);
	expect_counted(f, 1, 1);
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 2, 1 }, false);
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 3, 1 }, false);
	expect_counted(f, 3, 3);
	/* The worker gave some up. */
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 8, 7 }, true);
	expect_counted(f, 3, 6);
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 7, 7 }, true);
	expect_counted(f, 4, 7);
	/* Another process of that name begins anew; of another test is not counted. */
	hear_numbered(f, "a", f->test, (struct msg_number){ 10, 1, 1 }, true);
	expect_counted(f, 5, 1);
	old = f->test;
	hear_numbered(f, "a", old - 1, (struct msg_number){ 10, 2, 2 }, true);
	expect_counted(f, 5, 2);
	stop(f);
	hear_plain(f, "a", MSG_CLIENT_STOPPED);
	hear_ready(f, "a", "2.46.6");
	tick(f, 10 * CLOCK_S);
	hear_ready(f, "a", "2.46.6");
	start(f, 4);
	assert_true(f->test > old);
	hear_numbered(f, "a", old, (struct msg_number){ 10, 3, 3 }, true);
	expect_counted(f, 0, 3);
}

/* The statistics are empty from the start on, and the first spawn goes out in the tick after it. */
static void a_late_report_of_the_last_test_is_not_of_the_next(void **state)
{
	struct run_start next = { .user_count = 2, .spawn_rate = 1 };
	struct fixture *f = *state;

	run_users(f, "2.46.6", 4);
	hear_plain(f, "a", MSG_CLIENT_STOPPED);
	tick(f, 10 * CLOCK_S);
	hear_ready(f, "a", "2.46.6");
	assert_int_equal(f->run->state, RUN_STOPPED);
	assert_int_equal(run_start(f->run, &next, NULL), OK);
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 1, 1 }, true);
	expect_counted(f, 0, 1);
}

static void an_answer_that_finds_no_room_is_owed(void **state)
{
	struct fixture *f = *state;

	run_users(f, "2.46.6", 4);
	f->is_full = true;
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 1, 1 }, true);
	assert_int_equal(f->answered, 0);
	f->is_full = false;
	tick(f, 300 * CLOCK_MS);
	expect_counted(f, 1, 1);
}

static void the_second_port_takes_reports_only(void **state)
{
	struct fixture *f = *state;
	struct msg quit = { .type = MSG_QUIT, .node_id = str_of("a") };
	struct buf frame;

	run_users(f, "2.46.6", 4);
	buf_init(&frame, 1000);
	msg_encode(&quit, &frame);
	master_on_bulk_frame(f->master, str_of("a"), buf_str(&frame), f->now_us);
	buf_fini(&frame);
	assert_int_equal(master_bad_frames(f->master), 1);
	assert_int_equal(f->run->mode->worker_count(f->run), 1);
	/* One that does not reach it is counted, until it does or is gone. */
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 1, 1 }, false);
	assert_int_equal(f->run->workers_on_one_port, 1);
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 2, 2 }, true);
	assert_int_equal(f->run->workers_on_one_port, 0);
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 3, 3 }, false);
	hear_plain(f, "a", MSG_QUIT);
	assert_int_equal(f->run->workers_on_one_port, 0);
	/* A report of a stranger is answered for: it need not be kept. */
	hear_numbered(f, "s", 1, (struct msg_number){ 5, 8, 8 }, true);
	assert_int_equal(f->answered, 8);
}

static void change_shape(struct fixture *f, uint64_t users)
{
	struct run_start change = { .user_count = users, .spawn_rate = 1000, .is_shaped = true };

	assert_int_equal(run_start(f->run, &change, NULL), OK);
	tick(f, 1000);
}

static void the_later_ramps_of_a_shape_are_in_the_window(void **state)
{
	struct fixture *f = *state;

	hear_ready(f, "a", "2.46.6");
	for (unsigned test = 0; test < 2; test++) {
		change_shape(f, 2);
		hear_plain(f, "a", MSG_SPAWNING);
		hear_complete(f, "a", 2);
		assert_int_equal(f->run->state, RUN_RUNNING);
		hear_stats(f, "a", 1, MSG_PHASE_RAMP, 2); /* made before it */
		hear_stats(f, "a", 2, MSG_PHASE_TEST, 2);
		change_shape(f, 0);
		assert_int_equal(f->run->state, RUN_SPAWNING);
		hear_stats(f, "a", 4, MSG_PHASE_RAMP, 2);
		hear_complete(f, "a", 0);
		assert_int_equal(f->run->state, RUN_RUNNING);
		hear_stats(f, "a", 8, MSG_PHASE_RAMP, 0);
		stop(f);
		hear_stats(f, "a", 16, MSG_PHASE_DRAIN, 0);
		hear_plain(f, "a", MSG_CLIENT_STOPPED);
		hear_ready(f, "a", "2.46.6");
		assert_int_equal(f->run->state, RUN_STOPPED);
		assert_int_equal(f->run->window.total.num_requests, 14);
		assert_int_equal(f->run->stats.total.num_requests, 31);
		f->stops = 0;
	}
}

/* A worker of Locust reports every 3 s, also its last requests. */
/* Both in one turn of the loop: what was asked for is done at its end. */
static void a_report_that_comes_with_a_stop_counts(void **state)
{
	struct fixture *f = *state;

	run_users(f, "2.46.6", 4);
	assert_int_equal(run_stop(f->run, on_stopped, f), OK);
	hear_numbered(f, "a", f->test, (struct msg_number){ 9, 1, 1 }, true);
	expect_counted(f, 1, 1);
	assert_int_equal(f->run->window.total.num_requests, 1);
}

static void a_foreign_worker_is_waited_for_until_its_next_report(void **state)
{
	struct fixture *f = *state;

	run_users(f, "2.12.1", 3);
	hear_stats(f, "a", 10, MSG_PHASE_NONE, 3);
	stop(f);
	expect_said(f, "a:stop ");
	hear_plain(f, "a", MSG_CLIENT_STOPPED);
	assert_int_equal(f->run->mode->worker_count(f->run), 0);
	hear_ready(f, "a", "2.12.1");
	tick(f, 2 * CLOCK_S);
	assert_int_equal(f->run->state, RUN_STOPPING);
	hear_stats(f, "a", 5, MSG_PHASE_NONE, 0);
	assert_int_equal(f->run->state, RUN_STOPPED);
	assert_int_equal(f->run->stats.total.num_requests, 15);
	assert_int_equal(f->run->window.total.num_requests, 15);
	assert_int_equal(f->run->mode->worker_count(f->run), 1);
}

static void a_worker_that_does_not_stop_ends_nothing(void **state)
{
	struct fixture *f = *state;

	run_users(f, "2.46.6", 3);
	stop(f);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(f->stops, i > 5);
		hear_beat(f, "a", "running");
		tick(f, CLOCK_S);
	}
	assert_int_equal(f->run->state, RUN_STOPPED);
	assert_int_equal(f->stops, 1);
	/* Until it has introduced itself again it gets no users. */
	assert_int_equal(f->run->mode->worker_count(f->run), 0);
}

static void silence_makes_missing_and_a_word_heals(void **state)
{
	struct fixture *f = *state;
	struct run_worker worker;

	run_users(f, "2.46.6", 4);
	hear_ready(f, "b", "2.46.6");
	assert_int_equal(f->run->state, RUN_SPAWNING); /* spread anew */
	tick(f, 1000);
	assert_int_equal(f->spawned[0], 2);
	assert_int_equal(f->spawned[1], 2);
	hear_plain(f, "b", MSG_SPAWNING);
	hear_complete(f, "a", 2);
	hear_complete(f, "b", 2);
	assert_int_equal(f->run->state, RUN_RUNNING);
	for (int i = 0; i < 4; i++) {
		tick(f, CLOCK_S);
		hear_beat(f, "a", "running");
	}
	assert_int_equal(f->spawned[0], 2);
	tick(f, CLOCK_S + 1000);
	assert_true(f->run->mode->worker(f->run, 1, &worker));
	assert_int_equal(worker.state, RUN_MISSING);
	assert_int_equal(f->spawned[0], 4);
	hear_complete(f, "a", 4);
	assert_int_equal(run_user_count(f->run), 4);
	assert_int_equal(f->run->state, RUN_RUNNING);
	hear_beat(f, "b", "running");
	tick(f, 1000);
	assert_int_equal(f->spawned[0], 2);
	assert_int_equal(f->spawned[1], 2);
	/* Silent for long it is forgotten. */
	for (int i = 0; i < 66; i++) {
		tick(f, CLOCK_S);
		hear_beat(f, "a", "running");
	}
	assert_false(f->run->mode->worker(f->run, 1, &worker));
}

static void the_last_worker_ends_the_test(void **state)
{
	struct fixture *f = *state;

	run_users(f, "2.46.6", 4);
	hear_stats(f, "a", 3, MSG_PHASE_TEST, 4);
	hear_plain(f, "a", MSG_QUIT);
	tick(f, 1000);
	assert_int_equal(f->run->state, RUN_STOPPED);
	assert_int_equal(f->run->window.total.num_requests, 3);
	assert_int_equal(run_user_count(f->run), 0);
}

static void strangers_are_told_to_stop_now_and_then(void **state)
{
	struct fixture *f = *state;

	hear_beat(f, "a", "running");
	expect_said(f, "a:stop ");
	hear_stats(f, "a", 5, MSG_PHASE_NONE, 3);
	hear_plain(f, "a", MSG_SPAWNING);
	hear_complete(f, "a", 3);
	expect_said(f, "");
	hear_beat(f, "b", "running");
	expect_said(f, "b:stop ");
	tick(f, 5 * CLOCK_S);
	hear_beat(f, "a", "running");
	expect_said(f, "a:stop ");
	hear_plain(f, "a", MSG_CLIENT_STOPPED);
	hear_plain(f, "a", MSG_QUIT);
	expect_said(f, "");
	hear_ready(f, "a", "2.46.6");
	expect_said(f, "a:ack ");
}

static void ask_for_the_scenario(struct fixture *f, const char *id, bool is_native)
{
	struct msg m = { .type = MSG_LOCUSTFILE };

	m.locustfile.is_native = is_native;
	hear(f, id, &m);
}

static void a_worker_without_a_scenario_gets_the_masters(void **state)
{
	struct fixture *f = *state;

	ask_for_the_scenario(f, "a", true);
	expect_said(f, "a:locustfile ");
	assert_string_equal(f->file, "s.c: int x;");
	/* One that cannot read as fast as it asks. */
	ask_for_the_scenario(f, "a", true);
	expect_said(f, "");
	/* Locust's own. */
	ask_for_the_scenario(f, "b", false);
	expect_said(f, "b:locustfile ");
	assert_non_null(strstr(f->file, "in C"));
	assert_int_equal(f->run->mode->worker_count(f->run), 0);
	assert_int_equal(master_bad_frames(f->master), 0);
}

static void a_full_queue_delays_commands_and_loses_none(void **state)
{
	struct fixture *f = *state;

	f->is_full = true;
	hear_ready(f, "a", "2.46.6");
	start(f, 4);
	tick(f, CLOCK_S);
	expect_said(f, "");
	f->is_full = false;
	tick(f, 300 * CLOCK_MS);
	expect_said(f, "a:ack a:spawn ");
	assert_int_equal(f->spawned[0], 4);
	f->is_full = true;
	stop(f);
	f->is_full = false;
	tick(f, 300 * CLOCK_MS);
	expect_said(f, "a:stop ");
}

static void a_restarted_worker_takes_its_old_place(void **state)
{
	struct fixture *f = *state;

	run_users(f, "2.46.6", 4);
	hear_ready(f, "a", "2.46.6");
	tick(f, 1000);
	assert_int_equal(run_user_count(f->run), 0);
	expect_said(f, "a:ack a:spawn ");
	assert_int_equal(f->spawned[0], 4);
	assert_int_equal(f->run->mode->worker_count(f->run), 1);
}

static void bad_frames_are_counted_and_harmless(void **state)
{
	static const char nul_id[] = { 'a', '\0', 'b' };
	struct fixture *f = *state;
	struct buf frame;

	run_users(f, "2.46.6", 4);
	master_on_frame(f->master, str_of("a"), str_of("\xc1"), f->now_us);
	master_on_frame(f->master, str_of("a"), str_of("\x93\xa4quit"), f->now_us);
	master_on_frame(f->master, str_of("a"), str_of(""), f->now_us);
	buf_init(&frame, 1000);
	msg_encode(&(struct msg){ .type = MSG_QUIT, .node_id = str_of("a") }, &frame);
	master_on_frame(f->master, str_of(""), buf_str(&frame), f->now_us);
	master_on_frame(f->master, str_of("\xff\xfe"), buf_str(&frame), f->now_us);
	master_on_frame(f->master, str_of("a\n"), buf_str(&frame), f->now_us);
	master_on_frame(f->master, (struct str){ nul_id, 3 }, buf_str(&frame), f->now_us);
	buf_fini(&frame);
	assert_int_equal(master_bad_frames(f->master), 7);
	assert_int_equal(f->run->state, RUN_RUNNING);
	assert_int_equal(f->run->mode->worker_count(f->run), 1);
	hear(f, "a", &(struct msg){ .type = MSG_UNKNOWN, .type_name = str_of("custom") });
	assert_int_equal(master_bad_frames(f->master), 7);
	expect_said(f, "");
}

static void exceptions_are_kept(void **state)
{
	struct fixture *f = *state;
	struct msg m = { .type = MSG_EXCEPTION,
			 .exception = { str_of("boom"), str_of("at line 1") } };

	run_users(f, "2.46.6", 1);
	hear(f, "a", &m);
	hear(f, "a", &m);
	assert_int_equal(f->run->exceptions.count, 1);
}

static void logs_of_a_worker_are_kept(void **state)
{
	struct fixture *f = *state;
	struct run_worker worker;

	run_users(f, "2.46.6", 1);
	assert_true(f->run->mode->worker(f->run, 0, &worker) && !worker.logs.len);
	for (int i = 0; i < 2; i++) /* the whole each time */
		hear(f, "a", &(struct msg){ .type = MSG_LOGS, .logs = { { "one\0two\0", 8 } } });
	assert_true(f->run->mode->worker(f->run, 0, &worker));
	assert_int_equal(worker.logs.len, 8);
	assert_memory_equal(worker.logs.p, "one\0two\0", 8);
}

static void quit_waits_for_goodbyes_but_not_long(void **state)
{
	struct fixture *f = *state;

	hear_ready(f, "a", "2.46.6");
	hear_ready(f, "b", "2.12.1");
	f->said[0] = '\0';
	master_quit(f->master, f->now_us);
	assert_int_equal(f->ends, 0);
	tick(f, 1000);
	expect_said(f, "a:quit b:quit ");
	hear_plain(f, "a", MSG_QUIT);
	assert_int_equal(f->ends, 0);
	tick(f, 1100 * CLOCK_MS);
	assert_int_equal(f->ends, 1);
	hear_plain(f, "b", MSG_QUIT);
	tick(f, CLOCK_S);
	assert_int_equal(f->ends, 1);
}

#define MASTER_TEST(fn) cmocka_unit_test_setup_teardown(fn, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MASTER_TEST(workers_hear_of_a_class_that_changed),
		MASTER_TEST(workers_are_acknowledged_with_their_number),
		MASTER_TEST(only_versions_that_know_it_hear_a_heartbeat),
		MASTER_TEST(a_test_is_spread_and_confirmed),
		MASTER_TEST(spawns_of_one_moment_have_rising_timestamps),
		MASTER_TEST(without_a_worker_no_test_begins),
		MASTER_TEST(a_worker_that_does_not_confirm_is_asked_again_and_then_passed_over),
		MASTER_TEST(a_worker_that_was_passed_over_is_asked_on),
		MASTER_TEST(a_numbered_report_is_counted_once),
		MASTER_TEST(a_late_report_of_the_last_test_is_not_of_the_next),
		MASTER_TEST(an_answer_that_finds_no_room_is_owed),
		MASTER_TEST(the_second_port_takes_reports_only),
		MASTER_TEST(the_window_is_what_our_workers_say_it_is),
		MASTER_TEST(the_later_ramps_of_a_shape_are_in_the_window),
		MASTER_TEST(a_report_that_comes_with_a_stop_counts),
		MASTER_TEST(a_foreign_worker_is_waited_for_until_its_next_report),
		MASTER_TEST(a_worker_that_does_not_stop_ends_nothing),
		MASTER_TEST(silence_makes_missing_and_a_word_heals),
		MASTER_TEST(the_last_worker_ends_the_test),
		MASTER_TEST(strangers_are_told_to_stop_now_and_then),
		MASTER_TEST(a_worker_without_a_scenario_gets_the_masters),
		MASTER_TEST(a_full_queue_delays_commands_and_loses_none),
		MASTER_TEST(a_restarted_worker_takes_its_old_place),
		MASTER_TEST(bad_frames_are_counted_and_harmless),
		MASTER_TEST(exceptions_are_kept),
		MASTER_TEST(logs_of_a_worker_are_kept),
		MASTER_TEST(quit_waits_for_goodbyes_but_not_long),
	};

	log_set_level(LOG_CRITICAL);
	return cmocka_run_group_tests_name("master", tests, NULL, NULL);
}
