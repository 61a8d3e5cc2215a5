/* SPDX-License-Identifier: MIT
 *
 * report - see the header.
 *
 * Names, errors and hosts come from scenarios and from the network. They enter the page through
 * add() only, which escapes them; there is no script, and the page's own policy allows
 * none. */
#include "web/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "web/api_json.h"
#include "web/chart.h"
#include "web/html.h"
#include "web/utc.h"

extern const char embed_report_css[];

static void add(struct buf *out, const char *text)
{
	html_add(out, text, true);
}

static void cell(struct buf *out, const char *text)
{
	buf_add_text(out, "<td>");
	add(out, text);
	buf_add_text(out, "</td>");
}

static void name_cell(struct buf *out, const char *name)
{
	buf_add_text(out, "<td class=\"name\">");
	add(out, name);
	buf_add_text(out, "</td>");
}

static void count_cell(struct buf *out, uint64_t value)
{
	buf_printf(out, "<td class=\"n\">%" PRIu64 "</td>", value);
}

/* Three digits or more, as exact as the times are. */
static void number_cell(struct buf *out, double value)
{
	int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;

	if (isfinite(value))
		buf_printf(out, "<td class=\"n\">%.*f</td>", decimals, value);
	else
		buf_add_text(out, "<td class=\"n\">-</td>");
}

static void time_cell(struct buf *out, double unix_s)
{
	buf_add_text(out, "<td>");
	utc_add(out, unix_s);
	buf_add_text(out, "</td>");
}

/* As Locust words it: 1 hour, 2 minutes and 3 seconds. */
static void add_duration(struct buf *out, double duration_s)
{
	static const char *const units[] = { "hour", "minute", "second" };
	uint64_t s = (uint64_t)(duration_s > 0 ? duration_s : 0);
	uint64_t parts[] = { s / 3600, s / 60 % 60, s % 60 };
	unsigned left = 0;
	bool has_any = false;

	for (size_t i = 0; i < 3; i++)
		left += parts[i] > 0;
	if (!left)
		buf_add_text(out, "0 seconds");
	for (size_t i = 0; i < 3; i++) {
		if (!parts[i])
			continue;
		if (has_any)
			buf_add_text(out, left == 1 ? " and " : ", ");
		buf_printf(out, "%" PRIu64 " %s%s", parts[i], units[i], parts[i] == 1 ? "" : "s");
		has_any = true;
		left--;
	}
}

/* ---- tables ---- */

struct column {
	const char *title;
	bool is_number;
};

static void begin_table(struct buf *out, const char *title, const struct column *columns,
			size_t count)
{
	buf_printf(out, "<h2>%s</h2>\n<div class=\"scroll\"><table><thead><tr>", title);
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "<th%s>%s</th>", columns[i].is_number ? " class=\"n\"" : "",
			   columns[i].title);
	buf_add_text(out, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct buf *out)
{
	buf_add_text(out, "</table></div>\n");
}

/* The rows by name, and the total under them. */
static void add_rows(const struct run *run, struct buf *out,
		     void (*row)(struct buf *, const struct stats_entry *,
				 const struct stats_entry *))
{
	const struct stats_entry *total = &run->stats.total;
	size_t count;
	struct stats_entry **rows = stats_sorted(&run->stats, &count);

	for (size_t i = 0; i <= count; i++) {
		const struct stats_entry *e = i < count ? rows[i] : total;

		if (i == count)
			buf_add_text(out, "</tbody><tfoot>\n");
		buf_add_text(out, "<tr>");
		cell(out, e->method);
		name_cell(out, e->name);
		row(out, e, total);
		buf_add_text(out, "</tr>\n");
	}
	buf_add_text(out, "</tfoot>");
	mem_free(rows);
}

static void request_row(struct buf *out, const struct stats_entry *e,
			const struct stats_entry *total)
{
	bool is_timed = e->num_requests > e->num_none_requests;

	count_cell(out, e->num_requests);
	count_cell(out, e->num_failures);
	number_cell(out, is_timed ? stats_avg_response_time_ms(e) : NAN);
	number_cell(out, e->min_response_time_ms);
	number_cell(out, is_timed ? e->max_response_time_ms : NAN);
	number_cell(out, stats_avg_content_length(e));
	number_cell(out, stats_total_rps(e, total));
	number_cell(out, stats_total_fail_per_sec(e, total));
}

