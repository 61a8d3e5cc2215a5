/* SPDX-License-Identifier: MIT
 *
 * steady, law, trust: is a row to be believed? The rows of other systems are published ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "capacity/law.h"
#include "capacity/steady.h"
#include "capacity/trust.h"
#include "near.h"

#define SECONDS 120

struct series {
	double rps[SECONDS], response_ms[SECONDS];
};

static void make_steady(struct series *s, struct rng *rng)
{
	for (size_t i = 0; i < SECONDS; i++) {
		s->rps[i] = 1000 + 40 * (rng_unit(rng) - 0.5);
		s->response_ms[i] = 20 + 4 * (rng_unit(rng) - 0.5);
	}
}

static void a_steady_test_is_steady_from_early_on(void **state)
{
	struct series s;
	struct rng rng;
	size_t begin = 0, sum = 0;
	struct err_text why = { "" };

	(void)state;
	rng_init(&rng, 1, 0);
	for (size_t run = 0; run < 50; run++) {
		make_steady(&s, &rng);
		assert_int_equal(steady_find(s.rps, s.response_ms, SECONDS, 1, &begin, &why), OK);
		assert_true(begin <= SECONDS / 2);
		sum += begin;
	}
	assert_true(sum / 50 < SECONDS / 4);
}

static void a_warm_up_is_cut(void **state)
{
	struct series s;
	struct rng rng;
	size_t begin = 0;
	struct err_text why = { "" };

	(void)state;
	rng_init(&rng, 2, 0);
	for (size_t run = 0; run < 50; run++) {
		make_steady(&s, &rng);
		for (size_t i = 0; i < 40; i++) {
			s.rps[i] *= 1 - exp(-(double)i / 10);
			s.response_ms[i] *= 1 + 5 * exp(-(double)i / 10);
		}
		assert_int_equal(steady_find(s.rps, s.response_ms, SECONDS, 1, &begin, &why), OK);
		assert_in_range(begin, 20, SECONDS / 2);
	}
}

static void what_drifts_is_not_steady_and_the_series_is_named(void **state)
{
	struct series s;
	struct rng rng;
	size_t begin = 77;
	struct err_text why = { "" };

	(void)state;
	rng_init(&rng, 3, 0);
	make_steady(&s, &rng);
	for (size_t i = 0; i < SECONDS; i++)
		s.response_ms[i] *= 1 + (double)i / 40;
	assert_int_equal(steady_find(s.rps, s.response_ms, SECONDS, 1, &begin, &why),
			 ERR_NOT_FOUND);
	assert_int_equal(begin, 77);
	assert_non_null(strstr(why.text, "response time moved by more than 10 %"));
	make_steady(&s, &rng);
	for (size_t i = SECONDS / 2; i < SECONDS; i++)
		s.rps[i] *= 1 - (double)(i - SECONDS / 2) / SECONDS;
	assert_int_equal(steady_find(s.rps, s.response_ms, SECONDS, 1, &begin, &why),
			 ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "throughput moved by more than 10 %"));
}

static void seconds_without_answers_are_cut_or_named(void **state)
{
	struct series s;
	struct rng rng;
	size_t begin = 0;
	struct err_text why = { "" };

	(void)state;
	rng_init(&rng, 4, 0);
	make_steady(&s, &rng);
	for (size_t i = 0; i < 12; i++) {
		s.rps[i] = 0;
		s.response_ms[i] = NAN;
	}
	s.response_ms[50] = NAN;
	assert_int_equal(steady_find(s.rps, s.response_ms, SECONDS, 1, &begin, &why), OK);
	assert_true(begin >= 10);
	for (size_t i = 70; i < 75; i++)
		s.response_ms[i] = NAN;
	assert_int_equal(steady_find(s.rps, s.response_ms, SECONDS, 1, &begin, &why),
			 ERR_NOT_FOUND);
	assert_string_equal(why.text, "nothing was answered in the seconds 71 to 75");
	/* Of a window of hours each value is of 2 s. */
	assert_int_equal(steady_find(s.rps, s.response_ms, SECONDS, 2, &begin, &why),
			 ERR_NOT_FOUND);
	assert_string_equal(why.text, "nothing was answered in the seconds 145 to 148");
}

/* Half a minute of restless but unchanging seconds, and the same on the way up. */
static void noise_of_a_short_test_is_no_change(void **state)
{
	size_t begin, steady = 0, changing = 0;
	struct err_text why = { "" };
	struct rng rng;

	(void)state;
	rng_init(&rng, 5, 0);
	for (int run = 0; run < 200; run++) {
		double rps[30], response_ms[30];

		for (size_t i = 0; i < 30; i++) {
			rps[i] = 100;
			response_ms[i] = 10 + 6 * (rng_unit(&rng) - 0.5);
		}
		steady += !steady_find(rps, response_ms, 30, 1, &begin, &why);
		for (size_t i = 0; i < 30; i++)
			response_ms[i] += 0.5 * (double)i;
		changing += steady_find(rps, response_ms, 30, 1, &begin, &why) != OK;
	}
	assert_true(steady > 170);
	assert_true(changing > 190);
}

