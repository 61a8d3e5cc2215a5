/* SPDX-License-Identifier: MIT
 *
 * Every request is counted exactly once, whatever the target does to it: 50 runs, each with
 * shares of faults of its own, against a server that notes every request by its number.
 *
 * A request may reach the server not at all (nobody listened, or the connection broke before), and
 * an idempotent one twice (sent again on a new connection). Both are told by the notes, so:
 *	counted by the client == read by the server - read again + never read
 * and what the statistics say of failures is what the tasks have seen, request by request. No
 * tolerance, and nothing depends on how fast the machine is: a deadline may hit any request, for
 * it is the client's to say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "delay/delay.h"
#include "user/load.h"

#define RUNS	   50
#define USERS	   12
#define EACH	   30 /* requests of one user */
#define IDS	   (USERS * EACH)
#define THREADS	   2
#define PATIENCE_S 60
#define TIMEOUT_S  0.06

enum seen { SEEN_NOTHING, SEEN_ANSWER, SEEN_TIMEOUT, SEEN_BROKEN, SEEN_PARTIAL };

/* What the tasks have seen of each request; each is written by one user. */
static enum seen seen[IDS];
static atomic_uint asked, users_done;

static struct {
	struct loop loop;
	struct load *load;
	struct loop_timer patience, tick;
	uint64_t counted, failed, errors;
	bool is_last;
} rig;

static bool is_post(size_t id)
{
	return id % 3 == 0;
}

static enum seen seen_of(const struct cic_response *r)
{
	if (!r->error)
		return SEEN_ANSWER;
	if (strstr(r->error, "Timeout("))
		return SEEN_TIMEOUT;
	return strstr(r->error, "IncompleteRead") || strstr(r->error, "InvalidResponse")
		       ? SEEN_PARTIAL
		       : SEEN_BROKEN;
}

static void ask(struct cic_user *u)
{
	uint64_t number = cic_user_number(u);
	unsigned *done = cic_data(u);
	size_t id = number * EACH + *done;
	char path[32];

	assert_true(id < IDS);
	snprintf(path, sizeof(path), "/%zu", id);
	atomic_fetch_add(&asked, 1);
	seen[id] = seen_of(CIC_REQUEST(u, is_post(id) ? "POST" : "GET", path, .name = "/id",
				       .timeout_s = TIMEOUT_S));
	cic_sleep(u, cic_random(u) * 0.002);
	if (++*done < EACH)
		return;
	atomic_fetch_add(&users_done, 1);
	cic_stop_user(u);
}

static const struct cic_user_class class = { .abi = CIC_ABI,
					     .name = "Asker",
					     .data_bytes = sizeof(unsigned),
					     .tasks = CIC_TASKS({ ask, 1 }) };

static void on_patience(void *arg)
{
	(void)arg;
	fail_msg("the run did not end within %d s", PATIENCE_S);
}

static void on_tick(void *arg)
{
	(void)arg;
	rig.is_last = atomic_load(&users_done) == USERS;
	load_collect(rig.load);
}

static void on_delta(void *arg, const struct stats *delta, const uint64_t *users)
{
	struct map_entry *slot;

	(void)arg;
	rig.counted += delta->total.num_requests;
	rig.failed += delta->total.num_failures;
	for (size_t i = 0; (slot = map_next(&delta->errors, &i));)
		rig.errors += ((const struct stats_error *)slot->value)->occurrences;
	if (rig.is_last && users[0] == 0)
		loop_stop(&rig.loop);
	else
		loop_timer_set(&rig.loop, &rig.tick, loop_now(&rig.loop) + 10 * CLOCK_MS);
}

static void *serve_main(void *server)
{
	delay_run(server);
	return NULL;
}

static void run_load(uint64_t seed, uint16_t port)
{
	static const struct cic_user_class *const classes[] = { &class };
	static const struct scenario scenario = { .classes = classes, .class_count = 1 };
	struct load_options options = {
		.scenario = &scenario, .threads = THREADS, .seed = seed, .on_delta = on_delta
	};
	const uint64_t users = USERS;
	struct err_text text = { 0 };
	char host[64];

	memset(&rig, 0, sizeof(rig));
	memset(seen, 0, sizeof(seen));
	atomic_store(&asked, 0);
	atomic_store(&users_done, 0);
	snprintf(host, sizeof(host), "http://127.0.0.1:%u", port);
	assert_int_equal(loop_init(&rig.loop, &text), OK);
	assert_int_equal(load_create(&rig.loop, &options, &rig.load, &text), OK);
	loop_timer_init(&rig.patience, on_patience, NULL);
	loop_timer_init(&rig.tick, on_tick, NULL);
	loop_timer_set(&rig.loop, &rig.patience, clock_us() + PATIENCE_S * CLOCK_S);
	loop_timer_set(&rig.loop, &rig.tick, clock_us() + 10 * CLOCK_MS);
	load_set_users(rig.load, &users, host, 1);
	loop_run(&rig.loop);
	load_destroy(&rig.load);
	loop_fini(&rig.loop);
}

