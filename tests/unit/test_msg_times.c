/* SPDX-License-Identifier: MIT
 *
 * Full resolution on the wire: what merging the reports of workers does to percentiles, and what
 * a report may not do to its reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/rng.h"
#include "cluster/msg.h"

#define NOW_S	      1800000000.0
#define WORKERS	      8
#define SAMPLES	      4000 /* of each worker */
#define ROUNDS	      5
#define WRITTEN(text) ((struct str){ text, sizeof(text) - 1 })
#define BEFORE	      "\x93\xa5stats\x84\xa5stats\x90\xabstats_total"
#define AFTER \
	"\xa6" \
	"errors\x80\xb2user_classes_count\x80\xa1n"
#define REPORT(total) WRITTEN(BEFORE total AFTER)
#define ONE_REQUEST   "\xacnum_requests\x01"

/* Through the real encoder and decoder, as from a worker to its master. */
static void send_report(const struct stats *from, struct stats *into)
{
	struct msg m = { .type = MSG_STATS,
			 .node_id = str_of("w_1"),
			 .report = { .stats = from, .have_times = true } },
		   got;
	struct err_text text = { 0 };
	struct buf frame;

	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&m, &frame);
	assert_false(frame.is_full);
	if (msg_decode(buf_str(&frame), NOW_S, &got, &text))
		fail_msg("%s", text.text);
	stats_merge(into, got.report.stats);
	msg_fini(&got);
	buf_fini(&frame);
}

struct pool {
	uint64_t us[WORKERS * SAMPLES];
	size_t count;
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The ceil(share * n)-th smallest sample, within half a bucket. */
static void expect_percentiles(struct pool *pool, const struct hist *set, size_t size)
{
	static const double shares[] = { 0, 0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1 };

	qsort(pool->us, pool->count, sizeof(pool->us[0]), compare);
	assert_int_equal(hist_set_count(set, size), pool->count);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		double rank = ceil(shares[i] * (double)pool->count);
		uint64_t want = pool->us[rank > 1 ? (size_t)rank - 1 : 0];
		uint64_t have = hist_set_percentile_us(set, size, shares[i]);

		if ((have > want ? have - want : want - have) * 1024 > want)
			fail_msg("%g: %llu instead of %llu", shares[i], (unsigned long long)have,
				 (unsigned long long)want);
	}
}

/* Log-uniform over 1 us to 1 h. */
static uint64_t sample(struct rng *rng)
{
	return (uint64_t)exp(rng_unit(rng) * log((double)HIST_MAX_US));
}

static struct pool services[STATS_OUTCOMES], responses[STATS_OUTCOMES], all_services, all_responses;

static void keep(struct pool *pool, uint64_t us)
{
	pool->us[pool->count++] = us;
}

static void record_one(struct stats *s, struct rng *rng)
{
	struct stats_request request = { .service_us = sample(rng),
					 .is_scheduled = rng_below(rng, 3) > 0,
					 .outcome = (enum stats_outcome)rng_below(rng, 3) };

	request.response_us = request.service_us + sample(rng);
	if (request.response_us > HIST_MAX_US)
		request.response_us = HIST_MAX_US;
	if (request.outcome != STATS_OK)
		request.error = "broken";
	stats_record(s, stats_entry(s, str_of("GET"), str_of("/a"), NOW_S), &request, NOW_S);
	keep(&services[request.outcome], request.service_us);
	keep(&all_services, request.service_us);
	if (!request.is_scheduled)
		return;
	keep(&responses[request.outcome], request.response_us);
	keep(&all_responses, request.response_us);
}

static void expect_pool(const struct stats_entry *e)
{
	assert_int_equal(e->num_requests, all_services.count);
	assert_int_equal(e->num_failures, all_services.count - services[STATS_OK].count);
	assert_int_equal(e->num_none_requests + e->rounded.count, 0);
	expect_percentiles(&all_services, e->times, STATS_OUTCOMES);
	expect_percentiles(&all_responses, e->responses, STATS_OUTCOMES);
	for (size_t i = 0; i < STATS_OUTCOMES; i++) {
		expect_percentiles(&services[i], &e->times[i], 1);
		expect_percentiles(&responses[i], &e->responses[i], 1);
	}
}

static void percentiles_of_merged_workers_are_those_of_the_pool(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct stats worker, all;

		memset(services, 0, sizeof(services));
		memset(responses, 0, sizeof(responses));
		all_services.count = all_responses.count = 0;
		stats_init(&all, NOW_S);
		for (uint64_t w = 0; w < WORKERS; w++) {
			struct rng rng;

			rng_init(&rng, round, w);
			stats_init(&worker, NOW_S);
			for (int i = 0; i < SAMPLES; i++)
				record_one(&worker, &rng);
			send_report(&worker, &all);
			stats_fini(&worker);
		}
		expect_pool(&all.total);
		expect_pool(stats_entry(&all, str_of("GET"), str_of("/a"), NOW_S));
		stats_fini(&all);
	}
}

static void expect_bad(struct str frame, const char *why)
{
	struct err_text text = { 0 };
	struct msg got;

	assert_int_equal(msg_decode(frame, NOW_S, &got, &text), ERR_BAD_INPUT);
	if (!strstr(text.text, why))
		fail_msg("'%s' is not in '%s'", why, text.text);
}

