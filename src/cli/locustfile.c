/* SPDX-License-Identifier: MIT
 *
 * locustfile - see the header. What a locustfile hears comes from three sides: from the run at each
 * look, from the machine of a master, and from the web. */
#include "cli/locustfile.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/cluster_master.h"
#include "python/python.h"
#include "run/follow.h"
#include "web/web.h"

#define LOGGER "locust.main"

/* What a locustfile can ask of a master at any time. */
static void give_numbers(struct locustfile *l)
{
	const struct run *run = l->run;
	struct run_worker worker;
	struct python_cluster c = { .user_count = run_user_count(run),
				    .target_user_count = run->wanted.user_count,
				    .worker_count = run->mode->worker_count(run),
				    .class_count = run->options.class_count };

	c.classes = mem_zalloc(c.class_count, sizeof(*c.classes));
	for (size_t i = 0; i < c.class_count; i++)
		c.classes[i] = (struct python_class_count){ .name = mem_strdup(
								    run->options.classes[i].name),
							    .user_count = run->users_per_class[i] };
	l->due_us = run->now_us + CLOCK_S;
	l->told_workers = c.worker_count;
	while (run->mode->worker(run, c.count, &worker))
		c.count++;
	c.workers = mem_zalloc(c.count, sizeof(*c.workers));
	for (size_t i = 0; i < c.count && run->mode->worker(run, i, &worker); i++)
		c.workers[i] = (struct python_worker){ .id = mem_strdup(worker.id),
						       .state = run_state_name(worker.state),
						       .user_count = worker.user_count,
						       .cpu_usage = worker.cpu_usage,
						       .memory_usage = worker.memory_usage };
	python_give_cluster(l->python, &c);
	python_give_stats(l->python, &run->stats);
}

static void on_start(void *arg)
{
	struct locustfile *l = arg;

	give_numbers(l);
	python_tell(l->python, "test_start");
}

static void on_stop(void *arg)
{
	struct locustfile *l = arg;

	give_numbers(l);
	python_tell(l->python, "test_stopping");
}

static void on_report(void *arg, struct str from, struct str data)
{
	python_tell_report(((struct locustfile *)arg)->python, from, data);
}

static void on_heartbeat(void *arg, struct str worker)
{
	python_tell_heartbeat(((struct locustfile *)arg)->python, worker);
}

static void on_custom(void *arg, struct str from, struct str type, struct str data)
{
	python_tell_custom(((struct locustfile *)arg)->python, from, type, data);
}

/* Where users run Python knows of these before we do. */
static void tell_of_master(struct locustfile *l, enum run_state before)
{
	enum run_state now = l->run->state;

	if (now == RUN_STOPPED && before != RUN_STOPPED && before != RUN_READY) {
		give_numbers(l);
		python_tell(l->python, "test_stop");
	}
	if (now == RUN_RUNNING && before != RUN_RUNNING)
		python_tell_spawned(l->python, run_user_count(l->run));
	if ((l->run->now_us >= l->due_us ||
	     l->told_workers != l->run->mode->worker_count(l->run)) &&
	    python_has_taken(l->python))
		give_numbers(l);
}

void locustfile_watch(struct locustfile *l)
{
	enum run_state before = l->seen_state;

	/* A start makes all of it new, too. */
	if (l->seen_epoch != l->run->epoch && l->seen_start_us == l->run->started_us)
		python_tell(l->python, "reset_stats");
	l->seen_epoch = l->run->epoch;
	l->seen_start_us = l->run->started_us;
	l->seen_state = l->run->state;
	python_watch(l->python);
	if (l->is_master)
		tell_of_master(l, before);
}

static void on_quit_wish(void *arg)
{
	const struct locustfile *l = arg;

	l->end(l->arg);
}

static void on_reset_wish(void *arg)
{
	run_reset_stats(((struct locustfile *)arg)->run);
}

static bool is_too_late(const struct locustfile *l)
{
	return l->is_ending || (l->run_time_end_us && l->run->now_us >= l->run_time_end_us);
}

/* What is left of the time that the command line gives to all tests together; 0: it gives none. */
static uint64_t run_time_left_s(const struct locustfile *l)
{
	if (!l->run_time_end_us || run_is_busy(l->run))
		return 0;
	return (l->run_time_end_us - l->run->now_us + CLOCK_S - 1) / CLOCK_S;
}

static void start(struct locustfile *l)
{
	struct err_text text = { "" };
	enum err err;

	l->has_next = l->has_stopped = false;
	l->next.run_time_s = run_time_left_s(l);
	/* With a shape it is runner.start_shape(). */
	if (l->follow->shape)
		err = follow_start(l->follow, &l->next, &text);
	else
		err = run_start(l->run, &l->next, &text);
	if (err)
		log_line(LOG_ERROR, LOGGER, "runner.start(): %s", err_say(&text, err));
}

static void on_start_wish(void *arg, uint64_t users, double spawn_rate)
{
	struct locustfile *l = arg;

	run_tick(l->run, loop_now(l->loop));
	if (is_too_late(l))
		return;
	l->next = (struct run_start){ .user_count = users, .spawn_rate = spawn_rate };
	/* runner.stop() does not wait for the end, as Locust's does. */
	if (l->has_stopped && l->run->state == RUN_STOPPING)
		l->has_next = true;
	else
		start(l);
}

void locustfile_start_next(struct locustfile *l)
{
	if (l->has_next && l->run->state == RUN_STOPPED && !is_too_late(l))
		start(l);
}

