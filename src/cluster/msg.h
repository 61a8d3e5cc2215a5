/* SPDX-License-Identifier: MIT
 *
 * msg - Locust's messages (2.12 to 2.46) as msgpack, both ways. Hostile bytes end here.
 *
 * A frame is one array [type, data, node_id]. Reading is generous where versions of Locust
 * differ (integers as floats, float map keys, nil, unknown keys, bytes for text) and strict
 * where a number would be wrong: a frame is taken whole or not at all. Writing is what every
 * version understands; what only Cicada knows travels in extra keys, which Locust ignores.
 *
 * One struct for both directions: what msg_decode() fills, msg_encode() writes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "stat/stats.h"

struct opt_texts;

enum msg_type {
	MSG_UNKNOWN, /* well formed, but not for us: custom ones */
#define MSG(name, word) MSG_##name,
#include "cluster/msg.def"
#undef MSG
	MSG_TYPE_COUNT
};

/* Keys and values of a map that has others, too: msgpack, one after the other. */
struct msg_pairs {
	struct str bytes;
	size_t count; /* of keys */
};

/* Users per class. */
struct msg_count {
	struct str name;
	uint64_t users;
};

struct msg_counts {
	const struct msg_count *items;
	size_t count; /* at most LIMIT_USER_CLASSES */
};

/* When the requests of a report were made, as the worker saw it. Only our workers say so (key
 * "phase"); the master's measured window is made of MSG_PHASE_TEST and of what foreign
 * workers report. */
enum msg_phase {
	MSG_PHASE_NONE,	 /* a foreign worker */
	MSG_PHASE_RAMP,	 /* before the master said that all users are running */
	MSG_PHASE_TEST,	 /* since then */
	MSG_PHASE_DRAIN, /* after stop */
	MSG_PHASE_COUNT
};

/* worker -> master: data is the version ("" from Debian's 2.12.1), or -1: foreign worker. */
struct msg_client_ready {
	struct str version;
	bool is_foreign;
};

/* master -> worker. */
struct msg_ack {
	int64_t index; /* -1: none, masters up to 2.10.2 */
	/* Our master (key "bulk_port"): reports shall be numbered and have_times. */
	bool is_ours;
	uint64_t bulk_port; /* where it wants them; 0: it has no second port */
};

/* worker -> master; the master's own heartbeat has no data: state.len is 0. */
struct msg_heartbeat {
	struct str state;
	double cpu_percent;
	uint64_t memory_bytes;
	struct str cicada; /* our worker, to our master: its version (key "cicada"); else "" */
};

/* master -> worker. */
struct msg_spawn {
	double timestamp; /* unix seconds, strictly increasing per worker */
	uint64_t test;	  /* our master: which test it is (key "test"); 0: unknown */
	struct msg_counts counts;
	struct str host; /* len 0: none */
	double stop_timeout_s;
	/* parsed_options, what a worker takes of its master's; 0, NULL, empty: not said. */
	uint64_t expect_workers;
	const struct opt_texts *tags, *exclude_tags;
	struct msg_pairs own_options; /* when writing: those that a locustfile has added */
};

/* master -> worker, from 2.25 on: what POST /user was given. What it does not have stays. */
struct msg_user_class {
	struct str name;
	struct str host; /* len 0: not given */
	bool has_weight, has_fixed_count, has_tasks;
	double weight;
	uint64_t fixed_count;
	const struct str *tasks; /* names of those that users draw */
	size_t task_count;	 /* at most LIMIT_USER_TASKS */
};

/* worker -> master: its counts. master -> worker: only the total. */
struct msg_spawning_complete {
	struct msg_counts counts;
	uint64_t user_count;
};

/* Where a report stands among those of its worker, so that each is counted once although it
 * may come twice, or by another port than the one before. What the worker numbers from 1 on is
 * one stream; a worker process has a stream of its own. */
struct msg_number {
	uint64_t stream;
	uint64_t number; /* 0: not numbered, a foreign worker */
	uint64_t first;	 /* the worker has no use any more for answers to those before it */
};

