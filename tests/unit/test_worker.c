/* SPDX-License-Identifier: MIT
 *
 * worker: what it says, in which order and when, told to it frame by frame as Locust's masters
 * do. The load is a fake that answers when the test says so. */
#include <inttypes.h>
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
#include "base/log_kept.h"
#include "base/mem.h"
#include "base/opt.h"
#include "cluster/msg.h"
#include "cluster/worker.h"

#define NOW_S 1800000000.0

struct fixture {
	struct worker *worker;
	uint64_t now_us;
	bool is_full;	/* the connection takes nothing */
	char said[512]; /* the types sent since the last look, with a mark behind: "stats:test " */
	uint64_t requests[MSG_PHASE_COUNT]; /* reported, by phase */
	uint64_t reported_users;
	char heartbeat_state[64];
	/* the load */
	uint64_t wanted[2], users[2];
	char host[64];
	double stop_timeout_s;
	unsigned collects, set_calls;
	char begun[64];	     /* "index/workers" and the first tag of each begin_test() */
	char tasks[64];	     /* "index:name name " of the last set_tasks() */
	char class_host[64]; /* "index:host" of the last set_host() */
	unsigned reconnects, ends;
	unsigned bulk_port; /* as it was asked to open */
	bool is_bulk_closed;
	struct msg_number number;	 /* of the last report */
	uint64_t test, requests_of_test; /* of the last report */
	uint64_t spawn_test;
	enum err end_err;
	double timestamp;
};

static void set_users(void *load, const uint64_t *counts, const char *host, double stop_timeout_s)
{
	struct fixture *f = load;

	memcpy(f->wanted, counts, sizeof(f->wanted));
	snprintf(f->host, sizeof(f->host), "%s", host ? host : "none");
	f->stop_timeout_s = stop_timeout_s;
	f->set_calls++;
}

static void begin_test(void *load, const struct worker_test *test)
{
	struct fixture *f = load;
	size_t len = strlen(f->begun);

	snprintf(f->begun + len, sizeof(f->begun) - len, "%" PRIi64 "/%" PRIu64 "%s ", test->index,
		 test->expect_workers, test->tags ? test->tags->value[0] : "");
}

static void set_tasks(void *load, size_t class_index, const struct str *names, size_t count)
{
	struct fixture *f = load;
	size_t len = (size_t)snprintf(f->tasks, sizeof(f->tasks), "%zu:", class_index);

	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(f->tasks + len, sizeof(f->tasks) - len, "%.*s ",
					STR_ARG(names[i]));
}

static void set_host(void *load, size_t class_index, const char *host)
{
	struct fixture *f = load;

	snprintf(f->class_host, sizeof(f->class_host), "%zu:%s", class_index, host);
}

static void collect(void *load)
{
	((struct fixture *)load)->collects++;
}

static bool take_frame(void *arg, struct str frame)
{
	struct fixture *f = arg;
	size_t len = strlen(f->said);
	struct msg m;

	if (f->is_full)
		return false;
	assert_int_equal(msg_decode(frame, NOW_S, &m, NULL), OK);
	assert_true(str_eq(m.node_id, "h_1"));
	snprintf(f->said + len, sizeof(f->said) - len, "%s%s%s ", msg_type_name(m.type),
		 m.type == MSG_STATS ? ":" : "",
		 m.type == MSG_STATS ? msg_phase_name(m.report.phase) : "");
	if (m.type == MSG_STATS) {
		f->requests[m.report.phase] += m.report.stats->total.num_requests;
		f->reported_users = m.report.counts.items[0].users;
		assert_int_equal(m.report.counts.count, 2);
		f->number = m.report.number;
		if (f->test != m.report.test)
			f->requests_of_test = 0;
		f->requests_of_test += m.report.stats->total.num_requests;
		f->test = m.report.test;
	}
	if (m.type == MSG_HEARTBEAT)
		snprintf(f->heartbeat_state, sizeof(f->heartbeat_state), "%.*s%s%.*s",
			 STR_ARG(m.heartbeat.state), m.heartbeat.cicada.len ? " of " : "",
			 STR_ARG(m.heartbeat.cicada));
	if (m.type == MSG_CLIENT_READY)
		assert_true(msg_version_at_least(m.client_ready.version, 2, 46));
	msg_fini(&m);
	return true;
}

