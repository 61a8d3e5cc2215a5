/* SPDX-License-Identifier: MIT
 *
 * master_details - see the header. */
#include "matrix/master_details.h"

#include <math.h>

#include "base/limits.h"
#include "base/mem.h"
#include "matrix/evidence.h"

#define TIME_US_MAX 1e18

/* Lists of as many numbers. */
struct columns {
	const json_t *requests, *failures, *mean_ms, *users;
	size_t count;
	double interval_s;
};

static double number_at(const json_t *list, size_t i)
{
	const json_t *value = json_array_get(list, i);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static enum err find_columns(const json_t *series, struct columns *out, struct err_text *why)
{
	*out = (struct columns){
		.requests = json_object_get(series, "requests"),
		.failures = json_object_get(series, "failures"),
		.mean_ms = json_object_get(series, "avg_response_time"),
		.users = json_object_get(series, "user_count"),
		.interval_s = json_number_value(json_object_get(series, "interval_s")),
	};
	out->count = json_array_size(out->requests);
	if (!json_is_array(out->requests) || json_array_size(out->failures) != out->count ||
	    json_array_size(out->mean_ms) != out->count ||
	    json_array_size(out->users) != out->count)
		return err_set(why, ERR_BAD_INPUT, "the lists of the series differ in length");
	if (out->count > LIMIT_SERIES || !(out->interval_s >= 1))
		return err_set(why, ERR_BAD_INPUT, "the series is too long, or has no interval");
	return OK;
}

static enum err read_series(const json_t *root, struct evidence *out, struct err_text *why)
{
	const json_t *series = json_object_get(root, "series");
	double begin_s = json_number_value(json_object_get(series, "start_time")) -
			 json_number_value(json_object_get(root, "start_time"));
	struct columns c;
	enum err err = find_columns(series, &c, why);

	for (size_t i = 0; !err && i < c.count; i++)
		evidence_add(out, &(struct evidence_point){
					  .at_s = begin_s + (double)i * c.interval_s,
					  .requests_per_s = number_at(c.requests, i) / c.interval_s,
					  .failures_per_s = number_at(c.failures, i) / c.interval_s,
					  .mean_ms = number_at(c.mean_ms, i),
					  .users = number_at(c.users, i) });
	out->interval_s = c.interval_s;
	return err;
}

static enum err read_times(const json_t *distribution, struct hist *out, struct err_text *why)
{
	const json_t *values = json_object_get(distribution, "us"),
		     *counts = json_object_get(distribution, "counts");

	if (!json_is_array(values) || json_array_size(values) != json_array_size(counts))
		return err_set(why, ERR_BAD_INPUT, "the distribution has no lists of one length");
	for (size_t i = 0; i < json_array_size(values); i++) {
		double us = number_at(values, i), count = number_at(counts, i);

		if (!(us >= 0 && us < TIME_US_MAX) ||
		    !(count >= 0 && count <= (double)LIMIT_MESSAGE_COUNT))
			return err_set(why, ERR_BAD_INPUT, "the distribution has no such numbers");
		hist_add(out, (uint64_t)us, (uint64_t)count);
	}
	return OK;
}

/* Older masters have none, and a master with workers of Locust. */
static enum err read_parts(const json_t *root, struct evidence *out, struct err_text *why)
{
	const json_t *parts = json_object_get(root, "parts"),
		     *list = json_object_get(parts, "service_times");
	size_t count = json_array_size(list);
	enum err err = OK;

	out->parts_at_s = json_number_value(json_object_get(parts, "start_time")) -
			  json_number_value(json_object_get(root, "start_time"));
	out->part_s = json_number_value(json_object_get(parts, "interval_s"));
	if (count > LIMIT_PARTS || (count && !(out->part_s >= 1)))
		return err_set(why, ERR_BAD_INPUT, "the parts are too many, or have no interval");
	out->parts = mem_zalloc(count + 1, sizeof(*out->parts));
	for (; !err && out->part_count < count; out->part_count++) {
		hist_init(&out->parts[out->part_count]);
		err = read_times(json_array_get(list, out->part_count),
				 &out->parts[out->part_count], why);
	}
	return err;
}

enum err master_details_read(const json_t *root, struct evidence *out, struct err_text *why)
{
	const json_t *waited = json_object_get(json_object_get(root, "waiting"), "total_s");
	struct evidence read;
	enum err err;

	evidence_init(&read);
	err = read_series(root, &read, why);
	if (!err)
		err = read_times(json_object_get(root, "service_times"), &read.times, why);
	if (!err)
		err = read_parts(root, &read, why);
	if (json_is_number(waited))
		read.waited_s = json_number_value(waited);
	if (err) {
		evidence_fini(&read);
		return err;
	}
	evidence_fini(out);
	*out = read;
	return OK;
}
