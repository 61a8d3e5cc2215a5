/* SPDX-License-Identifier: MIT
 *
 * checklist - what --dry-run has looked at: a line for each thing, and the rules that a Role lacks.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct checklist {
	struct buf lines;
	struct buf rules; /* YAML, as a Role has it under `rules` */
	size_t checks, faults;
};

void checklist_init(struct checklist *c);
void checklist_fini(struct checklist *c);
/* What is as it should be. */
void checklist_pass(struct checklist *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What is not, and what to do about it. */
void checklist_fail(struct checklist *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Lines, rules and a verdict, for people. */
void checklist_say(const struct checklist *c, struct buf *out);