static void on_open_bulk(void *arg, unsigned port)
{
	((struct fixture *)arg)->bulk_port = port;
}

static bool take_bulk_frame(void *arg, struct str frame)
{
	struct fixture *f = arg;

	if (f->is_bulk_closed)
		return false;
	snprintf(f->said + strlen(f->said), sizeof(f->said) - strlen(f->said), "bulk:");
	return take_frame(f, frame);
}

static void on_reconnect(void *arg)
{
	((struct fixture *)arg)->reconnects++;
}

static void on_ended(void *arg, enum err err, const struct err_text *text)
{
	struct fixture *f = arg;

	f->ends++;
	f->end_err = err;
	assert_true(err == OK || text->text[0]);
}

static void expect_said(struct fixture *f, const char *wanted)
{
	assert_string_equal(f->said, wanted);
	f->said[0] = '\0';
}

static void hear(struct fixture *f, const struct msg *m)
{
	struct msg copy = *m;
	struct buf frame;

	copy.node_id = str_of("h_1");
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&copy, &frame);
	worker_on_frame(f->worker, buf_str(&frame), f->now_us);
	buf_fini(&frame);
}

static void hear_plain(struct fixture *f, enum msg_type type)
{
	hear(f, &(struct msg){ .type = type });
}

static void hear_spawn(struct fixture *f, uint64_t alphas, uint64_t betas)
{
	struct msg_count counts[] = { { str_of("Alpha"), alphas }, { str_of("Beta"), betas } };
	struct msg m = { .type = MSG_SPAWN };

	m.spawn = (struct msg_spawn){ .timestamp = f->timestamp += 1,
				      .test = f->spawn_test,
				      .counts = { counts, 2 },
				      .host = str_of("http://t"),
				      .stop_timeout_s = 2 };
	hear(f, &m);
}

/* The load's answer to every collect(): `requests` in the first, none in the others. */
static void answer(struct fixture *f, unsigned requests)
{
	while (f->collects) {
		struct stats delta;

		f->collects--;
		stats_init(&delta, NOW_S);
		for (; requests; requests--)
			stats_record(
				&delta, stats_entry(&delta, str_of("GET"), str_of("/"), NOW_S),
				&(struct stats_request){ .service_us = 1000, .content_bytes = 1 },
				NOW_S);
		worker_on_delta(f->worker, &delta, f->users, f->now_us);
		stats_fini(&delta);
	}
}

static void settle(struct fixture *f)
{
	memcpy(f->users, f->wanted, sizeof(f->users));
	worker_on_settled(f->worker, f->now_us);
}

/* Ticks when due until `us` later. */
static void pass(struct fixture *f, uint64_t us)
{
	uint64_t until_us = f->now_us + us;

	while (worker_due_us(f->worker) <= until_us) {
		f->now_us =
			worker_due_us(f->worker) > f->now_us ? worker_due_us(f->worker) : f->now_us;
		worker_tick(f->worker, f->now_us);
		f->now_us++;
	}
	f->now_us = until_us;
}

static int open_fixture(void **state)
{
	static const char *const classes[] = { "Alpha", "Beta" };
	static const struct worker_load_ops ops = { set_users, begin_test, set_tasks, set_host,
						    collect };
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	struct worker_options options = { .id = "h_1",
					  .classes = classes,
					  .class_count = 2,
					  .ops = &ops,
					  .load = f,
					  .send = take_frame,
					  .open_bulk = on_open_bulk,
					  .send_bulk = take_bulk_frame,
					  .reconnect = on_reconnect,
					  .ended = on_ended,
					  .arg = f };

	f->now_us = CLOCK_S;
	f->timestamp = NOW_S;
	f->worker = worker_create(&options, f->now_us);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	worker_destroy(&f->worker);
	mem_free(f);
	return 0;
}

/* As far as all users running, the first report and heartbeat out of the way. */
static void run_users(struct fixture *f)
{
	worker_tick(f->worker, f->now_us);
	hear_plain(f, MSG_ACK);
	answer(f, 0);
	hear_spawn(f, 3, 1);
	answer(f, 0);
	settle(f);
	answer(f, 5);
	hear(f, &(struct msg){ .type = MSG_SPAWNING_COMPLETE,
			       .spawning_complete = { .user_count = 4 } });
	answer(f, 7);
	f->said[0] = '\0';
}

