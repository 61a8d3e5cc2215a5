/* SPDX-License-Identifier: MIT
 *
 * run - see the header.
 *
 * The window is opened and closed by state alone, so a mode cannot forget it: RUN_RUNNING
 * opens, RUN_STOPPING closes, everything else that ends the steady state (a change of the
 * number of users) throws it away, unless a shape wants it. */
#include "run/run.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

#define LOGGER "locust.runners"
#define NEVER  UINT64_MAX
/* A worker of Locust reports every 3 s. */
#define REPORT_LATE_US (4 * CLOCK_S)

/* Of a line for people, which the log cuts at 4 kB. */
#define LINE_BYTES 3072

const char *run_state_name(enum run_state state)
{
	switch (state) {
	case RUN_READY:
		return "ready";
	case RUN_SPAWNING:
		return "spawning";
	case RUN_RUNNING:
		return "running";
	case RUN_STOPPING:
		return "stopping";
	case RUN_STOPPED:
		return "stopped";
	case RUN_MISSING:
		break;
	}
	return "missing";
}

double run_wall_s(const struct run *run)
{
	return run->wall_offset_s + (double)run->now_us / CLOCK_S;
}

void run_init(struct run *run, const struct run_mode *mode, const struct run_options *options,
	      double wall_offset_s, uint64_t now_us)
{
	*run = (struct run){ .mode = mode,
			     .options = *options,
			     .host = options->host ? mem_strdup(options->host) : NULL,
			     .state = RUN_READY,
			     .stop_timeout_s = options->stop_timeout_s,
			     .now_us = now_us,
			     .wall_offset_s = wall_offset_s,
			     .ends_us = NEVER };
	run->wanted.host = run->host;
	run->profile = options->profile && *options->profile ? mem_strdup(options->profile) : NULL;
	run->users_per_class = mem_zalloc(options->class_count + 1, sizeof(uint64_t));
	run->last_users_per_class = mem_zalloc(options->class_count + 1, sizeof(uint64_t));
	run->shares = mem_zalloc(options->class_count + 1, sizeof(*run->shares));
	run->has_new_share = mem_zalloc(options->class_count + 1, sizeof(*run->has_new_share));
	for (size_t i = 0; i < options->class_count; i++)
		run->shares[i] = (struct run_share){ options->classes[i].weight,
						     options->classes[i].fixed_count, NULL, NULL };
	stats_init(&run->stats, run_wall_s(run));
	stats_init(&run->window, run_wall_s(run));
	map_init(&run->exceptions);
	recent_init(&run->recent);
	history_clear(&run->history);
	series_init(&run->series);
	parts_init(&run->parts);
}

static void forget_exceptions(struct run *run)
{
	struct map_entry *slot;

	for (size_t i = 0; (slot = map_next(&run->exceptions, &i));) {
		struct run_exception *exception = slot->value;

		mem_free(exception->msg);
		mem_free(exception->traceback);
		map_fini(&exception->nodes);
		mem_free(exception);
	}
	map_clear(&run->exceptions);
}

void run_fini(struct run *run)
{
	forget_exceptions(run);
	map_fini(&run->exceptions);
	stats_fini(&run->stats);
	stats_fini(&run->window);
	recent_fini(&run->recent);
	series_fini(&run->series);
	parts_fini(&run->parts);
	mem_free(run->users_per_class);
	mem_free(run->last_users_per_class);
	for (size_t i = 0; i < run->options.class_count; i++) {
		mem_free((void *)run->shares[i].draws);
		mem_free((void *)run->shares[i].host);
	}
	mem_free(run->shares);
	mem_free(run->has_new_share);
	mem_free(run->host);
	mem_free(run->profile);
}

static void open_window(struct run *run)
{
	series_clear(&run->series, run_wall_s(run));
	parts_clear(&run->parts, run_wall_s(run));
	stats_clear(&run->window, run_wall_s(run));
	run->has_window = run->is_window_open = true;
	run->window_start_us = run->window_counted_us = run->now_us;
	run->window_start_wall_s = run_wall_s(run);
}

static void close_window(struct run *run)
{
	if (!run->is_window_open)
		return;
	run->is_window_open = false;
	run->window_end_us = run->now_us;
	series_end(&run->series, run_wall_s(run), run_user_count(run));
}

static void drop_window(struct run *run)
{
	run->has_window = run->is_window_open = false;
	series_clear(&run->series, run_wall_s(run));
	parts_clear(&run->parts, run_wall_s(run));
	stats_clear(&run->window, run_wall_s(run));
}

