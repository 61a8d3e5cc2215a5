/* SPDX-License-Identifier: MIT
 *
 * fuzz_msg - any frame, given to the reader and to a master and a worker in the middle of a
 * test. What is read can be written and read again; sums hold; time goes on. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/listener.h"
#include "base/opt.h"
#include "cluster/master.h"
#include "cluster/msg.h"
#include "cluster/msg_scan.h"
#include "cluster/worker.h"

#define NOW_S 1800000000.0

static void check_entry(const struct stats_entry *e)
{
	FUZZ_CHECK(e->num_requests - e->num_none_requests == stats_timed(e) + e->rounded.count);
	FUZZ_CHECK(strlen(e->name) <= LIMIT_STAT_NAME_BYTES);
	for (size_t i = 0; i < STATS_OUTCOMES; i++)
		FUZZ_CHECK(e->responses[i].count <= e->times[i].count);
}

static void check_message(const struct msg *m)
{
	struct err_text why = { 0 };
	struct msg whole = *m; /* with what only our own programs send */
	struct map_entry *slot;
	struct buf frame;
	struct msg again;

	if (m->type == MSG_STATS) {
		whole.report.have_times = true;
		check_entry(&m->report.stats->total);
		for (size_t i = 0; (slot = map_next(&m->report.stats->entries, &i));)
			check_entry(slot->value);
	}
	buf_init(&frame, 4 * LIMIT_MESSAGE_BYTES);
	msg_encode(&whole, &frame);
	FUZZ_CHECK(!frame.is_full);
	FUZZ_CHECK(msg_decode(buf_str(&frame), NOW_S, &again, &why) == OK);
	FUZZ_CHECK(again.type == m->type);
	if (m->type == MSG_STATS) {
		FUZZ_CHECK(again.report.stats->total.num_requests ==
			   m->report.stats->total.num_requests);
		FUZZ_CHECK(again.report.stats->health.lag.count ==
			   m->report.stats->health.lag.count);
	}
	msg_fini(&again);
	buf_fini(&frame);
}

/* --- a master in a test with one worker -------------------------------------------------- */

