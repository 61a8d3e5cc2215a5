/* SPDX-License-Identifier: MIT
 *
 * msg - reading; writing is in msg_encode.c.
 *
 * msg_scan() has vouched for the structure; what is left to doubt here is meaning. The reader
 * keeps its first error, so that a message is read straight through and judged once. */
#include "cluster/msg.h"

#include <math.h>
#include <msgpack.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/opt.h"
#include "cluster/msg_scan.h"

#define ZONE_CHUNK_BYTES 8192
#define PORT_MAX	 65535

struct msg_memory {
	msgpack_zone *zone;
	struct stats stats;
	bool has_stats;
	struct msg_count *counts;
	struct str *tasks;
	struct opt_texts *tags, *exclude_tags; /* their texts are ours */
	struct msg_file *files;
	struct buf lines;
};

struct reader {
	struct msg_memory *memory;
	double now_wall_s;
	struct err_text *text;
	enum err err;	   /* the first one */
	size_t slabs_left; /* that the message may still take */
};

static const char *const type_names[] = {
	[MSG_UNKNOWN] = NULL,
#define MSG(name, word) [MSG_##name] = word,
#include "cluster/msg.def"
#undef MSG
};

static const char *const phase_names[] = { NULL, "ramp", "test", "drain" };

const char *msg_type_name(enum msg_type type)
{
	return type_names[type];
}

const char *msg_phase_name(enum msg_phase phase)
{
	return phase_names[phase];
}

static void fail(struct reader *r, const char *key, const char *what)
{
	if (r->err)
		return;
	r->err = err_set(r->text, ERR_BAD_INPUT, "\"%s\" %s", key, what);
}

static bool is_text(const msgpack_object *o, struct str *out)
{
	/* Peers with old msgpack settings send text as bytes. */
	if (o->type == MSGPACK_OBJECT_STR)
		*out = (struct str){ o->via.str.ptr, o->via.str.size };
	else if (o->type == MSGPACK_OBJECT_BIN)
		*out = (struct str){ o->via.bin.ptr, o->via.bin.size };
	else
		return false;
	if (!out->len)
		*out = str_of("");
	return str_is_utf8(*out);
}

/* The value of a key, NULL when it is absent, nil, or o is no map. Locust packs a dict, so
 * keys are unique. */
static const msgpack_object *find(const msgpack_object *o, const char *key)
{
	struct str text;

	if (!o || o->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		const msgpack_object_kv *kv = &o->via.map.ptr[i];

		if (is_text(&kv->key, &text) && str_eq(text, key))
			return kv->val.type == MSGPACK_OBJECT_NIL ? NULL : &kv->val;
	}
	return NULL;
}

static struct str read_text(struct reader *r, const msgpack_object *o, const char *key)
{
	struct str out = str_of("");

	if (o && !is_text(o, &out))
		fail(r, key, "must be text");
	return out;
}

static bool is_number(const msgpack_object *o, double *out)
{
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		*out = (double)o->via.u64;
	else if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		*out = (double)o->via.i64;
	else if (o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64)
		*out = o->via.f64;
	else
		return false;
	return isfinite(*out);
}

static double read_number(struct reader *r, const msgpack_object *o, const char *key, double absent)
{
	double out = absent;

	if (o && !is_number(o, &out)) {
		fail(r, key, "must be a finite number");
		return absent;
	}
	return out;
}

/* Whole numbers below LIMIT_MESSAGE_COUNT are exact as double. */
static uint64_t read_count(struct reader *r, const msgpack_object *o, const char *key)
{
	double number = read_number(r, o, key, 0);

	if (number < 0 || number > (double)LIMIT_MESSAGE_COUNT || number != floor(number)) {
		fail(r, key, "must be a whole number from 0 to 1e15");
		return 0;
	}
	return (uint64_t)number;
}

static const msgpack_object *need_map(struct reader *r, const msgpack_object *o, const char *key)
{
	if (o && o->type == MSGPACK_OBJECT_MAP)
		return o;
	fail(r, key, "must be a map");
	return NULL;
}

static struct msg_counts read_counts(struct reader *r, const msgpack_object *o)
{
	static const char key[] = "user_classes_count";
	const msgpack_object *map = need_map(r, o, key);

