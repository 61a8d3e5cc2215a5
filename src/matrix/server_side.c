/* SPDX-License-Identifier: MIT
 *
 * server_side - see the header. */
#include "matrix/server_side.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
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
	{ "process_resident_memory_bytes", offsetof(struct server_counts, memory_bytes) },
};

void server_side_init(struct server_side *s)
{
	*s = (struct server_side){ NULL, 0, 0 };
}

void server_side_fini(struct server_side *s)
{
	for (size_t i = 0; i < s->count; i++)
		mem_free(s->replicas[i].name);
	mem_free(s->replicas);
	server_side_init(s);
}

void server_side_add(struct server_side *s, const char *name, struct str page)
{
	struct server_counts *counts;

	s->replicas = mem_realloc(s->replicas, (s->count + 1) * sizeof(*s->replicas));
	counts = &s->replicas[s->count++];
	counts->name = mem_strdup(name);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		*(double *)((char *)counts + counters[i].offset) =
			counter_text_total(page, counters[i].name);
}

/* Two readings of the same replicas. */
struct readings {
	const struct server_side *before, *after;
};

/* The reading before of the replica of this name; NULL: it was not there. */
static const struct server_counts *find(const struct server_side *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->replicas[i].name, name))
			return &s->replicas[i];
	return NULL;
}

static bool is_of_the_same(const struct readings *r)
{
	if (!r->after->count || r->before->count != r->after->count)
		return false;
	for (size_t i = 0; i < r->after->count; i++)
		if (!find(r->before, r->after->replicas[i].name))
			return false;
	return true;
}

/* A counter that has fallen was begun anew: NAN. */
static double passed(const struct readings *r, size_t i, size_t offset)
{
	const struct server_counts *after = &r->after->replicas[i],
				   *before = find(r->before, after->name);
	double difference = *(const double *)((const char *)after + offset) -
			    *(const double *)((const char *)before + offset);

	return difference >= 0 ? difference : NAN;
}

/* Of all replicas; NAN spreads. */
static double sum(const struct readings *r, size_t offset)
{
	double all = 0;

	for (size_t i = 0; i < r->after->count; i++)
		all += passed(r, i, offset);
	return all;
}

static double ratio(double part, double of)
{
	return of > 0 ? part / of : NAN;
}

static double mean_ms(const struct readings *r, size_t seconds, size_t count)
{
	return 1000 * ratio(sum(r, seconds), sum(r, count));
}

static double most_requests(const struct readings *r)
{
	double most = 0;

	for (size_t i = 0; i < r->after->count; i++)
		most = fmax(most, passed(r, i, offsetof(struct server_counts, requests)));
	return most;
}

static double most_memory_mib(const struct server_side *s)
{
	double most = NAN;

	for (size_t i = 0; i < s->count; i++)
		most = fmax(most, s->replicas[i].memory_bytes);
	return most / 0x1p20;
}

void server_side_assess(const struct server_side *before, const struct server_side *after,
			struct result_row *row)
{
	const struct readings r = { before, after };
	double requests, cpu_s, passed_s = (double)(after->at_us - before->at_us) / CLOCK_S;

	if (!is_of_the_same(&r))
		return;
	requests = sum(&r, offsetof(struct server_counts, requests));
	cpu_s = sum(&r, offsetof(struct server_counts, cpu_s));
	row->server_share_max_pct = 100 * ratio(most_requests(&r), requests);
	if (isnan(requests) && row->window_requests != UINT64_MAX)
		requests = (double)row->window_requests;
	row->server_cpu_ms = 1000 * ratio(cpu_s, requests);
	row->server_queue_ms = mean_ms(&r, offsetof(struct server_counts, queue_s),
				       offsetof(struct server_counts, queued));
	row->server_compute_ms = mean_ms(&r, offsetof(struct server_counts, compute_s),
					 offsetof(struct server_counts, computed));
	row->server_cpu_pct = 100 * ratio(cpu_s, passed_s * (double)after->count);
	row->server_memory_mib = most_memory_mib(after);
}
