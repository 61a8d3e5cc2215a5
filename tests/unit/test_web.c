/* SPDX-License-Identifier: MIT
 *
 * web: Locust's HTTP API over real sockets, with a run whose mode only notes what it was told.
 * Client and server share one loop and one thread: a call turns the loop until its reply is
 * whole. The expected replies are those of a real Locust 2.46.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "web/web.h"

#define REPLY_BYTES (16 * 1024 * 1024)
#define GUARD_US    (20 * CLOCK_S)

/* The run and its mode. */

static struct loop loop;
static struct run run;
static struct web *web;
static struct err_text text;
static struct {
	unsigned starts, stops;
	struct run_start last;
	char host[128];
	size_t workers;
	bool stops_at_once;
} mode;

static enum err on_start(struct run *r, const struct run_start *start, struct err_text *out)
{
	(void)r;
	(void)out;
	mode.starts++;
	mode.last = *start;
	snprintf(mode.host, sizeof(mode.host), "%s", start->host ? start->host : "(null)");
	return OK;
}

static void on_stop(struct run *r)
{
	mode.stops++;
	if (mode.stops_at_once)
		run_set_state(r, RUN_STOPPED);
}

static bool no_worker(const struct run *r, size_t i, struct run_worker *out)
{
	(void)r;
	(void)i;
	(void)out;
	return false;
}

static bool some_worker(const struct run *r, size_t i, struct run_worker *out)
{
	(void)r;
	*out = (struct run_worker){ .id = i ? "host_2" : "host_1",
				    .state = i ? RUN_MISSING : RUN_RUNNING,
				    .user_count = i ? 0 : 9,
				    .cpu_usage = i ? NAN : 12.5,
				    .memory_usage = 1000 };
	return i < mode.workers;
}

static size_t count_workers(const struct run *r)
{
	(void)r;
	return mode.workers;
}

static const struct run_mode local_mode = {
	.start = on_start, .stop = on_stop, .worker = no_worker, .worker_count = count_workers
};
static const struct run_mode master_mode = { .is_distributed = true,
					     .start = on_start,
					     .stop = on_stop,
					     .worker = some_worker,
					     .worker_count = count_workers };

static const struct run_task tasks[] = { { "index", 4 }, { "slow", 2 }, { "fail", 2 } };
static const struct run_class classes[] = { { .name = "Alpha", .tasks = tasks, .task_count = 3 },
					    { .name = "Beta", .tasks = tasks, .task_count = 1 } };

static int begin(const struct run_mode *of)
{
	struct run_options options = {
		.classes = classes, .class_count = 2, .stop_timeout_s = 1, .scenario_name = "some.c"
	};

	memset(&mode, 0, sizeof(mode));
	assert_int_equal(loop_init(&loop, &text), OK);
	run_init(&run, of, &options, 1700000000.0 - (double)loop.now_us / CLOCK_S, loop.now_us);
	assert_int_equal(
		web_create(&loop, &run, &(struct web_options){ .host = "127.0.0.1" }, &web, &text),
		OK);
	return 0;
}

static int begin_local(void **state)
{
	(void)state;
	return begin(&local_mode);
}

static int begin_master(void **state)
{
	(void)state;
	return begin(&master_mode);
}

static int end(void **state)
{
	(void)state;
	web_destroy(&web);
	assert_null(web);
	run_fini(&run);
	loop_fini(&loop);
	return 0;
}

/* The client. */

struct call {
	int fd;
	struct loop_watch watch;
	struct buf reply;
	bool is_over;
	int status;
	const char *body;
};

static void on_reply(void *arg, uint32_t events)
{
	struct call *c = arg;
	char *room = buf_room(&c->reply, 65536);
	ssize_t got = recv(c->fd, room, 65536, MSG_DONTWAIT);

	(void)events;
	if (got > 0) {
		c->reply.len += (size_t)got;
		return;
	}
	c->is_over = true;
	loop_unwatch(&loop, &c->watch);
	loop_stop(&loop);
}