static void it_introduces_itself_until_it_is_heard(void **state)
{
	struct fixture *f = *state;

	worker_tick(f->worker, f->now_us);
	expect_said(f, "client_ready ");
	pass(f, 11 * CLOCK_S);
	expect_said(f, "client_ready client_ready ");
	hear_plain(f, MSG_ACK);
	expect_said(f, "heartbeat ");
	answer(f, 0);
	expect_said(f, "stats:ramp ");
	pass(f, 3 * CLOCK_S + 1000);
	answer(f, 0);
	expect_said(f, "heartbeat heartbeat heartbeat stats:ramp ");
	pass(f, 20 * CLOCK_S);
	assert_null(strstr(f->said, "client_ready"));
	assert_string_equal(f->heartbeat_state, "ready");
}

static void count_failures(void *arg, struct str line)
{
	*(unsigned *)arg +=
		memmem(line.p, line.len, "Failed to connect to master, retry ", 35) != NULL;
}

/* A pod whose log says nothing is no help to who looks for the reason. */
static void that_nobody_hears_it_is_said(void **state)
{
	struct fixture *f = *state;
	unsigned failures = 0;

	log_set_level(LOG_WARNING);
	pass(f, 14 * CLOCK_S);
	log_kept_each(count_failures, &failures);
	assert_int_equal(failures, 0);
	pass(f, 7 * CLOCK_S);
	log_kept_each(count_failures, &failures);
	log_set_level(LOG_CRITICAL);
	assert_int_equal(failures, 2);
}

static void late_turns_do_not_put_heartbeats_off(void **state)
{
	struct fixture *f = *state;
	uint64_t start_us = f->now_us;

	worker_tick(f->worker, f->now_us);
	hear_plain(f, MSG_ACK);
	answer(f, 0);
	for (unsigned i = 1; i <= 2; i++) {
		f->now_us = start_us + i * CLOCK_S + 100 * CLOCK_MS;
		worker_tick(f->worker, f->now_us);
		assert_int_equal(worker_due_us(f->worker), start_us + (i + 1) * CLOCK_S);
	}
	f->said[0] = '\0';
	f->now_us = start_us + 10 * CLOCK_S;
	worker_tick(f->worker, f->now_us);
	answer(f, 0);
	expect_said(f, "heartbeat stats:ramp ");
	assert_int_equal(worker_due_us(f->worker), f->now_us + CLOCK_S);
}

static void it_gives_up_after_five_minutes(void **state)
{
	struct fixture *f = *state;

	pass(f, 304 * CLOCK_S);
	assert_int_equal(f->ends, 0);
	pass(f, 8 * CLOCK_S);
	settle(f);
	answer(f, 0);
	pass(f, CLOCK_S);
	assert_int_equal(f->ends, 1);
	assert_int_equal(f->end_err, ERR_TIMEOUT);
	assert_true(worker_due_us(f->worker) == UINT64_MAX);
}

static void a_spawn_is_answered_when_the_users_are_there(void **state)
{
	struct fixture *f = *state;

	worker_tick(f->worker, f->now_us);
	hear_plain(f, MSG_ACK);
	answer(f, 9); /* of nobody: before the test */
	f->said[0] = '\0';
	memset(f->requests, 0, sizeof(f->requests));
	hear_spawn(f, 3, 1);
	expect_said(f, "spawning ");
	assert_int_equal(f->wanted[0], 3);
	assert_int_equal(f->wanted[1], 1);
	assert_string_equal(f->host, "http://t");
	assert_true(f->stop_timeout_s == 2);
	answer(f, 4); /* left over from the last test: not reported */
	expect_said(f, "");
	settle(f);
	expect_said(f, "");
	answer(f, 5);
	expect_said(f, "stats:ramp spawning_complete ");
	assert_int_equal(f->requests[MSG_PHASE_RAMP], 5);
	assert_int_equal(f->reported_users, 3);
}

static void an_outdated_spawn_is_dropped(void **state)
{
	struct fixture *f = *state;
	unsigned calls;

	run_users(f);
	calls = f->set_calls;
	f->timestamp -= 1;
	hear_spawn(f, 100, 100);
	expect_said(f, "spawning ");
	assert_int_equal(f->set_calls, calls);
	hear_spawn(f, 4, 1);
	assert_int_equal(f->set_calls, calls + 1);
}

