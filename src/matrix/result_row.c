/* SPDX-License-Identifier: MIT
 *
 * result_row - see the header. */
#include "matrix/result_row.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* Also a moment: in the year 9999 a calendar ends. */
#define NUMBER_MAX 253402300799.0

const struct result_column result_columns[] = {
	{ "Replicas", COLUMN_COUNT, offsetof(struct result_row, replicas), true, "replicas",
	  "of the target" },
	{ "Workers", COLUMN_COUNT, offsetof(struct result_row, workers), true, "workers",
	  "of the load generator" },
	{ "Users", COLUMN_COUNT, offsetof(struct result_row, users), true, "users",
	  "virtual ones" },
	{ "RPS", COLUMN_2, offsetof(struct result_row, rps), true, "requests/s",
	  "completed in the window, by its length" },
	{ "Median_ms", COLUMN_MS, offsetof(struct result_row, median_ms), true, "ms",
	  "half of the service times in the window are at most this",
	  offsetof(struct result_row, median_range) },
	{ "P95_ms", COLUMN_MS, offsetof(struct result_row, p95_ms), true, "ms",
	  "95th percentile of the service times in the window",
	  offsetof(struct result_row, p95_range) },
	{ "P99_ms", COLUMN_MS, offsetof(struct result_row, p99_ms), true, "ms",
	  "99th percentile of the service times in the window",
	  offsetof(struct result_row, p99_range) },
	{ "Failures_Pct", COLUMN_2, offsetof(struct result_row, failures_pct), true, "%",
	  "failed requests of the whole test" },
	{ "Total_Requests", COLUMN_COUNT, offsetof(struct result_row, total_requests), true,
	  "requests", "of the whole test: ramp, window and those in flight at the stop" },
	{ "Duration_s", COLUMN_2, offsetof(struct result_row, duration_s), true, "s",
	  "length of the window" },
	{ "Timestamp", COLUMN_TIME, offsetof(struct result_row, wall_start_s), false, NULL,
	  "when the test was started, UTC" },
	{ "Status", COLUMN_STATUS, offsetof(struct result_row, status), true, NULL,
	  "`ok`, or why the scenario could not be measured properly" },
	{ "P90_ms", COLUMN_MS, offsetof(struct result_row, p90_ms), false, "ms",
	  "90th percentile of the service times in the window",
	  offsetof(struct result_row, p90_range) },
	{ "Avg_ms", COLUMN_2, offsetof(struct result_row, avg_ms), false, "ms",
	  "mean service time in the window" },
	{ "Min_ms", COLUMN_MS, offsetof(struct result_row, min_ms), false, "ms",
	  "shortest service time in the window" },
	{ "Max_ms", COLUMN_MS, offsetof(struct result_row, max_ms), false, "ms",
	  "longest service time in the window" },
	{ "Failures", COLUMN_COUNT, offsetof(struct result_row, failures), false, "requests",
	  "failed ones of the whole test" },
	{ "Window_Requests", COLUMN_COUNT, offsetof(struct result_row, window_requests), false,
	  "requests", "completed in the window" },
	{ "Server_Requests", COLUMN_COUNT, offsetof(struct result_row, server_requests), true,
	  "requests", "answered during the test, as the replicas count" },
	{ "Note", COLUMN_NOTE, offsetof(struct result_row, note), false, NULL,
	  "why the scenario is not `ok`, or what its figures lack" },
	{ "Lag_P99_ms", COLUMN_MS, offsetof(struct result_row, lag_p99_ms), false, "ms",
	  "how late the virtual users ran in the window, 99th percentile" },
	{ "Generator_CPU_Pct", COLUMN_2, offsetof(struct result_row, generator_cpu_pct), false,
	  "% of a CPU", "of the busiest load thread in its busiest second" },
	{ "Generator", COLUMN_GENERATOR, offsetof(struct result_row, generator), true, NULL,
	  "`ok`, or `limited`: the row shows the load generator, not the target" },
	{ "Response_P95_ms", COLUMN_MS, offsetof(struct result_row, response_p95_ms), false, "ms",
	  "95th percentile of the times from the intended start" },
	{ "Response_P99_ms", COLUMN_MS, offsetof(struct result_row, response_p99_ms), false, "ms",
	  "99th percentile of the times from the intended start" },
	{ "Model", COLUMN_MODEL, offsetof(struct result_row, model), false, NULL,
	  "when users send: `closed`, `paced`, `open`" },
	{ "Dropped", COLUMN_COUNT, offsetof(struct result_row, dropped), false, "arrivals",
	  "of open classes that were dropped in the window" },
	{ "Repeat", COLUMN_COUNT, offsetof(struct result_row, repeat), false, "pass",
	  "of the matrix, from 1" },
	{ "Attempts", COLUMN_COUNT, offsetof(struct result_row, attempts), false, "attempts",
	  "at the scenario; the row is the last one" },
	{ "Steady_From_s", COLUMN_2, offsetof(struct result_row, steady_from_s), false, "s",
	  "after the window's begin the test was steady; empty: never" },
	{ "Steady_RPS", COLUMN_2, offsetof(struct result_row, steady_rps), false, "requests/s",
	  "mean from there on", offsetof(struct result_row, steady_rps_range) },
	{ "Steady_RPS_Low", COLUMN_2, offsetof(struct result_row, steady_rps_range.low), false,
	  "requests/s", "lower end of the interval (95 %) of Steady_RPS", .is_bound = true },
	{ "Steady_RPS_High", COLUMN_2, offsetof(struct result_row, steady_rps_range.high), false,
	  "requests/s", "upper end of the interval (95 %) of Steady_RPS", .is_bound = true },
	{ "Steady_Median_ms", COLUMN_MS, offsetof(struct result_row, steady_median_ms), false, "ms",
	  "median of the service times from Steady_From_s on; empty: too few requests",
	  offsetof(struct result_row, steady_median_range) },
	{ "Steady_Median_Low_ms", COLUMN_MS, offsetof(struct result_row, steady_median_range.low),
	  false, "ms", "lower end of the interval (95 %) of Steady_Median_ms", .is_bound = true },
	{ "Steady_Median_High_ms", COLUMN_MS, offsetof(struct result_row, steady_median_range.high),
	  false, "ms", "upper end of the interval (95 %) of Steady_Median_ms", .is_bound = true },
	{ "Steady_P90_ms", COLUMN_MS, offsetof(struct result_row, steady_p90_ms), false, "ms",
	  "90th percentile of the service times from Steady_From_s on; empty: too few requests",
	  offsetof(struct result_row, steady_p90_range) },
	{ "Steady_P90_Low_ms", COLUMN_MS, offsetof(struct result_row, steady_p90_range.low), false,
	  "ms", "lower end of the interval (95 %) of Steady_P90_ms", .is_bound = true },
	{ "Steady_P90_High_ms", COLUMN_MS, offsetof(struct result_row, steady_p90_range.high),
	  false, "ms", "upper end of the interval (95 %) of Steady_P90_ms", .is_bound = true },
	{ "Steady_P95_ms", COLUMN_MS, offsetof(struct result_row, steady_p95_ms), false, "ms",
	  "95th percentile of the service times from Steady_From_s on; empty: too few requests",
	  offsetof(struct result_row, steady_p95_range) },
	{ "Steady_P95_Low_ms", COLUMN_MS, offsetof(struct result_row, steady_p95_range.low), false,
	  "ms", "lower end of the interval (95 %) of Steady_P95_ms", .is_bound = true },
	{ "Steady_P95_High_ms", COLUMN_MS, offsetof(struct result_row, steady_p95_range.high),
	  false, "ms", "upper end of the interval (95 %) of Steady_P95_ms", .is_bound = true },
	{ "Steady_P99_ms", COLUMN_MS, offsetof(struct result_row, steady_p99_ms), false, "ms",
	  "99th percentile of the service times from Steady_From_s on; empty: too few requests",
	  offsetof(struct result_row, steady_p99_range) },
	{ "Steady_P99_Low_ms", COLUMN_MS, offsetof(struct result_row, steady_p99_range.low), false,
	  "ms", "lower end of the interval (95 %) of Steady_P99_ms", .is_bound = true },
	{ "Steady_P99_High_ms", COLUMN_MS, offsetof(struct result_row, steady_p99_range.high),
	  false, "ms", "upper end of the interval (95 %) of Steady_P99_ms", .is_bound = true },
	{ "Steady_P999_ms", COLUMN_MS, offsetof(struct result_row, steady_p999_ms), false, "ms",
	  "99.9th percentile of the service times from Steady_From_s on; empty: too few requests",
	  offsetof(struct result_row, steady_p999_range) },
	{ "Steady_P999_Low_ms", COLUMN_MS, offsetof(struct result_row, steady_p999_range.low),
	  false, "ms", "lower end of the interval (95 %) of Steady_P999_ms", .is_bound = true },
	{ "Steady_P999_High_ms", COLUMN_MS, offsetof(struct result_row, steady_p999_range.high),
	  false, "ms", "upper end of the interval (95 %) of Steady_P999_ms", .is_bound = true },
	{ "Median_Low_ms", COLUMN_MS, offsetof(struct result_row, median_range.low), false, "ms",
	  "lower end of the interval (95 %) of Median_ms", .is_bound = true },
	{ "Median_High_ms", COLUMN_MS, offsetof(struct result_row, median_range.high), false, "ms",
	  "upper end of the interval (95 %) of Median_ms", .is_bound = true },
	{ "P90_Low_ms", COLUMN_MS, offsetof(struct result_row, p90_range.low), false, "ms",
	  "lower end of the interval (95 %) of P90_ms", .is_bound = true },
	{ "P90_High_ms", COLUMN_MS, offsetof(struct result_row, p90_range.high), false, "ms",
	  "upper end of the interval (95 %) of P90_ms", .is_bound = true },
	{ "P95_Low_ms", COLUMN_MS, offsetof(struct result_row, p95_range.low), false, "ms",
	  "lower end of the interval (95 %) of P95_ms", .is_bound = true },
	{ "P95_High_ms", COLUMN_MS, offsetof(struct result_row, p95_range.high), false, "ms",
	  "upper end of the interval (95 %) of P95_ms", .is_bound = true },
	{ "P99_Low_ms", COLUMN_MS, offsetof(struct result_row, p99_range.low), false, "ms",
	  "lower end of the interval (95 %) of P99_ms", .is_bound = true },
	{ "P99_High_ms", COLUMN_MS, offsetof(struct result_row, p99_range.high), false, "ms",
	  "upper end of the interval (95 %) of P99_ms", .is_bound = true },
	{ "P999_ms", COLUMN_MS, offsetof(struct result_row, p999_ms), false, "ms",
	  "99.9th percentile of the service times in the window; empty: too few requests",
	  offsetof(struct result_row, p999_range) },
	{ "P999_Low_ms", COLUMN_MS, offsetof(struct result_row, p999_range.low), false, "ms",
	  "lower end of the interval (95 %) of P999_ms", .is_bound = true },
	{ "P999_High_ms", COLUMN_MS, offsetof(struct result_row, p999_range.high), false, "ms",
	  "upper end of the interval (95 %) of P999_ms", .is_bound = true },
	{ "Wait_ms", COLUMN_2, offsetof(struct result_row, wait_ms), false, "ms",
	  "that users waited between tasks, for each request of the window" },
	{ "Law_Error_Pct", COLUMN_2, offsetof(struct result_row, law_error_pct), false, "%",
	  "between Users and RPS x (Avg_ms + Wait_ms), which are equal in a closed loop" },
	{ "Server_CPU_ms", COLUMN_MS, offsetof(struct result_row, server_cpu_ms), false, "ms",
	  "CPU time of the replicas for each request that they answered in the window" },
	{ "Server_Queue_ms", COLUMN_MS, offsetof(struct result_row, server_queue_ms), false, "ms",
	  "mean time in which requests waited for their batch" },
	{ "Server_Compute_ms", COLUMN_MS, offsetof(struct result_row, server_compute_ms), false,
	  "ms", "mean time of a batch in the model" },
	{ "Server_Share_Max_Pct", COLUMN_2, offsetof(struct result_row, server_share_max_pct),
	  false, "%", "of the requests, answered by the busiest replica" },
	{ "Server_CPU_Pct", COLUMN_2, offsetof(struct result_row, server_cpu_pct), false,
	  "% of a CPU", "that a replica used in the window, on average" },
	{ "Server_Memory_MiB", COLUMN_2, offsetof(struct result_row, server_memory_mib), false,
	  "MiB", "of the replica that had most memory in use" },
	{ "Verdict", COLUMN_VERDICT, offsetof(struct result_row, verdict), true, NULL,
	  "`valid`, `suspect` or `invalid`: may the row be believed?" },
	{ "Reason", COLUMN_REASON, offsetof(struct result_row, reason), false, NULL,
	  "why it is not valid" },
};
_Static_assert(COUNT_OF(result_columns) == RESULT_COLUMNS, "each column has its row");

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

