/* SPDX-License-Identifier: MIT
 *
 * api_json - see the header. */
#include "web/api_json.h"

#include <math.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log_kept.h"
#include "base/mem.h"
#include "stat/shown.h"
#include "web/html.h"

/* Enough for a microsecond of unix time; 17 would write 0.1 as 0.10000000000000001. */
#define DIGITS	     16
#define INTEGRAL_MAX 1e15

static int add_bytes(const char *bytes, size_t len, void *out)
{
	buf_add(out, bytes, len);
	return 0;
}

/* Appends the document without a line end; takes the reference. */
static void add_document(struct buf *text, json_t *root)
{
	ensure(json_dump_callback(root, add_bytes, text,
				  JSON_SORT_KEYS | JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) ==
	       0);
	json_decref(root);
}

void api_json_add_packed(struct buf *out, json_t *root)
{
	ensure(json_dump_callback(root, add_bytes, out,
				  JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) == 0);
	json_decref(root);
}

char *api_json_take(json_t *root)
{
	struct buf text;

	buf_init(&text, LIMIT_API_BYTES);
	add_document(&text, root);
	buf_add_char(&text, '\n');
	return buf_take(&text);
}

json_t *api_json_string(const char *text)
{
	json_t *value;
	struct buf b;

	if (!text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	buf_init(&b, 8 * strlen(text) + 64);
	buf_add_json(&b, str_of(text));
	value = json_loadb(b.p, b.len, JSON_DECODE_ANY, NULL);
	buf_fini(&b);
	ensure(value);
	return value;
}

json_t *api_json_real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, api_json_string(text));
}

static void set_escaped(json_t *object, const char *key, const char *text, bool want_quotes)
{
	struct buf b;

	buf_init(&b, LIMIT_API_BYTES);
	html_add(&b, text, want_quotes);
	set_text(object, key, buf_str(&b).p);
	buf_fini(&b);
}

/* 2.12 escapes for its page what 2.46 gives as it is. */
static void set_shown(json_t *object, const char *key, const char *text, enum web_compat compat)
{
	if (compat == WEB_COMPAT_2_12)
		set_escaped(object, key, text, true);
	else
		set_text(object, key, text);
}

static void set_count(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key,
			    json_integer((json_int_t)(value < INT64_MAX ? value : INT64_MAX)));
}

/* Always with a point, as Python writes a float; null when it is none. */
static void set_real(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, api_json_real(value));
}

/* Whole milliseconds without a point, as Locust's buckets are. */
static void set_ms(json_t *object, const char *key, double value)
{
	if (isfinite(value) && value == trunc(value) && fabs(value) < INTEGRAL_MAX)
		json_object_set_new(object, key, json_integer((json_int_t)value));
	else
		set_real(object, key, value);
}

static double half_up(double value)
{
	return isnan(value) ? 0 : floor(value + 0.5);
}

/* Rows sorted by name, at most LIMIT_API_ROWS, and the total last. */
static json_t *rows_of(const struct stats *s,
		       json_t *(*row)(const struct stats_entry *, const void *), const void *arg)
{
	json_t *rows = json_array();
	size_t count;
	struct stats_entry **sorted = stats_sorted(s, &count);

	for (size_t i = 0; i < count && i < LIMIT_API_ROWS; i++)
		json_array_append_new(rows, row(sorted[i], arg));
	json_array_append_new(rows, row(&s->total, arg));
	mem_free(sorted);
	return rows;
}

static json_t *begin_row(const struct stats_entry *e)
{
	json_t *row = json_object();

	set_text(row, "method", e->method);
	set_text(row, "name", e->name);
	set_count(row, "num_requests", e->num_requests);
	set_count(row, "num_failures", e->num_failures);
	set_real(row, "avg_response_time", stats_avg_response_time_ms(e));
	set_real(row, "avg_content_length", stats_avg_content_length(e));
	return row;
}