static void add_requests(const struct run *run, struct buf *out)
{
	static const struct column columns[] = {
		{ "Type", false },	  { "Name", false },
		{ "# Requests", true },	  { "# Fails", true },
		{ "Average (ms)", true }, { "Min (ms)", true },
		{ "Max (ms)", true },	  { "Average size (bytes)", true },
		{ "RPS", true },	  { "Failures/s", true },
	};

	begin_table(out, "Request Statistics", columns, sizeof(columns) / sizeof(columns[0]));
	add_rows(run, out, request_row);
	end_table(out);
}

static void times_row(struct buf *out, const struct stats_entry *e, const struct stats_entry *total)
{
	static const double shares[] = { 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1 };
	bool is_timed = e->num_requests > e->num_none_requests;

	(void)total;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		number_cell(out, is_timed ? stats_percentile_exact_ms(e, shares[i]) : NAN);
}

static void add_times(const struct run *run, struct buf *out)
{
	static const struct column columns[] = {
		{ "Method", false },	  { "Name", false },	   { "50%ile (ms)", true },
		{ "60%ile (ms)", true },  { "70%ile (ms)", true }, { "80%ile (ms)", true },
		{ "90%ile (ms)", true },  { "95%ile (ms)", true }, { "99%ile (ms)", true },
		{ "100%ile (ms)", true },
	};

	begin_table(out, "Response Time Statistics", columns, sizeof(columns) / sizeof(columns[0]));
	add_rows(run, out, times_row);
	end_table(out);
}

static void add_failures(const struct run *run, struct buf *out)
{
	static const struct column columns[] = {
		{ "# Failures", true }, { "Method", false },	 { "Name", false },
		{ "Message", false },	{ "First Seen", false }, { "Last Seen", false },
	};
	struct map_entry *slot;

	if (!run->stats.errors.count)
		return;
	begin_table(out, "Failures Statistics", columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; (slot = map_next(&run->stats.errors, &i));) {
		const struct stats_error *e = slot->value;

		buf_add_text(out, "<tr>");
		count_cell(out, e->occurrences);
		cell(out, e->method);
		name_cell(out, e->name);
		cell(out, e->error);
		time_cell(out, e->first_seen);
		time_cell(out, e->last_seen);
		buf_add_text(out, "</tr>\n");
	}
	end_table(out);
}

static void add_exceptions(const struct run *run, struct buf *out)
{
	static const struct column columns[] = {
		{ "# Occurrences", true },
		{ "Message", false },
		{ "Traceback", false },
		{ "Nodes", false },
	};
	struct map_entry *slot;

	if (!run->exceptions.count)
		return;
	begin_table(out, "Exceptions Statistics", columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; (slot = map_next(&run->exceptions, &i));) {
		const struct run_exception *e = slot->value;
		char *nodes = run_exception_nodes(e);

		buf_add_text(out, "<tr>");
		count_cell(out, e->count);
		cell(out, e->msg);
		buf_add_text(out, "<td><pre>");
		add(out, e->traceback);
		buf_add_text(out, "</pre></td>");
		cell(out, nodes);
		buf_add_text(out, "</tr>\n");
		mem_free(nodes);
	}
	end_table(out);
}

/* ---- charts ---- */

static double rps_of(const struct history_item *item)
{
	return item->current_rps;
}

static double failures_of(const struct history_item *item)
{
	return item->current_fail_per_sec;
}

static double median_of(const struct history_item *item)
{
	return item->median_ms;
}

static double p95_of(const struct history_item *item)
{
	return item->p95_ms;
}

static double average_of(const struct history_item *item)
{
	return item->avg_ms;
}

static double users_of(const struct history_item *item)
{
	return (double)item->user_count;
}

static void add_charts(const struct run *run, struct buf *out)
{
	static const struct chart charts[] = {
		{ "Total Requests per Second",
		  { { "RPS", rps_of }, { "Failures/s", failures_of } } },
		{ "Response Times (ms)",
		  { { "50th percentile", median_of },
		    { "95th percentile", p95_of },
		    { "Average of the test so far", average_of } } },
		{ "Number of Users", { { "Users", users_of } } },
	};

	buf_add_text(out, "<h2>Charts</h2>\n");
	for (size_t i = 0; i < sizeof(charts) / sizeof(charts[0]); i++)
		chart_write(&charts[i], &run->history, out);
}