static const char *const verdict_names[] = {
	[RESULT_VERDICT_NONE] = "",
	[RESULT_VERDICT_VALID] = "valid",
	[RESULT_VERDICT_SUSPECT] = "suspect",
	[RESULT_VERDICT_INVALID] = "invalid",
};

#define RANGE_UNKNOWN \
	{ \
		NAN, NAN \
	}

const char *result_status_name(enum result_status status)
{
	ensure(status < RESULT_STATUS_COUNT);
	return status_names[status];
}

bool result_status_is_measured(enum result_status status)
{
	return status == RESULT_OK || status == RESULT_NO_REQUESTS ||
	       status == RESULT_COUNTS_DIFFER;
}

const char *result_verdict_name(enum result_verdict verdict)
{
	return verdict_names[verdict];
}

struct result_row result_row_blank(uint64_t replicas, uint64_t workers, uint64_t users)
{
	return (struct result_row){
		.replicas = replicas,
		.workers = workers,
		.users = users,
		.repeat = 1,
		.attempts = 1,
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
		.steady_from_s = NAN,
		.steady_rps = NAN,
		.steady_rps_range = RANGE_UNKNOWN,
		.median_range = RANGE_UNKNOWN,
		.p90_range = RANGE_UNKNOWN,
		.p95_range = RANGE_UNKNOWN,
		.p99_range = RANGE_UNKNOWN,
		.p999_ms = NAN,
		.p999_range = RANGE_UNKNOWN,
		.steady_median_ms = NAN,
		.steady_median_range = RANGE_UNKNOWN,
		.steady_p90_ms = NAN,
		.steady_p90_range = RANGE_UNKNOWN,
		.steady_p95_ms = NAN,
		.steady_p95_range = RANGE_UNKNOWN,
		.steady_p99_ms = NAN,
		.steady_p99_range = RANGE_UNKNOWN,
		.steady_p999_ms = NAN,
		.steady_p999_range = RANGE_UNKNOWN,
		.wait_ms = NAN,
		.law_error_pct = NAN,
		.server_cpu_ms = NAN,
		.server_queue_ms = NAN,
		.server_compute_ms = NAN,
		.server_share_max_pct = NAN,
		.server_cpu_pct = NAN,
		.server_memory_mib = NAN,
	};
}

