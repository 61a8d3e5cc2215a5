/* SPDX-License-Identifier: MIT
 *
 * web_fixture - the web API over real sockets, with a run whose mode only notes what it was told.
 *
 * Client and server share one loop and one thread: a call turns the loop until its reply is
 * whole. It includes web.c, for its limits and what it keeps. */
#pragma once

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

#include "web/web.c"

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

static enum err mode_start(struct run *r, const struct run_start *start, struct err_text *out)
{
	(void)r;
	(void)out;
	mode.starts++;
	mode.last = *start;
	snprintf(mode.host, sizeof(mode.host), "%s", start->host ? start->host : "(null)");
	return OK;
}

static inline void mode_stop(struct run *r)
{
	mode.stops++;
	if (mode.stops_at_once)
		run_set_state(r, RUN_STOPPED);
}

static inline bool no_worker(const struct run *r, size_t i, struct run_worker *out)
{
	(void)r;
	(void)i;
	(void)out;
	return false;
}

static inline bool some_worker(const struct run *r, size_t i, struct run_worker *out)
{
	static const char *const ids[] = { "host_1", "host_2", "host \"3\"" };

	(void)r;
	if (i >= mode.workers)
		return false;
	*out = (struct run_worker){ .id = ids[i],
				    .index = i,
				    .version = i ? NULL : "2.46.6",
				    .cicada = i ? NULL : "0.1.0",
				    .lag_p99_ms = i ? NAN : 0.25,
				    .state = i == 1 ? RUN_MISSING : RUN_RUNNING,
				    .user_count = i == 1 ? 0 : 9,
				    .cpu_usage = i == 1	  ? NAN
						 : i == 2 ? 100
							  : 12.5,
				    .memory_usage = 1000,
				    .logs = { i ? "" : "a line\0", i ? 0 : 7 } };
	return true;
}

static size_t count_workers(const struct run *r)
{
	(void)r;
	return mode.workers;
}

static const struct run_mode local_mode = {
	.start = mode_start, .stop = mode_stop, .worker = no_worker, .worker_count = count_workers
};
static const struct run_mode master_mode = { .is_distributed = true,
					     .start = mode_start,
					     .stop = mode_stop,
					     .worker = some_worker,
					     .worker_count = count_workers };

static const struct run_task tasks[] = { { "index", 4, "fast" },
					 { "slow", 2, "read slow" },
					 { "fail", 2, NULL } };
static const struct run_class classes[] = {
	{ .name = "Alpha", .tasks = tasks, .task_count = 3, .model = RUN_PACED },
	{ .name = "Beta", .tasks = tasks, .task_count = 1 }
};

static inline enum err refuse_ftp(const char *host, struct err_text *why)
{
	return strncmp(host, "ftp:", 4) == 0 ? err_set(why, ERR_UNSUPPORTED, "no ftp") : OK;
}

static inline int begin(const struct run_mode *of)
{
	struct run_options options = { .classes = classes,
				       .class_count = 2,
				       .check_host = refuse_ftp,
				       .stop_timeout_s = 1,
				       .scenario_name = "some.c" };

	memset(&mode, 0, sizeof(mode));
	assert_int_equal(loop_init(&loop, &text), OK);
	run_init(&run, of, &options, 1700000000.0 - (double)loop.now_us / CLOCK_S, loop.now_us);
	assert_int_equal(
		web_create(&loop, &run, &(struct web_options){ .host = "127.0.0.1" }, &web, &text),
		OK);
	return 0;
}

static inline int begin_local(void **state)
{
	(void)state;
	return begin(&local_mode);
}

static inline int begin_master(void **state)
{
	(void)state;
	return begin(&master_mode);
}

static inline int end(void **state)
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

static inline void on_reply(void *arg, uint32_t events)
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

static inline void begin_call(struct call *c, const char *method, const char *path,
			      const char *type, const char *body)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(web_port(web)) };
	char head[1024];

	*c = (struct call){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	buf_init(&c->reply, REPLY_BYTES);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	snprintf(head, sizeof(head),
		 "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 method, path, type, strlen(body));
	assert_int_equal(send(c->fd, head, strlen(head), 0), (int)strlen(head));
	assert_int_equal(send(c->fd, body, strlen(body), 0), (int)strlen(body));
	assert_int_equal(loop_watch(&loop, &c->watch, c->fd, EPOLLIN, on_reply, c), OK);
}

static inline void on_guard(void *arg)
{
	*(bool *)arg = true;
	loop_stop(&loop);
}

/* Turns the loop for so long, or until a call is over. */
static inline bool turn_for(uint64_t us)
{
	struct loop_timer timer;
	bool is_late = false;

	loop_timer_init(&timer, on_guard, &is_late);
	loop_timer_set(&loop, &timer, clock_us() + us);
	loop_run(&loop);
	loop_timer_clear(&loop, &timer);
	return is_late;
}

static inline void await_state(enum run_state state)
{
	uint64_t end_us = clock_us() + GUARD_US;

	while (run.state != state) {
		assert_true(clock_us() < end_us);
		turn_for(10 * CLOCK_MS);
	}
}

static inline void await(struct call *c)
{
	while (!c->is_over)
		assert_false(turn_for(GUARD_US));
	buf_add(&c->reply, "", 0);
	assert_int_equal(strncmp(c->reply.p, "HTTP/1.1 ", 9), 0);
	c->status = (int)strtol(c->reply.p + 9, NULL, 10);
	c->body = strstr(c->reply.p, "\r\n\r\n") + 4;
}

static inline void end_call(struct call *c)
{
	close(c->fd);
	buf_fini(&c->reply);
}

static inline void call(struct call *c, const char *method, const char *path)
{
	begin_call(c, method, path, "text/plain", "");
	await(c);
}

static inline json_t *get_json(const char *path)
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

static inline void expect_body(const char *path, const char *body)
{
	struct call c;

	call(&c, "GET", path);
	assert_int_equal(c.status, 200);
	assert_string_equal(c.body, body);
	end_call(&c);
}

static inline void expect_swarm(const char *type, const char *form, const char *reply)
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

static inline void record(const char *name, uint64_t us, const char *error)
{
	double now = run_wall_s(&run);
	struct stats delta;

	stats_init(&delta, now);
	stats_record(&delta, stats_entry(&delta, str_of("GET"), str_of(name), now),
		     &(struct stats_request){ .service_us = us,
					      .content_bytes = 10,
					      .error = error,
					      .outcome = error ? STATS_HTTP_ERROR : STATS_OK },
		     now);
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
}

static inline void start_running(void)
{
	struct run_start start = { .user_count = 3, .spawn_rate = 1 };

	assert_int_equal(run_start(&run, &start, &text), OK);
	run.users_per_class[0] = 2;
	run.users_per_class[1] = 1;
	run_set_state(&run, RUN_RUNNING);
}

#define LOCAL(name)  cmocka_unit_test_setup_teardown(name, begin_local, end)
#define MASTER(name) cmocka_unit_test_setup_teardown(name, begin_master, end)
