/* SPDX-License-Identifier: MIT
 *
 * master_api - see the header.
 *
 * Field names: Locust up to 2.17 has ninetieth_response_time and ninety_ninth_..., from
 * 2.20 response_time_percentile_<p>. Both are read where they are, and a percentile that
 * is not there stays NAN: none is ever filled in from another. */
#include "matrix/master_api.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "matrix/master_details.h"
#include "matrix/pause.h"

#define CALL_TIMEOUT_MS 10000
#define CALL_ATTEMPTS	5
#define CSV_COLUMNS	64

/* One look at a test without /stats/window. */
struct sample {
	uint64_t at_us, requests;
};

struct master_api {
	struct fetch *fetch;
	struct pause *pause;
	const struct master_access *access;
	char *url;
	char *shown; /* the same without user and password, for messages */
	bool has_window;
	/* Of the test in progress, only without /stats/window: */
	uint64_t users_wanted;
	bool has_first;
	struct sample first, last; /* when all users were first seen; before the stop */
};

static bool is_stopped(void *arg)
{
	return pause_is_stopped(arg);
}

struct master_api *master_api_create(const char *url, const struct master_access *access,
				     struct pause *pause)
{
	struct master_api *m = mem_zalloc(1, sizeof(*m));
	size_t len = strlen(url);
	struct buf shown;

	while (len && url[len - 1] == '/')
		len--;
	m->url = mem_strndup(url, len);
	buf_init(&shown, len);
	buf_add_url(&shown, m->url);
	m->shown = mem_strndup(buf_str(&shown).p, shown.len);
	buf_fini(&shown);
	m->access = access;
	m->pause = pause;
	m->fetch = fetch_create(is_stopped, pause);
	return m;
}

void master_api_destroy(struct master_api **m)
{
	if (!*m)
		return;
	fetch_destroy(&(*m)->fetch);
	mem_free((*m)->url);
	mem_free((*m)->shown);
	mem_free(*m);
	*m = NULL;
}

bool master_api_has_window(const struct master_api *m)
{
	return m->has_window;
}

static struct fetch_request request_of(const struct master_api *m, const char *url,
				       uint64_t timeout_ms, unsigned attempts)
{
	return (struct fetch_request){ .url = url,
				       .bearer = m->access->token,
				       .tls = &m->access->tls,
				       .timeout_ms = timeout_ms,
				       .attempts = attempts };
}

static enum err get_json(struct master_api *m, const char *path, uint64_t timeout_ms,
			 unsigned attempts, json_t **out, struct err_text *text)
{
	char *url = mem_printf("%s%s", m->url, path);
	struct fetch_request request = request_of(m, url, timeout_ms, attempts);
	enum err err = fetch_json(m->fetch, &request, out, text);

	mem_free(url);
	return err;
}

/* The body of a GET as text. */
static enum err get_text(struct master_api *m, const char *path, struct fetch_reply *reply,
			 struct err_text *text)
{
	char *url = mem_printf("%s%s", m->url, path);
	struct fetch_request request = request_of(m, url, CALL_TIMEOUT_MS, CALL_ATTEMPTS);
	enum err err = fetch_call(m->fetch, &request, reply, text);

	if (!err)
		err = fetch_expect(&request, reply, text);
	mem_free(url);
	return err;
}

/* With what there is to do about it. */
static enum err say_denied(struct err_text *text)
{
	struct err_text said = *text;

	return err_set(text, ERR_DENIED,
		       "%.380s; say who asks: --master-token FILE, or --master "
		       "http://USER:PASSWORD@...",
		       said.text);
}

enum err master_api_open(struct master_api *m, uint64_t timeout_ms, struct err_text *text)
{
	uint64_t end_us = m->pause->now_us(m->pause) + timeout_ms * CLOCK_MS;
	json_t *root = NULL;
	enum err err;

