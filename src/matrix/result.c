/* SPDX-License-Identifier: MIT
 *
 * result - rows, and the one table of columns that all writers read. */
#include "matrix/result.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/folder.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CELL_BYTES	600

struct result {
	char *folder, *environment;
	struct result_row *rows;
	size_t planned, count, cap;
};

/* How a field becomes text. */
enum column_kind {
	COLUMN_COUNT, /* uint64_t, empty when UINT64_MAX */
	COLUMN_2,     /* double with two decimals */
	COLUMN_MS,    /* double, decimals only where it has some */
	COLUMN_TIME,  /* wall time, UTC */
	COLUMN_STATUS,
	COLUMN_NOTE,
	COLUMN_GENERATOR,
	COLUMN_MODEL
};

/* The first ten are the order's, in its order; tools rely on that. */
static const struct column {
	const char *name;
	enum column_kind kind;
	size_t offset;
	bool is_on_terminal;
} columns[] = {
	{ "Replicas", COLUMN_COUNT, offsetof(struct result_row, replicas), true },
	{ "Workers", COLUMN_COUNT, offsetof(struct result_row, workers), true },
	{ "Users", COLUMN_COUNT, offsetof(struct result_row, users), true },
	{ "RPS", COLUMN_2, offsetof(struct result_row, rps), true },
	{ "Median_ms", COLUMN_MS, offsetof(struct result_row, median_ms), true },
	{ "P95_ms", COLUMN_MS, offsetof(struct result_row, p95_ms), true },
	{ "P99_ms", COLUMN_MS, offsetof(struct result_row, p99_ms), true },
	{ "Failures_Pct", COLUMN_2, offsetof(struct result_row, failures_pct), true },
	{ "Total_Requests", COLUMN_COUNT, offsetof(struct result_row, total_requests), true },
	{ "Duration_s", COLUMN_2, offsetof(struct result_row, duration_s), true },
	{ "Timestamp", COLUMN_TIME, offsetof(struct result_row, wall_start_s), false },
	{ "Status", COLUMN_STATUS, offsetof(struct result_row, status), true },
	{ "P90_ms", COLUMN_MS, offsetof(struct result_row, p90_ms), false },
	{ "Avg_ms", COLUMN_2, offsetof(struct result_row, avg_ms), false },
	{ "Min_ms", COLUMN_MS, offsetof(struct result_row, min_ms), false },
	{ "Max_ms", COLUMN_MS, offsetof(struct result_row, max_ms), false },
	{ "Failures", COLUMN_COUNT, offsetof(struct result_row, failures), false },
	{ "Window_Requests", COLUMN_COUNT, offsetof(struct result_row, window_requests), false },
	{ "Server_Requests", COLUMN_COUNT, offsetof(struct result_row, server_requests), true },
	{ "Note", COLUMN_NOTE, offsetof(struct result_row, note), false },
	{ "Lag_P99_ms", COLUMN_MS, offsetof(struct result_row, lag_p99_ms), false },
	{ "Generator_CPU_Pct", COLUMN_2, offsetof(struct result_row, generator_cpu_pct), false },
	{ "Generator", COLUMN_GENERATOR, offsetof(struct result_row, generator), true },
	{ "Response_P95_ms", COLUMN_MS, offsetof(struct result_row, response_p95_ms), false },
	{ "Response_P99_ms", COLUMN_MS, offsetof(struct result_row, response_p99_ms), false },
	{ "Model", COLUMN_MODEL, offsetof(struct result_row, model), false },
	{ "Dropped", COLUMN_COUNT, offsetof(struct result_row, dropped), false },
};

static const char *const status_names[RESULT_STATUS_COUNT] = {
	[RESULT_OK] = "ok",
	[RESULT_MASTER_NOT_READY] = "master_not_ready",
	[RESULT_TARGET_NOT_READY] = "target_not_ready",
	[RESULT_WORKERS_NOT_READY] = "workers_not_ready",
	[RESULT_START_FAILED] = "start_failed",
	[RESULT_LOST_MASTER] = "lost_master",
	[RESULT_LOST_WORKER] = "lost_worker",
	[RESULT_LOST_REPLICA] = "lost_replica",
	[RESULT_CHANGED] = "changed",
	[RESULT_STOPPED_EARLY] = "stopped_early",
	[RESULT_STOP_FAILED] = "stop_failed",
	[RESULT_NO_REQUESTS] = "no_requests",
	[RESULT_COUNTS_DIFFER] = "counts_differ",
	[RESULT_INTERRUPTED] = "interrupted",
};

