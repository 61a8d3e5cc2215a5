/* SPDX-License-Identifier: MIT
 *
 * csv_files - --csv PREFIX: Locust's PREFIX_stats.csv, _failures.csv, _exceptions.csv, written anew
 * once a second, and PREFIX_stats_history.csv, to which rows are appended once a second.
 *
 * They are there from the start of the process. What was counted last is in them when they are
 * closed (Locust may miss the last second). */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "run/run.h"

struct csv_files;

/* Makes folders of the prefix that are missing. want_full_history: a row per name, and percentiles
 * of about the last 10 seconds. run is lent. */
enum err csv_files_open(const char *prefix, bool want_full_history, const struct run *run,
			struct csv_files **out, struct err_text *text) MUST_CHECK;
/* Where the history is. */
const char *csv_files_history(const struct csv_files *f);
/* Call several times a second. The first fault is logged, and counts in csv_files_close(). */
void csv_files_tick(struct csv_files *f, uint64_t now_us);
/* Writes the last numbers. ERR_IO: at some time something could not be written. */
enum err csv_files_close(struct csv_files **f);
