/* SPDX-License-Identifier: MIT
 *
 * peers - see the header. */
#include "cluster/peers.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

void peers_init(struct peers *ps, size_t class_count)
{
	*ps = (struct peers){ .class_count = class_count };
	map_init(&ps->by_id);
	map_init(&ps->indices);
}

void peers_fini(struct peers *ps)
{
	for (size_t i = 0; i < ps->count; i++)
		peer_destroy(&ps->items[i]);
	mem_free(ps->items);
	map_fini(&ps->by_id);
	map_fini(&ps->indices);
}

bool peers_is_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++)
		if ((unsigned char)id.p[i] < ' ' || id.p[i] == 0x7f)
			return false;
	return id.len && id.len <= LIMIT_WORKER_ID_BYTES && str_is_utf8(id);
}

struct peer *peers_find(const struct peers *ps, struct str id)
{
	return map_get(&ps->by_id, id);
}

/* Counted from 0, and the same again for a worker that comes back. The memory of those that
 * are gone is bounded; beyond it a number is given only once. */
static size_t index_of(struct peers *ps, struct str id)
{
	uintptr_t index = (uintptr_t)map_get(&ps->indices, id);

	if (index)
		return index - 1;
	index = ++ps->next_index;
	if (ps->indices.count < LIMIT_WORKERS)
		map_put(&ps->indices, id, (void *)index);
	return index - 1;
}

struct peer *peers_add(struct peers *ps, struct str id, uint64_t now_us)
{
	struct peer *p;

	if (ps->count == LIMIT_WORKERS)
		return NULL;
	if (ps->count == ps->cap) {
		ps->cap = ps->cap ? 2 * ps->cap : 16;
		ps->items = mem_realloc(ps->items, ps->cap * sizeof(struct peer *));
	}
	p = peer_create(id, index_of(ps, id), ps->class_count, now_us);
	ps->items[ps->count++] = p;
	map_put(&ps->by_id, id, p);
	return p;
}

void peers_remove(struct peers *ps, struct peer *p)
{
	size_t i = 0;

	while (ps->items[i] != p)
		i++;
	ps->count--;
	memmove(&ps->items[i], &ps->items[i + 1], (ps->count - i) * sizeof(struct peer *));
	map_remove(&ps->by_id, str_of(p->id));
	peer_destroy(&p);
}

size_t peers_taking_part(const struct peers *ps)
{
	size_t count = 0;

	for (size_t i = 0; i < ps->count; i++)
		count += peer_takes_part(ps->items[i]);
	return count;
}
