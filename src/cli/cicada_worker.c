/* SPDX-License-Identifier: MIT
 *
 * cicada_worker - see the header: load threads on one side, the connection to the master on
 * the other, and this loop between them. */
#include "cli/cicada_worker.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cicada_options.h"
#include "cli/worker_tasks.h"
#include "cluster/cluster_worker.h"
#include "cluster/listener.h"
#include "cluster/msg.h"
#include "python/python.h"
#include "user/load.h"
#include "user/scenario.h"

#define LOGGER "locust.runners"

enum { EXIT_DONE = 0, EXIT_CANNOT_START = 1, EXIT_NO_MASTER = 255 };

struct worker_program {
	struct loop loop;
	const struct scenario *scenario;
	const struct cicada_options *o;
	bool has_users; /* as last reported */
	struct load *load;
	struct worker_tasks tasks;
	struct cluster_worker *worker;
	struct python *python; /* NULL: a native scenario */
	struct loop_watch signals;
	struct loop_timer watch; /* over the locustfile */
	int signal_fd, code;
	unsigned signal_count;
	struct cluster_listener listener;
	bool has_ended; /* and only the locustfile has something to do yet */
};

static void on_delta(void *arg, const struct stats *delta, const uint64_t *users)
{
	struct worker_program *p = arg;

	p->has_users = false;
	for (size_t i = 0; i < p->scenario->class_count; i++)
		p->has_users |= users[i] > 0;
	cluster_worker_on_delta(p->worker, delta, users);
}

static void on_settled(void *arg)
{
	cluster_worker_on_settled(((struct worker_program *)arg)->worker);
}

static void set_users(void *program, const uint64_t *counts, const char *host,
		      double stop_timeout_s)
{
	struct worker_program *p = program;

	load_set_users(p->load, worker_tasks_wanted(&p->tasks, counts), host, stop_timeout_s);
}

static void take_slice(const struct worker_program *p, int64_t index, uint64_t count)
{
	struct err_text text = { "" };
	struct feed_slice slice = { .count = (size_t)count };

	if (index < 0 || !count) {
		log_line(LOG_ERROR, LOGGER,
			 "--feed-slice auto: this master does not say which of how many workers "
			 "this is, so all rows are used; give --feed-slice I/N");
		return;
	}
	slice.index = (size_t)((uint64_t)index % count);
	if ((uint64_t)index >= count)
		log_line(LOG_WARNING, LOGGER,
			 "--feed-slice auto: this is worker %" PRIi64 " of %" PRIu64
			 " that the master expects, so another one uses the same rows; give the "
			 "master --expect-workers, and start it anew when workers were replaced",
			 index + 1, count);
	log_line(LOG_INFO, LOGGER, "Slice %zu/%zu of the feeds is this worker's", slice.index + 1,
		 slice.count);
	if (scenario_set_slice(p->scenario, slice, &text))
		log_line(LOG_ERROR, LOGGER, "%s", text.text);
}

static void begin_test(void *program, const struct worker_test *test)
{
	struct worker_program *p = program;

	/* Python has read them in `spawn`. */
	if (!p->python)
		worker_tasks_tag(&p->tasks, test->tags, test->exclude_tags);
	if (p->has_users) {
		log_line(LOG_WARNING, LOGGER,
			 "Users of the last test still run; the feeds go on where they are");
		return;
	}
	load_begin_test(p->load);
	if (p->o->want_feed_slice_auto && p->scenario->feed_count)
		take_slice(p, test->index, test->expect_workers);
}

static void set_tasks(void *program, size_t class_index, const struct str *names, size_t count)
{
	worker_tasks_name(&((struct worker_program *)program)->tasks, class_index, names, count);
}

static void set_host(void *program, size_t class_index, const char *host)
{
	load_set_host(((struct worker_program *)program)->load, class_index, host);
}

static void collect(void *program)
{
	load_collect(((struct worker_program *)program)->load);
}

