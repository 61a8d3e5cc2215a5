/* SPDX-License-Identifier: MIT
 *
 * attempt - see the header; the order's steps 1 to 18 as a table.
 *
 * A scenario walks down `steps`. A step returns OK, or an error that ends the scenario;
 * then the row gets the status the step has set, or else that of its table line, and a
 * test that was started is stopped. All waits are made here, through struct pause.
 *
 * When the window is open is the master's to say (all users are there), so the duration
 * counts from then, and the end is met to the millisecond by asking how long the window
 * has been open already. */
#include "matrix/attempt.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "matrix/assess.h"
#include "matrix/drive.h"
#include "matrix/evidence.h"
#include "matrix/master_api.h"
#include "matrix/pause.h"
#include "matrix/plan.h"
#include "matrix/platform.h"
#include "matrix/pod_usage.h"
#include "matrix/progress.h"
#include "matrix/result_row.h"
#include "matrix/server_side.h"

#define LOOK_AGAIN_MS	  100 /* while something starts */
#define STOP_MARGIN_S	  15  /* beyond the stop timeout: workers' last reports */
#define COUNTS_SETTLE_S	  2   /* the service may count a moment after its answer */
#define MASTER_TIMEOUT_MS 10000
#define USAGE_EVERY_S	  15 /* as often as clusters measure their pods */
#define USAGE_LEFT_MIN_S  3  /* of the window, so that asking for them does not lengthen it */

struct drive {
	const struct drive_config *c;
	struct scenario scenario;
	struct result_row row;
	struct evidence *evidence; /* for it */
	char generator_limit[128]; /* why the load generator was the limit; "": it was not */
	struct master_api *master;
	struct master_api_live last_look; /* of the window; window_s 0: none */
	uint64_t step_start_us, next_word_us;
	bool is_test_running; /* swarm was sent, stop was not answered */
	bool was_test_started;
	bool has_leftover;	   /* a test of an attempt before may run */
	enum err uncounted_as;	   /* OK: the platform reads the counters of the service */
	struct err_text uncounted; /* why not; "": nobody could mend it */
	uint64_t served_before;
	/* What the replicas said when the window was open, and after the stop: while it is open,
	 * nothing may keep it so. */
	struct server_side opened, stopped;
	/* What the cluster has measured meanwhile, and why nothing is known of that. */
	struct pod_usage usage;
	struct err_text no_usage;
	uint64_t next_usage_us;
};

struct step {
	const char *name;
	enum err (*run)(struct drive *d, struct err_text *text);
	enum result_status on_failure;
	bool has_own_lines; /* or is over at once: its name is not drawn */
};

static uint64_t now_us(const struct drive *d)
{
	return d->c->pause->now_us(d->c->pause);
}

static double ramp_s(const struct drive *d)
{
	return (double)d->scenario.users / plan_spawn_rate(d->c->plan, d->scenario.users);
}

/* The scenario ends with this status instead of the step's own. */
static enum err end_with(struct drive *d, enum result_status status, enum err err)
{
	d->row.status = status;
	return err;
}

/* For a wait that lasts: says every poll what is missing. */
static void say_wait(struct drive *d, const char *what, double over_s)
{
	progress_step(d->c->progress, what, over_s);
	if (now_us(d) < d->next_word_us)
		return;
	progress_wait(d->c->progress, what, over_s);
	d->next_word_us = now_us(d) + (uint64_t)(d->c->plan->poll_s * CLOCK_S);
}

/* ---- getting ready ---- */

/* Repeats a check of the platform until it says something else than "not yet". */
static enum err wait_until_ready(struct drive *d,
				 enum err (*check)(struct drive *, struct err_text *),
				 struct err_text *text)
{
	uint64_t end_us = now_us(d) + d->c->plan->ready_timeout_s * CLOCK_S;

