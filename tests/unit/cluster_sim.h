/* SPDX-License-Identifier: MIT
 *
 * cluster_sim - one master and several workers of ours on a fake clock and a seeded link in memory:
 * it delays, is full at times, loses and doubles what it took, is cut, loses workers. Within a
 * connection order is kept. A failure prints its seed. For the tests of the cluster. */
#pragma once

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cluster/master.h"
#include "cluster/worker.h"

#define NODES	    6
#define CLASSES	    2
#define WALL_S	    1800000000.0
#define WORK_US	    (20 * CLOCK_MS) /* how often users make requests */
#define DELAY_US    (20 * CLOCK_MS) /* of a frame, at most */
#define BULK_PORT   5558
#define SETTLE_US   (300 * CLOCK_MS)
#define PLACES	    512 /* frames or answers under way */
#define SAMPLES	    100000
#define CHECK(s, c) ((c) ? (void)0 : fail_sim(s, #c, __LINE__))

struct sim;

struct frame {
	uint64_t at_us;
	char *bytes;
	size_t len;
};

/* In order, whatever the delays. */
struct wire {
	struct frame frames[PLACES];
	size_t first, count;
	uint64_t last_us;
};

struct answer {
	uint64_t at_us;
	struct stats delta;
};

/* A worker process: the machine, its users, its connection. */
struct node {
	struct sim *sim;
	struct worker *worker;
	char id[32];
	bool is_alive, has_ended;
	uint64_t users[CLASSES], wanted[CLASSES];
	uint64_t settle_us; /* UINT64_MAX: settled */
	struct stats counted;
	struct answer answers[32];
	size_t answer_first, answer_count;
	struct wire to_master, to_worker, bulk;
	bool is_cut;			 /* nothing comes through, and nobody is told */
	bool is_bulk_open, is_bulk_shut; /* the second port: asked for; not to be reached */
};

struct sim {
	uint64_t seed, now_us, work_us;
	struct rng rng;
	struct master *master;
	struct node nodes[NODES];
	size_t node_count;
	bool is_lossy;				/* frames are refused at times */
	unsigned lost_percent, doubled_percent; /* of the frames that were taken */
	uint64_t work_every_us;
	uint64_t users_max; /* that were ever asked for */
	const struct run_options *run_options;
	bool has_ended; /* the master */
	bool is_stopped;
	uint64_t made;				/* requests of the present test */
	uint64_t made_by_dead;			/* of these, by workers that were killed */
	uint32_t times_us[SAMPLES];		/* of the first of them */
	uint64_t made_at_running, made_at_stop; /* when the master changed its state */
};

static const struct run_class classes[CLASSES] = { { .name = "Alpha", .weight = 2 },
						   { .name = "Beta", .weight = 1 } };
static const char *const names[CLASSES] = { "Alpha", "Beta" };

static inline void fail_sim(const struct sim *s, const char *what, int line)
{
	print_error("seed %llu, %.3f s, line %d: not true: %s\n", (unsigned long long)s->seed,
		    (double)s->now_us / CLOCK_S, line, what);
	fail();
}

static inline uint64_t draw_us(struct sim *s, uint64_t below_us)
{
	return rng_below(&s->rng, below_us + 1);
}

/* --- the link ---------------------------------------------------------------------------- */

static inline bool put_once(struct sim *s, struct wire *w, struct str bytes)
{
	struct frame *f = &w->frames[(w->first + w->count) % PLACES];

	if (w->count == PLACES)
		return false;
	*f = (struct frame){ s->now_us + draw_us(s, DELAY_US), mem_strndup(bytes.p, bytes.len),
			     bytes.len };
	if (f->at_us < w->last_us)
		f->at_us = w->last_us;
	w->last_us = f->at_us;
	w->count++;
	return true;
}