static void what_is_malformed_is_named(void **state)
{
	struct err_text text = { 0 };
	struct msg got;

	(void)state;
	expect_bad(REPORT("\x82" ONE_REQUEST "\xa8times_us\x81\x05\x01"),
		   "\"times_us\" must be an");
	expect_bad(REPORT("\x82" ONE_REQUEST "\xa8times_us\x92\x81\x05\x01\x80"),
		   "\"times_us\" must be an array");
	expect_bad(REPORT("\x82" ONE_REQUEST "\xa8times_us\x94\x81\x05\x01\x80\x80\x80"),
		   "\"times_us\" must be an array");
	expect_bad(REPORT("\x82" ONE_REQUEST "\xa8times_us\x93\x80\x05\x80"),
		   "\"times_us\" must be a map");
	expect_bad(REPORT("\x82" ONE_REQUEST "\xa8times_us\x93\x80\x81\xff\x01\x80"),
		   "\"times_us\" must be a whole number");
	expect_bad(REPORT("\x82" ONE_REQUEST "\xa8times_us\x93\x81\x05\x01\x81\x05\x01\x80"),
		   "counts more than num_requests");
	expect_bad(REPORT("\x83" ONE_REQUEST "\xa8times_us\x93\x81\x05\x01\x80\x80"
			  "\xacresponses_us\x05"),
		   "\"responses_us\" must be an array");
	expect_bad(REPORT("\x83" ONE_REQUEST "\xa8times_us\x93\x81\x05\x01\x80\x80"
			  "\xacresponses_us\x93\x80\x81\x05\x01\x80"),
		   "\"responses_us\" counts more than times_us");
	/* Alone it says nothing. */
	assert_int_equal(
		msg_decode(REPORT("\x82" ONE_REQUEST "\xacresponses_us\x93\x81\x05\x01\x80\x80"),
			   NOW_S, &got, &text),
		OK);
	assert_int_equal(stats_scheduled(&got.report.stats->total), 0);
	msg_fini(&got);
}

static void a_sum_that_would_wrap_around_is_refused(void **state)
{
	struct msg m = { .type = MSG_STATS, .node_id = str_of("w_1") };
	struct stats stats;
	struct buf frame;

	(void)state;
	stats_init(&stats, NOW_S);
	stats.total.num_requests = 1;
	for (uint64_t us = 1; us <= 4; us++)
		hist_add(&stats.total.times[STATS_OK], us, LIMIT_MESSAGE_COUNT);
	m.report = (struct msg_report){ .stats = &stats, .have_times = true };
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&m, &frame);
	expect_bad(buf_str(&frame), "\"times_us\" counts more than 1e15");
	buf_fini(&frame);
	stats_fini(&stats);
}

/* A few bytes make the reader allocate 8 kB: each of these entries 1.5 MB. */
static void entries_that_fill_every_slab_are_refused(void **state)
{
	struct buf frame;

	(void)state;
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	buf_add_str(&frame, WRITTEN("\x93\xa5stats\x84\xa5stats\xdc\x01\x00"));
	for (unsigned i = 0; i < 256; i++) {
		buf_add_str(&frame, WRITTEN("\x82\xa4name\xa4"));
		buf_printf(&frame, "%04u", i);
		buf_add_str(&frame, WRITTEN("\xa8times_us\x93"));
		for (unsigned outcome = 0; outcome < STATS_OUTCOMES; outcome++) {
			buf_add_str(&frame, WRITTEN("\xde\x00\x17"));
			for (unsigned bits = 9; bits < 32; bits++) {
				const char us[] = { '\xce', (char)((1u << bits) >> 24),
						    (char)((1u << bits) >> 16),
						    (char)((1u << bits) >> 8), 0 };

				buf_add(&frame, us, sizeof(us));
				buf_add(&frame, "", 1); /* so often: 0 */
			}
		}
	}
	buf_add_str(&frame, WRITTEN("\xabstats_total\x80" AFTER));
	expect_bad(buf_str(&frame), "\"times_us\" would take too much memory");
	buf_fini(&frame);
}

/* Our own encoder never sends what the reader refuses: no request is lost, only its digits. */
static void what_has_no_room_goes_with_rounded_times(void **state)
{
	struct stats stats, got;
	struct map_entry *slot;
	uint64_t exact = 0, rounded = 0;

	(void)state;
	stats_init(&stats, NOW_S);
	stats_init(&got, NOW_S);
	for (unsigned i = 0; i < 400; i++) {
		char name[16];
		struct stats_entry *e;

		snprintf(name, sizeof(name), "/%u", i);
		e = stats_entry(&stats, str_of("GET"), str_of(name), NOW_S);
		for (unsigned k = 0; k < 66; k++)
			stats_record(
				&stats, e,
				&(struct stats_request){ .service_us = 1ull << (10 + k % 22),
							 .outcome = (enum stats_outcome)(k % 3),
							 .error = k % 3 ? "broken" : NULL },
				NOW_S);
	}
	send_report(&stats, &got);
	for (size_t i = 0; (slot = map_next(&got.entries, &i));) {
		const struct stats_entry *e = slot->value;

		assert_int_equal(stats_timed(e) + e->rounded.count, 66);
		exact += stats_timed(e);
		rounded += e->rounded.count;
	}
	assert_int_equal(exact + rounded, 400 * 66);
	assert_in_range(exact, 1, 400 * 66 - 1);
	stats_fini(&got);
	stats_fini(&stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_of_merged_workers_are_those_of_the_pool),
		cmocka_unit_test(what_is_malformed_is_named),
		cmocka_unit_test(a_sum_that_would_wrap_around_is_refused),
		cmocka_unit_test(entries_that_fill_every_slab_are_refused),
		cmocka_unit_test(what_has_no_room_goes_with_rounded_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
