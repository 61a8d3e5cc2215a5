/* SPDX-License-Identifier: MIT
 *
 * cluster_faults: master and workers while frames are lost and doubled, connections cut, the second
 * port shut, workers killed and started again under their old names, the master too. What must
 * hold: while it lasts nothing is counted twice and no count of users is exceeded; after the last
 * fault all users run, everything that waits ends, and the next test is counted exactly. */
#include "cluster_sim.h"

#define RUNS	   300
#define FAULTS_MAX 25
#define PAUSE_US   (3 * CLOCK_S) /* between two faults, at most */
/* A worker that fell silent is forgotten after 64 s, one that is not heard introduces itself each
 * 5 s; then there is a ramp. */
#define CALM_US (100 * CLOCK_S)

static void check_always(struct sim *s)
{
	const struct run *run = master_run(s->master);
	struct run_worker worker;
	uint64_t users = 0;

	CHECK(s, run->stats.total.num_requests <= s->made);
	CHECK(s, sum_of_entries(&run->stats) == run->stats.total.num_requests);
	CHECK(s, run->window.total.num_requests <= run->stats.total.num_requests);
	for (size_t i = 0; run->mode->worker(run, i, &worker); i++) {
		CHECK(s, i < NODES && worker.state != RUN_STOPPING);
		CHECK(s, worker.state != RUN_MISSING || worker.user_count == 0);
		users += worker.user_count;
	}
	CHECK(s, users == run_user_count(run));
}

static void advance_checked(struct sim *s, uint64_t us)
{
	uint64_t until_us = s->now_us + us;

	while (s->now_us < until_us) {
		advance(s, s->now_us + 100 * CLOCK_MS);
		check_always(s);
	}
}

/* As a user might, at a moment when it may be refused. */
static void start_or_change(struct sim *s, uint64_t users)
{
	struct run *run = master_run(s->master);
	struct run_start start = { .user_count = users, .spawn_rate = 20 };
	bool is_new = !run_is_busy(run);

	s->users_max = users > s->users_max ? users : s->users_max;
	run_tick(run, s->now_us);
	if (run_start(run, &start, NULL) == OK && is_new)
		s->made = 0;
}

static void restart_master(struct sim *s)
{
	master_destroy(&s->master);
	for (size_t i = 0; i < s->node_count; i++) {
		cut_wire(&s->nodes[i].to_worker);
		/* What had reached the old one is gone; what waited for a connection is not. */
		if (rng_below(&s->rng, 2))
			cut_wire(&s->nodes[i].to_master);
		cut_wire(&s->nodes[i].bulk);
	}
	begin_master(s);
}

static void make_fault(struct sim *s)
{
	struct node *n = &s->nodes[rng_below(&s->rng, s->node_count)];

	switch (rng_below(&s->rng, 10)) {
	case 0:
		s->lost_percent = (unsigned)rng_below(&s->rng, 40);
		break;
	case 1:
		s->doubled_percent = (unsigned)rng_below(&s->rng, 40);
		break;
	case 2:
	case 3:
		n->is_cut = !n->is_cut;
		break;
	case 4:
		n->is_bulk_shut = !n->is_bulk_shut;
		break;
	case 5:
		if (n->is_alive)
			end_node(n, true);
		break;
	case 6:
		if (n->is_alive)
			end_node(n, true);
		restart_node(n);
		break;
	case 7:
		if (rng_below(&s->rng, 3) == 0)
			restart_master(s);
		break;
	case 8:
		start_or_change(s, 1 + rng_below(&s->rng, 40));
		break;
	default:
		if (rng_below(&s->rng, 3) == 0)
			CHECK(s, run_stop(master_run(s->master), NULL, NULL) == OK);
		break;
	}
}

static void end_faults(struct sim *s)
{
	s->lost_percent = s->doubled_percent = 0;
	s->is_lossy = false;
	for (size_t i = 0; i < s->node_count; i++) {
		s->nodes[i].is_cut = s->nodes[i].is_bulk_shut = false;
		if (!s->nodes[i].is_alive)
			restart_node(&s->nodes[i]);
	}
}

