/* SPDX-License-Identifier: MIT
 *
 * Open classes on real load threads: every arrival is begun, waits or is dropped, and late ones
 * say how late they are. The tasks sleep where a target would be slow. */
#include "load_fixture.h"
#include "user/user.h"

#include <stdlib.h>

#define SAMPLES_MAX 4096

static atomic_uint begun, running, running_max, started, stopped;
static _Atomic uint64_t late_us[SAMPLES_MAX];

static void count_start(struct cic_user *u)
{
	(void)u;
	atomic_fetch_add(&started, 1);
}

static void count_stop(struct cic_user *u)
{
	assert_false(u->is_scheduled);
	atomic_fetch_add(&stopped, 1);
}

/* Notes the lateness of this task; returns its number. */
static unsigned begin_task(const struct cic_user *u)
{
	unsigned index = atomic_fetch_add(&begun, 1), now = atomic_fetch_add(&running, 1) + 1;

	assert_true(u->is_scheduled);
	if (index < SAMPLES_MAX)
		atomic_store(&late_us[index], u->late_us);
	if (now > atomic_load(&running_max))
		atomic_store(&running_max, now);
	return index;
}

static void take_500_ms(struct cic_user *u)
{
	begin_task(u);
	cic_sleep(u, 0.5);
	atomic_fetch_sub(&running, 1);
}

#define STALL_AT 20

static void stall_once(struct cic_user *u)
{
	if (begin_task(u) == STALL_AT)
		cic_sleep(u, 2);
	atomic_fetch_sub(&running, 1);
}

static void ask_ok(struct cic_user *u)
{
	begin_task(u);
	cic_get(u, "/ok");
	atomic_fetch_sub(&running, 1);
}

static void ask_hang(struct cic_user *u)
{
	begin_task(u);
	cic_get(u, "/hang");
	atomic_fetch_sub(&running, 1);
}

static void quit_after(struct cic_user *u)
{
	begin_task(u);
	atomic_fetch_sub(&running, 1);
	cic_stop_user(u);
}

static void log_in(struct cic_user *u)
{
	assert_false(u->is_scheduled);
	atomic_fetch_add(&started, 1);
	cic_sleep(u, 1);
}

#define OPEN_CLASS(variable, task, ...) \
	static const struct cic_user_class variable = { .abi = CIC_ABI, \
							.name = #variable, \
							.on_start = count_start, \
							.on_stop = count_stop, \
							.tasks = CIC_TASKS({ task, 1 }), \
							.arrivals = __VA_ARGS__ }

OPEN_CLASS(narrow, take_500_ms, CIC_ARRIVALS_EVEN(1, .max_in_flight = 1));
OPEN_CLASS(queueing, take_500_ms, CIC_ARRIVALS_EVEN(1, .max_in_flight = 1, .max_waiting = 100));
OPEN_CLASS(stalling, stall_once, CIC_ARRIVALS_EVEN(1, .max_in_flight = 1, .max_waiting = 1000));
OPEN_CLASS(fast, ask_ok, CIC_ARRIVALS_POISSON(100));
OPEN_CLASS(hanging, ask_hang, CIC_ARRIVALS_EVEN(1));
OPEN_CLASS(quitting, quit_after, CIC_ARRIVALS_EVEN(100));
static const struct cic_user_class with_login = { .abi = CIC_ABI,
						  .name = "with_login",
						  .on_start = log_in,
						  .tasks = CIC_TASKS({ ask_ok, 1 }),
						  .arrivals = CIC_ARRIVALS_EVEN(1) };

static void begin(struct rig *rig, const struct cic_user_class *const *class, unsigned threads)
{
	atomic_store(&begun, 0);
	atomic_store(&running, 0);
	atomic_store(&running_max, 0);
	atomic_store(&started, 0);
	atomic_store(&stopped, 0);
	rig_begin(rig, class, 1, threads, 1);
}

static void on_enough(void *arg)
{
	loop_stop(arg);
}

static void wait_ms(struct rig *rig, uint64_t ms)
{
	struct loop_timer timer;

	loop_timer_init(&timer, on_enough, &rig->loop);
	loop_timer_set(&rig->loop, &timer, clock_us() + ms * CLOCK_MS);
	loop_run(&rig->loop);
}

