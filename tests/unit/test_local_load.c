/* SPDX-License-Identifier: MIT
 *
 * local over real load threads and sockets: every request the server has seen is in the
 * statistics of the test, once, and the window holds those between its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/local.h"
#include "serve/serve.h"

#define PATIENCE_S 20
#define THREADS	   2

static atomic_uint served;
static struct serve *server;
static struct loop loop;
static struct local *local;
static struct run *run;
static struct err_text text;
static char host[64];

static void reply_ok(void *arg, struct serve_request *r)
{
	(void)arg;
	atomic_fetch_add(&served, 1);
	serve_reply(r, 200, "text/plain", "ok", 2);
}

static void ask(struct cic_user *u)
{
	cic_get(u, "/ok");
}

static const struct cic_user_class often = {
	.abi = CIC_ABI, .name = "Often", .wait = CIC_CONSTANT(0.001), .tasks = CIC_TASKS({ ask, 1 })
};
static const struct cic_user_class seldom = {
	.abi = CIC_ABI, .name = "Seldom", .wait = CIC_CONSTANT(3600), .tasks = CIC_TASKS({ ask, 1 })
};
static const struct cic_user_class *const user_classes[] = { &often, &seldom };
static const struct scenario scenario = { .classes = user_classes, .class_count = 2 };
static const struct run_class classes[] = { { .name = "Often", .weight = 3 },
					    { .name = "Seldom", .weight = 1 } };

static int before(void **state)
{
	static const struct serve_route routes[] = { { "GET", "/ok", reply_ok }, { NULL } };
	struct run_options options = {
		.classes = classes, .class_count = 2, .host = host, .stop_timeout_s = 5
	};

	(void)state;
	atomic_store(&served, 0);
	assert_int_equal(serve_create(&server,
				      &(struct serve_options){
					      .host = "127.0.0.1", .threads = 1, .routes = routes },
				      &text),
			 OK);
	snprintf(host, sizeof(host), "http://127.0.0.1:%u", serve_port(server));
	assert_int_equal(loop_init(&loop, &text), OK);
	assert_int_equal(local_create(&loop,
				      &(struct local_options){ .run = &options,
							       .scenario = &scenario,
							       .threads = THREADS,
							       .seed = 1 },
				      &local, &text),
			 OK);
	run = local_run(local);
	return 0;
}

static int after(void **state)
{
	(void)state;
	local_destroy(&local);
	loop_fini(&loop);
	serve_destroy(&server, CLOCK_S);
	return 0;
}

static void stop_loop(void *arg)
{
	(void)arg;
	loop_stop(&loop);
}

static void turn(uint64_t us)
{
	struct loop_timer timer;

	loop_timer_init(&timer, stop_loop, NULL);
	loop_timer_set(&loop, &timer, clock_us() + us);
	loop_run(&loop);
	run_tick(run, loop_now(&loop));
}

static void turn_until(enum run_state state)
{
	uint64_t end_us = clock_us() + PATIENCE_S * CLOCK_S;

	while (run->state != state) {
		assert_true(clock_us() < end_us);
		turn(5 * CLOCK_MS);
	}
}

static void start(uint64_t users, double rate)
{
	struct run_start wanted = { .user_count = users, .spawn_rate = rate };

	assert_int_equal(run_start(run, &wanted, &text), OK);
}

static void test_every_request_is_counted_once(void **state)
{
	uint64_t at_running;

	(void)state;
	start(8, 40);
	turn_until(RUN_RUNNING);
	assert_int_equal(run_user_count(run), 8);
	assert_int_equal(run->users_per_class[0], 6);
	at_running = run->stats.total.num_requests;
	assert_int_equal(run->window.total.num_requests, 0);
	while (atomic_load(&served) < at_running + 200)
		turn(10 * CLOCK_MS);
	assert_int_equal(run_stop(run, NULL, NULL), OK);
	turn_until(RUN_STOPPED);
	assert_int_equal(run->stats.total.num_requests, atomic_load(&served));
	assert_int_equal(run->stats.total.num_failures, 0);
	assert_int_equal(run_user_count(run), 0);
	/* The ramp's requests are before the window, the stop's last ones after it. */
	assert_true(run->window.total.num_requests >= 150);
	assert_true(run->window.total.num_requests <= atomic_load(&served) - at_running);
	assert_true(run_window_s(run, run->now_us) > 0);
}

static void test_tests_follow_each_other(void **state)
{
	uint64_t before_second;

	(void)state;
	start(4, 100);
	turn_until(RUN_RUNNING);
	start(12, 100);
	assert_int_equal(run->state, RUN_SPAWNING);
	turn_until(RUN_RUNNING);
	assert_int_equal(run_user_count(run), 12);
	start(2, 100);
	turn_until(RUN_RUNNING);
	assert_int_equal(run_user_count(run), 2);
	assert_int_equal(run_stop(run, NULL, NULL), OK);
	turn_until(RUN_STOPPED);
	before_second = atomic_load(&served);
	assert_int_equal(run->stats.total.num_requests, before_second);
	start(4, 100);
	turn_until(RUN_RUNNING);
	assert_int_equal(run_stop(run, NULL, NULL), OK);
	turn_until(RUN_STOPPED);
	assert_int_equal(run->stats.total.num_requests, atomic_load(&served) - before_second);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_request_is_counted_once),
		CASE(test_tests_follow_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