static inline bool put_frame(struct node *n, struct wire *w, struct str bytes)
{
	struct sim *s = n->sim;

	if (s->is_lossy && rng_below(&s->rng, 20) == 0)
		return false;
	if (n->is_cut || rng_below(&s->rng, 100) < s->lost_percent)
		return true;
	if (rng_below(&s->rng, 100) < s->doubled_percent)
		(void)put_once(s, w, bytes);
	return put_once(s, w, bytes);
}

static inline struct frame take_frame(struct wire *w)
{
	struct frame f = w->frames[w->first];

	w->first = (w->first + 1) % PLACES;
	w->count--;
	return f;
}

static inline void cut_wire(struct wire *w)
{
	while (w->count)
		mem_free(take_frame(w).bytes);
}

static inline bool send_to_master(void *arg, struct str frame)
{
	struct node *n = arg;

	return put_frame(n, &n->to_master, frame);
}

static inline void open_bulk(void *arg, unsigned port)
{
	struct node *n = arg;

	CHECK(n->sim, port == BULK_PORT);
	n->is_bulk_open = true;
}

static inline bool send_bulk(void *arg, struct str frame)
{
	struct node *n = arg;

	CHECK(n->sim, n->is_bulk_open);
	return !n->is_bulk_shut && put_frame(n, &n->bulk, frame);
}

static inline bool send_to_worker(void *arg, const char *id, struct str frame)
{
	struct sim *s = arg;

	for (size_t i = 0; i < s->node_count; i++)
		if (strcmp(s->nodes[i].id, id) == 0)
			return s->nodes[i].is_alive &&
			       put_frame(&s->nodes[i], &s->nodes[i].to_worker, frame);
	return false;
}

/* --- the load ---------------------------------------------------------------------------- */

static inline void load_set_users(void *load, const uint64_t *counts, const char *host,
				  double stop_timeout_s)
{
	struct node *n = load;

	(void)host;
	(void)stop_timeout_s;
	/* Counts are absolute, however often they are said. */
	CHECK(n->sim, counts[0] + counts[1] <= n->sim->users_max);
	memcpy(n->wanted, counts, sizeof(n->wanted));
	n->settle_us = n->sim->now_us + draw_us(n->sim, SETTLE_US);
}

static inline void load_collect(void *load)
{
	struct node *n = load;
	struct answer *a = &n->answers[(n->answer_first + n->answer_count) % 32];

	CHECK(n->sim, n->answer_count < 32);
	n->answer_count++;
	a->at_us = n->sim->now_us + draw_us(n->sim, 2 * CLOCK_MS);
	if (n->answer_count > 1) {
		uint64_t before_us = n->answers[(n->answer_first + n->answer_count - 2) % 32].at_us;

		if (a->at_us < before_us)
			a->at_us = before_us;
	}
	stats_init(&a->delta, WALL_S);
	stats_merge(&a->delta, &n->counted);
	stats_clear(&n->counted, WALL_S);
}

static inline void load_begin_test(void *load, const struct worker_test *test)
{
	(void)load;
	(void)test;
}

static inline void load_set_tasks(void *load, size_t class_index, const struct str *tasks,
				  size_t count)
{
	(void)load;
	(void)class_index;
	(void)tasks;
	(void)count;
}

static inline void load_set_host(void *load, size_t class_index, const char *host)
{
	(void)load;
	(void)class_index;
	(void)host;
}

static const struct worker_load_ops ops = { load_set_users, load_begin_test, load_set_tasks,
					    load_set_host, load_collect };

static inline void make_requests(struct sim *s, struct node *n)
{
	uint64_t users = n->users[0] + n->users[1];

	for (uint64_t times = users ? rng_below(&s->rng, users + 1) : 0; times; times--) {
		/* Over some powers of two. */
		uint64_t service_us = rng_below(&s->rng, 1ull << rng_below(&s->rng, 14));

		if (s->made < SAMPLES)
			s->times_us[s->made] = (uint32_t)service_us;
		stats_record(&n->counted,
			     stats_entry(&n->counted, str_of("GET"),
					 str_of(times % 3 ? "/a" : "/b"), WALL_S),
			     &(struct stats_request){ .service_us = service_us,
						      .content_bytes = 10,
						      .error = times % 7 ? NULL : "broken",
						      .outcome = times % 7 ? STATS_OK
									   : STATS_HTTP_ERROR },
			     WALL_S);
		s->made++;
	}
}

