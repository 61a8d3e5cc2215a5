/* SPDX-License-Identifier: MIT
 *
 * history - see the header. */
#include "run/history.h"

#include "run/run.h"
#include "stat/shown.h"

void history_clear(struct history *h)
{
	h->count = 0;
	h->interval_us = shown()->history_us;
	h->due_us = 0;
}

static void thin(struct history *h)
{
	for (size_t i = 0; 2 * i < h->count; i++)
		h->items[i] = h->items[2 * i];
	h->count = (h->count + 1) / 2;
	h->interval_us *= 2;
}

void history_add(struct history *h, const struct run *run)
{
	const struct stats_entry *total = &run->stats.total;
	struct history_item *item;

	if (h->count == LIMIT_HISTORY)
		thin(h);
	item = &h->items[h->count++];
	*item = (struct history_item){
		.wall_s = run_wall_s(run),
		.current_rps = stats_current_rps(total, total),
		.current_fail_per_sec = stats_current_fail_per_sec(total, total),
		.avg_ms = stats_avg_response_time_ms(total),
		.user_count = run_user_count(run),
	};
	recent_percentiles_exact(&run->recent, run, &shown()->chart, item->recent_ms);
	h->due_us = run->now_us + h->interval_us;
}

void history_tick(struct history *h, const struct run *run)
{
	if (run->now_us >= h->due_us)
		history_add(h, run);
}