/* Bit s of edges[f]: from f to s may be gone. A run that is spawning may fail to start, and
 * goes back to what it was. */
static bool is_edge(enum run_state from, enum run_state to)
{
	static const unsigned edges[] = {
		[RUN_READY] = 1u << RUN_SPAWNING,
		[RUN_SPAWNING] = 1u << RUN_RUNNING | 1u << RUN_STOPPING | 1u << RUN_READY |
				 1u << RUN_STOPPED,
		[RUN_RUNNING] = 1u << RUN_SPAWNING | 1u << RUN_STOPPING,
		[RUN_STOPPING] = 1u << RUN_STOPPED,
		[RUN_STOPPED] = 1u << RUN_SPAWNING,
		[RUN_MISSING] = 0,
	};

	return edges[from] & 1u << to;
}

/* A waiter may start the next test and even wait for its end, so the list is empty by then. */
static void answer_waiters(struct run *run)
{
	struct run_stop_waiter waiters[RUN_STOP_WAITERS];
	size_t count = run->stop_waiter_count;

	memcpy(waiters, run->stop_waiters, count * sizeof(waiters[0]));
	run->stop_waiter_count = 0;
	for (size_t i = 0; i < count; i++)
		waiters[i].fn(waiters[i].arg);
}

void run_set_state(struct run *run, enum run_state state)
{
	if (state == run->state)
		return;
	ensure(is_edge(run->state, state));
	run->state = state;
	run->generation++;
	if (run->wanted.is_shaped && run->has_window &&
	    (state == RUN_RUNNING || state == RUN_SPAWNING))
		return;
	if (state == RUN_RUNNING) {
		if (run->options.want_reset_stats)
			run_reset_stats(run);
		open_window(run);
	} else if (state == RUN_SPAWNING) {
		drop_window(run);
	} else if (state == RUN_STOPPING) {
		run->ends_us = NEVER;
		close_window(run);
		history_add(&run->history, run);
		memcpy(run->last_users_per_class, run->users_per_class,
		       run->options.class_count * sizeof(uint64_t));
	} else {
		answer_waiters(run);
	}
}

bool run_is_busy(const struct run *run)
{
	return run->state != RUN_READY && run->state != RUN_STOPPED;
}

enum err run_check_start(const struct run *run, const struct run_start *start,
			 struct err_text *text)
{
	if (start->user_count > LIMIT_USERS)
		return err_set(text, ERR_BAD_INPUT,
			       "user_count must be a whole number from 0 to %d", LIMIT_USERS);
	if (!isfinite(start->spawn_rate) || start->spawn_rate < RUN_SPAWN_RATE_MIN)
		return err_set(text, ERR_BAD_INPUT, "spawn_rate must be a number from %g upwards",
			       RUN_SPAWN_RATE_MIN);
	if (start->run_time_s > RUN_TIME_MAX_S)
		return err_set(text, ERR_BAD_INPUT, "run_time must be at most 100 years");
	if (start->host && strlen(start->host) > LIMIT_URL_BYTES)
		return err_set(text, ERR_BAD_INPUT, "host is longer than %d bytes",
			       LIMIT_URL_BYTES);
	if (run->state == RUN_STOPPING)
		return err_set(text, ERR_STATE,
			       "the test is still stopping; start when its state is 'stopped'");
	if (run->mode->is_distributed && !run->mode->worker_count(run))
		return err_set(text, ERR_UNREACHABLE,
			       "You can't start a distributed test before at least one worker "
			       "processes has connected");
	return OK;
}

/* As Locust does, whatever the classes had before. */
static void set_host_of_all(struct run *run, const char *host)
{
	char *copy = mem_strdup(host);

	mem_free(run->host);
	run->host = copy;
	for (size_t i = 0; i < run->options.class_count; i++) {
		mem_free((void *)run->shares[i].host);
		run->shares[i].host = NULL;
	}
}

static void set_wanted(struct run *run, const struct run_start *start, bool is_change)
{
	uint64_t run_time_s = start->run_time_s;

	if (start->host && *start->host)
		set_host_of_all(run, start->host);
	if (run_time_s)
		run->ends_us = run->now_us + run_time_s * CLOCK_S;
	else if (is_change)
		run_time_s = run->wanted.run_time_s;
	else
		run->ends_us = NEVER;
	run->wanted = (struct run_start){ .user_count = start->user_count,
					  .spawn_rate = fmin(start->spawn_rate, LIMIT_USERS),
					  .host = run->host,
					  .run_time_s = run_time_s,
					  .is_shaped = start->is_shaped,
					  .classes = start->classes };
}

