/* SPDX-License-Identifier: MIT
 *
 * stats - see the header. The derived values are in stats_derive.c. */
#include "stat/stats.h"

#include <math.h>

#include "base/limits.h"
#include "base/mem.h"

#define KEY_BYTES (2 * LIMIT_STAT_NAME_BYTES + LIMIT_STAT_ERROR_BYTES + 3)

static struct str clip(struct str s, size_t max)
{
	return s.len > max ? (struct str){ s.p, max } : s;
}

static void zero_entry(struct stats_entry *e, double now_wall_s)
{
	e->num_requests = e->num_none_requests = e->num_failures = e->total_content_length = 0;
	e->total_response_time_ms = e->max_response_time_ms = 0;
	e->min_response_time_ms = NAN;
	e->start_time = now_wall_s;
	e->last_request_timestamp = 0;
	for (size_t i = 0; i < STATS_OUTCOMES; i++) {
		hist_clear(&e->times[i]);
		hist_clear(&e->responses[i]);
	}
	rounded_clear(&e->rounded);
	memset(e->seconds, 0, sizeof(e->seconds));
}

static void init_entry(struct stats_entry *e, struct str method, struct str name, double now_wall_s)
{
	*e = (struct stats_entry){ .method = mem_strndup(method.p, method.len),
				   .name = mem_strndup(name.p, name.len) };
	zero_entry(e, now_wall_s);
}

static void fini_entry(struct stats_entry *e)
{
	mem_free(e->method);
	mem_free(e->name);
	for (size_t i = 0; i < STATS_OUTCOMES; i++) {
		hist_fini(&e->times[i]);
		hist_fini(&e->responses[i]);
	}
	rounded_fini(&e->rounded);
}

static void forget_errors(struct stats *s)
{
	struct map_entry *slot;

	for (size_t i = 0; (slot = map_next(&s->errors, &i));) {
		struct stats_error *error = slot->value;

		mem_free(error->key);
		mem_free(error->method);
		mem_free(error->name);
		mem_free(error->error);
		mem_free(error);
	}
	map_clear(&s->errors);
}

void stats_init(struct stats *s, double now_wall_s)
{
	map_init(&s->entries);
	map_init(&s->errors);
	health_init(&s->health);
	init_entry(&s->total, str_of(""), str_of("Aggregated"), now_wall_s);
}

void stats_fini(struct stats *s)
{
	stats_clear(s, 0);
	fini_entry(&s->total);
	health_fini(&s->health);
	map_fini(&s->entries);
	map_fini(&s->errors);
}

void stats_clear(struct stats *s, double now_wall_s)
{
	struct map_entry *slot;

	for (size_t i = 0; (slot = map_next(&s->entries, &i));) {
		fini_entry(slot->value);
		mem_free(slot->value);
	}
	map_clear(&s->entries);
	forget_errors(s);
	health_clear(&s->health);
	zero_entry(&s->total, now_wall_s);
}

void stats_reset(struct stats *s, double now_wall_s)
{
	struct map_entry *slot;

	for (size_t i = 0; (slot = map_next(&s->entries, &i));)
		zero_entry(slot->value, now_wall_s);
	forget_errors(s);
	health_clear(&s->health);
	zero_entry(&s->total, now_wall_s);
}

/* The key in `entries`; bytes is KEY_BYTES long. */
static struct str entry_key(char *bytes, struct str method, struct str name)
{
	memcpy(bytes, method.p, method.len);
	bytes[method.len] = '\0';
	memcpy(bytes + method.len + 1, name.p, name.len);
	return (struct str){ bytes, method.len + 1 + name.len };
}

struct stats_entry *stats_find(const struct stats *s, struct str method, struct str name)
{
	char bytes[KEY_BYTES];

	return map_get(&s->entries, entry_key(bytes, clip(method, LIMIT_STAT_NAME_BYTES),
					      clip(name, LIMIT_STAT_NAME_BYTES)));
}

