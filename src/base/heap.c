/* SPDX-License-Identifier: MIT
 *
 * heap - four children per node: half the depth of a binary heap, and the four
 * keys compared lie in one or two cache lines. */
#include "base/heap.h"

#include "base/err.h"
#include "base/mem.h"

#define CHILDREN 4

void heap_init(struct heap *h)
{
	*h = (struct heap){ 0 };
}

void heap_fini(struct heap *h)
{
	for (size_t i = 0; i < h->count; i++)
		h->slots[i].node->place = 0;
	mem_free(h->slots);
	heap_init(h);
}

static void put(struct heap *h, size_t at, struct heap_slot slot)
{
	h->slots[at] = slot;
	slot.node->place = at + 1;
}

static void sift_up(struct heap *h, size_t at, struct heap_slot slot)
{
	while (at > 0) {
		size_t parent = (at - 1) / CHILDREN;

		if (h->slots[parent].key <= slot.key)
			break;
		put(h, at, h->slots[parent]);
		at = parent;
	}
	put(h, at, slot);
}

static void sift_down(struct heap *h, size_t at, struct heap_slot slot)
{
	for (;;) {
		size_t first = at * CHILDREN + 1, end = first + CHILDREN, best = first;

		if (first >= h->count)
			break;
		if (end > h->count)
			end = h->count;
		for (size_t i = first + 1; i < end; i++)
			if (h->slots[i].key < h->slots[best].key)
				best = i;
		if (h->slots[best].key >= slot.key)
			break;
		put(h, at, h->slots[best]);
		at = best;
	}
	put(h, at, slot);
}

void heap_insert(struct heap *h, struct heap_node *node, uint64_t key)
{
	ensure(!heap_has(node));
	if (h->count == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 64;
		h->slots = mem_realloc(h->slots, h->cap * sizeof(*h->slots));
	}
	sift_up(h, h->count++, (struct heap_slot){ key, node });
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	size_t at = node->place - 1;
	struct heap_slot last;

	if (!heap_has(node))
		return;
	ensure(at < h->count && h->slots[at].node == node);
	node->place = 0;
	last = h->slots[--h->count];
	if (at == h->count)
		return;
	if (at > 0 && last.key < h->slots[(at - 1) / CHILDREN].key)
		sift_up(h, at, last);
	else
		sift_down(h, at, last);
}

const struct heap_slot *heap_first(const struct heap *h)
{
	return h->count ? &h->slots[0] : NULL;
}
