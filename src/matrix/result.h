/* SPDX-License-Identifier: MIT
 *
 * result - the rows of a matrix, and the files they are kept in.
 *
 * A row is first a line of the journal, from which a driver that comes later goes on. From these
 * rows auto_summary.csv, auto_summary.md, report.json and report.html are made, each time as a
 * whole (folder_replace), so a driver that is killed leaves all finished rows readable. What each
 * column means stands in docs/driver.md and, in short, in the table of result_row.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "matrix/journal.h"

#define RESULT_CSV	"auto_summary.csv"
#define RESULT_MARKDOWN "auto_summary.md"
#define RESULT_JSON	"report.json"
#define RESULT_PLAN	"plan.yaml"
#define RESULT_PAGE	"report.html"

struct conclude_questions;
struct evidence;
struct plan;
struct result_row;
struct verdict_bounds;
struct result;

/* Lent until destroy. */
struct result_config {
	const char *folder;
	struct journal_plan plan;
	struct str options;		     /* a plan file by which it can be measured again */
	const struct plan *matrix;	     /* what that is made of; NULL: not known */
	const struct verdict_bounds *bounds; /* that the rows are judged by; NULL: none */
	const struct conclude_questions *questions; /* that they answer; NULL: none */
	bool is_fresh;				    /* whatever the journal says, begin anew */
	uint64_t (*now_us)(void);		    /* NULL: clock_us() */
};

/* Makes the folder, takes it, and reads the rows of the journal. Nothing is changed yet. */
enum err result_create(const struct result_config *config, struct result **out,
		       struct err_text *text) MUST_CHECK;
void result_destroy(struct result **r);
/* What the journal said. */
enum journal_kind result_past_kind(const struct result *r);
bool result_is_past_torn(const struct result *r);
/* A test that a driver before has started may run still. */
bool result_has_leftover(const struct result *r);
/* From here on files change: earlier ones of another plan are set aside, the reports have the rows
 * of the journal. environment (Markdown list lines) is copied. */
enum err result_start(struct result *r, const char *environment, struct err_text *text) MUST_CHECK;
/* Instead of that when there is nothing left to measure: makes the reports again, in which the last
 * row is missing if the driver was killed in between. */
enum err result_write_reports(struct result *r, struct err_text *text) MUST_CHECK;
/* Has scenario i, from 0, its row? */
bool result_has(const struct result *r, size_t i);
/* Scenario i, which has none, begins. */
enum err result_add_begun(struct result *r, size_t i, struct err_text *text) MUST_CHECK;
/* An attempt at it has failed and is made again. */
enum err result_add_tried(struct result *r, const struct result_row *row,
			  struct err_text *text) MUST_CHECK;
/* Adds the row, with what it rests on, and writes all files, unless that takes longer than a second
 * and was done a short while ago. On failure the row is kept in memory. */
enum err result_add(struct result *r, const struct result_row *row, const struct evidence *evidence,
		    struct err_text *text) MUST_CHECK;
/* The walk is over: a word for the journal, and all rows are in all files. */
enum err result_add_ended(struct result *r, const char *how, struct err_text *text) MUST_CHECK;
size_t result_count(const struct result *r);
/* In the order in which they were measured. Lent until the next one is added. */
const struct result_row *result_rows(const struct result *r, size_t *count);
size_t result_count_ok(const struct result *r);
/* Rows that break a bound. */
size_t result_count_broken(const struct result *r);
/* A line of a Markdown list for each of them. */
void result_say_broken(const struct result *r, struct buf *out);
/* "21.23 RPS with 4 replicas, 8 workers, 800 users"; false when no row is RESULT_OK. Rows
 * that show the limit of the load generator stand back behind the others. */
bool result_say_best_throughput(const struct result *r, struct buf *out);
bool result_say_best_latency(const struct result *r, struct buf *out);
/* What the rows say to the questions, a sentence a line; nothing without questions. */
void result_say_answer(const struct result *r, struct buf *out);
/* Has every question its answer? */
bool result_is_answered(const struct result *r);
/* The table as text with aligned columns, for a terminal. */
void result_format_table(const struct result *r, struct buf *out);