struct stats_entry *stats_entry(struct stats *s, struct str method, struct str name,
				double now_wall_s)
{
	char bytes[KEY_BYTES];
	struct stats_entry *e;
	struct str key;

	method = clip(method, LIMIT_STAT_NAME_BYTES);
	name = clip(name, LIMIT_STAT_NAME_BYTES);
	key = entry_key(bytes, method, name);
	e = map_get(&s->entries, key);
	if (e)
		return e;
	if (s->entries.count >= LIMIT_STAT_NAMES && !str_eq(name, STATS_OTHERS))
		return stats_entry(s, str_of(""), str_of(STATS_OTHERS), now_wall_s);
	e = mem_alloc(sizeof(*e));
	init_entry(e, method, name, now_wall_s);
	map_put(&s->entries, key, e);
	return e;
}

void stats_entry_add_second(struct stats_entry *e, int64_t unix_s, uint64_t requests,
			    uint64_t failures)
{
	struct stats_second *slot;

	if (unix_s < 0)
		return;
	slot = &e->seconds[unix_s % STATS_SECONDS];
	if (slot->unix_s > unix_s)
		return;
	if (slot->unix_s < unix_s)
		*slot = (struct stats_second){ .unix_s = unix_s };
	slot->requests += requests;
	slot->failures += failures;
}

static void count_time(struct stats_entry *e, const struct stats_request *request)
{
	double ms = (double)request->service_us / 1000;

	e->total_response_time_ms += ms;
	/* Written so that the NAN of an untimed entry is replaced. */
	if (!(e->min_response_time_ms <= ms))
		e->min_response_time_ms = ms;
	if (ms > e->max_response_time_ms)
		e->max_response_time_ms = ms;
	hist_add(&e->times[request->outcome], request->service_us, 1);
}

static void count_request(struct stats_entry *e, const struct stats_request *request,
			  double now_wall_s)
{
	bool is_failure = request->error != NULL;

	e->num_requests++;
	e->num_failures += is_failure;
	e->total_content_length += request->content_bytes;
	if (now_wall_s > e->last_request_timestamp)
		e->last_request_timestamp = now_wall_s;
	if (request->is_untimed)
		e->num_none_requests++;
	else
		count_time(e, request);
	if (request->is_scheduled)
		hist_add(&e->responses[request->outcome], request->response_us, 1);
	stats_entry_add_second(e, (int64_t)now_wall_s, 1, is_failure);
}

void stats_record(struct stats *s, struct stats_entry *e, const struct stats_request *request,
		  double now_wall_s)
{
	count_request(e, request, now_wall_s);
	count_request(&s->total, request, now_wall_s);
	if (request->error)
		stats_add_error(s, (struct str){ "", 0 }, str_of(e->method), str_of(e->name),
				str_of(request->error), 1, now_wall_s, now_wall_s);
}

void stats_fail(struct stats *s, struct stats_entry *e, const char *error, double now_wall_s)
{
	struct stats_entry *const counted[] = { e, &s->total };

	for (size_t i = 0; i < 2; i++) {
		counted[i]->num_failures++;
		stats_entry_add_second(counted[i], (int64_t)now_wall_s, 0, 1);
	}
	stats_add_error(s, (struct str){ "", 0 }, str_of(e->method), str_of(e->name), str_of(error),
			1, now_wall_s, now_wall_s);
}

static struct stats_error *find_error(struct stats *s, struct str key, struct str method,
				      struct str name, struct str text)
{
	struct stats_error *error = map_get(&s->errors, key);

	if (error)
		return error;
	error = mem_alloc(sizeof(*error));
	*error = (struct stats_error){ .key = mem_strndup(key.p, key.len),
				       .method = mem_strndup(method.p, method.len),
				       .name = mem_strndup(name.p, name.len),
				       .error = mem_strndup(text.p, text.len) };
	map_put(&s->errors, key, error);
	return error;
}

void stats_add_error(struct stats *s, struct str key, struct str method, struct str name,
		     struct str text, uint64_t times, double first_seen, double last_seen)
{
	char bytes[KEY_BYTES];
	struct stats_error *error;

