/* SPDX-License-Identifier: MIT
 *
 * cicada_runner - see the header. One timer looks at the run every TICK_US; what a phase waits
 * for is asked there, so the order of events stands in one function: on_tick(). */
#include "cli/cicada_runner.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cicada_options.h"
#include "cli/cicada_shape.h"
#include "cli/config_users.h"
#include "cli/keys.h"
#include "cli/locustfile.h"
#include "cli/processes.h"
#include "cli/result_files.h"
#include "cluster/cluster_master.h"
#include "cluster/msg.h"
#include "http/url.h"
#include "python/python.h"
#include "run/console.h"
#include "run/follow.h"
#include "run/gate.h"
#include "run/local.h"
#include "run/warmup.h"
#include "stat/shown.h"
#include "user/open.h"
#include "user/scenario.h"
#include "web/web.h"

#define LOGGER	  "locust.main"
#define TICK_US	  (50 * CLOCK_MS)
#define REMIND_US CLOCK_S
/* That a locustfile which has stopped the test has to start another one. */
#define BETWEEN_US (60 * CLOCK_S)

#define VALUE_BYTES 64 /* of what a gate saw, in words */

/* That worker processes have to end after they were told to. */
#define CHILDREN_PATIENCE_S 10

enum { EXIT_CANNOT_START = 1, EXIT_NOT_WRITTEN = 1, EXIT_GATE = 99 };

enum phase {
	PHASE_WEB,     /* people, or the locustfile, start and stop tests; the program stays */
	PHASE_WAITING, /* for --expect-workers */
	PHASE_TESTING, /* an automatic test runs */
	PHASE_BETWEEN, /* the locustfile has stopped it, and may start another one */
	PHASE_LINGER,  /* it is over; --autoquit runs */
	PHASE_ENDING   /* the run is being stopped, then the workers quit */
};

struct runner {
	const struct cicada_options *o;
	const struct scenario *scenario;
	struct loop loop;
	struct run_options run_options;
	struct run_class *classes;
	struct run *run;
	struct local *local;
	struct cluster_master *master;
	struct web *web;
	struct gates gates;
	struct warmup warmup;
	struct result_files files;
	struct locustfile file; /* its `python` is NULL: a native scenario */
	struct cicada_shape shape;
	struct buf sources[LIMIT_LOCUSTFILES]; /* of the scenario, for workers that ask */
	struct msg_file files_to_give[LIMIT_LOCUSTFILES];
	size_t file_count;
	struct follow follow; /* only with a shape */
	char *pages_host;     /* that the locustfile has named; NULL: none */
	struct loop_watch signals;
	struct loop_timer tick;
	enum phase phase;
	uint64_t phase_us; /* when it began */
	uint64_t table_due_us, remind_due_us;
	struct processes *children;
	struct keys keys;
	int signal_fd, code;
	unsigned signal_count;
	bool has_code; /* decided before the end, whatever the numbers say */
};

static void set_phase(struct runner *r, enum phase phase)
{
	r->phase = phase;
	r->phase_us = clock_us();
}

/* ---- tables ---- */

static unsigned terminal_columns(void)
{
	struct winsize size;

	return isatty(STDERR_FILENO) && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
										     : 0;
}

static void print_tables(const struct runner *r, bool is_final)
{
	struct buf out;

	buf_init(&out, CONSOLE_TABLE_BYTES);
	console_stats(r->run, is_final, terminal_columns(), &out);
	if (is_final) {
		console_percentiles(r->run, terminal_columns(), &out);
		console_responses(r->run, terminal_columns(), &out);
		console_errors(r->run, terminal_columns(), &out);
		console_model(r->run, &out);
		console_generator(r->run, &out);
	}
	fwrite(buf_str(&out).p, 1, out.len, stderr);
	buf_fini(&out);
}

static void print_gates(const struct runner *r)
{
	struct buf out;

	buf_init(&out, CONSOLE_TABLE_BYTES);
	gates_print(&r->gates, &out);
	fwrite(buf_str(&out).p, 1, out.len, stderr);
	buf_fini(&out);
}

static void print_periodic_table(struct runner *r, uint64_t now_us)
{
	if (now_us < r->table_due_us || r->o->want_only_summary || r->o->want_skip_log_setup ||
	    !(r->o->is_headless || r->o->want_print_stats) ||
	    (r->run->state != RUN_SPAWNING && r->run->state != RUN_RUNNING))
		return;
	r->table_due_us = now_us + shown()->console_us;
	print_tables(r, false);
}