static void classes_not_named_keep_their_number(void **state)
{
	struct fixture *f = *state;
	struct msg_count counts[] = { { str_of("Beta"), 2 }, { str_of("Gamma"), 5 } };
	struct msg m = { .type = MSG_SPAWN };

	run_users(f);
	m.spawn = (struct msg_spawn){ .timestamp = f->timestamp + 1,
				      .counts = { counts, 2 },
				      .host = str_of("") };
	hear(f, &m);
	assert_int_equal(f->wanted[0], 3);
	assert_int_equal(f->wanted[1], 2);
	assert_string_equal(f->host, "none");
}

static void only_the_last_of_several_spawns_is_confirmed(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	hear_spawn(f, 5, 1);
	settle(f); /* its collect is on the way when the next spawn comes */
	hear_spawn(f, 6, 1);
	answer(f, 0);
	assert_null(strstr(f->said, "spawning_complete"));
	settle(f);
	answer(f, 0);
	assert_non_null(strstr(f->said, "spawning_complete"));
	assert_int_equal(f->reported_users, 6);
}

/* Each change of phase collects first: requests are reported in the phase they were made in. */
static void phases_are_kept_apart(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	assert_int_equal(f->requests[MSG_PHASE_RAMP], 12);
	assert_int_equal(f->requests[MSG_PHASE_TEST], 0);
	pass(f, 3 * CLOCK_S);
	answer(f, 20);
	assert_int_equal(f->requests[MSG_PHASE_TEST], 20);
	hear_spawn(f, 8, 8);
	answer(f, 3);
	assert_int_equal(f->requests[MSG_PHASE_TEST], 23);
	settle(f);
	answer(f, 2);
	assert_int_equal(f->requests[MSG_PHASE_RAMP], 14);
	hear_plain(f, MSG_SPAWNING_COMPLETE);
	answer(f, 1);
	assert_int_equal(f->requests[MSG_PHASE_RAMP], 15);
	hear_plain(f, MSG_STOP);
	answer(f, 4);
	assert_int_equal(f->requests[MSG_PHASE_TEST], 27);
	settle(f);
	answer(f, 6);
	assert_int_equal(f->requests[MSG_PHASE_DRAIN], 6);
}

static void stop_ends_with_the_last_statistics(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	hear_plain(f, MSG_STOP);
	assert_int_equal(f->wanted[0] + f->wanted[1], 0);
	expect_said(f, "");
	answer(f, 4);
	expect_said(f, "stats:test ");
	/* A master that goes on at once is answered after client_ready. */
	hear_spawn(f, 9, 9);
	expect_said(f, "");
	settle(f);
	answer(f, 6);
	expect_said(f, "stats:drain client_stopped client_ready ");
	hear_plain(f, MSG_ACK);
	f->timestamp -= 1000; /* a new master with another clock */
	hear_spawn(f, 9, 9);
	expect_said(f, "spawning ");
	assert_int_equal(f->wanted[0], 9);
}

static void stop_without_users_is_answered_too(void **state)
{
	struct fixture *f = *state;

	worker_tick(f->worker, f->now_us);
	hear_plain(f, MSG_ACK);
	answer(f, 0);
	f->said[0] = '\0';
	hear_plain(f, MSG_STOP);
	settle(f);
	answer(f, 0);
	expect_said(f, "stats:drain client_stopped client_ready ");
}

static void a_load_that_does_not_stop_is_not_waited_for(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	hear_plain(f, MSG_STOP);
	pass(f, 6 * CLOCK_S);
	assert_null(strstr(f->said, "client_stopped"));
	pass(f, 2 * CLOCK_S);
	assert_non_null(strstr(f->said, "client_stopped client_ready"));
}

static void quit_says_goodbye_after_the_statistics(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	hear_plain(f, MSG_QUIT);
	settle(f);
	answer(f, 6);
	expect_said(f, "stats:test stats:drain quit ");
	assert_int_equal(f->ends, 1);
	assert_int_equal(f->end_err, OK);
	/* Nothing more, whatever comes. */
	hear_spawn(f, 1, 1);
	pass(f, 10 * CLOCK_S);
	expect_said(f, "");
}

