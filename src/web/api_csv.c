/* SPDX-License-Identifier: MIT
 *
 * api_csv - see the header. */
#include "web/api_csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "stat/shown.h"
#include "web/compat.h"
#include "web/utc.h"

static void add_cell(struct buf *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		buf_add_text(out, text);
		return;
	}
	buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

/* Times that fell into whole buckets are whole numbers in Locust. */
static void add_ms(struct buf *out, double value)
{
	if (value == trunc(value))
		buf_printf(out, "%.0f", value);
	else
		buf_add_real(out, value);
}

static void add_percentiles(struct buf *out, const struct stats_entry *e,
			    const struct rounded *times)
{
	const struct shares *shares = &shown()->csv;

	for (size_t i = 0; i < shares->count; i++) {
		if (e->num_requests)
			buf_printf(out, ",%.0f",
				   trunc(rounded_percentile_ms(times, shares->value[i])));
		else
			buf_add_text(out, ",N/A");
	}
}

static void add_percentile_names(struct buf *out)
{
	const struct shares *shares = &shown()->csv;
	char text[SHARE_TEXT];

	for (size_t i = 0; i < shares->count; i++) {
		share_percent(shares->value[i], text);
		buf_printf(out, ",%s%%", text);
	}
}

/* What a row has in both files: requests, failures and four times. */
static void add_counts(struct buf *out, const struct stats_entry *e)
{
	double min = isnan(e->min_response_time_ms) ? 0 : e->min_response_time_ms;

	buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",", e->num_requests, e->num_failures);
	add_ms(out, stats_median_ms(e));
	buf_add_char(out, ',');
	buf_add_real(out, stats_avg_response_time_ms(e));
	buf_add_char(out, ',');
	add_ms(out, min);
	buf_add_char(out, ',');
	add_ms(out, e->max_response_time_ms);
	buf_add_char(out, ',');
}

/* Locust has no fraction where nothing was asked. */
static void add_content_size(struct buf *out, const struct stats_entry *e)
{
	if (e->num_requests)
		buf_add_real(out, stats_avg_content_length(e));
	else
		buf_add_char(out, '0');
}

static void add_row(struct buf *out, const struct stats_entry *e, const struct stats_entry *total)
{
	struct rounded all;

	add_cell(out, e->method);
	buf_add_char(out, ',');
	add_cell(out, e->name);
	add_counts(out, e);
	add_content_size(out, e);
	buf_add_char(out, ',');
	buf_add_real(out, stats_total_rps(e, total));
	buf_add_char(out, ',');
	buf_add_real(out, stats_total_fail_per_sec(e, total));
	rounded_init(&all);
	stats_rounded(e, &all);
	add_percentiles(out, e, &all);
	rounded_fini(&all);
	buf_add_text(out, "\r\n");
}

void api_csv_requests(const struct run *run, struct buf *out)
{
	size_t count;
	struct stats_entry **rows = stats_sorted(&run->stats, &count);

	buf_add_text(out, "Type,Name,Request Count,Failure Count,Median Response Time,"
			  "Average Response Time,Min Response Time,Max Response Time,"
			  "Average Content Size,Requests/s,Failures/s");
	add_percentile_names(out);
	buf_add_text(out, "\r\n");
	for (size_t i = 0; i < count; i++)
		add_row(out, rows[i], &run->stats.total);
	add_row(out, &run->stats.total, &run->stats.total);
	mem_free(rows);
}

void api_csv_history_head(struct buf *out)
{
	buf_add_text(out, "Timestamp,User Count,Type,Name,Requests/s,Failures/s");
	add_percentile_names(out);
	buf_add_text(out, ",Total Request Count,Total Failure Count,Total Median Response Time,"
			  "Total Average Response Time,Total Min Response Time,"
			  "Total Max Response Time,Total Average Content Size\r\n");
}

void api_csv_history_row(const struct run *run, const struct stats_entry *e,
			 const struct rounded *times, struct buf *out)
{
	const struct stats_entry *total = &run->stats.total;

	buf_printf(out, "%" PRId64 ",%" PRIu64 ",", (int64_t)run_wall_s(run), run_user_count(run));
	add_cell(out, e->method);
	buf_add_char(out, ',');
	add_cell(out, e->name);
	buf_printf(out, ",%f,%f", stats_current_rps(e, total),
		   stats_current_fail_per_sec(e, total));
	add_percentiles(out, e, times);
	add_counts(out, e);
	add_content_size(out, e);
	buf_add_text(out, "\r\n");
}

static int by_key(const void *a, const void *b)
{
	const struct stats_error *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* In Locust's order, that of its keys. mem_free() them. */
static const struct stats_error **sorted_errors(const struct run *run, size_t *count)
{
	const struct map *errors = &run->stats.errors;
	const struct stats_error **rows = mem_zalloc(errors->count + 1, sizeof(*rows));
	struct map_entry *slot;

	*count = 0;
	for (size_t i = 0; (slot = map_next(errors, &i));)
		rows[(*count)++] = slot->value;
	qsort(rows, *count, sizeof(*rows), by_key);
	return rows;
}

static void add_error(struct buf *out, const struct stats_error *e, const char *text)
{
	add_cell(out, e->method);
	buf_add_char(out, ',');
	add_cell(out, e->name);
	buf_add_char(out, ',');
	add_cell(out, text);
	buf_printf(out, ",%" PRIu64, e->occurrences);
}

void api_csv_failures(const struct run *run, struct buf *out)
{
	size_t count;
	const struct stats_error **rows = sorted_errors(run, &count);

	buf_add_text(out, "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n");
	for (size_t i = 0; i < count; i++) {
		add_error(out, rows[i], rows[i]->error);
		buf_add_char(out, ',');
		utc_add(out, rows[i]->first_seen);
		buf_add_char(out, ',');
		utc_add(out, rows[i]->last_seen);
		buf_add_text(out, "\r\n");
	}
	mem_free(rows);
}

void api_csv_failures_2_12(const struct run *run, struct buf *out)
{
	size_t count;
	const struct stats_error **rows = sorted_errors(run, &count);
	struct buf text;

	buf_init(&text, LIMIT_CSV_BYTES);
	buf_add_text(out, "Method,Name,Error,Occurrences\r\n");
	for (size_t i = 0; i < count; i++) {
		buf_clear(&text);
		web_compat_error(WEB_COMPAT_2_12, run, rows[i]->error, &text);
		add_error(out, rows[i], buf_str(&text).p);
		buf_add_text(out, "\r\n");
	}
	buf_fini(&text);
	mem_free(rows);
}

void api_csv_exceptions(const struct run *run, struct buf *out)
{
	struct map_entry *slot;

	buf_add_text(out, "Count,Message,Traceback,Nodes\r\n");
	for (size_t i = 0; (slot = map_next(&run->exceptions, &i));) {
		const struct run_exception *e = slot->value;
		char *nodes = run_exception_nodes(e);

		buf_printf(out, "%" PRIu64 ",", e->count);
		add_cell(out, e->msg);
		buf_add_char(out, ',');
		add_cell(out, e->traceback);
		buf_add_char(out, ',');
		add_cell(out, nodes);
		buf_add_text(out, "\r\n");
		mem_free(nodes);
	}
}