static inline void settle(struct node *n)
{
	memcpy(n->users, n->wanted, sizeof(n->users));
	n->settle_us = UINT64_MAX;
	worker_on_settled(n->worker, n->sim->now_us);
}

static inline void answer(struct node *n)
{
	struct answer a = n->answers[n->answer_first];

	n->answer_first = (n->answer_first + 1) % 32;
	n->answer_count--;
	worker_on_delta(n->worker, &a.delta, n->users, n->sim->now_us);
	stats_fini(&a.delta);
}

/* --- nodes ------------------------------------------------------------------------------- */

static inline void on_reconnect(void *arg)
{
	(void)arg;
}

static inline void on_worker_ended(void *arg, enum err err, const struct err_text *text)
{
	struct node *n = arg;

	(void)text;
	CHECK(n->sim, err == OK && !n->has_ended);
	n->has_ended = true;
}

static inline void begin_node(struct node *n)
{
	struct worker_options options = { .id = n->id,
					  .classes = names,
					  .class_count = CLASSES,
					  .ops = &ops,
					  .load = n,
					  .send = send_to_master,
					  .open_bulk = open_bulk,
					  .send_bulk = send_bulk,
					  .reconnect = on_reconnect,
					  .ended = on_worker_ended,
					  .arg = n };

	n->is_alive = true;
	n->settle_us = UINT64_MAX;
	stats_init(&n->counted, WALL_S);
	n->worker = worker_create(&options, n->sim->now_us);
}

static inline void add_node(struct sim *s)
{
	struct node *n = &s->nodes[s->node_count++];

	n->sim = s;
	snprintf(n->id, sizeof(n->id), "h_%zu", s->node_count);
	begin_node(n);
}

/* kill -9, or the end of an orderly leave: what it has sent still arrives when it left. */
static inline void end_node(struct node *n, bool is_killed)
{
	n->is_alive = false;
	cut_wire(&n->to_worker);
	if (!is_killed)
		return;
	cut_wire(&n->to_master);
	cut_wire(&n->bulk);
}

static inline void fini_node(struct node *n)
{
	for (; n->answer_count; n->answer_count--) {
		stats_fini(&n->answers[n->answer_first].delta);
		n->answer_first = (n->answer_first + 1) % 32;
	}
	cut_wire(&n->to_master);
	cut_wire(&n->to_worker);
	cut_wire(&n->bulk);
	stats_fini(&n->counted);
	worker_destroy(&n->worker);
}

/* Another process under the same name. */
static inline void restart_node(struct node *n)
{
	fini_node(n);
	memset(n->users, 0, sizeof(n->users));
	memset(n->wanted, 0, sizeof(n->wanted));
	n->is_bulk_open = n->has_ended = false;
	begin_node(n);
}

static inline uint64_t node_due_us(const struct node *n)
{
	uint64_t due_us = UINT64_MAX;

	if (n->to_master.count)
		due_us = n->to_master.frames[n->to_master.first].at_us;
	if (n->bulk.count && n->bulk.frames[n->bulk.first].at_us < due_us)
		due_us = n->bulk.frames[n->bulk.first].at_us;
	if (!n->is_alive)
		return due_us;
	if (n->to_worker.count && n->to_worker.frames[n->to_worker.first].at_us < due_us)
		due_us = n->to_worker.frames[n->to_worker.first].at_us;
	if (n->settle_us < due_us)
		due_us = n->settle_us;
	if (n->answer_count && n->answers[n->answer_first].at_us < due_us)
		due_us = n->answers[n->answer_first].at_us;
	return worker_due_us(n->worker) < due_us ? worker_due_us(n->worker) : due_us;
}

