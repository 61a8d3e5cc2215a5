/* SPDX-License-Identifier: MIT
 *
 * msg_encode - writing of messages; reading and the contract are in msg.[ch].
 *
 * Keys, their order and their types are those of Locust 2.46 (reference captures in
 * tests/vectors/locust): a real master ends its receive loop on a key it misses. */
#include "cluster/msg.h"

#include <math.h>
#include <msgpack.h>

#include "base/limits.h"
#include "base/opt.h"
#include "run/locust_version.h"

static int write_bytes(void *arg, const char *bytes, size_t len)
{
	buf_add(arg, bytes, len);
	return 0;
}

static void put_raw_text(msgpack_packer *pk, struct str s)
{
	msgpack_pack_str(pk, s.len);
	msgpack_pack_str_body(pk, s.p, s.len);
}

static void put_text(msgpack_packer *pk, struct str s)
{
	struct buf repaired;
	size_t step;

	if (str_is_utf8(s)) {
		put_raw_text(pk, s);
		return;
	}
	buf_init(&repaired, s.len * 3);
	for (size_t i = 0; i < s.len; i += step ? step : 1) {
		step = str_utf8_step(s.p + i, s.len - i);
		if (step)
			buf_add(&repaired, s.p + i, step);
		else
			buf_add_text(&repaired, "\xef\xbf\xbd"); /* U+FFFD */
	}
	put_raw_text(pk, buf_str(&repaired));
	buf_fini(&repaired);
}

static void put_key(msgpack_packer *pk, const char *key)
{
	put_raw_text(pk, str_of(key));
}

static void put_pairs(const msgpack_packer *pk, const struct msg_pairs *pairs)
{
	write_bytes(pk->data, pairs->bytes.p, pairs->bytes.len);
}

static void put_text_at(msgpack_packer *pk, const char *key, struct str s)
{
	put_key(pk, key);
	put_text(pk, s);
}

static void put_count_at(msgpack_packer *pk, const char *key, uint64_t count)
{
	put_key(pk, key);
	msgpack_pack_uint64(pk, count);
}

static void put_number_at(msgpack_packer *pk, const char *key, double number)
{
	put_key(pk, key);
	msgpack_pack_double(pk, number);
}

/* Times that may be unknown are nil. */
static void put_time_at(msgpack_packer *pk, const char *key, double time)
{
	put_key(pk, key);
	if (time > 0)
		msgpack_pack_double(pk, time);
	else
		msgpack_pack_nil(pk);
}

static void put_counts_at(msgpack_packer *pk, struct msg_counts counts)
{
	put_key(pk, "user_classes_count");
	msgpack_pack_map(pk, counts.count);
	for (size_t i = 0; i < counts.count; i++) {
		put_text(pk, counts.items[i].name);
		msgpack_pack_uint64(pk, counts.items[i].users);
	}
}

static uint64_t sum_of(struct msg_counts counts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < counts.count; i++)
		sum += counts.items[i].users;
	return sum;
}

static void put_response_times(msgpack_packer *pk, const struct stats_entry *e)
{
	struct rounded times;

	rounded_init(&times);
	stats_rounded(e, &times);
	put_key(pk, "response_times");
	msgpack_pack_map(pk, times.used);
	for (size_t i = 0; i < times.used; i++) {
		double ms = times.buckets[i].ms;

		/* Keys must be integers where they can: 150 and 150.0 are two keys to others. */
		if (ms == floor(ms) && ms < 1e15)
			msgpack_pack_uint64(pk, (uint64_t)ms);
		else
			msgpack_pack_double(pk, ms);
		msgpack_pack_uint64(pk, times.buckets[i].count);
	}
	rounded_fini(&times);
}

static size_t buckets_of(const struct hist *h)
{
	uint64_t us, count;
	size_t buckets = 0;

	for (size_t at = 0; hist_next(h, &at, &us, &count);)
		buckets++;
	return buckets;
}

static void put_hist(msgpack_packer *pk, const struct hist *h)
{
	uint64_t us, count;

	msgpack_pack_map(pk, buckets_of(h));
	for (size_t at = 0; hist_next(h, &at, &us, &count);) {
		msgpack_pack_uint64(pk, us);
		msgpack_pack_uint64(pk, count);
	}
}