	for (;;) {
		enum err err = check(d, text);

		if (err != ERR_BUSY)
			return err;
		if (now_us(d) >= end_us)
			return ERR_TIMEOUT;
		say_wait(d, text->text, 0);
		if (!pause_for(d->c->pause, LOOK_AGAIN_MS * CLOCK_MS))
			return pause_interrupted(text);
	}
}

/* Its workers would stay busy for ever. The target wants its rest then, as after every test. */
static enum err stop_leftover(struct drive *d, struct err_text *text)
{
	uint64_t timeout_s = d->c->plan->stop_timeout_s + STOP_MARGIN_S;
	struct master_api_live live;
	enum err err = master_api_look(d->master, &live, text);
	bool is_running = !err && live.state != MASTER_IDLE;

	if (is_running)
		err = master_api_stop(d->master, timeout_s * 1000, text);
	d->has_leftover = err != OK;
	if (!err && is_running && !pause_for(d->c->pause, d->c->plan->cooldown_s * CLOCK_S))
		return pause_interrupted(text);
	return err;
}

/* A test of somebody else is not ours to stop, and nothing is measured beside it. */
static enum err say_foreign(const struct platform *p, enum err err, struct err_text *text)
{
	struct buf url;

	buf_init(&url, LIMIT_URL_BYTES);
	buf_add_url(&url, p->ops->master_url(p));
	err_set(text, err,
		"a test runs at the master that this driver has not started: wait for its end, or "
		"stop it with: curl %s/stop",
		buf_str(&url).p);
	buf_fini(&url);
	return err;
}

static enum err check_master(struct drive *d, struct err_text *text)
{
	struct master_api_live live;
	enum err err = master_api_look(d->master, &live, text);

	return err || live.state == MASTER_IDLE ? err : say_foreign(d->c->platform, ERR_BUSY, text);
}

static enum err start_platform(struct drive *d, struct err_text *text)
{
	struct platform *p = d->c->platform;
	enum err err = p->ops->start(p, text);

	if (err == ERR_STATE)
		return end_with(d, RESULT_TARGET_NOT_READY, err);
	if (err)
		return err;
	d->master = master_api_create(p->ops->master_url(p), d->c->master_access, d->c->pause);
	err = master_api_open(d->master, d->c->plan->ready_timeout_s * 1000, text);
	if (err)
		return err;
	return d->has_leftover ? stop_leftover(d, text) : wait_until_ready(d, check_master, text);
}

static enum err scale_target(struct drive *d, struct err_text *text)
{
	return d->c->platform->ops->scale_target(d->c->platform, d->scenario.replicas, text);
}

static enum err check_target(struct drive *d, struct err_text *text)
{
	return d->c->platform->ops->check_target(d->c->platform, text);
}

static enum err wait_target(struct drive *d, struct err_text *text)
{
	return wait_until_ready(d, check_target, text);
}

static enum err scale_workers(struct drive *d, struct err_text *text)
{
	return d->c->platform->ops->scale_workers(d->c->platform, d->scenario.workers, text);
}

/* The platform has them, and exactly as many are connected to the master and idle. */
static enum err check_workers(struct drive *d, struct err_text *text)
{
	struct master_api_live live;
	enum err err = d->c->platform->ops->check_workers(d->c->platform, text);

	if (!err)
		err = master_api_look(d->master, &live, text);
	if (err)
		return err;
	if (live.workers_ready == d->scenario.workers && !live.workers_busy)
		return OK;
	return err_set(text, ERR_BUSY,
		       "the master has %" PRIu64 " ready and %" PRIu64 " busy workers, %" PRIu64
		       " ready ones are wanted",
		       live.workers_ready, live.workers_busy, d->scenario.workers);
}

static enum err wait_workers(struct drive *d, struct err_text *text)
{
	return wait_until_ready(d, check_workers, text);
}

/* ---- the test ---- */

static enum err reset_statistics(struct drive *d, struct err_text *text)
{
	enum err err = master_api_reset(d->master, text);

