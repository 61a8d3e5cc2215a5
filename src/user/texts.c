/* SPDX-License-Identifier: MIT
 *
 * texts - see the header. Blocks instead of one growing buffer, for the texts given out must not
 * move. */
#include "user/texts.h"

#include "base/limits.h"
#include "base/mem.h"

#define BLOCK_BYTES 1000

struct texts_block {
	struct texts_block *older;
	size_t used, size;
	char bytes[];
};

void texts_init(struct texts *t)
{
	*t = (struct texts){ 0 };
}

char *texts_add(struct texts *t, size_t len)
{
	struct texts_block *block = t->newest;
	size_t size = len < BLOCK_BYTES ? BLOCK_BYTES : len + 1;
	char *text;

	if (len >= LIMIT_JSON_TEXT_BYTES || t->bytes + len + 1 > LIMIT_JSON_TEXT_BYTES)
		return NULL;
	if (!block || block->size - block->used <= len) {
		block = mem_alloc(sizeof(*block) + size);
		*block = (struct texts_block){ .older = t->newest, .size = size };
		t->newest = block;
	}
	text = block->bytes + block->used;
	text[len] = '\0';
	block->used += len + 1;
	t->bytes += len + 1;
	return text;
}

bool texts_has(const struct texts *t, const char *text)
{
	for (const struct texts_block *b = t->newest; b; b = b->older)
		if (text >= b->bytes && text < b->bytes + b->size)
			return true;
	return false;
}

void texts_clear(struct texts *t)
{
	while (t->newest && t->newest->older) {
		struct texts_block *block = t->newest;

		t->newest = block->older;
		mem_free(block);
	}
	if (t->newest)
		t->newest->used = 0;
	t->bytes = 0;
}

void texts_fini(struct texts *t)
{
	texts_clear(t);
	mem_free(t->newest);
	t->newest = NULL;
}