	for (;;) {
		err = get_json(m, "/stats/window", CALL_TIMEOUT_MS, 1, &root, text);
		if (!err || err == ERR_NOT_FOUND || err == ERR_DENIED || err == ERR_INTERRUPTED ||
		    m->pause->now_us(m->pause) >= end_us)
			break;
		if (!pause_for(m->pause, 100 * CLOCK_MS))
			return err_set(text, ERR_INTERRUPTED, "%s: interrupted", m->shown);
	}
	m->has_window = !err;
	json_decref(root);
	root = NULL;
	if (err == ERR_NOT_FOUND)
		err = get_json(m, "/stats/requests", CALL_TIMEOUT_MS, 1, &root, text);
	json_decref(root);
	return err == ERR_DENIED ? say_denied(text) : err;
}

enum err master_api_reset(struct master_api *m, struct err_text *text)
{
	struct fetch_reply reply;
	enum err err;

	fetch_reply_init(&reply);
	err = get_text(m, "/stats/reset", &reply, text);
	fetch_reply_fini(&reply);
	return err;
}

/* Our and Locust's way to say no: {"success": false, "message": "..."}. */
static enum err check_success(const json_t *root, const char *what, struct err_text *text)
{
	const char *message = json_string_value(json_object_get(root, "message"));

	if (json_is_true(json_object_get(root, "success")))
		return OK;
	return err_set(text, ERR_REFUSED, "%s: the master refuses: %.200s", what,
		       message ? message : "(no message)");
}

enum err master_api_swarm(struct master_api *m, uint64_t users, double spawn_rate, const char *host,
			  struct err_text *text)
{
	char *url = mem_printf("%s/swarm", m->url), number[64];
	struct fetch_request request = request_of(m, url, CALL_TIMEOUT_MS, 1);
	json_t *root = NULL;
	struct buf form;
	enum err err;

	buf_init(&form, 8192);
	snprintf(number, sizeof(number), "%" PRIu64, users);
	fetch_form_add(&form, "user_count", number);
	snprintf(number, sizeof(number), "%.6g", spawn_rate);
	fetch_form_add(&form, "spawn_rate", number);
	fetch_form_add(&form, "host", host);
	m->users_wanted = users;
	m->has_first = false;
	request.body = form.p;
	err = form.is_full ? err_set(text, ERR_TOO_BIG, "the target's URL is too long")
			   : fetch_json(m->fetch, &request, &root, text);
	if (!err)
		err = check_success(root, "/swarm", text);
	json_decref(root);
	buf_fini(&form);
	mem_free(url);
	return err;
}

/* The row of the sums; it is the last one. */
static const json_t *aggregated(const json_t *root)
{
	const json_t *stats = json_object_get(root, "stats");
	size_t count = json_array_size(stats);

	return count ? json_array_get(stats, count - 1) : NULL;
}

static double number_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static double either_of(const json_t *object, const char *name, const char *older_name)
{
	double value = number_of(object, name);

	return isnan(value) ? number_of(object, older_name) : value;
}

/* False when it is missing, negative or not whole: the reply is not what we think. */
static bool count_of(const json_t *object, const char *name, uint64_t *out)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static enum err strange_reply(const struct master_api *m, const char *path, const char *field,
			      struct err_text *text)
{
	return err_set(text, ERR_BAD_INPUT,
		       "%s%s: the reply has no usable '%s'; is this a Locust or Cicada master?",
		       m->shown, path, field);
}

static void count_workers(const json_t *root, struct master_api_live *out)
{
	const json_t *workers = json_object_get(root, "workers");

	/* A standalone load generator has no list: it is its own only worker. */
	if (!json_is_array(workers)) {
		out->workers_ready = out->state == MASTER_IDLE;
		out->workers_busy = !out->workers_ready;
		return;
	}
	for (size_t i = 0; i < json_array_size(workers); i++) {
		const char *state =
			json_string_value(json_object_get(json_array_get(workers, i), "state"));

		if (state && !strcmp(state, "ready"))
			out->workers_ready++;
		else if (state && (!strcmp(state, "running") || !strcmp(state, "spawning")))
			out->workers_busy++;
	}
}

