/* SPDX-License-Identifier: MIT
 *
 * dispatch: the order of classes, the spread over workers and the timing of Locust 2.46, by
 * vectors that its own dispatcher produced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "user/dispatch.h"

static const char *const one_worker[] = { "w1" };
static const char *const two_workers[] = { "w1", "w2" };
static const char *const three_workers[] = { "w1", "w2", "w3" };

struct order_case {
	struct dispatch_class classes[4];
	size_t class_count;
	const char *order;
};

static const struct order_case orders[] = {
	{ { { "A", 5, 0 }, { "B", 1, 0 } }, 2, "AABAAAAABAAAAABAAAAABAAA" },
	{ { { "B", 1, 0 }, { "A", 5, 0 } }, 2, "AABAAAAABAAAAABAAAAABAAA" },
	{ { { "A", 1, 0 }, { "B", 1, 0 }, { "C", 1, 0 } }, 3, "ABCABCABC" },
	{ { { "A", 2, 0 }, { "B", 5, 0 }, { "C", 6, 0 } }, 3, "CBACBCBCBACBCCBACBCBCBACBC" },
	{ { { "A", 1.5, 0 }, { "B", 2, 0 }, { "C", 2.4, 0 } }, 3, "CBACBACBCABCBCACBACBCABC" },
	{ { { "A", 1, 2 }, { "B", 3, 0 }, { "C", 1, 0 } }, 3, "AABCBBBCBBBCBBBC" },
	{ { { "A", 1, 3 }, { "B", 1, 1 }, { "C", 2, 0 }, { "D", 1, 0 } }, 4, "ABAACDCCDCCDCCDC" },
	{ { { "A", 10, 0 }, { "B", 1, 0 } }, 2, "AAAABAAAAAAAAAAABAAAAAAA" },
	{ { { "A", 1, 0 }, { "B", 100, 0 } }, 2, "BBBBBBBBBBBBBBBBBBBBBBBB" },
	{ { { "A", 0.5, 0 }, { "B", 0.25, 0 } }, 2, "ABAABAABAABA" },
	{ { { "A", 1, 2 }, { "B", 1, 4 } }, 2, "BABBAB" },
};

static void classes_come_in_locusts_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		const struct order_case *c = &orders[i];
		struct dispatch *d = dispatch_create(c->classes, c->class_count, PICKER_BY_GAIN);
		uint64_t before[4] = { 0 }, now_us = 0;
		char order[32] = "";

		dispatch_set_workers(d, one_worker, 1, 0);
		dispatch_begin(d, strlen(c->order), 1, 0);
		while (dispatch_due_us(d) != UINT64_MAX) {
			now_us = dispatch_due_us(d);
			assert_true(dispatch_step(d, now_us));
			for (size_t k = 0; k < c->class_count; k++)
				if (dispatch_users(d, "w1", k) > before[k]) {
					order[strlen(order)] = c->classes[k].name[0];
					before[k]++;
				}
		}
		assert_string_equal(order, c->order);
		dispatch_destroy(&d);
	}
}

/* Each worker's counts in the order asked, "A,B;A,B". */
static void expect_counts(struct dispatch *d, const char *const *ids, size_t workers,
			  size_t classes, const char *wanted)
{
	char got[128] = "";

	for (size_t w = 0; w < workers; w++)
		for (size_t c = 0; c < classes; c++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%llu",
				 c   ? ","
				 : w ? ";"
				     : "",
				 (unsigned long long)dispatch_users(d, ids[w], c));
	assert_string_equal(got, wanted);
}

static void ramp(struct dispatch *d, uint64_t users, double rate)
{
	dispatch_begin(d, users, rate, 0);
	while (dispatch_due_us(d) != UINT64_MAX)
		assert_true(dispatch_step(d, dispatch_due_us(d)));
}