static void too_short_and_silent_tests_are_not_steady(void **state)
{
	double rps[SECONDS] = { 0 }, response_ms[SECONDS];
	size_t begin;
	struct err_text why = { "" };

	(void)state;
	for (size_t i = 0; i < SECONDS; i++)
		response_ms[i] = NAN;
	assert_int_equal(steady_find(rps, response_ms, 14, 1, &begin, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "14 s are too short to tell; test for 16 s or more");
	assert_int_equal(steady_find(rps, response_ms, 14, 2, &begin, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "28 s are too short to tell; test for 32 s or more");
	for (size_t count = 15; count <= SECONDS; count++)
		assert_int_equal(steady_find(rps, response_ms, count, 1, &begin, &why),
				 ERR_NOT_FOUND);
}

/* Of a published matrix, users waiting 1.5 s in the mean; medians stand for the means. */
static void published_rows_break_the_law_or_keep_it(void **state)
{
	static const struct {
		double users, rps, response_s, error_pct;
		enum law_verdict verdict;
	} rows[] = {
		{ 800, 40.4, 10.0, -41.9, LAW_BROKEN }, /* 1 replica, 8 workers */
		{ 800, 156.3, 2.7, -17.9, LAW_BROKEN }, /* 8 replicas, 8 workers */
		{ 200, 127.0, 0.039, -2.3, LAW_KEPT },	/* 8 replicas, 8 workers */
		{ 800, 122.7, 1.1, -60.1, LAW_BROKEN }, /* another matrix: 8, 8 */
		{ 400, 31.1, 7.9, -26.9, LAW_BROKEN },	/* the same: 1, 4 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct law law =
			law_interactive(rows[i].users, rows[i].rps, rows[i].response_s, 1.5);

		assert_true(fabs(law.error_pct - rows[i].error_pct) < 0.06);
		assert_int_equal(law.verdict, rows[i].verdict);
	}
}

static void the_laws_bounds_are_3_and_10_percent(void **state)
{
	(void)state;
	assert_int_equal(law_interactive(100, 50, 0.5, 1.45).verdict, LAW_KEPT);
	assert_int_equal(law_interactive(100, 50, 0.5, 1.43).verdict, LAW_OFF);
	assert_int_equal(law_interactive(100, 50, 0.5, 1.29).verdict, LAW_BROKEN);
	assert_int_equal(law_interactive(100, 50, 0.5, NAN).verdict, LAW_UNKNOWN);
	assert_int_equal(law_interactive(0, 0, 0.5, 1).verdict, LAW_UNKNOWN);
}

static void a_good_row_is_valid(void **state)
{
	struct trust_facts facts = { .law = law_interactive(200, 127, 0.039, 1.5),
				     .is_generator_known = true,
				     .samples = 7000,
				     .samples_min = 3688 };
	struct trust trust = trust_judge(&facts);
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(trust.level, TRUST_VALID);
	assert_int_equal(trust.reasons, 0);
	trust_say(&trust, &facts, &out);
	assert_string_equal(out.p, "valid");
	buf_fini(&out);
}

static void all_reasons_are_said_and_the_worst_one_decides(void **state)
{
	struct trust_facts facts = { .law = law_interactive(800, 40.4, 10, 1.5),
				     .is_generator_known = true,
				     .is_unsteady = true,
				     .unsteady = "throughput moved",
				     .failure_ratio = 0.25,
				     .samples = 100,
				     .samples_min = 368 };
	struct trust trust = trust_judge(&facts);
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	trust_say(&trust, &facts, &out);
	assert_int_equal(trust.level, TRUST_INVALID);
	assert_string_equal(
		out.p,
		"invalid: users, throughput and times contradict each other (464.6 follow from "
		"throughput and times, 41.9 % fewer than there were); no steady state (throughput "
		"moved); too few requests (100, at least 368 are needed); many requests failed, "
		"and "
		"failures have times of their own (25 %)");
	buf_fini(&out);
}

/* Each fact alone gives its reason, and no other. */
static void every_reason_has_its_fact(void **state)
{
	static const struct trust_facts fine = { .is_generator_known = true };
	struct trust_facts facts[TRUST_REASONS];
	enum trust_level levels[TRUST_REASONS];

	(void)state;
	for (size_t i = 0; i < TRUST_REASONS; i++) {
		facts[i] = fine;
		levels[i] = i < TRUST_LAW_OFF ? TRUST_INVALID : TRUST_SUSPECT;
	}
	facts[TRUST_REPLICAS_CHANGED].has_lost_replicas = true;
	facts[TRUST_WORKERS_LOST].has_lost_workers = true;
	facts[TRUST_COUNTS_DIFFER].has_counts_differing = true;
	facts[TRUST_LAW_BROKEN].law.verdict = LAW_BROKEN;
	facts[TRUST_GENERATOR_LIMITED].is_generator_limited = true;
	facts[TRUST_DROPPED].dropped_ratio = 0.02;
	facts[TRUST_LAW_OFF].law.verdict = LAW_OFF;
	facts[TRUST_NO_STEADY_STATE].is_unsteady = true;
	facts[TRUST_FEW_SAMPLES].samples_min = 6;
	facts[TRUST_FAILURES].failure_ratio = 0.02;
	facts[TRUST_UNWATCHED].is_generator_known = false;
	for (size_t i = 0; i < TRUST_REASONS; i++) {
		struct trust trust = trust_judge(&facts[i]);

		assert_int_equal(trust.reasons, 1u << i);
		assert_int_equal(trust.level, levels[i]);
	}
	assert_string_equal(trust_level_name(TRUST_SUSPECT), "suspect");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_test_is_steady_from_early_on),
		cmocka_unit_test(a_warm_up_is_cut),
		cmocka_unit_test(what_drifts_is_not_steady_and_the_series_is_named),
		cmocka_unit_test(seconds_without_answers_are_cut_or_named),
		cmocka_unit_test(noise_of_a_short_test_is_no_change),
		cmocka_unit_test(too_short_and_silent_tests_are_not_steady),
		cmocka_unit_test(published_rows_break_the_law_or_keep_it),
		cmocka_unit_test(the_laws_bounds_are_3_and_10_percent),
		cmocka_unit_test(a_good_row_is_valid),
		cmocka_unit_test(all_reasons_are_said_and_the_worst_one_decides),
		cmocka_unit_test(every_reason_has_its_fact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