static bool read_state(const json_t *root, struct master_api_live *out)
{
	const char *state = json_string_value(json_object_get(root, "state"));

	if (!state)
		return false;
	out->state = !strcmp(state, "spawning")				       ? MASTER_SPAWNING
		     : !strcmp(state, "running")			       ? MASTER_RUNNING
		     : !strcmp(state, "stopping") || !strcmp(state, "cleanup") ? MASTER_STOPPING
									       : MASTER_IDLE;
	return true;
}

/* Cuts a line without quoted cells; names with commas are quoted and make it false. */
static size_t cut_cells(struct str line, struct str cells[CSV_COLUMNS])
{
	size_t count = 0;

	while (count < CSV_COLUMNS && str_cut(&line, ',', &cells[count]))
		count++;
	return count;
}

static double csv_number(const struct str *head, const struct str *cells, size_t count,
			 const char *name)
{
	double value;

	for (size_t i = 0; i < count; i++)
		if (str_eq(head[i], name) && num_parse_double(cells[i], &value))
			return value;
	return NAN;
}

/* Reads the line "Aggregated" of /stats/requests/csv, which has every percentile in
 * every version of Locust. */
static bool read_csv(struct str body, struct master_api_final *out)
{
	struct str head[CSV_COLUMNS], cells[CSV_COLUMNS], line;
	size_t columns;
	double requests, failures;

	if (!str_cut(&body, '\n', &line))
		return false;
	columns = cut_cells(str_trim(line), head);
	do {
		if (!str_cut(&body, '\n', &line))
			return false;
	} while (cut_cells(str_trim(line), cells) != columns || columns < 2 ||
		 !str_eq(cells[1], "Aggregated"));
	requests = csv_number(head, cells, columns, "Request Count");
	failures = csv_number(head, cells, columns, "Failure Count");
	if (!(requests >= 0) || !(failures >= 0))
		return false;
	out->total_requests = (uint64_t)requests;
	out->total_failures = (uint64_t)failures;
	out->median_ms = csv_number(head, cells, columns, "Median Response Time");
	out->p90_ms = csv_number(head, cells, columns, "90%");
	out->p95_ms = csv_number(head, cells, columns, "95%");
	out->p99_ms = csv_number(head, cells, columns, "99%");
	out->avg_ms = csv_number(head, cells, columns, "Average Response Time");
	out->min_ms = csv_number(head, cells, columns, "Min Response Time");
	out->max_ms = csv_number(head, cells, columns, "Max Response Time");
	return true;
}

static enum err get_csv(struct master_api *m, struct master_api_final *out, struct err_text *text)
{
	struct fetch_reply reply;
	enum err err;

	fetch_reply_init(&reply);
	err = get_text(m, "/stats/requests/csv", &reply, text);
	if (!err && !read_csv(buf_str(&reply.body), out))
		err = strange_reply(m, "/stats/requests/csv", "line Aggregated", text);
	fetch_reply_fini(&reply);
	return err;
}

/* Unlike /stats/requests, the CSV is not served from a cache of 2 s. */
static enum err take_sample(struct master_api *m, struct sample *out, struct err_text *text)
{
	struct master_api_final now;
	enum err err = get_csv(m, &now, text);

	if (!err)
		*out = (struct sample){ m->pause->now_us(m->pause), now.total_requests };
	return err;
}

/* A Locust master: its own, rolling figures, and the window from what we saw. */
static enum err estimate_window(struct master_api *m, const json_t *row,
				struct master_api_live *out, struct err_text *text)
{
	out->rps = number_of(row, "current_rps");
	out->median_ms = number_of(row, "median_response_time");
	out->p90_ms = either_of(row, "response_time_percentile_0.9", "ninetieth_response_time");
	out->p95_ms = number_of(row, "response_time_percentile_0.95");
	out->is_window_open = out->state == MASTER_RUNNING && out->users >= m->users_wanted;
	if (out->is_window_open && !m->has_first) {
		enum err err = take_sample(m, &m->first, text);

		if (err)
			return err;
		m->has_first = true;
	}
	if (out->is_window_open)
		out->window_s = (double)(m->pause->now_us(m->pause) - m->first.at_us) / CLOCK_S;
	return OK;
}