	if (!map)
		return (struct msg_counts){ 0 };
	if (map->via.map.size > LIMIT_USER_CLASSES) {
		fail(r, key, "has too many classes");
		return (struct msg_counts){ 0 };
	}
	r->memory->counts = mem_zalloc(map->via.map.size + 1, sizeof(struct msg_count));
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *kv = &map->via.map.ptr[i];
		struct msg_count *c = &r->memory->counts[i];

		c->name = read_text(r, &kv->key, key);
		c->users = read_count(r, &kv->val, key);
		if (c->users > LIMIT_USERS)
			fail(r, key, "has more users than the limit");
	}
	return (struct msg_counts){ r->memory->counts, map->via.map.size };
}

static void read_response_times(struct reader *r, const msgpack_object *o, struct stats_entry *e)
{
	static const char key[] = "response_times";

	if (!o || !need_map(r, o, key))
		return;
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		double ms = read_number(r, &o->via.map.ptr[i].key, key, 0);

		/* A clock that was set back must not cost the count. */
		rounded_add(&e->rounded, ms > 0 ? ms : 0,
			    read_count(r, &o->via.map.ptr[i].val, key));
	}
}

static void read_hist(struct reader *r, const msgpack_object *o, const char *key, struct hist *h)
{
	if (!need_map(r, o, key))
		return;
	for (uint32_t i = 0; i < o->via.map.size && !r->err; i++) {
		hist_add(h, read_count(r, &o->via.map.ptr[i].key, key),
			 read_count(r, &o->via.map.ptr[i].val, key));
		/* Checked at each step: a sum of many could wrap around. */
		if (h->count > LIMIT_MESSAGE_COUNT)
			fail(r, key, "counts more than 1e15");
	}
}

/* One map per outcome. */
static void read_outcomes(struct reader *r, const msgpack_object *o, const char *key,
			  struct hist set[STATS_OUTCOMES])
{
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size != STATS_OUTCOMES) {
		fail(r, key, "must be an array with a map for each outcome");
		return;
	}
	for (size_t i = 0; i < STATS_OUTCOMES; i++) {
		size_t before = hist_slabs(&set[i]), more;

		read_hist(r, &o->via.array.ptr[i], key, &set[i]);
		more = hist_slabs(&set[i]) - before;
		if (more > r->slabs_left)
			fail(r, key, "would take too much memory");
		r->slabs_left -= more < r->slabs_left ? more : r->slabs_left;
	}
}

/* Our own reports: full resolution, read instead of the rounded times. */
static void read_times(struct reader *r, const msgpack_object *o, struct stats_entry *e)
{
	const msgpack_object *responses = find(o, "responses_us");

	read_outcomes(r, find(o, "times_us"), "times_us", e->times);
	if (responses)
		read_outcomes(r, responses, "responses_us", e->responses);
	for (size_t i = 0; i < STATS_OUTCOMES; i++)
		if (e->responses[i].count > e->times[i].count)
			fail(r, "responses_us", "counts more than times_us");
}

static void read_seconds(struct reader *r, const msgpack_object *o, const char *key,
			 struct stats_entry *e, bool is_failures)
{
	if (!o || !need_map(r, o, key))
		return;
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		double second = floor(read_number(r, &o->via.map.ptr[i].key, key, 0));
		uint64_t times = read_count(r, &o->via.map.ptr[i].val, key);

		if (second > 0 && second < (double)LIMIT_MESSAGE_COUNT)
			stats_entry_add_second(e, (int64_t)second, is_failures ? 0 : times,
					       is_failures ? times : 0);
	}
}

