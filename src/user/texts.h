/* SPDX-License-Identifier: MIT
 *
 * texts - copies of texts that are forgotten together: what a scenario took out of a response.
 *
 * LIMIT_JSON_TEXT_BYTES in all. The first block of memory is kept until the end of the task. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct texts_block;

struct texts {
	struct texts_block *newest;
	size_t bytes;
};

void texts_init(struct texts *t);
/* Room for len bytes and a NUL, which is there; NULL when that would pass the limit. It does not
 * move until texts_clear(). */
char *texts_add(struct texts *t, size_t len);
/* True when this is in one of them. */
bool texts_has(const struct texts *t, const char *text);
void texts_clear(struct texts *t);
void texts_fini(struct texts *t);
