/* SPDX-License-Identifier: MIT
 *
 * When arrivals come: exact times of even ones, counts of Poisson ones within what theory allows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/clock.h"
#include "cicada.h"
#include "user/arrivals.h"

static uint64_t take(struct arrivals *a)
{
	uint64_t at_us = arrivals_next_us(a);

	arrivals_pass(a);
	return at_us;
}

/* How many come before this time. */
static uint64_t take_until(struct arrivals *a, uint64_t end_us)
{
	uint64_t count = 0;

	for (; arrivals_next_us(a) < end_us; count++)
		arrivals_pass(a);
	return count;
}

static void none_without_a_rate(void **state)
{
	struct arrivals a;

	(void)state;
	arrivals_init(&a, CIC_ARRIVALS_KIND_EVEN, 1, 0);
	assert_true(arrivals_next_us(&a) == UINT64_MAX);
	arrivals_set_rate(&a, 10, 1000);
	assert_in_range(arrivals_next_us(&a), 1000, 101000);
	arrivals_set_rate(&a, 0, 1000);
	assert_true(arrivals_next_us(&a) == UINT64_MAX);
	/* So slow that it is beyond all time. */
	arrivals_set_rate(&a, 1e-300, 1000);
	assert_true(arrivals_next_us(&a) == UINT64_MAX);
}

static void even_gaps_are_equal_and_do_not_drift(void **state)
{
	struct arrivals a;
	uint64_t first_us, at_us = 0;

	(void)state;
	arrivals_init(&a, CIC_ARRIVALS_KIND_EVEN, 1, 0);
	arrivals_set_rate(&a, 30000, 5 * CLOCK_S);
	first_us = take(&a);
	assert_in_range(first_us, 5 * CLOCK_S, 5 * CLOCK_S + 34);
	for (int i = 0; i < 3000000; i++)
		at_us = take(&a);
	/* 100 s, though a gap is no whole number of microseconds. */
	assert_in_range(at_us - first_us, 100 * CLOCK_S - 1, 100 * CLOCK_S + 1);
}

static void a_rate_changes_in_the_middle_of_a_gap(void **state)
{
	struct arrivals a;
	uint64_t at_us;

	(void)state;
	arrivals_init(&a, CIC_ARRIVALS_KIND_EVEN, 1, 0);
	arrivals_set_rate(&a, 10, 0);
	at_us = take(&a);
	/* 40 ms of 100 have passed; the other 60 % take 30 ms at twice the rate. */
	arrivals_set_rate(&a, 20, at_us + 40000);
	assert_in_range(arrivals_next_us(&a), at_us + 69999, at_us + 70001);
	/* And half a gap of nothing changes nothing. */
	arrivals_set_rate(&a, 0, at_us + 50000);
	arrivals_set_rate(&a, 10, at_us + 500000);
	assert_in_range(take(&a), at_us + 539998, at_us + 540001);
	assert_in_range(take(&a), at_us + 639998, at_us + 640001);
}

static void a_ramp_has_the_arrivals_of_its_area(void **state)
{
	struct arrivals a;
	uint64_t count = 0;

	(void)state;
	arrivals_init(&a, CIC_ARRIVALS_KIND_EVEN, 7, 3);
	for (uint64_t second = 0; second < 100; second++) {
		arrivals_set_rate(&a, (double)second + 0.3, second * CLOCK_S);
		count += take_until(&a, (second + 1) * CLOCK_S);
	}
	/* 0.3 + 1.3 + ... + 99.3, and the phase. */
	assert_in_range(count, 4979, 4981);
}

static void streams_have_their_own_phase(void **state)
{
	struct arrivals a, b, again;

	(void)state;
	arrivals_init(&a, CIC_ARRIVALS_KIND_EVEN, 1, 1);
	arrivals_init(&b, CIC_ARRIVALS_KIND_EVEN, 1, 2);
	arrivals_init(&again, CIC_ARRIVALS_KIND_EVEN, 1, 1);
	arrivals_set_rate(&a, 1, 0);
	arrivals_set_rate(&b, 1, 0);
	arrivals_set_rate(&again, 1, 0);
	assert_true(arrivals_next_us(&a) != arrivals_next_us(&b));
	assert_true(arrivals_next_us(&a) == arrivals_next_us(&again));
}

/* Counts per 10 ms at 1000/s: mean and variance are both 10. Over n = 10,000 of them the mean's
 * deviation is sqrt(10/n), that of the variance about sqrt(2 * 10^2 / n); five of each. */
static void poisson_counts_have_mean_and_variance(void **state)
{
	const double n = 10000;

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct arrivals a;
		double sum = 0, squares = 0, mean;

		arrivals_init(&a, CIC_ARRIVALS_KIND_POISSON, seed, 0);
		arrivals_set_rate(&a, 1000, 0);
		for (uint64_t i = 1; i <= (uint64_t)n; i++) {
			double count = (double)take_until(&a, i * 10 * CLOCK_MS);

			sum += count;
			squares += count * count;
		}
		mean = sum / n;
		assert_true(fabs(mean - 10) < 5 * sqrt(10 / n));
		assert_true(fabs(squares / n - mean * mean - 10) < 5 * sqrt(210 / n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_without_a_rate),
		cmocka_unit_test(even_gaps_are_equal_and_do_not_drift),
		cmocka_unit_test(a_rate_changes_in_the_middle_of_a_gap),
		cmocka_unit_test(a_ramp_has_the_arrivals_of_its_area),
		cmocka_unit_test(streams_have_their_own_phase),
		cmocka_unit_test(poisson_counts_have_mean_and_variance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
