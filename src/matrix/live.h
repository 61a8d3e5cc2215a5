/* SPDX-License-Identifier: MIT
 *
 * live - what the driver is doing just now, for pages that look on.
 *
 * One thread, the driver's, tells; any thread may ask. Both hold the lock only to copy, so nobody
 * waits for the other's network or disk. Where nobody can look on there is no such object: all that
 * is told to NULL is lost. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct live;
struct master_api_live;
struct scenario;

/* scenarios: of the plan. */
struct live *live_create(size_t scenarios);
void live_destroy(struct live **l);

/* Scenario i (from 0) begins. */
void live_scenario(struct live *l, size_t i, const struct scenario *s);
/* Step `number` (from 1) of so many begins; 0: it is between two scenarios. */
void live_step(struct live *l, size_t number, size_t of, const char *name);
/* What the step waits for. */
void live_detail(struct live *l, const char *what);
void live_look(struct live *l, const struct master_api_live *look);
/* Planned time to the end, and which share of the whole is over. */
void live_rest(struct live *l, double left_s, double done_share);
/* A line for people; the last LIMIT_LIVE_LINES are kept. */
void live_line(struct live *l, struct str text);
/* A new report is on disk. */
void live_report(struct live *l);
/* It is over: "done", "budget", "interrupted", "failed". */
void live_end(struct live *l, const char *how);

/* How many reports there have been. */
uint64_t live_reports(struct live *l);
/* The state as live.json has it (docs/driver.md). */
void live_format(struct live *l, struct buf *out);
