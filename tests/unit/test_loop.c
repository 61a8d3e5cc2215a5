/* SPDX-License-Identifier: MIT
 *
 * loop, fiber, mailbox: timers in order, stacks that survive suspension, messages between
 * threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "loop/fiber.h"
#include "loop/loop.h"
#include "loop/mailbox.h"

struct alarm_clock {
	struct loop *loop;
	struct loop_timer timer;
	uint64_t due_us;
	int *order, expected;
};

static void on_alarm(void *arg)
{
	struct alarm_clock *a = arg;

	assert_true(clock_us() >= a->due_us);
	assert_int_equal((*a->order)++, a->expected);
	if (a->expected == 2)
		loop_stop(a->loop);
}

static void timers_fire_in_order_and_never_early(void **state)
{
	static const struct {
		uint64_t after_us;
		int expected;
	} plan[] = { { 3000, 2 }, { 700, 0 }, { 1500, 1 } };
	const uint64_t start_us = clock_us();
	struct alarm_clock alarms[3];
	struct loop loop;
	int order = 0;

	(void)state;
	assert_int_equal(loop_init(&loop, NULL), OK);
	for (int i = 0; i < 3; i++) {
		alarms[i] = (struct alarm_clock){ .loop = &loop,
						  .due_us = start_us + plan[i].after_us,
						  .order = &order,
						  .expected = plan[i].expected };
		loop_timer_init(&alarms[i].timer, on_alarm, &alarms[i]);
		loop_timer_set(&loop, &alarms[i].timer, alarms[i].due_us);
	}
	loop_run(&loop);
	assert_int_equal(order, 3);
	loop_fini(&loop);
}

struct count {
	int steps, rounds;
	double sum;
};

static double deep(int n)
{
	char text[64];

	/* Floating point and libc on the fiber's own stack. */
	snprintf(text, sizeof(text), "%.3f", n / 3.0);
	return n ? deep(n - 1) + text[0] : 0;
}

static void count_up(void *arg)
{
	struct count *c = arg;
	double local = 0.5;

	for (int i = 0; i < c->rounds; i++) {
		c->steps++;
		local += deep(5);
		fiber_suspend();
	}
	c->sum = local;
	if (c->rounds == 3)
		fiber_exit();
}

static void trim(struct fiber_pool *pool)
{
	fiber_pool_trim(pool);
	while (fiber_pool_drop(pool))
		;
}

static void fibers_keep_their_stacks_while_suspended(void **state)
{
	enum { FIBERS = 50 };
	struct fiber_pool pool;
	struct fiber *fibers[FIBERS];
	struct count counts[FIBERS] = { { 0 } };

	(void)state;
	fiber_pool_init(&pool);
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < FIBERS; i++) {
			counts[i] = (struct count){ .rounds = i % 5 };
			assert_int_equal(fiber_start(&pool, count_up, &counts[i], &fibers[i]), OK);
			assert_true((fibers[i] == NULL) == (i % 5 == 0));
		}
		for (int round = 1; round < 5; round++)
			for (int i = 0; i < FIBERS; i++)
				if (counts[i].rounds >= round)
					fiber_resume(fibers[i]);
		assert_int_equal(pool.live, 0);
		for (int i = 0; i < FIBERS; i++) {
			assert_int_equal(counts[i].steps, counts[i].rounds);
			assert_true(counts[i].sum == 0.5 + counts[i].rounds * deep(5));
		}
	}
	assert_int_equal(pool.made, FIBERS - FIBERS / 5); /* those that end at once reuse one */
	assert_null(fiber_current());
	/* All were needed since the last trim, then none, then half of them. */
	trim(&pool);
	assert_int_equal(pool.made, FIBERS - FIBERS / 5);
	trim(&pool);
	assert_int_equal(pool.made, FIBERS - FIBERS / 5 - 20);
	for (int i = 0; i < 10; i++) {
		counts[i] = (struct count){ .rounds = 1 };
		assert_int_equal(fiber_start(&pool, count_up, &counts[i], &fibers[i]), OK);
	}
	for (int i = 0; i < 10; i++)
		fiber_resume(fibers[i]);
	trim(&pool);
	assert_int_equal(pool.made, FIBERS - FIBERS / 5 - 25);
	fiber_pool_fini(&pool);
}

