/* SPDX-License-Identifier: MIT
 *
 * search: every way it can go, on services whose limit is known and exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capacity/search.h"
#include "near.h"

typedef double (*excess_fn)(double load);

static struct interval exactly(double excess)
{
	return (struct interval){ excess, excess, excess };
}

/* Response time of one server in an open queue: its limit is at 900. */
static double queue(double load)
{
	return load < 1000 ? 100 / (1000 - load) : 1e6;
}

/* No failures up to 137, then nothing but. */
static double cliff(double load)
{
	return load <= 137 ? 0 : 500;
}

/* Closed loop: flat, then in proportion to the users. Limit 640. */
static double closed(double load)
{
	return fmax(0.2, (load - 400) / 240);
}

static struct search run(excess_fn excess, struct search_config config)
{
	struct search s;
	struct search_probe p;

	search_init(&s, &config);
	while (search_next(&s, &p)) {
		struct interval e = exactly(excess(p.load));

		assert_true(p.load >= config.min && p.load <= config.max);
		assert_true(!config.is_whole || p.load == floor(p.load));
		search_tell(&s, &e);
	}
	assert_true(s.count <= SEARCH_PROBES);
	return s;
}

static void a_limit_is_found_from_hints_of_all_kinds(void **state)
{
	static const struct {
		excess_fn excess;
		double limit;
	} services[] = { { queue, 900 }, { closed, 640 } };
	static const double hints[] = { 0.25, 0.4, 0.5, 0.9, 0.999, 1, 1.001, 1.3, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < sizeof(hints) / sizeof(hints[0]); k++) {
			double truth = services[i].limit;
			struct search s = run(services[i].excess,
					      (struct search_config){ .start = hints[k] * truth,
								      .min = 1,
								      .max = 10000,
								      .tolerance = 0.04,
								      .is_whole = false });
			struct interval limit = search_limit(&s);

			assert_int_equal(s.end, SEARCH_CONFIRMED);
			assert_true(limit.value <= truth && limit.value >= truth * 0.96);
			assert_true(limit.high > truth && limit.high <= limit.value * 1.0401);
		}
}

static void users_are_whole(void **state)
{
	struct search s = run(cliff, (struct search_config){ 64, 1, 1000, 0.02, true });
	struct search few = run(cliff, (struct search_config){ 130, 1, 1000, 0.0001, true });

	(void)state;
	assert_int_equal(s.end, SEARCH_CONFIRMED);
	assert_true(s.pass >= 135 && s.pass <= 137);
	/* One user more is as fine as it gets, whatever the tolerance. */
	assert_int_equal(few.end, SEARCH_CONFIRMED);
	assert_true(few.pass == 137 && few.fail == 138);
}

static void the_ends_of_the_range_are_answers(void **state)
{
	struct search above = run(cliff, (struct search_config){ 20, 1, 100, 0.05, true });
	struct search below = run(cliff, (struct search_config){ 800, 200, 1000, 0.05, true });
	struct search single = run(cliff, (struct search_config){ 100, 100, 100, 0.05, true });
	struct interval limit = search_limit(&above);
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(above.end, SEARCH_ABOVE_MAX);
	assert_true(limit.value == 100 && isinf(limit.high));
	assert_true(above.told[above.count - 1].probe.is_confirmation);
	search_say(&above, "users", &out);
	assert_string_equal(out.p, "at least 100 users, the most that was allowed (5 probes)");
	buf_clear(&out);
	assert_int_equal(below.end, SEARCH_BELOW_MIN);
	assert_true(isnan(search_limit(&below).value));
	search_say(&below, "users", &out);
	assert_string_equal(out.p, "not even 200 users keep the objectives");
	assert_int_equal(single.end, SEARCH_ABOVE_MAX);
	buf_fini(&out);
}

static void probes_are_never_more_than_ten(void **state)
{
	struct search low = run(queue, (struct search_config){ 1, 1, 1e9, 0.05, false });
	struct search high = run(cliff, (struct search_config){ 1e9, 1, 1e9, 0.05, true });
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(low.end, SEARCH_UNCONFIRMED);
	assert_int_equal(low.count, SEARCH_PROBES);
	assert_true(search_limit(&low).value == 256 && isinf(search_limit(&low).high));
	search_say(&low, "requests/s", &out);
	assert_string_equal(out.p,
			    "256 requests/s pass, and 10 probes found no limit; begin higher");
	buf_clear(&out);
	assert_int_equal(high.end, SEARCH_UNCONFIRMED);
	assert_true(isnan(search_limit(&high).value));
	search_say(&high, "users", &out);
	assert_non_null(strstr(out.p, "no load passed in 10 probes"));
	buf_fini(&out);
}