static bool is_well(const struct sim *s, uint64_t users)
{
	const struct run *run = master_run(s->master);

	return run->state == RUN_RUNNING && run->mode->worker_count(run) == s->node_count &&
	       run_user_count(run) == users && users_now(s) == users;
}

/* All workers take part and have their share; a test that ended meanwhile is started again. */
static void wait_until_well(struct sim *s, uint64_t users)
{
	uint64_t until_us = s->now_us + CALM_US;

	while (!is_well(s, users) && s->now_us < until_us) {
		const struct run *run = master_run(s->master);

		if (!run_is_busy(run) || run->wanted.user_count != users)
			start_or_change(s, users);
		advance_checked(s, CLOCK_S);
	}
	CHECK(s, is_well(s, users));
}

static void everything_is_well_after_the_last_fault(void **state)
{
	static struct sim s;

	(void)state;
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		uint64_t users;
		size_t workers;

		open_sim(&s, seed, &plain_run, seed % 2);
		s.work_every_us = 100 * CLOCK_MS;
		workers = 1 + rng_below(&s.rng, NODES - 1);
		while (s.node_count < workers)
			add_node(&s);
		wait_for_workers(&s, workers);
		start(&s, 1 + rng_below(&s.rng, 40), 20);
		for (uint64_t left = 1 + rng_below(&s.rng, FAULTS_MAX); left; left--) {
			advance_checked(&s, draw_us(&s, PAUSE_US));
			make_fault(&s);
		}
		end_faults(&s);
		users = 1 + rng_below(&s.rng, 40);
		wait_until_well(&s, users);
		/* It stays so. */
		advance_checked(&s, 20 * CLOCK_S);
		CHECK(&s, is_well(&s, users));
		stop(&s);
		check_always(&s);
		wait_for_workers(&s, workers);
		CHECK(&s, users_now(&s) == 0);
		start(&s, users, 50);
		CHECK(&s, advance_to(&s, RUN_RUNNING, 20 * CLOCK_S));
		advance_checked(&s, 3 * CLOCK_S);
		stop(&s);
		check_counts(&s);
		end_all(&s);
		close_sim(&s);
	}
}

/* Frames that are lost and doubled, connections that are cut for less than silence lasts, and the
 * second port that comes and goes: nobody falls silent, so nothing may be lost either. */
static void reports_survive_what_connections_do(void **state)
{
	static struct sim s;

	(void)state;
	for (uint64_t seed = 1; seed <= RUNS / 3; seed++) {
		open_sim(&s, seed, &plain_run, seed % 2);
		s.work_every_us = 100 * CLOCK_MS;
		while (s.node_count < 3)
			add_node(&s);
		wait_for_workers(&s, 3);
		start(&s, 30, 50);
		CHECK(&s, advance_to(&s, RUN_RUNNING, 20 * CLOCK_S));
		for (int i = 0; i < 10; i++) {
			struct node *n = &s.nodes[rng_below(&s.rng, 3)];

			s.doubled_percent = (unsigned)rng_below(&s.rng, 50);
			n->is_bulk_shut = rng_below(&s.rng, 2);
			n->is_cut = true;
			advance_checked(&s, draw_us(&s, 2 * CLOCK_S));
			n->is_cut = false;
			advance_checked(&s, draw_us(&s, 4 * CLOCK_S));
		}
		end_faults(&s);
		advance_checked(&s, 15 * CLOCK_S);
		stop(&s);
		check_counts(&s);
		end_all(&s);
		close_sim(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_well_after_the_last_fault),
		cmocka_unit_test(reports_survive_what_connections_do),
	};

	log_set_level(LOG_CRITICAL);
	return cmocka_run_group_tests_name("cluster_faults", tests, NULL, NULL);
}