static enum err read_window(struct master_api *m, struct master_api_live *out,
			    struct err_text *text)
{
	const json_t *window, *row;
	json_t *root = NULL;
	enum err err = get_json(m, "/stats/window", CALL_TIMEOUT_MS, CALL_ATTEMPTS, &root, text);

	if (err)
		return err;
	window = json_object_get(root, "window");
	row = aggregated(root);
	out->is_window_open = json_is_true(json_object_get(window, "is_open"));
	out->window_s = number_of(window, "duration_s");
	if (!row || !count_of(json_object_get(root, "total"), "num_requests", &out->requests) ||
	    (out->is_window_open && isnan(out->window_s))) {
		err = strange_reply(m, "/stats/window", "window, stats or total", text);
	} else if (out->is_window_open) {
		out->rps = number_of(row, "requests_per_s");
		out->median_ms = number_of(row, "median_response_time");
		out->p90_ms = number_of(row, "response_time_percentile_0.9");
		out->p95_ms = number_of(row, "response_time_percentile_0.95");
	}
	json_decref(root);
	return err;
}

enum err master_api_look(struct master_api *m, struct master_api_live *out, struct err_text *text)
{
	json_t *root = NULL;
	const json_t *row;
	enum err err = get_json(m, "/stats/requests", CALL_TIMEOUT_MS, CALL_ATTEMPTS, &root, text);

	*out = (struct master_api_live){
		.rps = NAN, .median_ms = NAN, .p90_ms = NAN, .p95_ms = NAN
	};
	if (err)
		return err;
	row = aggregated(root);
	if (!read_state(root, out))
		err = strange_reply(m, "/stats/requests", "state", text);
	else if (!count_of(root, "user_count", &out->users))
		err = strange_reply(m, "/stats/requests", "user_count", text);
	else if (!row || !count_of(row, "num_requests", &out->requests))
		err = strange_reply(m, "/stats/requests", "stats", text);
	if (!err) {
		count_workers(root, out);
		if (!m->has_window)
			err = estimate_window(m, row, out, text);
	}
	json_decref(root);
	return err || !m->has_window ? err : read_window(m, out, text);
}

enum err master_api_stop(struct master_api *m, uint64_t timeout_ms, struct err_text *text)
{
	struct err_text ignored = { "" };
	json_t *root = NULL;
	enum err err;

	/* Without the sample there is no rate, but stopping matters more. */
	if (m->has_first && take_sample(m, &m->last, &ignored))
		m->has_first = false;
	err = get_json(m, "/stop", timeout_ms, CALL_ATTEMPTS, &root, text);
	if (!err)
		err = check_success(root, "/stop", text);
	json_decref(root);
	return err;
}

/* Without it (an older master) nothing is known. */
static void read_generator(const json_t *generator, struct master_api_final *out)
{
	const json_t *limited = json_object_get(generator, "limited");
	const json_t *dropped = json_object_get(generator, "dropped");
	const char *reason = json_string_value(json_object_get(generator, "reason"));

	out->lag_p99_ms = number_of(generator, "lag_p99_ms");
	out->generator_cpu_pct = number_of(generator, "cpu_percent_max");
	out->dropped = json_is_integer(dropped) && json_integer_value(dropped) >= 0
			       ? (uint64_t)json_integer_value(dropped)
			       : UINT64_MAX;
	out->is_generator_known = json_is_boolean(limited);
	out->is_generator_limited = json_is_true(limited);
	snprintf(out->generator_reason, sizeof(out->generator_reason), "%s",
		 reason ? reason : "(no reason given)");
}

/* Without them (an older master) nothing is known. The model goes into tables as it is, so it is
 * taken only if it is a word. */
