/* SPDX-License-Identifier: MIT
 *
 * stats_derive - averages, percentiles and rates of struct stats, by Locust's rules
 * (reference section 4.5, Locust 2.46). Declared in stats.h. */
#include "stat/stats.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

double stats_avg_response_time_ms(const struct stats_entry *e)
{
	uint64_t timed = e->num_requests - e->num_none_requests;

	return timed ? e->total_response_time_ms / (double)timed : 0;
}

uint64_t stats_timed(const struct stats_entry *e)
{
	return hist_set_count(e->times, STATS_OUTCOMES);
}

uint64_t stats_scheduled(const struct stats_entry *e)
{
	return hist_set_count(e->responses, STATS_OUTCOMES);
}

const char *stats_outcome_name(enum stats_outcome outcome)
{
	static const char *const names[STATS_OUTCOMES] = {
		[STATS_OK] = "ok",
		[STATS_HTTP_ERROR] = "http_error",
		[STATS_NETWORK_ERROR] = "network_error",
	};

	return names[outcome];
}

void stats_rounded(const struct stats_entry *e, struct rounded *out)
{
	for (size_t i = 0; i < STATS_OUTCOMES; i++)
		rounded_add_hist(out, &e->times[i]);
	rounded_merge(out, &e->rounded);
}

double stats_percentile_ms(const struct stats_entry *e, double share)
{
	struct rounded all;
	double ms;

	rounded_init(&all);
	stats_rounded(e, &all);
	ms = rounded_percentile_ms(&all, share);
	rounded_fini(&all);
	return ms;
}

/* A rounded value may lie outside what was really seen. */
static double clamp_to_seen(const struct stats_entry *e, double ms)
{
	return isnan(e->min_response_time_ms)
		       ? ms
		       : fmin(fmax(ms, e->min_response_time_ms), e->max_response_time_ms);
}

double stats_median_ms(const struct stats_entry *e)
{
	return clamp_to_seen(e, stats_percentile_ms(e, 0.5));
}

double stats_percentile_exact_ms(const struct stats_entry *e, double share)
{
	double ms =
		e->rounded.count
			? stats_percentile_ms(e, share)
			: (double)hist_set_percentile_us(e->times, STATS_OUTCOMES, share) / 1000;

	return clamp_to_seen(e, ms);
}

double stats_fail_ratio(const struct stats_entry *e)
{
	if (!e->num_requests)
		return e->num_failures ? 1 : 0;
	return (double)e->num_failures / (double)e->num_requests;
}

double stats_avg_content_length(const struct stats_entry *e)
{
	return e->num_requests ? (double)e->total_content_length / (double)e->num_requests : 0;
}

/* Sums of the seconds L-12 to L-3 (not before the total's start), L being the second of the
 * total's last request, as a mean per second. */
static void current_rates(const struct stats_entry *e, const struct stats_entry *total,
			  double *requests, double *failures)
{
	int64_t last = (int64_t)total->last_request_timestamp - 3, first = last - 9;
	int64_t start = (int64_t)total->start_time;
	double n;

	*requests = *failures = 0;
	if (first < start)
		first = start;
	if (total->last_request_timestamp <= 0 || first > last)
		return;
	n = (double)(last - first + 1);
	for (int64_t s = first; s <= last; s++) {
		const struct stats_second *slot = &e->seconds[s % STATS_SECONDS];

		if (slot->unix_s != s)
			continue;
		*requests += (double)slot->requests / n;
		*failures += (double)slot->failures / n;
	}
}

double stats_current_rps(const struct stats_entry *e, const struct stats_entry *total)
{
	double requests, failures;

	current_rates(e, total, &requests, &failures);
	return requests;
}

double stats_current_fail_per_sec(const struct stats_entry *e, const struct stats_entry *total)
{
	double requests, failures;

	current_rates(e, total, &requests, &failures);
	return failures;
}

static double whole_run_rate(uint64_t count, const struct stats_entry *total)
{
	double s = total->last_request_timestamp - total->start_time;

	return total->last_request_timestamp > 0 && s > 0 ? (double)count / s : 0;
}

double stats_total_rps(const struct stats_entry *e, const struct stats_entry *total)
{
	return whole_run_rate(e->num_requests, total);
}

double stats_total_fail_per_sec(const struct stats_entry *e, const struct stats_entry *total)
{
	return whole_run_rate(e->num_failures, total);
}

static int by_name_and_method(const void *a, const void *b)
{
	const struct stats_entry *x = *(struct stats_entry *const *)a,
				 *y = *(struct stats_entry *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->method, y->method);
}

struct stats_entry **stats_sorted(const struct stats *s, size_t *count)
{
	struct stats_entry **rows = mem_zalloc(s->entries.count, sizeof(struct stats_entry *));
	struct map_entry *slot;

	*count = 0;
	for (size_t i = 0; (slot = map_next(&s->entries, &i));)
		rows[(*count)++] = slot->value;
	qsort(rows, *count, sizeof(struct stats_entry *), by_name_and_method);
	return rows;
}
