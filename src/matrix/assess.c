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

/* The columns of a row that are percentiles with an interval: of the window, which the master has
 * told, and of its steady part. */
static const struct {
	double share;
	size_t range, steady, steady_range;
} percentiles[] = {
	{ 0.50, offsetof(struct result_row, median_range),
	  offsetof(struct result_row, steady_median_ms),
	  offsetof(struct result_row, steady_median_range) },
	{ 0.90, offsetof(struct result_row, p90_range), offsetof(struct result_row, steady_p90_ms),
	  offsetof(struct result_row, steady_p90_range) },
	{ 0.95, offsetof(struct result_row, p95_range), offsetof(struct result_row, steady_p95_ms),
	  offsetof(struct result_row, steady_p95_range) },
	{ 0.99, offsetof(struct result_row, p99_range), offsetof(struct result_row, steady_p99_ms),
	  offsetof(struct result_row, steady_p99_range) },
	{ 0.999, offsetof(struct result_row, p999_range),
	  offsetof(struct result_row, steady_p999_ms),
	  offsetof(struct result_row, steady_p999_range) },
};

#define PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

/* One quantity of the points from `first` on as a list; mem_free() it. */
static double *list_of(const struct evidence *e, size_t first, size_t offset, double factor)
{
	double *list = mem_alloc((e->count - first + 1) * sizeof(*list));

	for (size_t i = first; i < e->count; i++)
		list[i - first] = factor * *(const double *)((const char *)&e->points[i] + offset);
	return list;
}

/* How much less the times of the points from `first` on tell than independent ones would. Without
 * batches nothing says how much responses know of their neighbours: NAN. */
static double inflation_from(const struct evidence *e, size_t first, const struct hist *times)
{
	double *mean_us = list_of(e, first, offsetof(struct evidence_point, mean_ms), CLOCK_MS);
	struct interval_batches batches;
	struct err_text few = { "" };
	struct interval mean;
	double inflation = NAN;

	if (!interval_mean(mean_us, e->count - first, &mean, &batches, &few))
		inflation = interval_inflation(&batches, times);
	mem_free(mean_us);
	return inflation;
}

static void set_range(struct result_row *row, size_t offset, const struct hist *times, double share,
		      double inflation)
{
	struct err_text few = { "" };
	struct interval found;

	if (!isnan(inflation) && !interval_percentile(times, share, inflation, &found, &few))
		*(struct result_range *)((char *)row + offset) =
			(struct result_range){ found.low / CLOCK_MS, found.high / CLOCK_MS };
}

/* Where too few requests tell it a percentile stays unknown. */
static double percentile_of(const struct hist *times, double share)
{
	return times->count >= interval_percentile_samples(share)
		       ? (double)hist_percentile_us(times, share) / CLOCK_MS
		       : NAN;
}

static void find_percentiles(struct result_row *row, const struct evidence *e)
{
	double inflation = inflation_from(e, 0, &e->times);

	for (size_t i = 0; i < PERCENTILES; i++)
		set_range(row, percentiles[i].range, &e->times, percentiles[i].share, inflation);
	row->p999_ms = percentile_of(&e->times, 0.999);
}

/* From the point `begin` on; 0: the whole window is steady. */
static void find_steady_percentiles(struct result_row *row, const struct evidence *e, size_t begin)
{
	struct hist times;
	double inflation;

	hist_init(&times);
	if (begin)
		evidence_times_from(e, e->points[begin].at_s, &times);
	else
		hist_merge(&times, &e->times);
	inflation = inflation_from(e, begin, &times);
	for (size_t i = 0; i < PERCENTILES; i++) {
		*(double *)((char *)row + percentiles[i].steady) =
			percentile_of(&times, percentiles[i].share);
		set_range(row, percentiles[i].steady_range, &times, percentiles[i].share,
			  inflation);
	}
	hist_fini(&times);
}

static void find_steady(struct result_row *row, const struct evidence *e, struct trust_facts *facts,
			struct err_text *why)
{
	double *rps = list_of(e, 0, offsetof(struct evidence_point, requests_per_s), 1),
	       *mean = list_of(e, 0, offsetof(struct evidence_point, mean_ms), 1);
	struct err_text few = { "" };
	struct interval interval;
	size_t begin;

	if (steady_find(rps, mean, e->count, fmax(e->interval_s, 1), &begin, why)) {
		facts->is_unsteady = true;
		facts->unsteady = why->text;
	} else {
		row->steady_from_s = e->points[begin].at_s;
		if (!interval_mean(rps + begin, e->count - begin, &interval, NULL, &few)) {
			row->steady_rps = interval.value;
			row->steady_rps_range =
				(struct result_range){ fmax(interval.low, 0), interval.high };
		}
		find_steady_percentiles(row, e, begin);
	}
	mem_free(rps);
	mem_free(mean);
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

void assess_row(struct result_row *row, const struct evidence *e, const char *generator)
{
	struct err_text why = { "" };
	struct trust_facts facts = {
		.is_generator_known = row->generator != RESULT_GENERATOR_UNKNOWN,
		.is_generator_limited = row->generator == RESULT_GENERATOR_LIMITED,
		.generator = generator,
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