/* ---- the end ---- */

/* Locust's rule: a test with failures or exceptions is a failed test; but where gates say how many
 * failures there may be, they do. */
static int code_of_run(struct runner *r)
{
	const struct run *run = r->run;

	if (!gates_judge(&r->gates, run))
		return EXIT_GATE;
	if (gates_judge_failures(&r->gates) && !run->exceptions.count)
		return 0;
	return run->stats.total.num_failures || run->stats.errors.count || run->exceptions.count
		       ? (int)r->o->exit_code_on_error
		       : 0;
}

/* Locust's last words on it, which tools look for. */
static void warn_of_cpu(const struct runner *r)
{
	if (health_is_busy(&r->run->stats.health))
		log_line(LOG_WARNING, LOGGER, "%s",
			 r->master ? "CPU usage threshold was exceeded on workers during the test!"
				   : "CPU usage was too high at some point during the test!");
}

static void on_workers_gone(void *arg)
{
	loop_stop(&((struct runner *)arg)->loop);
}

static void leave(void *arg, int code)
{
	struct runner *r = arg;

	r->code = code;
	log_line(LOG_INFO, LOGGER, "Shutting down (exit code %d)", r->code);
	warn_of_cpu(r);
	if (r->master)
		cluster_master_quit(r->master, on_workers_gone, r);
	else
		loop_stop(&r->loop);
}

static void on_stopped(void *arg)
{
	struct runner *r = arg;
	int code;

	if (!warmup_is_over(&r->warmup))
		log_line(LOG_WARNING, LOGGER,
			 "The test ended before --warmup was over: its results are of the warm-up");
	code = r->has_code ? r->code : code_of_run(r);
	if (!r->file.python) {
		leave(r, code);
		return;
	}
	locustfile_watch(&r->file);
	python_quit(r->file.python, code, leave, r);
}

static void begin_end(void *arg)
{
	struct runner *r = arg;

	if (r->phase == PHASE_ENDING)
		return;
	set_phase(r, PHASE_ENDING);
	r->file.is_ending = true;
	if (run_stop(r->run, on_stopped, r))
		on_stopped(r);
}

static void give_up(struct runner *r, int code)
{
	r->code = code;
	r->has_code = true;
	begin_end(r);
}

/* The first one ends in order, a second one at once. */
static void on_signal(void *arg, uint32_t events)
{
	struct runner *r = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_line(LOG_INFO, LOGGER, "%s",
		 info.ssi_signo == SIGINT ? "Got SIGINT signal (KeyboardInterrupt)"
					  : "Got SIGTERM signal");
	if (r->signal_count++)
		loop_stop(&r->loop);
	else
		begin_end(r);
}

/* ---- the way there ---- */

static void start_test(struct runner *r)
{
	const struct cicada_options *o = r->o;
	const struct run_start start = { .user_count = o->users,
					 .spawn_rate = o->spawn_rate,
					 .host = o->host,
					 .run_time_s = o->run_time_s };
	struct err_text text = { "" };
	enum err err;

	if (r->shape.is_given)
		log_line(LOG_INFO, LOGGER, "The load shape %s says when the test ends",
			 r->shape.shape.name);
	else if (o->run_time_s)
		log_line(LOG_INFO, LOGGER, "Run time limit set to %" PRIu64 " seconds",
			 o->run_time_s);
	else
		log_line(LOG_INFO, LOGGER, "No run time limit set, use CTRL+C to interrupt");
	set_phase(r, PHASE_TESTING);
	r->file.has_stopped = false;
	if (o->is_headless && o->run_time_s && !r->shape.is_given)
		r->file.run_time_end_us = loop_now(&r->loop) + o->run_time_s * CLOCK_S;
	if (r->shape.is_given)
		err = follow_start(&r->follow, &start, &text);
	else
		err = run_start(r->run, &start, &text);
	if (!err)
		return;
	log_line(LOG_ERROR, LOGGER, "%s", err_say(&text, err));
	give_up(r, EXIT_CANNOT_START);
}

static void wait_for_workers(struct runner *r, uint64_t now_us)
{
	const struct cicada_options *o = r->o;
	size_t count = r->run->mode->is_distributed ? r->run->mode->worker_count(r->run)
						    : o->expect_workers;

	if (count >= o->expect_workers) {
		start_test(r);
	} else if (o->expect_workers_max_wait_s &&
		   now_us - r->phase_us >= o->expect_workers_max_wait_s * CLOCK_S) {
		log_line(LOG_ERROR, LOGGER, "Gave up waiting for workers to connect");
		give_up(r, EXIT_CANNOT_START);
	} else if (now_us >= r->remind_due_us) {
		r->remind_due_us = now_us + REMIND_US;
		log_line(LOG_INFO, LOGGER,
			 "Waiting for workers to be ready, %zu of %" PRIu64 " connected", count,
			 o->expect_workers);
	}
}