static void workers_take_turns_one_of_each_host_first(void **state)
{
	static const char *const ids[] = { "hostb_1", "hosta_1", "hosta_2" };
	const struct dispatch_class a = { "A", 1, 0 };
	struct dispatch *d = dispatch_create(&a, 1, PICKER_BY_GAIN);

	(void)state;
	dispatch_set_workers(d, ids, 3, 0);
	dispatch_begin(d, 7, 3, 5 * CLOCK_S);
	assert_true(dispatch_due_us(d) == 5 * CLOCK_S);
	assert_false(dispatch_step(d, 5 * CLOCK_S - 1));
	assert_true(dispatch_step(d, 5 * CLOCK_S));
	expect_counts(d, ids, 3, 1, "1;1;1");
	assert_true(dispatch_due_us(d) == 6 * CLOCK_S);
	assert_true(dispatch_step(d, 6 * CLOCK_S));
	expect_counts(d, ids, 3, 1, "2;2;2");
	assert_true(dispatch_step(d, 7 * CLOCK_S));
	expect_counts(d, ids, 3, 1, "2;3;2");
	assert_true(dispatch_due_us(d) == UINT64_MAX);
	assert_false(dispatch_step(d, 99 * CLOCK_S));
	assert_int_equal(dispatch_users(d, "nobody", 0), 0);
	dispatch_destroy(&d);
}

static void rates_with_a_fraction_stretch_the_pause(void **state)
{
	const struct dispatch_class a = { "A", 1, 0 };
	struct dispatch *d = dispatch_create(&a, 1, PICKER_BY_GAIN);

	(void)state;
	dispatch_set_workers(d, one_worker, 1, 0);
	dispatch_begin(d, 3, 0.5, 0);
	assert_true(dispatch_step(d, 0));
	assert_int_equal(dispatch_total(d), 1);
	assert_true(dispatch_due_us(d) == 2 * CLOCK_S);
	dispatch_begin(d, 6, 2.5, 10 * CLOCK_S);
	assert_true(dispatch_step(d, 10 * CLOCK_S));
	assert_int_equal(dispatch_total(d), 3);
	assert_true(dispatch_due_us(d) == 10 * CLOCK_S + 800 * CLOCK_MS);
	dispatch_destroy(&d);
}

static void users_leave_in_reverse_order_and_the_turn_goes_on(void **state)
{
	const struct dispatch_class classes[] = { { "A", 3, 0 }, { "B", 1, 0 } };
	struct dispatch *d = dispatch_create(classes, 2, PICKER_BY_GAIN);

	(void)state;
	dispatch_set_workers(d, two_workers, 2, 0);
	ramp(d, 8, 4);
	expect_counts(d, two_workers, 2, 2, "4,0;2,2");
	dispatch_begin(d, 3, 2, 0);
	assert_true(dispatch_step(d, 0));
	expect_counts(d, two_workers, 2, 2, "3,0;1,2");
	ramp(d, 3, 2);
	expect_counts(d, two_workers, 2, 2, "2,0;0,1");
	ramp(d, 10, 10);
	expect_counts(d, two_workers, 2, 2, "6,0;1,3");
	/* The present number again: one step that repeats it. */
	dispatch_begin(d, 10, 10, 0);
	assert_true(dispatch_step(d, 0));
	assert_true(dispatch_due_us(d) == UINT64_MAX);
	expect_counts(d, two_workers, 2, 2, "6,0;1,3");
	ramp(d, 0, 100);
	expect_counts(d, two_workers, 2, 2, "0,0;0,0");
	dispatch_destroy(&d);
}

/* Locust 2.12 itself loops for ever when it is to refill some of them. */
static void refill_fixed(enum picker_order order)
{
	const struct dispatch_class classes[] = { { "A", 1, 2 }, { "B", 1, 0 }, { "C", 1, 0 } };
	const struct dispatch_class only_fixed[] = { { "A", 1, 2 }, { "B", 1, 1 } };
	struct dispatch *d = dispatch_create(classes, 3, order);

	dispatch_set_workers(d, two_workers, 2, 0);
	ramp(d, 6, 2);
	expect_counts(d, two_workers, 2, 3, "1,2,0;1,0,2");
	ramp(d, 2, 2);
	expect_counts(d, two_workers, 2, 3, "1,0,0;1,0,0");
	ramp(d, 8, 8);
	expect_counts(d, two_workers, 2, 3, "1,3,0;1,0,3");
	ramp(d, 0, 8);
	ramp(d, 2, 8);
	expect_counts(d, two_workers, 2, 3, "1,0,0;1,0,0");
	dispatch_destroy(&d);

	d = dispatch_create(only_fixed, 2, order);
	dispatch_set_workers(d, two_workers, 2, 0);
	ramp(d, 10, 5);
	expect_counts(d, two_workers, 2, 2, "2,0;0,1");
	assert_int_equal(dispatch_target(d), 10);
	dispatch_destroy(&d);
}

