/* SPDX-License-Identifier: MIT
 *
 * local: the ramp, the window's edges and the end of a test, over load threads that are
 * played by the test. Its timers are called by hand, at times the test sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "run/local.c"

/* The load as it is played here. */
static struct {
	struct load_options options;
	uint64_t counts[2], foreseen[2];
	char host[64], hosts[2][64];
	unsigned tests, orders, task_orders, collects, is_alive;
	enum err refuses;
} fake;

enum err load_create(struct loop *control, const struct load_options *options, struct load **out,
		     struct err_text *text)
{
	(void)control;
	if (fake.refuses)
		return err_set(text, fake.refuses, "no threads");
	fake.options = *options;
	fake.is_alive = 1;
	*out = (struct load *)&fake;
	return OK;
}

void load_destroy(struct load **l)
{
	if (*l)
		fake.is_alive = 0;
	*l = NULL;
}

void load_set_users(struct load *l, const uint64_t *counts, const char *host, double stop_timeout_s)
{
	(void)l;
	assert_true(stop_timeout_s == 3);
	memcpy(fake.counts, counts, sizeof(fake.counts));
	snprintf(fake.host, sizeof(fake.host), "%s", host ? host : "(null)");
	fake.orders++;
}

void load_foresee(struct load *l, const uint64_t *counts, const char *host)
{
	(void)l;
	(void)host;
	memcpy(fake.foreseen, counts, sizeof(fake.foreseen));
}

void load_begin_test(struct load *l)
{
	(void)l;
	fake.tests++;
}

void load_set_tasks(struct load *l, size_t class_index, const bool *draws)
{
	(void)l;
	assert_int_equal(class_index, 1);
	assert_null(draws);
	fake.task_orders++;
}

void load_set_host(struct load *l, size_t class_index, const char *host)
{
	(void)l;
	snprintf(fake.hosts[class_index], sizeof(fake.hosts[0]), "%s", host);
}

void load_collect(struct load *l)
{
	(void)l;
	fake.collects++;
}

static const struct run_class classes[] = { { .name = "A", .weight = 3 },
					    { .name = "B", .weight = 1 } };
static const struct run_options run_options = { .classes = classes,
						.class_count = 2,
						.stop_timeout_s = 3 };
static struct loop loop;
static struct local *local;
static struct run *run;
static struct err_text text;
static uint64_t begin_us;

static int before(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	assert_int_equal(loop_init(&loop, &text), OK);
	begin_us = loop.now_us;
	assert_int_equal(local_create(&loop,
				      &(struct local_options){ .run = &run_options, .threads = 1 },
				      &local, &text),
			 OK);
	run = local_run(local);
	return 0;
}

static int after(void **state)
{
	(void)state;
	local_destroy(&local);
	assert_false(fake.is_alive);
	loop_fini(&loop);
	return 0;
}

static void at_ms(uint64_t ms)
{
	loop.now_us = begin_us + ms * CLOCK_MS;
	run_tick(run, loop.now_us);
}

static void start(uint64_t users, double rate)
{
	struct run_start wanted = { .user_count = users, .spawn_rate = rate, .host = "http://t" };

	assert_int_equal(run_start(run, &wanted, &text), OK);
}

/* Answers the oldest collect: so many requests, and the users of the last order. */
static void answer(unsigned requests)
{
	struct stats delta;

	assert_true(local->collects_done < fake.collects);
	stats_init(&delta, run_wall_s(run));
	for (unsigned i = 0; i < requests; i++)
		stats_record(&delta,
			     stats_entry(&delta, str_of("GET"), str_of("/"), run_wall_s(run)),
			     &(struct stats_request){ .service_us = 1000, .content_bytes = 1 },
			     run_wall_s(run));
	fake.options.on_delta(fake.options.arg, &delta, fake.counts);
	stats_fini(&delta);
}

static void settle(void)
{
	fake.options.on_settled(fake.options.arg);
}

