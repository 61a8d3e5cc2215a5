/* SPDX-License-Identifier: MIT
 *
 * stats_json - see the header. Keys in Locust's order, an indent of 4, rows by first appearance. */
#include "cli/stats_json.h"

#include <inttypes.h>
#include <math.h>

static void add_key(struct buf *out, const char *key)
{
	buf_printf(out, ",\n        \"%s\": ", key);
}

static void add_count(struct buf *out, const char *key, uint64_t value)
{
	add_key(out, key);
	buf_add_u64(out, value);
}

/* Python's sums begin as a whole number. */
static void add_number(struct buf *out, const char *key, double value)
{
	add_key(out, key);
	if (isnan(value))
		buf_add_text(out, "null");
	else if (value == 0)
		buf_add_char(out, '0');
	else
		buf_add_real(out, value);
}

/* Of a map: the key's text is the caller's, behind what this opens. */
static void begin_item(struct buf *out, bool *is_first)
{
	buf_add_text(out, *is_first ? "{" : ",");
	buf_add_text(out, "\n            \"");
	*is_first = false;
}

static void end_map(struct buf *out, bool is_empty)
{
	buf_add_text(out, is_empty ? "{}" : "\n        }");
}

static void add_times(struct buf *out, const struct stats_entry *e)
{
	struct rounded all;
	bool is_first = true;

	rounded_init(&all);
	stats_rounded(e, &all);
	add_key(out, "response_times");
	for (size_t i = 0; i < all.used; i++) {
		begin_item(out, &is_first);
		buf_printf(out, "%.15g\": %" PRIu64, all.buckets[i].ms, all.buckets[i].count);
	}
	end_map(out, is_first);
	rounded_fini(&all);
}

/* The ring begins somewhere: from the oldest second on, which is behind the newest one. */
static void add_seconds(struct buf *out, const char *key, const struct stats_entry *e,
			bool are_failures)
{
	int64_t last = (int64_t)e->last_request_timestamp;
	bool is_first = true;

	add_key(out, key);
	for (int64_t s = last - STATS_SECONDS + 1; last > 0 && s <= last; s++) {
		const struct stats_second *slot = &e->seconds[(uint64_t)s % STATS_SECONDS];
		uint64_t count = are_failures ? slot->failures : slot->requests;

		if (slot->unix_s != s || !count)
			continue;
		begin_item(out, &is_first);
		buf_printf(out, "%" PRId64 "\": %" PRIu64, s, count);
	}
	end_map(out, is_first);
}

static void add_entry(struct buf *out, const struct stats_entry *e)
{
	double last = e->last_request_timestamp;

	buf_add_text(out, "    {\n        \"name\": ");
	buf_add_json(out, str_of(e->name));
	add_key(out, "method");
	buf_add_json(out, str_of(e->method));
	add_number(out, "last_request_timestamp", last > 0 ? last : NAN);
	add_number(out, "start_time", e->start_time);
	add_count(out, "num_requests", e->num_requests);
	add_count(out, "num_none_requests", e->num_none_requests);
	add_count(out, "num_failures", e->num_failures);
	add_number(out, "total_response_time", e->total_response_time_ms);
	add_number(out, "max_response_time", e->max_response_time_ms);
	add_number(out, "min_response_time", e->min_response_time_ms);
	add_count(out, "total_content_length", e->total_content_length);
	add_times(out, e);
	add_seconds(out, "num_reqs_per_sec", e, false);
	add_seconds(out, "num_fail_per_sec", e, true);
	buf_add_text(out, "\n    }");
}

void stats_json_write(const struct stats *s, struct buf *out)
{
	struct map_entry *slot;
	bool is_first = true;

	buf_add_char(out, '[');
	for (size_t i = 0; (slot = map_next(&s->entries, &i));) {
		buf_add_text(out, is_first ? "\n" : ",\n");
		is_first = false;
		add_entry(out, slot->value);
	}
	buf_add_text(out, is_first ? "]\n" : "\n]\n");
}