static void fixed_classes_come_first_and_are_refilled(void **state)
{
	(void)state;
	refill_fixed(PICKER_BY_GAIN);
	refill_fixed(PICKER_ROUND_ROBIN);
}

static void who_is_left_by_others_keeps_its_turn(void **state)
{
	static const char *const ids[] = { "hosta_1", "hosta_2", "hostb_1" };
	const struct dispatch_class a = { "A", 1, 0 };
	struct dispatch *d = dispatch_create(&a, 1, PICKER_BY_GAIN);

	(void)state;
	dispatch_set_workers(d, ids, 3, 0);
	ramp(d, 3, 3);
	dispatch_set_workers(d, ids + 1, 2, 0);
	expect_counts(d, ids, 3, 1, "0;1;2");
	dispatch_set_workers(d, ids, 3, 0);
	dispatch_set_workers(d, ids, 2, 0);
	expect_counts(d, ids, 3, 1, "2;1;0");
	dispatch_destroy(&d);
}

static void a_join_or_a_loss_spreads_the_users_anew(void **state)
{
	const struct dispatch_class classes[] = { { "A", 1, 0 }, { "B", 1, 0 } };
	static const char *const rest[] = { "w1", "w3" };
	struct dispatch *d = dispatch_create(classes, 2, PICKER_BY_GAIN);

	(void)state;
	dispatch_set_workers(d, two_workers, 2, 0);
	assert_true(dispatch_due_us(d) == UINT64_MAX);
	ramp(d, 6, 6);
	expect_counts(d, two_workers, 2, 2, "3,0;0,3");
	dispatch_set_workers(d, three_workers, 3, 50);
	assert_true(dispatch_due_us(d) == 50);
	assert_true(dispatch_step(d, 50));
	assert_true(dispatch_due_us(d) == UINT64_MAX);
	expect_counts(d, three_workers, 3, 2, "1,1;1,1;1,1");
	dispatch_set_workers(d, rest, 2, 60);
	assert_true(dispatch_step(d, 60));
	expect_counts(d, three_workers, 3, 2, "3,0;0,0;0,3");
	dispatch_destroy(&d);
}

static void a_join_in_the_middle_of_a_ramp_keeps_its_pace(void **state)
{
	const struct dispatch_class a = { "A", 1, 0 };
	struct dispatch *d = dispatch_create(&a, 1, PICKER_BY_GAIN);

	(void)state;
	dispatch_set_workers(d, two_workers, 2, 0);
	dispatch_begin(d, 8, 2, 0);
	assert_true(dispatch_step(d, 0));
	assert_true(dispatch_step(d, 1 * CLOCK_S));
	expect_counts(d, three_workers, 3, 1, "2;2;0");
	dispatch_set_workers(d, three_workers, 3, 1200 * CLOCK_MS);
	assert_true(dispatch_step(d, 1200 * CLOCK_MS));
	expect_counts(d, three_workers, 3, 1, "2;1;1");
	assert_true(dispatch_due_us(d) == 2 * CLOCK_S);
	assert_true(dispatch_step(d, 2 * CLOCK_S));
	expect_counts(d, three_workers, 3, 1, "2;2;2");
	assert_true(dispatch_step(d, 3 * CLOCK_S));
	expect_counts(d, three_workers, 3, 1, "3;3;2");
	assert_true(dispatch_due_us(d) == UINT64_MAX);
	dispatch_destroy(&d);
}