enum err run_start(struct run *run, const struct run_start *start, struct err_text *text)
{
	enum run_state before = run->state;
	bool is_change = run_is_busy(run);
	enum err err = run_check_start(run, start, text);

	if (err)
		return err;
	set_wanted(run, start, is_change);
	if (!is_change) {
		run->started_us = run->now_us;
		run->epoch++;
		stats_clear(&run->stats, run_wall_s(run));
		run->connections_open = 0;
		run->has_warned = false;
		drop_window(run);
		run->has_warned_dropped = false;
		forget_exceptions(run);
		history_clear(&run->history);
	}
	run->generation++;
	run_set_state(run, RUN_SPAWNING);
	err = run->mode->start(run, &run->wanted, text);
	if (err) {
		if (!is_change)
			run->ends_us = NEVER;
		run_set_state(run, before);
	}
	return err;
}

enum err run_check_profile(const char *name, struct err_text *text)
{
	if (strlen(name) > LIMIT_PROFILE_BYTES)
		return err_set(text, ERR_TOO_BIG, "profile is longer than %d bytes",
			       LIMIT_PROFILE_BYTES);
	return OK;
}

void run_set_profile(struct run *run, const char *name)
{
	mem_free(run->profile);
	run->profile = name && *name ? mem_strdup(name) : NULL;
}

static bool makes_users(const struct run_share *share)
{
	return share->weight > 0 || share->fixed_count;
}

static size_t count_drawn(const struct run_class *class, const bool *draws)
{
	size_t count = 0;

	for (size_t i = 0; i < class->task_count; i++)
		count += !draws || draws[i];
	return count;
}

static void keep_share(struct run *run, size_t class_index, const struct run_share *share)
{
	const struct run_class *class = &run->options.classes[class_index];
	struct run_share *kept = &run->shares[class_index];
	bool *draws = share->draws ? mem_zalloc(class->task_count, sizeof(*draws)) : NULL;
	char *host = share->host && *share->host ? mem_strdup(share->host) : NULL;

	if (draws)
		memcpy(draws, share->draws, class->task_count * sizeof(*draws));
	mem_free((void *)kept->draws);
	mem_free((void *)kept->host);
	*kept = (struct run_share){ share->weight, share->fixed_count, draws, host };
	run->has_new_share[class_index] = true;
	log_line(LOG_INFO, LOGGER,
		 "User class %s has weight %g and fixed_count %" PRIu64 " now, and draws %zu of "
		 "%zu tasks",
		 class->name, kept->weight, kept->fixed_count, count_drawn(class, draws),
		 class->task_count);
}

static enum err check_class_host(const struct run *run, const char *host, struct err_text *text)
{
	struct err_text why = { "" };
	enum err err;

	if (!host || !*host)
		return OK;
	if (strlen(host) > LIMIT_URL_BYTES)
		return err_set(text, ERR_TOO_BIG, "host is longer than %d bytes", LIMIT_URL_BYTES);
	if (!run->options.check_host)
		return OK;
	err = run->options.check_host(host, &why);
	return err ? err_set(text, err, "host: %s", err_say(&why, err)) : OK;
}

enum err run_set_share(struct run *run, size_t class_index, const struct run_share *share,
		       struct err_text *text)
{
	const struct run_class *class = &run->options.classes[class_index];
	bool is_anybody_left = makes_users(share);
	bool has_host = (share->host && *share->host) || run->host || class->host;
	enum err err = check_class_host(run, share->host, text);

	if (err)
		return err;
	if (!isfinite(share->weight) || share->weight < 0 || share->weight > RUN_WEIGHT_MAX)
		return err_set(text, ERR_BAD_INPUT, "weight must be a number from 0 to %g",
			       RUN_WEIGHT_MAX);
	if (share->fixed_count > LIMIT_USERS)
		return err_set(text, ERR_BAD_INPUT,
			       "fixed_count must be a whole number from 0 to %d", LIMIT_USERS);
	if (run->shares[class_index].host && !has_host)
		return err_set(
			text, ERR_BAD_INPUT,
			"host: there is no other one for class %s; give one to the test first",
			class->name);
	if (share->draws && !count_drawn(class, share->draws))
		return err_set(text, ERR_BAD_INPUT, "tasks must name at least one task of %s",
			       class->name);
	for (size_t i = 0; i < run->options.class_count; i++)
		is_anybody_left |= i != class_index && makes_users(&run->shares[i]);
	if (!is_anybody_left)
		return err_set(text, ERR_BAD_INPUT,
			       "no class would be left with users; give another one a weight or a "
			       "fixed_count first");
	keep_share(run, class_index, share);
	run_classes_remove(&run->untagged, class_index);
	if (run->mode->change_class)
		run->mode->change_class(run, class_index);
	return OK;
}