static bool take_to_worker(void *arg, const char *id, struct str frame)
{
	(void)arg;
	FUZZ_CHECK(*id && frame.len);
	return true;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void say(struct master *m, struct msg *msg, uint64_t now_us)
{
	struct buf frame;

	msg->node_id = str_of("h_1");
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(msg, &frame);
	master_on_frame(m, str_of("h_1"), buf_str(&frame), now_us);
	buf_fini(&frame);
}

/* What a locustfile is given is msgpack, whatever came. */
static void hear_custom(void *arg, struct str from, struct str type, struct str data)
{
	(void)arg;
	FUZZ_CHECK(from.len && str_is_utf8(type));
	FUZZ_CHECK(msg_scan(data, NULL) == OK);
}

static void hear_report(void *arg, struct str from, struct str data)
{
	hear_custom(arg, from, from, data);
}

static void hear_spawn(void *arg, struct str data)
{
	hear_report(arg, str_of("master"), data);
}

static const struct cluster_listener listener = { .on_custom = hear_custom,
						  .on_spawn = hear_spawn,
						  .on_report = hear_report };

static void try_master(struct str frame)
{
	static const struct run_class class = { .name = "Alpha", .weight = 1 };
	static const struct run_options run = { .classes = &class, .class_count = 1 };
	const struct master_options options = { .run = &run,
						.wall_offset_s = NOW_S,
						.send = take_to_worker,
						.due_changed = nothing,
						.ended = nothing,
						.listener = &listener };
	const struct run_start start = { .user_count = 3, .spawn_rate = 10 };
	struct master *m = master_create(&options, CLOCK_S);
	uint64_t now_us = CLOCK_S;

	say(m, &(struct msg){ .type = MSG_CLIENT_READY, .client_ready = { str_of("2.46.6") } },
	    now_us);
	FUZZ_CHECK(run_start(master_run(m), &start, NULL) == OK);
	master_tick(m, now_us);
	say(m, &(struct msg){ .type = MSG_SPAWNING }, now_us);
	for (int i = 0; i < 4; i++) {
		now_us += 500 * CLOCK_MS;
		master_on_frame(m, str_of(i % 2 ? "h_1" : "stranger"), frame, now_us);
		master_on_bulk_frame(m, str_of(i % 2 ? "h_1" : "stranger"), frame, now_us);
		FUZZ_CHECK(master_due_us(m) <= now_us + CLOCK_S);
		master_tick(m, now_us);
	}
	/* Whatever came, the test can be stopped and stands still in time. */
	FUZZ_CHECK(run_stop(master_run(m), NULL, NULL) == OK);
	for (int i = 0; i < 20; i++)
		master_tick(m, now_us += 500 * CLOCK_MS);
	FUZZ_CHECK(master_run(m)->state == RUN_STOPPED || master_run(m)->state == RUN_READY);
	master_destroy(&m);
}

/* --- a worker with users ----------------------------------------------------------------- */

struct load {
	uint64_t users;
	unsigned collects;
	bool is_settling;
};

static void set_users(void *arg, const uint64_t *counts, const char *host, double stop_timeout_s)
{
	struct load *load = arg;

	FUZZ_CHECK(counts[0] <= LIMIT_USERS && stop_timeout_s >= 0);
	FUZZ_CHECK(!host || *host);
	load->users = counts[0];
	load->is_settling = true;
}

static void check_words(const struct opt_texts *words)
{
	for (size_t i = 0; words && i < words->count; i++)
		FUZZ_CHECK(str_is_utf8(str_of(words->value[i])));
}

static void begin_test(void *arg, const struct worker_test *test)
{
	(void)arg;
	FUZZ_CHECK(test->index >= -1 && test->expect_workers <= LIMIT_WORKERS);
	check_words(test->tags);
	check_words(test->exclude_tags);
}

static void set_tasks(void *arg, size_t class_index, const struct str *names, size_t count)
{
	(void)arg;
	FUZZ_CHECK(class_index == 0);
	for (size_t i = 0; i < count; i++)
		FUZZ_CHECK(str_is_utf8(names[i]));
}

static void set_host(void *arg, size_t class_index, const char *host)
{
	(void)arg;
	FUZZ_CHECK(class_index == 0 && *host && str_is_utf8(str_of(host)));
}

static void collect(void *arg)
{
	((struct load *)arg)->collects++;
}

static bool take_to_master(void *arg, struct str frame)
{
	struct msg m;

	(void)arg;
	/* A real master ends its receive loop on anything else. */
	FUZZ_CHECK(msg_decode(frame, NOW_S, &m, NULL) == OK && m.type != MSG_UNKNOWN);
	msg_fini(&m);
	return true;
}

static void ignore_port(void *arg, unsigned port)
{
	(void)arg;
	FUZZ_CHECK(port && port <= 65535);
}

static void on_ended(void *arg, enum err err, const struct err_text *text)
{
	(void)arg;
	(void)err;
	(void)text;
}

static void answer(struct worker *w, struct load *load, uint64_t now_us)
{
	struct stats delta;

	if (load->is_settling) {
		load->is_settling = false;
		worker_on_settled(w, now_us);
	}
	stats_init(&delta, NOW_S);
	stats_record(&delta, stats_entry(&delta, str_of("GET"), str_of("/"), NOW_S),
		     &(struct stats_request){ .service_us = 1, .content_bytes = 1 }, NOW_S);
	while (load->collects) {
		load->collects--;
		worker_on_delta(w, &delta, &load->users, now_us);
	}
	stats_fini(&delta);
}

static void try_worker(struct str frame)
{
	static const char *const classes[] = { "Alpha" };
	static const struct worker_load_ops ops = { set_users, begin_test, set_tasks, set_host,
						    collect };
	static const char ack[] = "\x93\xa3"
				  "ack\x81\xa5index\x00\xa3h_1";
	struct load load = { 0 };
	const struct worker_options options = { .id = "h_1",
						.classes = classes,
						.class_count = 1,
						.ops = &ops,
						.load = &load,
						.send = take_to_master,
						.open_bulk = ignore_port,
						.send_bulk = take_to_master,
						.reconnect = nothing,
						.ended = on_ended,
						.listener = &listener };
	struct worker *w = worker_create(&options, CLOCK_S);
	uint64_t now_us = CLOCK_S;

	worker_tick(w, now_us);
	worker_on_frame(w, (struct str){ ack, sizeof(ack) - 1 }, now_us);
	for (int i = 0; i < 4; i++) {
		now_us += 500 * CLOCK_MS;
		worker_on_frame(w, frame, now_us);
		answer(w, &load, now_us);
		worker_tick(w, now_us);
	}
	worker_quit(w, now_us);
	for (int i = 0; i < 4; i++) {
		answer(w, &load, now_us);
		worker_tick(w, now_us += CLOCK_S);
	}
	FUZZ_CHECK(worker_due_us(w) == UINT64_MAX);
	worker_destroy(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct str frame = { bytes, len };
	struct err_text why = { 0 };
	struct msg m;

	log_set_level(LOG_CRITICAL);
	if (msg_decode(frame, NOW_S, &m, &why) == OK) {
		check_message(&m);
		msg_fini(&m);
	} else {
		FUZZ_CHECK(why.text[0]);
	}
	try_master(frame);
	try_worker(frame);
	free(bytes);
	return 0;
}
