/* SPDX-License-Identifier: MIT
 *
 * msg: frames of real Locust peers are understood, what we write is what they understand, and
 * what is malformed is dropped with a reason. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/opt.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cluster/msg.h"

#define NOW_S 1800000000.0

/* The frame in tests/vectors/locust, decoded; both to be released by close_vector(). */
static struct buf vector;

static struct msg open_vector(const char *name)
{
	char path[512];
	struct err_text text = { 0 };
	struct msg m;

	snprintf(path, sizeof(path), "%s/locust/%s.bin", TEST_VECTORS, name);
	buf_init(&vector, 65536);
	if (file_read(path, &vector, &text))
		fail_msg("%s", text.text);
	if (msg_decode(buf_str(&vector), NOW_S, &m, &text))
		fail_msg("%s: %s", name, text.text);
	return m;
}

static void close_vector(struct msg *m)
{
	msg_fini(m);
	buf_fini(&vector);
}

static const struct {
	const char *name;
	enum msg_type type;
} types[] = {
	{ "2.12.1-w2m_client_ready", MSG_CLIENT_READY },
	{ "2.12.1-w2m_heartbeat", MSG_HEARTBEAT },
	{ "2.12.1-w2m_spawning", MSG_SPAWNING },
	{ "2.12.1-w2m_spawning_complete", MSG_SPAWNING_COMPLETE },
	{ "2.12.1-w2m_client_stopped", MSG_CLIENT_STOPPED },
	{ "2.12.1-w2m_exception", MSG_EXCEPTION },
	{ "2.12.1-w2m_quit", MSG_QUIT },
	{ "2.12.1-w2m_my_custom", MSG_UNKNOWN },
	{ "2.12.1-m2w_ack", MSG_ACK },
	{ "2.12.1-m2w_spawn", MSG_SPAWN },
	{ "2.12.1-m2w_stop", MSG_STOP },
	{ "2.12.1-m2w_quit", MSG_QUIT },
	{ "2.46.6-w2m_client_ready", MSG_CLIENT_READY },
	{ "2.46.6-w2m_heartbeat", MSG_HEARTBEAT },
	{ "2.46.6-w2m_spawning", MSG_SPAWNING },
	{ "2.46.6-w2m_spawning_complete", MSG_SPAWNING_COMPLETE },
	{ "2.46.6-w2m_client_stopped", MSG_CLIENT_STOPPED },
	{ "2.46.6-w2m_exception", MSG_EXCEPTION },
	{ "2.46.6-w2m_quit", MSG_QUIT },
	{ "2.46.6-w2m_my_custom", MSG_UNKNOWN },
	{ "2.46.6-w2m_locustfile", MSG_LOCUSTFILE },
	{ "2.46.6-m2w_locustfile", MSG_LOCUSTFILE },
	{ "2.46.6-w2m_logs", MSG_LOGS },
	{ "2.46.6-m2w_ack", MSG_ACK },
	{ "2.46.6-m2w_heartbeat", MSG_HEARTBEAT },
	{ "2.46.6-m2w_spawn", MSG_SPAWN },
	{ "2.46.6-m2w_spawning_complete", MSG_SPAWNING_COMPLETE },
	{ "2.46.6-m2w_update_user_class", MSG_UPDATE_USER_CLASS },
	{ "2.46.6-m2w_stop", MSG_STOP },
	{ "2.46.6-m2w_quit", MSG_QUIT },
};

static void every_real_message_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct msg m = open_vector(types[i].name);

		if (m.type != types[i].type)
			fail_msg("%s was read as type %d", types[i].name, (int)m.type);
		assert_memory_equal(m.node_id.p, "vm_", 3);
		assert_int_equal(m.node_id.len, m.type == MSG_LOCUSTFILE ? 55 : 35);
		close_vector(&m);
	}
}

static void a_real_locustfile_is_read(void **state)
{
	struct msg m = open_vector("2.46.6-w2m_locustfile");

	(void)state;
	assert_false(m.locustfile.is_native);
	assert_int_equal(m.locustfile.file_count, 0);
	close_vector(&m);
	m = open_vector("2.46.6-m2w_locustfile");
	assert_int_equal(m.locustfile.file_count, 1);
	assert_true(str_eq(m.locustfile.files[0].name, "lf_basic.py"));
	assert_true(m.locustfile.files[0].contents.len > 1000);
	assert_int_equal(m.locustfile.error.len, 0);
	close_vector(&m);
}

static void real_fields_are_read(void **state)
{
	struct msg m = open_vector("2.12.1-w2m_client_ready");

	(void)state;
	assert_true(str_eq(m.client_ready.version, "2.12.1"));
	close_vector(&m);
	m = open_vector("2.46.6-m2w_ack");
	assert_int_equal(m.ack.index, 0);
	close_vector(&m);
	m = open_vector("2.12.1-w2m_heartbeat");
	assert_true(str_eq(m.heartbeat.state, "ready"));
	assert_int_equal(m.heartbeat.memory_bytes, 56840192);
	close_vector(&m);
	m = open_vector("2.46.6-m2w_spawning_complete");
	assert_int_equal(m.spawning_complete.user_count, 9);
	assert_int_equal(m.spawning_complete.counts.count, 0);
	close_vector(&m);
	m = open_vector("2.46.6-w2m_exception");
	assert_true(str_eq(m.exception.msg, "user exception <b>x</b>"));
	assert_true(m.exception.traceback.len > 100);
	close_vector(&m);
}