static uint64_t count_in(const struct stats_second *second, bool want_failures)
{
	return want_failures ? second->failures : second->requests;
}

static void put_seconds(msgpack_packer *pk, const char *key, const struct stats_entry *e,
			bool want_failures)
{
	size_t used = 0;

	for (size_t i = 0; i < STATS_SECONDS; i++)
		used += count_in(&e->seconds[i], want_failures) != 0;
	put_key(pk, key);
	msgpack_pack_map(pk, used);
	for (size_t i = 0; i < STATS_SECONDS; i++) {
		if (!count_in(&e->seconds[i], want_failures))
			continue;
		msgpack_pack_int64(pk, e->seconds[i].unix_s);
		msgpack_pack_uint64(pk, count_in(&e->seconds[i], want_failures));
	}
}

static void put_outcomes(msgpack_packer *pk, const char *key, const struct hist set[STATS_OUTCOMES])
{
	put_key(pk, key);
	msgpack_pack_array(pk, STATS_OUTCOMES);
	for (size_t i = 0; i < STATS_OUTCOMES; i++)
		put_hist(pk, &set[i]);
}

/* What full resolution takes, or may still take, in a message. */
struct room {
	size_t buckets, slabs;
};

static struct room room_of(const struct stats_entry *e)
{
	struct room room = { 0 };

	for (size_t i = 0; i < STATS_OUTCOMES; i++) {
		room.buckets += buckets_of(&e->times[i]) + buckets_of(&e->responses[i]);
		room.slabs += hist_slabs(&e->times[i]) + hist_slabs(&e->responses[i]);
	}
	return room;
}

/* Takes from *left what the entry's full resolution needs; false: there is none, or no room.
 * Times that came as rounded ones would be missing from the others. */
static bool take_room(struct room *left, const struct stats_entry *e)
{
	struct room room;

	if (!left->buckets || e->rounded.count || !stats_timed(e))
		return false;
	room = room_of(e);
	if (room.buckets > left->buckets || room.slabs > left->slabs)
		return false;
	left->buckets -= room.buckets;
	left->slabs -= room.slabs;
	return true;
}

static void put_entry(msgpack_packer *pk, const struct stats_entry *e, struct room *left)
{
	bool has_times = take_room(left, e);
	bool has_responses = has_times && stats_scheduled(e);

	msgpack_pack_map(pk, 14 + has_times + has_responses);
	if (has_times)
		put_outcomes(pk, "times_us", e->times);
	if (has_responses)
		put_outcomes(pk, "responses_us", e->responses);
	put_text_at(pk, "name", str_of(e->name));
	put_text_at(pk, "method", str_of(e->method));
	put_time_at(pk, "last_request_timestamp", e->last_request_timestamp);
	put_number_at(pk, "start_time", e->start_time);
	put_count_at(pk, "num_requests", e->num_requests);
	put_count_at(pk, "num_none_requests", e->num_none_requests);
	put_count_at(pk, "num_failures", e->num_failures);
	put_number_at(pk, "total_response_time", e->total_response_time_ms);
	put_number_at(pk, "max_response_time", e->max_response_time_ms);
	put_key(pk, "min_response_time");
	if (isnan(e->min_response_time_ms))
		msgpack_pack_nil(pk);
	else
		msgpack_pack_double(pk, e->min_response_time_ms);
	put_count_at(pk, "total_content_length", e->total_content_length);
	put_response_times(pk, e);
	put_seconds(pk, "num_reqs_per_sec", e, false);
	put_seconds(pk, "num_fail_per_sec", e, true);
}

/* Entries without a count are left out, as Locust does. */
static bool is_worth(const struct stats_entry *e)
{
	return e->num_requests || e->num_failures;
}

static void put_entries(msgpack_packer *pk, const struct msg_report *report, struct room *left)
{
	const struct map *entries = &report->stats->entries;
	struct map_entry *slot;
	size_t at = report->entries_at, rows = 0;

	for (size_t n = 0; n < MSG_REPORT_ROWS && (slot = map_next(entries, &at)); n++)
		rows += is_worth(slot->value);
	put_key(pk, "stats");
	msgpack_pack_array(pk, rows);
	at = report->entries_at;
	for (size_t n = 0; n < MSG_REPORT_ROWS && (slot = map_next(entries, &at)); n++)
		if (is_worth(slot->value))
			put_entry(pk, slot->value, left);
}

