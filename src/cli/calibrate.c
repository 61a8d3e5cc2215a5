/* SPDX-License-Identifier: MIT
 *
 * calibrate - see the header. Each stage is a load of its own with one thread, so that none
 * inherits the memory or the users of another. CPU time of the load thread is that of the process
 * without the sink's thread and this one. */
#include "cli/calibrate.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "cli/sink.h"
#include "user/load.h"

#define BUSY_USERS    64
#define PACED_USERS   200
#define CROWD	      100000
#define CONNECTED_MAX 4000
/* A burst of connects must not become a burst of requests in flight: the least takes them in
 * steps. */
#define CONNECT_STEP	 50
#define SPAN_US		 (2 * CLOCK_S)
#define WARM_US		 (CLOCK_S / 2)
#define PATIENCE_US	 (30 * CLOCK_S)
#define DESCRIPTORS_KEPT 200
#define FAR_S		 3600

/* Of one stage. Users are set and settled, then the load warms up, then a span is measured. */
struct stage {
	struct loop loop;
	struct load *load;
	struct loop_timer timer, patience;
	struct sink *sink;
	bool is_late;
	uint64_t requests, failures, lag_p99_us;
};

static void ask(struct cic_user *u)
{
	cic_get(u, "/");
}

static void rest(struct cic_user *u)
{
	(void)u;
}

static void on_delta(void *arg, const struct stats *delta, const uint64_t *users)
{
	struct stage *s = arg;

	(void)users;
	s->requests = delta->total.num_requests;
	s->failures += delta->total.num_failures;
	s->lag_p99_us = health_lag_p99_us(&delta->health);
	loop_stop(&s->loop);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void on_patience(void *arg)
{
	struct stage *s = arg;

	s->is_late = true;
	loop_stop(&s->loop);
}

static void on_settled(void *arg)
{
	loop_stop(&((struct stage *)arg)->loop);
}

static void turn(struct stage *s)
{
	loop_timer_set(&s->loop, &s->patience, clock_us() + PATIENCE_US);
	loop_run(&s->loop);
	loop_timer_clear(&s->loop, &s->patience);
}

static void set_users(struct stage *s, uint64_t count)
{
	load_set_users(s->load, &count, NULL, 0);
	turn(s);
}

static void collect(struct stage *s)
{
	load_collect(s->load);
	turn(s);
}

static void pass(struct stage *s, uint64_t us)
{
	loop_timer_set(&s->loop, &s->timer, clock_us() + us);
	turn(s);
}

/* CPU time of the load thread so far. */
static uint64_t load_cpu_us(const struct stage *s)
{
	return clock_cpu_us() - sink_cpu_us(s->sink) - clock_thread_cpu_us();
}

/* Bytes that malloc has given out, to whom ever. */
static uint64_t memory_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static enum err stage_begin(struct stage *s, struct sink *sink, const struct scenario *scenario,
			    struct err_text *text)
{
	struct load_options options = { .scenario = scenario,
					.threads = 1,
					.seed = 1,
					.on_delta = on_delta,
					.on_settled = on_settled,
					.arg = s };
	enum err err;

	*s = (struct stage){ .sink = sink };
	err = loop_init(&s->loop, text);
	if (err)
		return err;
	loop_timer_init(&s->timer, stop_loop, &s->loop);
	loop_timer_init(&s->patience, on_patience, s);
	err = load_create(&s->loop, &options, &s->load, text);
	if (err)
		loop_fini(&s->loop);
	return err;
}

static enum err stage_end(struct stage *s, struct err_text *text)
{
	load_destroy(&s->load);
	loop_fini(&s->loop);
	if (s->is_late)
		return err_set(text, ERR_TIMEOUT,
			       "the load thread did not answer for %llu s; is the machine "
			       "overloaded?",
			       PATIENCE_US / CLOCK_S);
	if (s->failures)
		return err_set(text, ERR_IO,
			       "%llu requests to our own server on 127.0.0.1 failed; raise "
			       "`ulimit -n`, and look for a firewall on loopback",
			       (unsigned long long)s->failures);
	return OK;
}

/* Requests of a span, and the CPU time they took the load thread. */
static void measure_span(struct stage *s, uint64_t users, double *per_s, double *per_cpu_s)
{
	uint64_t began_us, cpu_us;

	set_users(s, users);
	pass(s, WARM_US);
	collect(s);
	began_us = clock_us();
	cpu_us = load_cpu_us(s);
	pass(s, SPAN_US);
	collect(s);
	cpu_us = load_cpu_us(s) - cpu_us;
	*per_s = (double)s->requests * CLOCK_S / (double)(clock_us() - began_us);
	*per_cpu_s = (double)s->requests * CLOCK_S / (double)(cpu_us ? cpu_us : 1);
}

static enum err run_speed(struct sink *sink, struct cic_user_class *class,
			  const struct scenario *scenario, struct err_text *text)
{
	double per_s, per_cpu_s, half_s, unused;
	struct stage s;
	enum err err;

	class->wait = (struct cic_wait)CIC_CONSTANT(0);
	err = stage_begin(&s, sink, scenario, text);
	if (err)
		return err;
	measure_span(&s, BUSY_USERS, &per_s, &per_cpu_s);
	err = stage_end(&s, text);
	if (err)
		return err;
	printf("%-52s %10.0f\n%-52s %10.0f\n", "GET requests/s of one load thread, as it came",
	       per_s, "  per CPU-second of the load thread", per_cpu_s);
	class->wait = (struct cic_wait)CIC_CONSTANT_THROUGHPUT(per_s / 2 / PACED_USERS);
	err = stage_begin(&s, sink, scenario, text);
	if (err)
		return err;
	measure_span(&s, PACED_USERS, &half_s, &unused);
	printf("%-52s %10.2f\n", "lag p99 at half of these requests/s, ms",
	       (double)s.lag_p99_us / CLOCK_MS);
	return stage_end(&s, text);
}

static enum err run_crowd(struct sink *sink, struct cic_user_class *class,
			  const struct scenario *scenario, struct err_text *text)
{
	static const struct cic_task resting[] = { { rest, 1, NULL }, { 0 } };
	const struct cic_task *asking = class->tasks;
	const char *host = class->host;
	uint64_t before, began_us, took_us;
	struct stage s;
	enum err err;

	class->wait = (struct cic_wait)CIC_CONSTANT(FAR_S);
	class->tasks = resting;
	class->host = NULL; /* they want no connection */
	err = stage_begin(&s, sink, scenario, text);
	if (err)
		return err;
	before = memory_bytes();
	began_us = clock_us();
	set_users(&s, CROWD);
	took_us = clock_us() - began_us;
	printf("%-52s %10.0f\n", "users started per second",
	       CROWD * (double)CLOCK_S / (double)took_us);
	printf("%-52s %10.2f\n", "kB per waiting user without a connection",
	       (double)(memory_bytes() - before) / CROWD / 1000);
	class->tasks = asking;
	class->host = host;
	return stage_end(&s, text);
}

/* Both ends of a connection are ours, so it takes two descriptors. */
static uint64_t connected_users(void)
{
	struct rlimit limit = { 0 };
	uint64_t most;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= 2 * DESCRIPTORS_KEPT)
		return CONNECT_STEP;
	most = (limit.rlim_cur - DESCRIPTORS_KEPT) / 2;
	return most < CONNECTED_MAX ? most : CONNECTED_MAX;
}