/* Not in Locust's rounding, by which a fast target has a median of 0. */
static json_t *exact_times_of(const struct stats_entry *e)
{
	static const struct {
		const char *key;
		double share;
	} percentiles[] = {
		{ "p50", 0.5 }, { "p90", 0.9 }, { "p95", 0.95 }, { "p99", 0.99 }, { "p99.9", 0.999 }
	};
	const struct shares *wanted = &shown()->statistics;
	json_t *times;
	char key[SHARE_TEXT + 1] = "p";

	if (e->num_requests == e->num_none_requests)
		return json_null();
	times = json_object();
	set_real(times, "min", e->min_response_time_ms);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		set_ms(times, percentiles[i].key,
		       stats_percentile_exact_ms(e, percentiles[i].share));
	for (size_t i = 0; i < wanted->count; i++) {
		share_percent(wanted->value[i], key + 1);
		if (!json_object_get(times, key))
			set_ms(times, key, stats_percentile_exact_ms(e, wanted->value[i]));
	}
	set_real(times, "max", e->max_response_time_ms);
	return times;
}

struct request_rows {
	const struct stats_entry *total;
	enum web_compat compat;
};

static json_t *request_row(const struct stats_entry *e, const void *arg)
{
	const struct request_rows *how = arg;
	const struct stats_entry *total = how->total;
	const struct shares *wanted = &shown()->statistics;
	json_t *row = begin_row(e);
	char key[SHARE_KEY];
	struct rounded all;

	rounded_init(&all);
	stats_rounded(e, &all);
	set_ms(row, "median_response_time", stats_median_ms(e));
	set_ms(row, "ninetieth_response_time", rounded_percentile_ms(&all, 0.9));
	set_ms(row, "ninety_ninth_response_time", rounded_percentile_ms(&all, 0.99));
	set_ms(row, "response_time_percentile_0.95", rounded_percentile_ms(&all, 0.95));
	set_ms(row, "response_time_percentile_0.99", rounded_percentile_ms(&all, 0.99));
	set_ms(row, "response_time_percentile_0.999", rounded_percentile_ms(&all, 0.999));
	for (size_t i = 0; i < wanted->count; i++) {
		share_key(wanted->value[i], key);
		if (!json_object_get(row, key))
			set_ms(row, key, rounded_percentile_ms(&all, wanted->value[i]));
	}
	rounded_fini(&all);
	json_object_set_new(row, "exact_times", exact_times_of(e));
	set_real(row, "min_response_time", half_up(e->min_response_time_ms));
	set_real(row, "max_response_time", half_up(e->max_response_time_ms));
	set_real(row, "current_rps", stats_current_rps(e, total));
	set_real(row, "current_fail_per_sec", stats_current_fail_per_sec(e, total));
	set_real(row, "total_rps", stats_total_rps(e, total));
	set_real(row, "total_fail_per_sec", stats_total_fail_per_sec(e, total));
	if (how->compat == WEB_COMPAT_2_12)
		set_escaped(row, "safe_name", e->name, false);
	return row;
}

json_t *api_json_error_list(const struct run *run, enum web_compat compat, size_t rows_max)
{
	json_t *errors = json_array();
	struct map_entry *slot;
	struct buf text;

	buf_init(&text, LIMIT_API_BYTES);
	for (size_t i = 0; (slot = map_next(&run->stats.errors, &i));) {
		const struct stats_error *e = slot->value;
		json_t *row;

		if (json_array_size(errors) == rows_max)
			break;
		row = json_object();
		set_text(row, "method", e->method);
		set_shown(row, "name", e->name, compat);
		buf_clear(&text);
		web_compat_error(compat, run, e->error, &text);
		set_shown(row, "error", buf_str(&text).p, compat);
		set_count(row, "occurrences", e->occurrences);
		set_real(row, "first_seen", e->first_seen > 0 ? e->first_seen : NAN);
		set_real(row, "last_seen", e->last_seen > 0 ? e->last_seen : NAN);
		json_array_append_new(errors, row);
	}
	buf_fini(&text);
	return errors;
}

static void set_current_percentiles(json_t *root, const struct run *run, enum web_compat compat)
{
	static const struct shares old = { { 0.5, 0.95 }, 2 };
	const struct shares *shares = &shown()->chart;
	json_t *rounded = json_object(), *exact = json_object();
	double ms[LIMIT_SHARES], exact_ms[LIMIT_SHARES];
	char key[SHARE_KEY];

	recent_percentiles(&run->recent, run, shares, ms);
	recent_percentiles_exact(&run->recent, run, shares, exact_ms);
	for (size_t i = 0; i < shares->count; i++) {
		share_key(shares->value[i], key);
		set_ms(rounded, key, ms[i]);
		key[0] = 'p';
		share_percent(shares->value[i], key + 1);
		set_ms(exact, key, exact_ms[i]);
	}
	json_object_set_new(root, "current_response_time_percentiles", rounded);
	json_object_set_new(root, "current_exact_times", exact);
	if (compat == WEB_COMPAT_2_46)
		return;
	recent_percentiles(&run->recent, run, &old, ms);
	set_ms(root, "current_response_time_percentile_50", ms[0]);
	set_ms(root, "current_response_time_percentile_95", ms[1]);
}

