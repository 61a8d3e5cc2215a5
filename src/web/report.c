/* SPDX-License-Identifier: MIT
 *
 * report - see the header. The page is made by ui/bundle.mjs from ui/src/test, and everything that
 * is shown is written into it as JSON.
 *
 * Names, errors and hosts come from scenarios and from the network: asset_add() makes them unable
 * to be more than text. */
#include "web/report.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "serve/asset.h"
#include "web/api_json.h"
#include "web/api_page.h"

extern const struct asset asset_test_alone;

/* Locust's, and the rarest. */
static const double shares[] = { 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1 };
#define SHARES (sizeof(shares) / sizeof(shares[0]))

static void set_real(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, api_json_real(value));
}

static void set_count(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, api_json_string(text));
}

/* A report is handed on: whose password it was stays here. */
static void set_host(json_t *root, const char *host)
{
	const char *authority = host ? strstr(host, "://") : NULL, *at;
	size_t len;
	char *shown;

	if (!authority) {
		set_text(root, "host", host);
		return;
	}
	authority += strlen("://");
	len = strcspn(authority, "/?#");
	at = memrchr(authority, '@', len);
	shown = mem_printf("%.*s%s", (int)(authority - host), host, at ? at + 1 : authority);
	set_text(root, "host", shown);
	mem_free(shown);
}

/* Times as exact as they are known, rates of the whole test. */
static json_t *row_of(const struct stats_entry *e, const struct stats_entry *total)
{
	bool is_timed = e->num_requests > e->num_none_requests;
	json_t *row = json_object(), *times = json_array();

	set_text(row, "method", e->method);
	set_text(row, "name", e->name);
	set_count(row, "num_requests", e->num_requests);
	set_count(row, "num_failures", e->num_failures);
	set_real(row, "avg_response_time", is_timed ? stats_avg_response_time_ms(e) : NAN);
	set_real(row, "min_response_time", e->min_response_time_ms);
	set_real(row, "max_response_time", is_timed ? e->max_response_time_ms : NAN);
	set_real(row, "avg_content_length", stats_avg_content_length(e));
	set_real(row, "total_rps", stats_total_rps(e, total));
	set_real(row, "total_fail_per_sec", stats_total_fail_per_sec(e, total));
	for (size_t i = 0; i < SHARES; i++)
		json_array_append_new(
			times,
			api_json_real(is_timed ? stats_percentile_exact_ms(e, shares[i]) : NAN));
	json_object_set_new(row, "percentiles", times);
	return row;
}

/* By name, and the sum behind them. */
static void set_rows(json_t *root, const struct stats *s)
{
	json_t *rows = json_array(), *list = json_array();
	size_t count;
	struct stats_entry **sorted = stats_sorted(s, &count);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(rows, row_of(sorted[i], &s->total));
	json_array_append_new(rows, row_of(&s->total, &s->total));
	for (size_t i = 0; i < SHARES; i++)
		json_array_append_new(list, json_real(shares[i]));
	json_object_set_new(root, "stats", rows);
	json_object_set_new(root, "shares", list);
	mem_free(sorted);
}

/* What was tested, by whom, and when. */
static void set_facts(json_t *root, const struct run *run)
{
	const struct stats_entry *total = &run->stats.total;

	set_text(root, "version", CICADA_VERSION);
	set_text(root, "scenario", run->options.scenario_name);
	set_host(root, run->host);
	set_text(root, "profile", run->profile);
	set_text(root, "model", run_model_name(run));
	set_text(root, "state", run_state_name(run->state));
	set_real(root, "written", run_wall_s(run));
	set_real(root, "start_time", total->start_time);
	set_real(root, "end_time", fmax(total->last_request_timestamp, total->start_time));
	set_count(root, "user_count", run->wanted.user_count);
	set_real(root, "spawn_rate", run->wanted.spawn_rate);
	set_count(root, "run_time", run->wanted.run_time_s);
	json_object_set_new(root, "is_shaped", json_boolean(run->wanted.is_shaped));
	set_count(root, "worker_count",
		  run->mode->is_distributed ? run->mode->worker_count(run) : 0);
	set_count(root, "workers_on_one_port", run->workers_on_one_port);
}

static void set_theme(json_t *root, const char *theme)
{
	bool is_known = theme && (strcmp(theme, "dark") == 0 || strcmp(theme, "light") == 0);

	set_text(root, "theme", is_known ? theme : NULL);
}

void report_write(const struct run *run, const struct report_options *options, struct buf *out)
{
	/* Of the users there are, and once they have been told to stop, of those there were. */
	bool is_over = run->state == RUN_STOPPING || run->state == RUN_STOPPED;
	json_t *root = json_object();
	struct asset_page page;
	struct buf json;

	set_facts(root, run);
	set_theme(root, options->theme);
	json_object_set_new(root, "has_download_link", json_boolean(options->has_download_link));
	set_rows(root, &run->stats);
	json_object_set_new(root, "errors",
			    api_json_error_list(run, WEB_COMPAT_2_46, LIMIT_STAT_ERRORS + 1));
	json_object_set_new(root, "exceptions", api_json_exception_list(run, WEB_COMPAT_2_46));
	json_object_set_new(root, "history", api_page_history(run));
	json_object_set_new(root, "distribution", api_page_distribution(run, NULL, NULL));
	json_object_set_new(
		root, "tasks",
		api_json_ratios(run, is_over ? run->last_users_per_class : run->users_per_class));
	json_object_set_new(root, "generator", api_json_generator(run, &run->stats.health));
	buf_init(&json, LIMIT_REPORT_BYTES);
	api_json_add_packed(&json, root);
	asset_begin(&page, &asset_test_alone, out);
	asset_add(buf_str(&json), out);
	asset_end(&page, out);
	out->is_full |= json.is_full;
	buf_fini(&json);
}