static void on_pages_wish(void *arg, const char *host, uint16_t port)
{
	struct locustfile *l = arg;

	l->open_pages(l->arg, host, port);
}

static void on_shape_wish(void *arg)
{
	struct locustfile *l = arg;

	run_tick(l->run, loop_now(l->loop));
	follow_now(l->follow);
}

static void on_send_wish(void *arg, struct str type, struct str to, struct str data)
{
	struct locustfile *l = arg;
	size_t lost;

	if (!l->master)
		return;
	lost = cluster_master_send_custom(l->master, to.len ? to.p : NULL, type, data);
	if (lost)
		log_line(LOG_ERROR, LOGGER,
			 "Message %.*s did not reach %zu workers: they are gone, or take no more",
			 STR_ARG(type), lost);
}

static void on_web_wish(void *arg, uint64_t ticket, unsigned status, struct str headers,
			struct str body)
{
	struct locustfile *l = arg;

	if (l->web)
		web_guest_answer(l->web, ticket, &(struct guest_reply){ status, headers, body });
}

static void add_pair(struct buf *out, char kind, const char *name, const char *value)
{
	buf_add_char(out, kind);
	buf_add(out, name, strlen(name) + 1);
	buf_add(out, value, strlen(value) + 1);
}

static void add_query(void *arg, const char *name, const char *value)
{
	add_pair(arg, 'q', name, value);
}

static void add_header(void *arg, const char *name, const char *value)
{
	add_pair(arg, 'h', name, value);
}

/* A path that the locustfile may have added. */
static void ask_guest(void *arg, uint64_t ticket, struct serve_request *request)
{
	struct locustfile *l = arg;
	struct buf said;

	buf_init(&said, LIMIT_CUSTOM_BYTES);
	serve_each_query(request, add_query, &said);
	serve_each_header(request, add_header, &said);
	buf_add_char(&said, 'b');
	buf_add_str(&said, serve_body(request));
	/* One that is dropped runs into its deadline. */
	(void)python_tell_web(l->python, ticket, serve_method(request), serve_whole_path(request),
			      buf_str(&said));
	buf_fini(&said);
}

static void on_options_wish(void *arg, struct str pairs, size_t count)
{
	struct locustfile *l = arg;

	if (l->master)
		cluster_master_set_options(l->master, pairs, count);
}

static void on_begun_wish(void *arg)
{
	struct locustfile *l = arg;

	if (l->master)
		cluster_master_release(l->master);
}

/* What was given is what the next form offers: a change of the users alone must not take it back.
 */
static void keep_value(struct locustfile *l, const char *name, const char *value)
{
	for (size_t i = 0; i < l->fields.count; i++) {
		if (strcmp(l->field_items[i].name, name) != 0 || l->field_items[i].is_secret)
			continue;
		mem_free(l->field_values[i]);
		l->field_items[i].value = l->field_values[i] = mem_strdup(value);
	}
}

static void on_form(void *arg, struct str pairs)
{
	struct locustfile *l = arg;
	const char *end = pairs.p + pairs.len;

	for (const char *name = pairs.p; name < end;) {
		const char *value = name + strlen(name) + 1;

		keep_value(l, name, value);
		name = value + strlen(value) + 1;
	}
	python_tell_form(l->python, pairs);
}

/* For the form, which is the web's, what the locustfile has. */
static void show_fields(struct locustfile *l)
{
	size_t count = 0;
	const struct python_field *fields = l->python ? python_fields(l->python, &count) : NULL;

	l->field_items = mem_zalloc(count, sizeof(*l->field_items));
	l->field_values = mem_zalloc(count, sizeof(*l->field_values));
	for (size_t i = 0; i < count; i++)
		l->field_items[i] =
			(struct web_field){ .name = fields[i].name,
					    .help = fields[i].help,
					    .value = fields[i].value,
					    .is_secret = fields[i].is_secret,
					    .choices = (const char *const *)fields[i].choices };
	l->fields = (struct web_fields){ l->field_items, count, on_form, l };
}

static void on_stop_wish(void *arg)
{
	struct locustfile *l = arg;

	l->has_stopped = true;
	l->has_next = false;
	/* Without a waiter there is nothing that could be refused. */
	ensure(run_stop(l->run, NULL, NULL) == OK);
}

enum err locustfile_begin(struct locustfile *l, struct loop *loop, struct err_text *text)
{
	l->listener = (struct cluster_listener){ l,
						 .on_custom = on_custom,
						 .on_start = on_start,
						 .on_stop = on_stop,
						 .on_report = on_report,
						 .on_heartbeat = on_heartbeat };
	l->guest = (struct web_guest){ ask_guest, l };
	l->wishes = (struct python_wishes){ .on_quit = on_quit_wish,
					    .on_stop = on_stop_wish,
					    .on_reset = on_reset_wish,
					    .on_start = on_start_wish,
					    .on_pages = on_pages_wish,
					    .on_shape = on_shape_wish,
					    .on_send = on_send_wish,
					    .on_options = on_options_wish,
					    .on_begun = on_begun_wish,
					    .on_web = on_web_wish,
					    .arg = l };
	l->loop = loop;
	show_fields(l);
	return python_begin(l->python, loop, &l->wishes, text);
}

void locustfile_end(struct locustfile *l)
{
	python_end(l->python);
	for (size_t i = 0; i < l->fields.count; i++)
		mem_free(l->field_values[i]);
	mem_free(l->field_values);
	mem_free(l->field_items);
}