	if (err)
		return err;
	d->uncounted = (struct err_text){ "" };
	err = d->c->platform->ops->read_requests(d->c->platform, &d->served_before, &d->uncounted);
	d->uncounted_as = err;
	if (!err || err == ERR_UNSUPPORTED)
		return OK;
	*text = d->uncounted;
	return err;
}

static enum err start_test(struct drive *d, struct err_text *text)
{
	d->row.wall_start_s = clock_wall_s();
	/* Also when the answer does not come: the test may have started. */
	d->is_test_running = d->was_test_started = true;
	return master_api_swarm(d->master, d->scenario.users,
				plan_spawn_rate(d->c->plan, d->scenario.users),
				d->c->platform->ops->target_url(d->c->platform), text);
}

static enum result_status status_of_part(enum platform_part part)
{
	return part == PLATFORM_MASTER	 ? RESULT_LOST_MASTER
	       : part == PLATFORM_TARGET ? RESULT_LOST_REPLICA
					 : RESULT_LOST_WORKER;
}

static enum result_status status_of_loss(enum err lost, enum platform_part part)
{
	return lost == ERR_STATE || lost == ERR_IO ? RESULT_CHANGED : status_of_part(part);
}

/* Until the master has begun, its workers may all be idle still. */
static enum err check_crew(struct drive *d, const struct master_api_live *live,
			   struct err_text *text)
{
	uint64_t workers = live->workers_ready + live->workers_busy;

	if (workers < d->scenario.workers)
		return end_with(d, RESULT_LOST_WORKER,
				err_set(text, ERR_CLOSED,
					"%" PRIu64 " of %" PRIu64 " workers are left at the master",
					workers, d->scenario.workers));
	if (workers > d->scenario.workers)
		return end_with(d, RESULT_CHANGED,
				err_set(text, ERR_STATE,
					"the master has %" PRIu64 " workers, %" PRIu64
					" were ordered: somebody else's has joined",
					workers, d->scenario.workers));
	return OK;
}

/* One look at the running test: is everything still as ordered? */
static enum err look(struct drive *d, struct master_api_live *live, struct err_text *text)
{
	enum platform_part part = PLATFORM_MASTER;
	struct err_text why = { "" };
	enum err err = master_api_look(d->master, live, text),
		 lost = d->c->platform->ops->check_running(d->c->platform, &part, &why);

	if (err == ERR_INTERRUPTED)
		return err;
	if (lost) {
		*text = why;
		return end_with(d, status_of_loss(lost, part), lost);
	}
	if (err)
		return end_with(d, RESULT_LOST_MASTER, err);
	return check_crew(d, live, text);
}

/* How much of this scenario's planned time is over. */
static double done_s(const struct drive *d, const struct master_api_live *live)
{
	double gone_s = (double)(now_us(d) - d->step_start_us) / CLOCK_S;

	return live->is_window_open ? ramp_s(d) + live->window_s : fmin(gone_s, ramp_s(d));
}

static enum err wait_for_users(struct drive *d, struct err_text *text)
{
	uint64_t wait_us = (uint64_t)(ramp_s(d) * CLOCK_S) + d->c->plan->ready_timeout_s * CLOCK_S,
		 end_us = now_us(d) + wait_us;
	bool has_begun = false;

	for (;;) {
		struct master_api_live live;
		char what[96];
		enum err err = look(d, &live, text);

		if (err || live.is_window_open)
			return err;
		if (has_begun && live.state == MASTER_IDLE)
			return end_with(
				d, RESULT_STOPPED_EARLY,
				err_set(text, ERR_STATE, "the test was stopped by somebody else"));
		has_begun |= live.state != MASTER_IDLE;
		if (now_us(d) >= end_us)
			return err_set(text, ERR_TIMEOUT,
				       "%" PRIu64 " of %" PRIu64
				       " users were spawned within %.0f s",
				       live.users, d->scenario.users, (double)wait_us / CLOCK_S);
		snprintf(what, sizeof(what), "spawning: %" PRIu64 "/%" PRIu64 " users", live.users,
			 d->scenario.users);
		say_wait(d, what, done_s(d, &live));
		if (!pause_for(d->c->pause, 2 * LOOK_AGAIN_MS * CLOCK_MS))
			return pause_interrupted(text);
	}
}