static void log_lines_are_read_and_written(void **state)
{
	struct msg m = open_vector("2.46.6-w2m_logs"), written = { .type = MSG_LOGS };
	struct buf frame;

	(void)state;
	assert_non_null(strstr(m.logs.lines.p, "INFO/locust"));
	assert_int_equal(m.logs.lines.p[m.logs.lines.len - 1], '\0');
	buf_init(&frame, 65536);
	written.node_id = m.node_id;
	written.logs = m.logs;
	msg_encode(&written, &frame);
	/* Byte for byte what a worker of 2.46.6 sent. */
	assert_int_equal(frame.len, vector.len);
	assert_memory_equal(frame.p, vector.p, vector.len);
	close_vector(&m);
	/* Text that is none is repaired. */
	buf_clear(&frame);
	written.node_id = str_of("a_1");
	written.logs.lines = (struct str){ "one\0t\xffo\0", 8 };
	msg_encode(&written, &frame);
	assert_int_equal(msg_decode(buf_str(&frame), NOW_S, &m, NULL), OK);
	assert_int_equal(m.logs.lines.len, 4 + 6);
	assert_string_equal(m.logs.lines.p, "one");
	assert_string_equal(m.logs.lines.p + 4, "t\xef\xbf\xbdo");
	msg_fini(&m);
	buf_fini(&frame);
}

static void only_the_newest_log_lines_are_kept(void **state)
{
	struct msg m, written = { .type = MSG_LOGS, .node_id = str_of("a_1") };
	struct buf frame, lines;

	(void)state;
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	buf_init(&lines, LIMIT_MESSAGE_BYTES);
	for (int i = 0; i < 3 * LIMIT_LOG_LINES; i++)
		buf_printf(&lines, "%d%c", i, '\0');
	written.logs.lines = buf_str(&lines);
	msg_encode(&written, &frame);
	assert_int_equal(msg_decode(buf_str(&frame), NOW_S, &m, NULL), OK);
	assert_string_equal(m.logs.lines.p, "1000");
	assert_string_equal(m.logs.lines.p + m.logs.lines.len - 5, "1499");
	msg_fini(&m);
	/* By bytes, too. */
	buf_clear(&frame);
	buf_clear(&lines);
	for (int i = 0; i < 3; i++)
		buf_printf(&lines, "%0*d%c", LIMIT_WORKER_LOG_BYTES / 2 - 1, i, '\0');
	written.logs.lines = buf_str(&lines);
	msg_encode(&written, &frame);
	assert_int_equal(msg_decode(buf_str(&frame), NOW_S, &m, NULL), OK);
	assert_int_equal(m.logs.lines.len, LIMIT_WORKER_LOG_BYTES);
	msg_fini(&m);
	buf_fini(&frame);
	buf_fini(&lines);
}

static void real_spawns_are_read(void **state)
{
	static const char *const names[] = { "2.12.1-m2w_spawn", "2.46.6-m2w_spawn" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct msg m = open_vector(names[i]);

		assert_int_equal(m.spawn.counts.count, 3);
		assert_true(str_eq(m.spawn.counts.items[0].name, "Alpha"));
		assert_int_equal(m.spawn.counts.items[0].users, 1);
		assert_int_equal(m.spawn.counts.items[1].users, 0);
		assert_true(str_eq(m.spawn.host, "http://127.0.0.1:18080"));
		assert_true(m.spawn.timestamp > 1795468877);
		/* nil in the older one. */
		assert_true(m.spawn.stop_timeout_s == 0);
		close_vector(&m);
	}
}

static uint64_t bucket(const struct stats_entry *e, double ms)
{
	for (size_t i = 0; i < e->rounded.used; i++)
		if (e->rounded.buckets[i].ms == ms)
			return e->rounded.buckets[i].count;
	return 0;
}

