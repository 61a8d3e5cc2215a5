/* SPDX-License-Identifier: MIT
 *
 * journal - run.jsonl in the folder of the results: what was done, on disk before it counts.
 *
 * A line is a JSON object. The first is the plan. Each start of a driver has "started" with its
 * environment, each scenario "begun" and "row" with all its figures, and a walk that ended by
 * itself "ended". A driver that is killed at any moment leaves whole lines and perhaps a part of
 * one more; whoever comes next with the same plan goes on with the scenarios that have no row. A
 * row that was not measured to its end (result_status_is_measured()) is none: its scenario comes
 * again.
 *
 * A test that a driver has started and not stopped is its own, and whoever finds it running has to
 * know that. A scenario that has begun may have one; a row says so when it was left with one, and
 * the first line of a new journal when the one that was set aside did. At another master nothing is
 * known of it.
 *
 * The folder belongs to one driver at a time, from open to close. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define JOURNAL_FILE "run.jsonl"

struct journal;
struct result_row;

/* settings: a line for people with all that defines the scenarios and how they are measured. Two
 * plans with equal lines are the same. */
struct journal_plan {
	const char *settings;
	size_t scenarios;
	const char *master; /* where its tests run; NULL: at one that ends with the driver */
};

enum journal_kind {
	JOURNAL_NONE,
	JOURNAL_SAME, /* of this plan */
	JOURNAL_OTHER /* of another plan: it may only have left a test */
};

/* What a journal says. */
struct journal_past {
	enum journal_kind kind;
	struct result_row *rows; /* what was measured, in the order of the plan; mem_free() them */
	size_t count;
	char *environment; /* of the last start, mem_free() it; NULL: none */
	size_t whole_bytes;
	bool has_leftover; /* a test that its drivers have started may run still */
	bool is_torn;	   /* something without a line break follows those */
};

/* Reads the bytes of a journal, which may be anything. Errors name the line, as name:line. */
enum err journal_parse(const char *name, struct str bytes, const struct journal_plan *plan,
		       struct journal_past *out, struct err_text *text) MUST_CHECK;

/* Takes the folder, which must be there (ERR_BUSY: another driver has it), and reads what the
 * journal in it says. Changes nothing. The plan is lent until close. is_fresh: whatever it says, it
 * is JOURNAL_NONE, and has_leftover as far as it could be read. */
enum err journal_open(const char *folder, const struct journal_plan *plan, bool is_fresh,
		      struct journal **out, struct journal_past *past,
		      struct err_text *text) MUST_CHECK;
/* From here on it is written: behind the past if that is JOURNAL_SAME, else as a new file, for
 * which an earlier one is set aside. environment: lines for people. */
enum err journal_start(struct journal *j, const struct journal_past *past, const char *environment,
		       struct err_text *text) MUST_CHECK;
/* Scenario i, from 0. On disk when they return OK; after an error nothing more is written. */
enum err journal_add_begun(struct journal *j, size_t i, struct err_text *text) MUST_CHECK;
/* An attempt that has failed and is made again. */
enum err journal_add_tried(struct journal *j, size_t i, const struct result_row *row,
			   struct err_text *text) MUST_CHECK;
enum err journal_add_row(struct journal *j, size_t i, const struct result_row *row,
			 struct err_text *text) MUST_CHECK;
/* how: a word. */
enum err journal_add_ended(struct journal *j, const char *how, struct err_text *text) MUST_CHECK;
void journal_close(struct journal **j);
