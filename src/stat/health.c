/* SPDX-License-Identifier: MIT
 *
 * health - see the header. Everything merges by sum or by maximum, in any order, so threads,
 * workers and seconds come together the same way. */
#include "stat/health.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void health_init(struct health *h)
{
	*h = (struct health){ 0 };
}

void health_fini(struct health *h)
{
	hist_fini(&h->lag);
	health_init(h);
}

void health_clear(struct health *h)
{
	struct hist lag = h->lag;

	hist_clear(&lag);
	*h = (struct health){ .lag = lag };
}

void health_merge(struct health *into, const struct health *from)
{
	hist_merge(&into->lag, &from->lag);
	into->lag_max_us = larger(into->lag_max_us, from->lag_max_us);
	into->spans += from->spans;
	if (from->cpu_percent_max > into->cpu_percent_max)
		into->cpu_percent_max = from->cpu_percent_max;
	into->late_us = larger(into->late_us, from->late_us);
	into->busy_us = larger(into->busy_us, from->busy_us);
	into->opened += from->opened;
	into->closed += from->closed;
	into->failed += from->failed;
	into->dropped += from->dropped;
	into->waits += from->waits;
	into->waited_us += from->waited_us;
}

void health_add_lag(struct health *h, uint64_t us)
{
	hist_add(&h->lag, us, 1);
	h->lag_max_us = larger(h->lag_max_us, us);
}

void health_watch_begin(struct health_watch *w, uint64_t now_us, uint64_t cpu_us)
{
	*w = (struct health_watch){ .at_us = now_us, .cpu_us = cpu_us };
}

void health_watch_change(struct health_watch *w)
{
	w->late_us = w->busy_us = 0;
}

void health_judge(struct health *h, struct health_watch *w, uint64_t now_us, uint64_t cpu_us)
{
	uint64_t span_us = now_us - w->at_us;
	double cpu_percent;

	if (span_us < HEALTH_SPAN_US)
		return;
	cpu_percent = 100.0 * (double)(cpu_us - w->cpu_us) / (double)span_us;
	w->busy_us = cpu_percent > HEALTH_CPU_PERCENT ? w->busy_us + span_us : 0;
	w->late_us = health_lag_p99_us(h) > HEALTH_LAG_US ? w->late_us + span_us : 0;
	w->at_us = now_us;
	w->cpu_us = cpu_us;
	h->spans++;
	if (cpu_percent > h->cpu_percent_max)
		h->cpu_percent_max = cpu_percent;
	h->busy_us = larger(h->busy_us, w->busy_us);
	h->late_us = larger(h->late_us, w->late_us);
}

bool health_is_known(const struct health *h)
{
	return h->spans > 0;
}

uint64_t health_lag_p99_us(const struct health *h)
{
	return hist_percentile_us(&h->lag, 0.99);
}

bool health_is_busy(const struct health *h)
{
	return h->busy_us >= HEALTH_LASTING_US;
}

bool health_is_late(const struct health *h)
{
	return h->late_us >= HEALTH_LASTING_US;
}

const char *health_reason(const struct health *h)
{
	if (health_is_busy(h))
		return "a load thread used more than 90 % of a CPU for 3 s or longer";
	if (health_is_late(h))
		return "users ran more than 5 ms late (p99) for 3 s or longer";
	if (h->lag.count >= HEALTH_LAG_COUNT && health_lag_p99_us(h) > HEALTH_LAG_US)
		return "users ran more than 5 ms late (p99 of all)";
	return NULL;
}
