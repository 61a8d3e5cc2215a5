/* SPDX-License-Identifier: MIT
 *
 * peers - the table of the workers a master knows: by id, and in order of arrival. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/str.h"
#include "cluster/peer.h"

struct peers {
	struct peer **items; /* in order of arrival */
	size_t count, cap;
	size_t class_count;
	struct map by_id;   /* id -> struct peer */
	struct map indices; /* id -> index + 1, also of workers that are gone */
	size_t next_index;
};

void peers_init(struct peers *ps, size_t class_count);
void peers_fini(struct peers *ps);

/* Whether it can name a worker: text without control characters, since people and logs see
 * it, at most LIMIT_WORKER_ID_BYTES. */
bool peers_is_id(struct str id);
/* NULL when unknown. */
struct peer *peers_find(const struct peers *ps, struct str id);
/* A new one, which must be unknown; NULL when LIMIT_WORKERS are known. */
struct peer *peers_add(struct peers *ps, struct str id, uint64_t now_us);
/* Destroys it. */
void peers_remove(struct peers *ps, struct peer *p);
/* How many take part. */
size_t peers_taking_part(const struct peers *ps);
