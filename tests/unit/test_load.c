/* SPDX-License-Identifier: MIT
 *
 * What a load does with its users, over real sockets: numbers, hooks, stops, statistics. */
#include "load_fixture.h"

static atomic_uint started, stopped, tasks_run[3];
static atomic_uint numbers_seen[64];

static void count_start(struct cic_user *u)
{
	atomic_fetch_add(&started, 1);
	atomic_fetch_add(&numbers_seen[cic_user_number(u) % 64], 1);
}

static void count_stop(struct cic_user *u)
{
	(void)u;
	atomic_fetch_add(&stopped, 1);
}

static void ask_ok(struct cic_user *u)
{
	cic_get(u, "/ok");
}

static void ask_missing(struct cic_user *u)
{
	cic_get(u, "/missing");
}

static void ask_hang(struct cic_user *u)
{
	cic_get(u, "/hang");
}

static void ask_bye(struct cic_user *u)
{
	atomic_fetch_add(&stopped, 1);
	cic_get(u, "/bye");
}

static void sleep_long(struct cic_user *u)
{
	cic_sleep(u, 3600);
}

static void quit_at_once(struct cic_user *u)
{
	cic_get(u, "/ok");
	cic_stop_user(u);
	cic_stop_user(u);
}

static const struct cic_user_class busy = { .abi = CIC_ABI,
					    .name = "Busy",
					    .on_start = count_start,
					    .on_stop = count_stop,
					    .tasks = CIC_TASKS({ ask_ok, 3 }, { ask_missing }) };
static const struct cic_user_class waiting = { .abi = CIC_ABI,
					       .name = "Waiting",
					       .wait = CIC_CONSTANT(3600),
					       .on_start = count_start,
					       .on_stop = count_stop,
					       .tasks = CIC_TASKS({ ask_ok, 1 }) };
static const struct cic_user_class hanging = {
	.abi = CIC_ABI, .name = "Hanging", .on_stop = ask_bye, .tasks = CIC_TASKS({ ask_hang, 1 })
};
static const struct cic_user_class sleeping = { .abi = CIC_ABI,
						.name = "Sleeping",
						.on_start = sleep_long,
						.on_stop = count_stop,
						.tasks = CIC_TASKS({ ask_ok, 1 }) };
static const struct cic_user_class quitting = { .abi = CIC_ABI,
						.name = "Quitting",
						.on_stop = count_stop,
						.tasks = CIC_TASKS({ quit_at_once, 1 }) };

static void reset_counts(void)
{
	atomic_store(&started, 0);
	atomic_store(&stopped, 0);
	for (size_t i = 0; i < 64; i++)
		atomic_store(&numbers_seen[i], 0);
}

static void every_request_is_counted_once(void **state)
{
	const struct cic_user_class *const classes[] = { &busy };
	struct stats_entry *ok, *missing;
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 1, 2, 1);
	rig_set(&rig, 20, 0, 0);
	rig_collect(&rig, 3000);
	assert_int_equal(rig.users[0], 20);
	rig_set(&rig, 0, 0, PATIENCE_S);
	rig_collect(&rig, 0);
	assert_int_equal(rig.users[0], 0);
	assert_int_equal(rig.total.total.num_requests, atomic_load(&seen.count));
	ok = stats_entry(&rig.total, str_of("GET"), str_of("/ok"), 0);
	missing = stats_entry(&rig.total, str_of("GET"), str_of("/missing"), 0);
	assert_int_equal(ok->num_requests + missing->num_requests, atomic_load(&seen.count));
	assert_int_equal(ok->num_failures, 0);
	assert_int_equal(ok->total_content_length, 20 * ok->num_requests);
	assert_int_equal(missing->num_failures, missing->num_requests);
	assert_int_equal(
		rig_errors(&rig, "HTTPError('404 Client Error: Not Found for url: /missing')"),
		missing->num_requests);
	/* 3:1; five deviations of what 3000 draws give. */
	assert_in_range(missing->num_requests * 100 / rig.total.total.num_requests, 21, 29);
	rig_end(&rig);
}

static void ramps_start_and_stop_users(void **state)
{
	const struct cic_user_class *const classes[] = { &busy, &waiting };
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 2, 2, 1);
	rig_set(&rig, 3, 7, PATIENCE_S);
	rig_set(&rig, 1, 2, PATIENCE_S);
	rig_collect(&rig, 0);
	assert_int_equal(rig.users[0], 1);
	assert_int_equal(rig.users[1], 2);
	assert_int_equal(atomic_load(&started), 10);
	assert_int_equal(atomic_load(&stopped), 7);
	rig_set(&rig, 4, 2, PATIENCE_S);
	rig_set(&rig, 0, 0, PATIENCE_S);
	assert_int_equal(atomic_load(&started), 13);
	assert_int_equal(atomic_load(&stopped), 13);
	rig_collect(&rig, 0);
	assert_int_equal(rig.users[0] + rig.users[1], 0);
	assert_int_equal(rig.total.total.num_requests, atomic_load(&seen.count));
	rig_end(&rig);
}

