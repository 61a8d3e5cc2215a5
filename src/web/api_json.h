/* SPDX-License-Identifier: MIT
 *
 * api_json - the JSON replies of Locust's HTTP API (reference sections 5.3 to 5.5).
 *
 * All of them are text with sorted keys and an indent of two. Percentiles of rows have the names of
 * both of Locust's generations, since programs read either. */
#pragma once

#include "run/run.h"
#include "web/compat.h"

struct json_t;

/* The text of a document, with a line end; takes the reference. mem_free() it. */
char *api_json_take(struct json_t *root);
/* Appends it in as few bytes as it takes; takes the reference. */
void api_json_add_packed(struct buf *out, struct json_t *root);
/* A string; what is not UTF-8 in it becomes U+FFFD. NULL: null. */
struct json_t *api_json_string(const char *text);
/* null when it is no number. */
struct json_t *api_json_real(double value);

char *api_json_requests(const struct run *run, enum web_compat compat);
/* Of the measured window: rows with percentiles as exact as they are known. */
char *api_json_window(const struct run *run);
char *api_json_window_details(const struct run *run);
char *api_json_exceptions(const struct run *run, enum web_compat compat);
/* Lists of what went wrong, and how the load generator did by these numbers; parts of replies. */
struct json_t *api_json_error_list(const struct run *run, enum web_compat compat, size_t rows_max);
struct json_t *api_json_exception_list(const struct run *run, enum web_compat compat);
struct json_t *api_json_generator(const struct run *run, const struct health *h);
/* The last lines of this process's log, and of its workers'. */
char *api_json_logs(const struct run *run);
/* The document of /tasks, for these numbers of users. */
struct json_t *api_json_ratios(const struct run *run, const uint64_t *users_per_class);
char *api_json_tasks(const struct run *run);