static void put_total(msgpack_packer *pk, const struct msg_report *report, struct room *left)
{
	struct stats none;

	put_key(pk, "stats_total");
	if (!report->entries_at && !report->errors_at) {
		put_entry(pk, &report->stats->total, left);
		return;
	}
	stats_init(&none, report->stats->total.start_time);
	put_entry(pk, &none.total, left);
	stats_fini(&none);
}

static void put_error(msgpack_packer *pk, const struct stats_error *error)
{
	put_text(pk, str_of(error->key));
	msgpack_pack_map(pk, 6);
	put_text_at(pk, "name", str_of(error->name));
	put_text_at(pk, "method", str_of(error->method));
	put_text_at(pk, "error", str_of(error->error));
	put_count_at(pk, "occurrences", error->occurrences);
	put_time_at(pk, "first_seen", error->first_seen);
	put_time_at(pk, "last_seen", error->last_seen);
}

static void put_errors(msgpack_packer *pk, const struct msg_report *report)
{
	const struct map *errors = &report->stats->errors;
	struct map_entry *slot;
	size_t at = report->errors_at, rows = 0;

	for (; rows < MSG_REPORT_ROWS && (slot = map_next(errors, &at)); rows++)
		continue;
	put_key(pk, "errors");
	msgpack_pack_map(pk, rows);
	at = report->errors_at;
	for (rows = 0; rows < MSG_REPORT_ROWS && (slot = map_next(errors, &at)); rows++)
		put_error(pk, slot->value);
}

/* The lag has at most as many buckets as a hist, far below what a message may have. */
static void put_health(msgpack_packer *pk, const struct health *h)
{
	put_key(pk, "generator");
	msgpack_pack_map(pk, 12);
	put_key(pk, "lag_us");
	put_hist(pk, &h->lag);
	put_count_at(pk, "lag_max_us", h->lag_max_us);
	put_count_at(pk, "spans", h->spans);
	put_number_at(pk, "cpu_percent_max", h->cpu_percent_max);
	put_count_at(pk, "late_us", h->late_us);
	put_count_at(pk, "busy_us", h->busy_us);
	put_count_at(pk, "opened", h->opened);
	put_count_at(pk, "closed", h->closed);
	put_count_at(pk, "failed", h->failed);
	put_count_at(pk, "dropped", h->dropped);
	put_count_at(pk, "waits", h->waits);
	/* Of long waits: a wait counts whole when it begins. Nobody reads more. */
	put_count_at(pk, "waited_us",
		     h->waited_us < LIMIT_MESSAGE_COUNT ? h->waited_us : LIMIT_MESSAGE_COUNT);
}

static void put_number_of(msgpack_packer *pk, const struct msg_number *n)
{
	put_count_at(pk, "stream", n->stream);
	put_count_at(pk, "number", n->number);
	put_count_at(pk, "first", n->first);
}

static void put_report(msgpack_packer *pk, const struct msg_report *report)
{
	const char *phase = msg_phase_name(report->phase);
	struct room left = { report->have_times ? LIMIT_MESSAGE_BUCKETS : 0, LIMIT_MESSAGE_SLABS };
	bool has_health = report->have_times && !report->entries_at && !report->errors_at;

	msgpack_pack_map(pk, 5 + (phase != NULL) + has_health + (report->number.number ? 4 : 0) +
				     report->extra.count);
	put_pairs(pk, &report->extra);
	if (report->number.number) {
		put_count_at(pk, "test", report->test);
		put_number_of(pk, &report->number);
	}
	if (has_health)
		put_health(pk, &report->stats->health);
	if (phase)
		put_text_at(pk, "phase", str_of(phase));
	put_entries(pk, report, &left);
	put_total(pk, report, &left);
	put_errors(pk, report);
	put_counts_at(pk, report->counts);
	put_count_at(pk, "user_count", sum_of(report->counts));
}

