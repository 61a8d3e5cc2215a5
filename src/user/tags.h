/* SPDX-License-Identifier: MIT
 *
 * tags - which tasks of a scenario run: --tags and --exclude-tags, by Locust's rules.
 *
 * See base/tag_words.h for what `only` and `except` mean. */
#pragma once

#include "base/err.h"
#include "base/opt.h"
#include "user/scenario.h"

bool tags_admit(const struct cic_task *task, const struct opt_texts *only,
		const struct opt_texts *except);
/* *out: the classes of `in` that have tasks left, with those tasks; ERR_NOT_FOUND when none has.
 * Lends from `in`; to be given to tags_release() in any case. */
enum err tags_choose(const struct scenario *in, const struct opt_texts *only,
		     const struct opt_texts *except, struct scenario *out,
		     struct err_text *text) MUST_CHECK;
void tags_release(const struct scenario *in, struct scenario *out);