static const char *const generator_names[] = {
	[RESULT_GENERATOR_UNKNOWN] = "",
	[RESULT_GENERATOR_OK] = "ok",
	[RESULT_GENERATOR_LIMITED] = "limited",
};

const char *result_status_name(enum result_status status)
{
	ensure(status < RESULT_STATUS_COUNT);
	return status_names[status];
}

struct result_row result_row_blank(uint64_t replicas, uint64_t workers, uint64_t users)
{
	return (struct result_row){
		.replicas = replicas,
		.workers = workers,
		.users = users,
		.rps = NAN,
		.median_ms = NAN,
		.p90_ms = NAN,
		.p95_ms = NAN,
		.p99_ms = NAN,
		.avg_ms = NAN,
		.min_ms = NAN,
		.max_ms = NAN,
		.duration_s = NAN,
		.failures_pct = NAN,
		.total_requests = UINT64_MAX,
		.failures = UINT64_MAX,
		.window_requests = UINT64_MAX,
		.server_requests = UINT64_MAX,
		.dropped = UINT64_MAX,
		.lag_p99_ms = NAN,
		.generator_cpu_pct = NAN,
		.response_p95_ms = NAN,
		.response_p99_ms = NAN,
	};
}

void result_row_note(struct result_row *row, const char *text)
{
	size_t len = 0;

	for (const char *c = text; *c && len + 4 < sizeof(row->note); c++) {
		if ((unsigned char)*c >= ' ') {
			row->note[len++] = *c;
		} else if (*c == '\n' && c[1]) {
			memcpy(row->note + len, " / ", 3);
			len += 3;
		}
	}
	row->note[len] = '\0';
}

enum err result_create(const char *folder, size_t planned, const char *environment,
		       struct result **out, struct err_text *text)
{
	static const char *const names[] = { RESULT_CSV, RESULT_MARKDOWN };
	enum err err = folder_create(folder, text);

	for (size_t i = 0; !err && i < COUNT_OF(names); i++)
		err = folder_set_aside(folder, names[i], text);
	if (err)
		return err;
	*out = mem_zalloc(1, sizeof(**out));
	(*out)->folder = mem_strdup(folder);
	(*out)->environment = mem_strdup(environment);
	(*out)->planned = planned;
	return OK;
}

void result_destroy(struct result **r)
{
	if (!*r)
		return;
	mem_free((*r)->folder);
	mem_free((*r)->environment);
	mem_free((*r)->rows);
	mem_free(*r);
	*r = NULL;
}

size_t result_count(const struct result *r)
{
	return r->count;
}

size_t result_count_ok(const struct result *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		count += r->rows[i].status == RESULT_OK;
	return count;
}

static void format_ms(double value, char out[CELL_BYTES])
{
	/* Locust's percentiles are whole milliseconds; ours may be finer below 10. */
	if (fabs(value - round(value)) < 0.005)
		snprintf(out, CELL_BYTES, "%.0f", value);
	else
		snprintf(out, CELL_BYTES, "%.2f", value);
}