static void a_signal_ends_it_in_order(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	worker_quit(f->worker, f->now_us);
	worker_quit(f->worker, f->now_us);
	assert_int_equal(f->ends, 0);
	settle(f);
	answer(f, 1);
	assert_non_null(strstr(f->said, "quit "));
	assert_int_equal(f->ends, 1);
}

static void without_a_master_a_signal_ends_it_at_once(void **state)
{
	struct fixture *f = *state;

	f->is_full = true;
	pass(f, CLOCK_S);
	worker_quit(f->worker, f->now_us);
	settle(f);
	answer(f, 0);
	assert_int_equal(f->ends, 1);
}

static void a_full_queue_loses_no_statistics(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	f->is_full = true;
	for (int i = 0; i < 5; i++) {
		pass(f, 3 * CLOCK_S);
		answer(f, 10);
	}
	hear_plain(f, MSG_STOP);
	answer(f, 10);
	settle(f);
	answer(f, 3);
	expect_said(f, "");
	f->is_full = false;
	pass(f, CLOCK_S);
	assert_int_equal(f->requests[MSG_PHASE_TEST], 60);
	assert_int_equal(f->requests[MSG_PHASE_DRAIN], 3);
	/* And their order against client_stopped. */
	assert_non_null(strstr(f->said, "stats:drain client_stopped client_ready"));
}

/* Under a master of ours with a second port: as far as the first report of the ramp. */
static void run_users_for_ours(struct fixture *f)
{
	worker_tick(f->worker, f->now_us);
	hear(f, &(struct msg){ .type = MSG_ACK, .ack = { .is_ours = true, .bulk_port = 5558 } });
	assert_int_equal(f->bulk_port, 5558);
	assert_int_equal(f->collects, 0);
	assert_string_equal(f->heartbeat_state, "ready of " CICADA_VERSION);
	f->spawn_test = 77;
	hear_spawn(f, 3, 1);
	answer(f, 0);
	settle(f);
	f->said[0] = '\0';
	answer(f, 5);
}

static void hear_report_ack(struct fixture *f, uint64_t number)
{
	hear(f, &(struct msg){ .type = MSG_REPORT_ACK,
			       .report_ack = { .stream = f->number.stream, .number = number } });
}

/* Those that were made meanwhile come then. */
static void hear_all_report_acks(struct fixture *f)
{
	uint64_t number;

	do {
		number = f->number.number;
		hear_report_ack(f, number);
	} while (f->number.number != number);
}

static void our_master_gets_reports_by_its_second_port(void **state)
{
	struct fixture *f = *state;

	run_users_for_ours(f);
	expect_said(f, "bulk:stats:ramp ");
	assert_int_equal(f->number.number, 1);
	assert_int_equal(f->test, 77);
	/* What comes after a report waits until it is there, and so does the next report. */
	pass(f, CLOCK_S);
	answer(f, 1);
	expect_said(f, "heartbeat ");
	hear(f,
	     &(struct msg){ .type = MSG_REPORT_ACK, .report_ack = { .stream = 1, .number = 1 } });
	hear_report_ack(f, 2); /* of no report */
	expect_said(f, "");
	hear_report_ack(f, 1);
	expect_said(f, "bulk:stats:ramp ");
	assert_int_equal(f->number.first, 2);
	hear_report_ack(f, 2);
	expect_said(f, "spawning_complete ");
	hear_plain(f, MSG_STOP);
	settle(f);
	answer(f, 4);
	expect_said(f, "bulk:stats:ramp ");
	hear_report_ack(f, 3);
	expect_said(f, "bulk:stats:drain ");
	hear_report_ack(f, 4);
	expect_said(f, "client_stopped client_ready ");
}

/* A new master may know it by an old client_ready while it has users of the last test. */
static void a_spawn_of_another_test_begins_it(void **state)
{
	struct fixture *f = *state;

	run_users_for_ours(f);
	hear_report_ack(f, 1);
	pass(f, CLOCK_S);
	answer(f, 9); /* of the old test: 9, and 4 when the new one begins */
	f->spawn_test = 78;
	hear_spawn(f, 2, 2);
	answer(f, 4);
	settle(f);
	answer(f, 3);
	hear_all_report_acks(f);
	assert_int_equal(f->test, 78);
	assert_int_equal(f->requests_of_test, 3);
}