static size_t skip_rows(const struct map *map, size_t at)
{
	for (size_t n = 0; n < MSG_REPORT_ROWS && map_next(map, &at); n++)
		continue;
	return at;
}

bool msg_report_more(struct msg_report *report)
{
	size_t entries_at, errors_at;

	report->entries_at = skip_rows(&report->stats->entries, report->entries_at);
	report->errors_at = skip_rows(&report->stats->errors, report->errors_at);
	entries_at = report->entries_at;
	errors_at = report->errors_at;
	return map_next(&report->stats->entries, &entries_at) ||
	       map_next(&report->stats->errors, &errors_at);
}

static void put_client_ready(msgpack_packer *pk, const struct msg_client_ready *m)
{
	if (m->is_foreign)
		msgpack_pack_int(pk, -1);
	else
		put_text(pk, m->version);
}

static void put_ack(msgpack_packer *pk, const struct msg_ack *m)
{
	msgpack_pack_map(pk, m->is_ours ? 2 : 1);
	put_key(pk, "index");
	msgpack_pack_int64(pk, m->index);
	if (m->is_ours)
		put_count_at(pk, "bulk_port", m->bulk_port);
}

static void put_heartbeat(msgpack_packer *pk, const struct msg_heartbeat *m)
{
	if (!m->state.len) {
		msgpack_pack_nil(pk);
		return;
	}
	msgpack_pack_map(pk, m->cicada.len ? 4 : 3);
	put_text_at(pk, "state", m->state);
	put_number_at(pk, "current_cpu_usage", m->cpu_percent);
	put_count_at(pk, "current_memory_usage", m->memory_bytes);
	if (m->cicada.len)
		put_text_at(pk, "cicada", m->cicada);
}

static bool has_texts(const struct opt_texts *texts)
{
	return texts && texts->count;
}

static void put_texts_at(msgpack_packer *pk, const char *key, const struct opt_texts *texts)
{
	put_key(pk, key);
	msgpack_pack_array(pk, texts->count);
	for (size_t i = 0; i < texts->count; i++)
		put_text(pk, str_of(texts->value[i]));
}

/* Only what was given: a nil would take from a worker the tags of its own command line. */
static void put_parsed_options(msgpack_packer *pk, const struct msg_spawn *m)
{
	size_t count = 0;

	count += m->host.len > 0;
	count += m->expect_workers > 0;
	count += has_texts(m->tags);
	count += has_texts(m->exclude_tags);
	put_key(pk, "parsed_options");
	msgpack_pack_map(pk, count + m->own_options.count);
	put_pairs(pk, &m->own_options);
	if (m->host.len)
		put_text_at(pk, "host", m->host);
	if (m->expect_workers)
		put_count_at(pk, "expect_workers", m->expect_workers);
	if (has_texts(m->tags))
		put_texts_at(pk, "tags", m->tags);
	if (has_texts(m->exclude_tags))
		put_texts_at(pk, "exclude_tags", m->exclude_tags);
}

static void put_spawn(msgpack_packer *pk, const struct msg_spawn *m)
{
	msgpack_pack_map(pk, m->test ? 6 : 5);
	put_number_at(pk, "timestamp", m->timestamp);
	if (m->test)
		put_count_at(pk, "test", m->test);
	put_counts_at(pk, m->counts);
	put_key(pk, "host");
	if (m->host.len)
		put_text(pk, m->host);
	else
		msgpack_pack_nil(pk);
	put_number_at(pk, "stop_timeout", m->stop_timeout_s);
	put_parsed_options(pk, m);
}

static void put_user_class(msgpack_packer *pk, const struct msg_user_class *m)
{
	msgpack_pack_map(pk, 1u + (m->host.len > 0) + m->has_weight + m->has_fixed_count +
				     m->has_tasks);
	put_text_at(pk, "user_class_name", m->name);
	if (m->host.len)
		put_text_at(pk, "host", m->host);
	if (m->has_weight && m->weight == floor(m->weight) && fabs(m->weight) < 1e15) {
		put_key(pk, "weight");
		msgpack_pack_int64(pk, (int64_t)m->weight);
	} else if (m->has_weight) {
		put_number_at(pk, "weight", m->weight);
	}
	if (m->has_fixed_count)
		put_count_at(pk, "fixed_count", m->fixed_count);
	if (!m->has_tasks)
		return;
	put_key(pk, "tasks");
	msgpack_pack_array(pk, m->task_count);
	for (size_t i = 0; i < m->task_count; i++)
		put_text(pk, m->tasks[i]);
}

