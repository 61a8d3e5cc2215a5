/* SPDX-License-Identifier: MIT
 *
 * hist: bucket width, percentiles against the sorted samples, merging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stat/hist.h"

#define SAMPLES 20000

static void every_value_is_kept_within_a_thousandth(void **state)
{
	(void)state;
	for (uint64_t us = 1; us < HIST_MAX_US; us += us / 700 + 1) {
		struct hist h;
		uint64_t got;

		hist_init(&h);
		hist_add(&h, us, 1);
		got = hist_percentile_us(&h, 0.5);
		assert_true((got > us ? got - us : us - got) * 1024 <= us);
		hist_fini(&h);
	}
}

static void values_beyond_the_range_count_as_the_largest(void **state)
{
	struct hist h;

	(void)state;
	hist_init(&h);
	hist_add(&h, UINT64_MAX, 3);
	hist_add(&h, 0, 1);
	assert_int_equal(h.count, 4);
	assert_int_equal(hist_percentile_us(&h, 0.25), 0);
	assert_true(hist_percentile_us(&h, 1) > HIST_MAX_US - HIST_MAX_US / 1000);
	hist_fini(&h);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void percentiles_of_merged_parts_are_those_of_the_pool(void **state)
{
	static uint64_t samples[SAMPLES];
	static const double shares[] = { 0.01, 0.5, 0.9, 0.99, 0.999, 1 };
	struct hist parts[4], all;
	struct rng rng;

	(void)state;
	rng_init(&rng, 7, 1);
	hist_init(&all);
	for (int i = 0; i < 4; i++)
		hist_init(&parts[i]);
	for (size_t i = 0; i < SAMPLES; i++) {
		samples[i] = 1ull << rng_below(&rng, 30);
		samples[i] += rng_below(&rng, samples[i]);
		hist_add(&parts[i % 4], samples[i], 1);
	}
	for (int i = 0; i < 4; i++)
		hist_merge(&all, &parts[i]);
	qsort(samples, SAMPLES, sizeof(samples[0]), compare);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		uint64_t want = samples[(size_t)(shares[i] * SAMPLES + 0.999999) - 1];
		uint64_t got = hist_percentile_us(&all, shares[i]);

		assert_true((got > want ? got - want : want - got) * 1000 <= want);
	}
	for (int i = 0; i < 4; i++)
		hist_fini(&parts[i]);
	hist_fini(&all);
}

static void an_empty_histogram_answers_zero(void **state)
{
	struct hist h;

	(void)state;
	hist_init(&h);
	assert_int_equal(hist_percentile_us(&h, 0.99), 0);
	hist_add(&h, 5, 1);
	hist_clear(&h);
	assert_int_equal(hist_percentile_us(&h, 0.99), 0);
	hist_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_is_kept_within_a_thousandth),
		cmocka_unit_test(values_beyond_the_range_count_as_the_largest),
		cmocka_unit_test(percentiles_of_merged_parts_are_those_of_the_pool),
		cmocka_unit_test(an_empty_histogram_answers_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