static inline void run_node(struct sim *s, struct node *n)
{
	while (n->to_master.count && n->to_master.frames[n->to_master.first].at_us <= s->now_us) {
		struct frame f = take_frame(&n->to_master);

		master_on_frame(s->master, str_of(n->id), (struct str){ f.bytes, f.len },
				s->now_us);
		mem_free(f.bytes);
	}
	while (n->bulk.count && n->bulk.frames[n->bulk.first].at_us <= s->now_us) {
		struct frame f = take_frame(&n->bulk);

		master_on_bulk_frame(s->master, str_of(n->id), (struct str){ f.bytes, f.len },
				     s->now_us);
		mem_free(f.bytes);
	}
	while (n->is_alive && n->to_worker.count &&
	       n->to_worker.frames[n->to_worker.first].at_us <= s->now_us) {
		struct frame f = take_frame(&n->to_worker);

		worker_on_frame(n->worker, (struct str){ f.bytes, f.len }, s->now_us);
		mem_free(f.bytes);
	}
	if (!n->is_alive)
		return;
	if (n->settle_us <= s->now_us)
		settle(n);
	while (n->answer_count && n->answers[n->answer_first].at_us <= s->now_us)
		answer(n);
	if (worker_due_us(n->worker) <= s->now_us)
		worker_tick(n->worker, s->now_us);
	if (n->has_ended)
		end_node(n, false);
}

/* --- the simulation ---------------------------------------------------------------------- */

static inline void on_due_changed(void *arg)
{
	(void)arg;
}

static inline void on_master_ended(void *arg)
{
	struct sim *s = arg;

	CHECK(s, !s->has_ended);
	s->has_ended = true;
}

static inline void on_stopped(void *arg)
{
	struct sim *s = arg;

	s->is_stopped = true;
}

static inline void note_state(struct sim *s, enum run_state before)
{
	enum run_state state = master_run(s->master)->state;

	if (state == RUN_RUNNING && before != RUN_RUNNING)
		s->made_at_running = s->made;
	if (state == RUN_STOPPING && before != RUN_STOPPING)
		s->made_at_stop = s->made;
}

static inline void advance(struct sim *s, uint64_t until_us)
{
	while (s->now_us < until_us) {
		enum run_state before = master_run(s->master)->state;
		uint64_t due_us = master_due_us(s->master);

		for (size_t i = 0; i < s->node_count; i++)
			if (node_due_us(&s->nodes[i]) < due_us)
				due_us = node_due_us(&s->nodes[i]);
		due_us = due_us < s->work_us ? due_us : s->work_us;
		due_us = due_us < until_us ? due_us : until_us;
		s->now_us = due_us > s->now_us ? due_us : s->now_us + 1;
		if (s->now_us >= s->work_us) {
			s->work_us = s->now_us + s->work_every_us;
			for (size_t i = 0; i < s->node_count; i++)
				if (s->nodes[i].is_alive)
					make_requests(s, &s->nodes[i]);
		}
		for (size_t i = 0; i < s->node_count; i++)
			run_node(s, &s->nodes[i]);
		if (master_due_us(s->master) <= s->now_us)
			master_tick(s->master, s->now_us);
		note_state(s, before);
	}
}

/* False when it has not become `state` in time. */
static inline bool advance_to(struct sim *s, enum run_state state, uint64_t within_us)
{
	uint64_t until_us = s->now_us + within_us;

	while (master_run(s->master)->state != state && s->now_us < until_us)
		advance(s, s->now_us + 10 * CLOCK_MS);
	return master_run(s->master)->state == state;
}

/* A refused client_ready is repeated after 5 s. */
static inline void wait_for_workers(struct sim *s, size_t count)
{
	const struct run *run = master_run(s->master);
	uint64_t until_us = s->now_us + 60 * CLOCK_S;

	while (run->mode->worker_count(run) < count && s->now_us < until_us)
		advance(s, s->now_us + 100 * CLOCK_MS);
	CHECK(s, run->mode->worker_count(run) == count);
}

