/* SPDX-License-Identifier: MIT
 *
 * attempt - one scenario, once down the steps of the order, with a deadline on each. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "matrix/plan.h"
#include "matrix/result_row.h"

struct drive_config;
struct evidence;

/* The row: what went wrong is in it, and has_left_test. has_leftover: a test of an attempt before
 * may run; it is stopped first. *evidence is of this attempt only. */
struct result_row attempt_run(const struct drive_config *c, const struct scenario *scenario,
			      bool has_leftover, struct evidence *evidence, bool *was_test_started);
/* ERR_STATE: a test runs at the master that no attempt has left there. OK also when the master does
 * not answer: that is for the scenarios to find out. */
enum err attempt_refuse_beside_others(const struct drive_config *c,
				      struct err_text *text) MUST_CHECK;