static void read_latencies(const json_t *root, const json_t *row, struct master_api_final *out)
{
	const json_t *start = json_object_get(row, "response_time_from_start");
	const char *model = json_string_value(json_object_get(root, "model"));

	out->response_p95_ms = number_of(start, "p95");
	out->response_p99_ms = number_of(start, "p99");
	if (model && strlen(model) < sizeof(out->model) &&
	    !model[strspn(model, "abcdefghijklmnopqrstuvwxyz+")])
		snprintf(out->model, sizeof(out->model), "%s", model);
}

static enum err finish_from_window(struct master_api *m, struct master_api_final *out,
				   struct err_text *text)
{
	const json_t *row, *total;
	json_t *root = NULL;
	enum err err = get_json(m, "/stats/window", CALL_TIMEOUT_MS, CALL_ATTEMPTS, &root, text);

	if (err)
		return err;
	row = aggregated(root);
	total = json_object_get(root, "total");
	out->window_s = number_of(json_object_get(root, "window"), "duration_s");
	if (!count_of(total, "num_requests", &out->total_requests) ||
	    !count_of(total, "num_failures", &out->total_failures)) {
		err = strange_reply(m, "/stats/window", "total", text);
	} else if (!row || !count_of(row, "num_requests", &out->window_requests)) {
		err = strange_reply(m, "/stats/window", "stats", text);
	} else {
		read_generator(json_object_get(root, "generator"), out);
		read_latencies(root, row, out);
		out->rps = out->window_s > 0 ? (double)out->window_requests / out->window_s : NAN;
		out->median_ms = number_of(row, "median_response_time");
		out->p90_ms = number_of(row, "response_time_percentile_0.9");
		out->p95_ms = number_of(row, "response_time_percentile_0.95");
		out->p99_ms = number_of(row, "response_time_percentile_0.99");
		out->avg_ms = number_of(row, "avg_response_time");
		out->min_ms = number_of(row, "min_response_time");
		out->max_ms = number_of(row, "max_response_time");
	}
	json_decref(root);
	return err;
}

static enum err finish_from_csv(struct master_api *m, struct master_api_final *out,
				struct err_text *text)
{
	enum err err = get_csv(m, out, text);

	if (err || !m->has_first || m->last.at_us <= m->first.at_us ||
	    m->last.requests < m->first.requests)
		return err;
	out->window_s = (double)(m->last.at_us - m->first.at_us) / CLOCK_S;
	out->rps = (double)(m->last.requests - m->first.requests) / out->window_s;
	return OK;
}

enum err master_api_finish(struct master_api *m, struct master_api_final *out,
			   struct err_text *text)
{
	*out = (struct master_api_final){ .window_requests = UINT64_MAX,
					  .window_s = NAN,
					  .rps = NAN,
					  .median_ms = NAN,
					  .p90_ms = NAN,
					  .p95_ms = NAN,
					  .p99_ms = NAN,
					  .avg_ms = NAN,
					  .min_ms = NAN,
					  .max_ms = NAN,
					  .lag_p99_ms = NAN,
					  .generator_cpu_pct = NAN,
					  .response_p95_ms = NAN,
					  .response_p99_ms = NAN,
					  .dropped = UINT64_MAX };
	return m->has_window ? finish_from_window(m, out, text) : finish_from_csv(m, out, text);
}

enum err master_api_read_details(struct master_api *m, struct evidence *out, struct err_text *text)
{
	struct err_text why = { "" };
	json_t *root = NULL;
	enum err err = ERR_NOT_FOUND;

	if (m->has_window)
		err = get_json(m, "/stats/window/details", CALL_TIMEOUT_MS, CALL_ATTEMPTS, &root,
			       text);
	if (!err) {
		err = master_details_read(root, out, &why);
		if (err)
			err_set(text, err, "%s/stats/window/details: %s", m->shown, why.text);
	}
	json_decref(root);
	return err;
}