static void wait_for(struct rig *rig, const atomic_uint *what, unsigned count)
{
	uint64_t end_us = clock_us() + PATIENCE_S * CLOCK_S;

	while (atomic_load(what) < count) {
		assert_true(clock_us() < end_us);
		wait_ms(rig, 5);
	}
}

/* Of classes whose tasks sleep once: the rest of the lag is that of sleeps, after the last one. */
static uint64_t arrivals_of(const struct rig *rig)
{
	return rig->total.health.lag.count - atomic_load(&begun);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* 10/s, each takes 0.5 s, one at a time: the n-th of 8 begins n * 0.4 s late. */
static void waiting_shows_in_the_time_from_the_schedule(void **state)
{
	const struct cic_user_class *const classes[] = { &queueing };
	uint64_t late[8], sum_us = 0;
	struct rig rig;

	(void)state;
	begin(&rig, classes, 1);
	rig_set(&rig, 10, 0, 0);
	wait_for(&rig, &begun, 8);
	for (int i = 0; i < 8; i++)
		late[i] = atomic_load(&late_us[i]);
	rig_set(&rig, 0, 0, PATIENCE_S);
	for (int i = 0; i < 8; i++)
		sum_us += late[i] + CLOCK_S / 2;
	/* A sleep never ends early, so none of them is below; above is a machine that is busy. */
	assert_in_range(sum_us / 8, 1899 * CLOCK_MS, 9 * CLOCK_S);
	qsort(late, 8, sizeof(late[0]), by_size);
	assert_in_range(late[7] + CLOCK_S / 2, 3299 * CLOCK_MS, 15 * CLOCK_S);
	assert_int_equal(atomic_load(&running_max), 1);
	assert_int_equal(atomic_load(&started), 1);
	rig_end(&rig);
}

/* One task of 2 s, at 100/s and one at a time: 200 are late. Without a schedule it was one. */
static void a_stall_is_seen_by_all_that_came_in_it(void **state)
{
	const struct cic_user_class *const classes[] = { &stalling };
	unsigned late = 0;
	struct rig rig;

	(void)state;
	begin(&rig, classes, 1);
	rig_set(&rig, 100, 0, 0);
	wait_for(&rig, &begun, STALL_AT + 250);
	rig_set(&rig, 0, 0, PATIENCE_S);
	for (unsigned i = 0; i < STALL_AT + 250; i++)
		late += atomic_load(&late_us[i]) > 50 * CLOCK_MS;
	/* Those of the last 50 ms are not so late; what else is late has the machine to thank. */
	assert_in_range(late, 194, 240);
	rig_end(&rig);
}

static void beyond_the_cap_they_are_dropped_and_counted(void **state)
{
	const struct cic_user_class *const classes[] = { &narrow };
	struct rig rig;

	(void)state;
	begin(&rig, classes, 1);
	rig_set(&rig, 100, 0, 0);
	wait_for(&rig, &begun, 4);
	rig_set(&rig, 0, 0, PATIENCE_S);
	rig_collect(&rig, 0);
	assert_int_equal(atomic_load(&running_max), 1);
	assert_int_equal(atomic_load(&begun) + rig.total.health.dropped, arrivals_of(&rig));
	/* 1.5 s from the first task to the fourth. */
	assert_true(arrivals_of(&rig) >= 150);
	/* None makes up for one that was dropped: then the fourth would be 1.5 s late. */
	for (unsigned i = 0; i < 4; i++)
		assert_true(atomic_load(&late_us[i]) < CLOCK_S);
	rig_end(&rig);
}

static void those_that_wait_at_the_stop_are_dropped(void **state)
{
	const struct cic_user_class *const classes[] = { &queueing };
	struct rig rig;

	(void)state;
	begin(&rig, classes, 1);
	rig_set(&rig, 100, 0, 0);
	wait_for(&rig, &begun, 2);
	rig_set(&rig, 0, 0, PATIENCE_S);
	rig_collect(&rig, 0);
	assert_int_equal(rig.users[0], 0);
	assert_int_equal(atomic_load(&begun) + rig.total.health.dropped, arrivals_of(&rig));
	assert_true(rig.total.health.dropped >= 40);
	assert_int_equal(atomic_load(&started), atomic_load(&stopped));
	rig_end(&rig);
}

static void the_rate_is_that_of_the_users(void **state)
{
	const struct cic_user_class *const classes[] = { &fast };
	uint64_t begin_us, set_us, end_us;
	struct rig rig;

	(void)state;
	begin(&rig, classes, 2);
	begin_us = clock_us();
	rig_set(&rig, 2, 0, 0);
	set_us = clock_us();
	rig_collect(&rig, 500);
	assert_int_equal(rig.users[0], 2);
	end_us = clock_us();
	rig_set(&rig, 0, 0, PATIENCE_S);
	rig_collect(&rig, 0);
	assert_int_equal(rig.total.total.num_requests, atomic_load(&seen.count));
	assert_int_equal(rig.total.total.num_requests, atomic_load(&begun));
	assert_int_equal(rig.total.health.dropped, 0);
	assert_int_equal(rig.total.total.num_failures, 0);
	/* 200/s, between the orders at least and until all had ended at most; six deviations. */
	assert_true((double)atomic_load(&begun) > (double)(end_us - set_us) * 0.0002 - 150);
	assert_true((double)atomic_load(&begun) < (double)(clock_us() - begin_us) * 0.0002 + 150);
	assert_int_equal(atomic_load(&started), atomic_load(&stopped));
	rig_end(&rig);
}

static void what_is_in_flight_ends_within_the_stop_timeout(void **state)
{
	const struct cic_user_class *const classes[] = { &hanging };
	struct rig rig;

	(void)state;
	begin(&rig, classes, 2);
	rig_set(&rig, 20, 0, 0);
	wait_for(&rig, &begun, 6);
	rig_set(&rig, 0, 0, 0.05);
	rig_collect(&rig, 0);
	assert_int_equal(rig.total.total.num_requests, atomic_load(&begun));
	assert_int_equal(rig_errors(&rig, "StopTimeout("), atomic_load(&begun));
	assert_int_equal(atomic_load(&stopped), atomic_load(&started));
	rig_end(&rig);
}

static void sessions_that_quit_are_replaced(void **state)
{
	const struct cic_user_class *const classes[] = { &quitting };
	struct rig rig;

	(void)state;
	begin(&rig, classes, 1);
	rig_set(&rig, 1, 0, 0);
	wait_for(&rig, &begun, 20);
	rig_set(&rig, 2, 0, 0);
	rig_set(&rig, 0, 0, PATIENCE_S);
	assert_int_equal(atomic_load(&started), atomic_load(&begun));
	assert_int_equal(atomic_load(&stopped), atomic_load(&begun));
	rig_end(&rig);
}

static void a_start_of_a_session_is_no_lateness(void **state)
{
	const struct cic_user_class *const classes[] = { &with_login };
	struct rig rig;

	(void)state;
	begin(&rig, classes, 1);
	rig_set(&rig, 10, 0, 0);
	wait_for(&rig, &begun, 1);
	assert_true(atomic_load(&late_us[0]) < CLOCK_S);
	/* Those that came meanwhile had sessions of their own. */
	assert_true(atomic_load(&started) >= 3);
	rig_set(&rig, 0, 0, PATIENCE_S);
	rig_end(&rig);
}

static void a_load_that_ends_takes_its_sessions_with_it(void **state)
{
	const struct cic_user_class *const classes[] = { &queueing };
	struct rig rig;

	(void)state;
	begin(&rig, classes, 2);
	rig_set(&rig, 100, 0, 0);
	wait_for(&rig, &begun, 3);
	rig_end(&rig);
	assert_int_equal(atomic_load(&stopped), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_shows_in_the_time_from_the_schedule),
		cmocka_unit_test(a_stall_is_seen_by_all_that_came_in_it),
		cmocka_unit_test(beyond_the_cap_they_are_dropped_and_counted),
		cmocka_unit_test(those_that_wait_at_the_stop_are_dropped),
		cmocka_unit_test(the_rate_is_that_of_the_users),
		cmocka_unit_test(what_is_in_flight_ends_within_the_stop_timeout),
		cmocka_unit_test(sessions_that_quit_are_replaced),
		cmocka_unit_test(a_start_of_a_session_is_no_lateness),
		cmocka_unit_test(a_load_that_ends_takes_its_sessions_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