/* Nine digits, which is more than anybody measures. */
static void add_measured(struct buf *text, double value)
{
	size_t start = text->len;

	if (!isfinite(value)) {
		buf_add_text(text, "null");
		return;
	}
	buf_add_g9(text, value);
	if (!text->is_full && !strpbrk(text->p + start, ".e"))
		buf_add_text(text, ".0");
}

static void add_text_or_null(struct buf *text, const char *value)
{
	if (value)
		buf_add_json(text, str_of(value));
	else
		buf_add_text(text, "null");
}

static void add_worker(struct buf *text, const struct run_worker *worker)
{
	buf_add_text(text, "\n    {\n      \"cicada\": ");
	add_text_or_null(text, worker->cicada);
	buf_add_text(text, ",\n      \"cpu_usage\": ");
	add_measured(text, worker->cpu_usage);
	buf_add_text(text, ",\n      \"id\": ");
	buf_add_json(text, str_of(worker->id));
	buf_add_text(text, ",\n      \"index\": ");
	buf_add_u64(text, worker->index);
	buf_add_text(text, ",\n      \"lag_p99_ms\": ");
	add_measured(text, worker->lag_p99_ms);
	buf_add_text(text, ",\n      \"memory_usage\": ");
	buf_add_u64(text, worker->memory_usage);
	buf_add_text(text, ",\n      \"state\": ");
	buf_add_json(text, str_of(run_state_name(worker->state)));
	buf_add_text(text, ",\n      \"user_count\": ");
	buf_add_u64(text, worker->user_count);
	buf_add_text(text, ",\n      \"version\": ");
	add_text_or_null(text, worker->version);
	buf_add_text(text, "\n    }");
}

/* The keys of workers are the last ones of the alphabet, so they are added to a finished document.
 * There may be thousands, and as a tree they would cost several times as much. */
static void add_workers(struct buf *text, const struct run *run)
{
	struct run_worker worker;
	size_t count = 0;

	text->len -= strlen("\n}");
	buf_printf(text, ",\n  \"worker_count\": %zu,\n  \"workers\": [",
		   run->mode->worker_count(run));
	for (; run->mode->worker(run, count, &worker); count++) {
		if (count)
			buf_add_char(text, ',');
		add_worker(text, &worker);
	}
	buf_add_text(text, count ? "\n  ]" : "]");
	if (run->workers_on_one_port)
		buf_printf(text, ",\n  \"workers_on_one_port\": %zu", run->workers_on_one_port);
	buf_add_text(text, "\n}");
}

char *api_json_requests(const struct run *run, enum web_compat compat)
{
	const struct stats_entry *total = &run->stats.total;
	const struct request_rows how = { total, compat };
	json_t *root = json_object();
	struct buf text;

	json_object_set_new(root, "stats", rows_of(&run->stats, request_row, &how));
	json_object_set_new(root, "errors", api_json_error_list(run, compat, LIMIT_API_ROWS));
	set_current_percentiles(root, run, compat);
	set_real(root, "current_rps", stats_current_rps(total, total));
	set_real(root, "current_fail_per_sec", stats_current_fail_per_sec(total, total));
	/* That of 2.12 is the present one. */
	set_real(root, "total_rps",
		 compat == WEB_COMPAT_2_12 ? stats_current_rps(total, total)
					   : stats_total_rps(total, total));
	set_real(root, "total_fail_per_sec", stats_total_fail_per_sec(total, total));
	set_real(root, "fail_ratio", stats_fail_ratio(total));
	set_text(root, "state", run_state_name(run->state));
	set_count(root, "user_count", run_user_count(run));
	buf_init(&text, LIMIT_API_BYTES);
	add_document(&text, root);
	if (run->mode->is_distributed)
		add_workers(&text, run);
	buf_add_char(&text, '\n');
	return buf_take(&text);
}

