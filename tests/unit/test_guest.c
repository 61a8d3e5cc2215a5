/* SPDX-License-Identifier: MIT
 *
 * A load whose users are a guest's: the guest here has users that do nothing, on a thread of its
 * own. What it is told, and that the load waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "user/load.h"
#include "user/user.h"

#define PATIENCE_S 20

/* Of the guest's thread, read by the control thread when that has settled or ended. */
static struct {
	pthread_t thread;
	unsigned begun, stopped, cut, forgotten, settled;
	uint64_t wanted, counted, foreseen;
	bool has_all_tasks;
	bool leaves_late; /* users that are stopped stay until they are cut */
} guest;

static struct {
	struct loop loop;
	struct loop_timer patience;
	unsigned settled, deltas;
	uint64_t users, requests;
	char msg[64];
} control;

static void begin(struct cic_user *u)
{
	static const struct stats_request request = { .service_us = 1000 };
	struct tally *tally = &u->place->tally;

	guest.begun++;
	tally_record(tally, tally_label(tally, "GUEST", "begin"), &request, clock_us());
}

static void stop(struct cic_user *u)
{
	guest.stopped++;
	if (!guest.leaves_late)
		user_leave(u);
}

static void cut(struct cic_user *u)
{
	guest.cut++;
	user_leave(u);
}

static void forget(struct cic_user *u)
{
	(void)u;
	guest.forgotten++;
}

static const struct user_guest users = { begin, stop, cut, forget };

static void run(void *arg, void *(*main)(void *), void *main_arg)
{
	(void)arg;
	assert_int_equal(pthread_create(&guest.thread, NULL, main, main_arg), 0);
}

static void join(void *arg)
{
	(void)arg;
	pthread_join(guest.thread, NULL);
}

static void turn(void *arg, struct user_place *place, struct load_thread *thread)
{
	(void)arg;
	load_report_exception(thread, (struct str){ "odd", 3 }, (struct str){ "in begin", 8 });
	loop_run(place->loop);
}

static void want(void *arg, uint64_t wanted)
{
	(void)arg;
	guest.wanted = wanted;
}

static void foresee(void *arg, uint64_t foreseen)
{
	(void)arg;
	guest.foreseen = foreseen;
}

static void settle(void *arg, struct load_thread *thread)
{
	(void)arg;
	guest.settled++;
	load_settle(thread);
}

static void draw(void *arg, const struct cic_user_class *class, const bool *draws)
{
	(void)arg;
	assert_string_equal(class->name, "Guest");
	guest.has_all_tasks = !draws;
}

static void counted(void *arg, struct stats *taken)
{
	(void)arg;
	guest.counted += taken->total.num_requests;
}

static const struct load_guest ops = { .users = &users,
				       .run = run,
				       .foresee = foresee,
				       .join = join,
				       .turn = turn,
				       .want = want,
				       .settle = settle,
				       .draw = draw,
				       .counted = counted };

static void on_delta(void *arg, const struct stats *delta, const uint64_t *running)
{
	(void)arg;
	control.deltas++;
	control.users = running[0];
	control.requests += delta->total.num_requests;
	loop_stop(&control.loop);
}

static void on_settled(void *arg)
{
	(void)arg;
	control.settled++;
	loop_stop(&control.loop);
}

static void on_exception(void *arg, struct str msg, struct str traceback)
{
	(void)arg;
	snprintf(control.msg, sizeof(control.msg), "%.*s %.*s", STR_ARG(msg), STR_ARG(traceback));
}

static void on_patience(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for %d s", PATIENCE_S);
}

static void run_control(void)
{
	loop_timer_set(&control.loop, &control.patience, clock_us() + PATIENCE_S * CLOCK_S);
	loop_run(&control.loop);
}

static void set(struct load *load, uint64_t count, double stop_timeout_s)
{
	load_set_users(load, &count, NULL, stop_timeout_s);
	run_control();
}

static void a_guest_runs_the_users(void **state)
{
	const struct cic_user_class class = { .abi = CIC_ABI,
					      .name = "Guest",
					      .tasks = (const struct cic_task[]){ { 0 } } };
	const struct cic_user_class *const classes[] = { &class };
	const struct scenario scenario = { .classes = classes, .class_count = 1 };
	const struct load_options options = { .scenario = &scenario,
					      .threads = 1,
					      .guest = &ops,
					      .on_delta = on_delta,
					      .on_settled = on_settled,
					      .on_exception = on_exception };
	struct err_text text = { "" };
	struct load *load;

	(void)state;
	assert_int_equal(loop_init(&control.loop, &text), OK);
	loop_timer_init(&control.patience, on_patience, NULL);
	assert_int_equal(load_create(&control.loop, &options, &load, &text), OK);
	load_foresee(load, (const uint64_t[]){ 7 }, NULL);
	set(load, 5, 0);
	assert_int_equal(guest.foreseen, 7);
	assert_int_equal(guest.begun, 5);
	assert_int_equal(guest.wanted, 5);
	assert_string_equal(control.msg, "odd in begin");

	/* Two leave when they are asked to. */
	load_set_tasks(load, 0, NULL);
	set(load, 3, 10);
	assert_int_equal(guest.stopped, 2);
	assert_int_equal(guest.cut, 0);
	assert_true(guest.has_all_tasks);

	/* One more does not, until its time is over: the counts are reached when it is gone. */
	guest.leaves_late = true;
	set(load, 2, 0.01);
	assert_int_equal(guest.stopped, 3);
	assert_int_equal(guest.cut, 1);
	assert_int_equal(control.settled, 3);
	assert_int_equal(guest.settled, 3);

	load_collect(load);
	run_control();
	assert_int_equal(control.users, 2);
	assert_int_equal(control.requests, 5);
	assert_int_equal(guest.counted, 5);

	/* The last two are not asked any more. */
	load_destroy(&load);
	assert_int_equal(guest.forgotten, 2);
	loop_fini(&control.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_runs_the_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