size_t result_row_place(const struct result_row *rows, size_t count, size_t scenario)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (rows[middle].scenario < scenario)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

const struct result_row *result_row_find(const struct result_row *rows, size_t count,
					 size_t scenario)
{
	size_t place = result_row_place(rows, count, scenario);

	return place < count && rows[place].scenario == scenario ? &rows[place] : NULL;
}

void result_row_insert(struct result_row **rows, size_t *count, size_t *cap,
		       const struct result_row *row)
{
	size_t place = result_row_place(*rows, *count, row->scenario);

	if (*count == *cap) {
		*cap = *cap ? *cap * 2 : 32;
		*rows = mem_realloc(*rows, *cap * sizeof(**rows));
	}
	memmove(*rows + place + 1, *rows + place, (*count - place) * sizeof(**rows));
	(*rows)[place] = *row;
	++*count;
}

static void put_line(char *to, size_t size, const char *text)
{
	size_t len = 0;

	for (const char *c = text; *c && len + 4 < size; c++) {
		if ((unsigned char)*c >= ' ') {
			to[len++] = *c;
		} else if (*c == '\n' && c[1]) {
			memcpy(to + len, " / ", 3);
			len += 3;
		}
	}
	to[len] = '\0';
}

void result_row_note(struct result_row *row, const char *text)
{
	put_line(row->note, sizeof(row->note), text);
}