static void a_ramp_without_workers_ends_and_users_of_the_lost_are_gone(void **state)
{
	const struct dispatch_class a = { "A", 1, 0 };
	struct dispatch *d = dispatch_create(&a, 1, PICKER_BY_GAIN);

	(void)state;
	ramp(d, 5, 5);
	assert_int_equal(dispatch_total(d), 0);
	dispatch_set_workers(d, one_worker, 1, 0);
	ramp(d, 5, 5);
	assert_int_equal(dispatch_total(d), 5);
	dispatch_set_workers(d, NULL, 0, 0);
	assert_true(dispatch_step(d, 0));
	assert_int_equal(dispatch_total(d), 0);
	dispatch_destroy(&d);
}

static void a_hundred_thousand_users_over_a_hundred_workers_are_quick(void **state)
{
	struct dispatch_class classes[20];
	char names[20][8], ids[100][16];
	const char *id[100];
	struct dispatch *d;
	uint64_t started_us = clock_us(), total = 0;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		snprintf(names[i], sizeof(names[i]), "c%02zu", i);
		classes[i] = (struct dispatch_class){ names[i], 1 + (double)i, 0 };
	}
	for (size_t i = 0; i < 100; i++) {
		snprintf(ids[i], sizeof(ids[i]), "h%zu_%zu", i % 7, i);
		id[i] = ids[i];
	}
	d = dispatch_create(classes, 20, PICKER_BY_GAIN);
	dispatch_set_workers(d, id, 100, 0);
	ramp(d, 100000, 1e9);
	for (size_t w = 0; w < 100; w++) {
		uint64_t mine = 0;

		for (size_t c = 0; c < 20; c++)
			mine += dispatch_users(d, id[w], c);
		assert_int_equal(mine, 1000);
		total += mine;
	}
	assert_int_equal(total, 100000);
	/* Takes about 10 ms; the bound only tells linear from quadratic. */
	assert_true(clock_us() - started_us < 2 * CLOCK_S);
	dispatch_destroy(&d);
}

static void run_ramp(struct dispatch *d, uint64_t users)
{
	dispatch_begin(d, users, 1000, 0);
	while (dispatch_due_us(d) != UINT64_MAX)
		assert_true(dispatch_step(d, dispatch_due_us(d)));
}

static void a_share_counts_from_the_next_increase(void **state)
{
	static const struct dispatch_class classes[] = { { "A", 1, 0 }, { "B", 1, 0 } };
	struct dispatch *d = dispatch_create(classes, 2, PICKER_BY_GAIN);

	(void)state;
	dispatch_set_workers(d, one_worker, 1, 0);
	run_ramp(d, 10);
	assert_int_equal(dispatch_users(d, "w1", 1), 5);
	dispatch_set_class(d, 1, 4, 0);
	assert_int_equal(dispatch_due_us(d), UINT64_MAX);
	run_ramp(d, 20); /* ten more at 1 : 4 */
	assert_int_equal(dispatch_users(d, "w1", 0), 7);
	assert_int_equal(dispatch_users(d, "w1", 1), 13);
	dispatch_set_class(d, 0, 1, 12);
	run_ramp(d, 26); /* five that are missing, then by weight */
	assert_int_equal(dispatch_users(d, "w1", 0), 12);
	assert_int_equal(dispatch_users(d, "w1", 1), 14);
	dispatch_set_class(d, 1, 0, 0);
	dispatch_set_class(d, 0, 1, 0);
	run_ramp(d, 30); /* none of weight 0 */
	assert_int_equal(dispatch_users(d, "w1", 0), 16);
	dispatch_destroy(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_counts_from_the_next_increase),
		cmocka_unit_test(classes_come_in_locusts_order),
		cmocka_unit_test(workers_take_turns_one_of_each_host_first),
		cmocka_unit_test(rates_with_a_fraction_stretch_the_pause),
		cmocka_unit_test(users_leave_in_reverse_order_and_the_turn_goes_on),
		cmocka_unit_test(fixed_classes_come_first_and_are_refilled),
		cmocka_unit_test(who_is_left_by_others_keeps_its_turn),
		cmocka_unit_test(a_join_or_a_loss_spreads_the_users_anew),
		cmocka_unit_test(a_join_in_the_middle_of_a_ramp_keeps_its_pace),
		cmocka_unit_test(a_ramp_without_workers_ends_and_users_of_the_lost_are_gone),
		cmocka_unit_test(a_hundred_thousand_users_over_a_hundred_workers_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
