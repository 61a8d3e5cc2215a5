/* SPDX-License-Identifier: MIT
 *
 * local - see the header.
 *
 * Everything the load threads answer comes later, so what an answer means is decided when it
 * is asked for: collects are numbered, and the numbers of three of them are kept - the one
 * that ends the ramp, the first one after the stop, and the last one of the test. */
#include "run/local.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "user/dispatch.h"
#include "user/load.h"

#define LOGGER	       "locust.runners"
#define NEVER	       UINT64_MAX
#define COLLECT_US     CLOCK_S
#define STOP_GRACE_S   5
#define WORKER_ID      "local"
#define COLLECTS_AHEAD 2 /* asked for by the clock and not yet answered */

struct local {
	struct run run; /* first: the mode's functions get it */
	struct loop *loop;
	struct load *load;
	struct dispatch *dispatch; /* of the present test */
	struct dispatch_class *classes;
	uint64_t *counts; /* wanted now, per class */
	struct loop_timer step_timer, collect_timer, stop_timer;
	uint64_t collects_asked, collects_done;
	/* Numbers of collects; NEVER: not asked for. */
	uint64_t running_at, draining_from, stopped_at;
};

static uint64_t collect(struct local *l)
{
	load_collect(l->load);
	return l->collects_asked++;
}

/* NULL: each class has been told its own. */
static const char *host_of_all(const struct run *run)
{
	return run_has_class_hosts(run) ? NULL : run->host;
}

static void send_counts(struct local *l)
{
	for (size_t i = 0; i < l->run.options.class_count; i++)
		l->counts[i] = dispatch_users(l->dispatch, WORKER_ID, i);
	load_set_users(l->load, l->counts, host_of_all(&l->run), l->run.stop_timeout_s);
}

static void take_steps(struct local *l)
{
	uint64_t due_us;
	bool has_stepped = false;

	/* After a late turn several steps may be due; only where they lead to matters. */
	while (dispatch_step(l->dispatch, loop_now(l->loop)))
		has_stepped = true;
	if (has_stepped)
		send_counts(l);
	due_us = dispatch_due_us(l->dispatch);
	if (due_us != NEVER)
		loop_timer_set(l->loop, &l->step_timer, due_us);
}

static void on_step_timer(void *arg)
{
	struct local *l = arg;

	run_tick(&l->run, loop_now(l->loop));
	if (l->run.state == RUN_SPAWNING)
		take_steps(l);
}

static void finish(struct local *l)
{
	loop_timer_clear(l->loop, &l->collect_timer);
	loop_timer_clear(l->loop, &l->stop_timer);
	dispatch_destroy(&l->dispatch);
	run_set_state(&l->run, RUN_STOPPED);
}

static void on_delta(void *arg, const struct stats *delta, const uint64_t *users)
{
	struct local *l = arg;
	struct run *run = &l->run;
	uint64_t number = l->collects_done++;

	run_tick(run, loop_now(l->loop));
	memcpy(run->users_per_class, users, run->options.class_count * sizeof(users[0]));
	run_add_stats(run, delta, number >= l->draining_from);
	if (number == l->running_at && run->state == RUN_SPAWNING) {
		run_set_state(run, RUN_RUNNING);
		run_log_spawned(run);
	}
	if (number == l->stopped_at && run->state == RUN_STOPPING)
		finish(l);
}

static void on_settled(void *arg)
{
	struct local *l = arg;

	run_tick(&l->run, loop_now(l->loop));
	/* What was counted up to here is collected first, so that the window begins clean and
	 * the last numbers of a test are in before it is over. */
	if (l->run.state == RUN_SPAWNING && dispatch_due_us(l->dispatch) == NEVER)
		l->running_at = collect(l);
	else if (l->run.state == RUN_STOPPING)
		l->stopped_at = collect(l);
}

static void on_exception(void *arg, struct str msg, struct str traceback)
{
	struct local *l = arg;

	run_tick(&l->run, loop_now(l->loop));
	run_add_exception(&l->run, str_of(WORKER_ID), msg, traceback, 1);
}

/* Once a second, and on the microsecond when the run time is over. */
static void arm_collect_timer(struct local *l)
{
	uint64_t at_us = loop_now(l->loop) + COLLECT_US;

	loop_timer_set(l->loop, &l->collect_timer, l->run.ends_us < at_us ? l->run.ends_us : at_us);
}

/* While a test is on; a load thread that does not answer is not asked again and again. */
static void on_collect_timer(void *arg)
{
	struct local *l = arg;

	run_tick(&l->run, loop_now(l->loop));
	if (!run_is_busy(&l->run))
		return;
	if (l->collects_asked - l->collects_done < COLLECTS_AHEAD)
		collect(l);
	arm_collect_timer(l);
}

/* Only a task that never gives way keeps a load thread from answering. */
static void on_stop_timer(void *arg)
{
	struct local *l = arg;

	run_tick(&l->run, loop_now(l->loop));
	log_line(LOG_WARNING, LOGGER,
		 "Users did not stop within %g seconds; the last numbers are missing. A task that "
		 "computes without end keeps its thread",
		 l->run.stop_timeout_s + STOP_GRACE_S);
	finish(l);
}

/* At the end of the ramp, which may be hours away. */
static void foresee(struct local *l, const struct run_start *start)
{
	size_t count = l->run.options.class_count;
	struct dispatch *d = dispatch_create(l->classes, count, l->run.options.order);
	uint64_t *counts = mem_zalloc(count, sizeof(counts[0]));
	const char *id = WORKER_ID;

	dispatch_set_workers(d, &id, 1, 0);
	for (size_t i = 0; i < count; i++)
		dispatch_set_class(d, i, l->run.shares[i].weight, l->run.shares[i].fixed_count);
	dispatch_begin(d, start->user_count, (double)start->user_count + 1, 0);
	while (dispatch_step(d, 0))
		;
	for (size_t i = 0; i < count; i++)
		counts[i] = dispatch_users(d, id, i);
	load_foresee(l->load, counts, host_of_all(&l->run));
	dispatch_destroy(&d);
	mem_free(counts);
}

