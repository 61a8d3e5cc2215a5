/* SPDX-License-Identifier: MIT
 *
 * map - hash map from byte strings to pointers, in order of insertion.
 *
 * Keys are copied. Values are the caller's. Open addressing over an array of
 * entries that keeps insertion order, so that iteration is stable and cheap.
 * Hashing is SipHash-1-3 with a key drawn at the start of the process: keys may
 * come from the network. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct map_entry {
	char *key; /* NUL-terminated copy; NULL: removed */
	size_t key_len;
	uint64_t hash;
	void *value;
};

struct map {
	struct map_entry *entries; /* in order of insertion, with holes */
	size_t used, cap;	   /* of entries, holes included */
	size_t count;		   /* living entries */
	uint32_t *slots;	   /* index + 1 into entries, 0 empty */
	size_t slot_count;	   /* power of two, or 0 */
};

void map_init(struct map *m);
/* Values are not touched. */
void map_fini(struct map *m);
/* NULL when absent. */
void *map_get(const struct map *m, struct str key);
/* Sets or replaces. value must not be NULL. Returns the value replaced, or NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Returns the value removed, or NULL. */
void *map_remove(struct map *m, struct str key);
void map_clear(struct map *m);

/* for (size_t i = 0; (e = map_next(&m, &i));) visits all, also when the visited one
 * is removed meanwhile. */
struct map_entry *map_next(const struct map *m, size_t *at);
