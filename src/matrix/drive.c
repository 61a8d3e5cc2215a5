/* SPDX-License-Identifier: MIT
 *
 * drive - see the header. What is next is the agenda's to say, how a scenario is measured
 * attempt's; here is what lies between: attempts again, cool-downs, the budget. */
#include "matrix/drive.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "matrix/agenda.h"
#include "matrix/attempt.h"
#include "matrix/evidence.h"
#include "matrix/pause.h"
#include "matrix/plan.h"
#include "matrix/platform.h"
#include "matrix/progress.h"
#include "matrix/result.h"
#include "matrix/result_row.h"

#define TRIED_BYTES 256 /* the names of LIMIT_RETRIES statuses */

struct walk {
	const struct drive_config *c;
	struct scenario scenario; /* the present one */
	uint64_t start_us;
	bool has_leftover;
	double late_s;	       /* that a scenario took longer than planned, at most */
	bool was_test_started; /* the target wants its rest */
};

static double gone_s(const struct walk *w, uint64_t since_us)
{
	return (double)(w->c->pause->now_us(w->c->pause) - since_us) / CLOCK_S;
}

/* For one more attempt at the scenario, if it takes as long as the slowest so far. */
static bool has_room(const struct walk *w)
{
	const struct plan *plan = w->c->plan;
	double need_s = plan_scenario_s(plan, &w->scenario) + w->late_s;

	if (w->was_test_started)
		need_s += (double)plan->cooldown_s;
	return !plan->budget_s || gone_s(w, w->start_us) + need_s <= (double)plan->budget_s;
}

static enum err cool_down(const struct walk *w, struct err_text *text)
{
	if (!w->was_test_started || !w->c->plan->cooldown_s)
		return OK;
	progress_cooldown(w->c->progress);
	return pause_for(w->c->pause, w->c->plan->cooldown_s * CLOCK_S) ? OK
									: pause_interrupted(text);
}

static struct result_row attempt(struct walk *w, size_t i, struct evidence *evidence)
{
	const struct drive_config *c = w->c;
	uint64_t start_us = c->pause->now_us(c->pause);
	struct result_row row;

	progress_scenario(c->progress, i, &w->scenario, drive_rest_s(c->plan, c->result, i));
	row = attempt_run(c, &w->scenario, w->has_leftover, evidence, &w->was_test_started);
	w->has_leftover = row.has_left_test;
	w->late_s = fmax(w->late_s, gone_s(w, start_us) - plan_scenario_s(c->plan, &w->scenario));
	return row;
}

static bool is_final(const struct walk *w, const struct result_row *row)
{
	return row->status == RESULT_OK || row->status == RESULT_INTERRUPTED ||
	       row->attempts > w->c->plan->retries || !has_room(w);
}

/* The attempts before belong to the row's story. */
static void note_tried(struct result_row *row, const char *tried)
{
	char note[TRIED_BYTES + 32];

	if (row->attempts == 1)
		return;
	snprintf(note, sizeof(note), "attempts before: %s", tried);
	result_row_add_note(row, note);
}

/* Attempts at a scenario until there is a row. */
static enum err try_scenario(struct walk *w, size_t i, struct evidence *evidence,
			     struct result_row *row, struct err_text *text)
{
	struct result *result = w->c->result;
	char tried[TRIED_BYTES] = "";

	for (uint64_t attempts = 1;; attempts++) {
		size_t len = strlen(tried);
		enum err err = cool_down(w, text);

		if (!err)
			err = result_add_begun(result, i, text);
		if (err)
			return err;
		*row = attempt(w, i, evidence);
		row->attempts = attempts;
		if (is_final(w, row))
			break;
		progress_row(w->c->progress, row);
		snprintf(tried + len, sizeof(tried) - len, "%s%s", len ? ", " : "",
			 result_status_name(row->status));
		err = result_add_tried(result, row, text);
		if (err)
			return err;
	}
	note_tried(row, tried);
	return OK;
}

/* Only a problem with the results, or a stop, is an error of the whole. */
static enum err run_scenario(struct walk *w, size_t i, struct err_text *text)
{
	struct evidence evidence;
	struct result_row row;
	enum err err;

	evidence_init(&evidence);
	err = try_scenario(w, i, &evidence, &row, text);
	if (!err) {
		err = result_add(w->c->result, &row, &evidence, text);
		progress_row(w->c->progress, &row);
		if (!err && row.status == RESULT_INTERRUPTED)
			err = pause_interrupted(text);
	}
	evidence_fini(&evidence);
	return err;
}

static bool is_anything_left(struct walk *w)
{
	const struct agenda agenda = { w->c->plan, w->c->objectives };
	size_t count;
	const struct result_row *rows = result_rows(w->c->result, &count);

	return agenda_next(&agenda, rows, count, &w->scenario);
}

static enum err run_scenarios(struct walk *w, struct err_text *text)
{
	struct platform *p = w->c->platform;

	while (is_anything_left(w) && has_room(w)) {
		enum err err = run_scenario(w, w->scenario.index, text);

		if (!err && p->ops->check_ours)
			err = p->ops->check_ours(p, text);
		if (err)
			return err;
	}
	return OK;
}

double drive_rest_s(const struct plan *plan, const struct result *result, size_t first)
{
	double sum_s = 0;

	for (size_t i = first; i < plan_count(plan); i++) {
		struct scenario s = plan_scenario(plan, i);

		if (!result_has(result, i))
			sum_s += (sum_s > 0 ? (double)plan->cooldown_s : 0) +
				 plan_scenario_s(plan, &s);
	}
	return sum_s;
}

enum err drive_run(const struct drive_config *c, struct err_text *text)
{
	struct walk w = { .c = c,
			  .start_us = c->pause->now_us(c->pause),
			  .has_leftover = result_has_leftover(c->result) };
	enum err err = OK, ended;

	if (!w.has_leftover)
		err = attempt_refuse_beside_others(c, text);
	if (!err)
		err = run_scenarios(&w, text);
	if (!err)
		return result_add_ended(c->result, is_anything_left(&w) ? "budget" : "done", text);
	/* Whether this can be written changes nothing: what ended the walk is said. */
	ended = result_add_ended(c->result, err == ERR_INTERRUPTED ? "interrupted" : "failed",
				 NULL);
	(void)ended;
	return err;
}