static void a_real_report_is_read_to_the_last_count(void **state)
{
	struct msg m = open_vector("2.12.1-w2m_stats_2");
	struct stats_entry *e;
	struct stats stats;

	(void)state;
	assert_int_equal(m.report.phase, MSG_PHASE_NONE);
	assert_int_equal(m.report.counts.items[0].users, 2);
	stats_init(&stats, NOW_S);
	stats_merge(&stats, m.report.stats);
	assert_int_equal(stats.total.num_requests, 6);
	assert_int_equal(stats.total.num_none_requests, 1);
	assert_int_equal(stats.total.total_content_length, 52);
	assert_int_equal(bucket(&stats.total, 190), 1); /* came as 190.0 */
	assert_int_equal(bucket(&stats.total, 2), 3);
	assert_int_equal(stats.entries.count, 4);
	e = stats_entry(&stats, str_of("custom"), str_of("none-rt"), NOW_S);
	assert_int_equal(e->num_none_requests, 1);
	assert_true(e->min_response_time_ms != e->min_response_time_ms);
	e = stats_entry(&stats, str_of("GET"), str_of("/slow"), NOW_S);
	assert_true(e->total_response_time_ms == 192.17476599988004);
	assert_true(e->last_request_timestamp == 1795468878.1007483);
	assert_int_equal(e->seconds[1795468878 % STATS_SECONDS].requests, 1);
	close_vector(&m);

	m = open_vector("2.46.6-w2m_stats_2");
	assert_int_equal(m.report.stats->errors.count, 1);
	assert_int_equal(m.report.stats->total.num_failures, 1);
	stats_merge(&stats, m.report.stats);
	assert_int_equal(stats.total.num_requests, 11);
	stats_fini(&stats);
	close_vector(&m);

	m = open_vector("2.12.1-w2m_stats");
	assert_int_equal(m.report.stats->total.num_requests, 0);
	close_vector(&m);
}

/* --- malformed frames: the probes that end the receive loop of a real master ------------- */

struct bytes {
	const char *what;
	const char *p;
	size_t len;
};
#define BYTES(what, literal) \
	{ \
		what, literal, sizeof(literal) - 1 \
	}

static const struct bytes malformed[] = {
	BYTES("nothing", ""),
	BYTES("no msgpack", "\xc1"),
	BYTES("http", "GET / HTTP/1.1\r\n\r\n"),
	BYTES("two elements", "\x92\xa4quit\xc0"),
	BYTES("four elements", "\x94\xa4quit\xc0\xa1n\xc0"),
	BYTES("cut off", "\x93\xa4quit\xc0"),
	BYTES("cut off in text", "\x93\xa9qu"),
	BYTES("bytes behind it", "\x93\xa4quit\xc0\xa1n\xc0"),
	BYTES("text that is no UTF-8", "\x93\xa4qui\xff\xc0\xa1n"),
	BYTES("a number", "\x2a"),
	BYTES("a map", "\x81\xa4quit\xc0"),
	BYTES("type is no text", "\x93\x01\xc0\xa1n"),
	BYTES("node id is no text", "\x93\xa4quit\xc0\x01"),
	BYTES("ext type", "\x93\xa4quit\xd4\x01\x01\xa1n"),
	BYTES("array that claims 4 G elements", "\x93\xa4quit\xdd\xff\xff\xff\xff\xa1n"),
	BYTES("map that claims 4 G pairs", "\x93\xa4quit\xdf\xff\xff\xff\xff\xa1n"),
	BYTES("text that claims 4 GB", "\x93\xdb\xff\xff\xff\xffquit\xc0\xa1n"),
	BYTES("too deep", "\x93\xa4quit\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
			  "\x91\xc0\xa1n"),
	BYTES("client_ready nil", "\x93\xac"
				  "client_ready\xc0\xa1n"),
	BYTES("client_ready 5", "\x93\xac"
				"client_ready\x05\xa1n"),
	BYTES("stats without data", "\x93\xa5stats\xc0\xa1n"),
	BYTES("stats without keys", "\x93\xa5stats\x80\xa1n"),
	BYTES("stats is a number", "\x93\xa5stats\x84\xa5stats\x01\xabstats_total\x80\xa6"
				   "errors\x80\xb2user_classes_count\x80\xa1n"),
	BYTES("an entry without name", "\x93\xa5stats\x84\xa5stats\x91\x80\xabstats_total\x80\xa6"
				       "errors\x80\xb2user_classes_count\x80\xa1n"),
	BYTES("a negative count",
	      "\x93\xa5stats\x84\xa5stats\x90\xabstats_total\x81\xacnum_requests\xff\xa6"
	      "errors\x80\xb2user_classes_count\x80\xa1n"),
	BYTES("half a request",
	      "\x93\xa5stats\x84\xa5stats\x90\xabstats_total\x81\xacnum_requests\xca\x3f\x00\x00"
	      "\x00\xa6"
	      "errors\x80\xb2user_classes_count\x80\xa1n"),
	BYTES("a count that is not a number",
	      "\x93\xa5stats\x84\xa5stats\x90\xabstats_total\x81\xacnum_requests\xca\x7f\xc0\x00"
	      "\x00\xa6"
	      "errors\x80\xb2user_classes_count\x80\xa1n"),
	BYTES("more times than requests",
	      "\x93\xa5stats\x84\xa5stats\x90\xabstats_total\x81\xaeresponse_times\x81\x05\x01\xa6"
	      "errors\x80\xb2user_classes_count\x80\xa1n"),
	BYTES("spawn without counts", "\x93\xa5spawn\x80\xa1n"),
	BYTES("spawn of text", "\x93\xa5spawn\x81\xb2user_classes_count\x81\xa1"
			       "A\xa1"
			       "B\xa1n"),
};

