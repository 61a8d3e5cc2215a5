/* SPDX-License-Identifier: MIT
 *
 * drive: the order's steps, and what becomes of a scenario when something goes wrong. */
#include "drive_fixture.h"

static void the_steps_come_in_the_orders_order(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	out = drive(1);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.good, 1);
	assert_string_equal(world.trace, "replicas workers reset count swarm stop finish count ");
	assert_non_null(strstr(out.csv, "1,2,100,90.00,5,7,8,0.00,1000,10.00,"));
	assert_non_null(strstr(out.csv, ",ok,6,"));
	/* Counted from when all users are there, and polled every 2 s from then on. */
	for (int s = 0; s <= 10; s += 2) {
		char line[32];

		snprintf(line, sizeof(line), "[%ds/10s] RPS: ", s);
		assert_non_null(strstr(out.screen, line));
	}
	assert_in_range(out.took_us, 10 * CLOCK_S + CLOCK_S / 2, 11 * CLOCK_S);
}

static void the_end_of_the_window_takes_one_look(void **state)
{
	const char *at;
	struct outcome out;
	size_t looks = 0;

	(void)state;
	world_init();
	world.look_us = 20 * CLOCK_MS;
	out = drive(1);
	assert_int_equal(out.good, 1);
	for (at = out.screen; (at = strstr(at, "s/10s] RPS: ")); at++)
		looks++;
	assert_int_equal(looks, 6);
	assert_non_null(strstr(out.screen, "[10s/10s] RPS: "));
}

static void scenarios_are_parted_by_the_cool_down(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	out = drive(3);
	assert_int_equal(out.good, 3);
	assert_int_equal(world.replicas, 4);
	assert_in_range(out.took_us, 3 * 10 * CLOCK_S + 2 * 15 * CLOCK_S,
			3 * 11 * CLOCK_S + 2 * 15 * CLOCK_S);
}

static void a_slow_target_is_waited_for_and_a_late_one_not_measured(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.target_ready_after_us = 50 * CLOCK_S;
	out = drive(1);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.screen, "   inference-1 has not said that it is ready   "));
	world_init();
	world.target_ready_after_us = 61 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",target_not_ready,", "has not said that it is ready");
	assert_string_equal(world.trace, "replicas ");
	assert_in_range(out.took_us, 60 * CLOCK_S, 61 * CLOCK_S);
}

static void a_replica_that_cannot_start_is_not_waited_for(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.replica_cannot_start = true;
	out = drive(1);
	expect_status(&out, ",target_not_ready,", "inference-1 ended with status 1");
	assert_true(out.took_us < CLOCK_S);
}

static void a_failed_scenario_does_not_end_the_matrix(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.swarm_is_refused = true;
	out = drive(4);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.rows, 4);
	assert_int_equal(out.good, 0);
	assert_non_null(strstr(out.csv, ",start_failed,"));
	assert_non_null(strstr(out.csv, "no such user class"));
}

static void a_row_says_when_the_generator_was_the_limit(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.generator_is_known = true;
	out = drive(1);
	assert_non_null(strstr(out.csv, ",1.25,42.00,ok,9,11,closed+paced,0,1,1,"));
	world_init();
	world.generator_is_known = world.generator_is_limited = true;
	out = drive(1);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, ",this row shows the limit of the load generator: too "
					"busy,1.25,42.00,limited,9,11,closed+paced,0,1,1,"));
	world.dropped = UINT64_MAX;
	out = drive(1);
	assert_non_null(strstr(out.csv, "too busy,1.25,42.00,limited,9,11,closed+paced,,1,1,"));
	world.details_are_strange = true;
	out = drive(1);
	assert_non_null(strstr(out.csv, "too busy / /stats/window/details: the lists differ,"));
}

static void a_row_says_when_arrivals_were_dropped(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.generator_is_known = true;
	world.dropped = 12;
	out = drive(1);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, "12 arrivals were dropped, the target did not get the load "
					"asked for; raise --max-in-flight"));
	assert_non_null(strstr(out.csv, ",ok,9,11,closed+paced,12,1,1,"));
}

static void a_row_that_was_not_counted_says_why(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.uncounted = "no such counter";
	world.generator_is_known = world.generator_is_limited = true;
	out = drive(1);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, "too busy / no such counter,"));
	world.uncounted = "";
	world.generator_is_limited = false;
	/* Also when a wait before had something to say. */
	world.target_ready_after_us = 5 * CLOCK_S;
	out = drive(1);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, ",1000,10.00,"));
	assert_null(strstr(out.csv, "ready"));
}

static void a_lost_worker_ends_the_scenario_and_stops_the_test(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.lose_worker_at_us = 5 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",lost_worker,", "1 of 2 workers are left at the master");
	assert_string_equal(world.trace, "replicas workers reset count swarm stop ");
}

static void a_worker_of_somebody_else_makes_the_row_invalid(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.another_joins_at_us = 5 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",changed,", "the master has 3 workers, 2 were ordered");
}

