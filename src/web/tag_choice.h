/* SPDX-License-Identifier: MIT
 *
 * tag_choice - the tags of a form: users draw only the tasks that have them, as POST /user would
 * say it for each class. */
#pragma once

#include "base/err.h"
#include "base/opt.h"
#include "run/run.h"

/* From now on; both empty: all tasks. A class that has none left keeps its own and is taken out of
 * *classes, which are those of the coming start, and of later ones that say nothing of classes and
 * tags. ERR_BAD_INPUT: no class is left; then nothing was
 * changed. */
enum err tag_choice_apply(struct run *run, const struct opt_texts *only,
			  const struct opt_texts *except, struct run_classes *classes,
			  struct err_text *text) MUST_CHECK;
/* A start without tags: they are as they were. */
void tag_choice_keep(const struct run *run, struct run_classes *classes);