/* One request, as both sides saw it. */
static void check_id(size_t id, const struct delay_note *note)
{
	if (note->reads == 0) {
		/* Never reached it, and nobody claims that it was answered. */
		assert_true(seen[id] == SEEN_BROKEN || seen[id] == SEEN_TIMEOUT);
		return;
	}
	if (note->reads > 1) {
		assert_int_equal(note->reads, 2);
		assert_false(is_post(id));
		/* Sent again only where not a byte of an answer had come. (The reset of an idle
		 * connection may overtake the answer before it, and throw it away.) */
		assert_true(note->first_fate == FATE_RESET || note->first_fate == FATE_CLOSE ||
			    note->first_fate == FATE_IDLE_RESET);
	}
	switch (note->fate) {
	case FATE_ANSWER:
	case FATE_ANSWER_CLOSE:
		assert_true(seen[id] == SEEN_ANSWER || seen[id] == SEEN_TIMEOUT);
		break;
	case FATE_IDLE_RESET:
		assert_true(seen[id] != SEEN_NOTHING && seen[id] != SEEN_PARTIAL);
		break;
	case FATE_NEVER:
		assert_int_equal(seen[id], SEEN_TIMEOUT);
		break;
	case FATE_PARTIAL:
		assert_true(seen[id] == SEEN_PARTIAL || seen[id] == SEEN_TIMEOUT);
		break;
	default: /* RESET, CLOSE; what was sent again may have been refused then */
		assert_true(seen[id] == SEEN_BROKEN || seen[id] == SEEN_TIMEOUT);
	}
}

/* What a whole campaign has met, so that none of it can quietly not happen. */
static struct {
	unsigned seen[SEEN_PARTIAL + 1], again, never_read;
} met;

static void check_run(const struct delay_server *server)
{
	const struct delay_note *notes = delay_notes(server);
	uint64_t again = 0, never_read = 0, failed = 0;

	for (size_t id = 0; id < IDS; id++) {
		check_id(id, &notes[id]);
		again += notes[id].reads > 1;
		never_read += notes[id].reads == 0;
		failed += seen[id] != SEEN_ANSWER;
		met.seen[seen[id]]++;
	}
	met.again += (unsigned)again;
	met.never_read += (unsigned)never_read;
	assert_int_equal(atomic_load(&asked), IDS);
	assert_int_equal(rig.counted, IDS);
	assert_int_equal(rig.counted, delay_heads(server) - again + never_read);
	assert_int_equal(rig.failed, failed);
	assert_int_equal(rig.errors, failed);
}

static void run_once(uint64_t seed)
{
	struct delay_options options = {
		.kind = DELAY_UNIFORM, .b_us = 1000, .id_count = IDS, .seed = seed
	};
	struct delay_server *server;
	pthread_t thread;
	struct rng rng;

	rng_init(&rng, seed, 1);
	for (int fate = FATE_ANSWER + 1; fate < FATE_COUNT; fate++)
		options.fates[fate] = rng_unit(&rng) * (fate == FATE_NEVER ? 0.03 : 0.1);
	options.refuse_share = rng_unit(&rng) * 0.005;
	server = delay_create(&options);
	assert_int_equal(pthread_create(&thread, NULL, serve_main, server), 0);
	run_load(seed, delay_port(server));
	delay_stop(server);
	pthread_join(thread, NULL);
	check_run(server);
	delay_destroy(&server);
}

static void test_every_request_is_counted_once_in_50_random_runs(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		run_once(seed);
	}
	print_message("answers %u, timeouts %u, broken %u, partial %u, again %u, never read %u\n",
		      met.seen[SEEN_ANSWER], met.seen[SEEN_TIMEOUT], met.seen[SEEN_BROKEN],
		      met.seen[SEEN_PARTIAL], met.again, met.never_read);
	for (int kind = SEEN_ANSWER; kind <= SEEN_PARTIAL; kind++)
		assert_true(met.seen[kind] > 0);
	assert_true(met.again > 0 && met.never_read > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_request_is_counted_once_in_50_random_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