/* worker -> master: what was counted since its last report. The entries and errors from *_at
 * on, at most MSG_REPORT_ROWS of each, are written; the total only when both are 0. So a
 * large report goes as several messages (see msg_report_more).
 * Locust's response_times have whole milliseconds and two digits. With have_times every entry
 * that was measured by us also has "times_us", which is read instead: an array with a map
 * {microseconds: count} of the hist's buckets for each of enum stats_outcome, in its order. Where
 * requests were scheduled there is "responses_us", likewise. Beyond LIMIT_MESSAGE_BUCKETS or
 * LIMIT_MESSAGE_SLABS in a message both are left out. With have_times the first part also has
 * "generator", a map of what struct health holds. */
struct msg_report {
	const struct stats *stats;
	bool have_times;	      /* when writing */
	size_t entries_at, errors_at; /* when writing; in struct map's order */
	struct msg_counts counts;
	enum msg_phase phase;
	struct msg_number number;
	uint64_t test;		/* of msg_spawn */
	struct msg_pairs extra; /* when writing: what a locustfile adds */
};

/* worker -> master. */
struct msg_exception {
	struct str msg, traceback;
};

/* Without contents the name is a URL. */
struct msg_file {
	struct str name, contents;
};

/* worker -> master, nothing but is_native: what shall I run? master -> worker: files, or why not.
 * Read are the forms of all versions since 2.23. */
struct msg_locustfile {
	bool is_native; /* of the question (key "native"): C source will do */
	const struct msg_file *files;
	size_t file_count; /* at most LIMIT_LOCUSTFILES */
	struct str error;
};

/* worker -> master: the last lines of its log, each ended by NUL. What was read is cut to the
 * newest LIMIT_LOG_LINES, and LIMIT_WORKER_LOG_BYTES of them. */
struct msg_logs {
	struct str lines;
};

struct msg {
	enum msg_type type;
	struct str type_name; /* as read; for MSG_UNKNOWN also when writing */
	struct str data;      /* when writing MSG_UNKNOWN: msgpack */
	struct str node_id;
	union {
		struct msg_client_ready client_ready;
		struct msg_ack ack;
		struct msg_heartbeat heartbeat;
		struct msg_spawn spawn;
		struct msg_user_class user_class;
		struct msg_spawning_complete spawning_complete;
		struct msg_report report;
		struct msg_exception exception;
		struct msg_locustfile locustfile;
		struct msg_number report_ack; /* master -> worker: those up to `number` are here */
		struct msg_logs logs;
	};
	struct msg_memory *memory; /* of what was read */
};

/* Most rows of one report: 500 entries or errors with the longest names stay far below
 * LIMIT_MESSAGE_BYTES. */
#define MSG_REPORT_ROWS 500

/* Reads one frame. On OK *out holds slices of the frame and statistics of its own until
 * msg_fini(). now_wall_s stands in for a start_time that is missing.
 * ERR_BAD_INPUT, ERR_TOO_BIG: *text says what was wrong, *out needs no msg_fini(). */
enum err msg_decode(struct str frame, double now_wall_s, struct msg *out,
		    struct err_text *text) MUST_CHECK;
/* A message that was not decoded is fine too. */
void msg_fini(struct msg *m);

/* Appends the frame; ask out->is_full. Text that is no UTF-8 is repaired: it would end the
 * receive loop of a real peer. */
void msg_encode(const struct msg *m, struct buf *out);
/* Moves *report to its next part; false when all of it has been written. */
bool msg_report_more(struct msg_report *report);

/* The words on the wire, NULL for MSG_UNKNOWN and MSG_PHASE_NONE. */
const char *msg_type_name(enum msg_type type);
const char *msg_phase_name(enum msg_phase phase);
/* Compares a version text such as "2.46.6" with major.minor; false for what is no version. */
bool msg_version_at_least(struct str version, unsigned major, unsigned minor);