void result_row_add_note(struct result_row *row, const char *text)
{
	char note[sizeof(row->note) + sizeof(struct err_text)];

	snprintf(note, sizeof(note), "%s%s%s", row->note, row->note[0] ? "\n" : "", text);
	result_row_note(row, note);
}

void result_row_reason(struct result_row *row, const char *text)
{
	put_line(row->reason, sizeof(row->reason), text);
}

void result_cell_ms(double value_ms, char out[RESULT_CELL_BYTES])
{
	/* Locust's percentiles are whole milliseconds; ours may be finer below 10. */
	if (fabs(value_ms - round(value_ms)) < 0.005)
		snprintf(out, RESULT_CELL_BYTES, "%.0f", value_ms);
	else
		snprintf(out, RESULT_CELL_BYTES, "%.2f", value_ms);
}

void result_cell_wall(double wall_s, char out[RESULT_CELL_BYTES])
{
	time_t t = (time_t)wall_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, RESULT_CELL_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void result_cell(const struct result_row *row, const struct result_column *column,
		 char out[RESULT_CELL_BYTES])
{
	const void *field = (const char *)row + column->offset;
	double number = 0;

	out[0] = '\0';
	switch (column->kind) {
	case COLUMN_COUNT:
		if (*(const uint64_t *)field != UINT64_MAX)
			snprintf(out, RESULT_CELL_BYTES, "%" PRIu64, *(const uint64_t *)field);
		break;
	case COLUMN_2:
	case COLUMN_MS:
		number = *(const double *)field;
		if (!isfinite(number))
			break;
		if (column->kind == COLUMN_MS)
			result_cell_ms(number, out);
		else
			snprintf(out, RESULT_CELL_BYTES, "%.2f", number);
		break;
	case COLUMN_TIME:
		result_cell_wall(*(const double *)field, out);
		break;
	case COLUMN_STATUS:
		snprintf(out, RESULT_CELL_BYTES, "%s", result_status_name(row->status));
		break;
	case COLUMN_NOTE:
		snprintf(out, RESULT_CELL_BYTES, "%s", row->note);
		break;
	case COLUMN_GENERATOR:
		snprintf(out, RESULT_CELL_BYTES, "%s", generator_names[row->generator]);
		break;
	case COLUMN_MODEL:
		snprintf(out, RESULT_CELL_BYTES, "%s", row->model);
		break;
	case COLUMN_VERDICT:
		snprintf(out, RESULT_CELL_BYTES, "%s", verdict_names[row->verdict]);
		break;
	case COLUMN_REASON:
		snprintf(out, RESULT_CELL_BYTES, "%s", row->reason);
		break;
	}
}

bool result_column_is_figure(const struct result_column *column)
{
	return column->unit != NULL;
}

double result_column_value(const struct result_column *column, const struct result_row *row)
{
	const void *field = (const char *)row + column->offset;

	if (column->kind != COLUMN_COUNT)
		return *(const double *)field;
	return *(const uint64_t *)field == UINT64_MAX ? NAN : (double)*(const uint64_t *)field;
}

static bool is_number(enum result_column_kind kind)
{
	return kind == COLUMN_2 || kind == COLUMN_MS || kind == COLUMN_TIME;
}

static bool is_within(double number)
{
	return number >= 0 && number <= NUMBER_MAX;
}

/* What a strange master says shall not make a journal that cannot be read again. */
static bool is_readable(const void *field, enum result_column_kind kind)
{
	if (kind == COLUMN_COUNT)
		return is_within((double)*(const uint64_t *)field);
	return !is_number(kind) || is_within(*(const double *)field);
}

void result_row_add_json(const struct result_row *row, struct buf *out)
{
	for (size_t i = 0; i < RESULT_COLUMNS; i++) {
		const struct result_column *column = &result_columns[i];
		const void *field = (const char *)row + column->offset;
		char cell[RESULT_CELL_BYTES];

		result_cell(row, column, cell);
		if (!cell[0] || !is_readable(field, column->kind))
			continue;
		buf_printf(out, ",\"%s\":", column->name);
		if (column->kind == COLUMN_COUNT)
			buf_add_u64(out, *(const uint64_t *)field);
		else if (is_number(column->kind))
			buf_add_real(out, *(const double *)field);
		else
			buf_add_json(out, str_of(cell));
	}
}

static enum err read_number(const json_t *value, const struct result_column *column,
			    struct result_row *row, struct err_text *why)
{
	double number = json_number_value(value);

	if (!json_is_number(value) || !is_within(number))
		return err_set(why, ERR_BAD_INPUT, "%s is no number from 0 to %g", column->name,
			       NUMBER_MAX);
	if (column->kind == COLUMN_COUNT && !json_is_integer(value))
		return err_set(why, ERR_BAD_INPUT, "%s is no whole number", column->name);
	if (column->kind == COLUMN_COUNT)
		*(uint64_t *)((char *)row + column->offset) = (uint64_t)json_integer_value(value);
	else
		*(double *)((char *)row + column->offset) = number;
	return OK;
}

/* The place of a word in a list, or its length. */
static size_t find_word(const char *word, const char *const *words, size_t count)
{
	size_t i = 0;

	while (i < count && strcmp(word, words[i]) != 0)
		i++;
	return i;
}

static bool is_word(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz+");

	return !text[len] && len < LIMIT_MODEL_WORD;
}

static enum err read_text(const json_t *value, const struct result_column *column,
			  struct result_row *row, struct err_text *why)
{
	const char *text = json_string_value(value);
	size_t place;

	if (!text)
		return err_set(why, ERR_BAD_INPUT, "%s is no text", column->name);
	switch (column->kind) {
	case COLUMN_STATUS:
		place = find_word(text, status_names, COUNT_OF(status_names));
		row->status = (enum result_status)place;
		return place < COUNT_OF(status_names)
			       ? OK
			       : err_set(why, ERR_BAD_INPUT, "the Status is unknown");
	case COLUMN_GENERATOR:
		place = find_word(text, generator_names, COUNT_OF(generator_names));
		row->generator = (enum result_generator)place;
		return place < COUNT_OF(generator_names)
			       ? OK
			       : err_set(why, ERR_BAD_INPUT, "the Generator is unknown");
	case COLUMN_MODEL:
		if (!is_word(text))
			return err_set(why, ERR_BAD_INPUT, "the Model is no word");
		snprintf(row->model, sizeof(row->model), "%s", text);
		return OK;
	case COLUMN_VERDICT:
		place = find_word(text, verdict_names, COUNT_OF(verdict_names));
		row->verdict = (enum result_verdict)place;
		return place < COUNT_OF(verdict_names)
			       ? OK
			       : err_set(why, ERR_BAD_INPUT, "the Verdict is unknown");
	case COLUMN_REASON:
		result_row_reason(row, text);
		return OK;
	default:
		result_row_note(row, text);
		return OK;
	}
}

enum err result_row_read_json(const json_t *object, struct result_row *out, struct err_text *why)
{
	*out = result_row_blank(0, 0, 0);
	for (size_t i = 0; i < RESULT_COLUMNS; i++) {
		const struct result_column *column = &result_columns[i];
		const json_t *value = json_object_get(object, column->name);
		enum err err;

		if (!value && (column->kind == COLUMN_STATUS || column->kind == COLUMN_TIME ||
			       column->offset <= offsetof(struct result_row, users)))
			return err_set(why, ERR_BAD_INPUT, "%s is missing", column->name);
		if (!value)
			continue;
		if (is_number(column->kind) || column->kind == COLUMN_COUNT)
			err = read_number(value, column, out, why);
		else
			err = read_text(value, column, out, why);
		if (err)
			return err;
	}
	return OK;
}