struct run_share run_share_now(const struct run *run, size_t class_index)
{
	static const struct run_classes all;
	const struct run_classes *c = &run->wanted.classes;

	if (memcmp(c, &all, sizeof(all)) == 0 ||
	    c->words[class_index / 64] >> (class_index % 64) & 1)
		return run->shares[class_index];
	return (struct run_share){ 0 };
}

bool run_has_class_hosts(const struct run *run)
{
	for (size_t i = 0; i < run->options.class_count; i++)
		if (run->shares[i].host)
			return true;
	return false;
}

const char *run_class_host(const struct run *run, size_t class_index)
{
	if (run->shares[class_index].host)
		return run->shares[class_index].host;
	return run->host ? run->host : run->options.classes[class_index].host;
}

enum err run_stop(struct run *run, run_stopped_fn fn, void *arg)
{
	enum err err = OK;

	if (!run_is_busy(run)) {
		if (fn)
			fn(arg);
		return OK;
	}
	if (fn && run->stop_waiter_count == RUN_STOP_WAITERS) {
		err = ERR_BUSY;
	} else if (fn) {
		run->stop_waiters[run->stop_waiter_count++] = (struct run_stop_waiter){ fn, arg };
	}
	if (run->state != RUN_STOPPING) {
		run_set_state(run, RUN_STOPPING);
		run->mode->stop(run);
	}
	return err;
}

void run_stop_forget(struct run *run, run_stopped_fn fn, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->stop_waiter_count; i++)
		if (run->stop_waiters[i].fn != fn || run->stop_waiters[i].arg != arg)
			run->stop_waiters[kept++] = run->stop_waiters[i];
	run->stop_waiter_count = kept;
}

void run_reset_stats(struct run *run)
{
	run->epoch++;
	stats_reset(&run->stats, run_wall_s(run));
	forget_exceptions(run);
	history_clear(&run->history);
	if (run->is_window_open)
		open_window(run);
	else
		drop_window(run);
	run->generation++;
}

void run_tick(struct run *run, uint64_t now_us)
{
	if (now_us > run->now_us)
		run->now_us = now_us;
	recent_tick(&run->recent, run);
	if (run_is_busy(run) && run->state != RUN_STOPPING)
		history_tick(&run->history, run);
	/* Without a waiter there is nothing that could be refused. */
	if (run->now_us >= run->ends_us)
		ensure(run_stop(run, NULL, NULL) == OK);
}

uint64_t run_user_count(const struct run *run)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < run->options.class_count; i++)
		sum += run->users_per_class[i];
	return sum;
}

const char *run_model_name(const struct run *run)
{
	/* Indexed by a bit for each model. */
	static const char *const names[1 << RUN_MODELS] = { NULL,	  "closed",
							    "paced",	  "closed+paced",
							    "open",	  "closed+open",
							    "paced+open", "closed+paced+open" };
	unsigned bits = 0;

	for (size_t i = 0; i < run->options.class_count; i++)
		bits |= 1u << run->options.classes[i].model;
	return names[bits];
}

/* The one whose name comes after this one's, NULL: the first. */
static const struct run_class *class_after(const struct run *run, const struct run_class *last)
{
	const struct run_class *next = NULL;

	for (size_t i = 0; i < run->options.class_count; i++) {
		const struct run_class *c = &run->options.classes[i];

		if ((!last || strcmp(c->name, last->name) > 0) &&
		    (!next || strcmp(c->name, next->name) < 0))
			next = c;
	}
	return next;
}

void run_log_spawned(const struct run *run)
{
	const struct run_class *c = NULL;
	struct buf text;

	buf_init(&text, LINE_BYTES);
	while ((c = class_after(run, c))) {
		buf_add_text(&text, text.len ? ", " : "");
		buf_add_json(&text, str_of(c->name));
		buf_printf(&text, ": %" PRIu64, run->users_per_class[c - run->options.classes]);
	}
	log_line(LOG_INFO, LOGGER, "All users spawned: {%.*s} (%" PRIu64 " total users)",
		 STR_ARG(buf_str(&text)), run_user_count(run));
	buf_fini(&text);
}