static void after_test(struct runner *r)
{
	if (r->o->is_headless && r->file.has_stopped && !r->shape.is_given) {
		set_phase(r, PHASE_BETWEEN);
		return;
	}
	/* Somebody may have stopped it before, or the last worker left. */
	if (r->run->wanted.run_time_s &&
	    r->run->now_us - r->run->started_us >= r->run->wanted.run_time_s * CLOCK_S)
		log_line(LOG_INFO, LOGGER, "--run-time limit reached, %s",
			 r->o->is_headless ? "shutting down" : "stopping test");
	if (r->o->is_headless) {
		begin_end(r);
		return;
	}
	if (r->o->autoquit_s == UINT64_MAX)
		log_line(LOG_INFO, LOGGER,
			 "--autoquit not specified, leaving web ui running indefinitely");
	set_phase(r, PHASE_LINGER);
}

static void between_tests(struct runner *r, uint64_t now_us)
{
	if (run_is_busy(r->run)) {
		set_phase(r, PHASE_TESTING);
	} else if (r->file.run_time_end_us && now_us >= r->file.run_time_end_us) {
		log_line(LOG_INFO, LOGGER, "--run-time limit reached, shutting down");
		begin_end(r);
	} else if (now_us - r->phase_us >= BETWEEN_US) {
		log_line(LOG_INFO, LOGGER,
			 "The locustfile has stopped the test and started no other one within "
			 "%d s, shutting down",
			 (int)(BETWEEN_US / CLOCK_S));
		begin_end(r);
	}
}

/* A failed gate ends an automatic test as its run time would, one from the web is stopped. */
static void watch_gates(struct runner *r)
{
	const struct gate *failed;
	struct buf value;

	if (!r->o->want_abort_on_fail || !warmup_is_over(&r->warmup))
		return;
	failed = gates_watch(&r->gates, r->run, r->o->abort_window_s);
	if (!failed)
		return;
	buf_init(&value, VALUE_BYTES);
	gate_add_value(failed, &value);
	log_line(LOG_ERROR, LOGGER,
		 "--abort-on-fail: %s: %.*s in the last %" PRIu64 " s; the test is stopped",
		 failed->bound.text, STR_ARG(buf_str(&value)), r->o->abort_window_s);
	buf_fini(&value);
	/* Without a waiter there is nothing that could be refused. */
	ensure(run_stop(r->run, NULL, NULL) == OK);
}

static void on_tick(void *arg)
{
	struct runner *r = arg;
	uint64_t now_us = loop_now(&r->loop);

	loop_timer_set(&r->loop, &r->tick, now_us + TICK_US);
	run_tick(r->run, now_us);
	if (r->shape.is_given)
		follow_tick(&r->follow);
	warmup_tick(&r->warmup);
	watch_gates(r);
	result_files_tick(&r->files, now_us);
	print_periodic_table(r, now_us);
	if (r->file.python)
		locustfile_watch(&r->file);
	locustfile_start_next(&r->file);
	switch (r->phase) {
	case PHASE_WAITING:
		wait_for_workers(r, now_us);
		break;
	case PHASE_TESTING:
		if (r->run->state == RUN_STOPPED)
			after_test(r);
		break;
	case PHASE_BETWEEN:
		between_tests(r, now_us);
		break;
	case PHASE_LINGER:
		if (r->o->autoquit_s != UINT64_MAX &&
		    now_us - r->phase_us >= r->o->autoquit_s * CLOCK_S) {
			log_line(LOG_INFO, LOGGER, "--autoquit time reached, shutting down");
			begin_end(r);
		}
		break;
	case PHASE_WEB:
	case PHASE_ENDING:
		break;
	}
}

/* ---- creation ---- */

/* -H, else what all classes agree on. */
static const char *common_host(const struct cicada_options *o, const struct scenario *scenario)
{
	const char *host = o->host ? o->host : scenario->classes[0]->host;

	for (size_t i = 0; host && !o->host && i < scenario->class_count; i++)
		if (!scenario->classes[i]->host || strcmp(scenario->classes[i]->host, host) != 0)
			return NULL;
	return host;
}