/* What happened between the last look at the window and this one. */
static void note_look(struct drive *d, const struct master_api_live *live)
{
	const struct master_api_live *last = &d->last_look;
	double passed_s = live->window_s - last->window_s;

	if (last->is_window_open && passed_s > 0 && live->requests >= last->requests)
		evidence_add(d->evidence,
			     &(struct evidence_point){
				     .at_s = last->window_s,
				     .requests_per_s =
					     (double)(live->requests - last->requests) / passed_s,
				     .failures_per_s = NAN,
				     .mean_ms = NAN,
				     .users = (double)live->users });
	if (!last->is_window_open || passed_s > 0)
		d->last_look = *live;
}

/* Without it the row has no figures of the server, and the rest stands. */
static enum err ask_server(struct drive *d, struct server_side *out, struct err_text *text)
{
	struct platform *p = d->c->platform;
	struct err_text ignored = { "" };
	enum err err = p->ops->read_server ? p->ops->read_server(p, out, &ignored) : OK;

	if (err)
		server_side_fini(out);
	out->at_us = now_us(d);
	return err == ERR_INTERRUPTED ? pause_interrupted(text) : OK;
}

/* The same of what the cluster knows. */
static enum err ask_cluster(struct drive *d, struct err_text *text)
{
	struct platform *p = d->c->platform;
	struct err_text why = { "" };
	enum err err = p->ops->read_usage ? p->ops->read_usage(p, &d->usage, &why) : OK;

	d->no_usage = why;
	d->next_usage_us = now_us(d) + USAGE_EVERY_S * CLOCK_S;
	return err == ERR_INTERRUPTED ? pause_interrupted(text) : OK;
}

static enum err ask_server_first(struct drive *d, struct err_text *text)
{
	pod_usage_init(&d->usage, clock_wall_s());
	d->next_usage_us = now_us(d) + USAGE_EVERY_S * CLOCK_S;
	return ask_server(d, &d->opened, text);
}

static enum err ask_server_last(struct drive *d, struct err_text *text)
{
	enum err err = ask_server(d, &d->stopped, text);

	return err ? err : ask_cluster(d, text);
}

/* Polls until the window has been open for the planned duration. */
static enum err measure(struct drive *d, struct err_text *text)
{
	for (;;) {
		struct master_api_live live;
		double left_s, poll_s = d->c->plan->poll_s;
		uint64_t asked_us = now_us(d), next_us, end_us;
		enum err err = look(d, &live, text);

		if (err)
			return err;
		if (isnan(live.window_s))
			return end_with(d, RESULT_LOST_MASTER,
					err_set(text, ERR_STATE,
						"the master knows of no window any more: it was "
						"restarted"));
		if (!live.is_window_open)
			return end_with(d, RESULT_STOPPED_EARLY,
					err_set(text, ERR_STATE,
						"the window closed after %.1f s: the test was "
						"stopped or users were lost",
						live.window_s));
		note_look(d, &live);
		progress_live(d->c->progress, &live, done_s(d, &live));
		left_s = (double)d->scenario.duration_s - live.window_s;
		if (left_s <= 0)
			return OK;
		/* From when it was asked: polls keep their rhythm. From when it was answered: the
		 * end is not a moment too early, which would take another poll. */
		next_us = asked_us + (uint64_t)(poll_s * CLOCK_S);
		end_us = now_us(d) + (uint64_t)ceil(left_s * CLOCK_S);
		if (left_s >= USAGE_LEFT_MIN_S && now_us(d) >= d->next_usage_us)
			err = ask_cluster(d, text);
		if (err)
			return err;
		if (!pause_until(d->c->pause, end_us < next_us ? end_us : next_us))
			return pause_interrupted(text);
	}
}

