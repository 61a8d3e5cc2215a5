/* SPDX-License-Identifier: MIT
 *
 * console - see the header. Column widths and formats are Locust's to the byte (reference
 * section 6.6), because people and scripts read these tables with their eyes closed. */
#include "run/console.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/failure_class.h"
#include "base/mem.h"
#include "stat/shown.h"

#define OTHER_COLUMNS 80 /* what Locust reckons everything but the name takes */

static int name_width(unsigned columns)
{
	if (!columns || columns >= OTHER_COLUMNS + shown()->name_width)
		return (int)shown()->name_width;
	return columns > OTHER_COLUMNS ? (int)(columns - OTHER_COLUMNS) : 0;
}

static void add_dashes(struct buf *out, int count)
{
	for (int i = 0; i < count; i++)
		buf_add_char(out, '-');
}

/* A line of dashes cut by '|' at the columns' ends. */
static void add_separator(struct buf *out, const int *widths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_add_char(out, '|');
		add_dashes(out, widths[i]);
	}
	buf_add_char(out, '\n');
}

static int type_width(void)
{
	return (int)shown()->type_width;
}

static void add_stats_separator(struct buf *out, int name)
{
	const int widths[] = { type_width(), name, 7, 13, 7, 7, 7, 7, 8, 11 };

	add_separator(out, widths, sizeof(widths) / sizeof(widths[0]));
}

static void add_stats_row(struct buf *out, const struct stats_entry *e,
			  const struct stats_entry *total, bool is_final, int name)
{
	int method_len = (int)strlen(e->method), type = type_width();
	char fails[64];
	bool is_timed = e->num_requests > e->num_none_requests;

	snprintf(fails, sizeof(fails), "%" PRIu64 "(%.2f%%)", e->num_failures,
		 stats_fail_ratio(e) * 100);
	/* Locust's format is %-8s of the method and a blank. */
	buf_printf(out, "%s%*s ", e->method, method_len < type ? type - method_len : 1, "");
	/* printf takes a negative width as left-justified, as does Locust's format. */
	buf_printf(out, "%-*s %7" PRIu64 " %12s |", name, e->name, e->num_requests, fails);
	buf_printf(out, "%7.0f %7.0f %7.0f%7.0f | %7.2f %11.2f\n",
		   trunc(stats_avg_response_time_ms(e)),
		   is_timed ? trunc(e->min_response_time_ms) : 0, trunc(e->max_response_time_ms),
		   trunc(stats_median_ms(e)),
		   is_final ? stats_total_rps(e, total) : stats_current_rps(e, total),
		   is_final ? stats_total_fail_per_sec(e, total)
			    : stats_current_fail_per_sec(e, total));
}

void console_stats(const struct run *run, bool is_final, unsigned columns, struct buf *out)
{
	const struct stats_entry *total = &run->stats.total;
	int name = name_width(columns) - type_width() + 4;
	size_t count;
	struct stats_entry **rows = stats_sorted(&run->stats, &count);

	buf_printf(out, "%-*s %-*s %7s %12s |%7s %7s %7s%7s | %7s %11s\n", type_width(), "Type",
		   name, "Name", "# reqs", "# fails", "Avg", "Min", "Max", "Med", "req/s",
		   "failures/s");
	add_stats_separator(out, name);
	for (size_t i = 0; i < count; i++)
		add_stats_row(out, rows[i], total, is_final, name);
	add_stats_separator(out, name);
	add_stats_row(out, total, total, is_final, name);
	buf_add_char(out, '\n');
	mem_free(rows);
}

static void add_percentiles_separator(struct buf *out, int name)
{
	int widths[LIMIT_SHARES + 3] = { type_width(), name, 8 };
	size_t count = shown()->report.count;

	for (size_t i = 0; i < count; i++)
		widths[3 + i] = 6;
	add_separator(out, widths, 3 + count);
}

static bool has_times(const struct stats_entry *e)
{
	return stats_timed(e) + e->rounded.count > 0;
}

static void add_percentiles_row(struct buf *out, const struct stats_entry *e, int name)
{
	const struct shares *shares = &shown()->report;
	struct rounded all;

	rounded_init(&all);
	stats_rounded(e, &all);
	buf_printf(out, "%-*s %-*s", type_width(), e->method, name, e->name);
	for (size_t i = 0; i < shares->count; i++)
		buf_printf(out, " %*.0f", i ? 6 : 8,
			   trunc(rounded_percentile_ms(&all, shares->value[i])));
	buf_printf(out, " %6" PRIu64 "\n", e->num_requests);
	rounded_fini(&all);
}

static void add_percentiles_head(struct buf *out, int name)
{
	const struct shares *shares = &shown()->report;
	char text[SHARE_TEXT];

	buf_printf(out, "%-*s %-*s", type_width(), "Type", name, "Name");
	for (size_t i = 0; i < shares->count; i++) {
		share_percent(shares->value[i], text);
		buf_printf(out, " %*s%%", i ? 5 : 7, text);
	}
	buf_printf(out, " %6s\n", "# reqs");
	add_percentiles_separator(out, name);
}