static const struct worker_load_ops load_ops = { set_users, begin_test, set_tasks, set_host,
						 collect };

static void on_exception(void *arg, struct str msg, struct str traceback)
{
	cluster_worker_on_exception(((struct worker_program *)arg)->worker, msg, traceback);
}

static void on_python_done(void *arg, int code)
{
	struct worker_program *p = arg;

	p->code = code;
	loop_stop(&p->loop);
}

static void on_ended(void *arg, enum err err, const struct err_text *text)
{
	struct worker_program *p = arg;

	if (err) {
		log_line(LOG_ERROR, LOGGER, "%s", err_say(text, err));
		p->code = EXIT_NO_MASTER;
	}
	p->has_ended = true;
	if (p->python)
		python_quit(p->python, p->code, on_python_done, p);
	else
		loop_stop(&p->loop);
}

static void on_watch(void *arg)
{
	struct worker_program *p = arg;

	python_watch(p->python);
	loop_timer_set(&p->loop, &p->watch, loop_now(&p->loop) + CLOCK_S);
}

/* runner.quit(): this worker leaves; runner.stop() is the master's to say. */
static void on_wish(void *arg)
{
	struct worker_program *p = arg;

	if (!p->has_ended)
		cluster_worker_quit(p->worker);
}

static void on_start_wish(void *arg, uint64_t users, double spawn_rate)
{
	(void)arg;
	(void)users;
	(void)spawn_rate;
	log_line(LOG_WARNING, LOGGER,
		 "runner.start() in a worker has no effect; the master starts tests");
}

static void on_ignored_wish(void *arg)
{
	(void)arg;
	log_line(LOG_WARNING, LOGGER,
		 "runner.stop() in a worker has no effect; the master stops tests");
}

static void on_reset_wish(void *arg)
{
	(void)arg;
	log_line(LOG_WARNING, LOGGER,
		 "stats.reset_all() in a worker is for its own view; the master keeps the numbers");
}

static void on_send_wish(void *arg, struct str type, struct str to, struct str data)
{
	struct worker_program *p = arg;

	(void)to;
	if (!cluster_worker_send_custom(p->worker, type, data))
		log_line(LOG_ERROR, LOGGER,
			 "Message %.*s is lost: the connection to the master takes no more",
			 STR_ARG(type));
}

static void on_extra_wish(void *arg, struct str pairs, size_t count)
{
	struct worker_program *p = arg;

	if (!cluster_worker_send_extra(p->worker, &(struct msg_pairs){ pairs, count }))
		log_line(LOG_ERROR, LOGGER,
			 "What report_to_master has added is lost: the connection to the master "
			 "takes no more");
}

static void on_usual_wish(void *arg, struct str pairs, size_t count)
{
	struct worker_program *p = arg;

	cluster_worker_set_usual(p->worker, &(struct msg_pairs){ pairs, count });
}

/* What the cluster says to the locustfile. */

static void on_joined(void *arg, const char *id, int64_t index)
{
	python_tell_joined(((struct worker_program *)arg)->python, id, index);
}

static void on_spawn(void *arg, struct str data)
{
	python_tell_spawn(((struct worker_program *)arg)->python, data);
}

static void on_heartbeat(void *arg, struct str worker)
{
	python_tell_heartbeat(((struct worker_program *)arg)->python, worker);
}

static void on_custom(void *arg, struct str from, struct str type, struct str data)
{
	python_tell_custom(((struct worker_program *)arg)->python, from, type, data);
}

static enum err begin_python(struct worker_program *p, const struct python_wishes *wishes,
			     struct err_text *text)
{
	enum err err;

	if (!p->python)
		return OK;
	err = python_begin(p->python, &p->loop, wishes, text);
	loop_timer_init(&p->watch, on_watch, p);
	loop_timer_set(&p->loop, &p->watch, loop_now(&p->loop));
	return err;
}