static enum err stop_test(struct drive *d, struct err_text *text)
{
	uint64_t timeout_s = d->c->plan->stop_timeout_s + STOP_MARGIN_S;
	enum err err = master_api_stop(d->master, timeout_s * 1000, text);

	d->is_test_running = err != OK;
	return err;
}

/* A row that shows the generator's limit stays ok: its counts are right. */
static void note_generator(struct result_row *row, const struct master_api_final *final)
{
	char note[sizeof(final->generator_reason) + 192];
	bool has_dropped = final->dropped && final->dropped != UINT64_MAX;
	int len = 0;

	row->dropped = final->dropped;
	row->lag_p99_ms = final->lag_p99_ms;
	row->generator_cpu_pct = final->generator_cpu_pct;
	if (!final->is_generator_known)
		return;
	row->generator =
		final->is_generator_limited ? RESULT_GENERATOR_LIMITED : RESULT_GENERATOR_OK;
	note[0] = '\0';
	if (final->is_generator_limited)
		len = snprintf(note, sizeof(note),
			       "this row shows the limit of the load generator: %s%s",
			       final->generator_reason, has_dropped ? "\n" : "");
	if (has_dropped)
		snprintf(note + len, sizeof(note) - (size_t)len,
			 "%" PRIu64 " arrivals were dropped, the target did not get the load asked "
			 "for; raise --max-in-flight",
			 final->dropped);
	if (note[0])
		result_row_note(row, note);
}

static enum err read_final(struct drive *d, struct err_text *text)
{
	struct result_row *row = &d->row;
	struct master_api_final final;
	enum err err = master_api_finish(d->master, &final, text);

	if (err)
		return err;
	row->total_requests = final.total_requests;
	row->failures = final.total_failures;
	row->failures_pct = final.total_requests ? 100.0 * (double) final.total_failures /
							   (double) final.total_requests
						 : NAN;
	row->window_requests = final.window_requests;
	row->duration_s = final.window_s;
	row->rps = final.rps;
	row->median_ms = final.median_ms;
	row->p90_ms = final.p90_ms;
	row->p95_ms = final.p95_ms;
	row->p99_ms = final.p99_ms;
	row->avg_ms = final.avg_ms;
	row->min_ms = final.min_ms;
	row->max_ms = final.max_ms;
	row->response_p95_ms = final.response_p95_ms;
	row->response_p99_ms = final.response_p99_ms;
	snprintf(row->model, sizeof(row->model), "%s", final.model);
	note_generator(row, &final);
	if (final.is_generator_limited)
		snprintf(d->generator_limit, sizeof(d->generator_limit), "%s",
			 final.generator_reason);
	/* First: a master that was restarted has no requests either. */
	if (isnan(final.rps))
		return end_with(d, RESULT_LOST_MASTER,
				err_set(text, ERR_STATE, "the master's window has no duration"));
	if (!final.total_requests || final.window_requests == 0)
		return end_with(d, RESULT_NO_REQUESTS,
				err_set(text, ERR_STATE, "no request was completed"));
	if (!master_api_has_window(d->master))
		result_row_note(row, "the master has no /stats/window: RPS is a slope between "
				     "polls, response times include ramp and drain");
	return OK;
}

/* What the figures rest on. Without it they are as right as before. */
static enum err read_details(struct drive *d, struct err_text *text)
{
	struct err_text why = { "" };
	enum err err = master_api_read_details(d->master, d->evidence, &why);

	if (err == ERR_INTERRUPTED)
		return pause_interrupted(text);
	if (err && err != ERR_NOT_FOUND)
		result_row_add_note(&d->row, err_say(&why, err));
	return OK;
}