static void start(struct search *s)
{
	struct search_config config = { 100, 1, 10000, 0.05, false };

	search_init(s, &config);
}

static void tell(struct search *s, double value, double low, double high)
{
	struct interval excess = { value, low, high };

	search_tell(s, &excess);
}

static void a_failure_at_the_edge_is_repeated_once_and_both_count(void **state)
{
	struct search s;
	struct search_probe p;

	(void)state;
	start(&s);
	tell(&s, 1.1, 0.9, 1.3);
	assert_true(search_next(&s, &p));
	assert_true(p.load == 100 && p.is_repeat);
	tell(&s, 0.8, 0.6, 1.1);
	/* 0.95 together: passed. */
	assert_true(search_next(&s, &p));
	assert_true(p.load == 200 && !p.is_repeat);
	/* Not a second time. */
	tell(&s, 1.1, 0.9, 1.3);
	assert_true(search_next(&s, &p));
	assert_true(p.load < 200 && !p.is_repeat);
	start(&s);
	tell(&s, 1.1, 0.9, 1.2);
	tell(&s, 1.2, 1.1, 1.3);
	assert_true(search_next(&s, &p));
	assert_true(p.load == 50);
	/* Neither far from the edge, nor what passed. */
	start(&s);
	tell(&s, 1.5, 1.2, 1.8);
	assert_true(search_next(&s, &p));
	assert_true(p.load == 50);
	tell(&s, 0.95, 0.8, 1.1);
	assert_true(search_next(&s, &p));
	assert_true(p.load > 50 && !p.is_repeat);
}

static void a_winner_that_is_not_confirmed_steps_back(void **state)
{
	struct search s;
	struct search_probe p;

	(void)state;
	start(&s);
	tell(&s, 0.5, 0.5, 0.5);
	while (search_next(&s, &p) && !p.is_confirmation) {
		double excess = p.load > 130 ? 2 : 0.9;

		tell(&s, excess, excess, excess);
	}
	assert_true(p.is_confirmation && p.load <= 130);
	tell(&s, 1.1, 1.05, 1.15);
	{
		struct search_probe lower;

		assert_true(search_next(&s, &lower));
		assert_true(lower.is_confirmation);
		assert_true(is_near(lower.load, p.load / 1.05, 1e-9));
		tell(&s, 0.9, 0.8, 1.0);
		assert_false(search_next(&s, &p));
		assert_int_equal(s.end, SEARCH_CONFIRMED);
		assert_true(search_limit(&s).value == lower.load);
	}
}

static void what_cannot_be_measured_is_tried_once_more(void **state)
{
	struct search s;
	struct search_probe p;
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	start(&s);
	tell(&s, 1.1, 0.9, 1.3);
	search_tell_void(&s);
	assert_true(search_next(&s, &p));
	assert_true(p.load == 100 && p.is_repeat);
	/* Still the second half of a repeated probe. */
	tell(&s, 0.8, 0.6, 1.1);
	assert_true(search_next(&s, &p));
	assert_true(p.load == 200);
	search_tell_void(&s);
	search_tell_void(&s);
	assert_false(search_next(&s, &p));
	assert_int_equal(s.end, SEARCH_UNMEASURABLE);
	search_say(&s, "users", &out);
	assert_string_equal(out.p, "200 users could not be measured, twice");
	buf_fini(&out);
}

/* As a driver that was killed does: the same from what was told. */
static void a_search_is_made_again_from_what_was_told(void **state)
{
	struct search_config config = { 300, 1, 10000, 0.04, false };
	struct search s = run(queue, config), again;

	(void)state;
	search_init(&again, &config);
	for (size_t i = 0; i < s.count; i++) {
		struct search_probe p;

		assert_true(search_next(&again, &p));
		assert_true(p.load == s.told[i].probe.load);
		search_tell(&again, &s.told[i].excess);
	}
	assert_int_equal(again.end, s.end);
	assert_true(again.pass == s.pass);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_is_found_from_hints_of_all_kinds),
		cmocka_unit_test(users_are_whole),
		cmocka_unit_test(the_ends_of_the_range_are_answers),
		cmocka_unit_test(probes_are_never_more_than_ten),
		cmocka_unit_test(a_failure_at_the_edge_is_repeated_once_and_both_count),
		cmocka_unit_test(a_winner_that_is_not_confirmed_steps_back),
		cmocka_unit_test(what_cannot_be_measured_is_tried_once_more),
		cmocka_unit_test(a_search_is_made_again_from_what_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