/* The first one ends in order, a second one at once. */
static void on_signal(void *arg, uint32_t events)
{
	struct worker_program *p = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(p->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_line(LOG_INFO, LOGGER, "Got %s signal",
		 info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
	if (p->signal_count++ || p->has_ended)
		loop_stop(&p->loop);
	else
		cluster_worker_quit(p->worker);
}

static enum err start(struct worker_program *p, const struct cicada_options *o,
		      const struct scenario *scenario, const char *const *names,
		      struct err_text *text)
{
	const struct load_guest *guest = p->python ? python_guest(p->python) : NULL;
	enum err err =
		load_create(&p->loop,
			    &(struct load_options){ .scenario = scenario,
						    .threads = p->python ? 1 : (unsigned)o->threads,
						    .seed = o->seed,
						    .tls = &o->tls,
						    .http_version = o->http_version,
						    .arrivals = &o->arrivals,
						    .wait = cicada_options_wait(o),
						    .network = &o->network,
						    .on_delta = on_delta,
						    .on_settled = on_settled,
						    .guest = guest,
						    .on_exception = on_exception,
						    .arg = p },
			    &p->load, text);

	if (!err)
		worker_tasks_init(&p->tasks, scenario, p->load);
	if (!err)
		err = cluster_worker_create(&p->loop,
					    &(struct cluster_worker_options){
						    .master_host = o->master_host,
						    .master_port = (unsigned)o->master_port,
						    .key = cicada_options_key(o),
						    .classes = names,
						    .class_count = scenario->class_count,
						    .waits_for_usual = p->python != NULL,
						    .ops = &load_ops,
						    .load = p,
						    .ended = on_ended,
						    .arg = p,
						    .listener = p->python ? &p->listener : NULL },
					    &p->worker, text);
	if (!err)
		err = loop_watch(&p->loop, &p->signals, p->signal_fd, EPOLLIN, on_signal, p);
	return err;
}

int cicada_worker_main(const struct cicada_options *o, const struct scenario *scenario,
		       struct python *python, int signal_fd)
{
	struct worker_program p = {
		.scenario = scenario,
		.o = o,
		.python = python,
		.signal_fd = signal_fd,
		.listener = { &p, .on_custom = on_custom, .on_joined = on_joined,
			      .on_spawn = on_spawn, .on_heartbeat = on_heartbeat },
	};
	const struct python_wishes wishes = { .on_quit = on_wish,
					      .on_stop = on_ignored_wish,
					      .on_reset = on_reset_wish,
					      .on_start = on_start_wish,
					      .on_send = on_send_wish,
					      .on_extra = on_extra_wish,
					      .on_usual = on_usual_wish,
					      .arg = &p };
	const char **names = mem_zalloc(scenario->class_count, sizeof(*names));
	struct err_text text = { "" };
	enum err err;

	for (size_t i = 0; i < scenario->class_count; i++)
		names[i] = scenario->classes[i]->name;
	err = loop_init(&p.loop, &text);
	if (err) {
		log_line(LOG_ERROR, LOGGER, "%s", err_say(&text, err));
		mem_free(names);
		return EXIT_CANNOT_START;
	}
	err = begin_python(&p, &wishes, &text);
	if (!err)
		err = start(&p, o, scenario, names, &text);
	if (err) {
		log_line(LOG_ERROR, LOGGER, "%s", err_say(&text, err));
		p.code = EXIT_CANNOT_START;
	} else {
		loop_run(&p.loop);
		loop_unwatch(&p.loop, &p.signals);
	}
	log_line(LOG_INFO, "locust.main", "Shutting down (exit code %d)", p.code);
	cluster_worker_destroy(&p.worker);
	load_destroy(&p.load);
	worker_tasks_fini(&p.tasks);
	loop_timer_clear(&p.loop, &p.watch);
	python_end(p.python);
	loop_fini(&p.loop);
	mem_free(names);
	return p.code;
}