static struct run_task *tasks_of(const struct cic_user_class *c, size_t *count)
{
	struct run_task *tasks;

	*count = 0;
	while (c->tasks[*count].run)
		(*count)++;
	tasks = mem_zalloc(*count, sizeof(*tasks));
	for (size_t i = 0; i < *count; i++)
		tasks[i] = (struct run_task){ c->tasks[i].name,
					      c->tasks[i].weight > 0 ? c->tasks[i].weight : 1,
					      c->tasks[i].tags };
	return tasks;
}

static enum run_model model_of(const struct cicada_options *o, const struct cic_user_class *c)
{
	if (open_choose(&c->arrivals, &o->arrivals).kind)
		return RUN_OPEN;
	return c->wait.kind == CIC_WAIT_PACING && !cicada_options_wait(o) ? RUN_PACED : RUN_CLOSED;
}

static enum err check_host(const char *host, struct err_text *text)
{
	struct http_url url;

	return http_url_parse(str_of(host), &url, text);
}

static void describe_classes(struct runner *r)
{
	const struct scenario *s = r->scenario;

	r->classes = mem_zalloc(s->class_count, sizeof(*r->classes));
	for (size_t i = 0; i < s->class_count; i++) {
		const struct cic_user_class *c = s->classes[i];
		struct run_class *out = &r->classes[i];

		*out = (struct run_class){ .name = c->name,
					   .weight = c->weight > 0 ? c->weight : 1,
					   .fixed_count = c->fixed_count,
					   .host = c->host,
					   .model = model_of(r->o, c) };
		out->tasks = tasks_of(c, &out->task_count);
	}
	r->run_options = (struct run_options){ .classes = r->classes,
					       .class_count = s->class_count,
					       .host = common_host(r->o, s),
					       .check_host = check_host,
					       .stop_timeout_s = (double)r->o->stop_timeout_s,
					       .want_reset_stats = r->o->want_reset_stats,
					       .scenario_name = s->file_name,
					       .profile = r->o->profile,
					       .order = r->o->web_compat == WEB_COMPAT_2_12
								? PICKER_ROUND_ROBIN
								: PICKER_BY_GAIN };
}

static bool is_loopback(const char *host)
{
	return host && (strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 ||
			strcmp(host, "::1") == 0);
}

static const char *shown_host(const char *host)
{
	return host && *host && strcmp(host, "*") != 0 ? host : "0.0.0.0";
}

static enum err read_source(struct runner *r, const char *path, struct err_text *text)
{
	const char *slash = strrchr(path, '/');
	struct buf *source = &r->sources[r->file_count];
	struct msg_file *file = &r->files_to_give[r->file_count++];
	enum err err;

	buf_init(source, LIMIT_SCENARIO_SOURCE_BYTES);
	*file = (struct msg_file){ .name = str_of(path) };
	if (strstr(path, "://"))
		return OK;
	err = file_read(path, source, text);
	if (!source->len)
		buf_add_char(source, '\n'); /* without contents it would be a URL */
	*file = (struct msg_file){ str_of(slash ? slash + 1 : path), buf_str(source) };
	return err;
}

static bool is_native_source(const char *path)
{
	const char *end = strrchr(path, '.');

	return end && !strcmp(end, ".c");
}

/* Workers started with -f - get what this master was started with. */
static enum err read_sources(struct runner *r, struct err_text *text)
{
	const char *const native[] = { is_native_source(r->o->scenario) ? r->o->scenario : NULL,
				       NULL };
	const char *const *paths = r->file.python ? python_files(r->file.python) : native;
	enum err err = OK;

	for (size_t i = 0; paths[i] && !err; i++) {
		if (i == LIMIT_LOCUSTFILES) {
			log_line(LOG_WARNING, LOGGER,
				 "More than %d locustfiles: workers cannot get them from this "
				 "master",
				 LIMIT_LOCUSTFILES);
			r->file_count = 0;
			break;
		}
		err = read_source(r, paths[i], text);
		if (err || str_is_utf8(r->files_to_give[i].contents))
			continue;
		log_line(LOG_WARNING, LOGGER,
			 "%s is not UTF-8: workers cannot get it from this master", paths[i]);
		r->file_count = 0;
		break;
	}
	return err;
}

static enum err create_mode(struct runner *r, struct err_text *text)
{
	const struct cicada_options *o = r->o;
	enum err err;

