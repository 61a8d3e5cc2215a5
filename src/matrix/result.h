/* SPDX-License-Identifier: MIT
 *
 * result - the rows of a matrix, and the two files they are kept in.
 *
 * auto_summary.csv and auto_summary.md are written again as a whole after every row
 * (folder_replace), so a driver that is killed leaves all finished rows readable. What
 * each column means stands in docs/driver.md and, in short, in the table of result.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#define RESULT_CSV	"auto_summary.csv"
#define RESULT_MARKDOWN "auto_summary.md"

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

/* Was the load generator the limit of what was measured? */
enum result_generator {
	RESULT_GENERATOR_UNKNOWN, /* the master does not say */
	RESULT_GENERATOR_OK,
	RESULT_GENERATOR_LIMITED
};

/* Numbers that are not known are NAN (and requests of the service UINT64_MAX): their
 * cells stay empty. Times in milliseconds, as Locust reports them. */
struct result_row {
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
};

struct result;

const char *result_status_name(enum result_status status);
/* A row about which only the scenario is known. */
struct result_row result_row_blank(uint64_t replicas, uint64_t workers, uint64_t users);
/* Sets the note: line breaks become " / ", what does not fit is cut off. */
void result_row_note(struct result_row *row, const char *text);

/* Makes the folder and sets earlier files of the same names aside. planned is the number of
 * scenarios; environment (Markdown list lines) is copied. */
enum err result_create(const char *folder, size_t planned, const char *environment,
		       struct result **out, struct err_text *text) MUST_CHECK;
void result_destroy(struct result **r);
/* Adds the row and writes both files. On failure the row is kept in memory. */
enum err result_add(struct result *r, const struct result_row *row,
		    struct err_text *text) MUST_CHECK;
size_t result_count(const struct result *r);
size_t result_count_ok(const struct result *r);
/* "21.23 RPS with 4 replicas, 8 workers, 800 users"; false when no row is RESULT_OK. Rows
 * that show the limit of the load generator stand back behind the others. */
bool result_say_best_throughput(const struct result *r, struct buf *out);
bool result_say_best_latency(const struct result *r, struct buf *out);
/* The table as text with aligned columns, for a terminal. */
void result_format_table(const struct result *r, struct buf *out);
/* For tests and writers. */
void result_format_csv(const struct result *r, struct buf *out);
void result_format_markdown(const struct result *r, struct buf *out);