/* The numbers are those of the ordered replicas and workers only if these stayed. */
static enum err check_unchanged(struct drive *d, struct err_text *text)
{
	struct platform *p = d->c->platform;
	enum platform_part part;
	enum err err = p->ops->check_after ? p->ops->check_after(p, &part, text) : OK;

	if (err)
		return end_with(d, status_of_loss(err, part), err);
	if (p->ops->remark) {
		struct buf said;

		buf_init(&said, sizeof(d->row.note));
		p->ops->remark(p, &said);
		if (said.len)
			result_row_add_note(&d->row, said.p);
		buf_fini(&said);
	}
	return OK;
}

/* Until the service has counted what the load generator has, for COUNTS_SETTLE_S at most. */
static enum err read_served(struct drive *d, uint64_t *out, struct err_text *text)
{
	uint64_t end_us = now_us(d) + COUNTS_SETTLE_S * CLOCK_S;

	for (;;) {
		enum err err = d->c->platform->ops->read_requests(d->c->platform, out, text);

		if (err)
			return err;
		*out -= d->served_before;
		if (*out == d->row.total_requests || now_us(d) >= end_us)
			return OK;
		if (!pause_for(d->c->pause, LOOK_AGAIN_MS * CLOCK_MS))
			return pause_interrupted(text);
	}
}

/* What the service has answered is what the load generator has counted. A request that
 * failed on the way may have been answered or not, so failures excuse a difference. */
static enum err compare_counts(struct drive *d, struct err_text *text)
{
	uint64_t served = UINT64_MAX, difference;
	enum err err = d->uncounted_as;

	*text = d->uncounted;
	if (!err)
		err = read_served(d, &served, text);
	if (err == ERR_UNSUPPORTED) {
		if (text->text[0])
			result_row_add_note(&d->row, text->text);
		return OK;
	}
	if (err)
		return end_with(d, RESULT_LOST_REPLICA, err);
	d->row.server_requests = served;
	difference = served > d->row.total_requests ? served - d->row.total_requests
						    : d->row.total_requests - served;
	if (difference <= d->row.failures)
		return OK;
	return err_set(text, ERR_STATE,
		       "the service answered %" PRIu64
		       " requests, the load generator counted %" PRIu64 " with %" PRIu64
		       " failures",
		       served, d->row.total_requests, d->row.failures);
}

