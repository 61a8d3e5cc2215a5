/* SPDX-License-Identifier: MIT
 *
 * log_kept - the last LIMIT_LOG_LINES lines that were logged, for those who cannot see standard
 * error.
 *
 * May be called from every thread. */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* What log_line() writes, without its line end. */
void log_kept_add(struct str line);
/* Calls fn for each, the oldest first, under a lock: fn must not log. Returns how many lines there
 * ever were, which tells whether there are new ones. */
uint64_t log_kept_each(void (*fn)(void *arg, struct str line), void *arg);

/* Around fork(), in the parent and in the child, so that the child can log whatever other threads
 * did meanwhile. */
void log_kept_hold(void);
void log_kept_release(void);
