/* SPDX-License-Identifier: MIT
 *
 * A crew makes, stops and cuts off its users in slices: no turn of the loop does more than the
 * limit, and the numbers are right in the end. The loop is real, but users ask nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "user/crew.h"

/* Several slices, and not a whole number of them. */
#define MANY (4 * LIMIT_SLICE_USERS + 7)

/* Nothing here takes that long; a hang fails instead. */
#define PATIENCE_US (20 * CLOCK_S)

struct rig {
	struct loop loop;
	struct crew crew;
	struct scenario scenario;
	struct loop_timer patience, later;
	struct stats *stats;
	unsigned settled;
};

/* What happened, and the most of it in one turn: turns of some work never have the same time. */
static struct {
	uint64_t turn_us;
	unsigned in_turn, in_turn_max, started, stopped;
} seen;

static void note(const struct cic_user *u, unsigned *count)
{
	uint64_t now_us = loop_now(u->place->loop);

	++*count;
	seen.in_turn = now_us == seen.turn_us ? seen.in_turn + 1 : 1;
	seen.turn_us = now_us;
	if (seen.in_turn > seen.in_turn_max)
		seen.in_turn_max = seen.in_turn;
}

static void note_start(struct cic_user *u)
{
	note(u, &seen.started);
}

static void note_stop(struct cic_user *u)
{
	note(u, &seen.stopped);
}

static void do_nothing(struct cic_user *u)
{
	(void)u;
}

static void sleep_long(struct cic_user *u)
{
	cic_sleep(u, 3600);
}

static void quit(struct cic_user *u)
{
	cic_stop_user(u);
}

static const struct cic_user_class waiting = { .abi = CIC_ABI,
					       .name = "Waiting",
					       .wait = CIC_CONSTANT(3600),
					       .on_start = note_start,
					       .on_stop = note_stop,
					       .tasks = CIC_TASKS({ do_nothing, 1 }) };
static const struct cic_user_class sleeping = { .abi = CIC_ABI,
						.name = "Sleeping",
						.on_start = note_start,
						.on_stop = note_stop,
						.tasks = CIC_TASKS({ sleep_long, 1 }) };
static const struct cic_user_class quitting = { .abi = CIC_ABI,
						.name = "Quitting",
						.on_start = note_start,
						.on_stop = note_stop,
						.tasks = CIC_TASKS({ quit, 1 }) };
/* After itself it still has something to do, for which nobody sets a time. */
static const struct cic_user_class lingering = {
	.abi = CIC_ABI, .name = "Lingering", .on_stop = sleep_long, .tasks = CIC_TASKS({ quit, 1 })
};

static void on_patience(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for 20 s");
}

static void on_later(void *arg)
{
	loop_stop(&((struct rig *)arg)->loop);
}

static void on_settled(void *arg)
{
	struct rig *rig = arg;

	rig->settled++;
	loop_stop(&rig->loop);
}

static void rig_begin(struct rig *rig, const struct cic_user_class *const *classes, size_t count)
{
	struct err_text text = { 0 };

	seen.turn_us = 0;
	seen.in_turn = seen.in_turn_max = seen.started = seen.stopped = 0;
	*rig = (struct rig){ .scenario = { .classes = classes, .class_count = count } };
	assert_int_equal(loop_init(&rig->loop, &text), OK);
	loop_timer_init(&rig->patience, on_patience, rig);
	loop_timer_init(&rig->later, on_later, rig);
	rig->stats = mem_zalloc(1, sizeof(*rig->stats));
	stats_init(rig->stats, clock_wall_s());
	crew_init(&rig->crew, &(struct crew_options){ .loop = &rig->loop,
						      .http = http_client_create(&rig->loop),
						      .scenario = &rig->scenario,
						      .stats = rig->stats,
						      .number_step = 1,
						      .on_settled = on_settled,
						      .arg = rig });
}

static void rig_run(struct rig *rig)
{
	loop_timer_set(&rig->loop, &rig->patience, clock_us() + PATIENCE_US);
	loop_run(&rig->loop);
	loop_timer_clear(&rig->loop, &rig->patience);
}

static void rig_set(struct rig *rig, uint64_t first, uint64_t second)
{
	const uint64_t counts[] = { first, second };
	unsigned before = rig->settled;

	crew_set(&rig->crew, counts, NULL, 0);
	assert_int_equal(rig->settled, before);
	rig_run(rig);
	assert_int_equal(rig->settled, before + 1);
}

static void rig_end(struct rig *rig)
{
	crew_disband(&rig->crew);
	loop_timer_set(&rig->loop, &rig->later, 0);
	rig_run(rig);
	crew_fini(&rig->crew);
	loop_fini(&rig->loop);
}

static void expect_users(const struct rig *rig, uint64_t first, uint64_t second)
{
	uint64_t counts[2] = { 0 };

	crew_count(&rig->crew, counts);
	assert_int_equal(counts[0], first);
	assert_int_equal(counts[1], second);
}