static const struct step steps[] = {
	{ "starting the master", start_platform, RESULT_MASTER_NOT_READY },
	{ "scaling the target", scale_target, RESULT_TARGET_NOT_READY },
	{ "waiting for the replicas", wait_target, RESULT_TARGET_NOT_READY },
	{ "scaling the workers", scale_workers, RESULT_WORKERS_NOT_READY },
	{ "waiting for the workers", wait_workers, RESULT_WORKERS_NOT_READY },
	{ "resetting the statistics", reset_statistics, RESULT_START_FAILED, true },
	{ "starting the test", start_test, RESULT_START_FAILED, true },
	{ "spawning the users", wait_for_users, RESULT_START_FAILED, true },
	{ "asking the replicas", ask_server_first, RESULT_LOST_MASTER, true },
	{ "measuring", measure, RESULT_LOST_MASTER, true },
	{ "stopping the test", stop_test, RESULT_STOP_FAILED, true },
	{ "asking the replicas again", ask_server_last, RESULT_LOST_MASTER, true },
	{ "reading the final statistics", read_final, RESULT_LOST_MASTER, true },
	{ "reading the window", read_details, RESULT_LOST_MASTER, true },
	{ "checking that nothing has changed", check_unchanged, RESULT_CHANGED, true },
	{ "comparing the counts", compare_counts, RESULT_COUNTS_DIFFER, true },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* Whatever went wrong, and also after ctrl-C: no load is left behind. A second ctrl-C
 * ends this, too. */
static void stop_what_runs(struct drive *d, struct err_text *why)
{
	struct err_text failed = { "" }, first = *why;

	d->c->pause->stops_tolerated++;
	if (stop_test(d, &failed))
		err_set(why, ERR_STATE, "%.300s; and the test could not be stopped: %.150s",
			first.text, failed.text);
	d->c->pause->stops_tolerated--;
}

/* What went wrong with the platform's own parts, it may know more about. */
static void explain(struct drive *d)
{
	struct platform *p = d->c->platform;
	enum result_status status = d->row.status;
	struct buf said;

	if (!p->ops->explain ||
	    (status != RESULT_TARGET_NOT_READY && status != RESULT_WORKERS_NOT_READY &&
	     status != RESULT_LOST_REPLICA && status != RESULT_LOST_WORKER &&
	     status != RESULT_CHANGED))
		return;
	buf_init(&said, sizeof(d->row.note));
	p->ops->explain(p, &said);
	if (said.len)
		result_row_add_note(&d->row, said.p);
	buf_fini(&said);
}

static enum err walk_steps(struct drive *d, struct err_text *text)
{
	for (size_t i = 0; i < STEPS; i++) {
		enum err err;

		if (pause_is_stopped(d->c->pause))
			return end_with(d, RESULT_INTERRUPTED, pause_interrupted(text));
		progress_enter(d->c->progress, i + 1, STEPS, steps[i].name,
			       !steps[i].has_own_lines);
		d->step_start_us = now_us(d);
		d->next_word_us = d->step_start_us + (uint64_t)(d->c->plan->poll_s * CLOCK_S);
		err = steps[i].run(d, text);
		if (err == ERR_INTERRUPTED)
			return end_with(d, RESULT_INTERRUPTED, err);
		if (err && d->row.status == RESULT_OK)
			d->row.status = steps[i].on_failure;
		if (err)
			return err;
	}
	return OK;
}

/* What the cluster has measured goes before what the replicas say of themselves. */
static void assess_server(struct drive *d)
{
	server_side_assess(&d->opened, &d->stopped, &d->row);
	pod_usage_assess(&d->usage, &d->row);
	if (result_status_is_measured(d->row.status) && isnan(d->row.server_cpu_pct) &&
	    d->no_usage.text[0])
		result_row_add_note(&d->row, d->no_usage.text);
	server_side_fini(&d->opened);
	server_side_fini(&d->stopped);
	pod_usage_fini(&d->usage);
}

struct result_row attempt_run(const struct drive_config *c, const struct scenario *scenario,
			      bool has_leftover, struct evidence *evidence, bool *was_test_started)
{
	struct drive d = {
		.c = c, .scenario = *scenario, .has_leftover = has_leftover, .evidence = evidence
	};
	struct err_text why = { "" };
	enum err walked;

	evidence_fini(evidence);
	evidence->is_polled = true;
	d.row = result_row_blank(scenario->replicas, scenario->workers, scenario->users);
	d.row.scenario = scenario->index;
	d.row.repeat = scenario->repeat;
	d.row.wall_start_s = clock_wall_s();
	walked = walk_steps(&d, &why);
	if (d.is_test_running)
		stop_what_runs(&d, &why);
	d.row.has_left_test = d.is_test_running || d.has_leftover;
	if (walked)
		result_row_note(&d.row, err_say(&why, walked));
	explain(&d);
	assess_server(&d);
	assess_row(&d.row, evidence, d.generator_limit[0] ? d.generator_limit : NULL);
	master_api_destroy(&d.master);
	*was_test_started = d.was_test_started;
	return d.row;
}

enum err attempt_refuse_beside_others(const struct drive_config *c, struct err_text *text)
{
	const struct platform *p = c->platform;
	struct err_text ignored = { "" };
	struct master_api_live live;
	struct master_api *master;
	enum err err;

	master = master_api_create(p->ops->master_url(p), c->master_access, c->pause);
	err = master_api_look(master, &live, &ignored);
	master_api_destroy(&master);
	if (err || live.state == MASTER_IDLE || live.state == MASTER_STOPPING)
		return OK;
	return say_foreign(p, ERR_STATE, text);
}
