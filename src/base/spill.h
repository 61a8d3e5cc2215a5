/* SPDX-License-Identifier: MIT
 *
 * spill - a long text on its way to somewhere, of which only a part is in memory.
 *
 * Who writes it appends to `bytes`, and calls spill_turn() between any two parts that are not large
 * themselves; what has come together by then is handed on. After the first error, or a part of more
 * than LIMIT_SPILL_BYTES, nothing more is. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

typedef enum err (*spill_fn)(void *arg, struct str bytes, struct err_text *text);

struct spill {
	struct buf bytes;
	spill_fn take;
	void *arg;
	enum err err; /* the first one */
	struct err_text *text;
};

/* arg and text are lent until spill_end(). */
void spill_init(struct spill *s, spill_fn take, void *arg, struct err_text *text);
void spill_turn(struct spill *s);
/* Hands on the rest. */
enum err spill_end(struct spill *s) MUST_CHECK;
