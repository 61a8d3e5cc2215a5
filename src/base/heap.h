/* SPDX-License-Identifier: MIT
 *
 * heap - intrusive 4-ary min-heap on a uint64_t key, the timer queue.
 *
 * Nodes are embedded by their owner; the heap stores the keys beside the pointers,
 * so that sifting stays in one array. Insert, remove and change are O(log4 n). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	size_t place; /* index + 1 while in a heap, 0 outside */
};

struct heap_slot {
	uint64_t key;
	struct heap_node *node;
};

struct heap {
	struct heap_slot *slots;
	size_t count, cap;
};

void heap_init(struct heap *h);
/* The nodes are the owner's; they are only forgotten. */
void heap_fini(struct heap *h);
/* node must be outside every heap. */
void heap_insert(struct heap *h, struct heap_node *node, uint64_t key);
/* Does nothing when node is outside. */
void heap_remove(struct heap *h, struct heap_node *node);
/* The smallest key, or NULL when empty. Equal keys come in no particular order. */
const struct heap_slot *heap_first(const struct heap *h);

static inline bool heap_has(const struct heap_node *node)
{
	return node->place != 0;
}