static void waiting_users_come_and_go_in_slices(void **state)
{
	const struct cic_user_class *const classes[] = { &waiting, &sleeping };
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 2);
	rig_set(&rig, MANY, 3);
	expect_users(&rig, MANY, 3);
	assert_int_equal(seen.started, MANY + 3);
	assert_int_equal(seen.stopped, 0);
	rig_set(&rig, 5, 3);
	expect_users(&rig, 5, 3);
	assert_int_equal(seen.started, MANY + 3);
	assert_int_equal(seen.stopped, MANY - 5);
	assert_in_range(seen.in_turn_max, 1, LIMIT_SLICE_USERS);
	rig_end(&rig);
}

/* Their stop time is over at once: flagging them and cutting them off both have to share a turn. */
static void users_in_tasks_are_cut_off_in_slices(void **state)
{
	const struct cic_user_class *const classes[] = { &sleeping, &waiting };
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 2);
	rig_set(&rig, 2 * LIMIT_SLICE_USERS + 7, 0);
	rig_set(&rig, 0, 2);
	expect_users(&rig, 0, 2);
	assert_int_equal(seen.stopped, 2 * LIMIT_SLICE_USERS + 7);
	assert_in_range(seen.in_turn_max, 1, LIMIT_SLICE_USERS);
	rig_end(&rig);
}

/* What comes before the last slice replaces what was wanted, and only the last one is answered. */
static void a_change_overtakes_what_is_not_made_yet(void **state)
{
	const struct cic_user_class *const classes[] = { &waiting, &sleeping };
	const uint64_t many[] = { MANY, 0 };
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 2);
	crew_set(&rig.crew, many, NULL, 0);
	/* In the turn of the first slice, behind it. */
	loop_timer_set(&rig.loop, &rig.later, loop_now(&rig.loop));
	rig_run(&rig);
	assert_in_range(seen.started, 1, LIMIT_SLICE_USERS);
	rig_set(&rig, MANY + 10, 1);
	assert_int_equal(rig.settled, 1);
	expect_users(&rig, MANY + 10, 1);
	assert_int_equal(seen.started, MANY + 11);
	assert_int_equal(seen.stopped, 0);
	rig_end(&rig);
}

static void users_that_quit_are_not_made_again(void **state)
{
	const struct cic_user_class *const classes[] = { &quitting, &waiting };
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 2);
	rig_set(&rig, MANY, 1);
	expect_users(&rig, 0, 1);
	assert_int_equal(seen.started, MANY + 1);
	assert_int_equal(seen.stopped, MANY);
	rig_end(&rig);
}

/* Nothing cuts off a user that stops by itself, until the next order does. */
static void an_order_sets_a_time_for_users_that_quit(void **state)
{
	const struct cic_user_class *const classes[] = { &lingering, &waiting };
	const uint64_t two[] = { 2, 0 };
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 2);
	crew_set(&rig.crew, two, NULL, 0);
	loop_timer_set(&rig.loop, &rig.later, clock_us() + 100 * CLOCK_MS);
	rig_run(&rig);
	assert_int_equal(rig.settled, 0);
	expect_users(&rig, 2, 0);
	rig_set(&rig, 0, 0);
	expect_users(&rig, 0, 0);
	rig_end(&rig);
}

/* The stacks of users that slept in a task, once they are gone. */
static void spare_memory_goes_in_slices(void **state)
{
	const struct cic_user_class *const classes[] = { &sleeping, &waiting };
	const struct fiber_pool *pool;
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 2);
	pool = &rig.crew.place.fibers;
	rig_set(&rig, 3 * LIMIT_SLICE_USERS, 0);
	rig_set(&rig, 0, 0);
	assert_int_equal(pool->made, 3 * LIMIT_SLICE_USERS);
	crew_trim(&rig.crew); /* all were needed since the last one */
	crew_trim(&rig.crew);
	loop_timer_set(&rig.loop, &rig.later, loop_now(&rig.loop));
	rig_run(&rig);
	assert_in_range(pool->made, 2 * LIMIT_SLICE_USERS, 3 * LIMIT_SLICE_USERS - 1);
	while (pool->spare) {
		loop_timer_set(&rig.loop, &rig.later, loop_now(&rig.loop));
		rig_run(&rig);
	}
	assert_int_equal(pool->made, 3 * LIMIT_SLICE_USERS / 2);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_users_come_and_go_in_slices),
		cmocka_unit_test(users_in_tasks_are_cut_off_in_slices),
		cmocka_unit_test(a_change_overtakes_what_is_not_made_yet),
		cmocka_unit_test(users_that_quit_are_not_made_again),
		cmocka_unit_test(an_order_sets_a_time_for_users_that_quit),
		cmocka_unit_test(spare_memory_goes_in_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
