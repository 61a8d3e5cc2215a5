/* SPDX-License-Identifier: MIT
 *
 * server_side - see the header. */
#include "matrix/server_side.h"

#include <math.h>

#include "base/mem.h"
#include "matrix/counter_text.h"
#include "matrix/result_row.h"

/* The names of cicada-inference, and what client libraries of Prometheus call the process. */
static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	{ "inference_requests_total", offsetof(struct server_counts, requests) },
	{ "inference_queue_duration_seconds_count", offsetof(struct server_counts, queued) },
	{ "inference_queue_duration_seconds_sum", offsetof(struct server_counts, queue_s) },
	{ "inference_compute_duration_seconds_count", offsetof(struct server_counts, computed) },
	{ "inference_compute_duration_seconds_sum", offsetof(struct server_counts, compute_s) },
	{ "process_cpu_seconds_total", offsetof(struct server_counts, cpu_s) },
};

void server_side_init(struct server_side *s)
{
	*s = (struct server_side){ NULL, 0 };
}

void server_side_fini(struct server_side *s)
{
	mem_free(s->replicas);
	server_side_init(s);
}

void server_side_add(struct server_side *s, struct str page)
{
	struct server_counts *counts;

	s->replicas = mem_realloc(s->replicas, (s->count + 1) * sizeof(*s->replicas));
	counts = &s->replicas[s->count++];
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		*(double *)((char *)counts + counters[i].offset) =
			counter_text_total(page, counters[i].name);
}

static double passed(const struct server_side *before, const struct server_side *after, size_t i,
		     size_t offset)
{
	return *(const double *)((const char *)&after->replicas[i] + offset) -
	       *(const double *)((const char *)&before->replicas[i] + offset);
}

/* Of all replicas; a counter that has fallen was begun anew, and NAN spreads. */
static double sum(const struct server_side *before, const struct server_side *after, size_t offset)
{
	double all = 0;

	for (size_t i = 0; i < after->count; i++) {
		double part = passed(before, after, i, offset);

		all += part >= 0 ? part : NAN;
	}
	return all;
}

static double ratio(double part, double of)
{
	return of > 0 ? part / of : NAN;
}

void server_side_assess(const struct server_side *before, const struct server_side *after,
			struct result_row *row)
{
	double requests, most = 0;

	if (!after->count || before->count != after->count)
		return;
	requests = sum(before, after, offsetof(struct server_counts, requests));
	for (size_t i = 0; i < after->count; i++)
		most = fmax(most,
			    passed(before, after, i, offsetof(struct server_counts, requests)));
	row->server_share_max_pct = 100 * ratio(most, requests);
	row->server_cpu_ms =
		1000 * ratio(sum(before, after, offsetof(struct server_counts, cpu_s)), requests);
	row->server_queue_ms =
		1000 * ratio(sum(before, after, offsetof(struct server_counts, queue_s)),
			     sum(before, after, offsetof(struct server_counts, queued)));
	row->server_compute_ms =
		1000 * ratio(sum(before, after, offsetof(struct server_counts, compute_s)),
			     sum(before, after, offsetof(struct server_counts, computed)));
}