static void what_is_malformed_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct err_text text = { 0 };
		/* A copy, so that ASan sees a read behind it. */
		char *copy = mem_strndup(malformed[i].p, malformed[i].len);
		struct msg m;

		if (msg_decode((struct str){ copy, malformed[i].len }, NOW_S, &m, &text) == OK)
			fail_msg("%s was taken", malformed[i].what);
		assert_true(text.text[0]);
		mem_free(copy);
	}
}

static void every_prefix_of_a_real_message_is_refused(void **state)
{
	struct msg m = open_vector("2.46.6-w2m_stats_2"), part;

	(void)state;
	msg_fini(&m);
	for (size_t len = 0; len < vector.len; len++) {
		char *copy = mem_strndup(vector.p, len);

		assert_int_equal(msg_decode((struct str){ copy, len }, NOW_S, &part, NULL),
				 ERR_BAD_INPUT);
		mem_free(copy);
	}
	buf_fini(&vector);
}

static void a_frame_beyond_the_limit_is_refused(void **state)
{
	size_t len = LIMIT_MESSAGE_BYTES + 1;
	char *bytes = mem_zalloc(1, len);
	struct msg m;

	(void)state;
	assert_int_equal(msg_decode((struct str){ bytes, len }, NOW_S, &m, NULL), ERR_TOO_BIG);
	/* Within it, but a hundred megabytes when unpacked. */
	memcpy(bytes, "\x93\xa4quit\xdd\x00\xff\xff\xf0", 11);
	assert_int_equal(msg_decode((struct str){ bytes, len - 1 }, NOW_S, &m, NULL), ERR_TOO_BIG);
	mem_free(bytes);
}

static void what_versions_differ_in_is_taken(void **state)
{
	static const char foreign[] = "\x93\xac"
				      "client_ready\xff\xa1n";
	static const char debian[] = "\x93\xac"
				     "client_ready\xa0\xa1n";
	/* Text as bytes, an integer as a float, a float32, keys nobody knows. */
	static const char odd[] = "\x93\xc4\x09heartbeat\x83\xa5state\xa7running\xb4"
				  "current_memory_usage\xcb\x40\x59\x00\x00\x00\x00\x00\x00\x05\x90"
				  "\xa1n";
	struct msg m;

	(void)state;
	assert_int_equal(msg_decode((struct str){ foreign, sizeof(foreign) - 1 }, 0, &m, NULL), OK);
	assert_true(m.client_ready.is_foreign);
	msg_fini(&m);
	assert_int_equal(msg_decode((struct str){ debian, sizeof(debian) - 1 }, 0, &m, NULL), OK);
	assert_int_equal(m.client_ready.version.len, 0);
	msg_fini(&m);
	assert_int_equal(msg_decode((struct str){ odd, sizeof(odd) - 1 }, 0, &m, NULL), OK);
	assert_int_equal(m.type, MSG_HEARTBEAT);
	assert_int_equal(m.heartbeat.memory_bytes, 100);
	msg_fini(&m);
}

static void versions_are_compared_as_numbers(void **state)
{
	(void)state;
	assert_true(msg_version_at_least(str_of("2.46.6"), 2, 29));
	assert_true(msg_version_at_least(str_of("2.29"), 2, 29));
	assert_true(msg_version_at_least(str_of("3.0.0"), 2, 29));
	assert_false(msg_version_at_least(str_of("2.9.9"), 2, 29));
	assert_false(msg_version_at_least(str_of("2.12.1"), 2, 19));
	assert_false(msg_version_at_least(str_of(""), 0, 0));
	assert_false(msg_version_at_least(str_of("2"), 0, 0));
	assert_false(msg_version_at_least(str_of("2."), 0, 0));
	assert_false(msg_version_at_least(str_of("new"), 0, 0));
}

/* --- what we write ----------------------------------------------------------------------- */

static struct msg round_trip(const struct msg *m, struct buf *frame)
{
	struct err_text text = { 0 };
	struct msg out;

	buf_init(frame, LIMIT_MESSAGE_BYTES);
	msg_encode(m, frame);
	assert_false(frame->is_full);
	if (msg_decode(buf_str(frame), NOW_S, &out, &text))
		fail_msg("%s", text.text);
	assert_int_equal(out.type, m->type);
	return out;
}

/* The bytes of the capture in reference section 1.4. */
static void an_ack_is_written_as_locust_does(void **state)
{
	struct msg m = open_vector("2.46.6-m2w_ack");
	struct buf frame;

	(void)state;
	buf_init(&frame, 4096);
	msg_encode(&m, &frame);
	assert_int_equal(frame.len, vector.len);
	assert_memory_equal(frame.p, vector.p, frame.len);
	buf_fini(&frame);
	close_vector(&m);
}

static void our_ack_asks_for_full_resolution(void **state)
{
	struct msg m = { .type = MSG_ACK,
			 .node_id = str_of("h_1"),
			 .ack = { .index = 3, .is_ours = true, .bulk_port = 5558 } },
		   got;
	struct buf frame;

	(void)state;
	got = round_trip(&m, &frame);
	assert_int_equal(got.ack.index, 3);
	assert_true(got.ack.is_ours && got.ack.bulk_port == 5558);
	msg_fini(&got);
	buf_fini(&frame);
	m = open_vector("2.46.6-m2w_ack");
	assert_false(m.ack.is_ours);
	close_vector(&m);
}