double run_window_s(const struct run *run, uint64_t now_us)
{
	uint64_t end_us = run->is_window_open ? now_us : run->window_end_us;

	if (!run->has_window || end_us < run->window_start_us)
		return 0;
	return (double)(end_us - run->window_start_us) / CLOCK_S;
}

double run_window_counted_s(const struct run *run)
{
	const bool is_current =
		run->is_window_open && run->now_us - run->window_counted_us < REPORT_LATE_US;

	return run_window_s(run, is_current ? run->window_counted_us : run->now_us);
}

static void count_connections(struct run *run, const struct health *delta)
{
	uint64_t open = run->connections_open + delta->opened;

	run->connections_open = open > delta->closed ? open - delta->closed : 0;
}

/* Once in a test, while it can still be changed; Locust's words where it has some. */
static void warn_if_limited(struct run *run)
{
	const struct health *h = &run->stats.health;

	if (run->has_warned || (!health_is_busy(h) && !health_is_late(h)))
		return;
	run->has_warned = true;
	if (health_is_busy(h))
		log_line(LOG_WARNING, LOGGER,
			 "CPU usage above 90%%! This may constrain your throughput and may even "
			 "give inconsistent response time measurements! A load thread is the "
			 "limit: use more CPUs, more workers, or tasks that compute less.");
	else
		log_line(LOG_WARNING, LOGGER,
			 "Users run more than %u ms late! This may constrain your throughput and "
			 "response times are too long. The load generator is the limit: use more "
			 "CPUs, more workers, or tasks that compute less.",
			 (unsigned)(HEALTH_LAG_US / CLOCK_MS));
}

static void warn_if_dropped(struct run *run)
{
	if (run->has_warned_dropped || !run->stats.health.dropped)
		return;
	run->has_warned_dropped = true;
	log_line(LOG_WARNING, LOGGER,
		 "Arrivals are dropped: --max-in-flight tasks run and as many as --max-waiting "
		 "allows wait. The target does not get the load that was asked for: raise the "
		 "limit, or ask for less.");
}

void run_add_stats(struct run *run, const struct stats *delta, bool is_draining)
{
	stats_merge(&run->stats, delta);
	if (run->has_window && !is_draining) {
		stats_merge(&run->window, delta);
		run->window_counted_us = run->now_us;
		series_add(&run->series, &delta->total, run_wall_s(run), run_user_count(run));
		parts_add(&run->parts, &delta->total,
			  series_first_second(&delta->total, run_wall_s(run)));
	}
	count_connections(run, &delta->health);
	warn_if_limited(run);
	warn_if_dropped(run);
}

static struct str clip(struct str s)
{
	return s.len > LIMIT_EXCEPTION_BYTES ? (struct str){ s.p, LIMIT_EXCEPTION_BYTES } : s;
}

void run_add_exception(struct run *run, struct str node, struct str msg, struct str traceback,
		       uint64_t times)
{
	struct run_exception *exception;

	msg = clip(msg);
	traceback = clip(traceback);
	exception = map_get(&run->exceptions, traceback);
	if (!exception && run->exceptions.count >= LIMIT_EXCEPTIONS) {
		msg = traceback = str_of(STATS_OTHERS);
		exception = map_get(&run->exceptions, traceback);
	}
	if (!exception) {
		exception = mem_zalloc(1, sizeof(*exception));
		exception->msg = mem_strndup(msg.p, msg.len);
		exception->traceback = mem_strndup(traceback.p, traceback.len);
		map_init(&exception->nodes);
		map_put(&run->exceptions, traceback, exception);
	}
	exception->count += times;
	/* The value only has to be there. */
	if (exception->nodes.count < LIMIT_WORKERS)
		map_put(&exception->nodes, node, exception);
}

char *run_exception_nodes(const struct run_exception *exception)
{
	struct map_entry *slot;
	struct buf names;

	buf_init(&names, LIMIT_EXCEPTION_BYTES);
	for (size_t i = 0; (slot = map_next(&exception->nodes, &i));) {
		buf_add_text(&names, names.len ? ", " : "");
		buf_add_str(&names, (struct str){ slot->key, slot->key_len });
	}
	return buf_take(&names);
}