static void without_a_way_to_the_second_port_reports_take_the_first(void **state)
{
	struct fixture *f = *state;

	run_users_for_ours(f);
	/* An answer that is lost: again, by the first port, under the same number. */
	f->said[0] = '\0';
	pass(f, 2 * CLOCK_S);
	assert_null(strstr(f->said, "stats"));
	pass(f, 2 * CLOCK_S);
	assert_non_null(strstr(f->said, " stats:ramp"));
	assert_int_equal(f->number.number, 1);
	answer(f, 2);
	f->said[0] = '\0';
	/* For a while the others go that way at once. */
	hear_all_report_acks(f);
	assert_non_null(strstr(f->said, "stats:ramp"));
	assert_null(strstr(f->said, "bulk"));
	pass(f, 11 * CLOCK_S);
	f->is_bulk_closed = true;
	f->said[0] = '\0';
	answer(f, 2);
	assert_null(strstr(f->said, "stats"));
	pass(f, 4 * CLOCK_S);
	assert_non_null(strstr(f->said, " stats:ramp"));
	hear_all_report_acks(f);
	f->is_bulk_closed = false;
	pass(f, 11 * CLOCK_S);
	f->said[0] = '\0';
	answer(f, 2);
	assert_string_equal(f->said, "bulk:stats:ramp ");
	/* The first one was sent twice. */
	assert_int_equal(f->requests[MSG_PHASE_RAMP], 5 + 5 + 3 * 2);
}

static void a_master_that_fell_silent_is_looked_for_again(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	/* Masters before 2.19 never send a heartbeat, so their silence means nothing. */
	pass(f, 120 * CLOCK_S);
	assert_int_equal(f->wanted[0], 3);
	hear_plain(f, MSG_HEARTBEAT);
	pass(f, 59 * CLOCK_S);
	assert_int_equal(f->wanted[0], 3);
	pass(f, 3 * CLOCK_S);
	assert_int_equal(f->wanted[0], 0);
	settle(f);
	while (f->collects)
		answer(f, 0);
	f->said[0] = '\0';
	pass(f, 6 * CLOCK_S);
	/* Neither heartbeats nor statistics of a test that nobody drives. */
	expect_said(f, "client_ready ");
	hear_plain(f, MSG_ACK);
	expect_said(f, "heartbeat ");
	hear_spawn(f, 2, 0);
	assert_int_equal(f->wanted[0], 2);
	assert_int_equal(f->ends, 0);
}

static void exceptions_are_sent_within_a_limit(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	worker_on_exception(f->worker, str_of("early"), str_of(""));
	expect_said(f, "");
	run_users(f);
	for (int i = 0; i < 10 * LIMIT_WORKER_EXCEPTIONS; i++) {
		worker_on_exception(f->worker, str_of("m"), str_of("t"));
		count += f->said[0] != '\0';
		f->said[0] = '\0';
	}
	assert_int_equal(count, LIMIT_WORKER_EXCEPTIONS);
	pass(f, 2 * CLOCK_S);
	f->said[0] = '\0';
	worker_on_exception(f->worker, str_of("m"), str_of("t"));
	expect_said(f, "exception ");
}

static void logs_are_sent_to_who_understands_them(void **state)
{
	struct fixture *f = *state;
	const struct str lines = { "one\0", 4 };

	assert_false(worker_send_logs(f->worker, lines));
	run_users(f);
	f->said[0] = '\0';
	assert_false(worker_send_logs(f->worker, lines)); /* may be older than 2.19 */
	expect_said(f, "");
	hear_plain(f, MSG_HEARTBEAT);
	assert_true(worker_send_logs(f->worker, lines));
	expect_said(f, "logs ");
}

static void bad_and_unknown_frames_are_harmless(void **state)
{
	struct fixture *f = *state;

	run_users(f);
	worker_on_frame(f->worker, str_of("\xc1"), f->now_us);
	worker_on_frame(f->worker, str_of(""), f->now_us);
	assert_int_equal(worker_bad_frames(f->worker), 2);
	hear(f, &(struct msg){ .type = MSG_UNKNOWN, .type_name = str_of("update_user_class") });
	assert_int_equal(worker_bad_frames(f->worker), 2);
	hear_plain(f, MSG_RECONNECT);
	assert_int_equal(f->reconnects, 1);
	expect_said(f, "");
}

