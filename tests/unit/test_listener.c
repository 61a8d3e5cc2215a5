/* SPDX-License-Identifier: MIT
 *
 * listener: what a locustfile hears of the cluster and says in it: messages of its own, options in
 * `spawn`, more keys in reports, and a start that waits for it. */
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
#include "cluster/listener.h"
#include "cluster/master.h"
#include "cluster/msg.h"
#include "cluster/msg_scan.h"
#include "cluster/worker.h"

#define WALL_S 1800000000.0

static char heard[512];	  /* a word for each thing since the last look */
static struct buf frames; /* the last frame that went out */
static bool is_full;

static void PRINTF_LIKE(1, 2) note(const char *fmt, ...)
{
	size_t len = strlen(heard);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(heard + len, sizeof(heard) - len, fmt, ap);
	va_end(ap);
}

static void expect_heard(const char *wanted)
{
	assert_string_equal(heard, wanted);
	heard[0] = '\0';
}

static void on_custom(void *arg, struct str from, struct str type, struct str data)
{
	(void)arg;
	note("%.*s:%.*s:%zu:%02x ", STR_ARG(from), STR_ARG(type), data.len, (uint8_t)data.p[0]);
}

static void on_joined(void *arg, const char *id, int64_t index)
{
	(void)arg;
	note("joined:%s:%d ", id, (int)index);
}

/* The listener hears before the users are set. */
static void on_spawn(void *arg, struct str data)
{
	(void)arg;
	assert_int_equal(msg_scan(data, NULL), OK);
	note("spawn:%s ", memmem(data.p, data.len, "my_key", 6) ? "my_key" : "plain");
}

static void on_start(void *arg)
{
	(void)arg;
	note("start ");
}

static void on_stop(void *arg)
{
	(void)arg;
	note("stop ");
}

static void on_report(void *arg, struct str from, struct str data)
{
	(void)arg;
	note("report:%.*s:%s ", STR_ARG(from),
	     memmem(data.p, data.len, "my_key", 6) ? "my_key" : "plain");
}

static const struct cluster_listener listener = { .on_custom = on_custom,
						  .on_joined = on_joined,
						  .on_spawn = on_spawn,
						  .on_start = on_start,
						  .on_stop = on_stop,
						  .on_report = on_report };

static bool take(struct str frame)
{
	if (is_full)
		return false;
	buf_clear(&frames);
	buf_add_str(&frames, frame);

	return true;
}

static const char own_option[] = "\xa6my_key\x07";
static const struct msg_pairs pairs = { { own_option, sizeof(own_option) - 1 }, 1 };

/* ---- a master ---- */