/* The numbers of an entry, on top of an empty one. */
static void read_entry(struct reader *r, const msgpack_object *o, struct stats_entry *e)
{
	e->num_requests += read_count(r, find(o, "num_requests"), "num_requests");
	e->num_failures += read_count(r, find(o, "num_failures"), "num_failures");
	e->total_content_length +=
		read_count(r, find(o, "total_content_length"), "total_content_length");
	e->total_response_time_ms +=
		read_number(r, find(o, "total_response_time"), "total_response_time", 0);
	e->max_response_time_ms =
		fmax(e->max_response_time_ms,
		     read_number(r, find(o, "max_response_time"), "max_response_time", 0));
	e->min_response_time_ms =
		fmin(e->min_response_time_ms,
		     read_number(r, find(o, "min_response_time"), "min_response_time", NAN));
	e->start_time = fmin(e->start_time,
			     read_number(r, find(o, "start_time"), "start_time", e->start_time));
	e->last_request_timestamp =
		fmax(e->last_request_timestamp, read_number(r, find(o, "last_request_timestamp"),
							    "last_request_timestamp", 0));
	if (find(o, "times_us"))
		read_times(r, o, e);
	else
		read_response_times(r, find(o, "response_times"), e);
	read_seconds(r, find(o, "num_reqs_per_sec"), "num_reqs_per_sec", e, false);
	read_seconds(r, find(o, "num_fail_per_sec"), "num_fail_per_sec", e, true);
	/* num_none_requests is what the buckets leave over: the sum beside struct stats must
	 * hold whatever a peer claims. */
	if (stats_timed(e) + e->rounded.count > e->num_requests)
		fail(r, "response_times", "counts more than num_requests");
	else
		e->num_none_requests = e->num_requests - stats_timed(e) - e->rounded.count;
}

static void read_entries(struct reader *r, const msgpack_object *o, struct stats *stats)
{
	if (!o || o->type != MSGPACK_OBJECT_ARRAY) {
		fail(r, "stats", "must be an array");
		return;
	}
	for (uint32_t i = 0; i < o->via.array.size && !r->err; i++) {
		const msgpack_object *entry = need_map(r, &o->via.array.ptr[i], "stats");
		const msgpack_object *name = find(entry, "name");

		if (!name)
			fail(r, "stats", "has an entry without name");
		if (r->err)
			return;
		read_entry(r, entry,
			   stats_entry(stats, read_text(r, find(entry, "method"), "method"),
				       read_text(r, name, "name"), r->now_wall_s));
	}
}

static void read_errors(struct reader *r, const msgpack_object *o, struct stats *stats)
{
	if (!need_map(r, o, "errors"))
		return;
	for (uint32_t i = 0; i < o->via.map.size && !r->err; i++) {
		const msgpack_object *error = need_map(r, &o->via.map.ptr[i].val, "errors");

		stats_add_error(stats, read_text(r, &o->via.map.ptr[i].key, "errors"),
				read_text(r, find(error, "method"), "method"),
				read_text(r, find(error, "name"), "name"),
				read_text(r, find(error, "error"), "error"),
				read_count(r, find(error, "occurrences"), "occurrences"),
				read_number(r, find(error, "first_seen"), "first_seen", 0),
				read_number(r, find(error, "last_seen"), "last_seen", 0));
	}
}

/* Of our own workers only. */
static void read_health(struct reader *r, const msgpack_object *o, struct health *h)
{
	if (!o || !need_map(r, o, "generator"))
		return;
	read_hist(r, find(o, "lag_us"), "lag_us", &h->lag);
	h->lag_max_us = read_count(r, find(o, "lag_max_us"), "lag_max_us");
	h->spans = read_count(r, find(o, "spans"), "spans");
	h->cpu_percent_max = read_number(r, find(o, "cpu_percent_max"), "cpu_percent_max", 0);
	if (h->cpu_percent_max < 0 || h->cpu_percent_max > LIMIT_MESSAGE_CPU)
		fail(r, "cpu_percent_max", "must be from 0 to 100000");
	h->late_us = read_count(r, find(o, "late_us"), "late_us");
	h->busy_us = read_count(r, find(o, "busy_us"), "busy_us");
	h->opened = read_count(r, find(o, "opened"), "opened");
	h->closed = read_count(r, find(o, "closed"), "closed");
	h->failed = read_count(r, find(o, "failed"), "failed");
	h->dropped = read_count(r, find(o, "dropped"), "dropped");
	h->waits = read_count(r, find(o, "waits"), "waits");
	h->waited_us = read_count(r, find(o, "waited_us"), "waited_us");
}

static enum msg_phase read_phase(const msgpack_object *o)
{
	struct str text;

	if (o && is_text(o, &text))
		for (enum msg_phase p = MSG_PHASE_RAMP; p < MSG_PHASE_COUNT; p++)
			if (str_eq(text, phase_names[p]))
				return p;
	return MSG_PHASE_NONE;
}

