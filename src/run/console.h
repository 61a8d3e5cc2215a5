/* SPDX-License-Identifier: MIT
 *
 * console - Locust's tables for a terminal (reference section 6.6), as text in a buf.
 *
 * columns: width of the terminal, 0 when it is none. Lines end in \n. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "run/run.h"

#define CONSOLE_TABLE_BYTES (8 * 1024 * 1024)

/* Requests, failures, times and rates: the current rates while running, those of the whole test
 * in the final table. */
void console_stats(const struct run *run, bool is_final, unsigned columns, struct buf *out);
void console_percentiles(const struct run *run, unsigned columns, struct buf *out);
/* The same from the intended start, in milliseconds as exact as they were measured. Nothing when
 * no request had one. */
void console_responses(const struct run *run, unsigned columns, struct buf *out);
/* One line: which model of load the times are to be read by. */
void console_model(const struct run *run, struct buf *out);
/* How the load generator itself did, and a warning when it was the limit. Nothing when nothing is
 * known of it. */
void console_generator(const struct run *run, struct buf *out);
/* Nothing when there were no errors. */
void console_errors(const struct run *run, unsigned columns, struct buf *out);
