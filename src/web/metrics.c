/* SPDX-License-Identifier: MIT
 *
 * metrics - see the header.
 *
 * A scraper refuses a page with a series that stands twice, or with a label that is no UTF-8. So
 * rows and errors that are no UTF-8 are left out (a name would have to be repaired, and might then
 * be another one's), and errors that differ in their key only are one. */
#include "web/metrics.h"

#include <math.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "serve/metrics_text.h"

#define LABELS(...) \
	(const struct metrics_label[]) \
	{ \
		__VA_ARGS__ \
	}

static const double bounds_s[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
				   0.1,	   0.25,    0.5,    1,	   2.5,	   5,	  10,	30,    60 };

#define BOUND_COUNT (sizeof(bounds_s) / sizeof(bounds_s[0]))

struct rows {
	const struct stats_entry *items[LIMIT_API_ROWS];
	size_t count;
};

static void choose_rows(const struct run *run, struct rows *rows)
{
	size_t count;
	struct stats_entry **sorted = stats_sorted(&run->stats, &count);

	rows->count = 0;
	for (size_t i = 0; i < count && rows->count < LIMIT_API_ROWS; i++)
		if (str_is_utf8(str_of(sorted[i]->name)) && str_is_utf8(str_of(sorted[i]->method)))
			rows->items[rows->count++] = sorted[i];
	mem_free(sorted);
}

static void add_gauge(struct buf *out, const char *name, const char *help, double value)
{
	metrics_text_family(out, name, METRICS_GAUGE, help);
	metrics_text_sample(out, name, NULL, 0, value);
}

static void add_counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metrics_text_family(out, name, METRICS_COUNTER, help);
	metrics_text_sample(out, name, NULL, 0, (double)value);
}

/* ---- locust_exporter's ---- */

typedef double (*row_value_fn)(const struct stats_entry *e, const struct stats_entry *total);

static double num_requests(const struct stats_entry *e, const struct stats_entry *total)
{
	(void)total;
	return (double)e->num_requests;
}

static double num_failures(const struct stats_entry *e, const struct stats_entry *total)
{
	(void)total;
	return (double)e->num_failures;
}

static double average_ms(const struct stats_entry *e, const struct stats_entry *total)
{
	(void)total;
	return stats_avg_response_time_ms(e);
}

static double median_ms(const struct stats_entry *e, const struct stats_entry *total)
{
	(void)total;
	return stats_median_ms(e);
}

static double min_ms(const struct stats_entry *e, const struct stats_entry *total)
{
	(void)total;
	return isnan(e->min_response_time_ms) ? 0 : e->min_response_time_ms;
}

static double max_ms(const struct stats_entry *e, const struct stats_entry *total)
{
	(void)total;
	return e->max_response_time_ms;
}

static double average_bytes(const struct stats_entry *e, const struct stats_entry *total)
{
	(void)total;
	return stats_avg_content_length(e);
}

static void add_row_family(struct buf *out, const struct run *run, const struct rows *rows,
			   const char *name, const char *help, row_value_fn value)
{
	const struct stats_entry *total = &run->stats.total;

	metrics_text_family(out, name, METRICS_GAUGE, help);
	for (size_t i = 0; i <= rows->count; i++) {
		const struct stats_entry *e = i < rows->count ? rows->items[i] : total;

		metrics_text_sample(out, name, LABELS({ "method", e->method }, { "name", e->name }),
				    2, value(e, total));
	}
}

