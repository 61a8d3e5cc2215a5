/* SPDX-License-Identifier: MIT
 *
 * seldom - see the header. */
#include "cluster/seldom.h"

#include "base/limits.h"

void seldom_init(struct seldom *r, uint64_t every_us)
{
	*r = (struct seldom){ .every_us = every_us };
	map_init(&r->at);
}

void seldom_fini(struct seldom *r)
{
	map_fini(&r->at);
}

bool seldom_take(struct seldom *r, struct str peer, uint64_t now_us)
{
	uint64_t at_us = (uintptr_t)map_get(&r->at, peer);

	if (at_us && now_us - at_us < r->every_us)
		return false;
	if (!at_us && r->at.count >= LIMIT_WORKERS) {
		if (now_us - r->cleared_us < r->every_us)
			return false;
		map_clear(&r->at);
		r->cleared_us = now_us;
	}
	map_put(&r->at, peer, (void *)(uintptr_t)(now_us ? now_us : 1));
	return true;
}