/* All users run, nothing is owed. */
static void reach_running(void)
{
	start(4, 100);
	settle();
	answer(0);
	assert_int_equal(run->state, RUN_RUNNING);
}

static void test_ramp_takes_its_steps(void **state)
{
	(void)state;
	start(4, 2);
	assert_int_equal(fake.counts[0] + fake.counts[1], 2);
	assert_int_equal(fake.foreseen[0], 3);
	assert_int_equal(fake.foreseen[1], 1);
	assert_string_equal(fake.host, "http://t");
	settle(); /* of a step that is not the last */
	assert_int_equal(fake.collects, 0);
	at_ms(999);
	on_step_timer(local);
	assert_int_equal(fake.orders, 1);
	at_ms(1000);
	on_step_timer(local);
	assert_int_equal(fake.orders, 2);
	assert_int_equal(fake.counts[0], 3);
	assert_int_equal(fake.counts[1], 1);
	assert_int_equal(run->state, RUN_SPAWNING);
	settle();
	assert_int_equal(run->state, RUN_SPAWNING);
	answer(7);
	assert_int_equal(run->state, RUN_RUNNING);
	assert_int_equal(run_user_count(run), 4);
	assert_int_equal(run->stats.total.num_requests, 7);
	assert_int_equal(run->window.total.num_requests, 0);
}

static void test_a_late_turn_orders_once(void **state)
{
	(void)state;
	start(10, 1);
	at_ms(60000);
	on_step_timer(local);
	assert_int_equal(fake.orders, 2);
}

static void test_window_has_what_came_before_the_stop(void **state)
{
	(void)state;
	reach_running();
	at_ms(1000);
	on_collect_timer(local);
	answer(5);
	at_ms(2000);
	on_collect_timer(local); /* not answered yet when stop is asked for */
	assert_int_equal(run_stop(run, NULL, NULL), OK);
	assert_int_equal(fake.collects, 4);
	assert_int_equal(fake.counts[0] + fake.counts[1], 0);
	answer(6);
	answer(7); /* the stop's own */
	settle();
	assert_int_equal(run->state, RUN_STOPPING);
	answer(8);
	assert_int_equal(run->state, RUN_STOPPED);
	assert_int_equal(run->stats.total.num_requests, 26);
	assert_int_equal(run->window.total.num_requests, 18);
	assert_true(run_window_s(run, run->now_us) == 2);
	assert_int_equal(run_user_count(run), 0);
}

static void test_stop_while_the_ramp_ends(void **state)
{
	(void)state;
	start(4, 100);
	settle();
	assert_int_equal(run_stop(run, NULL, NULL), OK);
	answer(1); /* of the ramp's end: too late to run */
	assert_int_equal(run->state, RUN_STOPPING);
	answer(1);
	settle();
	answer(1);
	assert_int_equal(run->state, RUN_STOPPED);
	assert_false(run->has_window);
	assert_int_equal(run->stats.total.num_requests, 3);
}

static void test_change_while_running(void **state)
{
	(void)state;
	reach_running();
	start(8, 100);
	assert_int_equal(run->state, RUN_SPAWNING);
	assert_int_equal(fake.counts[0] + fake.counts[1], 8);
	settle();
	answer(3);
	assert_int_equal(run->state, RUN_RUNNING);
	assert_int_equal(run->window.total.num_requests, 0);
	start(2, 100);
	assert_int_equal(fake.counts[0] + fake.counts[1], 2);
}

static void test_new_share_is_told_at_once(void **state)
{
	const struct run_share share = { .weight = 9 };

	(void)state;
	reach_running();
	assert_int_equal(run_set_share(run, 1, &share, &text), OK);
	assert_int_equal(fake.task_orders, 1);
	assert_int_equal(fake.orders, 1);
	/* Those that run stay; of four more three are of this class. */
	start(8, 100);
	assert_int_equal(fake.counts[0], 4);
	assert_int_equal(fake.counts[1], 4);
}