static void a_master_that_was_restarted_is_lost(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.master_restarts_at_us = 5 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",lost_master,", "it was restarted");
	world_init();
	world.master_forgets = true;
	out = drive(1);
	expect_status(&out, ",lost_master,", "no duration");
}

static void a_lost_replica_is_told_with_its_reason(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.lose_replica_at_us = 5 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",lost_replica,", "inference-1 was killed by signal 9");
	assert_false(world.is_running);
}

static void what_somebody_else_has_changed_is_invalid(void **state)
{
	static const struct {
		enum err err;
		const char *status;
	} after[] = { { ERR_STATE, ",changed," },
		      { ERR_IO, ",changed," },
		      { ERR_CLOSED, ",lost_worker," } };
	struct outcome out;

	(void)state;
	world_init();
	world.lose_replica_at_us = 5 * CLOCK_S;
	world.lost_as = ERR_STATE;
	out = drive(1);
	expect_status(&out, ",changed,", "inference-1 was killed by signal 9");
	for (size_t i = 0; i < 3; i++) {
		world_init();
		world.changed_as = after[i].err;
		out = drive(1);
		expect_status(&out, after[i].status, "a pod came or went");
		/* It was measured: the numbers are there. */
		assert_non_null(strstr(out.csv, ",1000,"));
	}
}

static void a_master_that_falls_silent_is_lost(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.look_fails = ERR_TIMEOUT;
	world.stop_hangs = true;
	out = drive(1);
	expect_status(&out, ",lost_master,", "and the test could not be stopped");
}

static void a_test_stopped_by_another_hand_is_no_result(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.stopped_by_other_at_us = 5 * CLOCK_S;
	out = drive(1);
	expect_status(&out, ",stopped_early,", "the window closed");
}

static void users_that_never_come_meet_a_deadline(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.users_never_come = true;
	out = drive(1);
	expect_status(&out, ",start_failed,", "0 of 100 users were spawned");
	assert_in_range(out.took_us, 60 * CLOCK_S, 64 * CLOCK_S);
	assert_false(world.is_running);
}

static void counts_that_differ_are_told_and_failures_excuse_them(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.served_more = 3;
	world.failures = 2;
	out = drive(1);
	expect_status(&out, ",counts_differ,", "the service answered");
	assert_non_null(strstr(out.csv, "1,2,100,90.00,"));
}

static void a_test_that_does_not_stop_is_no_result(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.stop_hangs = true;
	out = drive(1);
	expect_status(&out, ",stop_failed,", "GET /stop: timed out");
}

static void a_stop_keeps_the_rows_and_ends_the_test(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.stop_signal_at_us = world.now_us + 30 * CLOCK_S;
	out = drive(4);
	assert_int_equal(out.err, ERR_INTERRUPTED);
	assert_int_equal(out.rows, 2);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, "2,2,100,,,,,,,,"));
	assert_non_null(strstr(out.csv, ",interrupted,"));
	assert_false(world.is_running);
	assert_in_range(out.took_us, 30 * CLOCK_S, 30 * CLOCK_S + CLOCK_S / 10);
}

static void a_stop_in_the_cool_down_adds_no_row(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.stop_signal_at_us = world.now_us + 15 * CLOCK_S;
	out = drive(4);
	assert_int_equal(out.err, ERR_INTERRUPTED);
	assert_int_equal(out.rows, 1);
	assert_int_equal(out.good, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_steps_come_in_the_orders_order),
		cmocka_unit_test(the_end_of_the_window_takes_one_look),
		cmocka_unit_test(scenarios_are_parted_by_the_cool_down),
		cmocka_unit_test(a_slow_target_is_waited_for_and_a_late_one_not_measured),
		cmocka_unit_test(a_replica_that_cannot_start_is_not_waited_for),
		cmocka_unit_test(a_failed_scenario_does_not_end_the_matrix),
		cmocka_unit_test(a_row_says_when_the_generator_was_the_limit),
		cmocka_unit_test(a_row_says_when_arrivals_were_dropped),
		cmocka_unit_test(a_row_that_was_not_counted_says_why),
		cmocka_unit_test(a_lost_worker_ends_the_scenario_and_stops_the_test),
		cmocka_unit_test(a_worker_of_somebody_else_makes_the_row_invalid),
		cmocka_unit_test(a_master_that_was_restarted_is_lost),
		cmocka_unit_test(a_lost_replica_is_told_with_its_reason),
		cmocka_unit_test(what_somebody_else_has_changed_is_invalid),
		cmocka_unit_test(a_master_that_falls_silent_is_lost),
		cmocka_unit_test(a_test_stopped_by_another_hand_is_no_result),
		cmocka_unit_test(users_that_never_come_meet_a_deadline),
		cmocka_unit_test(counts_that_differ_are_told_and_failures_excuse_them),
		cmocka_unit_test(a_test_that_does_not_stop_is_no_result),
		cmocka_unit_test(a_stop_keeps_the_rows_and_ends_the_test),
		cmocka_unit_test(a_stop_in_the_cool_down_adds_no_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
