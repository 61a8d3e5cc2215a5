/* SPDX-License-Identifier: MIT
 *
 * cluster: some thousand simulated tests. What must hold: every request that was made is counted
 * once, the window holds those of the steady state, every wait ends. */
#include "cluster_sim.h"

#define RUNS 700 /* of each kind */

/* --- steady workers: exact totals, exact window ------------------------------------------ */

static void steady_test(struct sim *s, bool is_lossy)
{
	uint64_t users = 1 + rng_below(&s->rng, 40), begin_us, end_us, per_s;
	const struct run *run = master_run(s->master);

	start(s, users, 5 + (double)rng_below(&s->rng, 100));
	CHECK(s, advance_to(s, RUN_RUNNING, 20 * CLOCK_S));
	CHECK(s, users_now(s) == users && run_user_count(run) == users);
	begin_us = s->now_us;
	advance(s, s->now_us + CLOCK_S + draw_us(s, 4 * CLOCK_S));
	CHECK(s, run->state == RUN_RUNNING);
	end_us = s->now_us;
	stop(s);
	check_counts(s);
	CHECK(s, users_now(s) == 0);
	/* Both edges are as late as the message that draws them: a step of requests or two. */
	per_s = users * CLOCK_S / WORK_US;
	if (!is_lossy) {
		uint64_t slack = per_s * 80 / 1000 + 3 * users;
		uint64_t truth = s->made_at_stop - s->made_at_running;

		CHECK(s, end_us > begin_us);
		CHECK(s, run->window.total.num_requests + slack >= truth);
		CHECK(s, run->window.total.num_requests <= truth + slack);
	}
}

static void counts_are_exact_with_steady_workers(void **state)
{
	static struct sim s;

	(void)state;
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		bool is_lossy = seed % 2;
		size_t workers;

		open_sim(&s, seed, &plain_run, is_lossy);
		workers = 1 + rng_below(&s.rng, 4);
		while (s.node_count < workers)
			add_node(&s);
		wait_for_workers(&s, workers);
		steady_test(&s, is_lossy);
		/* Again, at once, with the same workers. */
		steady_test(&s, is_lossy);
		end_all(&s);
		close_sim(&s);
	}
}

/* --- workers that come and go in order: totals stay exact -------------------------------- */

static void counts_are_exact_when_workers_join_and_leave(void **state)
{
	static struct sim s;

	(void)state;
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		open_sim(&s, seed, &plain_run, seed % 2);
		add_node(&s);
		add_node(&s);
		wait_for_workers(&s, 2);
		start(&s, 1 + rng_below(&s.rng, 40), 10 + (double)rng_below(&s.rng, 50));
		while (s.node_count < NODES) {
			advance(&s, s.now_us + draw_us(&s, 2 * CLOCK_S));
			add_node(&s);
			if (rng_below(&s.rng, 2))
				worker_quit(s.nodes[rng_below(&s.rng, s.node_count - 1)].worker,
					    s.now_us);
		}
		if (master_run(s.master)->state != RUN_STOPPED) {
			if (seed % 4 == 0)
				CHECK(&s, advance_to(&s, RUN_RUNNING, 30 * CLOCK_S));
			stop(&s);
		}
		check_counts(&s);
		end_all(&s);
		close_sim(&s);
	}
}

/* --- workers that are lost --------------------------------------------------------------- */

static void nothing_hangs_when_workers_are_lost(void **state)
{
	static struct sim s;

	(void)state;
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		struct node *lost;
		uint64_t users;

		open_sim(&s, seed, &plain_run, seed % 3 == 0);
		add_node(&s);
		add_node(&s);
		add_node(&s);
		wait_for_workers(&s, 3);
		users = 3 + rng_below(&s.rng, 20);
		start(&s, users, 20);
		advance(&s, s.now_us + draw_us(&s, 4 * CLOCK_S));
		lost = &s.nodes[rng_below(&s.rng, 3)];
		end_node(lost, true);
		if (seed % 2) {
			/* The others take its users over. */
			advance(&s, s.now_us + 6 * CLOCK_S);
			CHECK(&s, advance_to(&s, RUN_RUNNING, 20 * CLOCK_S));
			CHECK(&s, users_now(&s) == users);
		}
		stop(&s);
		CHECK(&s, master_run(s.master)->stats.total.num_requests <= s.made);
		CHECK(&s, users_now(&s) == 0);
		end_all(&s);
		close_sim(&s);
	}
}

static void the_last_worker_that_is_lost_ends_the_test(void **state)
{
	static struct sim s;

	(void)state;
	open_sim(&s, 1, &plain_run, false);
	add_node(&s);
	advance(&s, s.now_us + CLOCK_S);
	start(&s, 5, 100);
	CHECK(&s, advance_to(&s, RUN_RUNNING, 5 * CLOCK_S));
	end_node(&s.nodes[0], true);
	CHECK(&s, advance_to(&s, RUN_STOPPED, 6 * CLOCK_S));
	CHECK(&s, run_user_count(master_run(s.master)) == 0);
	close_sim(&s);
}

/* A master that was started anew gets its workers back, also those that had users. */
static void a_new_master_adopts_the_workers(void **state)
{
	static struct sim s;

	(void)state;
	open_sim(&s, 1, &plain_run, false);
	add_node(&s);
	add_node(&s);
	advance(&s, s.now_us + CLOCK_S);
	start(&s, 6, 100);
	CHECK(&s, advance_to(&s, RUN_RUNNING, 5 * CLOCK_S));
	master_destroy(&s.master);
	begin_master(&s);
	advance(&s, s.now_us + 3 * CLOCK_S);
	CHECK(&s, users_now(&s) == 0);
	start(&s, 6, 100);
	CHECK(&s, advance_to(&s, RUN_RUNNING, 5 * CLOCK_S));
	stop(&s);
	end_all(&s);
	close_sim(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_exact_with_steady_workers),
		cmocka_unit_test(counts_are_exact_when_workers_join_and_leave),
		cmocka_unit_test(nothing_hangs_when_workers_are_lost),
		cmocka_unit_test(the_last_worker_that_is_lost_ends_the_test),
		cmocka_unit_test(a_new_master_adopts_the_workers),
	};

	log_set_level(LOG_CRITICAL);
	return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