static void users_are_spread_evenly(void **state)
{
	const struct cic_user_class *const classes[] = { &waiting };
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 1, 3, 1);
	rig_set(&rig, 10, 0, 0);
	rig_set(&rig, 12, 0, 0);
	rig_set(&rig, 0, 0, PATIENCE_S);
	/* Numbers go over the threads in turn, so an even spread is numbers without a gap. */
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(atomic_load(&numbers_seen[i]), i < 12);
	rig_end(&rig);
}

static void await_hung(unsigned count)
{
	for (int i = 0; hung_count() < count; i++) {
		assert_true(i < PATIENCE_S * 1000);
		clock_sleep_us(CLOCK_MS);
	}
}

static void late_users_are_cut_off(void **state)
{
	const struct cic_user_class *const classes[] = { &hanging };
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 1, 2, 1);
	rig_set(&rig, 6, 0, 0);
	await_hung(6);
	rig_set(&rig, 2, 0, 0);
	rig_set(&rig, 0, 0, 0.02);
	rig_collect(&rig, 0);
	/* The first four were given no time. */
	assert_int_equal(rig.total.total.num_requests, 2);
	assert_int_equal(rig.total.total.num_failures, 2);
	assert_int_equal(rig_errors(&rig, "StopTimeout("), 2);
	/* on_stop ran, but its request came too late. */
	assert_int_equal(atomic_load(&stopped), 6);
	assert_int_equal(atomic_load(&seen.bye_count), 0);
	rig_end(&rig);
}

static void requests_in_flight_may_finish(void **state)
{
	const struct cic_user_class *const classes[] = { &hanging };
	const uint64_t none = 0;
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 1, 2, 1);
	rig_set(&rig, 6, 0, 0);
	await_hung(6);
	load_set_users(rig.load, &none, NULL, PATIENCE_S);
	rig_collect(&rig, 0);
	assert_int_equal(rig.users[0], 6);
	assert_int_equal(rig.settled, 2);
	answer_hung();
	rig_run(&rig);
	rig_collect(&rig, 0);
	assert_int_equal(rig.users[0], 0);
	assert_int_equal(rig.total.total.num_failures, 0);
	assert_int_equal(atomic_load(&seen.bye_count), 6);
	assert_int_equal(rig.total.total.num_requests, 12);
	assert_int_equal(atomic_load(&seen.count), 12);
	rig_end(&rig);
}

static void a_later_order_shortens_the_time_to_stop(void **state)
{
	const struct cic_user_class *const classes[] = { &hanging };
	const uint64_t none = 0;
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 1, 1, 1);
	rig_set(&rig, 3, 0, 0);
	await_hung(3);
	load_set_users(rig.load, &none, NULL, 3600);
	rig_set(&rig, 0, 0, 0.01);
	rig_collect(&rig, 0);
	assert_int_equal(rig.total.total.num_failures, 3);
	rig_end(&rig);
}

static void sleeping_users_are_cut_off_without_a_request(void **state)
{
	const struct cic_user_class *const classes[] = { &sleeping };
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 1, 1, 1);
	rig_set(&rig, 5, 0, 0);
	rig_set(&rig, 0, 0, 0);
	rig_collect(&rig, 0);
	assert_int_equal(rig.total.total.num_requests, 0);
	assert_int_equal(atomic_load(&stopped), 5);
	rig_end(&rig);
}

static void users_that_quit_are_not_replaced_until_asked(void **state)
{
	const struct cic_user_class *const classes[] = { &quitting };
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 1, 2, 1);
	rig_set(&rig, 4, 0, 0);
	rig_collect(&rig, 4);
	for (int i = 0; i < PATIENCE_S * 1000 && rig.users[0]; i++)
		rig_collect(&rig, 0);
	assert_int_equal(rig.users[0], 0);
	assert_int_equal(atomic_load(&stopped), 4);
	rig_set(&rig, 4, 0, 0);
	rig_collect(&rig, 8);
	rig_set(&rig, 0, 0, PATIENCE_S);
	assert_int_equal(atomic_load(&stopped), 8);
	rig_end(&rig);
}