static void add_locust_rows(struct buf *out, const struct run *run, const struct rows *rows)
{
	static const struct {
		const char *name, *help;
		row_value_fn value;
	} families[] = {
		{ "locust_requests_num_requests", "Requests in this test.", num_requests },
		{ "locust_requests_num_failures", "Failed requests in this test.", num_failures },
		{ "locust_requests_avg_response_time", "Average in milliseconds.", average_ms },
		{ "locust_requests_median_response_time", "Median in milliseconds.", median_ms },
		{ "locust_requests_min_response_time", "Shortest in milliseconds.", min_ms },
		{ "locust_requests_max_response_time", "Longest in milliseconds.", max_ms },
		{ "locust_requests_current_rps", "Requests per second, of late.",
		  stats_current_rps },
		{ "locust_requests_current_fail_per_sec", "Failures per second, of late.",
		  stats_current_fail_per_sec },
		{ "locust_requests_avg_content_length", "Average size in bytes.", average_bytes },
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		add_row_family(out, run, rows, families[i].name, families[i].help,
			       families[i].value);
}

static bool is_error_utf8(const struct stats_error *e)
{
	return str_is_utf8(str_of(e->method)) && str_is_utf8(str_of(e->name)) &&
	       str_is_utf8(str_of(e->error));
}

/* What a scraper tells errors apart by. */
static void add_identity(struct buf *out, const struct stats_error *e)
{
	buf_add(out, e->method, strlen(e->method) + 1);
	buf_add(out, e->name, strlen(e->name) + 1);
	buf_add_text(out, e->error);
}

static void add_errors(struct buf *out, const struct run *run)
{
	static const char name[] = "locust_errors";
	struct map times; /* identity -> index + 1 into chosen */
	const struct stats_error *chosen[LIMIT_API_ROWS];
	uint64_t occurrences[LIMIT_API_ROWS];
	struct map_entry *slot;
	struct buf identity;
	size_t count = 0;

	map_init(&times);
	buf_init(&identity, LIMIT_API_BYTES);
	for (size_t i = 0; (slot = map_next(&run->stats.errors, &i));) {
		const struct stats_error *e = slot->value;
		uintptr_t known;

		if (!is_error_utf8(e))
			continue;
		buf_clear(&identity);
		add_identity(&identity, e);
		known = (uintptr_t)map_get(&times, buf_str(&identity));
		if (known) {
			occurrences[known - 1] += e->occurrences;
		} else if (count < LIMIT_API_ROWS) {
			chosen[count] = e;
			occurrences[count++] = e->occurrences;
			map_put(&times, buf_str(&identity), (void *)(uintptr_t)count);
		}
	}
	metrics_text_family(out, name, METRICS_GAUGE, "Failures in this test, by what went wrong.");
	for (size_t i = 0; i < count; i++)
		metrics_text_sample(out, name,
				    LABELS({ "method", chosen[i]->method },
					   { "name", chosen[i]->name },
					   { "error", chosen[i]->error }),
				    3, (double)occurrences[i]);
	buf_fini(&identity);
	map_fini(&times);
}

static void add_workers(struct buf *out, const struct run *run)
{
	size_t all = 0, running = 0, spawning = 0, missing = 0;
	struct run_worker worker;

	for (; run->mode->worker(run, all, &worker); all++) {
		running += worker.state == RUN_RUNNING;
		spawning += worker.state == RUN_SPAWNING;
		missing += worker.state == RUN_MISSING;
	}
	add_gauge(out, "locust_workers_count", "Workers, missing ones included.", (double)all);
	add_gauge(out, "locust_workers_running_count", "Workers that run users.", (double)running);
	add_gauge(out, "locust_workers_hatching_count", "Workers that start users.",
		  (double)spawning);
	add_gauge(out, "locust_workers_missing_count", "Workers that fell silent.",
		  (double)missing);
	metrics_text_family(out, "locust_worker_detail", METRICS_GAUGE, "Users of a worker.");
	for (size_t i = 0; i < LIMIT_API_ROWS && run->mode->worker(run, i, &worker); i++)
		metrics_text_sample(
			out, "locust_worker_detail",
			LABELS({ "id", worker.id }, { "state", run_state_name(worker.state) }), 2,
			(double)worker.user_count);
}

static double running_of(enum run_state state)
{
	return state == RUN_RUNNING ? 2 : state == RUN_SPAWNING ? 1 : 0;
}

static void add_locust(struct buf *out, const struct run *run, const struct rows *rows)
{
	static const struct shares shares = { { 0.5, 0.95 }, 2 };
	double recent_ms[2];

	recent_percentiles(&run->recent, run, &shares, recent_ms);
	add_gauge(out, "locust_up", "1: it answers.", 1);
	add_gauge(out, "locust_running", "0: no test, 1: users are being started, 2: all run.",
		  running_of(run->state));
	add_gauge(out, "locust_users", "Users that run.", (double)run_user_count(run));
	add_workers(out, run);
	add_gauge(out, "locust_requests_fail_ratio", "Failures by requests, 0 to 1.",
		  stats_fail_ratio(&run->stats.total));
	add_gauge(out, "locust_requests_current_response_time_percentile_50",
		  "Median of the last 10 seconds in milliseconds.", recent_ms[0]);
	add_gauge(out, "locust_requests_current_response_time_percentile_95",
		  "95th percentile of the last 10 seconds in milliseconds.", recent_ms[1]);
	add_locust_rows(out, run, rows);
	add_errors(out, run);
}

/* ---- ours ---- */

static void add_hist(struct buf *out, const char *name, const struct stats_entry *e,
		     const char *outcome, const struct hist *times)
{
	if (times->count)
		metrics_text_hist(out, name,
				  LABELS({ "method", e->method }, { "name", e->name },
					 { "outcome", outcome }),
				  3, times, bounds_s, BOUND_COUNT);
}

/* What Locust's workers report: rounded, and not by outcome. */
static void add_rounded(struct buf *out, const char *name, const struct stats_entry *e)
{
	struct hist times;

	hist_init(&times);
	for (size_t i = 0; i < e->rounded.used; i++)
		hist_add(&times, (uint64_t)(e->rounded.buckets[i].ms * CLOCK_MS),
			 e->rounded.buckets[i].count);
	add_hist(out, name, e, "unknown", &times);
	hist_fini(&times);
}

static void add_durations(struct buf *out, const struct rows *rows)
{
	static const char service[] = "cicada_request_duration_seconds",
			  from_start[] = "cicada_request_duration_from_start_seconds";

	metrics_text_family(out, service, METRICS_HISTOGRAM,
			    "Service time, from the call to the last byte.");
	for (size_t i = 0; i < rows->count; i++) {
		for (enum stats_outcome o = STATS_OK; o < STATS_OUTCOMES; o++)
			add_hist(out, service, rows->items[i], stats_outcome_name(o),
				 &rows->items[i]->times[o]);
		add_rounded(out, service, rows->items[i]);
	}
	metrics_text_family(out, from_start, METRICS_HISTOGRAM,
			    "Response time from the intended start, where there was one.");
	for (size_t i = 0; i < rows->count; i++)
		for (enum stats_outcome o = STATS_OK; o < STATS_OUTCOMES; o++)
			add_hist(out, from_start, rows->items[i], stats_outcome_name(o),
				 &rows->items[i]->responses[o]);
}

static void add_generator(struct buf *out, const struct run *run)
{
	const struct health *h = &run->stats.health;

	metrics_text_family(out, "cicada_generator_lag_seconds", METRICS_HISTOGRAM,
			    "How late users ran.");
	metrics_text_hist(out, "cicada_generator_lag_seconds", NULL, 0, &h->lag, bounds_s,
			  BOUND_COUNT);
	add_gauge(out, "cicada_generator_limited",
		  "1: the load generator itself was the limit of this test.",
		  health_reason(h) != NULL);
	add_gauge(out, "cicada_connections_open", "Connections to the target.",
		  (double)run->connections_open);
	add_counter(out, "cicada_connections_opened_total", "Connections made.", h->opened);
	add_counter(out, "cicada_connections_failed_total", "Connections that could not be made.",
		    h->failed);
	add_counter(out, "cicada_arrivals_dropped_total",
		    "Task starts of open classes that found no room.", h->dropped);
}

void metrics_write(const struct run *run, struct buf *out)
{
	struct rows rows;

	choose_rows(run, &rows);
	metrics_text_family(out, "cicada_build_info", METRICS_GAUGE, "Always 1.");
	metrics_text_sample(out, "cicada_build_info", LABELS({ "version", CICADA_VERSION }), 1, 1);
	add_locust(out, run, &rows);
	add_durations(out, &rows);
	add_generator(out, run);
}