static void test_a_class_keeps_its_host_until_a_start_names_one(void **state)
{
	struct run_share share = { .weight = 1, .host = "http://own" };
	const struct run_start change = { .user_count = 5, .spawn_rate = 100 };

	(void)state;
	reach_running();
	assert_int_equal(run_set_share(run, 1, &share, &text), OK);
	assert_string_equal(fake.hosts[0], "http://t");
	assert_string_equal(fake.hosts[1], "http://own");
	assert_int_equal(run_start(run, &change, &text), OK);
	assert_string_equal(fake.host, "(null)");
	share.host = NULL;
	assert_int_equal(run_set_share(run, 1, &share, &text), OK);
	assert_string_equal(fake.hosts[1], "http://t");
	share.host = "http://own";
	assert_int_equal(run_set_share(run, 1, &share, &text), OK);
	start(6, 100);
	assert_string_equal(fake.host, "http://t");
}

static void test_second_test_begins_from_nothing(void **state)
{
	(void)state;
	reach_running();
	assert_int_equal(run_stop(run, NULL, NULL), OK);
	answer(1);
	settle();
	answer(0);
	assert_int_equal(run->state, RUN_STOPPED);
	assert_int_equal(fake.tests, 1);
	start(4, 1);
	assert_int_equal(fake.tests, 2);
	assert_int_equal(fake.counts[0] + fake.counts[1], 1);
	assert_int_equal(run->stats.total.num_requests, 0);
}

static void test_threads_that_hang_do_not_hold_the_run(void **state)
{
	(void)state;
	reach_running();
	for (int i = 1; i < 10; i++) {
		at_ms((uint64_t)i * 1000);
		on_collect_timer(local);
	}
	assert_int_equal(fake.collects, 1 + COLLECTS_AHEAD);
	assert_int_equal(run_stop(run, NULL, NULL), OK);
	on_stop_timer(local);
	assert_int_equal(run->state, RUN_STOPPED);
	answer(1); /* when they wake up after all, nothing breaks */
	settle();
	assert_int_equal(run->state, RUN_STOPPED);
}

static void test_run_time_is_kept_between_events(void **state)
{
	struct run_start wanted = { .user_count = 1, .spawn_rate = 1, .run_time_s = 5 };

	(void)state;
	assert_int_equal(run_start(run, &wanted, &text), OK);
	settle();
	answer(0);
	at_ms(4500);
	on_collect_timer(local); /* the next one is due when the run time is over */
	assert_int_equal(heap_first(&loop.timers)->key, begin_us + 5 * CLOCK_S);
	loop.now_us = begin_us + 5 * CLOCK_S;
	on_collect_timer(local);
	assert_int_equal(run->state, RUN_STOPPING);
}

static void test_create_says_what_is_wrong(void **state)
{
	static const struct run_class idle[] = { { .name = "A" } };
	struct run_options options = { .classes = idle,
				       .class_count = 1,
				       .scenario_name = "some.c" };
	struct local_options wanted = { .run = &options, .threads = 1 };
	struct local *none = NULL;

	(void)state;
	assert_int_equal(local_create(&loop, &wanted, &none, &text), ERR_BAD_OPTION);
	assert_non_null(strstr(text.text, "some.c"));
	assert_null(none);
	wanted.run = &run_options;
	fake.refuses = ERR_IO;
	assert_int_equal(local_create(&loop, &wanted, &none, &text), ERR_IO);
	assert_null(none);
	local_destroy(&none);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_ramp_takes_its_steps),
		CASE(test_a_late_turn_orders_once),
		CASE(test_window_has_what_came_before_the_stop),
		CASE(test_stop_while_the_ramp_ends),
		CASE(test_change_while_running),
		CASE(test_new_share_is_told_at_once),
		CASE(test_a_class_keeps_its_host_until_a_start_names_one),
		CASE(test_second_test_begins_from_nothing),
		CASE(test_threads_that_hang_do_not_hold_the_run),
		CASE(test_run_time_is_kept_between_events),
		CASE(test_create_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
