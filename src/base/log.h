/* SPDX-License-Identifier: MIT
 *
 * log - lines for people, in Locust's form, on standard error or in a file:
 * [2026-01-31 12:00:00,123] host/INFO/locust.main: text
 *
 * May be called from every thread; a line is written with one write(). The data
 * path counts instead of logging. Secrets are never given to it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_CRITICAL };

/* Set once before threads start. Default INFO. */
void log_set_level(enum log_level level);
/* Also before threads start: lines are appended to this file from now on. */
enum err log_open(const char *path, struct err_text *text) MUST_CHECK;
/* Set once before threads start: each line a JSON object with time (UTC), level, logger, message.
 */
void log_set_json(bool is_json);
/* Names as Locust's --loglevel, any case. */
bool log_parse_level(const char *name, enum log_level *out);
/* logger: dotted name, such as "locust.runners" or "cicada.driver". */
void log_line(enum log_level level, const char *logger, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A text of any length, whatever the level of this log: its own logger lets it through. */
void log_text(enum log_level level, const char *logger, const char *text);
/* A JSON line with members of the caller's in place of the message: "status": 200, "path": "/" */
void log_members(enum log_level level, const char *logger, struct str members);