static void format_wall(double wall_s, char out[CELL_BYTES])
{
	time_t t = (time_t)wall_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, CELL_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void format_cell(const struct result_row *row, const struct column *column,
			char out[CELL_BYTES])
{
	const void *field = (const char *)row + column->offset;
	double number = 0;

	out[0] = '\0';
	switch (column->kind) {
	case COLUMN_COUNT:
		if (*(const uint64_t *)field != UINT64_MAX)
			snprintf(out, CELL_BYTES, "%" PRIu64, *(const uint64_t *)field);
		break;
	case COLUMN_2:
	case COLUMN_MS:
		number = *(const double *)field;
		if (!isfinite(number))
			break;
		if (column->kind == COLUMN_MS)
			format_ms(number, out);
		else
			snprintf(out, CELL_BYTES, "%.2f", number);
		break;
	case COLUMN_TIME:
		format_wall(*(const double *)field, out);
		break;
	case COLUMN_STATUS:
		snprintf(out, CELL_BYTES, "%s", result_status_name(row->status));
		break;
	case COLUMN_NOTE:
		snprintf(out, CELL_BYTES, "%s", row->note);
		break;
	case COLUMN_GENERATOR:
		snprintf(out, CELL_BYTES, "%s", generator_names[row->generator]);
		break;
	case COLUMN_MODEL:
		snprintf(out, CELL_BYTES, "%s", row->model);
		break;
	}
}

static void add_csv_cell(struct buf *out, const char *cell)
{
	if (!strpbrk(cell, ",\"\r\n")) {
		buf_add_text(out, cell);
		return;
	}
	buf_add_char(out, '"');
	for (const char *c = cell; *c; c++) {
		if (*c == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *c);
	}
	buf_add_char(out, '"');
}

void result_format_csv(const struct result *r, struct buf *out)
{
	char cell[CELL_BYTES];

	for (size_t k = 0; k < COUNT_OF(columns); k++)
		buf_printf(out, "%s%s", k ? "," : "", columns[k].name);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < r->count; i++) {
		for (size_t k = 0; k < COUNT_OF(columns); k++) {
			if (k)
				buf_add_char(out, ',');
			format_cell(&r->rows[i], &columns[k], cell);
			add_csv_cell(out, cell);
		}
		buf_add_char(out, '\n');
	}
}

/* The widest text of a column, its name included. */
static int column_width(const struct result *r, const struct column *column)
{
	size_t width = strlen(column->name);
	char cell[CELL_BYTES];

	for (size_t i = 0; i < r->count; i++) {
		format_cell(&r->rows[i], column, cell);
		if (strlen(cell) > width)
			width = strlen(cell);
	}
	return (int)width;
}