	method = clip(method, LIMIT_STAT_NAME_BYTES);
	name = clip(name, LIMIT_STAT_NAME_BYTES);
	text = clip(text, LIMIT_STAT_ERROR_BYTES);
	if (s->errors.count >= LIMIT_STAT_ERRORS) {
		method = str_of("");
		name = text = key = str_of(STATS_OTHERS);
	}
	if (!key.len) {
		memcpy(bytes, method.p, method.len);
		bytes[method.len] = '.';
		memcpy(bytes + method.len + 1, name.p, name.len);
		bytes[method.len + 1 + name.len] = '.';
		memcpy(bytes + method.len + name.len + 2, text.p, text.len);
		key = (struct str){ bytes, method.len + name.len + text.len + 2 };
	}
	error = find_error(s, clip(key, KEY_BYTES), method, name, text);
	error->occurrences += times;
	if (first_seen > 0 && (error->first_seen <= 0 || first_seen < error->first_seen))
		error->first_seen = first_seen;
	if (last_seen > error->last_seen)
		error->last_seen = last_seen;
}

void stats_entry_merge(struct stats_entry *into, const struct stats_entry *from)
{
	into->num_requests += from->num_requests;
	into->num_none_requests += from->num_none_requests;
	into->num_failures += from->num_failures;
	into->total_response_time_ms += from->total_response_time_ms;
	into->total_content_length += from->total_content_length;
	into->min_response_time_ms = fmin(into->min_response_time_ms, from->min_response_time_ms);
	into->max_response_time_ms = fmax(into->max_response_time_ms, from->max_response_time_ms);
	into->start_time = fmin(into->start_time, from->start_time);
	into->last_request_timestamp =
		fmax(into->last_request_timestamp, from->last_request_timestamp);
	for (size_t i = 0; i < STATS_OUTCOMES; i++) {
		hist_merge(&into->times[i], &from->times[i]);
		hist_merge(&into->responses[i], &from->responses[i]);
	}
	rounded_merge(&into->rounded, &from->rounded);
	for (size_t i = 0; i < STATS_SECONDS; i++)
		if (from->seconds[i].requests || from->seconds[i].failures)
			stats_entry_add_second(into, from->seconds[i].unix_s,
					       from->seconds[i].requests,
					       from->seconds[i].failures);
}

void stats_entry_subtract(struct stats_entry *from, const struct stats_entry *earlier)
{
	from->num_requests -= earlier->num_requests;
	from->num_none_requests -= earlier->num_none_requests;
	from->num_failures -= earlier->num_failures;
	from->total_response_time_ms -= earlier->total_response_time_ms;
	from->total_content_length -= earlier->total_content_length;
	for (size_t i = 0; i < STATS_OUTCOMES; i++) {
		hist_subtract(&from->times[i], &earlier->times[i]);
		hist_subtract(&from->responses[i], &earlier->responses[i]);
	}
	rounded_subtract(&from->rounded, &earlier->rounded);
	from->min_response_time_ms = NAN;
	from->max_response_time_ms = stats_percentile_exact_ms(from, 1);
}

void stats_merge(struct stats *into, const struct stats *from)
{
	struct map_entry *slot;

	stats_entry_merge(&into->total, &from->total);
	health_merge(&into->health, &from->health);
	for (size_t i = 0; (slot = map_next(&from->entries, &i));) {
		const struct stats_entry *e = slot->value;

		if (e->num_requests || e->num_failures)
			stats_entry_merge(stats_entry(into, str_of(e->method), str_of(e->name),
						      e->start_time),
					  e);
	}
	for (size_t i = 0; (slot = map_next(&from->errors, &i));) {
		const struct stats_error *error = slot->value;

		stats_add_error(into, str_of(error->key), str_of(error->method),
				str_of(error->name), str_of(error->error), error->occurrences,
				error->first_seen, error->last_seen);
	}
}
