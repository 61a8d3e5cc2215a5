/* SPDX-License-Identifier: MIT
 *
 * progress - what a person sees while the matrix runs.
 *
 * On a terminal one line is redrawn; elsewhere (kubectl logs, a file) every look at the
 * test and every wait of some length is a line of its own. It writes to the stream it is given and
 * nowhere else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct live;
struct master_api_live;
struct plan;
struct result_row;
struct scenario;

struct progress;

/* Lent: plan and stream, until destroy. */
struct progress *progress_create(const struct plan *plan, FILE *to, bool is_terminal);
void progress_destroy(struct progress **p);
/* From now on all of it is told to `live` as well, lent until destroy. NULL: nobody. */
void progress_tell(struct progress *p, struct live *live);

/* Scenario i (from 0) begins. rest_s: what is planned from now to the end. */
void progress_scenario(struct progress *p, size_t i, const struct scenario *s, double rest_s);
/* Step `number` (from 1) of so many begins. is_drawn: on a terminal its name is. */
void progress_enter(struct progress *p, size_t number, size_t of, const char *name, bool is_drawn);
/* What is being done, drawn on a terminal only. done_s: planned seconds of this scenario
 * that are over. */
void progress_step(struct progress *p, const char *what, double done_s);
/* The same, also as a line elsewhere: for waits that last. */
void progress_wait(struct progress *p, const char *what, double done_s);
/* The order's line: [60s/120s] RPS: 18.5 | Median: 620ms | P90: 1800ms */
void progress_live(struct progress *p, const struct master_api_live *live, double done_s);
void progress_row(struct progress *p, const struct result_row *row);
void progress_cooldown(struct progress *p);

/* "45s", "1m20s", "2h05m". */
void progress_time_text(double seconds, char out[32]);
