/* SPDX-License-Identifier: MIT
 *
 * Service and response time of real users: a server that stalls once makes a paced user late, and
 * the lateness is in the response time of the next task's first request, nowhere else. */
#include "load_fixture.h"

#define PACE_US (20 * CLOCK_MS)
#define LATE_US (200 * CLOCK_MS)

static atomic_uint tasks_begun;
static uint64_t stall_us, lag_us; /* of the first request; of the second task, as the task saw it */
static uint64_t first_service_us, begun_us;

static void three_tasks(struct cic_user *u)
{
	unsigned number = atomic_fetch_add(&tasks_begun, 1);
	struct cic_response *r;

	if (number == 0) {
		begun_us = clock_us();
		r = cic_get(u, "/hang", .name = "stalled");
		stall_us = r->time_us;
		return;
	}
	if (number == 1) {
		/* What it could do nothing about: the moment it was meant for is one pace on. */
		lag_us = clock_us() - begun_us - PACE_US;
		r = cic_get(u, "/ok", .name = "first");
		first_service_us = r->time_us;
		cic_get(u, "/ok", .name = "second");
		return;
	}
	cic_stop_user(u);
}

static const struct cic_user_class paced = { .abi = CIC_ABI,
					     .name = "Paced",
					     .wait = CIC_CONSTANT_PACING(0.02),
					     .tasks = CIC_TASKS({ three_tasks, 1 }) };
static const struct cic_user_class waiting = { .abi = CIC_ABI,
					       .name = "Waiting",
					       .wait = CIC_CONSTANT(0.02),
					       .tasks = CIC_TASKS({ three_tasks, 1 }) };

static void stall_once(struct rig *rig, const struct cic_user_class *class)
{
	const struct cic_user_class *const classes[] = { class };
	const uint64_t one = 1;
	uint64_t until_us = clock_us() + PATIENCE_S * CLOCK_S;

	atomic_store(&tasks_begun, 0);
	rig_begin(rig, classes, 1, 1, 1);
	load_set_users(rig->load, &one, NULL, 0);
	while (!hung_count() && clock_us() < until_us)
		clock_sleep_us(CLOCK_MS);
	clock_sleep_us(LATE_US + PACE_US);
	answer_hung();
	rig_run(rig);
	rig_collect(rig, 3);
	rig_set(rig, 0, 0, PATIENCE_S);
}

static struct stats_entry *row(struct rig *rig, const char *name)
{
	return stats_entry(&rig->total, str_of("GET"), str_of(name), 0);
}

static uint64_t service_of(struct rig *rig, const char *name)
{
	return hist_set_percentile_us(row(rig, name)->times, STATS_OUTCOMES, 1);
}

static uint64_t response_of(struct rig *rig, const char *name)
{
	return hist_set_percentile_us(row(rig, name)->responses, STATS_OUTCOMES, 1);
}

static void lateness_is_in_the_first_request_after_a_stall(void **state)
{
	uint64_t waited_us;
	struct rig rig;

	(void)state;
	stall_once(&rig, &paced);
	assert_int_equal(stats_scheduled(&rig.total.total), 3);
	assert_true(stall_us >= LATE_US);
	waited_us = response_of(&rig, "first") - service_of(&rig, "first");
	/* The task's own clock is read after the engine's, by as long as the machine likes. */
	assert_in_range(waited_us, LATE_US - CLOCK_MS, lag_us + lag_us / 100);
	assert_int_equal(response_of(&rig, "second"), service_of(&rig, "second"));
	assert_true(service_of(&rig, "first") <= first_service_us + first_service_us / 100 + 1);
	rig_end(&rig);
}

static void users_with_waits_have_no_intended_start(void **state)
{
	struct rig rig;

	(void)state;
	stall_once(&rig, &waiting);
	assert_int_equal(rig.total.total.num_requests, 3);
	assert_int_equal(rig_errors(&rig, ""), 0);
	assert_int_equal(stats_timed(&rig.total.total), 3);
	assert_int_equal(stats_scheduled(&rig.total.total), 0);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lateness_is_in_the_first_request_after_a_stall),
		cmocka_unit_test(users_with_waits_have_no_intended_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
