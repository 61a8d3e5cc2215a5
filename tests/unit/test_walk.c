/* SPDX-License-Identifier: MIT
 *
 * drive: the walk from scenario to scenario: attempts, passes, the budget, and that it goes on
 * wherever it was killed. */
#include "drive_fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/rng.h"

static void what_is_not_ok_is_tried_again_as_often_as_asked_for(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.retries = 2;
	world.refused_swarms = 2;
	out = drive(2);
	assert_int_equal(out.rows, 2);
	assert_int_equal(out.good, 2);
	assert_non_null(strstr(out.csv, "\"attempts before: start_failed, start_failed\""));
	assert_non_null(strstr(out.csv, ",closed+paced,0,1,3,"));
	/* With the cool-downs between. */
	assert_in_range(out.took_us, (2 * 10 + 3 * 15) * CLOCK_S, (2 * 11 + 3 * 15) * CLOCK_S);
	world_init();
	world.retries = 2;
	world.refused_swarms = 3;
	out = drive(1);
	expect_status(&out, ",start_failed,",
		      "no such user class / attempts before: start_failed, "
		      "start_failed\",");
}

static void repeats_have_rows_of_their_own(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.repeats = 2;
	out = drive(2);
	assert_int_equal(out.good, 4);
	assert_non_null(strstr(out.csv, "paced,0,1,1,"));
	assert_non_null(strstr(out.csv, "paced,0,2,1,"));
}

/* A scenario takes 3 s of ramp by plan and 10 s, then 15 s of rest. */
static void what_does_not_fit_into_the_budget_is_not_begun(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.budget_s = 13 + 15 + 13;
	out = drive(4);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.rows, 2);
	assert_true(out.took_us <= 41 * CLOCK_S);
	world_init();
	world.budget_s = 12;
	out = drive(4);
	assert_int_equal(out.rows, 0);
	assert_string_equal(world.trace, "");
	/* What scaling has taken once it may take again. */
	world_init();
	world.target_ready_after_us = 20 * CLOCK_S;
	world.budget_s = 13 + 20 + 15 + 13;
	out = drive(4);
	assert_int_equal(out.rows, 1);
	/* Nor is an attempt made that would not fit. */
	world_init();
	world.retries = 9;
	world.budget_s = 13 + 15 + 13;
	world.swarm_is_refused = true;
	out = drive(1);
	assert_int_equal(out.rows, 1);
	assert_non_null(strstr(out.csv, ",,,1,2,"));
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what))) {
		count++;
		text++;
	}
	return count;
}

static void a_later_start_goes_on_behind_the_last_row(void **state)
{
	char folder[] = "/tmp/cicada-drive-XXXXXX";
	struct outcome out;

	(void)state;
	assert_non_null(mkdtemp(folder));
	world_init();
	world.stop_signal_at_us = world.now_us + 30 * CLOCK_S;
	out = drive_in(folder, 4);
	assert_int_equal(out.err, ERR_INTERRUPTED);
	/* The first has its row, the second was interrupted and comes again. */
	world_init();
	out = drive_in(folder, 4);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.rows, 4);
	assert_int_equal(out.good, 4);
	assert_int_equal(count_of(world.trace, "swarm"), 3);
	assert_int_equal(count_of(out.csv, "interrupted"), 0);
	assert_non_null(strstr(out.screen, "[2/4] replicas=2"));
	assert_null(strstr(out.screen, "[1/4]"));
	world_init();
	out = drive_in(folder, 4);
	assert_int_equal(out.good, 4);
	assert_string_equal(world.trace, "");
	assert_int_equal(remove_tree(folder), 0);
}

