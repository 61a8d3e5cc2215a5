/* SPDX-License-Identifier: MIT
 *
 * result_json - report.json: all that is known of a matrix, for programs and pages.
 *
 * docs/report.md says what is in it, docs/report.schema.json says it to programs. */
#pragma once

#include <stddef.h>

#include "base/spill.h"

struct charts;
struct conclude_questions;
struct plan;
struct result_row;
struct verdict_bounds;

struct result_json {
	const char *settings;	 /* what defines the plan, as the journal has it */
	const struct plan *plan; /* NULL: only these are known */
	size_t scenarios;
	const char *environment; /* lines "- Name: text" */
	const struct result_row *rows;
	size_t count;
	const struct charts *charts;		    /* of these */
	const struct verdict_bounds *bounds;	    /* NULL: none */
	const struct conclude_questions *questions; /* NULL: none */
};

void result_json_format(const struct result_json *r, struct spill *out);
