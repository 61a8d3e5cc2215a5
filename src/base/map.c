/* SPDX-License-Identifier: MIT
 *
 * map - see the header. Holes left by removal are closed when the table grows. */
#include "base/map.h"

#include <pthread.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/mem.h"

static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void draw_hash_key(void)
{
	if (getrandom(hash_key, sizeof(hash_key), 0) != (ssize_t)sizeof(hash_key))
		hash_key[0] = (uint64_t)(uintptr_t)&hash_key;
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = ROTL(v[1], 13) ^ v[0];
	v[0] = ROTL(v[0], 32);
	v[2] += v[3];
	v[3] = ROTL(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTL(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTL(v[1], 17) ^ v[2];
	v[2] = ROTL(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). */
static uint64_t hash_bytes(struct str key)
{
	uint64_t v[4] = { hash_key[0] ^ 0x736f6d6570736575ull, hash_key[1] ^ 0x646f72616e646f6dull,
			  hash_key[0] ^ 0x6c7967656e657261ull,
			  hash_key[1] ^ 0x7465646279746573ull };
	uint64_t word;
	size_t at = 0;

	for (; at + 8 <= key.len; at += 8) {
		memcpy(&word, key.p + at, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)key.len << 56;
	for (size_t i = 0; at + i < key.len; i++)
		word |= (uint64_t)(unsigned char)key.p[at + i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m)
{
	pthread_once(&hash_key_once, draw_hash_key);
	*m = (struct map){ 0 };
}

void map_clear(struct map *m)
{
	for (size_t i = 0; i < m->used; i++)
		mem_free(m->entries[i].key);
	m->used = m->count = 0;
	if (m->slots)
		memset(m->slots, 0, m->slot_count * sizeof(*m->slots));
}

void map_fini(struct map *m)
{
	map_clear(m);
	mem_free(m->entries);
	mem_free(m->slots);
	*m = (struct map){ 0 };
}

/* The slot that holds the key, or the empty one where it would go. A slot whose
 * entry was removed stays taken, so probing passes over it. */
static size_t find_slot(const struct map *m, struct str key, uint64_t hash)
{
	size_t at = hash & (m->slot_count - 1);

	for (; m->slots[at]; at = (at + 1) & (m->slot_count - 1)) {
		const struct map_entry *e = &m->entries[m->slots[at] - 1];

		if (e->key && e->hash == hash && e->key_len == key.len &&
		    memcmp(e->key, key.p, key.len) == 0)
			break;
	}
	return at;
}

static void grow(struct map *m)
{
	size_t live = 0;

	for (size_t i = 0; i < m->used; i++)
		if (m->entries[i].key)
			m->entries[live++] = m->entries[i];
	m->used = live;
	if (live * 2 >= m->cap) {
		m->cap = m->cap ? m->cap * 2 : 8;
		m->entries = mem_realloc(m->entries, m->cap * sizeof(*m->entries));
	}
	m->slot_count = m->cap * 2;
	mem_free(m->slots);
	m->slots = mem_zalloc(m->slot_count, sizeof(*m->slots));
	for (size_t i = 0; i < m->used; i++) {
		struct map_entry *e = &m->entries[i];

		m->slots[find_slot(m, (struct str){ e->key, e->key_len }, e->hash)] =
			(uint32_t)i + 1;
	}
}

void *map_get(const struct map *m, struct str key)
{
	size_t slot;

	if (!m->slot_count)
		return NULL;
	slot = find_slot(m, key, hash_bytes(key));
	return m->slots[slot] ? m->entries[m->slots[slot] - 1].value : NULL;
}

void *map_put(struct map *m, struct str key, void *value)
{
	uint64_t hash = hash_bytes(key);
	size_t slot;

	ensure(value);
	if (m->used == m->cap)
		grow(m);
	slot = find_slot(m, key, hash);
	if (m->slots[slot]) {
		struct map_entry *e = &m->entries[m->slots[slot] - 1];
		void *old = e->value;

		e->value = value;
		return old;
	}
	m->entries[m->used] =
		(struct map_entry){ mem_strndup(key.p, key.len), key.len, hash, value };
	m->slots[slot] = (uint32_t)++m->used;
	m->count++;
	return NULL;
}

void *map_remove(struct map *m, struct str key)
{
	struct map_entry *e;
	size_t slot;

	if (!m->slot_count)
		return NULL;
	slot = find_slot(m, key, hash_bytes(key));
	if (!m->slots[slot])
		return NULL;
	e = &m->entries[m->slots[slot] - 1];
	mem_free(e->key);
	e->key = NULL;
	m->count--;
	return e->value;
}

struct map_entry *map_next(const struct map *m, size_t *at)
{
	while (*at < m->used) {
		struct map_entry *e = &m->entries[(*at)++];

		if (e->key)
			return e;
	}
	return NULL;
}