void console_percentiles(const struct run *run, unsigned columns, struct buf *out)
{
	int name = name_width(columns);
	size_t count;
	struct stats_entry **rows = stats_sorted(&run->stats, &count);

	buf_add_text(out, "Response time percentiles (approximated)\n");
	add_percentiles_head(out, name);
	for (size_t i = 0; i < count; i++)
		if (has_times(rows[i]))
			add_percentiles_row(out, rows[i], name);
	add_percentiles_separator(out, name);
	if (has_times(&run->stats.total))
		add_percentiles_row(out, &run->stats.total, name);
	buf_add_char(out, '\n');
	mem_free(rows);
}

static void add_responses_row(struct buf *out, const struct stats_entry *e, int name)
{
	const struct shares *shares = &shown()->report;

	buf_printf(out, "%-*s %-*s", type_width(), e->method, name, e->name);
	for (size_t i = 0; i < shares->count; i++) {
		double ms = (double)hist_set_percentile_us(e->responses, STATS_OUTCOMES,
							   shares->value[i]) /
			    CLOCK_MS;

		buf_printf(out, " %*.*f", i ? 6 : 8, ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
	}
	buf_printf(out, " %6" PRIu64 "\n", stats_scheduled(e));
}

void console_responses(const struct run *run, unsigned columns, struct buf *out)
{
	int name = name_width(columns);
	struct stats_entry **rows;
	size_t count;

	if (!stats_scheduled(&run->stats.total))
		return;
	rows = stats_sorted(&run->stats, &count);
	buf_add_text(out, "Response time from the intended start, percentiles in ms\n");
	add_percentiles_head(out, name);
	for (size_t i = 0; i < count; i++)
		if (stats_scheduled(rows[i]))
			add_responses_row(out, rows[i], name);
	add_percentiles_separator(out, name);
	add_responses_row(out, &run->stats.total, name);
	buf_add_char(out, '\n');
	mem_free(rows);
}

void console_model(const struct run *run, struct buf *out)
{
	const char *model = run_model_name(run);

	if (!model)
		return;
	buf_printf(out, "Load model: %s%s\n", model,
		   strcmp(model, "closed") == 0
			   ? " (users wait for their answers: while the target "
			     "stalls nothing is sent, so nothing is late)"
			   : "");
}

void console_generator(const struct run *run, struct buf *out)
{
	const struct health *h = &run->stats.health;
	const char *reason = health_reason(h);

	if (!health_is_known(h))
		return;
	buf_printf(out,
		   "Load generator: lag p99 %.2f ms, max %.2f ms; busiest load thread %.0f%% CPU; "
		   "connections opened %" PRIu64 ", failed %" PRIu64 "\n",
		   (double)health_lag_p99_us(h) / CLOCK_MS, (double)h->lag_max_us / CLOCK_MS,
		   h->cpu_percent_max, h->opened, h->failed);
	if (h->dropped)
		buf_printf(out,
			   "WARNING: %" PRIu64 " arrivals were dropped: the target did not get the "
			   "load that was asked for; raise --max-in-flight, or ask for less\n",
			   h->dropped);
	if (reason)
		buf_printf(out, "WARNING: the load generator was the limit: %s\n", reason);
	buf_add_char(out, '\n');
}

/* What a check said is shown without the exception around it; a local Locust shows the text,
 * a master its repr, which is all it got. */
static struct str unwrapped(struct str error, bool is_distributed)
{
	const char *class = failure_class_name(FAILURE_CHECK);
	size_t len = strlen(class) + 1;

	if (error.len <= len || memcmp(error.p, class, len - 1) != 0 || error.p[len - 1] != '(' ||
	    error.p[error.len - 1] != ')')
		return error;
	error = (struct str){ error.p + len, error.len - len - 1 };
	if (!is_distributed && error.len >= 2 && (*error.p == '\'' || *error.p == '"') &&
	    error.p[error.len - 1] == *error.p)
		error = (struct str){ error.p + 1, error.len - 2 };
	return error;
}

void console_errors(const struct run *run, unsigned columns, struct buf *out)
{
	const int widths[] = { 18, name_width(columns) + 61 };
	struct map_entry *slot;

	if (!run->stats.errors.count)
		return;
	buf_printf(out, "Error report\n%-18s %-100s\n", "# occurrences", "Error");
	add_separator(out, widths, 2);
	for (size_t i = 0; (slot = map_next(&run->stats.errors, &i));) {
		const struct stats_error *e = slot->value;
		struct str text = unwrapped(str_of(e->error), run->mode->is_distributed);
		char *line = mem_printf("%s %s: %.*s", e->method, e->name, STR_ARG(text));

		buf_printf(out, "%-18" PRIu64 " %-100s\n", e->occurrences, line);
		mem_free(line);
	}
	add_separator(out, widths, 2);
	buf_add_char(out, '\n');
}