/* ---- tasks ---- */

/* {"name": {"ratio": 0.5, "tasks": {...}}} as nested lists. */
static void add_ratios(const json_t *tree, struct buf *out)
{
	const char *name;
	json_t *node;

	if (!json_object_size(tree))
		return;
	buf_add_text(out, "<ul>");
	json_object_foreach ((json_t *)tree, name, node) {
		buf_printf(out, "<li>%.1f%% ",
			   100 * json_number_value(json_object_get(node, "ratio")));
		add(out, name);
		add_ratios(json_object_get(node, "tasks"), out);
		buf_add_text(out, "</li>");
	}
	buf_add_text(out, "</ul>\n");
}

/* Of the users there are, and once they have been told to stop, of those there were. */
static void add_tasks(const struct run *run, struct buf *out)
{
	bool is_over = run->state == RUN_STOPPING || run->state == RUN_STOPPED;
	json_t *ratios =
		api_json_ratios(run, is_over ? run->last_users_per_class : run->users_per_class);

	buf_add_text(
		out,
		"<h2>Final ratio</h2>\n<div class=\"columns\"><div><h3>Ratio Per Class</h3>\n");
	add_ratios(json_object_get(ratios, "per_class"), out);
	buf_add_text(out, "</div><div><h3>Total Ratio</h3>\n");
	add_ratios(json_object_get(ratios, "total"), out);
	buf_add_text(out, "</div></div>\n");
	json_decref(ratios);
}

/* ---- the page ---- */

static const char *class_of(const char *theme)
{
	if (theme && (strcmp(theme, "dark") == 0 || strcmp(theme, "light") == 0))
		return theme;
	return "auto";
}

static void add_head(const char *theme, struct buf *out)
{
	buf_printf(
		out,
		"<!DOCTYPE html>\n<html lang=\"en\" class=\"%s\">\n<head>\n"
		"<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'; img-src data:\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<title>Cicada Test Report</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n",
		class_of(theme));
	buf_add_text(out, embed_report_css);
	buf_add_text(out, "</style>\n</head>\n<body>\n<h1>Cicada Test Report</h1>\n");
}

static void add_facts(const struct run *run, struct buf *out)
{
	const struct stats_entry *total = &run->stats.total;
	double end_s = fmax(total->last_request_timestamp, total->start_time);
	const char *model = run_model_name(run);

	buf_add_text(out, "<dl><dt>During</dt><dd>");
	utc_add(out, total->start_time);
	buf_add_text(out, " - ");
	utc_add(out, end_s);
	buf_add_text(out, " (");
	add_duration(out, end_s - total->start_time);
	buf_add_text(out, ")</dd>\n<dt>Target Host</dt><dd>");
	add(out, run->host ? run->host : "none");
	buf_add_text(out, "</dd>\n<dt>Script</dt><dd>");
	add(out, run->options.scenario_name ? run->options.scenario_name : "none");
	if (model)
		buf_printf(out, "</dd>\n<dt>Load model</dt><dd>%s", model);
	buf_add_text(out, "</dd></dl>\n");
}

static void add_warning(const struct run *run, struct buf *out)
{
	const char *reason = health_reason(&run->stats.health);

	if (!reason)
		return;
	buf_add_text(out, "<p class=\"warning\">The load generator was the limit: ");
	add(out, reason);
	buf_add_text(out, ".</p>\n");
}

void report_write(const struct run *run, const struct report_options *options, struct buf *out)
{
	add_head(options->theme, out);
	if (options->has_download_link)
		buf_printf(out,
			   "<p class=\"download\"><a href=\"?download=1&amp;theme=%s\">"
			   "Download the Report</a></p>\n",
			   class_of(options->theme));
	add_facts(run, out);
	add_warning(run, out);
	add_requests(run, out);
	add_times(run, out);
	add_failures(run, out);
	add_exceptions(run, out);
	add_charts(run, out);
	add_tasks(run, out);
	buf_add_text(out, "<footer>Cicada " CICADA_VERSION "</footer>\n</body>\n</html>\n");
}