static void begin_call(struct call *c, const char *method, const char *path, const char *type,
		       const char *body)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(web_port(web)) };
	char head[1024];

	*c = (struct call){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	buf_init(&c->reply, REPLY_BYTES);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	snprintf(head, sizeof(head),
		 "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: %s\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 method, path, type, strlen(body));
	assert_int_equal(send(c->fd, head, strlen(head), 0), (int)strlen(head));
	assert_int_equal(send(c->fd, body, strlen(body), 0), (int)strlen(body));
	assert_int_equal(loop_watch(&loop, &c->watch, c->fd, EPOLLIN, on_reply, c), OK);
}

static void on_guard(void *arg)
{
	*(bool *)arg = true;
	loop_stop(&loop);
}

/* Turns the loop for so long, or until a call is over. */
static bool turn_for(uint64_t us)
{
	struct loop_timer timer;
	bool is_late = false;

	loop_timer_init(&timer, on_guard, &is_late);
	loop_timer_set(&loop, &timer, clock_us() + us);
	loop_run(&loop);
	loop_timer_clear(&loop, &timer);
	return is_late;
}

static void await(struct call *c)
{
	while (!c->is_over)
		assert_false(turn_for(GUARD_US));
	buf_add(&c->reply, "", 0);
	assert_int_equal(strncmp(c->reply.p, "HTTP/1.1 ", 9), 0);
	c->status = atoi(c->reply.p + 9);
	c->body = strstr(c->reply.p, "\r\n\r\n") + 4;
}

static void end_call(struct call *c)
{
	close(c->fd);
	buf_fini(&c->reply);
}

static void call(struct call *c, const char *method, const char *path)
{
	begin_call(c, method, path, "text/plain", "");
	await(c);
}

static json_t *get_json(const char *path)
{
	struct call c;
	json_t *root;

	call(&c, "GET", path);
	assert_int_equal(c.status, 200);
	assert_non_null(strstr(c.reply.p, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(c.reply.p, "Access-Control-Allow-Origin: *\r\n"));
	assert_null(strstr(c.body, "nan"));
	assert_int_equal(c.body[strlen(c.body) - 2], '}');
	assert_int_equal(c.body[strlen(c.body) - 1], '\n');
	root = json_loads(c.body, 0, NULL);
	assert_non_null(root);
	end_call(&c);
	return root;
}

static void expect_body(const char *path, const char *body)
{
	struct call c;

	call(&c, "GET", path);
	assert_int_equal(c.status, 200);
	assert_string_equal(c.body, body);
	end_call(&c);
}

static void expect_swarm(const char *type, const char *form, const char *reply)
{
	struct call c;

	begin_call(&c, "POST", "/swarm", type, form);
	await(&c);
	assert_int_equal(c.status, 200);
	assert_string_equal(c.body, reply);
	end_call(&c);
}

#define FORM "application/x-www-form-urlencoded"

/* Numbers of a test. */

static void record(const char *name, uint64_t us, const char *error)
{
	double now = run_wall_s(&run);
	struct stats delta;

	stats_init(&delta, now);
	stats_record(&delta, stats_entry(&delta, str_of("GET"), str_of(name), now), us, 10, error,
		     now);
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
}

static void start_running(void)
{
	struct run_start start = { .user_count = 3, .spawn_rate = 1 };

	assert_int_equal(run_start(&run, &start, &text), OK);
	run.users_per_class[0] = 2;
	run.users_per_class[1] = 1;
	run_set_state(&run, RUN_RUNNING);
}

static const json_t *row_of(const json_t *root, const char *name)
{
	const json_t *rows = json_object_get(root, "stats");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!strcmp(json_string_value(json_object_get(row, "name")), name))
			return row;
	}
	fail_msg("no row %s", name);
	return NULL;
}

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		fail_msg("%s is not a number", key);
	return json_number_value(value);
}

