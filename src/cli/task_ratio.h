/* SPDX-License-Identifier: MIT
 *
 * task_ratio - --show-task-ratio: which share of the users a class has, and which share of its
 * tasks a task, as Locust prints them. */
#pragma once

#include "base/buf.h"
#include "user/scenario.h"

/* user_count 0: not given. Two tables, or JSON with an indent of 4. */
void task_ratio_print(const struct scenario *s, uint64_t user_count, struct buf *out);
void task_ratio_print_json(const struct scenario *s, uint64_t user_count, struct buf *out);