/* Which of how many it is, once for each test. */
static void the_load_hears_of_each_new_test(void **state)
{
	static const struct opt_texts tags = { { "read" }, 1 };
	struct msg_count counts[] = { { str_of("Alpha"), 1 } };
	struct msg ack = { .type = MSG_ACK, .ack = { .index = 2 } };
	struct msg spawn = { .type = MSG_SPAWN };
	struct fixture *f = *state;

	worker_tick(f->worker, f->now_us);
	hear_spawn(f, 1, 0); /* of a master that has not said who we are */
	assert_string_equal(f->begun, "-1/0 ");
	hear(f, &ack);
	for (int test = 0; test < 2; test++) {
		hear_plain(f, MSG_STOP);
		worker_on_settled(f->worker, f->now_us);
		f->wanted[0] = f->users[0] = 0;
		answer(f, 0);
		for (int step = 0; step < 2; step++) {
			spawn.spawn = (struct msg_spawn){ .timestamp = f->timestamp += 1,
							  .counts = { counts, 1 },
							  .host = str_of(""),
							  .expect_workers = 4,
							  .tags = test ? &tags : NULL };
			hear(f, &spawn);
		}
	}
	assert_string_equal(f->begun, "-1/0 2/4 2/4read ");
}

/* As POST /user at the master has it; what is only the master's is passed over. */
static void host_and_tasks_of_a_class_are_changed(void **state)
{
	struct str names[] = { str_of("write"), str_of("read") };
	struct msg m = { .type = MSG_UPDATE_USER_CLASS };
	struct fixture *f = *state;

	m.user_class = (struct msg_user_class){
		.name = str_of("Beta"), .has_tasks = true, .tasks = names, .task_count = 2
	};
	hear(f, &m);
	assert_string_equal(f->tasks, "1:write read ");
	assert_string_equal(f->class_host, "");
	m.user_class.host = str_of("http://other:81");
	hear(f, &m);
	assert_string_equal(f->class_host, "1:http://other:81");
	m.user_class.name = str_of("Gamma");
	m.user_class.host = str_of("http://gamma");
	hear(f, &m);
	assert_string_equal(f->class_host, "1:http://other:81");
	m.user_class =
		(struct msg_user_class){ .name = str_of("Alpha"), .has_weight = true, .weight = 7 };
	hear(f, &m);
	assert_string_equal(f->tasks, "1:write read ");
	assert_int_equal(f->set_calls, 0);
	assert_int_equal(worker_bad_frames(f->worker), 0);
}

#define WORKER_TEST(fn) cmocka_unit_test_setup_teardown(fn, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(host_and_tasks_of_a_class_are_changed),
		WORKER_TEST(the_load_hears_of_each_new_test),
		WORKER_TEST(it_introduces_itself_until_it_is_heard),
		WORKER_TEST(that_nobody_hears_it_is_said),
		WORKER_TEST(late_turns_do_not_put_heartbeats_off),
		WORKER_TEST(it_gives_up_after_five_minutes),
		WORKER_TEST(a_spawn_is_answered_when_the_users_are_there),
		WORKER_TEST(an_outdated_spawn_is_dropped),
		WORKER_TEST(classes_not_named_keep_their_number),
		WORKER_TEST(only_the_last_of_several_spawns_is_confirmed),
		WORKER_TEST(phases_are_kept_apart),
		WORKER_TEST(stop_ends_with_the_last_statistics),
		WORKER_TEST(stop_without_users_is_answered_too),
		WORKER_TEST(a_load_that_does_not_stop_is_not_waited_for),
		WORKER_TEST(quit_says_goodbye_after_the_statistics),
		WORKER_TEST(a_signal_ends_it_in_order),
		WORKER_TEST(without_a_master_a_signal_ends_it_at_once),
		WORKER_TEST(a_full_queue_loses_no_statistics),
		WORKER_TEST(our_master_gets_reports_by_its_second_port),
		WORKER_TEST(a_spawn_of_another_test_begins_it),
		WORKER_TEST(without_a_way_to_the_second_port_reports_take_the_first),
		WORKER_TEST(a_master_that_fell_silent_is_looked_for_again),
		WORKER_TEST(exceptions_are_sent_within_a_limit),
		WORKER_TEST(logs_are_sent_to_who_understands_them),
		WORKER_TEST(bad_and_unknown_frames_are_harmless),
	};

	log_set_level(LOG_CRITICAL);
	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