/* Tests. */

static void test_idle_master_is_locusts(void **state)
{
	(void)state;
	expect_body("/stats/requests", "{\n"
				       "  \"current_fail_per_sec\": 0.0,\n"
				       "  \"current_response_time_percentiles\": {\n"
				       "    \"response_time_percentile_0.5\": 0,\n"
				       "    \"response_time_percentile_0.95\": 0\n"
				       "  },\n"
				       "  \"current_rps\": 0.0,\n"
				       "  \"errors\": [],\n"
				       "  \"fail_ratio\": 0.0,\n"
				       "  \"state\": \"ready\",\n"
				       "  \"stats\": [\n"
				       "    {\n"
				       "      \"avg_content_length\": 0.0,\n"
				       "      \"avg_response_time\": 0.0,\n"
				       "      \"current_fail_per_sec\": 0.0,\n"
				       "      \"current_rps\": 0.0,\n"
				       "      \"max_response_time\": 0.0,\n"
				       "      \"median_response_time\": 0,\n"
				       "      \"method\": \"\",\n"
				       "      \"min_response_time\": 0.0,\n"
				       "      \"name\": \"Aggregated\",\n"
				       "      \"ninetieth_response_time\": 0,\n"
				       "      \"ninety_ninth_response_time\": 0,\n"
				       "      \"num_failures\": 0,\n"
				       "      \"num_requests\": 0,\n"
				       "      \"response_time_percentile_0.95\": 0,\n"
				       "      \"response_time_percentile_0.99\": 0,\n"
				       "      \"total_fail_per_sec\": 0.0,\n"
				       "      \"total_rps\": 0.0\n"
				       "    }\n"
				       "  ],\n"
				       "  \"total_fail_per_sec\": 0.0,\n"
				       "  \"total_rps\": 0.0,\n"
				       "  \"user_count\": 0,\n"
				       "  \"worker_count\": 0,\n"
				       "  \"workers\": []\n"
				       "}\n");
}

