/* SPDX-License-Identifier: MIT
 *
 * python_memo - the JSON of dicts that have not changed since it was written: locustfiles send the
 * same payload again, or a window of which one item is new.
 *
 * CPython numbers every state of every dict, and no number comes twice (PEP 509). So a number says
 * which text belongs to it, if the values cannot change by themselves. A text is kept when a state
 * comes for the second time, for most come once; states that share a slot push each other out. */
#include "python/python_int.h"

#include <string.h>

#include "base/mem.h"

/* Of fewer pairs the text is written as fast as it is found. */
#define PAIRS_MIN 4

#define SLOT_BITS 14

struct python_memo {
	size_t bytes; /* of all texts */
	struct python_memo_slot slots[1 << SLOT_BITS];
};

static struct python_memo_slot *slot_of(struct python_memo *memo, uint64_t state)
{
	/* Numbers lie close together: by the golden ratio they spread. */
	return &memo->slots[(state * 0x9e3779b97f4a7c15u) >> (64 - SLOT_BITS)];
}

static void forget(struct python_memo *memo, struct python_memo_slot *slot)
{
	memo->bytes -= slot->len;
	mem_free(slot->text);
	*slot = (struct python_memo_slot){ 0 };
}

struct python_memo_slot *python_memo_find(struct python *p, PyObject *dict)
{
	uint64_t state = ((PyDictObject *)dict)->ma_version_tag;
	struct python_memo_slot *slot;

	if (PyDict_GET_SIZE(dict) < PAIRS_MIN)
		return NULL;
	if (!p->memo)
		p->memo = mem_zalloc(1, sizeof(*p->memo));
	slot = slot_of(p->memo, state);
	if (slot->state == state)
		return slot;
	if (slot->text)
		forget(p->memo, slot);
	slot->state = state;
	return NULL;
}

void python_memo_keep(struct python *p, struct python_memo_slot *slot, struct str text)
{
	if (text.len > LIMIT_PYTHON_MEMO_TEXT ||
	    text.len > LIMIT_PYTHON_MEMO_BYTES - p->memo->bytes)
		return;
	slot->text = mem_alloc(text.len);
	slot->len = text.len;
	memcpy(slot->text, text.p, text.len);
	p->memo->bytes += text.len;
}

void python_memo_fini(struct python *p)
{
	if (!p->memo)
		return;
	for (size_t i = 0; i < 1 << SLOT_BITS; i++)
		mem_free(p->memo->slots[i].text);
	mem_free(p->memo);
	p->memo = NULL;
}