/* A distribution in full resolution. */
static json_t *times_of(const struct hist *set, size_t size)
{
	static const struct {
		const char *key;
		double share;
	} percentiles[] = { { "p50", 0.5 },  { "p90", 0.9 },	 { "p95", 0.95 },
			    { "p99", 0.99 }, { "p99.9", 0.999 }, { "max", 1 } };
	uint64_t count = hist_set_count(set, size);
	json_t *times = json_object();

	set_count(times, "count", count);
	set_real(times, "avg", count ? hist_set_mean_us(set, size) / CLOCK_MS : NAN);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		set_ms(times, percentiles[i].key,
		       count ? (double)hist_set_percentile_us(set, size, percentiles[i].share) /
				       CLOCK_MS
			     : NAN);
	return times;
}

/* What came with rounded times says neither: a part must not be shown as the whole. */
static void set_latencies(json_t *row, const struct stats_entry *e)
{
	json_t *outcomes = e->rounded.count ? json_null() : json_object();

	for (enum stats_outcome i = STATS_OK; i < STATS_OUTCOMES && !e->rounded.count; i++)
		json_object_set_new(outcomes, stats_outcome_name(i), times_of(&e->times[i], 1));
	json_object_set_new(row, "outcomes", outcomes);
	if (stats_scheduled(e) && !e->rounded.count)
		json_object_set_new(row, "response_time_from_start",
				    times_of(e->responses, STATS_OUTCOMES));
}

static json_t *window_row(const struct stats_entry *e, const void *arg)
{
	static const struct {
		const char *key;
		double share;
	} percentiles[] = { { "response_time_percentile_0.5", 0.5 },
			    { "response_time_percentile_0.9", 0.9 },
			    { "response_time_percentile_0.95", 0.95 },
			    { "response_time_percentile_0.99", 0.99 },
			    { "response_time_percentile_0.999", 0.999 } };
	double counted_s = *(const double *)arg;
	bool is_timed = e->num_requests > e->num_none_requests;
	json_t *row = begin_row(e);

	set_real(row, "requests_per_s", counted_s > 0 ? (double)e->num_requests / counted_s : 0);
	set_real(row, "failures_per_s", counted_s > 0 ? (double)e->num_failures / counted_s : 0);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		set_ms(row, percentiles[i].key,
		       is_timed ? stats_percentile_exact_ms(e, percentiles[i].share) : NAN);
	set_ms(row, "median_response_time", is_timed ? stats_percentile_exact_ms(e, 0.5) : NAN);
	set_real(row, "min_response_time", e->min_response_time_ms);
	set_real(row, "max_response_time", is_timed ? e->max_response_time_ms : NAN);
	if (!is_timed)
		set_real(row, "avg_response_time", NAN);
	set_latencies(row, e);
	return row;
}

/* All null when no worker of ours reports. */
json_t *api_json_generator(const struct run *run, const struct health *h)
{
	bool is_known = health_is_known(h);
	const char *reason = health_reason(h);
	json_t *generator = json_object();

	set_real(generator, "lag_p99_ms", is_known ? (double)health_lag_p99_us(h) / CLOCK_MS : NAN);
	set_real(generator, "lag_max_ms", is_known ? (double)h->lag_max_us / CLOCK_MS : NAN);
	set_real(generator, "cpu_percent_max", is_known ? h->cpu_percent_max : NAN);
	set_count(generator, "connections_open", run->connections_open);
	set_count(generator, "connections_opened", h->opened);
	set_count(generator, "connections_failed", h->failed);
	set_count(generator, "dropped", h->dropped);
	json_object_set_new(generator, "limited",
			    is_known ? json_boolean(reason != NULL) : json_null());
	set_text(generator, "reason", reason);
	return generator;
}

char *api_json_window(const struct run *run)
{
	double counted_s = run_window_counted_s(run);
	json_t *root = json_object(), *window = json_object(), *total = json_object();

	json_object_set_new(window, "is_open", json_boolean(run->is_window_open));
	json_object_set_new(window, "has_begun", json_boolean(run->has_window));
	set_real(window, "duration_s", run_window_s(run, run->now_us));
	set_real(window, "start_time", run->has_window ? run->window_start_wall_s : NAN);
	json_object_set_new(root, "window", window);
	json_object_set_new(root, "stats", rows_of(&run->window, window_row, &counted_s));
	set_count(total, "num_requests", run->stats.total.num_requests);
	set_count(total, "num_failures", run->stats.total.num_failures);
	json_object_set_new(root, "total", total);
	json_object_set_new(root, "generator", api_json_generator(run, &run->window.health));
	if (run->mode->is_distributed)
		set_count(root, "workers_on_one_port", run->workers_on_one_port);
	set_text(root, "model", run_model_name(run));
	set_text(root, "state", run_state_name(run->state));
	set_count(root, "user_count", run_user_count(run));
	return api_json_take(root);
}

