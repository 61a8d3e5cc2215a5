/* SPDX-License-Identifier: MIT
 *
 * scenarios/inference.c sends what the inference service accepts: its bodies go through the
 * service's own reader. CICADA_INCLUDE is set by the build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "infer/predict_body.h"
#include "serve/serve.h"
#include "user/load.h"

#define ROWS	   30
#define FEATURES   11
#define USERS	   100
#define PATIENCE_S 30

#define QUOTED(name) \
	{ \
		"\"" name "\"", sizeof(name) + 1 \
	}

static const struct schema schema = {
	.rows = ROWS,
	.feature_count = FEATURES,
	.input_count = FEATURES,
	.target_count = 1,
	.features = { QUOTED("down"), QUOTED("up"), QUOTED("rnti_count"), QUOTED("mcs_down"),
		      QUOTED("mcs_up"), QUOTED("bler_down"), QUOTED("bler_up"), QUOTED("prb_down"),
		      QUOTED("prb_up"), QUOTED("sinr_down"), QUOTED("sinr_up") }
};

/* Of each feature. */
static const struct {
	float low, high;
} ranges[FEATURES] = { { 0, 2000 }, { 0, 1000 }, { 1, 40 },  { 0, 28 },	 { 0, 28 }, { 0, 0.1f },
		       { 0, 0.1f }, { 0, 100 },	 { 0, 100 }, { -5, 30 }, { -5, 30 } };

struct target {
	pthread_mutex_t lock; /* guards what follows */
	unsigned predicts, health_checks, metrics, wrong_bodies, wrong_values;
	float first_values[USERS * 4]; /* of the newest row of each body */
	struct ask_fault fault;
};

static void note_values(struct target *t, const float *values)
{
	for (size_t i = 0; i < ROWS * FEATURES; i++)
		if (values[i] < ranges[i % FEATURES].low || values[i] > ranges[i % FEATURES].high)
			t->wrong_values++;
	if (t->predicts < USERS * 4)
		t->first_values[t->predicts] = values[(ROWS - 1) * FEATURES];
	t->predicts++;
}

static void on_predict(void *arg, struct serve_request *r)
{
	static const char reply[] = "{\"predictions\":[0.5],\"model\":\"m\"}";
	struct target *t = arg;
	struct ask ask;

	ask_init(&ask);
	ask_begin(&ask, &schema);
	pthread_mutex_lock(&t->lock);
	if (predict_body_parse(serve_body(r), &ask, &t->fault))
		note_values(t, ask_rows(&ask, 0));
	else
		t->wrong_bodies++;
	pthread_mutex_unlock(&t->lock);
	ask_fini(&ask);
	serve_reply(r, 200, "application/json", reply, sizeof(reply) - 1);
}

static void on_health(void *arg, struct serve_request *r)
{
	struct target *t = arg;

	pthread_mutex_lock(&t->lock);
	t->health_checks++;
	pthread_mutex_unlock(&t->lock);
	serve_reply(r, 200, "text/plain", "ok", 2);
}

static void on_metrics(void *arg, struct serve_request *r)
{
	struct target *t = arg;

	pthread_mutex_lock(&t->lock);
	t->metrics++;
	pthread_mutex_unlock(&t->lock);
	serve_reply(r, 200, "text/plain", "m 1\n", 4);
}

struct run {
	struct loop loop;
	struct load *load;
	struct loop_timer timer, patience;
	struct stats total;
	uint64_t wanted;
	bool is_settling;
};

static void on_timer(void *arg)
{
	load_collect(((struct run *)arg)->load);
}

static void on_patience(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for %d s", PATIENCE_S);
}

static void on_delta(void *arg, const struct stats *delta, const uint64_t *users)
{
	const uint64_t none = 0;
	struct run *run = arg;

	(void)users;
	stats_merge(&run->total, delta);
	if (run->is_settling) {
		loop_stop(&run->loop);
	} else if (run->total.total.num_requests < run->wanted) {
		loop_timer_set(&run->loop, &run->timer, loop_now(&run->loop) + 20 * CLOCK_MS);
	} else {
		run->is_settling = true;
		load_set_users(run->load, &none, NULL, PATIENCE_S);
	}
}

static void on_settled(void *arg)
{
	struct run *run = arg;

	if (run->is_settling)
		load_collect(run->load);
}

/* Until each user has asked at least twice. */
static void run_load(const struct scenario *scenario, const char *host, struct run *run)
{
	struct load_options options = { .scenario = scenario,
					.threads = 2,
					.seed = 1,
					.on_delta = on_delta,
					.on_settled = on_settled,
					.arg = run };
	const uint64_t users = USERS;
	struct err_text text = { 0 };

	*run = (struct run){ .wanted = 2 * USERS };
	assert_int_equal(loop_init(&run->loop, &text), OK);
	stats_init(&run->total, clock_wall_s());
	assert_int_equal(load_create(&run->loop, &options, &run->load, &text), OK);
	loop_timer_init(&run->timer, on_timer, run);
	loop_timer_init(&run->patience, on_patience, run);
	loop_timer_set(&run->loop, &run->patience, clock_us() + PATIENCE_S * CLOCK_S);
	load_set_users(run->load, &users, host, 0);
	load_collect(run->load);
	loop_run(&run->loop);
	load_destroy(&run->load);
	loop_fini(&run->loop);
}

static void the_service_accepts_what_it_sends(void **state)
{
	static const struct serve_route routes[] = { { "POST", "/predict", on_predict },
						     { "GET", "/healthz", on_health },
						     { "GET", "/metrics", on_metrics },
						     { 0 } };
	struct target target = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct serve_options options = {
		.host = "127.0.0.1", .threads = 1, .routes = routes, .arg = &target
	};
	char *path = mem_printf("%s/../scenarios/inference.c", getenv("CICADA_INCLUDE")), *host;
	struct err_text text = { 0 };
	struct scenario scenario;
	struct serve *serve;
	struct run run;

	(void)state;
	if (scenario_load(path, &scenario, &text))
		fail_msg("%s", text.text);
	assert_int_equal(serve_create(&serve, &options, &text), OK);
	host = mem_printf("http://127.0.0.1:%u", serve_port(serve));
	run_load(&scenario, host, &run);
	serve_destroy(&serve, CLOCK_S);

	if (target.wrong_bodies)
		fail_msg("%u wrong bodies: %s", target.wrong_bodies, target.fault.text);
	assert_int_equal(target.wrong_values, 0);
	assert_int_equal(run.total.total.num_failures, 0);
	assert_int_equal(run.total.total.num_requests,
			 target.predicts + target.health_checks + target.metrics);
	assert_int_equal(
		stats_entry(&run.total, str_of("POST"), str_of("/predict"), 0)->num_requests,
		target.predicts);
	assert_in_range(target.predicts * 100 / run.total.total.num_requests, 70, 90);
	/* Each body is another one. */
	for (unsigned i = 0, same = 0; i < target.predicts && i < USERS * 4; i++) {
		for (unsigned k = 0; k < i; k++)
			same += target.first_values[i] == target.first_values[k];
		assert_true(same <= 3); /* of 200,000 values, by chance */
	}
	stats_fini(&run.total);
	scenario_unload(&scenario);
	mem_free(host);
	mem_free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_service_accepts_what_it_sends) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