/* Reading a real message and writing it again gives the same bytes, for those types where we
 * keep all there is. */
static void real_messages_are_written_back_alike(void **state)
{
	static const char *const names[] = {
		"2.12.1-w2m_client_ready",   "2.12.1-w2m_heartbeat",
		"2.12.1-w2m_spawning",	     "2.12.1-w2m_spawning_complete",
		"2.12.1-w2m_client_stopped", "2.12.1-w2m_exception",
		"2.12.1-m2w_stop",	     "2.46.6-w2m_spawning_complete",
		"2.46.6-m2w_heartbeat",	     "2.46.6-m2w_spawning_complete",
		"2.46.6-w2m_exception",	     "2.46.6-w2m_quit",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct msg m = open_vector(names[i]);
		struct buf frame;

		buf_init(&frame, 4096);
		msg_encode(&m, &frame);
		if (frame.len != vector.len || memcmp(frame.p, vector.p, frame.len))
			fail_msg("%s is written differently", names[i]);
		buf_fini(&frame);
		close_vector(&m);
	}
}

static void a_report_survives_the_wire(void **state)
{
	struct msg_count counts[] = { { str_of("Alpha"), 7 } };
	struct msg m = { .type = MSG_STATS, .node_id = str_of("h_1") }, got;
	struct stats stats;
	struct buf frame;

	(void)state;
	stats_init(&stats, NOW_S);
	stats_record(&stats, stats_entry(&stats, str_of("GET"), str_of("/a"), NOW_S),
		     &(struct stats_request){ .service_us = 152300, .content_bytes = 10 }, NOW_S);
	stats_record(&stats, stats_entry(&stats, str_of("POST"), str_of("/b"), NOW_S),
		     &(struct stats_request){ .service_us = 900,
					      .content_bytes = 5,
					      .error = "broken \xff text",
					      .outcome = STATS_HTTP_ERROR },
		     NOW_S + 1);
	m.report = (struct msg_report){ .stats = &stats,
					.counts = { counts, 1 },
					.phase = MSG_PHASE_TEST };
	got = round_trip(&m, &frame);
	assert_int_equal(got.report.phase, MSG_PHASE_TEST);
	assert_int_equal(got.report.counts.items[0].users, 7);
	assert_int_equal(got.report.stats->total.num_requests, 2);
	assert_int_equal(got.report.stats->total.num_failures, 1);
	assert_int_equal(got.report.stats->total.rounded.count, 2);
	assert_int_equal(bucket(&got.report.stats->total, 150), 1);
	assert_int_equal(bucket(&got.report.stats->total, 1), 1);
	assert_int_equal(got.report.stats->errors.count, 1);
	assert_false(msg_report_more(&m.report));
	msg_fini(&got);
	buf_fini(&frame);
	stats_fini(&stats);
}

/* Between our own programs a percentile keeps its three digits; others never see the key. */
static void our_own_reports_keep_full_resolution(void **state)
{
	struct msg m = { .type = MSG_STATS, .node_id = str_of("h_1") }, got;
	struct stats stats;
	struct stats_entry *e;
	struct buf frame;

	(void)state;
	stats_init(&stats, NOW_S);
	e = stats_entry(&stats, str_of("GET"), str_of("/a"), NOW_S);
	for (uint64_t us = 1; us <= 100000; us += 7)
		stats_record(&stats, e,
			     &(struct stats_request){ .service_us = us, .content_bytes = 1 },
			     NOW_S);
	m.report = (struct msg_report){ .stats = &stats };
	got = round_trip(&m, &frame);
	assert_null(memmem(frame.p, frame.len, "times_us", strlen("times_us")));
	assert_int_equal(stats_timed(&got.report.stats->total), 0);
	msg_fini(&got);
	buf_fini(&frame);

	m.report.have_times = true;
	got = round_trip(&m, &frame);
	assert_int_equal(stats_timed(&got.report.stats->total), stats.total.num_requests);
	assert_int_equal(got.report.stats->total.rounded.count, 0);
	assert_int_equal(got.report.stats->total.num_none_requests, 0);
	for (double share = 0; share <= 1; share += 0.001)
		assert_int_equal(hist_set_percentile_us(got.report.stats->total.times,
							STATS_OUTCOMES, share),
				 hist_set_percentile_us(stats.total.times, STATS_OUTCOMES, share));
	msg_fini(&got);
	buf_fini(&frame);
	stats_fini(&stats);
}

static struct stats health_stats;

/* A report of health_stats alone. */
static struct msg health_report(bool have_times)
{
	return (struct msg){ .type = MSG_STATS,
			     .node_id = str_of("h_1"),
			     .report = { .stats = &health_stats, .have_times = have_times } };
}