void result_format_table(const struct result *r, struct buf *out)
{
	int widths[COUNT_OF(columns)];
	char cell[CELL_BYTES];

	for (size_t k = 0; k < COUNT_OF(columns); k++)
		widths[k] = column_width(r, &columns[k]);
	for (size_t i = 0; i <= r->count; i++) {
		for (size_t k = 0; k < COUNT_OF(columns); k++) {
			if (!columns[k].is_on_terminal)
				continue;
			if (i)
				format_cell(&r->rows[i - 1], &columns[k], cell);
			else
				snprintf(cell, sizeof(cell), "%s", columns[k].name);
			buf_printf(out, "%s%*s", k ? "  " : "", widths[k], cell);
		}
		buf_add_char(out, '\n');
	}
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void say_scenario(const struct result_row *row, struct buf *out)
{
	buf_printf(out, "%" PRIu64 " replica%s, %" PRIu64 " worker%s, %" PRIu64 " user%s",
		   row->replicas, plural(row->replicas), row->workers, plural(row->workers),
		   row->users, plural(row->users));
}

static bool is_limited(const struct result_row *row)
{
	return row->generator == RESULT_GENERATOR_LIMITED;
}

/* What the generator could do is no capacity of the target. */
static bool is_stronger(const struct result_row *a, const struct result_row *b)
{
	return is_limited(a) != is_limited(b) ? is_limited(b) : a->rps > b->rps;
}

bool result_say_best_throughput(const struct result *r, struct buf *out)
{
	const struct result_row *best = NULL;

	for (size_t i = 0; i < r->count; i++)
		if (r->rows[i].status == RESULT_OK && (!best || is_stronger(&r->rows[i], best)))
			best = &r->rows[i];
	if (!best)
		return false;
	buf_printf(out, "%.2f RPS with ", best->rps);
	say_scenario(best, out);
	if (is_limited(best))
		buf_add_text(out, " (the limit of the load generator)");
	return true;
}

/* Lower median first, then lower P95, then more requests per second. */
static bool is_faster(const struct result_row *a, const struct result_row *b)
{
	if (a->median_ms != b->median_ms)
		return a->median_ms < b->median_ms;
	if (isfinite(a->p95_ms) && isfinite(b->p95_ms) && a->p95_ms != b->p95_ms)
		return a->p95_ms < b->p95_ms;
	return a->rps > b->rps;
}

bool result_say_best_latency(const struct result *r, struct buf *out)
{
	const struct result_row *best = NULL;
	char cell[CELL_BYTES];

	for (size_t i = 0; i < r->count; i++)
		if (r->rows[i].status == RESULT_OK && isfinite(r->rows[i].median_ms) &&
		    (!best || is_faster(&r->rows[i], best)))
			best = &r->rows[i];
	if (!best)
		return false;
	format_ms(best->median_ms, cell);
	buf_printf(out, "%s ms median with ", cell);
	say_scenario(best, out);
	return true;
}

static bool is_text(const struct column *column)
{
	return column->kind == COLUMN_STATUS || column->kind == COLUMN_GENERATOR ||
	       column->kind == COLUMN_MODEL;
}

static void add_markdown_table(const struct result *r, struct buf *out)
{
	char cell[CELL_BYTES];

	for (size_t i = 0; i < r->count + 2; i++) {
		for (size_t k = 0; k < COUNT_OF(columns); k++) {
			if (columns[k].kind == COLUMN_NOTE)
				continue;
			if (i == 0)
				snprintf(cell, sizeof(cell), "%s", columns[k].name);
			else if (i == 1)
				snprintf(cell, sizeof(cell), "%s",
					 is_text(&columns[k]) ? "---" : "---:");
			else
				format_cell(&r->rows[i - 2], &columns[k], cell);
			buf_printf(out, "| %s ", cell);
		}
		buf_add_text(out, "|\n");
	}
}

static void add_markdown_notes(const struct result *r, struct buf *out)
{
	bool has_title = false;

	for (size_t i = 0; i < r->count; i++) {
		const struct result_row *row = &r->rows[i];

		if (row->status == RESULT_OK && !row->note[0])
			continue;
		if (!has_title)
			buf_add_text(out, "\n## Notes\n\n");
		has_title = true;
		buf_add_text(out, "- ");
		say_scenario(row, out);
		buf_printf(out, ": `%s`", result_status_name(row->status));
		if (row->note[0])
			buf_printf(out, ". %s", row->note);
		buf_add_char(out, '\n');
	}
}

void result_format_markdown(const struct result *r, struct buf *out)
{
	char when[CELL_BYTES];
	struct buf line;

	format_wall(clock_wall_s(), when);
	buf_printf(out,
		   "# Kubernetes Locust Load Test Results\n\n"
		   "%zu of %zu scenarios recorded, %zu measured. Written %s.\n\n## Summary\n\n",
		   r->count, r->planned, result_count_ok(r), when);
	buf_init(&line, CELL_BYTES);
	if (result_say_best_throughput(r, &line))
		buf_printf(out, "- **Best Throughput:** %s\n", line.p);
	buf_clear(&line);
	if (result_say_best_latency(r, &line))
		buf_printf(out, "- **Best Latency:** %s\n", line.p);
	if (!result_count_ok(r))
		buf_add_text(out, "- No scenario has been measured yet.\n");
	buf_fini(&line);
	buf_add_text(out, "\n## Scenarios\n\n");
	add_markdown_table(r, out);
	buf_add_text(out,
		     "\nRPS and the response times are those of the window in which all users ran; "
		     "Total_Requests, Failures and Server_Requests cover the whole test, with ramp "
		     "and drain. Empty cells were not measured.\n");
	buf_add_text(
		out,
		"\nMedian_ms to Max_ms are service times, from the call to the last byte. "
		"Response_P95_ms and Response_P99_ms are from the moment at which the request "
		"was meant to be sent; only `paced` and `open` users have one (Model). Those of "
		"the `closed` model wait for their answers: what a slow target keeps them from "
		"sending is in no percentile.\n");
	add_markdown_notes(r, out);
	buf_printf(out, "\n## Environment\n\n%s", r->environment);
}

static enum err write_file(const struct result *r, const char *name,
			   void (*format)(const struct result *, struct buf *),
			   struct err_text *text)
{
	struct buf bytes;
	enum err err;

	buf_init(&bytes, LIMIT_RESULT_FILE_BYTES);
	format(r, &bytes);
	err = bytes.is_full ? err_set(text, ERR_TOO_BIG, "%s: larger than the limit", name)
			    : folder_replace(r->folder, name, buf_str(&bytes), text);
	buf_fini(&bytes);
	return err;
}

enum err result_add(struct result *r, const struct result_row *row, struct err_text *text)
{
	enum err err;

	ensure(r->count < LIMIT_SCENARIOS);
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 32;
		r->rows = mem_realloc(r->rows, r->cap * sizeof(*r->rows));
	}
	r->rows[r->count++] = *row;
	err = write_file(r, RESULT_CSV, result_format_csv, text);
	return err ? err : write_file(r, RESULT_MARKDOWN, result_format_markdown, text);
}
