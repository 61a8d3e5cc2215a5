/* SPDX-License-Identifier: MIT
 *
 * assess - see the header. */
#include "matrix/assess.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "capacity/interval.h"
#include "capacity/law.h"
#include "capacity/steady.h"
#include "capacity/trust.h"
#include "matrix/evidence.h"
#include "matrix/result_row.h"

/* The last percentile of a row that the order asks for has to rest on enough requests. */
#define SHARE_WANTED 0.99
/* A user is in the middle of something when the window begins and when it ends. That is held
 * against the law only where it is a small part of what the user did. */
#define LAW_CYCLES_MIN	 5
#define LAW_REQUESTS_MIN 100

/* The columns of a row that are percentiles with an interval. */
static const struct {
	double share;
	size_t range;
} percentiles[] = {
	{ 0.50, offsetof(struct result_row, median_range) },
	{ 0.90, offsetof(struct result_row, p90_range) },
	{ 0.95, offsetof(struct result_row, p95_range) },
	{ 0.99, offsetof(struct result_row, p99_range) },
	{ 0.999, offsetof(struct result_row, p999_range) },
};

/* One quantity of the points as a list; mem_free() it. */
static double *list_of(const struct evidence *e, size_t offset, double factor)
{
	double *list = mem_alloc((e->count + 1) * sizeof(*list));

	for (size_t i = 0; i < e->count; i++)
		list[i] = factor * *(const double *)((const char *)&e->points[i] + offset);
	return list;
}

static void find_steady(struct result_row *row, const struct evidence *e, struct trust_facts *facts,
			struct err_text *why)
{
	double *rps = list_of(e, offsetof(struct evidence_point, requests_per_s), 1),
	       *mean = list_of(e, offsetof(struct evidence_point, mean_ms), 1);
	struct err_text few = { "" };
	struct interval interval;
	size_t begin;

	if (steady_find(rps, mean, e->count, &begin, why)) {
		facts->is_unsteady = true;
		facts->unsteady = why->text;
	} else {
		row->steady_from_s = e->points[begin].at_s;
		if (!interval_mean(rps + begin, e->count - begin, &interval, NULL, &few)) {
			row->steady_rps = interval.value;
			row->steady_rps_range =
				(struct result_range){ fmax(interval.low, 0), interval.high };
		}
	}
	mem_free(rps);
	mem_free(mean);
}

/* Without batches nothing says how much responses know of their neighbours, and there is no
 * interval. */
static void find_percentiles(struct result_row *row, const struct evidence *e)
{
	double *mean_us = list_of(e, offsetof(struct evidence_point, mean_ms), CLOCK_MS);
	struct interval_batches batches;
	struct err_text few = { "" };
	struct interval mean, found;

	if (!interval_mean(mean_us, e->count, &mean, &batches, &few)) {
		double inflation = interval_inflation(&batches, &e->times);

		for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
			struct result_range *range =
				(struct result_range *)((char *)row + percentiles[i].range);

			if (interval_percentile(&e->times, percentiles[i].share, inflation, &found,
						&few))
				continue;
			*range = (struct result_range){ found.low / CLOCK_MS,
							found.high / CLOCK_MS };
		}
	}
	mem_free(mean_us);
	if (e->times.count >= interval_percentile_samples(0.999))
		row->p999_ms = (double)hist_percentile_us(&e->times, 0.999) / CLOCK_MS;
}

static bool is_long_enough(const struct result_row *row)
{
	return row->window_requests >= LAW_REQUESTS_MIN &&
	       row->window_requests >= LAW_CYCLES_MIN * row->users;
}

/* Open arrivals do not wait for users, so their number is no law. */
static struct law check_law(struct result_row *row, const struct evidence *e)
{
	struct law law = { .expected = NAN, .error_pct = NAN, .verdict = LAW_UNKNOWN };

	if (strstr(row->model, "open") || isnan(e->waited_s) || !row->window_requests)
		return law;
	row->wait_ms = 1000 * e->waited_s / (double)row->window_requests;
	if (!is_long_enough(row))
		return law;
	law = law_interactive((double)row->users, row->rps, row->avg_ms / 1000,
			      row->wait_ms / 1000);
	row->law_error_pct = fabs(law.error_pct);
	return law;
}

static void set_verdict(struct result_row *row, const struct trust_facts *facts)
{
	struct trust trust = trust_judge(facts);
	const char *word = trust_level_name(trust.level);
	struct buf said;

	buf_init(&said, sizeof(row->reason));
	trust_say(&trust, facts, &said);
	row->verdict = trust.level == TRUST_VALID     ? RESULT_VERDICT_VALID
		       : trust.level == TRUST_SUSPECT ? RESULT_VERDICT_SUSPECT
						      : RESULT_VERDICT_INVALID;
	if (trust.level != TRUST_VALID && said.len > strlen(word) + 2)
		result_row_reason(row, said.p + strlen(word) + 2);
	buf_fini(&said);
}

static bool is_measured(const struct result_row *row)
{
	return row->status == RESULT_OK || row->status == RESULT_COUNTS_DIFFER ||
	       row->status == RESULT_CHANGED || row->status == RESULT_LOST_REPLICA ||
	       row->status == RESULT_LOST_WORKER;
}

static double ratio(uint64_t part, uint64_t of)
{
	return of && of != UINT64_MAX && part != UINT64_MAX ? (double)part / (double)of : 0;
}

void assess_row(struct result_row *row, const struct evidence *e)
{
	struct err_text why = { "" };
	struct trust_facts facts = {
		.is_generator_known = row->generator != RESULT_GENERATOR_UNKNOWN,
		.is_generator_limited = row->generator == RESULT_GENERATOR_LIMITED,
		.has_lost_replicas =
			row->status == RESULT_CHANGED || row->status == RESULT_LOST_REPLICA,
		.has_lost_workers = row->status == RESULT_LOST_WORKER,
		.has_counts_differing = row->status == RESULT_COUNTS_DIFFER,
		.failure_ratio = ratio(row->failures, row->total_requests),
		.dropped_ratio = ratio(row->dropped, row->window_requests),
		.samples_min = interval_percentile_samples(SHARE_WANTED),
	};

	if (!is_measured(row))
		return;
	facts.samples =
		row->window_requests == UINT64_MAX ? facts.samples_min : row->window_requests;
	if (!e->is_polled) {
		find_steady(row, e, &facts, &why);
		find_percentiles(row, e);
	}
	facts.law = check_law(row, e);
	set_verdict(row, &facts);
}