static enum err mode_start(struct run *run, const struct run_start *start, struct err_text *text)
{
	struct local *l = (struct local *)run;
	const char *id = WORKER_ID;

	(void)text;
	if (!l->dispatch) {
		load_begin_test(l->load);
		l->dispatch =
			dispatch_create(l->classes, run->options.class_count, run->options.order);
		dispatch_set_workers(l->dispatch, &id, 1, run->now_us);
	}
	for (size_t i = 0; i < run->options.class_count; i++) {
		struct run_share share = run_share_now(run, i);

		dispatch_set_class(l->dispatch, i, share.weight, share.fixed_count);
	}
	arm_collect_timer(l);
	l->running_at = l->draining_from = l->stopped_at = NEVER;
	log_line(LOG_INFO, LOGGER, "Ramping to %llu users at a rate of %.2f per second",
		 (unsigned long long)start->user_count, start->spawn_rate);
	dispatch_begin(l->dispatch, start->user_count, start->spawn_rate, run->now_us);
	loop_timer_clear(l->loop, &l->step_timer);
	foresee(l, start);
	take_steps(l);
	return OK;
}

static void mode_stop(struct run *run)
{
	struct local *l = (struct local *)run;

	loop_timer_clear(l->loop, &l->step_timer);
	loop_timer_set(l->loop, &l->stop_timer,
		       loop_now(l->loop) +
			       (uint64_t)((run->stop_timeout_s + STOP_GRACE_S) * CLOCK_S));
	/* The end of the window; everything after it is draining. */
	l->draining_from = collect(l) + 1;
	memset(l->counts, 0, run->options.class_count * sizeof(l->counts[0]));
	load_set_users(l->load, l->counts, host_of_all(run), run->stop_timeout_s);
}

/* The hosts of all: as soon as one class has its own, that of the test is told class by class. */
static void mode_change_class(struct run *run, size_t class_index)
{
	struct load *load = ((struct local *)run)->load;

	load_set_tasks(load, class_index, run->shares[class_index].draws);
	for (size_t i = 0; i < run->options.class_count; i++)
		if (run_class_host(run, i))
			load_set_host(load, i, run_class_host(run, i));
}

static bool mode_worker(const struct run *run, size_t i, struct run_worker *out)
{
	(void)run;
	(void)i;
	(void)out;
	return false;
}

static size_t mode_worker_count(const struct run *run)
{
	(void)run;
	return 0;
}

static const struct run_mode local_mode = { .start = mode_start,
					    .stop = mode_stop,
					    .worker = mode_worker,
					    .worker_count = mode_worker_count,
					    .change_class = mode_change_class };

static enum err check_classes(const struct run_options *options, struct err_text *text)
{
	for (size_t i = 0; i < options->class_count; i++)
		if (options->classes[i].weight > 0 || options->classes[i].fixed_count)
			return OK;
	return err_set(text, ERR_BAD_OPTION,
		       "There are no users with weight > 0: give a user class of %s a weight or a "
		       "fixed_count",
		       options->scenario_name ? options->scenario_name : "the scenario");
}

enum err local_create(struct loop *loop, const struct local_options *options, struct local **out,
		      struct err_text *text)
{
	const struct run_options *run = options->run;
	enum err err = check_classes(run, text);
	struct local *l;

	if (err)
		return err;
	l = mem_zalloc(1, sizeof(*l));
	l->loop = loop;
	l->running_at = l->draining_from = l->stopped_at = NEVER;
	l->counts = mem_zalloc(run->class_count, sizeof(l->counts[0]));
	l->classes = mem_zalloc(run->class_count, sizeof(l->classes[0]));
	for (size_t i = 0; i < run->class_count; i++)
		l->classes[i] =
			(struct dispatch_class){ .name = run->classes[i].name,
						 .weight = run->classes[i].weight,
						 .fixed_count = run->classes[i].fixed_count };
	run_init(&l->run, &local_mode, run, clock_wall_s() - (double)clock_us() / CLOCK_S,
		 loop_now(loop));
	loop_timer_init(&l->step_timer, on_step_timer, l);
	loop_timer_init(&l->collect_timer, on_collect_timer, l);
	loop_timer_init(&l->stop_timer, on_stop_timer, l);
	err = load_create(loop,
			  &(struct load_options){ .scenario = options->scenario,
						  .threads = options->threads,
						  .seed = options->seed,
						  .tls = options->tls,
						  .http_version = options->http_version,
						  .arrivals = options->arrivals,
						  .wait = options->wait,
						  .network = options->network,
						  .guest = options->guest,
						  .on_exception = on_exception,
						  .on_delta = on_delta,
						  .on_settled = on_settled,
						  .arg = l },
			  &l->load, text);
	if (err)
		local_destroy(&l);
	*out = l;
	return err;
}

void local_destroy(struct local **at)
{
	struct local *l = *at;

	if (!l)
		return;
	*at = NULL;
	load_destroy(&l->load);
	loop_timer_clear(l->loop, &l->step_timer);
	loop_timer_clear(l->loop, &l->collect_timer);
	loop_timer_clear(l->loop, &l->stop_timer);
	dispatch_destroy(&l->dispatch);
	run_fini(&l->run);
	mem_free(l->counts);
	mem_free(l->classes);
	mem_free(l);
}

struct run *local_run(struct local *l)
{
	return &l->run;
}
