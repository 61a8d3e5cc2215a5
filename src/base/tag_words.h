/* SPDX-License-Identifier: MIT
 *
 * tag_words - whether tags that are chosen choose a task, by Locust's rules. */
#pragma once

#include <stdbool.h>

#include "base/opt.h"

/* `tags` are the task's own; NULL: none. With `only` it has to have one of these; then it must have
 * none of `except`. Either may be empty. A text holds tags separated by blanks or commas, perhaps
 * in brackets, as LOCUST_TAGS="[a,b]". */
bool tag_words_admit(const char *tags, const struct opt_texts *only,
		     const struct opt_texts *except);