/* Only whole seconds: the window begins and ends within one. */
static json_t *series_of(const struct run *run, double duration_s)
{
	const struct series *s = &run->series;
	double end_s = run->window_start_wall_s + duration_s;
	json_t *series = json_object(), *lists[5];
	static const char *const names[] = { "requests", "failures", "timed", "avg_response_time",
					     "user_count" };

	for (size_t k = 0; k < 5; k++)
		json_object_set_new(series, names[k], lists[k] = json_array());
	set_real(series, "start_time", (double)(s->first_unix_s + s->interval_s));
	set_count(series, "interval_s", s->interval_s);
	for (size_t i = 1; i < s->count; i++) {
		const struct series_item *item = &s->items[i];
		double ends_s = (double)(s->first_unix_s + (int64_t)((i + 1) * s->interval_s));

		if (ends_s > end_s)
			break;
		json_array_append_new(lists[0], json_real(item->requests));
		json_array_append_new(lists[1], json_real(item->failures));
		json_array_append_new(lists[2], json_real(item->timed));
		json_array_append_new(lists[3], item->timed > 0
							? json_real(item->time_ms / item->timed)
							: json_null());
		json_array_append_new(lists[4], json_real(item->users));
	}
	return series;
}

static void add_bucket(json_t *distribution, double us, uint64_t count)
{
	json_array_append_new(json_object_get(distribution, "us"), json_real(us));
	json_array_append_new(json_object_get(distribution, "counts"),
			      json_integer((json_int_t)count));
}

static json_t *empty_distribution(const char *resolution)
{
	json_t *distribution = json_object();

	set_text(distribution, "resolution", resolution);
	json_object_set_new(distribution, "us", json_array());
	json_object_set_new(distribution, "counts", json_array());
	return distribution;
}

static json_t *distribution_of(const struct hist *set, size_t size)
{
	json_t *distribution = empty_distribution("three digits");
	uint64_t us, count;

	for (size_t at = 0; hist_set_next(set, size, &at, &us, &count);)
		add_bucket(distribution, (double)us, count);
	return distribution;
}

/* The service times in parts, from the window's begin on. */
static json_t *parts_of(const struct run *run)
{
	const struct parts *p = &run->parts;
	json_t *parts = json_object(), *list = json_array();

	set_real(parts, "start_time", (double)p->first_unix_s);
	set_count(parts, "interval_s", p->interval_s);
	for (size_t i = 0; i < p->count; i++)
		json_array_append_new(list, distribution_of(&p->items[i], 1));
	json_object_set_new(parts, "service_times", list);
	return parts;
}

/* With Locust's workers: all in their rounding, for a mixture would be neither. */
static json_t *rounded_distribution_of(const struct stats_entry *e)
{
	json_t *distribution = empty_distribution("as Locust rounds");
	struct rounded all;

	rounded_init(&all);
	stats_rounded(e, &all);
	for (size_t i = 0; i < all.used; i++)
		add_bucket(distribution, all.buckets[i].ms * CLOCK_MS, all.buckets[i].count);
	rounded_fini(&all);
	return distribution;
}

/* Of users whose waits are seen here; what only some of them report says nothing of all. */
static json_t *waiting_of(const struct stats *window)
{
	const struct health *h = &window->health;
	json_t *waiting;

	if (!h->waits || window->total.rounded.count)
		return json_null();
	waiting = json_object();
	set_count(waiting, "waits", h->waits);
	set_real(waiting, "total_s", (double)h->waited_us / CLOCK_S);
	return waiting;
}

