/* SPDX-License-Identifier: MIT
 *
 * spill - see the header. */
#include "base/spill.h"

#include "base/limits.h"

#define ENOUGH_BYTES (64 * 1024) /* to be handed on */

void spill_init(struct spill *s, spill_fn take, void *arg, struct err_text *text)
{
	*s = (struct spill){ .take = take, .arg = arg, .text = text };
	buf_init(&s->bytes, LIMIT_SPILL_BYTES);
}

static void hand_on(struct spill *s)
{
	if (!s->err && s->bytes.is_full)
		s->err = err_set(s->text, ERR_TOO_BIG, "a part of more than %d bytes",
				 LIMIT_SPILL_BYTES);
	if (!s->err)
		s->err = s->take(s->arg, buf_str(&s->bytes), s->text);
	buf_clear(&s->bytes);
}

void spill_turn(struct spill *s)
{
	if (s->bytes.len >= ENOUGH_BYTES || s->bytes.is_full)
		hand_on(s);
}

enum err spill_end(struct spill *s)
{
	hand_on(s);
	buf_fini(&s->bytes);
	return s->err;
}