#define MESSAGES 2000

struct letter {
	struct mail mail;
	int number;
};

struct inbox {
	struct loop loop;
	struct mailbox mailbox;
	int next;
};

static void on_letter(void *arg, struct mail *mail)
{
	struct letter *letter = (struct letter *)mail;
	struct inbox *inbox = arg;

	assert_int_equal(letter->number, inbox->next++);
	if (inbox->next == MESSAGES)
		loop_stop(&inbox->loop);
	mem_free(letter);
}

static void *post_all(void *arg)
{
	struct inbox *inbox = arg;

	for (int i = 0; i < MESSAGES; i++) {
		struct letter *letter = mem_alloc(sizeof(*letter));

		letter->number = i;
		mailbox_post(&inbox->mailbox, &letter->mail);
	}
	return NULL;
}

static void messages_arrive_once_and_in_order(void **state)
{
	struct inbox inbox = { .next = 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(loop_init(&inbox.loop, NULL), OK);
	assert_int_equal(mailbox_open(&inbox.mailbox, &inbox.loop, on_letter, &inbox, NULL), OK);
	pthread_create(&thread, NULL, post_all, &inbox);
	loop_run(&inbox.loop);
	pthread_join(thread, NULL);
	mailbox_close(&inbox.mailbox);
	loop_fini(&inbox.loop);
	assert_int_equal(inbox.next, MESSAGES);
}

/* Two timers of one loop that was kept busy past the time of both. */
struct late_timer {
	struct loop loop;
	struct loop_timer first, second;
	uint64_t first_lag_us, second_lag_us;
};

static void on_first(void *arg)
{
	struct late_timer *t = arg;

	t->first_lag_us = loop_timer_lag_us(&t->loop);
}

static void on_second(void *arg)
{
	struct late_timer *t = arg;

	t->second_lag_us = loop_timer_lag_us(&t->loop);
	loop_stop(&t->loop);
}

static void a_timer_knows_how_late_it_is(void **state)
{
	struct late_timer t = { .first_lag_us = 0 };
	uint64_t start_us;

	(void)state;
	assert_int_equal(loop_init(&t.loop, NULL), OK);
	start_us = loop_now(&t.loop);
	loop_timer_init(&t.first, on_first, &t);
	loop_timer_init(&t.second, on_second, &t);
	loop_timer_set(&t.loop, &t.first, start_us + 1000);
	loop_timer_set(&t.loop, &t.second, start_us + 5000);
	clock_sleep_us(30 * CLOCK_MS);
	loop_run(&t.loop);
	assert_int_equal(t.first_lag_us, t.second_lag_us + 4000);
	assert_true(t.second_lag_us >= 25 * CLOCK_MS);
	assert_true(t.second_lag_us <= clock_us() - start_us - 5000);
	loop_fini(&t.loop);
}

static void on_number(void *arg)
{
	++*(int *)arg;
}

/* For a thread that waits elsewhere. */
static void single_turns_never_wait(void **state)
{
	struct loop loop;
	struct loop_timer soon, later;
	int fired = 0;

	(void)state;
	assert_int_equal(loop_init(&loop, NULL), OK);
	assert_true(loop_due_us(&loop) == UINT64_MAX);
	loop_timer_init(&soon, on_number, &fired);
	loop_timer_init(&later, on_number, &fired);
	loop_timer_set(&loop, &soon, loop_now(&loop) + 1000);
	loop_timer_set(&loop, &later, loop_now(&loop) + 3600 * CLOCK_S);
	assert_true(loop_due_us(&loop) == loop_now(&loop) + 1000);
	while (clock_us() < loop_due_us(&loop))
		clock_sleep_us(500);
	loop_refresh(&loop);
	assert_true(loop_now(&loop) >= loop_due_us(&loop));
	loop_turn(&loop);
	assert_int_equal(fired, 1);
	loop_turn(&loop); /* would be an hour */
	assert_int_equal(fired, 1);
	loop_timer_clear(&loop, &later);
	loop_fini(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_and_never_early),
		cmocka_unit_test(a_timer_knows_how_late_it_is),
		cmocka_unit_test(single_turns_never_wait),
		cmocka_unit_test(fibers_keep_their_stacks_while_suspended),
		cmocka_unit_test(messages_arrive_once_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