/* Those that the earlier walk could not measure; the order of the rows stays the plan's. */
static void what_was_not_measured_comes_again(void **state)
{
	char folder[] = "/tmp/cicada-drive-XXXXXX";
	const char *first, *second;
	struct outcome out;

	(void)state;
	assert_non_null(mkdtemp(folder));
	world_init();
	world.refused_swarms = 1;
	out = drive_in(folder, 4);
	assert_int_equal(out.rows, 4);
	assert_int_equal(out.good, 3);
	world_init();
	out = drive_in(folder, 4);
	assert_int_equal(out.good, 4);
	assert_int_equal(count_of(world.trace, "swarm"), 1);
	first = strstr(out.csv, "\n1,2,100,");
	second = strstr(out.csv, "\n2,2,100,");
	assert_true(first && second && first < second);
	/* Its window is all that is left. */
	assert_non_null(strstr(out.screen, "[1/4] replicas=1"));
	assert_non_null(strstr(out.screen, ", 10s left"));
	assert_null(strstr(out.screen, "[2/4]"));
	world_init();
	out = drive_in(folder, 4);
	assert_int_equal(out.good, 4);
	assert_string_equal(world.trace, "");
	assert_int_equal(remove_tree(folder), 0);
}

/* As if it had been killed while its first test ran, which runs still. */
static void leave_a_test(const char *folder)
{
	static const struct journal_plan plan = { "a plan", 2, NULL };
	struct journal_past past;
	struct journal *j;

	assert_int_equal(journal_open(folder, &plan, false, &j, &past, NULL), OK);
	assert_int_equal(journal_start(j, &past, "", NULL), OK);
	assert_int_equal(journal_add_begun(j, 0, NULL), OK);
	journal_close(&j);
	world_init();
	world.is_running = true;
	world.swarm_us = world.now_us;
}

static void a_test_that_a_killed_driver_has_left_is_stopped_once(void **state)
{
	/* With the same plan, with another one, and with --fresh. */
	for (int i = 0; i < 3; i++) {
		char folder[] = "/tmp/cicada-drive-XXXXXX";
		struct outcome out;

		(void)state;
		assert_non_null(mkdtemp(folder));
		leave_a_test(folder);
		world.is_fresh = i == 2;
		world.repeats = i == 1 ? 2 : 1;
		out = drive_in(folder, i == 1 ? 1 : 2);
		assert_int_equal(out.good, 2);
		assert_int_equal(strncmp(world.trace, "stop replicas workers reset ", 28), 0);
		/* With a cool-down behind each of the first two tests. */
		assert_in_range(out.took_us, (2 * 10 + 2 * 15) * CLOCK_S,
				(2 * 12 + 2 * 15) * CLOCK_S);
		assert_int_equal(count_of(world.trace, "stop"), 3);
		assert_int_equal(remove_tree(folder), 0);
	}
}

static void beside_a_test_of_somebody_else_nothing_is_begun(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.is_running = true;
	world.swarm_us = world.now_us;
	out = drive(1);
	assert_int_equal(out.err, ERR_STATE);
	assert_int_equal(out.rows, 0);
	assert_string_equal(world.trace, "");
	assert_non_null(strstr(out.why, "curl http://master/stop"));
	assert_true(world.is_running);
}

/* One that comes between two scenarios is waited for, and costs no more than the scenario. */
static void a_test_of_somebody_else_in_between_is_never_measured(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.others_start_after = 1;
	out = drive(2);
	assert_int_equal(out.err, OK);
	assert_int_equal(out.rows, 2);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, ",master_not_ready,"));
	assert_non_null(strstr(out.csv, "a test runs at the master"));
	assert_int_equal(count_of(world.trace, "stop"), 1);
	assert_true(world.is_running);
}

static void when_another_driver_has_taken_over_nothing_more_is_begun(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.others_after = 2;
	out = drive(4);
	assert_int_equal(out.err, ERR_STATE);
	assert_string_equal(out.why, "another driver has taken over");
	assert_int_equal(out.rows, 2);
	assert_int_equal(out.good, 2);
}

static void a_test_that_could_not_be_stopped_is_stopped_by_the_next_scenario(void **state)
{
	struct outcome out;

	(void)state;
	world_init();
	world.hanging_stops = 2;
	out = drive(2);
	assert_int_equal(out.rows, 2);
	assert_int_equal(out.good, 1);
	assert_non_null(strstr(out.csv, ",stop_failed,"));
	assert_non_null(strstr(world.trace, "stop stop stop replicas workers reset "));
}