static void expect_bad_health(const char *why)
{
	struct msg m = health_report(true), got;
	struct err_text text = { 0 };
	struct buf frame;

	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&m, &frame);
	assert_int_equal(msg_decode(buf_str(&frame), NOW_S, &got, &text), ERR_BAD_INPUT);
	if (!strstr(text.text, why))
		fail_msg("'%s' is not in '%s'", why, text.text);
	buf_fini(&frame);
	stats_reset(&health_stats, NOW_S);
}

static void our_own_reports_say_how_the_generator_is(void **state)
{
	struct msg m = health_report(true), got;
	const struct health *h;
	struct buf frame;

	(void)state;
	stats_init(&health_stats, NOW_S);
	health_stats.health = (struct health){ .lag_max_us = 70123,
					       .spans = 3,
					       .cpu_percent_max = 97.5,
					       .late_us = 4000000,
					       .busy_us = 5000000,
					       .opened = 9,
					       .closed = 8,
					       .failed = 7,
					       .dropped = 6,
					       .waits = 12,
					       .waited_us = 18000000 };
	for (uint64_t us = 1; us < 70000; us += 11)
		hist_add(&health_stats.health.lag, us, 2);
	got = round_trip(&m, &frame);
	h = &got.report.stats->health;
	assert_int_equal(h->lag.count, health_stats.health.lag.count);
	assert_int_equal(health_lag_p99_us(h), health_lag_p99_us(&health_stats.health));
	assert_int_equal(h->lag_max_us, 70123);
	assert_int_equal(h->spans, 3);
	assert_true(h->cpu_percent_max == 97.5);
	assert_int_equal(h->late_us, 4000000);
	assert_int_equal(h->busy_us, 5000000);
	assert_int_equal(h->opened * 1000 + h->closed * 100 + h->failed * 10 + h->dropped, 9876);
	assert_int_equal(h->waits, 12);
	assert_int_equal(h->waited_us, 18000000);
	msg_fini(&got);
	buf_fini(&frame);
	/* Users that are to wait for a year must not cost the report. */
	health_stats.health.waited_us = 3 * LIMIT_MESSAGE_COUNT;
	got = round_trip(&m, &frame);
	assert_int_equal(got.report.stats->health.waited_us, LIMIT_MESSAGE_COUNT);
	msg_fini(&got);
	buf_fini(&frame);
	/* Foreign masters never see the key. */
	m = health_report(false);
	got = round_trip(&m, &frame);
	assert_null(memmem(frame.p, frame.len, "generator", strlen("generator")));
	assert_false(health_is_known(&got.report.stats->health));
	msg_fini(&got);
	buf_fini(&frame);
	stats_fini(&health_stats);
}

static void what_is_malformed_in_the_generator_is_named(void **state)
{
	static const double bad_cpus[] = { -1, 1e6, INFINITY, NAN };
	struct health *h = &health_stats.health;

	(void)state;
	stats_init(&health_stats, NOW_S);
	for (size_t i = 0; i < sizeof(bad_cpus) / sizeof(bad_cpus[0]); i++) {
		h->cpu_percent_max = bad_cpus[i];
		expect_bad_health("cpu_percent_max");
	}
	hist_add(&h->lag, 5, LIMIT_MESSAGE_COUNT + 1);
	expect_bad_health("lag_us");
	hist_add(&h->lag, 5, LIMIT_MESSAGE_COUNT);
	hist_add(&h->lag, 6, 1);
	expect_bad_health("lag_us");
	h->lag_max_us = UINT64_MAX;
	expect_bad_health("lag_max_us");
	h->opened = LIMIT_MESSAGE_COUNT * 2;
	expect_bad_health("opened");
	h->dropped = LIMIT_MESSAGE_COUNT * 2;
	expect_bad_health("dropped");
	stats_fini(&health_stats);
}

/* A report that waited for long has more buckets than a message may take: rounded times then. */
static void too_many_buckets_fall_back_to_rounded_times(void **state)
{
	struct msg m = { .type = MSG_STATS, .node_id = str_of("h_1") }, got;
	struct stats stats;
	struct buf frame;
	uint64_t counted = 0;

	(void)state;
	stats_init(&stats, NOW_S);
	for (int i = 0; i < 2 * LIMIT_MESSAGE_BUCKETS / 10000; i++) {
		char name[32];
		struct stats_entry *e;

		snprintf(name, sizeof(name), "/%d", i);
		e = stats_entry(&stats, str_of("GET"), str_of(name), NOW_S);
		for (uint64_t bucket = 0; bucket < 10000; bucket++)
			stats_record(&stats, e,
				     &(struct stats_request){
					     .service_us = bucket < 2048
								   ? bucket
								   : (1024 + bucket % 1024)
									     << (bucket / 1024 - 1),
					     .content_bytes = 1 },
				     NOW_S);
	}
	m.report = (struct msg_report){ .stats = &stats, .have_times = true };
	got = round_trip(&m, &frame);
	assert_true(frame.len < LIMIT_MESSAGE_BYTES / 2);
	for (size_t i = 0; i < got.report.stats->entries.used; i++) {
		const struct stats_entry *e = got.report.stats->entries.entries[i].value;

		assert_int_equal(stats_timed(e) + e->rounded.count, 10000);
		counted += stats_timed(e);
	}
	assert_in_range(counted, LIMIT_MESSAGE_BUCKETS / 2, LIMIT_MESSAGE_BUCKETS);
	msg_fini(&got);
	buf_fini(&frame);
	stats_fini(&stats);
}