static inline void begin_master(struct sim *s)
{
	struct master_options options = { .run = s->run_options,
					  .bulk_port = BULK_PORT,
					  .wall_offset_s = WALL_S,
					  .send = send_to_worker,
					  .due_changed = on_due_changed,
					  .ended = on_master_ended,
					  .arg = s };

	s->master = master_create(&options, s->now_us);
}

static inline void open_sim(struct sim *s, uint64_t seed, const struct run_options *run,
			    bool is_lossy)
{
	memset(s, 0, sizeof(*s));
	s->run_options = run;
	s->work_every_us = WORK_US;
	s->seed = seed;
	s->now_us = s->work_us = CLOCK_S;
	s->is_lossy = is_lossy;
	rng_init(&s->rng, seed, 0);
	begin_master(s);
}

static inline void close_sim(struct sim *s)
{
	for (size_t i = 0; i < s->node_count; i++)
		fini_node(&s->nodes[i]);
	master_destroy(&s->master);
}

static inline uint64_t users_now(const struct sim *s)
{
	uint64_t users = 0;

	for (size_t i = 0; i < s->node_count; i++)
		for (size_t c = 0; c < CLASSES && s->nodes[i].is_alive; c++)
			users += s->nodes[i].users[c];
	return users;
}

static inline void start(struct sim *s, uint64_t users, double rate)
{
	struct run_start start = { .user_count = users, .spawn_rate = rate };

	s->made = 0;
	s->users_max = users > s->users_max ? users : s->users_max;
	CHECK(s, run_start(master_run(s->master), &start, NULL) == OK);
}

static inline void stop(struct sim *s)
{
	struct run *run = master_run(s->master);

	s->is_stopped = false;
	s->made_at_stop = s->made;
	run_tick(run, s->now_us);
	CHECK(s, run_stop(run, on_stopped, s) == OK);
	/* The simulated users need at most 0.3 s, a refused frame some retries. */
	CHECK(s, advance_to(s, RUN_STOPPED, 7 * CLOCK_S));
	CHECK(s, s->is_stopped);
}

static inline void end_all(struct sim *s)
{
	master_quit(s->master, s->now_us);
	advance(s, s->now_us + 1200 * CLOCK_MS);
	CHECK(s, s->has_ended);
}

static inline uint64_t sum_of_entries(const struct stats *stats)
{
	struct map_entry *slot;
	uint64_t sum = 0;

	for (size_t i = 0; (slot = map_next(&stats->entries, &i));)
		sum += ((struct stats_entry *)slot->value)->num_requests;
	return sum;
}

static inline int compare_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The master's percentiles are those of all samples in one pile, within a bucket of them. */
static inline void check_percentiles(struct sim *s)
{
	static const double shares[] = { 0.01, 0.5, 0.9, 0.99, 0.999, 1 };

	if (!s->made || s->made > SAMPLES)
		return;
	qsort(s->times_us, s->made, sizeof(s->times_us[0]), compare_times);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		double rank = ceil(shares[i] * (double)s->made);
		double truth_us = s->times_us[(size_t)fmax(rank, 1) - 1];
		double said_us = 1000 * stats_percentile_exact_ms(
						&master_run(s->master)->stats.total, shares[i]);

		CHECK(s, fabs(said_us - truth_us) <= truth_us / 1024 + 1);
	}
}

/* Nobody was killed: everything is counted, once. */
static inline void check_counts(struct sim *s)
{
	const struct run *run = master_run(s->master);

	CHECK(s, run->stats.total.num_requests == s->made);
	CHECK(s, sum_of_entries(&run->stats) == s->made);
	CHECK(s, stats_timed(&run->stats.total) == s->made);
	CHECK(s, sum_of_entries(&run->window) == run->window.total.num_requests);
	CHECK(s, run_user_count(run) == 0);
	check_percentiles(s);
}

static const struct run_options plain_run = { .classes = classes, .class_count = CLASSES };