static struct msg_number read_number_of(struct reader *r, const msgpack_object *o)
{
	struct msg_number n = { .stream = read_count(r, find(o, "stream"), "stream"),
				.number = read_count(r, find(o, "number"), "number"),
				.first = read_count(r, find(o, "first"), "first") };

	if (n.first > n.number)
		fail(r, "first", "must not be above \"number\"");
	return n;
}

static void read_report(struct reader *r, const msgpack_object *o, struct msg_report *out)
{
	struct stats *stats = &r->memory->stats;

	stats_init(stats, r->now_wall_s);
	r->memory->has_stats = true;
	read_entries(r, find(o, "stats"), stats);
	if (need_map(r, find(o, "stats_total"), "stats_total") && !r->err)
		read_entry(r, find(o, "stats_total"), &stats->total);
	read_errors(r, find(o, "errors"), stats);
	read_health(r, find(o, "generator"), &stats->health);
	*out = (struct msg_report){ .stats = stats,
				    .counts = read_counts(r, find(o, "user_classes_count")),
				    .phase = read_phase(find(o, "phase")),
				    .number = read_number_of(r, o),
				    .test = read_count(r, find(o, "test"), "test") };
}

static void read_client_ready(struct reader *r, const msgpack_object *o,
			      struct msg_client_ready *out)
{
	double number;

	*out = (struct msg_client_ready){ .version = str_of("") };
	if (is_text(o, &out->version))
		return;
	out->is_foreign = is_number(o, &number) && number == -1;
	if (!out->is_foreign)
		fail(r, "client_ready", "must carry a version, or -1");
}

static struct msg_file read_file(struct reader *r, const msgpack_object *o)
{
	struct msg_file file = { 0 };

	if (!is_text(o, &file.name)) {
		file.name = read_text(r, find(o, "filename"), "filename");
		file.contents = read_text(r, find(o, "contents"), "contents");
	}
	return file;
}

/* 2.23 to 2.30 have one file and no list. */
static void read_locustfile(struct reader *r, const msgpack_object *o, struct msg_locustfile *out)
{
	const msgpack_object *native = find(o, "native"), *files = find(o, "locustfiles");
	bool is_list = files && files->type == MSGPACK_OBJECT_ARRAY;
	size_t count = is_list ? files->via.array.size : find(o, "filename") != NULL;

	out->is_native = native && native->type == MSGPACK_OBJECT_BOOLEAN && native->via.boolean;
	out->error = read_text(r, find(o, "error"), "error");
	if (count > LIMIT_LOCUSTFILES) {
		fail(r, "locustfiles", "has too many files");
		return;
	}
	r->memory->files = mem_zalloc(count, sizeof(*r->memory->files));
	for (size_t i = 0; i < count; i++)
		r->memory->files[i] = read_file(r, is_list ? &files->via.array.ptr[i] : o);
	out->files = r->memory->files;
	out->file_count = count;
}

/* NULL: there are none. */
static const struct opt_texts *read_words(struct reader *r, const msgpack_object *options,
					  const char *key, struct opt_texts **out)
{
	const msgpack_object *o = find(options, key);
	struct str word;

	if (!o || o->type != MSGPACK_OBJECT_ARRAY || !o->via.array.size)
		return NULL;
	if (o->via.array.size > LIMIT_AXIS_VALUES) {
		fail(r, key, "must be at most 64");
		return NULL;
	}
	*out = mem_zalloc(1, sizeof(**out));
	for (uint32_t i = 0; i < o->via.array.size; i++) {
		word = read_text(r, &o->via.array.ptr[i], key);
		(*out)->value[(*out)->count++] = mem_strndup(word.p, word.len);
	}
	return *out;
}