static void a_load_ends_in_the_middle_of_everything(void **state)
{
	const struct cic_user_class *const classes[] = { &hanging, &sleeping, &busy, &waiting };
	const uint64_t counts[] = { 4, 4, 4, 4 };
	struct rig rig;

	(void)state;
	reset_counts();
	rig_begin(&rig, classes, 4, 2, 1);
	load_set_users(rig.load, counts, NULL, 0);
	rig_run(&rig);
	await_hung(4);
	load_collect(rig.load);
	load_collect(rig.load);
	rig_end(&rig);
	assert_int_equal(rig.deltas, 0);
	assert_int_equal(atomic_load(&stopped), 0);
}

static void collects_are_answered_in_order(void **state)
{
	const struct cic_user_class *const classes[] = { &busy };
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 1, 2, 1);
	rig_set(&rig, 2, 0, 0);
	for (int i = 0; i < 5; i++)
		load_collect(rig.load);
	while (rig.deltas < 5)
		rig_run(&rig);
	rig_collect(&rig, 0);
	assert_int_equal(rig.deltas, 6);
	rig_end(&rig);
}

static void count_task_0(struct cic_user *u)
{
	(void)u;
	atomic_fetch_add(&tasks_run[0], 1);
}

static void count_task_1(struct cic_user *u)
{
	(void)u;
	atomic_fetch_add(&tasks_run[1], 1);
}

static void count_task_2(struct cic_user *u)
{
	(void)u;
	atomic_fetch_add(&tasks_run[2], 1);
}

static const struct cic_user_class resting = {
	.abi = CIC_ABI,
	.name = "Resting",
	.tasks = CIC_TASKS({ count_task_0, 8 }, { count_task_1, 1 }, { count_task_2, 1 })
};

/* Tasks that neither wait nor ask anything: they must not keep the thread. */
static void tasks_are_drawn_by_weight(void **state)
{
	const struct cic_user_class *const classes[] = { &resting };
	unsigned sum = 0;
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 1, 1, 1);
	rig_set(&rig, 2, 0, 0);
	for (int i = 0; sum < 10000; i++) {
		assert_true(i < PATIENCE_S * 1000);
		clock_sleep_us(CLOCK_MS);
		sum = atomic_load(&tasks_run[0]) + atomic_load(&tasks_run[1]) +
		      atomic_load(&tasks_run[2]);
	}
	rig_set(&rig, 0, 0, PATIENCE_S);
	rig_end(&rig);
	assert_in_range(atomic_load(&tasks_run[0]) * 1000 / sum, 770, 830);
	assert_in_range(atomic_load(&tasks_run[1]) * 1000 / sum, 80, 120);
	assert_in_range(atomic_load(&tasks_run[2]) * 1000 / sum, 80, 120);
}

/* Users that run draw other tasks from then on; a task that was begun ends first. */
static void tasks_are_drawn_as_ordered(void **state)
{
	static const bool cases[][3] = { { false, true, false },
					 { true, false, false },
					 { false, false, true },
					 { true, false, true } };
	const struct cic_user_class *const classes[] = { &resting };
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 1, 2, 1);
	rig_set(&rig, 2, 0, 0);
	for (size_t i = 0; i <= sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_all = i == sizeof(cases) / sizeof(cases[0]);

		load_set_tasks(rig.load, 0, is_all ? NULL : cases[i]);
		/* Behind the order on every thread. */
		rig_set(&rig, 2, 0, 0);
		for (size_t k = 0; k < 3; k++)
			atomic_store(&tasks_run[k], 0);
		for (size_t k = 0; k < 3; k++)
			while ((is_all || cases[i][k]) && atomic_load(&tasks_run[k]) < 20)
				rig_collect(&rig, 0);
		for (size_t k = 0; k < 3; k++)
			if (!is_all && !cases[i][k])
				assert_int_equal(atomic_load(&tasks_run[k]), 0);
	}
	rig_end(&rig);
}

#define DRAWN_USERS 6
static int64_t drawn[DRAWN_USERS];

static void draw(struct cic_user *u)
{
	double unit = cic_random(u);

	assert_true(unit >= 0 && unit < 1);
	assert_in_range(cic_random_int(u, -3, -1) + 10, 7, 9);
	assert_in_range(cic_random_int(u, 9, 7), 7, 9);
	/* Numbers go on from one test to the next; here each load is new. */
	drawn[cic_user_number(u)] = cic_random_int(u, INT64_MIN, INT64_MAX);
}