	if (!o->is_master) {
		err = local_create(
			&r->loop,
			&(struct local_options){
				.run = &r->run_options,
				.scenario = r->scenario,
				.threads = r->file.python ? 1 : (unsigned)o->threads,
				.guest = r->file.python ? python_guest(r->file.python) : NULL,
				.seed = o->seed,
				.arrivals = &o->arrivals,
				.wait = cicada_options_wait(o),
				.tls = &o->tls,
				.http_version = o->http_version,
				.network = &o->network },
			&r->local, text);
		r->run = err ? NULL : local_run(r->local);
		return err;
	}
	err = read_sources(r, text);
	if (!err)
		err = cluster_master_create(
			&r->loop,
			&(struct cluster_master_options){
				.bind_host = o->master_bind_host,
				.bind_port = (unsigned)o->master_bind_port,
				.expect_workers = o->expect_workers,
				.tags = &o->tags,
				.exclude_tags = &o->exclude_tags,
				.key = cicada_options_key(o),
				.peers_file = o->cluster_peers_file,
				.files = r->files_to_give,
				.file_count = r->file_count,
				.is_native = !r->file.python,
				.listener = r->file.python ? &r->file.listener : NULL },
			&r->run_options, &r->master, text);
	if (err)
		return err;
	r->run = cluster_master_run(r->master);
	if (!o->cluster_key_file && !is_loopback(o->master_bind_host))
		log_line(LOG_WARNING, LOGGER,
			 "Whoever reaches port %u may be a worker, and nothing is encrypted: keep "
			 "it inside a network you trust, or give master and workers a "
			 "--cluster-key",
			 cluster_master_port(r->master));
	log_line(LOG_INFO, LOGGER, "Listening for workers on tcp://%s:%u",
		 shown_host(o->master_bind_host), cluster_master_port(r->master));
	if (cluster_master_bulk_port(r->master))
		log_line(LOG_INFO, LOGGER, "Their statistics come by port %u",
			 cluster_master_bulk_port(r->master));
	return OK;
}

static enum err create_gates(struct runner *r, struct err_text *text)
{
	const struct opt_texts *texts = &r->o->fail_if;
	enum err err = OK;

	gates_init(&r->gates);
	for (size_t i = 0; i < texts->count && !err; i++)
		err = gate_parse(texts->value[i], &r->gates.items[r->gates.count++], text);
	if (!err && r->o->warmup_s && r->shape.is_given)
		err = err_set(
			text, ERR_BAD_OPTION,
			"--warmup: the load shape %s says how many users there are, and when; "
			"give it a first stage",
			r->shape.shape.name);
	return err;
}

static enum err create_web(struct runner *r, const char *host, uint16_t port, struct err_text *text)
{
	const struct cicada_options *o = r->o;
	const struct web_options options = {
		.host = host,
		.port = port,
		.defaults = { .user_count = o->users,
			      .spawn_rate = o->spawn_rate,
			      .run_time_s = o->run_time_s },
		.compat = o->web_compat,
		.full_history_file = result_files_history(&r->files),
		.token = o->web_token_file ? &o->web_token : NULL,
		.login = o->web_login,
		.base_path = o->web_base_path,
		.has_guest_login = o->has_guest_login,
		.has_open_metrics = o->has_open_metrics,
		.hosts = o->web_hosts.value,
		.host_count = o->web_hosts.count,
		.tls_cert = o->web_tls_cert,
		.tls_key = o->web_tls_key,
		.follow = r->shape.is_given ? &r->follow : NULL,
		.fields = &r->file.fields,
		.guest = r->file.python ? &r->file.guest : NULL,
	};
	enum err err;

	if (o->has_guest_login && !r->file.python)
		return err_set(text, ERR_BAD_OPTION,
			       "--web-login: logins are made by a locustfile, and a native "
			       "scenario is none; give USER:HASH, or a file of such lines");
	err = web_create(&r->loop, r->run, &options, &r->web, text);
	r->file.web = r->web;
	if (!err)
		log_line(LOG_INFO, LOGGER, "Starting web interface at %s://%s:%u%s",
			 o->web_tls_cert ? "https" : "http",
			 o->web_host_display_name ? o->web_host_display_name : shown_host(host),
			 web_port(r->web), o->web_base_path ? o->web_base_path : "");
	return err;
}

