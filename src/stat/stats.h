/* SPDX-License-Identifier: MIT
 *
 * stats - what a test counts: one entry per (method, name), a total, and errors.
 *
 * Used in three places with the same meaning: each load thread records into its own
 * (stats_record), the control thread merges the threads' deltas, the master merges
 * the workers' reports (stats_merge, or the parts of an entry read off the wire).
 * Field names and meanings are Locust's (its RequestStats and StatsEntry).
 *
 * There are two latencies. Service time is from the call to the last byte: what Locust knows as
 * response time. Response time is from the moment at which the request was meant to be sent; it
 * exists only where there was such a moment (paced and open models), and is at least as long.
 *
 * A service time is counted exactly once: in `times` (microseconds, three digits, by outcome)
 * when this program measured it, in `rounded` when it came over Locust's protocol.
 * So at any time  num_requests - num_none_requests == stats_timed(e) + rounded.count.
 * What is in `responses` is in `times` too, under the same outcome.
 *
 * Limits: LIMIT_STAT_NAMES entries, LIMIT_STAT_ERRORS errors; what is beyond counts
 * under the name STATS_OTHERS. Not thread-safe: one owner at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/str.h"
#include "stat/health.h"
#include "stat/hist.h"
#include "stat/rounded.h"

#define STATS_OTHERS  "(others)"
#define STATS_SECONDS 64u /* how many recent seconds an entry remembers */

/* Requests that ended in one second of wall time. */
struct stats_second {
	int64_t unix_s;
	uint64_t requests, failures;
};

enum stats_outcome {
	STATS_OK,	     /* counts as a success */
	STATS_HTTP_ERROR,    /* a whole answer came and counts as a failure */
	STATS_NETWORK_ERROR, /* no whole answer came */
	STATS_OUTCOMES
};

/* One finished request. */
struct stats_request {
	uint64_t service_us;
	uint64_t response_us; /* only when scheduled */
	bool is_scheduled;
	bool is_untimed;	    /* counted in num_none_requests; service_us says nothing */
	enum stats_outcome outcome; /* STATS_OK exactly when error is NULL */
	uint64_t content_bytes;
	const char *error; /* its text is counted as well */
};

struct stats_entry {
	char *method, *name;
	uint64_t num_requests;	    /* all, failures included */
	uint64_t num_none_requests; /* of these, without a response time */
	uint64_t num_failures;
	double total_response_time_ms;
	double min_response_time_ms; /* NAN when nothing was timed */
	double max_response_time_ms;
	uint64_t total_content_length; /* bytes */
	double start_time;	       /* unix seconds: creation or last reset */
	double last_request_timestamp; /* unix seconds of the last request's end, 0: none */
	struct hist times[STATS_OUTCOMES];
	struct hist responses[STATS_OUTCOMES];
	struct rounded rounded;
	struct stats_second seconds[STATS_SECONDS]; /* slot = unix_s % STATS_SECONDS */
};

struct stats_error {
	char *key; /* unique per (method, name, error), the same on every worker; opaque */
	char *method, *name, *error;
	uint64_t occurrences;
	double first_seen, last_seen; /* unix seconds, 0: unknown */
};

struct stats {
	struct stats_entry total; /* method "", name "Aggregated" */
	struct map entries;	  /* key: method, NUL, name -> struct stats_entry */
	struct map errors;	  /* key -> struct stats_error, in order of appearance */
	struct health health;	  /* of the threads that counted this */
};

void stats_init(struct stats *s, double now_wall_s);
void stats_fini(struct stats *s);
/* Forgets everything (a new test). */
void stats_clear(struct stats *s, double now_wall_s);
/* Zeroes the numbers but keeps the rows (Locust's /stats/reset); errors are forgotten. */
void stats_reset(struct stats *s, double now_wall_s);

/* The entry, made when new. Valid until stats_clear() or stats_fini(). */
struct stats_entry *stats_entry(struct stats *s, struct str method, struct str name,
				double now_wall_s);

/* The same, NULL when there is none. */
struct stats_entry *stats_find(const struct stats *s, struct str method, struct str name);

/* Counts a request in the entry and in the total. now_wall_s is when it ended. */
void stats_record(struct stats *s, struct stats_entry *e, const struct stats_request *request,
		  double now_wall_s);
/* Counts a failure of a request that is counted besides. */
void stats_fail(struct stats *s, struct stats_entry *e, const char *error, double now_wall_s);

/* Counts an error row. An empty key (len 0) is made from the three parts: Locust takes any
 * string that is unique and stable. */
void stats_add_error(struct stats *s, struct str key, struct str method, struct str name,
		     struct str error, uint64_t times, double first_seen, double last_seen);

/* Adds everything of `from`, rule of Locust: counters and maps add, start is the
 * earliest, last the latest, min/max as named. `from` is unchanged. */
void stats_merge(struct stats *into, const struct stats *from);
void stats_entry_merge(struct stats_entry *into, const struct stats_entry *from);
/* Takes out an earlier copy of the same entry: what is left is what came between. The smallest time
 * of that is unknown, the largest as exact as the buckets; `seconds` and the times of first and
 * last stay as they are. */
void stats_entry_subtract(struct stats_entry *from, const struct stats_entry *earlier);
/* Counts of one wall second (unix_s) on top; seconds older than the memory are dropped. */
void stats_entry_add_second(struct stats_entry *e, int64_t unix_s, uint64_t requests,
			    uint64_t failures);

/* Derived values, rules of reference section 4.5 (Locust 2.46). 0 when undefined. */
double stats_avg_response_time_ms(const struct stats_entry *e);
double stats_median_ms(const struct stats_entry *e);
/* Rounded as Locust rounds; from `times` and `rounded` together. */
double stats_percentile_ms(const struct stats_entry *e, double share);
/* As exact as the entry allows: three digits when all of it was measured here, else
 * Locust's rounded value. */
double stats_percentile_exact_ms(const struct stats_entry *e, double share);
/* How many service times were measured here, and response times. */
uint64_t stats_timed(const struct stats_entry *e);
uint64_t stats_scheduled(const struct stats_entry *e);
/* The word of an outcome in reports and messages. */
const char *stats_outcome_name(enum stats_outcome outcome);
/* All of the entry's times as rounded buckets; out must be init'ed and is added to. */
void stats_rounded(const struct stats_entry *e, struct rounded *out);
double stats_fail_ratio(const struct stats_entry *e);
double stats_avg_content_length(const struct stats_entry *e);
/* Rates over up to 10 seconds that end 2 s before the total's last request. */
double stats_current_rps(const struct stats_entry *e, const struct stats_entry *total);
double stats_current_fail_per_sec(const struct stats_entry *e, const struct stats_entry *total);
/* Rates since start_time. */
double stats_total_rps(const struct stats_entry *e, const struct stats_entry *total);
double stats_total_fail_per_sec(const struct stats_entry *e, const struct stats_entry *total);

/* The entries sorted by (name, method); *count of them. mem_free() the array. */
struct stats_entry **stats_sorted(const struct stats *s, size_t *count);