static void put_spawning_complete(msgpack_packer *pk, const struct msg_spawning_complete *m)
{
	msgpack_pack_map(pk, m->counts.items ? 2 : 1);
	if (m->counts.items)
		put_counts_at(pk, m->counts);
	put_count_at(pk, "user_count", m->user_count);
}

static void put_exception(msgpack_packer *pk, const struct msg_exception *m)
{
	msgpack_pack_map(pk, 2);
	put_text_at(pk, "msg", m->msg);
	put_text_at(pk, "traceback", m->traceback);
}

static void put_file(msgpack_packer *pk, const struct msg_file *file)
{
	if (!file->contents.len) {
		put_text(pk, file->name);
		return;
	}
	msgpack_pack_map(pk, 2);
	put_text_at(pk, "filename", file->name);
	put_text_at(pk, "contents", file->contents);
}

static void put_locustfile(msgpack_packer *pk, const struct msg_locustfile *m)
{
	if (m->error.len) {
		msgpack_pack_map(pk, 1);
		put_text_at(pk, "error", m->error);
	} else if (m->file_count) {
		msgpack_pack_map(pk, 1);
		put_key(pk, "locustfiles");
		msgpack_pack_array(pk, m->file_count);
		for (size_t i = 0; i < m->file_count; i++)
			put_file(pk, &m->files[i]);
	} else {
		msgpack_pack_map(pk, 2);
		put_text_at(pk, "version", str_of(LOCUST_VERSION));
		put_key(pk, "native");
		if (m->is_native)
			msgpack_pack_true(pk);
		else
			msgpack_pack_false(pk);
	}
}

static void put_logs(msgpack_packer *pk, const struct msg *m)
{
	struct str rest = m->logs.lines, line;
	size_t count = 0;

	for (size_t i = 0; i < rest.len; i++)
		count += !rest.p[i];
	msgpack_pack_map(pk, 2);
	put_text_at(pk, "worker_id", m->node_id);
	put_key(pk, "logs");
	msgpack_pack_array(pk, count);
	while (count-- && str_cut(&rest, '\0', &line))
		put_text(pk, line);
}

static void put_data(msgpack_packer *pk, const struct msg *m)
{
	switch (m->type) {
	case MSG_CLIENT_READY:
		put_client_ready(pk, &m->client_ready);
		break;
	case MSG_ACK:
		put_ack(pk, &m->ack);
		break;
	case MSG_HEARTBEAT:
		put_heartbeat(pk, &m->heartbeat);
		break;
	case MSG_SPAWN:
		put_spawn(pk, &m->spawn);
		break;
	case MSG_UPDATE_USER_CLASS:
		put_user_class(pk, &m->user_class);
		break;
	case MSG_SPAWNING_COMPLETE:
		put_spawning_complete(pk, &m->spawning_complete);
		break;
	case MSG_STATS:
		put_report(pk, &m->report);
		break;
	case MSG_EXCEPTION:
		put_exception(pk, &m->exception);
		break;
	case MSG_REPORT_ACK:
		msgpack_pack_map(pk, 3);
		put_number_of(pk, &m->report_ack);
		break;
	case MSG_LOCUSTFILE:
		put_locustfile(pk, &m->locustfile);
		break;
	case MSG_LOGS:
		put_logs(pk, m);
		break;
	default:
		if (m->data.len)
			write_bytes(pk->data, m->data.p, m->data.len);
		else
			msgpack_pack_nil(pk);
		break;
	}
}

void msg_encode(const struct msg *m, struct buf *out)
{
	const char *word = msg_type_name(m->type);
	msgpack_packer pk;

	msgpack_packer_init(&pk, out, write_bytes);
	msgpack_pack_array(&pk, 3);
	if (word)
		put_key(&pk, word);
	else
		put_text(&pk, m->type_name);
	put_data(&pk, m);
	put_text(&pk, m->node_id);
}