static void a_large_report_goes_in_parts(void **state)
{
	struct msg m = { .type = MSG_STATS, .node_id = str_of("h_1") };
	struct stats stats, sum;
	size_t parts = 0;

	(void)state;
	stats_init(&stats, NOW_S);
	stats_init(&sum, NOW_S);
	for (int i = 0; i < 3 * MSG_REPORT_ROWS + 1; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/%d", i);
		stats_record(&stats, stats_entry(&stats, str_of("GET"), str_of(name), NOW_S),
			     &(struct stats_request){ .service_us = 1000,
						      .content_bytes = 1,
						      .error = name,
						      .outcome = STATS_HTTP_ERROR },
			     NOW_S);
	}
	m.report = (struct msg_report){ .stats = &stats };
	do {
		struct buf frame;
		struct msg part = round_trip(&m, &frame);

		assert_true(part.report.stats->entries.count <= MSG_REPORT_ROWS);
		stats_merge(&sum, part.report.stats);
		msg_fini(&part);
		buf_fini(&frame);
		parts++;
	} while (msg_report_more(&m.report));
	assert_int_equal(parts, 4);
	assert_int_equal(sum.total.num_requests, stats.total.num_requests);
	assert_int_equal(sum.entries.count, stats.entries.count);
	assert_int_equal(sum.errors.count, stats.errors.count);
	stats_fini(&stats);
	stats_fini(&sum);
}

static void a_spawn_has_all_five_keys(void **state)
{
	static const char *const keys[] = { "timestamp", "user_classes_count", "host",
					    "stop_timeout", "parsed_options" };
	struct msg_count counts[] = { { str_of("Alpha"), 3 }, { str_of("Beta"), 0 } };
	struct msg m = { .type = MSG_SPAWN, .node_id = str_of("h_1") }, got;
	struct buf frame;

	(void)state;
	m.spawn = (struct msg_spawn){ .timestamp = NOW_S,
				      .counts = { counts, 2 },
				      .host = str_of(""),
				      .stop_timeout_s = 1.5,
				      .expect_workers = 4 };
	got = round_trip(&m, &frame);
	assert_int_equal(got.spawn.expect_workers, 4);
	for (size_t i = 0; i < 5; i++)
		assert_non_null(memmem(frame.p, frame.len, keys[i], strlen(keys[i])));
	assert_true(got.spawn.timestamp == NOW_S && got.spawn.stop_timeout_s == 1.5);
	assert_int_equal(got.spawn.counts.count, 2);
	msg_fini(&got);
	buf_fini(&frame);
}

static void expect_words(const struct opt_texts *got, const struct opt_texts *wanted)
{
	if (!wanted || !wanted->count) {
		assert_null(got);
		return;
	}
	assert_int_equal(got->count, wanted->count);
	for (size_t i = 0; i < got->count; i++)
		assert_string_equal(got->value[i], wanted->value[i]);
}

static void expect_options(const struct msg_spawn *spawn, const char *packed, size_t len)
{
	static const char key[] = "\xaeparsed_options";
	struct msg m = { .type = MSG_SPAWN, .node_id = str_of("h_1"), .spawn = *spawn }, got;
	struct buf frame;
	const char *at;

	got = round_trip(&m, &frame);
	expect_words(got.spawn.tags, spawn->tags);
	expect_words(got.spawn.exclude_tags, spawn->exclude_tags);
	at = memmem(frame.p, frame.len, key, sizeof(key) - 1);
	assert_non_null(at);
	at += sizeof(key) - 1;
	assert_true(at + len < frame.p + frame.len);
	assert_memory_equal(at, packed, len);
	msg_fini(&got);
	buf_fini(&frame);
}

#define PACKED(bytes) (bytes), sizeof(bytes) - 1

static void a_spawn_has_the_options_that_locusts_workers_take(void **state)
{
	static const struct opt_texts none, tags = { { "a", "bc" }, 2 }, not = { { "d" }, 1 };

	(void)state;
	expect_options(&(struct msg_spawn){ .timestamp = NOW_S, .tags = &none }, PACKED("\x80"));
	expect_options(&(struct msg_spawn){ .timestamp = NOW_S,
					    .host = str_of("http://h"),
					    .expect_workers = 2,
					    .tags = &tags,
					    .exclude_tags = &not },
		       PACKED("\x84\xa4host\xa8http://h\xae"
			      "expect_workers\x02"
			      "\xa4tags\x92\xa1"
			      "a\xa2"
			      "bc\xac"
			      "exclude_tags\x91\xa1"
			      "d"));
}