static void read_spawn(struct reader *r, const msgpack_object *o, struct msg_spawn *out)
{
	const msgpack_object *options = find(o, "parsed_options");
	const msgpack_object *workers = find(options, "expect_workers");
	double count;

	out->timestamp = read_number(r, find(o, "timestamp"), "timestamp", 0);
	out->test = read_count(r, find(o, "test"), "test");
	out->counts = read_counts(r, find(o, "user_classes_count"));
	out->host = read_text(r, find(o, "host"), "host");
	out->stop_timeout_s = fmax(read_number(r, find(o, "stop_timeout"), "stop_timeout", 0), 0);
	/* Options are what somebody has given, so what makes no sense is none. */
	if (workers && is_number(workers, &count) && count >= 1 && count <= LIMIT_WORKERS)
		out->expect_workers = (uint64_t)count;
	out->tags = read_words(r, options, "tags", &r->memory->tags);
	out->exclude_tags = read_words(r, options, "exclude_tags", &r->memory->exclude_tags);
}

static void read_tasks(struct reader *r, const msgpack_object *o, struct msg_user_class *out)
{
	static const char key[] = "tasks";

	out->has_tasks = o != NULL;
	if (!o)
		return;
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size > LIMIT_USER_TASKS) {
		fail(r, key, "must be an array of at most 1024 names");
		return;
	}
	r->memory->tasks = mem_zalloc(o->via.array.size + 1, sizeof(*r->memory->tasks));
	for (uint32_t i = 0; i < o->via.array.size; i++)
		r->memory->tasks[i] = read_text(r, &o->via.array.ptr[i], key);
	out->tasks = r->memory->tasks;
	out->task_count = o->via.array.size;
}

/* Locust sets any attribute to anything that POST /user was given; what is of another type is left.
 */
static void read_user_class(struct reader *r, const msgpack_object *o, struct msg_user_class *out)
{
	const msgpack_object *weight = find(o, "weight"), *fixed = find(o, "fixed_count");
	const msgpack_object *host = find(o, "host");
	double count = -1;

	*out = (struct msg_user_class){ .name = read_text(r, find(o, "user_class_name"),
							  "user_class_name") };
	if (host && host->type == MSGPACK_OBJECT_STR)
		out->host = read_text(r, host, "host");
	out->has_weight = weight && is_number(weight, &out->weight);
	out->has_fixed_count = fixed && is_number(fixed, &count) && count >= 0 &&
			       count <= LIMIT_USERS && count == floor(count);
	if (out->has_fixed_count)
		out->fixed_count = (uint64_t)count;
	read_tasks(r, find(o, "tasks"), out);
}

static struct str read_lines(struct reader *r, const msgpack_object *o)
{
	struct buf *lines = &r->memory->lines;
	size_t first, bytes = 0;
	struct str line;

	buf_init(lines, LIMIT_WORKER_LOG_BYTES);
	if (!o || o->type != MSGPACK_OBJECT_ARRAY)
		return buf_str(lines);
	for (first = o->via.array.size; first; first--) {
		if (!is_text(&o->via.array.ptr[first - 1], &line))
			continue;
		bytes += line.len + 1;
		if (bytes > LIMIT_WORKER_LOG_BYTES || o->via.array.size - first >= LIMIT_LOG_LINES)
			break;
	}
	for (; first < o->via.array.size; first++) {
		if (!is_text(&o->via.array.ptr[first], &line))
			continue;
		/* A NUL of the line's own would make two of it. */
		for (size_t i = 0; i < line.len; i++)
			buf_add_char(lines, line.p[i] ? line.p[i] : ' ');
		buf_add_char(lines, '\0');
	}
	return buf_str(lines);
}