static enum err run_connected(struct sink *sink, struct cic_user_class *class,
			      const struct scenario *scenario, struct err_text *text)
{
	uint64_t users = connected_users(), before, answered = 0;
	struct stage s;
	enum err err;

	class->wait = (struct cic_wait)CIC_CONSTANT(FAR_S);
	err = stage_begin(&s, sink, scenario, text);
	if (err)
		return err;
	before = memory_bytes();
	for (uint64_t count = 0; count < users && !s.is_late && !s.failures;) {
		count = count + CONNECT_STEP < users ? count + CONNECT_STEP : users;
		set_users(&s, count);
		while (answered < count && !s.is_late && !s.failures) {
			collect(&s);
			answered += s.requests;
		}
	}
	printf("%-52s %10.2f\n", "kB per waiting user with an open, idle connection",
	       (double)(memory_bytes() - before) / (double)users / 1000);
	return stage_end(&s, text);
}

enum err calibrate_run(struct err_text *text)
{
	char host[64];
	struct cic_user_class class = {
		.abi = CIC_ABI, .name = "Calibration", .host = host, .tasks = CIC_TASKS({ ask, 1 })
	};
	const struct cic_user_class *const classes[] = { &class };
	const struct scenario scenario = { .classes = classes, .class_count = 1 };
	struct sink sink;
	enum err err = sink_open(&sink, text);

	if (err)
		return err;
	snprintf(host, sizeof(host), "http://127.0.0.1:%u", sink.port);
	puts("What one load thread of this machine can generate, against a server in this "
	     "process:");
	err = run_speed(&sink, &class, &scenario, text);
	if (!err)
		err = run_crowd(&sink, &class, &scenario, text);
	if (!err)
		err = run_connected(&sink, &class, &scenario, text);
	sink_close(&sink);
	return err;
}
