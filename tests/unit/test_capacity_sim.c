/* SPDX-License-Identifier: MIT
 *
 * What the mathematics says of services whose capacity is known (capacity_sim.h): is it right as
 * often as it claims to be? All is seeded, so a run is like any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capacity/chance.h"
#include "capacity/interval.h"
#include "capacity/knee.h"
#include "capacity/law.h"
#include "capacity/search.h"
#include "capacity/steady.h"
#include "capacity/usl.h"
#include "capacity_sim.h"
#include "near.h"

#define RUNS 200

/* Four servers that answer 100 per second each. */
static const struct sim_service service = { 4, 100 };

static struct sim_window window;

/* An interval of 95 % that is right less often than this in RUNS runs is not one of 95 %: the
 * chance of that is 1 %. */
static size_t hits_min(size_t runs)
{
	return chance_binomial_quantile(0.01, runs, INTERVAL_CONFIDENCE);
}

static bool has(const struct interval *i, double truth)
{
	return i->low <= truth && truth <= i->high;
}

static void throughput_under_full_load_is_the_capacity(void **state)
{
	size_t hits = 0;

	(void)state;
	for (size_t run = 0; run < RUNS; run++) {
		struct interval rps;
		struct err_text why = { "" };
		struct rng rng;

		rng_init(&rng, 1, run);
		sim_closed(&service, 16, 0, 5, 60, &rng, &window);
		assert_int_equal(interval_mean(window.rps, 60, &rps, NULL, &why), OK);
		assert_true(is_near(rps.value, 400, 0.03));
		hits += has(&rps, 400);
		hist_fini(&window.hist);
	}
	print_message("[          ] capacity in its interval: %zu of %d\n", hits, RUNS);
	assert_true(hits >= hits_min(RUNS));
}

/* At all loads from idle to four times too much, and for users that a test has lost. */
static void the_interactive_law_holds_and_lost_users_break_it(void **state)
{
	static const size_t users[] = { 10, 40, 80, 160, 240 };
	struct rng rng;

	(void)state;
	rng_init(&rng, 2, 0);
	for (size_t i = 0; i < 5; i++) {
		double rps, response_s, n = (double)users[i];

		sim_closed(&service, users[i], 0.1, 5, 120, &rng, &window);
		rps = (double)window.hist.count / 120;
		response_s = window.response_sum_s / (double)window.hist.count;
		assert_int_equal(law_interactive(n, rps, response_s, 0.1).verdict, LAW_KEPT);
		assert_int_equal(law_interactive(n / 0.85, rps, response_s, 0.1).verdict,
				 LAW_BROKEN);
		hist_fini(&window.hist);
	}
}

/* Of 20 tests of 240 s; response times grow by `growth` from beginning to end. */
static size_t count_steady(double arrivals_per_s, double warm_s, double growth)
{
	size_t begin = 0, steady = 0;
	struct err_text why = { "" };
	struct rng rng;

	rng_init(&rng, 3, 0);
	for (size_t run = 0; run < 20; run++) {
		sim_open(&service, arrivals_per_s, warm_s, 240, &rng, &window);
		for (size_t i = 0; i < 240; i++)
			window.response_ms[i] *= 1 + growth * (double)i / 240;
		steady += !steady_find(window.rps, window.response_ms, 240, 1, &begin, &why);
		hist_fini(&window.hist);
	}
	return steady;
}

static void a_restless_queue_is_steady_and_one_that_grows_is_not(void **state)
{
	(void)state;
	assert_true(count_steady(300, 0, 0) >= 18);
	assert_true(count_steady(370, 20, 0) >= 14);
	assert_true(count_steady(320, 20, 1) <= 6);
	/* More than it can answer: the queue grows without end. */
	assert_int_equal(count_steady(420, 0, 0), 0);
}