static struct buf read_file(const char *folder, const char *name)
{
	struct buf bytes;
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	buf_init(&bytes, 1024 * 1024);
	if (file_read(path, &bytes, NULL) == ERR_NOT_FOUND)
		buf_add_text(&bytes, "");
	return bytes;
}

/* Starts the walk in a process of its own and kills it after a time below most_us; false when it
 * was done before. */
static bool walk_and_kill(const char *folder, struct rng *rng, uint64_t most_us)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		world_init();
		_exit(drive_in(folder, 4).err);
	}
	usleep((useconds_t)rng_below(rng, most_us));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), OK);
	return WIFSIGNALED(status);
}

/* What a report shows is in the journal already, or it would be measured again. */
static void check_report(const char *folder, const struct buf *journal)
{
	struct buf csv = read_file(folder, "auto_summary.csv");
	size_t rows = count_of(csv.p, "\n");

	if (rows > count_of(journal->p, "{\"record\":\"row\"") + 1)
		fail_msg("a report is ahead: %s\n%s", csv.p, journal->p);
	buf_fini(&csv);
}

/* Killed again and again, and each time with more time, until it has come through. */
static void check_kills(uint64_t seed)
{
	char folder[] = "/tmp/cicada-drive-XXXXXX", row[64];
	struct buf before = read_file("/nonexistent", "x"), after;
	uint64_t most_us = 2000;
	struct rng rng;
	bool was_killed;

	rng_init(&rng, seed, 0);
	assert_non_null(mkdtemp(folder));
	do {
		const char *end;

		was_killed = walk_and_kill(folder, &rng, most_us);
		most_us += most_us / 2;
		after = read_file(folder, JOURNAL_FILE);
		/* What was a whole line stays one. */
		if (after.len < before.len || memcmp(after.p, before.p, before.len) != 0)
			fail_msg("seed %d: a line is lost: %s, then %s", (int)seed, before.p,
				 after.p);
		check_report(folder, &after);
		buf_fini(&before);
		before = after;
		end = memrchr(before.p, '\n', before.len);
		before.len = end ? (size_t)(end + 1 - before.p) : 0;
	} while (was_killed);
	after = read_file(folder, "auto_summary.csv");
	assert_int_equal(count_of(after.p, "\n"), 5);
	for (size_t i = 0; i < 4; i++) {
		snprintf(row, sizeof(row), "\n%d,2,100,90.00,", 1 << i);
		assert_int_equal(count_of(after.p, row), 1);
		snprintf(row, sizeof(row), "{\"record\":\"row\",\"scenario\":%zu,", i + 1);
		assert_int_equal(count_of(before.p, row), 1);
	}
	buf_fini(&before);
	buf_fini(&after);
	assert_int_equal(remove_tree(folder), 0);
}

static void whenever_it_is_killed_no_row_is_lost_or_doubled(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		check_kills(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_ok_is_tried_again_as_often_as_asked_for),
		cmocka_unit_test(repeats_have_rows_of_their_own),
		cmocka_unit_test(what_does_not_fit_into_the_budget_is_not_begun),
		cmocka_unit_test(a_later_start_goes_on_behind_the_last_row),
		cmocka_unit_test(what_was_not_measured_comes_again),
		cmocka_unit_test(a_test_that_a_killed_driver_has_left_is_stopped_once),
		cmocka_unit_test(beside_a_test_of_somebody_else_nothing_is_begun),
		cmocka_unit_test(a_test_of_somebody_else_in_between_is_never_measured),
		cmocka_unit_test(when_another_driver_has_taken_over_nothing_more_is_begun),
		cmocka_unit_test(a_test_that_could_not_be_stopped_is_stopped_by_the_next_scenario),
		cmocka_unit_test(whenever_it_is_killed_no_row_is_lost_or_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