char *api_json_window_details(const struct run *run)
{
	const struct stats_entry *total = &run->window.total;
	double duration_s = run_window_s(run, run->now_us);
	json_t *root = json_object();

	set_real(root, "duration_s", duration_s);
	set_real(root, "start_time", run->has_window ? run->window_start_wall_s : NAN);
	json_object_set_new(root, "series", series_of(run, duration_s));
	json_object_set_new(root, "service_times",
			    total->rounded.count ? rounded_distribution_of(total)
						 : distribution_of(total->times, STATS_OUTCOMES));
	json_object_set_new(root, "parts", total->rounded.count ? json_null() : parts_of(run));
	json_object_set_new(root, "response_times",
			    stats_scheduled(total) && !total->rounded.count
				    ? distribution_of(total->responses, STATS_OUTCOMES)
				    : json_null());
	json_object_set_new(root, "waiting", waiting_of(&run->window));
	return api_json_take(root);
}

json_t *api_json_exception_list(const struct run *run, enum web_compat compat)
{
	json_t *list = json_array();
	struct map_entry *slot;

	for (size_t i = 0; (slot = map_next(&run->exceptions, &i));) {
		const struct run_exception *e = slot->value;
		json_t *row = json_object();
		char *nodes = run_exception_nodes(e);

		set_count(row, "count", e->count);
		set_shown(row, "msg", e->msg, compat);
		set_shown(row, "traceback", e->traceback, compat);
		set_text(row, "nodes", nodes);
		mem_free(nodes);
		json_array_append_new(list, row);
	}
	return list;
}

char *api_json_exceptions(const struct run *run, enum web_compat compat)
{
	json_t *root = json_object();

	json_object_set_new(root, "exceptions", api_json_exception_list(run, compat));
	return api_json_take(root);
}

static void add_log_line(void *lines, struct str line)
{
	char *text = mem_strndup(line.p, line.len);

	json_array_append_new(lines, api_json_string(text));
	mem_free(text);
}

static json_t *lines_of(struct str logs)
{
	json_t *lines = json_array();
	struct str line;

	while (logs.len && str_cut(&logs, '\0', &line))
		add_log_line(lines, line);
	return lines;
}

char *api_json_logs(const struct run *run)
{
	json_t *root = json_object(), *master = json_array(), *workers = json_object();
	size_t left = LIMIT_API_LOG_BYTES;
	struct run_worker worker;

	(void)log_kept_each(add_log_line, master);
	for (size_t i = 0; run->mode->worker(run, i, &worker) && worker.logs.len <= left; i++) {
		if (!worker.logs.len)
			continue;
		left -= worker.logs.len;
		json_object_set_new(workers, worker.id, lines_of(worker.logs));
	}
	json_object_set_new(root, "master", master);
	json_object_set_new(root, "workers", workers);
	return api_json_take(root);
}

/* Tasks of the same name are one, as they are one function in a locustfile. */
static json_t *tasks_of(const struct run_class *class, const bool *draws, double factor)
{
	json_t *tasks = json_object();
	double sum = 0;

	for (size_t i = 0; i < class->task_count; i++)
		sum += !draws || draws[i] ? class->tasks[i].weight : 0;
	for (size_t i = 0; i < class->task_count && sum > 0; i++) {
		const struct run_task *task = &class->tasks[i];
		const json_t *known = json_object_get(json_object_get(tasks, task->name), "ratio");
		json_t *ratio;

		if (draws && !draws[i])
			continue;
		ratio = json_object();
		set_real(ratio, "ratio", json_number_value(known) + task->weight / sum * factor);
		json_object_set_new(tasks, task->name, ratio);
	}
	return tasks;
}

json_t *api_json_ratios(const struct run *run, const uint64_t *users_per_class)
{
	json_t *root = json_object(), *per_class = json_object(), *total = json_object();
	double users = 0;

	for (size_t i = 0; i < run->options.class_count; i++)
		users += (double)users_per_class[i];
	for (size_t i = 0; i < run->options.class_count; i++) {
		const struct run_class *class = &run->options.classes[i];
		const bool *draws = run->shares[i].draws;
		double ratio = users > 0 ? (double)users_per_class[i] / users : 0;
		json_t *alone = json_object(), *share = json_object();

		set_real(alone, "ratio", ratio);
		json_object_set_new(alone, "tasks", tasks_of(class, draws, 1));
		json_object_set_new(per_class, class->name, alone);
		set_real(share, "ratio", ratio);
		json_object_set_new(share, "tasks", tasks_of(class, draws, ratio));
		json_object_set_new(total, class->name, share);
	}
	json_object_set_new(root, "per_class", per_class);
	json_object_set_new(root, "total", total);
	return root;
}

char *api_json_tasks(const struct run *run)
{
	return api_json_take(api_json_ratios(run, run->users_per_class));
}