static bool take_to_worker(void *arg, const char *id, struct str frame)
{
	struct msg m;

	(void)arg;
	assert_int_equal(msg_decode(frame, WALL_S, &m, NULL), OK);
	note(">%s:%.*s ", id, STR_ARG(m.type_name));
	msg_fini(&m);
	return take(frame);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void hear(struct master *m, const char *id, struct msg *msg, uint64_t now_us)
{
	struct buf frame;

	msg->node_id = str_of(id);
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(msg, &frame);
	master_on_frame(m, str_of(id), buf_str(&frame), now_us);
	buf_fini(&frame);
}

static struct master *open_master(void)
{
	static const struct run_class class = { .name = "Alpha", .weight = 1 };
	static const struct run_options run = { .classes = &class, .class_count = 1 };
	const struct master_options options = { .run = &run,
						.wall_offset_s = WALL_S,
						.send = take_to_worker,
						.due_changed = nothing,
						.ended = nothing,
						.listener = &listener };
	struct master *m = master_create(&options, CLOCK_S);

	for (const char *id = "a\0b\0"; *id; id += 2)
		hear(m, id,
		     &(struct msg){ .type = MSG_CLIENT_READY,
				    .client_ready = { str_of("2.46.6") } },
		     CLOCK_S);
	heard[0] = '\0';
	return m;
}

static void start(struct master *m)
{
	const struct run_start start = { .user_count = 2, .spawn_rate = 10 };

	assert_int_equal(run_start(master_run(m), &start, NULL), OK);
}

static void a_start_waits_for_its_listener(void **state)
{
	struct master *m = open_master();

	(void)state;
	start(m);
	master_tick(m, CLOCK_S);
	expect_heard("start ");
	/* A change of what was asked for, by a shape for instance, is no other test. */
	start(m);
	master_tick(m, 2 * CLOCK_S);
	expect_heard("");
	assert_int_equal(master_send_custom(m, NULL, str_of("names"), str_of("\xc0")), 0);
	master_set_options(m, pairs.bytes, pairs.count);
	master_release(m);
	master_tick(m, 2 * CLOCK_S);
	expect_heard(">a:names >b:names >a:spawn >b:spawn ");
	assert_non_null(memmem(frames.p, frames.len, own_option, sizeof(own_option) - 1));
	assert_int_equal(run_stop(master_run(m), NULL, NULL), OK);
	expect_heard("stop ");
	master_destroy(&m);
}

static void a_listener_that_says_nothing_is_waited_for_within_a_limit(void **state)
{
	struct master *m = open_master();
	uint64_t now_us = CLOCK_S;

	(void)state;
	start(m);
	master_tick(m, now_us);
	expect_heard("start ");
	/* Workers that are heard of, all the time. */
	for (unsigned i = 0; i < LIMIT_TEST_START_S; i++) {
		assert_null(strstr(heard, "spawn"));
		for (const char *id = "a\0b\0"; *id; id += 2)
			hear(m, id,
			     &(struct msg){ .type = MSG_HEARTBEAT,
					    .heartbeat = { str_of("ready"), 0, 0 } },
			     now_us);
		heard[0] = '\0';
		now_us += CLOCK_S;
		assert_true(master_due_us(m) <= now_us);
	}
	master_tick(m, now_us);
	expect_heard(">a:spawn >b:spawn ");
	master_destroy(&m);
}

static void a_stop_before_the_start_is_no_start(void **state)
{
	struct master *m = open_master();

	(void)state;
	start(m);
	master_tick(m, CLOCK_S);
	assert_int_equal(run_stop(master_run(m), NULL, NULL), OK);
	master_tick(m, CLOCK_S);
	master_release(m);
	master_tick(m, CLOCK_S);
	expect_heard("start stop ");
	assert_int_equal(master_run(m)->state, RUN_STOPPED);
	master_destroy(&m);
}

/* Its test_start takes long, so the next one is asked for before it has ended. */
static void the_end_of_a_start_that_was_stopped_is_not_that_of_the_next(void **state)
{
	struct master *m = open_master();

	(void)state;
	start(m);
	master_tick(m, CLOCK_S);
	assert_int_equal(run_stop(master_run(m), NULL, NULL), OK);
	master_tick(m, CLOCK_S);
	start(m);
	master_tick(m, CLOCK_S);
	expect_heard("start stop start ");
	master_release(m);
	master_tick(m, CLOCK_S);
	expect_heard("");
	master_release(m);
	master_tick(m, CLOCK_S);
	expect_heard(">a:spawn >b:spawn ");
	master_destroy(&m);
}

static void a_master_passes_on_what_workers_say(void **state)
{
	struct master *m = open_master();
	struct stats none;
	struct msg report = { .type = MSG_STATS };

	(void)state;
	hear(m, "a",
	     &(struct msg){ .type_name = str_of("thanks"), .data = str_of("\x93\x01\x02\x03") },
	     CLOCK_S);
	expect_heard("a:thanks:4:93 ");
	hear(m, "a", &(struct msg){ .type_name = str_of("empty") }, CLOCK_S);
	expect_heard("a:empty:1:c0 ");
	hear(m, "nobody", &(struct msg){ .type_name = str_of("thanks") }, CLOCK_S);
	expect_heard("");
	stats_init(&none, WALL_S);
	report.report = (struct msg_report){ .stats = &none, .extra = pairs };
	hear(m, "b", &report, CLOCK_S);
	expect_heard("report:b:my_key ");
	report.report.extra = (struct msg_pairs){ 0 };
	hear(m, "b", &report, CLOCK_S);
	expect_heard("report:b:plain ");
	stats_fini(&none);
	master_destroy(&m);
}

/* Its answer was lost, so it comes again. */
static void a_report_that_was_here_before_is_not_passed_on(void **state)
{
	struct master *m = open_master();
	struct msg report = { .type = MSG_STATS }, spawn;
	struct stats none;

	(void)state;
	start(m);
	master_release(m);
	master_tick(m, CLOCK_S);
	assert_int_equal(msg_decode(buf_str(&frames), WALL_S, &spawn, NULL), OK);
	assert_int_equal(spawn.type, MSG_SPAWN);
	stats_init(&none, WALL_S);
	report.report = (struct msg_report){ .stats = &none,
					     .test = spawn.spawn.test,
					     .number = { 7, 1, 1 } };
	hear(m, "b", &report, CLOCK_S);
	assert_non_null(strstr(heard, "report:b:"));
	heard[0] = '\0';
	hear(m, "b", &report, CLOCK_S);
	assert_null(strstr(heard, "report:b:"));
	heard[0] = '\0';
	stats_fini(&none);
	msg_fini(&spawn);
	master_destroy(&m);
}

static void a_message_to_one_worker_reaches_nobody_else(void **state)
{
	struct master *m = open_master();

	(void)state;
	assert_int_equal(master_send_custom(m, "b", str_of("names"), str_of("\x01")), 0);
	expect_heard(">b:names ");
	assert_int_equal(master_send_custom(m, "gone", str_of("names"), str_of("\x01")), 1);
	expect_heard("");
	is_full = true;
	assert_int_equal(master_send_custom(m, NULL, str_of("names"), str_of("\x01")), 2);
	is_full = false;
	heard[0] = '\0';
	master_destroy(&m);
}

/* ---- a worker ---- */

static void set_users(void *load, const uint64_t *counts, const char *host, double stop_timeout_s)
{
	(void)load;
	(void)host;
	(void)stop_timeout_s;
	note("users:%u ", (unsigned)counts[0]);
}

static void begin_test(void *load, const struct worker_test *test)
{
	(void)load;
	(void)test;
}

static void set_tasks(void *load, size_t class_index, const struct str *names, size_t count)
{
	(void)load;
	(void)class_index;
	(void)names;
	(void)count;
}

static void set_host(void *load, size_t class_index, const char *host)
{
	(void)load;
	(void)class_index;
	(void)host;
}

static bool take_to_master(void *arg, struct str frame)
{
	(void)arg;
	return take(frame);
}

static void ignore_port(void *arg, unsigned port)
{
	(void)arg;
	(void)port;
}

static void on_ended(void *arg, enum err err, const struct err_text *text)
{
	(void)arg;
	(void)err;
	(void)text;
}

static void tell(struct worker *w, struct msg *msg)
{
	struct buf frame;

	msg->node_id = str_of("h_1");
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(msg, &frame);
	worker_on_frame(w, buf_str(&frame), CLOCK_S);
	buf_fini(&frame);
}

static struct worker *open_worker(void)
{
	static const char *const classes[] = { "Alpha" };
	static const struct worker_load_ops ops = { set_users, begin_test, set_tasks, set_host,
						    nothing };
	const struct worker_options options = { .id = "h_1",
						.classes = classes,
						.class_count = 1,
						.ops = &ops,
						.send = take_to_master,
						.open_bulk = ignore_port,
						.send_bulk = take_to_master,
						.reconnect = nothing,
						.ended = on_ended,
						.listener = &listener };
	struct worker *w = worker_create(&options, CLOCK_S);

	worker_tick(w, CLOCK_S);
	tell(w, &(struct msg){ .type = MSG_ACK, .ack = { .index = 3 } });
	expect_heard("joined:h_1:3 ");
	return w;
}

static void a_worker_passes_on_what_its_master_says(void **state)
{
	struct msg_count counts[] = { { str_of("Alpha"), 2 } };
	struct worker *w = open_worker();
	struct msg spawn = { .type = MSG_SPAWN };

	(void)state;
	tell(w, &(struct msg){ .type_name = str_of("names"), .data = str_of("\x92\x01\x02") });
	expect_heard("h_1:names:3:92 ");
	spawn.spawn =
		(struct msg_spawn){ .timestamp = 1, .counts = { counts, 1 }, .own_options = pairs };
	tell(w, &spawn);
	expect_heard("spawn:my_key users:2 ");
	worker_destroy(&w);
}

static void a_worker_says_what_it_is_given(void **state)
{
	struct worker *w = open_worker();
	const uint64_t users = 0;
	struct stats none;
	struct msg m;

	(void)state;
	assert_true(worker_send_custom(w, str_of("thanks"), str_of("\xa2hi")));
	assert_int_equal(msg_decode(buf_str(&frames), WALL_S, &m, NULL), OK);
	assert_true(str_eq(m.type_name, "thanks"));
	assert_int_equal(m.type, MSG_UNKNOWN);
	assert_true(str_eq(msg_scan_data(buf_str(&frames)), "\xa2hi"));
	msg_fini(&m);
	assert_true(worker_send_extra(w, &pairs, WALL_S));
	assert_int_equal(msg_decode(buf_str(&frames), WALL_S, &m, NULL), OK);
	assert_int_equal(m.type, MSG_STATS);
	assert_int_equal(m.report.stats->total.num_requests, 0);
	assert_true(m.report.stats->total.start_time == WALL_S);
	assert_non_null(memmem(frames.p, frames.len, own_option, sizeof(own_option) - 1));
	msg_fini(&m);
	/* A master that is not ours: its listeners find their keys in each report. */
	worker_set_usual(w, &pairs);
	worker_tick(w, worker_due_us(w));
	stats_init(&none, WALL_S);
	buf_clear(&frames);
	worker_on_delta(w, &none, &users, CLOCK_S);
	stats_fini(&none);
	assert_int_equal(msg_decode(buf_str(&frames), WALL_S, &m, NULL), OK);
	assert_int_equal(m.type, MSG_STATS);
	assert_non_null(memmem(frames.p, frames.len, own_option, sizeof(own_option) - 1));
	msg_fini(&m);
	is_full = true;
	assert_false(worker_send_custom(w, str_of("thanks"), str_of("\xc0")));
	assert_false(worker_send_extra(w, &pairs, WALL_S));
	is_full = false;
	worker_destroy(&w);
}

static int open_frames(void **state)
{
	(void)state;
	buf_init(&frames, LIMIT_MESSAGE_BYTES);
	return 0;
}

static int close_frames(void **state)
{
	(void)state;
	buf_fini(&frames);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_waits_for_its_listener),
		cmocka_unit_test(a_listener_that_says_nothing_is_waited_for_within_a_limit),
		cmocka_unit_test(a_stop_before_the_start_is_no_start),
		cmocka_unit_test(the_end_of_a_start_that_was_stopped_is_not_that_of_the_next),
		cmocka_unit_test(a_master_passes_on_what_workers_say),
		cmocka_unit_test(a_report_that_was_here_before_is_not_passed_on),
		cmocka_unit_test(a_message_to_one_worker_reaches_nobody_else),
		cmocka_unit_test(a_worker_passes_on_what_its_master_says),
		cmocka_unit_test(a_worker_says_what_it_is_given),
	};

	log_set_level(LOG_CRITICAL);
	return cmocka_run_group_tests_name("listener", tests, open_frames, close_frames);
}
