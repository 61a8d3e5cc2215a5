/* SPDX-License-Identifier: MIT
 *
 * When a user's next task begins, and which; no clock, no thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Its statics are what is tested. */
#include "user/user.c"

static struct loop loop;
static struct user_place place = { .loop = &loop };

static void no_task(struct cic_user *u)
{
	(void)u;
}

static struct cic_user user_of(struct user_kind *kind, uint64_t stream)
{
	struct cic_user u = { .place = &place, .kind = kind };

	rng_init(&u.rng, 1, stream);
	return u;
}

static void constant_and_no_wait(void **state)
{
	struct cic_user_class class = { .wait = CIC_CONSTANT(1.5) };
	struct user_kind kind = { .class = &class, .wait = class.wait };
	struct cic_user u = user_of(&kind, 0);

	(void)state;
	loop.now_us = 1000;
	assert_int_equal(next_task_us(&u), 1501000);
	kind.wait = (struct cic_wait){ 0 };
	assert_int_equal(next_task_us(&u), 1000);
}

static void between_is_uniform(void **state)
{
	const struct cic_user_class class = { .wait = CIC_BETWEEN(1, 2) };
	struct user_kind kind = { .class = &class, .wait = class.wait };
	struct cic_user u = user_of(&kind, 0);
	unsigned tenths[10] = { 0 };

	(void)state;
	loop.now_us = 5 * CLOCK_S;
	for (int i = 0; i < 10000; i++) {
		uint64_t wait_us = next_task_us(&u) - loop.now_us;

		assert_in_range(wait_us, CLOCK_S, 2 * CLOCK_S - 1);
		tenths[(wait_us - CLOCK_S) / (CLOCK_S / 10)]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 850, 1150);
}

static void pacing_keeps_its_grid(void **state)
{
	const struct cic_user_class class = { .wait = CIC_CONSTANT_THROUGHPUT(2) };
	struct user_kind kind = { .class = &class, .wait = class.wait };
	struct cic_user u = user_of(&kind, 0);

	(void)state;
	u.paced_us = 1000000;
	loop.now_us = 1000100; /* the task took 100 us */
	assert_int_equal(next_task_us(&u), 1500000);
	loop.now_us = 1500300; /* began late: the grid stays */
	assert_int_equal(next_task_us(&u), 2000000);
	loop.now_us = 2700000; /* took too long: at once, and a new grid */
	assert_int_equal(next_task_us(&u), 2700000);
	assert_int_equal(u.meant_us, 2500000); /* so late it is: 200 ms */
	loop.now_us = 2700001;
	assert_int_equal(next_task_us(&u), 3200000);
	assert_int_equal(u.meant_us, 3200000);
}

static void lateness_is_against_the_clock(void **state)
{
	struct cic_user_class class = { .wait = CIC_CONSTANT_PACING(1) };
	struct user_kind kind = { .class = &class, .wait = class.wait };
	struct cic_user u = user_of(&kind, 0);

	(void)state;
	loop.now_us = 1; /* stood still */
	u.meant_us = clock_us() - 5000;
	note_lateness(&u);
	assert_true(u.is_scheduled);
	assert_true(u.late_us >= 5000);
	u.meant_us = clock_us() + CLOCK_S; /* early by a timer's grain: not late */
	note_lateness(&u);
	assert_int_equal(u.late_us, 0);
	u = user_of(&kind, 0);
	kind.wait = (struct cic_wait)CIC_CONSTANT(1);
	note_lateness(&u);
	assert_false(u.is_scheduled);
}

static void tasks_by_weight(void **state)
{
	const struct cic_user_class class = { .tasks = CIC_TASKS({ no_task, 0.5 }, { no_task, 1.5 },
								 { no_task, 8 }) };
	double below[] = { 0.5, 2, 10 };
	struct user_kind kind = {
		.class = &class, .weights_below = below, .task_count = 3, .last_task = 2
	};
	struct cic_user u = user_of(&kind, 3);
	unsigned drawn[3] = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		drawn[draw_task(&u) - class.tasks]++;
	assert_in_range(drawn[0], 4600, 5400);
	assert_in_range(drawn[1], 14400, 15600);
	assert_in_range(drawn[2], 79300, 80700);
}

static void seconds_of_any_kind(void **state)
{
	(void)state;
	assert_int_equal(user_seconds_us(0.25), 250000);
	assert_int_equal(user_seconds_us(0), 0);
	assert_int_equal(user_seconds_us(-1), 0);
	assert_int_equal(user_seconds_us(__builtin_nan("")), 0);
	assert_int_equal(user_seconds_us(__builtin_inf()),
			 (uint64_t)(LIMIT_WAIT_S * (double)CLOCK_S));
}

/* What lets one machine hold hundreds of thousands of users. */
static void a_waiting_user_is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct cic_user) <= 320);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constant_and_no_wait),
		cmocka_unit_test(between_is_uniform),
		cmocka_unit_test(pacing_keeps_its_grid),
		cmocka_unit_test(tasks_by_weight),
		cmocka_unit_test(lateness_is_against_the_clock),
		cmocka_unit_test(seconds_of_any_kind),
		cmocka_unit_test(a_waiting_user_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