static void read_data(struct reader *r, const msgpack_object *o, struct msg *m)
{
	switch (m->type) {
	case MSG_CLIENT_READY:
		read_client_ready(r, o, &m->client_ready);
		break;
	case MSG_ACK:
		m->ack.index = (int64_t)fmin(
			fmax(read_number(r, find(o, "index"), "index", -1), -1), LIMIT_USERS);
		m->ack.is_ours = find(o, "bulk_port") != NULL;
		m->ack.bulk_port = read_count(r, find(o, "bulk_port"), "bulk_port");
		if (m->ack.bulk_port > PORT_MAX)
			fail(r, "bulk_port", "must be a port");
		break;
	case MSG_HEARTBEAT:
		m->heartbeat.state = read_text(r, find(o, "state"), "state");
		m->heartbeat.cpu_percent =
			read_number(r, find(o, "current_cpu_usage"), "current_cpu_usage", 0);
		m->heartbeat.memory_bytes =
			read_count(r, find(o, "current_memory_usage"), "current_memory_usage");
		m->heartbeat.cicada = read_text(r, find(o, "cicada"), "cicada");
		break;
	case MSG_SPAWN:
		read_spawn(r, o, &m->spawn);
		break;
	case MSG_UPDATE_USER_CLASS:
		read_user_class(r, o, &m->user_class);
		break;
	case MSG_SPAWNING_COMPLETE:
		m->spawning_complete.user_count =
			read_count(r, find(o, "user_count"), "user_count");
		if (find(o, "user_classes_count"))
			m->spawning_complete.counts = read_counts(r, find(o, "user_classes_count"));
		break;
	case MSG_STATS:
		read_report(r, o, &m->report);
		break;
	case MSG_EXCEPTION:
		m->exception.msg = read_text(r, find(o, "msg"), "msg");
		m->exception.traceback = read_text(r, find(o, "traceback"), "traceback");
		break;
	case MSG_REPORT_ACK:
		m->report_ack = read_number_of(r, o);
		break;
	case MSG_LOCUSTFILE:
		read_locustfile(r, o, &m->locustfile);
		break;
	case MSG_LOGS:
		m->logs.lines = read_lines(r, find(o, "logs"));
		break;
	default: /* the others carry nothing that matters */
		break;
	}
}

static void read_message(struct reader *r, const msgpack_object *o, struct msg *m)
{
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size != 3) {
		r->err = err_set(r->text, ERR_BAD_INPUT,
				 "a message is an array [type, data, node_id]");
		return;
	}
	m->type_name = read_text(r, &o->via.array.ptr[0], "type");
	m->node_id = read_text(r, &o->via.array.ptr[2], "node_id");
	for (enum msg_type t = MSG_UNKNOWN + 1; t < MSG_TYPE_COUNT; t++)
		if (str_eq(m->type_name, type_names[t]))
			m->type = t;
	read_data(r, &o->via.array.ptr[1], m);
}

enum err msg_decode(struct str frame, double now_wall_s, struct msg *out, struct err_text *text)
{
	struct reader r = { .now_wall_s = now_wall_s,
			    .text = text,
			    .slabs_left = LIMIT_MESSAGE_SLABS };
	msgpack_object object;
	size_t at = 0;

	*out = (struct msg){ 0 };
	r.err = msg_scan(frame, text);
	if (r.err)
		return r.err;
	r.memory = out->memory = mem_zalloc(1, sizeof(*r.memory));
	r.memory->zone = msgpack_zone_new(ZONE_CHUNK_BYTES);
	if (!r.memory->zone || msgpack_unpack(frame.p, frame.len, &at, r.memory->zone, &object) !=
				       MSGPACK_UNPACK_SUCCESS)
		r.err = err_set(text, ERR_BAD_INPUT, "no msgpack");
	else
		read_message(&r, &object, out);
	if (r.err)
		msg_fini(out);
	return r.err;
}

static void free_words(struct opt_texts *words)
{
	for (size_t i = 0; words && i < words->count; i++)
		mem_free((void *)words->value[i]);
	mem_free(words);
}

void msg_fini(struct msg *m)
{
	struct msg_memory *memory = m->memory;

	m->memory = NULL;
	if (!memory)
		return;
	if (memory->zone)
		msgpack_zone_free(memory->zone);
	if (memory->has_stats)
		stats_fini(&memory->stats);
	mem_free(memory->counts);
	mem_free(memory->tasks);
	free_words(memory->tags);
	free_words(memory->exclude_tags);
	mem_free(memory->files);
	buf_fini(&memory->lines);
	mem_free(memory);
}

bool msg_version_at_least(struct str version, unsigned major, unsigned minor)
{
	unsigned parts[2] = { 0 }, digits = 0;
	size_t i = 0;

	for (unsigned part = 0; part < 2; part++) {
		for (digits = 0;
		     i < version.len && version.p[i] >= '0' && version.p[i] <= '9' && digits < 6;
		     i++, digits++)
			parts[part] = parts[part] * 10 + (unsigned)(version.p[i] - '0');
		if (!digits)
			return false;
		if (part == 0 && (i == version.len || version.p[i++] != '.'))
			return false;
	}
	return parts[0] > major || (parts[0] == major && parts[1] >= minor);
}
