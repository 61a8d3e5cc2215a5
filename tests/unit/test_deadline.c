/* SPDX-License-Identifier: MIT
 *
 * deadline: wherever it is moved to, it fires once, never early, and not at all once lifted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/deadline.h"

#define LONG_US 3600000000u

struct bench {
	struct loop loop;
	struct deadline deadline;
	struct loop_timer end;
	uint64_t began_us, fired_us;
	int fired, again;
};

static void on_deadline(void *arg)
{
	struct bench *b = arg;

	b->fired_us = clock_us();
	b->fired++;
	if (b->again-- > 0)
		deadline_set(&b->deadline, b->fired_us + 1000);
}

static void on_end(void *arg)
{
	loop_stop(&((struct bench *)arg)->loop);
}

static void begin(struct bench *b)
{
	*b = (struct bench){ 0 };
	assert_int_equal(loop_init(&b->loop, NULL), OK);
	deadline_init(&b->deadline, &b->loop, on_deadline, b);
	loop_timer_init(&b->end, on_end, b);
	b->began_us = clock_us();
}

/* Runs the loop until after_us from the beginning. */
static void run(struct bench *b, uint64_t after_us)
{
	loop_timer_set(&b->loop, &b->end, b->began_us + after_us);
	loop_run(&b->loop);
}

static void end(struct bench *b)
{
	deadline_fini(&b->deadline);
	assert_int_equal(loop_due_us(&b->loop), UINT64_MAX);
	loop_fini(&b->loop);
}

static void fires_once_where_it_was_put_last(void **state)
{
	static const uint64_t moves_us[][2] = {
		{ 2000, 2000 }, { 1000, 5000 }, { LONG_US, 2000 }, { 0, 4000 }, { 4000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(moves_us) / sizeof(moves_us[0]); i++) {
		struct bench b;

		begin(&b);
		deadline_set(&b.deadline, b.began_us + moves_us[i][0]);
		deadline_set(&b.deadline, b.began_us + moves_us[i][1]);
		assert_int_equal(b.fired, 0);
		run(&b, 8000);
		assert_int_equal(b.fired, 1);
		assert_true(b.fired_us >= b.began_us + moves_us[i][1]);
		end(&b);
	}
}

/* The first timer is still there and must not be taken for the deadline. */
static void is_put_off_over_and_over(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	for (uint64_t us = 1000; us <= 6000; us += 1000) {
		deadline_set(&b.deadline, b.began_us + LONG_US);
		deadline_set(&b.deadline, b.began_us + us + LONG_US);
		deadline_lift(&b.deadline);
		deadline_set(&b.deadline, clock_us() + LONG_US);
		run(&b, us);
		assert_int_equal(b.fired, 0);
	}
	deadline_set(&b.deadline, b.began_us + 7000);
	run(&b, 9000);
	assert_int_equal(b.fired, 1);
	end(&b);
}

static void does_not_fire_once_lifted(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	deadline_set(&b.deadline, b.began_us + 1000);
	deadline_lift(&b.deadline);
	run(&b, 3000);
	assert_int_equal(b.fired, 0);
	deadline_set(&b.deadline, b.began_us + 4000);
	run(&b, 6000);
	assert_int_equal(b.fired, 1);
	end(&b);
}

static void may_be_set_again_when_it_fires(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	b.again = 2;
	deadline_set(&b.deadline, b.began_us);
	while (b.fired < 3)
		run(&b, clock_us() - b.began_us + 1000);
	run(&b, clock_us() - b.began_us + 2000);
	assert_int_equal(b.fired, 3);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_once_where_it_was_put_last),
		cmocka_unit_test(is_put_off_over_and_over),
		cmocka_unit_test(does_not_fire_once_lifted),
		cmocka_unit_test(may_be_set_again_when_it_fires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
