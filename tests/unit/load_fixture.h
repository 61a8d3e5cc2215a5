/* SPDX-License-Identifier: MIT
 *
 * load_fixture - a load against a server of ours on loopback that counts its requests. */
#pragma once

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
#include "serve/serve.h"
#include "user/load.h"

/* More rows of the server's table of routes, by the test that includes this. */
#ifndef RIG_ROUTES
#define RIG_ROUTES
#endif

/* Nothing here takes that long; a hang fails instead. */
#define PATIENCE_S 20
#define HUNG_MAX   64

/* What the server saw. */
static struct {
	atomic_uint count, bye_count, body_bytes;
	pthread_mutex_t lock; /* guards what follows */
	struct serve_request *hung[HUNG_MAX];
	unsigned hung_count;
	char header[256], path[256];
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct rig {
	struct loop loop;
	struct load *load;
	struct loop_timer patience, tick;
	struct stats total;
	uint64_t users[4]; /* of the last delta */
	uint64_t requests_wanted;
	unsigned settled, deltas;
	struct serve *serve;
	struct scenario scenario;
	char host[64];
};

static void note_request(struct serve_request *r)
{
	const char *header = serve_header(r, "X-Test");

	atomic_fetch_add(&seen.count, 1);
	atomic_fetch_add(&seen.body_bytes, (unsigned)serve_body(r).len);
	pthread_mutex_lock(&seen.lock);
	snprintf(seen.header, sizeof(seen.header), "%s", header ? header : "");
	snprintf(seen.path, sizeof(seen.path), "%s", serve_path(r));
	pthread_mutex_unlock(&seen.lock);
}

static void reply_ok(void *arg, struct serve_request *r)
{
	static const char body[] = "{\"predictions\": [1]}";

	(void)arg;
	note_request(r);
	serve_add_header(r, "X-Reply", "yes");
	serve_reply(r, 200, "application/json", body, sizeof(body) - 1);
}

static void reply_bye(void *arg, struct serve_request *r)
{
	atomic_fetch_add(&seen.bye_count, 1);
	reply_ok(arg, r);
}

static void reply_missing(void *arg, struct serve_request *r)
{
	(void)arg;
	note_request(r);
	serve_error(r, 404, "no such thing");
}

static void reply_later(void *arg, struct serve_request *r)
{
	(void)arg;
	note_request(r);
	serve_defer(r);
	pthread_mutex_lock(&seen.lock);
	assert_true(seen.hung_count < HUNG_MAX);
	seen.hung[seen.hung_count++] = r;
	pthread_mutex_unlock(&seen.lock);
}

static inline unsigned hung_count(void)
{
	unsigned count;

	pthread_mutex_lock(&seen.lock);
	count = seen.hung_count;
	pthread_mutex_unlock(&seen.lock);
	return count;
}

static void answer_hung(void)
{
	pthread_mutex_lock(&seen.lock);
	while (seen.hung_count)
		serve_reply(seen.hung[--seen.hung_count], 200, NULL, "late", 4);
	pthread_mutex_unlock(&seen.lock);
}

static void on_patience(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for %d s", PATIENCE_S);
}

static void on_delta(void *arg, const struct stats *delta, const uint64_t *users)
{
	struct rig *rig = arg;

	rig->deltas++;
	stats_merge(&rig->total, delta);
	memcpy(rig->users, users, rig->scenario.class_count * sizeof(*users));
	if (!rig->requests_wanted || rig->total.total.num_requests >= rig->requests_wanted)
		loop_stop(&rig->loop);
	else
		loop_timer_set(&rig->loop, &rig->tick, loop_now(&rig->loop) + 10 * CLOCK_MS);
}

static void on_tick(void *arg)
{
	load_collect(((struct rig *)arg)->load);
}

static void on_settled(void *arg)
{
	struct rig *rig = arg;

	rig->settled++;
	loop_stop(&rig->loop);
}

static void rig_run(struct rig *rig)
{
	loop_timer_set(&rig->loop, &rig->patience, clock_us() + PATIENCE_S * CLOCK_S);
	loop_run(&rig->loop);
	loop_timer_clear(&rig->loop, &rig->patience);
}

/* Sets the numbers of users and waits until they are reached. */
static void rig_set(struct rig *rig, uint64_t first, uint64_t second, double stop_timeout_s)
{
	const uint64_t counts[] = { first, second };
	unsigned before = rig->settled;

	load_set_users(rig->load, counts, NULL, stop_timeout_s);
	rig_run(rig);
	assert_int_equal(rig->settled, before + 1);
}

/* Collects until so many requests were counted in all; 0: once. */
static void rig_collect(struct rig *rig, uint64_t requests)
{
	rig->requests_wanted = requests;
	load_collect(rig->load);
	rig_run(rig);
}

static void rig_start_server(struct rig *rig)
{
	static const struct serve_route routes[] = { { "GET", "/ok", reply_ok },
						     { "POST", "/ok", reply_ok },
						     { "GET", "/base/ok", reply_ok },
						     { "GET", "/bye", reply_bye },
						     { "GET", "/missing", reply_missing },
						     { "GET", "/hang", reply_later },
						     RIG_ROUTES{ 0 } };
	struct serve_options options = { .host = "127.0.0.1", .threads = 1, .routes = routes };
	struct err_text text = { 0 };

	atomic_store(&seen.count, 0);
	atomic_store(&seen.bye_count, 0);
	atomic_store(&seen.body_bytes, 0);
	assert_int_equal(serve_create(&rig->serve, &options, &text), OK);
	snprintf(rig->host, sizeof(rig->host), "http://127.0.0.1:%u", serve_port(rig->serve));
}

static void rig_begin(struct rig *rig, const struct cic_user_class *const *classes, size_t count,
		      unsigned threads, uint64_t seed)
{
	struct load_options options = { .scenario = &rig->scenario,
					.threads = threads,
					.seed = seed,
					.on_delta = on_delta,
					.on_settled = on_settled,
					.arg = rig };
	static const uint64_t none[4];
	struct err_text text = { 0 };

	*rig = (struct rig){ .scenario = { .classes = classes, .class_count = count } };
	rig_start_server(rig);
	assert_int_equal(loop_init(&rig->loop, &text), OK);
	loop_timer_init(&rig->patience, on_patience, rig);
	loop_timer_init(&rig->tick, on_tick, rig);
	stats_init(&rig->total, clock_wall_s());
	assert_int_equal(load_create(&rig->loop, &options, &rig->load, &text), OK);
	load_set_users(rig->load, none, rig->host, 0);
	rig_run(rig);
}

static void rig_end(struct rig *rig)
{
	load_destroy(&rig->load);
	assert_null(rig->load);
	answer_hung();
	serve_destroy(&rig->serve, CLOCK_S);
	stats_fini(&rig->total);
	loop_fini(&rig->loop);
}

/* Occurrences of this error in all. */
static uint64_t rig_errors(const struct rig *rig, const char *text)
{
	struct map_entry *slot;
	uint64_t sum = 0;

	for (size_t i = 0; (slot = map_next(&rig->total.errors, &i));) {
		const struct stats_error *error = slot->value;

		if (strstr(error->error, text))
			sum += error->occurrences;
	}
	return sum;
}