static void test_swarm_starts(void **state)
{
	(void)state;
	expect_swarm(FORM,
		     "user_count=9&spawn_rate=2.5&host=http%3A%2F%2F127.0.0.1%3A18080&x=%3Cignored",
		     "{\n  \"host\": \"http://127.0.0.1:18080\",\n"
		     "  \"message\": \"Swarming started\",\n  \"success\": true\n}\n");
	assert_int_equal(mode.starts, 1);
	assert_int_equal(mode.last.user_count, 9);
	assert_true(mode.last.spawn_rate == 2.5);
	assert_string_equal(mode.host, "http://127.0.0.1:18080");
	/* An edit keeps the host; a run time is told in seconds. */
	expect_swarm(FORM, "user_count=20&spawn_rate=2&run_time=1m4s",
		     "{\n  \"host\": \"http://127.0.0.1:18080\",\n"
		     "  \"message\": \"Swarming started\",\n  \"run_time\": 64,\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.last.run_time_s, 64);
}

static void test_swarm_takes_json_too(void **state)
{
	(void)state;
	expect_swarm("application/json; charset=utf-8",
		     "{\"user_count\": 200, \"spawn_rate\": 20.5, \"host\": \"http://a:8000\"}",
		     "{\n  \"host\": \"http://a:8000\",\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.last.user_count, 200);
	assert_true(mode.last.spawn_rate == 20.5);
}

static void test_swarm_says_what_is_wrong(void **state)
{
	static const struct {
		const char *form, *message;
	} cases[] = {
		{ "", "Missing user_count or spawn_rate from /swarm request" },
		{ "user_count=1", "Missing user_count or spawn_rate from /swarm request" },
		{ "spawn_rate=1", "Missing user_count or spawn_rate from /swarm request" },
		{ "user_count=0&spawn_rate=1",
		  "Missing user_count or spawn_rate from /swarm request" },
		{ "user_count=1&spawn_rate=0",
		  "Missing user_count or spawn_rate from /swarm request" },
		{ "user_count=x&spawn_rate=1",
		  "Invalid user_count value: 'x' (must be an integer)" },
		{ "user_count=1.5&spawn_rate=1",
		  "Invalid user_count value: '1.5' (must be an integer)" },
		{ "user_count=1&spawn_rate=fast",
		  "Invalid spawn_rate value: 'fast' (must be a number)" },
		{ "user_count=1&spawn_rate=nan",
		  "Invalid spawn_rate value: 'nan' (must be a number)" },
		{ "user_count=1&spawn_rate=1&run_time=soon",
		  "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc." },
		{ "user_count=-5&spawn_rate=1",
		  "user_count must be a whole number from 1 to 10000000" },
		{ "user_count=99999999999999999999999&spawn_rate=1",
		  "user_count must be a whole number from 1 to 10000000" },
		{ "user_count=5&spawn_rate=-1", "spawn_rate must be a number from 1e-06 upwards" },
		{ "user_count=%ff&spawn_rate=1",
		  "Invalid user_count value: '\xef\xbf\xbd' (must be an integer)" },
		{ "%zz=&&&=&user_count", "Missing user_count or spawn_rate from /swarm request" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *reply = mem_printf(
			"{\n  \"host\": null,\n  \"message\": \"%s\",\n  \"success\": false\n}\n",
			cases[i].message);

		expect_swarm(FORM, cases[i].form, reply);
		mem_free(reply);
	}
	expect_swarm("application/json", "{\"user_count\": [1], \"spawn_rate\": null",
		     "{\n  \"host\": null,\n"
		     "  \"message\": \"Missing user_count or spawn_rate from /swarm request\",\n"
		     "  \"success\": false\n}\n");
	assert_int_equal(mode.starts, 0);
	assert_int_equal(run.state, RUN_READY);
}

static void test_swarm_without_workers_is_locusts(void **state)
{
	(void)state;
	expect_swarm(FORM, "user_count=3&spawn_rate=1",
		     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.starts, 0);
	assert_int_equal(run.state, RUN_READY);
}

static void test_swarm_while_stopping_is_refused(void **state)
{
	struct call c;

	(void)state;
	start_running();
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	begin_call(&c, "POST", "/swarm", FORM, "user_count=3&spawn_rate=1");
	await(&c);
	assert_non_null(strstr(c.body, "\"success\": false"));
	assert_non_null(strstr(c.body, "still stopping"));
	end_call(&c);
}

#define STOPPED "{\n  \"message\": \"Test stopped\",\n  \"success\": true\n}\n"

static void test_stop_answers_when_stopped(void **state)
{
	struct call c, second;

	(void)state;
	start_running();
	begin_call(&c, "GET", "/stop", "text/plain", "");
	begin_call(&second, "GET", "/stop", "text/plain", "");
	while (run.stop_waiter_count < 2)
		turn_for(CLOCK_MS);
	assert_false(c.is_over);
	assert_int_equal(mode.stops, 1);
	/* Other calls go on meanwhile. */
	json_decref(get_json("/stats/requests"));
	run_set_state(&run, RUN_STOPPED);
	await(&c);
	await(&second);
	assert_string_equal(c.body, STOPPED);
	assert_string_equal(second.body, STOPPED);
	end_call(&c);
	end_call(&second);
}

static void test_stop_answers_at_once_when_it_can(void **state)
{
	(void)state;
	expect_body("/stop", STOPPED); /* nothing runs */
	assert_int_equal(mode.stops, 0);
	mode.stops_at_once = true;
	start_running();
	expect_body("/stop", STOPPED);
	assert_int_equal(mode.stops, 1);
}

static void test_stop_is_bounded(void **state)
{
	struct call calls[LIMIT_API_STOPS], more;

	(void)state;
	start_running();
	for (size_t i = 0; i < LIMIT_API_STOPS; i++)
		begin_call(&calls[i], "GET", "/stop", "text/plain", "");
	while (run.stop_waiter_count < LIMIT_API_STOPS)
		turn_for(CLOCK_MS);
	call(&more, "GET", "/stop");
	assert_int_equal(more.status, 503);
	end_call(&more);
	/* The end of the server answers them too. */
	web_destroy(&web);
	assert_int_equal(run.stop_waiter_count, 0);
	for (size_t i = 0; i < LIMIT_API_STOPS; i++) {
		await(&calls[i]);
		assert_int_equal(calls[i].status, 503);
		assert_non_null(strstr(calls[i].body, "\"success\": false"));
		end_call(&calls[i]);
	}
}

static void test_requests_have_both_generations_of_names(void **state)
{
	const json_t *row, *workers;
	json_t *root;

	(void)state;
	mode.workers = 2;
	start_running();
	for (int i = 0; i < 9; i++)
		record("/a", 150000, NULL);
	record("/a", 900000, "boom");
	record("/b", 2000, NULL);
	root = get_json("/stats/requests");
	row = row_of(root, "/a");
	assert_true(number(row, "num_requests") == 10);
	assert_true(number(row, "num_failures") == 1);
	assert_true(number(row, "median_response_time") == 150);
	assert_true(number(row, "ninetieth_response_time") == 900);
	assert_true(number(row, "ninety_ninth_response_time") == 900);
	assert_true(number(row, "response_time_percentile_0.95") == 900);
	assert_true(number(row, "response_time_percentile_0.99") == 900);
	assert_true(number(row, "max_response_time") == 900);
	assert_true(number(row, "min_response_time") == 150);
	assert_true(number(row, "avg_content_length") == 10);
	row = json_array_get(json_object_get(root, "stats"), 2);
	assert_string_equal(json_string_value(json_object_get(row, "name")), "Aggregated");
	assert_true(number(row, "num_requests") == 11);
	row = json_array_get(json_object_get(root, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "error")), "boom");
	assert_true(number(row, "occurrences") == 1);
	assert_string_equal(json_string_value(json_object_get(root, "state")), "running");
	assert_true(number(root, "user_count") == 3);
	assert_true(number(root, "worker_count") == 2);
	workers = json_object_get(root, "workers");
	assert_true(number(json_array_get(workers, 0), "cpu_usage") == 12.5);
	assert_string_equal(json_string_value(json_object_get(json_array_get(workers, 1), "state")),
			    "missing");
	assert_true(json_is_null(json_object_get(json_array_get(workers, 1), "cpu_usage")));
	json_decref(root);
}

static void test_requests_are_cached_but_not_over_a_change(void **state)
{
	json_t *root;

	(void)state;
	start_running();
	record("/a", 1000, NULL);
	json_decref(get_json("/stats/requests"));
	record("/a", 1000, NULL);
	root = get_json("/stats/requests");
	assert_true(number(row_of(root, "/a"), "num_requests") == 1);
	assert_null(json_object_get(root, "workers")); /* no list in local mode */
	json_decref(root);
	expect_body("/stats/reset", "ok");
	root = get_json("/stats/requests");
	assert_true(number(row_of(root, "/a"), "num_requests") == 0);
	json_decref(root);
}

static void test_rows_are_limited(void **state)
{
	json_t *root;
	char name[32];

	(void)state;
	start_running();
	for (int i = 0; i < LIMIT_API_ROWS + 10; i++) {
		snprintf(name, sizeof(name), "/%04d", i);
		record(name, 1000, name);
	}
	root = get_json("/stats/requests");
	assert_int_equal(json_array_size(json_object_get(root, "stats")), LIMIT_API_ROWS + 1);
	assert_int_equal(json_array_size(json_object_get(root, "errors")), LIMIT_API_ROWS);
	json_decref(root);
}

static void test_window_is_exact(void **state)
{
	const json_t *row, *window;
	json_t *root;

	(void)state;
	root = get_json("/stats/window");
	assert_true(json_is_false(json_object_get(json_object_get(root, "window"), "is_open")));
	assert_true(json_is_null(
		json_object_get(row_of(root, "Aggregated"), "response_time_percentile_0.95")));
	json_decref(root);

	start_running();
	run_reset_stats(&run);
	record("/a", 151300, NULL);
	root = get_json("/stats/window");
	window = json_object_get(root, "window");
	assert_true(json_is_true(json_object_get(window, "is_open")));
	assert_true(number(window, "duration_s") >= 0);
	json_decref(root);
	turn_for(20 * CLOCK_MS);
	run_tick(&run, loop_now(&loop));
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run_set_state(&run, RUN_STOPPED);
	root = get_json("/stats/window");
	window = json_object_get(root, "window");
	assert_true(json_is_false(json_object_get(window, "is_open")));
	assert_true(fabs(number(window, "duration_s") - run_window_s(&run, 0)) < 1e-9);
	assert_true(number(window, "duration_s") >= 0.02);
	assert_true(number(json_object_get(root, "total"), "num_requests") == 1);
	assert_true(number(json_object_get(root, "total"), "num_failures") == 0);
	row = row_of(root, "Aggregated");
	assert_true(number(row, "num_requests") == 1);
	assert_true(fabs(number(row, "requests_per_s") * number(window, "duration_s") - 1) < 1e-6);
	/* Three digits, where Locust would say 150. */
	assert_true(fabs(number(row, "response_time_percentile_0.9") - 151.3) < 0.2);
	assert_true(fabs(number(row, "response_time_percentile_0.95") - 151.3) < 0.2);
	assert_true(fabs(number(row, "response_time_percentile_0.99") - 151.3) < 0.2);
	assert_true(fabs(number(row, "median_response_time") - 151.3) < 0.2);
	assert_true(fabs(number(row, "avg_response_time") - 151.3) < 1e-6);
	json_decref(root);
}

static void test_exceptions(void **state)
{
	(void)state;
	expect_body("/exceptions", "{\n  \"exceptions\": []\n}\n");
	run_add_exception(&run, str_of("host_1"), str_of("user exception <b>"),
			  str_of("  File \"x.py\"\n"), 2);
	run_add_exception(&run, str_of("host_2"), str_of("other"), str_of("  File \"x.py\"\n"), 1);
	expect_body("/exceptions",
		    "{\n  \"exceptions\": [\n    {\n      \"count\": 3,\n"
		    "      \"msg\": \"user exception <b>\",\n"
		    "      \"nodes\": \"host_1, host_2\",\n"
		    "      \"traceback\": \"  File \\\"x.py\\\"\\n\"\n    }\n  ]\n}\n");
	expect_body("/exceptions/csv", "Count,Message,Traceback,Nodes\r\n3,user exception <b>,"
				       "\"  File \"\"x.py\"\"\n\",\"host_1, host_2\"\r\n");
}

static void test_tasks(void **state)
{
	(void)state;
	start_running();
	run.users_per_class[0] = 3;
	expect_body(
		"/tasks",
		"{\n  \"per_class\": {\n    \"Alpha\": {\n      \"ratio\": 0.75,\n"
		"      \"tasks\": {\n        \"fail\": {\n          \"ratio\": 0.25\n        },\n"
		"        \"index\": {\n          \"ratio\": 0.5\n        },\n"
		"        \"slow\": {\n          \"ratio\": 0.25\n        }\n      }\n    },\n"
		"    \"Beta\": {\n      \"ratio\": 0.25,\n      \"tasks\": {\n"
		"        \"index\": {\n          \"ratio\": 1.0\n        }\n      }\n    }\n"
		"  },\n  \"total\": {\n    \"Alpha\": {\n      \"ratio\": 0.75,\n"
		"      \"tasks\": {\n        \"fail\": {\n          \"ratio\": 0.1875\n"
		"        },\n        \"index\": {\n          \"ratio\": 0.375\n        },\n"
		"        \"slow\": {\n          \"ratio\": 0.1875\n        }\n      }\n    },\n"
		"    \"Beta\": {\n      \"ratio\": 0.25,\n      \"tasks\": {\n"
		"        \"index\": {\n          \"ratio\": 0.25\n        }\n      }\n    }\n"
		"  }\n}\n");
}

static void test_csv_is_locusts(void **state)
{
	struct stats_entry *e = stats_entry(&run.stats, str_of("GET"), str_of("/a,b"), 1000);

	(void)state;
	/* The entry "/slow" of a real test, and what its CSV said. */
	e->num_requests = run.stats.total.num_requests = 9;
	e->total_response_time_ms = 9 * 156.56093144444742;
	e->min_response_time_ms = 151.6334339999048;
	e->max_response_time_ms = 193.1275069998719;
	e->total_content_length = 108;
	rounded_add(&e->rounded, 150, 8);
	rounded_add(&e->rounded, 190, 1);
	run.stats.total.start_time = 1000;
	run.stats.total.last_request_timestamp = 1010;
	expect_body("/stats/requests/csv",
		    "Type,Name,Request Count,Failure Count,Median Response Time,"
		    "Average Response Time,Min Response Time,Max Response Time,"
		    "Average Content Size,Requests/s,Failures/s,"
		    "50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%\r\n"
		    "GET,\"/a,b\",9,0,151.6334339999048,156.56093144444742,151.6334339999048,"
		    "193.1275069998719,12.0,0.9,0.0,"
		    "150,150,150,150,190,190,190,190,190,190,190\r\n"
		    ",Aggregated,9,0,0,0.0,0,0,0.0,0.9,0.0,0,0,0,0,0,0,0,0,0,0,0\r\n");
}

static void test_csv_of_nothing_and_its_name(void **state)
{
	struct call c;

	(void)state;
	run.host = mem_strdup("http://h:1\r\nEvil: yes");
	call(&c, "GET", "/stats/requests/csv");
	assert_non_null(strstr(c.body, "\r\n,Aggregated,0,0,0,0.0,0,0,0.0,0.0,0.0,N/A,N/A,N/A,N/A,"
				       "N/A,N/A,N/A,N/A,N/A,N/A,N/A\r\n"));
	assert_non_null(strstr(c.reply.p, "Content-Type: text/csv\r\n"));
	assert_non_null(strstr(c.reply.p, "Content-disposition: attachment;filename=Locust_"));
	assert_non_null(strstr(c.reply.p, "_some.c_http://h:1"));
	assert_null(strstr(c.reply.p, "\nEvil: yes"));
	end_call(&c);
}

static void test_failures_csv(void **state)
{
	(void)state;
	stats_add_error(&run.stats, str_of("b"), str_of("POST"), str_of("POST json"),
			str_of("CatchResponseError('bad, content')"), 6, 0, 0);
	stats_add_error(&run.stats, str_of("a"), str_of("GET"), str_of("/fail"),
			str_of("HTTPError('500')"), 9, 1795468985.03, 1795468990.7);
	expect_body("/stats/failures/csv",
		    "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n"
		    "GET,/fail,HTTPError('500'),9,2026-11-23T21:23:05Z,2026-11-23T21:23:10Z\r\n"
		    "POST,POST json,\"CatchResponseError('bad, content')\",6,,\r\n");
}

static void test_worker_count(void **state)
{
	(void)state;
	mode.workers = 4;
	expect_body("/worker-count", "{\n  \"worker_count\": 4\n}\n");
}

static void test_page_is_whole_and_closed(void **state)
{
	struct call c;

	(void)state;
	run.host = mem_strdup("http://h:1/\"><script>");
	call(&c, "GET", "/");
	assert_int_equal(c.status, 200);
	assert_non_null(strstr(c.reply.p, "Content-Security-Policy: default-src 'none'"));
	assert_non_null(strstr(c.reply.p, "Content-Type: text/html; charset=utf-8\r\n"));
	assert_non_null(strstr(c.body, "value=\"http://h:1/&quot;&gt;&lt;script&gt;\""));
	assert_non_null(strstr(c.body, "some.c"));
	assert_null(strstr(c.body, "{{"));
	assert_non_null(strstr(c.body, "</html>"));
	end_call(&c);
	call(&c, "GET", "/assets/page.js");
	assert_non_null(strstr(c.reply.p, "Content-Type: text/javascript"));
	assert_non_null(strstr(c.body, "stats/requests"));
	end_call(&c);
	call(&c, "GET", "/assets/page.css");
	assert_non_null(strstr(c.reply.p, "Content-Type: text/css"));
	end_call(&c);
}

static void test_wrong_paths_and_methods(void **state)
{
	struct call c;

	(void)state;
	call(&c, "GET", "/swarm");
	assert_int_equal(c.status, 405);
	assert_non_null(strstr(c.reply.p, "Allow: "));
	end_call(&c);
	call(&c, "POST", "/stop");
	assert_int_equal(c.status, 405);
	end_call(&c);
	call(&c, "GET", "/nothing");
	assert_int_equal(c.status, 404);
	end_call(&c);
	call(&c, "OPTIONS", "/stats/requests");
	assert_true(c.status == 200 || c.status == 204);
	assert_non_null(strstr(c.reply.p, "Access-Control-Allow-Methods:"));
	end_call(&c);
}

static void test_time_goes_on_without_calls(void **state)
{
	struct run_start start = { .user_count = 1, .spawn_rate = 1, .run_time_s = 1 };

	(void)state;
	assert_int_equal(run_start(&run, &start, &text), OK);
	while (run.state == RUN_SPAWNING)
		assert_false(turn_for(GUARD_US) && run.state == RUN_SPAWNING);
	assert_int_equal(run.state, RUN_STOPPING);
}

static void test_taken_port_is_said(void **state)
{
	struct web_options options = { .host = "127.0.0.1", .port = web_port(web) };
	struct web *none = NULL;
	char port[16];

	(void)state;
	assert_int_equal(web_create(&loop, &run, &options, &none, &text), ERR_BUSY);
	snprintf(port, sizeof(port), "%u", options.port);
	assert_non_null(strstr(text.text, port));
	assert_null(none);
}

#define LOCAL(name)  cmocka_unit_test_setup_teardown(name, begin_local, end)
#define MASTER(name) cmocka_unit_test_setup_teardown(name, begin_master, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MASTER(test_idle_master_is_locusts),
		LOCAL(test_swarm_starts),
		LOCAL(test_swarm_takes_json_too),
		LOCAL(test_swarm_says_what_is_wrong),
		MASTER(test_swarm_without_workers_is_locusts),
		LOCAL(test_swarm_while_stopping_is_refused),
		LOCAL(test_stop_answers_when_stopped),
		LOCAL(test_stop_answers_at_once_when_it_can),
		LOCAL(test_stop_is_bounded),
		MASTER(test_requests_have_both_generations_of_names),
		LOCAL(test_requests_are_cached_but_not_over_a_change),
		LOCAL(test_rows_are_limited),
		LOCAL(test_window_is_exact),
		LOCAL(test_exceptions),
		LOCAL(test_tasks),
		LOCAL(test_csv_is_locusts),
		LOCAL(test_csv_of_nothing_and_its_name),
		LOCAL(test_failures_csv),
		MASTER(test_worker_count),
		LOCAL(test_page_is_whole_and_closed),
		LOCAL(test_wrong_paths_and_methods),
		LOCAL(test_time_goes_on_without_calls),
		LOCAL(test_taken_port_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