static const struct cic_user_class drawing = { .abi = CIC_ABI,
					       .name = "Drawing",
					       .wait = CIC_CONSTANT(3600),
					       .on_start = draw,
					       .tasks = CIC_TASKS({ count_task_0, 1 }) };

static void draw_with(uint64_t seed, unsigned threads, int64_t *out)
{
	const struct cic_user_class *const classes[] = { &drawing };
	struct rig rig;

	rig_begin(&rig, classes, 1, threads, seed);
	rig_set(&rig, DRAWN_USERS, 0, 0);
	rig_set(&rig, 0, 0, PATIENCE_S);
	rig_end(&rig);
	memcpy(out, drawn, sizeof(drawn));
}

static void the_seed_fixes_what_users_draw(void **state)
{
	int64_t first[DRAWN_USERS], again[DRAWN_USERS], other[DRAWN_USERS];

	(void)state;
	draw_with(7, 2, first);
	draw_with(7, 1, again);
	draw_with(8, 2, other);
	assert_memory_equal(first, again, sizeof(first));
	for (size_t i = 0; i < DRAWN_USERS; i++) {
		assert_true(first[i] != other[i]);
		for (size_t k = 0; k < i; k++)
			assert_true(first[i] != first[k]);
	}
}

/* The user's own computing keeps the thread, whatever else the machine does. */
static void spin(struct cic_user *u)
{
	uint64_t end_us = clock_us() + 20 * CLOCK_MS;

	(void)u;
	while (clock_us() < end_us)
		;
}

static const struct cic_user_class spinning = { .abi = CIC_ABI,
						.name = "Spinning",
						.tasks = CIC_TASKS({ spin, 1 }) };

/* Two users that take turns: each is late by the other's task, and the thread is never idle. */
static void a_load_that_computes_is_its_own_limit(void **state)
{
	const struct cic_user_class *const classes[] = { &spinning };
	struct rig rig;
	const struct health *h = &rig.total.health;

	(void)state;
	rig_begin(&rig, classes, 1, 1, 1);
	rig_set(&rig, 2, 0, 0);
	for (int i = 0; i < 2 * PATIENCE_S && !health_is_late(h); i++) {
		clock_sleep_us(600 * CLOCK_MS);
		rig_collect(&rig, 0);
	}
	assert_true(health_is_late(h));
	assert_non_null(health_reason(h));
	assert_true(h->cpu_percent_max > 0);
	assert_true(health_lag_p99_us(h) > 15 * CLOCK_MS);
	assert_true(h->lag_max_us >= health_lag_p99_us(h) * 1023 / 1024);
	rig_end(&rig);
}

static void a_load_that_waits_is_not(void **state)
{
	const struct cic_user_class *const classes[] = { &waiting };
	struct rig rig;
	const struct health *h = &rig.total.health;

	(void)state;
	rig_begin(&rig, classes, 1, 2, 1);
	rig_set(&rig, 3, 0, 0);
	rig_collect(&rig, 3);
	clock_sleep_us(HEALTH_SPAN_US + 100 * CLOCK_MS);
	rig_collect(&rig, 0);
	assert_true(h->spans >= 2); /* of two threads */
	assert_null(health_reason(h));
	assert_int_equal(h->lag.count, 3); /* the answers */
	assert_int_equal(h->waits, 3);
	assert_int_equal(h->waited_us, 3 * 3600 * CLOCK_S);
	assert_int_equal(h->opened, 3);
	assert_int_equal(h->closed + h->failed, 0);
	rig_set(&rig, 0, 0, PATIENCE_S);
	rig_collect(&rig, 0);
	assert_int_equal(h->closed, 3);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_is_counted_once),
		cmocka_unit_test(ramps_start_and_stop_users),
		cmocka_unit_test(users_are_spread_evenly),
		cmocka_unit_test(late_users_are_cut_off),
		cmocka_unit_test(requests_in_flight_may_finish),
		cmocka_unit_test(a_later_order_shortens_the_time_to_stop),
		cmocka_unit_test(sleeping_users_are_cut_off_without_a_request),
		cmocka_unit_test(users_that_quit_are_not_replaced_until_asked),
		cmocka_unit_test(a_load_ends_in_the_middle_of_everything),
		cmocka_unit_test(collects_are_answered_in_order),
		cmocka_unit_test(tasks_are_drawn_by_weight),
		cmocka_unit_test(tasks_are_drawn_as_ordered),
		cmocka_unit_test(the_seed_fixes_what_users_draw),
		cmocka_unit_test(a_load_that_computes_is_its_own_limit),
		cmocka_unit_test(a_load_that_waits_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
