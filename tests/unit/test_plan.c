/* SPDX-License-Identifier: MIT
 *
 * plan: the order's defaults, the order of scenarios, times, and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "matrix/plan.h"

static void the_defaults_are_the_orders_24_scenarios(void **state)
{
	struct plan plan = plan_defaults();
	struct scenario first, last;
	struct err_text text = { "" };

	(void)state;
	assert_int_equal(plan_check(&plan, &text), OK);
	assert_int_equal(plan_count(&plan), 24);
	first = plan_scenario(&plan, 0);
	last = plan_scenario(&plan, 23);
	assert_int_equal(first.replicas, 1);
	assert_int_equal(first.workers, 4);
	assert_int_equal(first.users, 200);
	assert_int_equal(last.replicas, 8);
	assert_int_equal(last.workers, 8);
	assert_int_equal(last.users, 800);
}

static void users_change_fastest_and_replicas_slowest(void **state)
{
	struct scenario want[] = { { 1, 3, 10, 1 }, { 1, 3, 20, 1 }, { 1, 4, 10, 1 },
				   { 1, 4, 20, 1 }, { 2, 3, 10, 1 }, { 2, 3, 20, 1 },
				   { 2, 4, 10, 1 }, { 2, 4, 20, 1 } };
	struct plan plan = plan_defaults();

	(void)state;
	plan.replicas = (struct opt_counts){ { 1, 2 }, 2 };
	plan.workers = (struct opt_counts){ { 3, 4 }, 2 };
	plan.users = (struct opt_counts){ { 10, 20 }, 2 };
	assert_int_equal(plan_count(&plan), 8);
	for (size_t i = 0; i < 8; i++) {
		struct scenario s = plan_scenario(&plan, i);

		assert_int_equal(s.duration_s, 120);
		assert_int_equal(s.index, i);
		s.duration_s = s.index = 0;
		assert_memory_equal(&s, &want[i], sizeof(s));
	}
}

static void the_ramp_takes_five_percent_or_three_seconds_unless_a_rate_is_given(void **state)
{
	struct plan plan = plan_defaults();

	(void)state;
	assert_true(plan_spawn_rate(&plan, 600) > 99.999 && plan_spawn_rate(&plan, 600) < 100.001);
	plan.duration_s = 6;
	assert_true(plan_spawn_rate(&plan, 600) == 200);
	plan.spawn_rate = 7;
	assert_true(plan_spawn_rate(&plan, 600) == 7);
}

static void the_rest_is_ramps_windows_and_the_rests_between(void **state)
{
	struct plan plan = plan_defaults();
	double whole_s = 24 * 126 + 23 * 15;

	(void)state;
	assert_true(plan_rest_s(&plan, 0) > whole_s - 0.01 &&
		    plan_rest_s(&plan, 0) < whole_s + 0.01);
	assert_true(plan_rest_s(&plan, 23) > 125.99 && plan_rest_s(&plan, 23) < 126.01);
	assert_true(plan_rest_s(&plan, 24) == 0);
}

static void repeats_are_whole_passes(void **state)
{
	struct plan plan = plan_defaults();

	(void)state;
	plan.repeats = 3;
	assert_int_equal(plan_count(&plan), 72);
	for (size_t i = 0; i < 72; i++) {
		struct scenario s = plan_scenario(&plan, i), first = plan_scenario(&plan, i % 24);

		assert_int_equal(s.repeat, i / 24 + 1);
		s.repeat = 1;
		s.index = first.index;
		assert_memory_equal(&s, &first, sizeof(s));
	}
	assert_true(plan_rest_s(&plan, 0) > 72 * 126 + 71 * 15 - 0.01);
}

static size_t place_of(const struct plan *listed, struct scenario s)
{
	size_t i = 0;

	for (s.repeat = 1; i < 24; i++) {
		struct scenario at = plan_scenario(listed, i);

		at.index = s.index;
		if (memcmp(&at, &s, sizeof(s)) == 0)
			break;
	}
	return i;
}

static void a_random_order_has_every_scenario_once_in_each_pass(void **state)
{
	struct plan listed = plan_defaults(), plan = listed, again = listed, other = listed;
	size_t moved = 0, same_in_passes = 0, same_in_seeds = 0;

	(void)state;
	plan.repeats = again.repeats = other.repeats = 2;
	plan_shuffle(&plan, 7);
	plan_shuffle(&again, 7);
	plan_shuffle(&other, 8);
	for (size_t pass = 0; pass < 2; pass++) {
		uint32_t seen = 0;

		for (size_t i = 0; i < 24; i++) {
			size_t at = pass * 24 + i,
			       place = place_of(&listed, plan_scenario(&plan, at));

			assert_int_equal(plan_scenario(&plan, at).repeat, pass + 1);
			assert_int_equal(place, place_of(&listed, plan_scenario(&again, at)));
			seen |= 1u << place;
			moved += place != i;
			same_in_passes +=
				place == place_of(&listed, plan_scenario(&plan, (at + 24) % 48));
			same_in_seeds += place == place_of(&listed, plan_scenario(&other, at));
		}
		assert_int_equal(seen, 0xffffff);
	}
	assert_true(moved > 24 && same_in_passes < 24 && same_in_seeds < 24);
}

static void plans_differ_by_what_changes_their_rows(void **state)
{
	struct plan plans[6];
	struct buf texts[6];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		plans[i] = plan_defaults();
	plans[0].ready_timeout_s = plans[0].retries = plans[0].budget_s = 9;
	plans[2].users.count = 2;
	plans[3].duration_s = 121;
	plans[4].repeats = 2;
	plan_shuffle(&plans[5], 1);
	for (size_t i = 0; i < 6; i++) {
		buf_init(&texts[i], 10000);
		plan_describe(&plans[i], &texts[i]);
		for (size_t k = 0; k < i; k++)
			assert_true((strcmp(texts[i].p, texts[k].p) == 0) == (i == 1));
	}
	for (size_t i = 0; i < 6; i++)
		buf_fini(&texts[i]);
}

static void refuse(const struct plan *plan, const char *option)
{
	struct err_text text = { "" };

	assert_int_equal(plan_check(plan, &text), ERR_BAD_OPTION);
	assert_non_null(strstr(text.text, option));
}

static void a_bad_plan_is_refused_with_the_options_name(void **state)
{
	struct plan plan;

	(void)state;
	plan = plan_defaults();
	plan.replicas.value[1] = 0;
	refuse(&plan, "--replicas: 0 is out of bounds; give 1 to 1000");
	plan = plan_defaults();
	plan.workers.count = 0;
	refuse(&plan, "--workers");
	plan = plan_defaults();
	plan.users.value[2] = 200;
	refuse(&plan, "--users: 200 is there twice");
	plan = plan_defaults();
	plan.duration_s = 0;
	refuse(&plan, "--duration");
	plan = plan_defaults();
	plan.poll_s = 0;
	refuse(&plan, "--poll");
	plan = plan_defaults();
	plan.ready_timeout_s = 0;
	refuse(&plan, "--ready-timeout");
	plan = plan_defaults();
	for (size_t i = 0; i < 40; i++) {
		plan.replicas.value[i] = plan.workers.value[i] = plan.users.value[i] = i + 1;
		plan.replicas.count = plan.workers.count = plan.users.count = i + 1;
	}
	refuse(&plan, "64000 scenarios");
	plan = plan_defaults();
	plan.repeats = 417;
	refuse(&plan, "10008 scenarios");
	plan.repeats = 0;
	refuse(&plan, "--repeats");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_the_orders_24_scenarios),
		cmocka_unit_test(users_change_fastest_and_replicas_slowest),
		cmocka_unit_test(
			the_ramp_takes_five_percent_or_three_seconds_unless_a_rate_is_given),
		cmocka_unit_test(the_rest_is_ramps_windows_and_the_rests_between),
		cmocka_unit_test(repeats_are_whole_passes),
		cmocka_unit_test(a_random_order_has_every_scenario_once_in_each_pass),
		cmocka_unit_test(plans_differ_by_what_changes_their_rows),
		cmocka_unit_test(a_bad_plan_is_refused_with_the_options_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