static double percentile_s(double arrivals_per_s, double share)
{
	double low = 0, high = 10;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (sim_above(&service, arrivals_per_s, middle) > 1 - share)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Of p95, for which requests in a queue count as fewer than they are. */
static struct interval measure_p95_us(double arrivals_per_s, size_t seconds, struct rng *rng,
				      bool is_inflated)
{
	struct interval response_ms, p95_us;
	struct interval_batches batches;
	struct err_text why = { "" };
	double inflation = 1;

	sim_open(&service, arrivals_per_s, 10, seconds, rng, &window);
	if (is_inflated) {
		/* Still too dependent after all merging: what was measured counts for little. */
		if (interval_mean(window.response_ms, seconds, &response_ms, &batches, &why))
			inflation = 50;
		batches.standard_error *= 1000;
		if (inflation < 50)
			inflation = interval_inflation(&batches, &window.hist);
	}
	assert_int_equal(interval_percentile(&window.hist, 0.95, inflation, &p95_us, &why), OK);
	hist_fini(&window.hist);
	return p95_us;
}

static void a_queues_percentile_is_in_its_interval_if_dependence_counts(void **state)
{
	double truth_us = percentile_s(340, 0.95) * 1e6;
	size_t hits = 0, naive_hits = 0;

	(void)state;
	for (size_t run = 0; run < RUNS; run++) {
		struct interval p95_us;
		struct rng rng;

		rng_init(&rng, 4, run);
		p95_us = measure_p95_us(340, 120, &rng, true);
		hits += has(&p95_us, truth_us);
		rng_init(&rng, 4, run);
		p95_us = measure_p95_us(340, 120, &rng, false);
		naive_hits += has(&p95_us, truth_us);
	}
	print_message("[          ] p95 in its interval: %zu of %d, %zu as if independent\n", hits,
		      RUNS, naive_hits);
	assert_true(hits >= hits_min(RUNS));
	assert_true(naive_hits < hits_min(RUNS));
}

#define LEVELS 10

static const double loads[LEVELS] = { 1, 2, 4, 8, 12, 16, 24, 32, 48, 64 };

/* lambda 100, sigma 0.03, kappa 0.0005: the peak is at 44. */
static void measure_levels(uint64_t run, double rps[LEVELS])
{
	struct rng rng;

	rng_init(&rng, 5, run);
	for (size_t i = 0; i < LEVELS; i++) {
		sim_usl(100, 0.03, 0.0005, loads[i], 20, &rng, &window);
		rps[i] = (double)window.hist.count / 20;
		hist_fini(&window.hist);
	}
}

static double law_rps(double load)
{
	return 100 * load / (1 + 0.03 * (load - 1) + 0.0005 * load * (load - 1));
}

static void coefficients_peak_and_knee_are_in_their_intervals(void **state)
{
	double peak = sqrt(0.97 / 0.0005), exact[LEVELS], rps[LEVELS];
	size_t lambda = 0, sigma = 0, kappa = 0, place = 0, height = 0, knees = 0;
	struct err_text why = { "" };
	struct knee truth, k;
	struct usl u;

	(void)state;
	for (size_t i = 0; i < LEVELS; i++)
		exact[i] = law_rps(loads[i]);
	assert_int_equal(knee_find(loads, exact, LEVELS, &truth, &why), OK);
	for (size_t run = 0; run < RUNS; run++) {
		measure_levels(run, rps);
		assert_int_equal(usl_fit(loads, rps, LEVELS, &u, &why), OK);
		assert_true(u.has_peak);
		assert_true(is_near(u.peak_rps.value, law_rps(peak), 0.03));
		lambda += has(&u.lambda, 100);
		sigma += has(&u.sigma, 0.03);
		kappa += has(&u.kappa, 0.0005);
		place += has(&u.peak_load, peak);
		height += has(&u.peak_rps, law_rps(peak));
		if (!knee_find(loads, rps, LEVELS, &k, &why))
			knees += k.load_low <= truth.load && truth.load <= k.load_high;
	}
	print_message("[          ] of %d: lambda %zu, sigma %zu, kappa %zu, peak at %zu, of %zu, "
		      "knee %zu\n",
		      RUNS, lambda, sigma, kappa, place, height, knees);
	assert_true(lambda >= hits_min(RUNS) && sigma >= hits_min(RUNS) && kappa >= hits_min(RUNS));
	assert_true(place >= hits_min(RUNS) && height >= hits_min(RUNS));
	assert_true(knees >= hits_min(RUNS));
}

#define SEARCHES 50

/* p95 within 40 ms, which four servers keep up to 294 requests per second. */
static double search_once(uint64_t run, double truth, size_t *probes, bool *is_confirmed)
{
	static const double hints[] = { 0.3, 0.5, 0.8, 1.7, 4 };
	struct search_config config = {
		.start = truth * hints[run % 5], .min = 1, .max = 10000, .tolerance = 0.04
	};
	struct search s;
	struct search_probe p;
	struct rng rng;

	rng_init(&rng, 6, run);
	search_init(&s, &config);
	while (search_next(&s, &p)) {
		struct interval excess =
			measure_p95_us(p.load, p.is_confirmation ? 900 : 300, &rng, true);

		excess.value /= 40e3;
		excess.low /= 40e3;
		excess.high /= 40e3;
		search_tell(&s, &excess);
	}
	*probes = s.count;
	*is_confirmed = s.end == SEARCH_CONFIRMED;
	return search_limit(&s).value;
}

static void a_limit_within_5_percent_takes_at_most_10_probes(void **state)
{
	double truth = sim_limit(&service, 0.95, 0.040);
	size_t close = 0, confirmed = 0, all_probes = 0;

	(void)state;
	for (uint64_t run = 0; run < SEARCHES; run++) {
		size_t probes;
		bool is_confirmed;

		close += is_near(search_once(run, truth, &probes, &is_confirmed), truth, 0.05);
		confirmed += is_confirmed;
		all_probes += probes;
		assert_true(probes <= SEARCH_PROBES);
	}
	print_message("[          ] limit within 5 %%: %zu of %d, confirmed %zu, %.1f probes\n",
		      close, SEARCHES, confirmed, (double)all_probes / SEARCHES);
	assert_true(close >= hits_min(SEARCHES));
	assert_true(confirmed >= SEARCHES * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(throughput_under_full_load_is_the_capacity),
		cmocka_unit_test(the_interactive_law_holds_and_lost_users_break_it),
		cmocka_unit_test(a_restless_queue_is_steady_and_one_that_grows_is_not),
		cmocka_unit_test(a_queues_percentile_is_in_its_interval_if_dependence_counts),
		cmocka_unit_test(coefficients_peak_and_knee_are_in_their_intervals),
		cmocka_unit_test(a_limit_within_5_percent_takes_at_most_10_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