static void open_pages(void *arg, const char *host, uint16_t port)
{
	struct runner *r = arg;
	struct err_text text = { "" };
	enum err err;

	if (r->web)
		return;
	mem_free(r->pages_host);
	r->pages_host = mem_strdup(host);
	err = create_web(r, *host ? r->pages_host : r->o->web_host, port, &text);
	if (err)
		log_line(LOG_ERROR, LOGGER, "%s", err_say(&text, err));
}

static enum err create(struct runner *r, struct err_text *text)
{
	const struct cicada_options *o = r->o;
	enum err err = cicada_shape_init(&r->shape, o, r->scenario, text);

	if (!err)
		err = create_gates(r, text);
	if (!err)
		err = create_mode(r, text);
	r->file.run = r->run;
	r->file.follow = &r->follow;
	r->file.master = r->master;
	if (!err)
		err = config_users_apply(&o->config_users, r->run, text);
	if (!err)
		warmup_init(&r->warmup, r->run, o->warmup_s);
	if (!err && r->shape.is_given) {
		follow_init(&r->follow, r->run, &r->shape.shape);
		if (o->has_ignored && !r->shape.shape.wants_numbers)
			log_line(LOG_WARNING, LOGGER,
				 "--users, --spawn-rate and --run-time have no effect: the load "
				 "shape %s says how many users there are, and when",
				 r->shape.shape.name);
	}
	if (!err)
		err = result_files_open(&r->files, o, r->run, &r->gates, text);
	if (!err && !o->is_headless)
		err = create_web(r, o->web_host, (uint16_t)o->web_port, text);
	if (!err)
		err = processes_watch(r->children, &r->loop, text);
	if (!err)
		err = keys_open(&r->keys, &r->loop, r->run, r->shape.is_given, text);
	if (!err)
		err = loop_watch(&r->loop, &r->signals, r->signal_fd, EPOLLIN, on_signal, r);
	return err;
}

static void destroy(struct runner *r)
{
	keys_close(&r->keys);
	processes_unwatch(r->children);
	web_destroy(&r->web);
	cluster_master_destroy(&r->master);
	local_destroy(&r->local);
	locustfile_end(&r->file);
	for (size_t i = 0; r->classes && i < r->scenario->class_count; i++)
		mem_free((void *)r->classes[i].tasks);
	mem_free(r->classes);
	for (size_t i = 0; i < LIMIT_LOCUSTFILES; i++)
		buf_fini(&r->sources[i]);
	gates_fini(&r->gates);
	mem_free(r->pages_host);
	loop_fini(&r->loop);
}

int cicada_runner_main(const struct cicada_options *o, const struct scenario *scenario,
		       struct processes *children, struct python *python, int signal_fd)
{
	struct runner r = { .o = o,
			    .scenario = scenario,
			    .children = children,
			    .file = { .python = python,
				      .is_master = o->is_master,
				      .end = begin_end,
				      .open_pages = open_pages,
				      .arg = &r },
			    .signal_fd = signal_fd };
	struct err_text text = { "" };
	enum err err = loop_init(&r.loop, &text);
	int worst;

	if (err) {
		log_line(LOG_ERROR, LOGGER, "%s", err_say(&text, err));
		(void)processes_end(children, 0);
		return EXIT_CANNOT_START;
	}
	describe_classes(&r);
	if (python)
		err = locustfile_begin(&r.file, &r.loop, &text);
	if (!err)
		err = create(&r, &text);
	if (err) {
		log_line(LOG_ERROR, LOGGER, "%s", err_say(&text, err));
		destroy(&r);
		(void)processes_end(children, 0);
		return EXIT_CANNOT_START;
	}
	set_phase(&r,
		  !o->is_main && (o->is_headless || o->want_autostart) ? PHASE_WAITING : PHASE_WEB);
	loop_timer_init(&r.tick, on_tick, &r);
	loop_timer_set(&r.loop, &r.tick, 0);
	loop_run(&r.loop);
	loop_timer_clear(&r.loop, &r.tick);
	loop_unwatch(&r.loop, &r.signals);
	/* One of its routes reads a file that is closed here. */
	web_destroy(&r.web);
	run_tick(r.run, loop_now(&r.loop));
	if (!result_files_close(&r.files) && !r.code)
		r.code = EXIT_NOT_WRITTEN;
	if (!o->want_skip_log_setup && !o->json_file)
		print_tables(&r, true);
	if (!o->want_skip_log_setup)
		print_gates(&r);
	destroy(&r);
	/* A second signal was the wish for a quick end. */
	worst = processes_end(children, r.signal_count > 1 ? 0 : CHILDREN_PATIENCE_S);
	return worst > r.code ? worst : r.code;
}