/* To the byte what Locust 2.46 has sent. */
static void a_changed_class_is_written_as_locust_does(void **state)
{
	struct msg m = open_vector("2.46.6-m2w_update_user_class");
	struct buf frame;

	(void)state;
	assert_true(str_eq(m.user_class.name, "Alpha"));
	assert_true(m.user_class.has_weight);
	assert_true(m.user_class.weight == 5);
	assert_false(m.user_class.has_fixed_count);
	assert_false(m.user_class.has_tasks);
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&m, &frame);
	assert_int_equal(frame.len, vector.len);
	assert_memory_equal(frame.p, vector.p, vector.len);
	buf_fini(&frame);
	close_vector(&m);
}

static void all_of_a_changed_class_comes_through(void **state)
{
	struct str names[] = { str_of("index"), str_of("search") };
	struct msg m = { .type = MSG_UPDATE_USER_CLASS, .node_id = str_of("h_1") }, again;
	struct buf frame;

	(void)state;
	m.user_class = (struct msg_user_class){ .name = str_of("Beta"),
						.host = str_of("http://b:8"),
						.has_weight = true,
						.weight = 0.25,
						.has_fixed_count = true,
						.fixed_count = 9,
						.has_tasks = true,
						.tasks = names,
						.task_count = 2 };
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&m, &frame);
	assert_int_equal(msg_decode(buf_str(&frame), NOW_S, &again, NULL), OK);
	assert_true(again.user_class.weight == 0.25);
	assert_true(str_eq(again.user_class.host, "http://b:8"));
	assert_int_equal(again.user_class.fixed_count, 9);
	assert_int_equal(again.user_class.task_count, 2);
	assert_true(str_eq(again.user_class.tasks[1], "search"));
	msg_fini(&again);
	buf_fini(&frame);
}

static enum err read_changed_class(const char *data, size_t len, struct msg *out,
				   struct err_text *text)
{
	struct buf frame;
	enum err err;

	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	buf_add_text(&frame, "\x93\xb1update_user_class");
	buf_add(&frame, data, len);
	buf_add_text(&frame, "\xa3h_1");
	err = msg_decode(buf_str(&frame), NOW_S, out, text);
	buf_fini(&frame);
	return err;
}

/* POST /user of Locust takes anything for an attribute, and its master sends that on. */
static void odd_changes_of_a_class(void **state)
{
	static const char odd[] = "\x84\xafuser_class_name\xa1"
				  "B\xa6weight\xa1"
				  "3\xab"
				  "fixed_count\xff\xa4host\x07";
	static const char no_list[] = "\x82\xafuser_class_name\xa1"
				      "B\xa5tasks\xa1x";
	static const char no_name[] = "\x82\xafuser_class_name\xa1"
				      "B\xa5tasks\x91\x01";
	struct err_text text = { 0 };
	struct msg m;

	(void)state;
	assert_int_equal(read_changed_class(odd, sizeof(odd) - 1, &m, &text), OK);
	assert_false(m.user_class.has_weight || m.user_class.has_fixed_count);
	assert_int_equal(m.user_class.host.len, 0);
	msg_fini(&m);
	assert_int_equal(read_changed_class(no_list, sizeof(no_list) - 1, &m, &text),
			 ERR_BAD_INPUT);
	assert_non_null(strstr(text.text, "tasks"));
	assert_int_equal(read_changed_class(no_name, sizeof(no_name) - 1, &m, &text),
			 ERR_BAD_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_real_message_is_known),
		cmocka_unit_test(a_real_locustfile_is_read),
		cmocka_unit_test(real_fields_are_read),
		cmocka_unit_test(a_changed_class_is_written_as_locust_does),
		cmocka_unit_test(all_of_a_changed_class_comes_through),
		cmocka_unit_test(odd_changes_of_a_class),
		cmocka_unit_test(log_lines_are_read_and_written),
		cmocka_unit_test(only_the_newest_log_lines_are_kept),
		cmocka_unit_test(real_spawns_are_read),
		cmocka_unit_test(a_real_report_is_read_to_the_last_count),
		cmocka_unit_test(what_is_malformed_is_named),
		cmocka_unit_test(every_prefix_of_a_real_message_is_refused),
		cmocka_unit_test(a_frame_beyond_the_limit_is_refused),
		cmocka_unit_test(what_versions_differ_in_is_taken),
		cmocka_unit_test(versions_are_compared_as_numbers),
		cmocka_unit_test(an_ack_is_written_as_locust_does),
		cmocka_unit_test(our_ack_asks_for_full_resolution),
		cmocka_unit_test(real_messages_are_written_back_alike),
		cmocka_unit_test(a_report_survives_the_wire),
		cmocka_unit_test(our_own_reports_keep_full_resolution),
		cmocka_unit_test(our_own_reports_say_how_the_generator_is),
		cmocka_unit_test(what_is_malformed_in_the_generator_is_named),
		cmocka_unit_test(too_many_buckets_fall_back_to_rounded_times),
		cmocka_unit_test(a_large_report_goes_in_parts),
		cmocka_unit_test(a_spawn_has_all_five_keys),
		cmocka_unit_test(a_spawn_has_the_options_that_locusts_workers_take),
	};

	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
