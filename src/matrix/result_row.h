/* SPDX-License-Identifier: MIT
 *
 * result_row - what is known of one scenario, and the one table of columns from which its cells in
 * the reports and its record in the journal are made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/* How a scenario ended. Only rows with RESULT_OK are compared with one another. */
enum result_status {
	RESULT_OK,
	RESULT_MASTER_NOT_READY,  /* the master did not start or did not answer */
	RESULT_TARGET_NOT_READY,  /* replicas did not become ready: not measured */
	RESULT_WORKERS_NOT_READY, /* workers did not connect: not measured */
	RESULT_START_FAILED,	  /* the master refused the test, or users were not spawned */
	RESULT_LOST_MASTER,	  /* the following three: gone while the test ran */
	RESULT_LOST_WORKER,
	RESULT_LOST_REPLICA,
	RESULT_CHANGED,	      /* invalid: somebody else scaled, or that nobody did is not known */
	RESULT_STOPPED_EARLY, /* somebody else stopped the test */
	RESULT_STOP_FAILED,   /* the test did not stop, so its totals are not final */
	RESULT_NO_REQUESTS,   /* nothing was completed in the window */
	RESULT_COUNTS_DIFFER, /* service and load generator disagree, failures do not explain it */
	RESULT_INTERRUPTED,
	RESULT_STATUS_COUNT
};

/* Did the test run to its end with what was ordered, so that its figures say something of the
 * target? What did not is measured again by a later start. */
bool result_status_is_measured(enum result_status status);

/* Was the load generator the limit of what was measured? */
enum result_generator {
	RESULT_GENERATOR_UNKNOWN, /* the master does not say */
	RESULT_GENERATOR_OK,
	RESULT_GENERATOR_LIMITED
};

/* May the row be believed (capacity/trust.h)? */
enum result_verdict {
	RESULT_VERDICT_NONE, /* nothing was measured */
	RESULT_VERDICT_VALID,
	RESULT_VERDICT_SUSPECT,
	RESULT_VERDICT_INVALID
};

/* An interval of 95 % confidence. */
struct result_range {
	double low, high;
};

/* Numbers that are not known are NAN (and requests of the service UINT64_MAX): their
 * cells stay empty. Times in milliseconds, as Locust reports them. */
struct result_row {
	size_t scenario; /* its place in the plan, from 0 */
	uint64_t replicas, workers, users;
	enum result_status status;
	double wall_start_s;
	double rps; /* window_requests / duration_s */
	double median_ms, p90_ms, p95_ms, p99_ms, avg_ms, min_ms, max_ms; /* of the window */
	double duration_s;						  /* of the window */
	double failures_pct;			   /* 100 * failures / total_requests */
	uint64_t total_requests, failures;	   /* of the whole test: ramp, window, drain */
	uint64_t window_requests, server_requests; /* the latter as the replicas counted */
	char note[512];				   /* one line; why it is not RESULT_OK */
	double lag_p99_ms, generator_cpu_pct;	   /* of the load generator, in the window */
	enum result_generator generator;
	double response_p95_ms, response_p99_ms; /* from the intended start, in the window */
	char model[LIMIT_MODEL_WORD];		 /* of the load, a word; "": not known */
	uint64_t dropped;			 /* arrivals of open classes, in the window */
	uint64_t repeat, attempts;		 /* from 1 */
	double steady_from_s;			 /* after the window's begin; NAN: never */
	double steady_rps;			 /* from there on */
	struct result_range steady_rps_range;
	struct result_range median_range, p90_range, p95_range, p99_range;
	double p999_ms;
	struct result_range p999_range;
	/* Service times of the steady part alone. */
	double steady_median_ms, steady_p90_ms, steady_p95_ms, steady_p99_ms, steady_p999_ms;
	struct result_range steady_median_range, steady_p90_range, steady_p95_range,
		steady_p99_range, steady_p999_range;
	double wait_ms;		/* of a user, for each request */
	double law_error_pct;	/* of users = RPS (response + wait) */
	double server_cpu_ms;	/* of the replicas, for each request they answered in the window */
	double server_queue_ms; /* mean wait for a batch */
	double server_compute_ms;    /* mean of a batch */
	double server_share_max_pct; /* of the requests, by the busiest replica */
	double server_cpu_pct;	     /* of a CPU that a replica used, on average */
	double server_memory_mib;    /* of the replica that had most */
	enum result_verdict verdict;
	char reason[256]; /* why it is not valid; one line */

	bool has_left_test; /* which could not be stopped, and may run still */
};

const char *result_status_name(enum result_status status);
/* "" for RESULT_VERDICT_NONE. */
const char *result_verdict_name(enum result_verdict verdict);
/* A row about which only the scenario is known. */
struct result_row result_row_blank(uint64_t replicas, uint64_t workers, uint64_t users);
/* The place of the row of `scenario` among rows in the order of the plan, or where it would be. */
size_t result_row_place(const struct result_row *rows, size_t count, size_t scenario);
/* The row of `scenario` among them; NULL: it has none. */
const struct result_row *result_row_find(const struct result_row *rows, size_t count,
					 size_t scenario);
/* One more, at its place. *rows grows by mem_realloc(). */
void result_row_insert(struct result_row **rows, size_t *count, size_t *cap,
		       const struct result_row *row);
/* Set the note and the reason: line breaks become " / ", what does not fit is cut off. */
void result_row_note(struct result_row *row, const char *text);
void result_row_reason(struct result_row *row, const char *text);
/* One more line of the note. */
void result_row_add_note(struct result_row *row, const char *text);

#define RESULT_COLUMNS	  69
#define RESULT_CELL_BYTES 600

/* How a field becomes text. */
enum result_column_kind {
	COLUMN_COUNT, /* uint64_t, empty when UINT64_MAX */
	COLUMN_2,     /* double with two decimals */
	COLUMN_MS,    /* double, decimals only where it has some */
	COLUMN_TIME,  /* wall time, UTC */
	COLUMN_STATUS,
	COLUMN_NOTE,
	COLUMN_GENERATOR,
	COLUMN_MODEL,
	COLUMN_VERDICT,
	COLUMN_REASON
};

/* The first ten are the order's, in its order; tools rely on that. */
extern const struct result_column {
	const char *name;
	enum result_column_kind kind;
	size_t offset;
	bool is_on_terminal;
	const char *unit; /* NULL: a word or a text */
	const char *meaning;
	size_t range;  /* offset of the figure's interval; 0: it has none */
	bool is_bound; /* of an interval: another column's figure has it */
} result_columns[RESULT_COLUMNS];

/* Is the cell a figure (a number with a unit), and not a word, a text or a moment? */
bool result_column_is_figure(const struct result_column *column);
/* Its number; NAN when it is not known. */
double result_column_value(const struct result_column *column, const struct result_row *row);

void result_cell(const struct result_row *row, const struct result_column *column,
		 char out[RESULT_CELL_BYTES]);
/* How the cells say a time in milliseconds, and a moment. */
void result_cell_ms(double value_ms, char out[RESULT_CELL_BYTES]);
void result_cell_wall(double wall_s, char out[RESULT_CELL_BYTES]);

/* As members of a JSON object, each behind a comma: by the columns' names, in full precision,
 * without what is not known. */
void result_row_add_json(const struct result_row *row, struct buf *out);
/* The other way round, from anything: ERR_BAD_INPUT names the member. Others are passed over. */
enum err result_row_read_json(const json_t *object, struct result_row *out,
			      struct err_text *why) MUST_CHECK;
