/* SPDX-License-Identifier: MIT
 *
 * cicada - the load tester. Read the options, load the scenario, and be one of three: a
 * worker, a master, or both in one process; the manual is docs/cicada.md. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/calibrate.h"
#include "cli/cicada_options.h"
#include "cli/cicada_runner.h"
#include "cli/cicada_worker.h"
#include "cli/processes.h"
#include "cli/task_ratio.h"
#include "cluster/master_file.h"
#include "user/equal.h"
#include "user/scenario.h"
#include "user/tags.h"

#define LOGGER "locust.main"

#define FILE_TABLE_MAX 65536 /* 0.5 MB of the kernel's */

enum { EXIT_CANNOT_START = 1, EXIT_USAGE = 2 };

/* Every user keeps a connection open: take all descriptors we may have. */
static void raise_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_line(LOG_WARNING, LOGGER,
			 "the limit of open files cannot be raised; see ulimit -n");
}

/* The kernel doubles its table of them when it is full. With several threads whoever asks for the
 * one too many waits about 10 ms for that, a load thread with all its users: so it grows now. */
static void grow_file_table(void)
{
	struct rlimit limit;
	int highest;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	highest = limit.rlim_cur < FILE_TABLE_MAX ? (int)limit.rlim_cur - 1 : FILE_TABLE_MAX - 1;
	highest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, highest);
	if (highest >= 0)
		close(highest);
}

/* Blocked before any thread starts, so that only the signalfd sees them. */
static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL) == 0
		       ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)
		       : -1;
}

static const struct cic_user_class *find_class(const struct scenario *s, const char *name)
{
	for (size_t i = 0; i < s->class_count; i++)
		if (!strcmp(s->classes[i]->name, name))
			return s->classes[i];
	return NULL;
}

static bool is_named(const struct opt_texts *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->value[i], name))
			return true;
	return false;
}

/* The classes named on the command line, in the scenario's order; all if none is. The array is
 * the caller's to free. */
static enum err choose_classes(const struct cicada_options *o, const struct scenario *all,
			       const struct cic_user_class ***chosen, struct scenario *out,
			       struct err_text *text)
{
	const struct opt_texts *names = &o->user_classes;

	*out = *all;
	*chosen = NULL;
	for (size_t i = 0; i < names->count; i++)
		if (!find_class(all, names->value[i]))
			return err_set(text, ERR_NOT_FOUND,
				       "Unknown User(s): %s; --list shows those of %s",
				       names->value[i], all->file_name);
	if (!names->count)
		return OK;
	*chosen = mem_zalloc(all->class_count, sizeof(**chosen));
	out->classes = *chosen;
	out->class_count = 0;
	for (size_t i = 0; i < all->class_count; i++)
		if (is_named(names, all->classes[i]->name))
			(*chosen)[out->class_count++] = all->classes[i];
	return OK;
}

/* A master runs no users, so the files need only be where the workers are. */
static enum err open_feeds(const struct cicada_options *o, struct scenario *s,
			   struct err_text *text)
{
	if (o->is_master)
		return OK;
	for (size_t i = 0; o->is_worker && !o->feed_slice_text && i < s->feed_count; i++)
		if (s->feeds[i]->mode == CIC_FEED_ONCE)
			log_line(LOG_WARNING, LOGGER,
				 "feed %s gives each row once in this worker; give every worker "
				 "--feed-slice auto, or others use the same rows",
				 s->feeds[i]->name);
	return scenario_open_feeds(s, o->feed_slice, text);
}

static int list_classes(const struct scenario *s)
{
	puts("Available Users:");
	for (size_t i = 0; i < s->class_count; i++)
		printf("    %s\n", s->classes[i]->name);
	return 0;
}

static int show_task_ratio(const struct cicada_options *o, const struct scenario *s)
{
	struct buf out;

	buf_init(&out, LIMIT_API_BYTES);
	if (o->want_task_ratio_json)
		task_ratio_print_json(s, o->has_users ? o->users : 0, &out);
	else
		task_ratio_print(s, o->has_users ? o->users : 0, &out);
	fwrite(buf_str(&out).p, 1, out.len, stdout);
	buf_fini(&out);
	return 0;
}

static void tell_proxy(const struct proxy *p, const char *scheme)
{
	struct http_url url;

	if (!p->variable)
		return;
	url = proxy_url(p);
	log_line(LOG_INFO, LOGGER, "Requests to %s targets go through the proxy %.*s:%u of %s",
		 scheme, STR_ARG(url.host), url.port, p->variable);
}

static int run_scenario(const struct cicada_options *o, const struct scenario *s,
			struct processes *children, int signal_fd)
{
	raise_open_files();
	if (o->is_worker && children->count)
		return processes_wait(children, signal_fd);
	grow_file_table();
	log_line(LOG_INFO, LOGGER, "Starting Cicada " CICADA_VERSION " (%s) with %s",
		 o->is_worker	? "worker"
		 : o->is_master ? "master"
				: "standalone",
		 s->file_name);
	tell_proxy(&o->network.proxies.http, "http");
	tell_proxy(&o->network.proxies.https, "https");
	return o->is_worker ? cicada_worker_main(o, s, signal_fd)
			    : cicada_runner_main(o, s, children, signal_fd);
}

/* With --processes this is where one process becomes several: before there are threads, and with
 * signals blocked, so that none finds a process that does not know yet how to end in order. What a
 * child reads from the signalfd are its own signals. */
static int run_processes(struct cicada_options *o, struct scenario *all, const struct scenario *s)
{
	struct processes children = { .count = 0 };
	struct err_text text = { "" };
	size_t child = 0;
	int signal_fd = take_signals(), code = EXIT_CANNOT_START;
	enum err err = OK;

	if (signal_fd < 0)
		err = err_set(&text, ERR_IO, "no signalfd: the limit of open files is too low");
	if (!err)
		err = processes_fork(&children, o->processes, &child, &text);
	if (!err && child) {
		cicada_options_become_worker(o, child);
		children.count = 0;
	}
	if (!err && !o->processes)
		err = open_feeds(o, all, &text);
	if (err)
		fprintf(stderr, "cicada: %s\n", err_say(&text, err));
	else
		code = run_scenario(o, s, &children, signal_fd);
	if (signal_fd >= 0)
		close(signal_fd);
	return code;
}

static int calibrate(void)
{
	struct err_text text = { "" };
	enum err err;

	signal(SIGPIPE, SIG_IGN);
	raise_open_files();
	err = calibrate_run(&text);
	if (err)
		fprintf(stderr, "cicada: %s\n", err_say(&text, err));
	return err ? EXIT_CANNOT_START : 0;
}

/* What is left of the scenario after --tags, --equal-weights and the names of classes. */
static int use_scenario(struct cicada_options *o, struct scenario *all)
{
	struct scenario named = { 0 }, tagged = { 0 }, equal = { 0 };
	const struct scenario *chosen = &tagged;
	const struct cic_user_class **classes = NULL;
	struct err_text text = { "" };
	bool is_shown = o->want_list || o->want_task_ratio || o->want_task_ratio_json;
	int code = EXIT_CANNOT_START;
	enum err err = choose_classes(o, all, &classes, &named, &text);

	if (!err)
		err = tags_choose(&named, &o->tags, &o->exclude_tags, &tagged, &text);
	if (!err && o->want_equal_weights) {
		equal_weights(&tagged, &equal);
		chosen = &equal;
	}
	if (err)
		fprintf(stderr, "cicada: %s\n", err_say(&text, err));
	else if (o->want_list)
		code = list_classes(all);
	else
		code = is_shown ? show_task_ratio(o, chosen) : run_processes(o, all, chosen);
	equal_release(&equal);
	tags_release(&named, &tagged);
	mem_free(classes);
	return code;
}

static int load_and_use(struct cicada_options *o)
{
	struct scenario all = { 0 };
	struct err_text text = { "" };
	char *downloaded = NULL;
	int code = EXIT_CANNOT_START;
	enum err err = OK;

	if (o->is_worker && !strcmp(o->scenario, "-")) {
		err = master_file_get(o->master_host, (unsigned)o->master_port,
				      cicada_options_key(o), &downloaded, &text);
		o->scenario = downloaded;
	}
	if (!err)
		err = scenario_load(o->scenario, &all, &text);
	if (err)
		fprintf(stderr, "cicada: %s%s\n", err_say(&text, err),
			err == ERR_NOT_FOUND ? "; name a scenario with -f FILE" : "");
	else
		code = use_scenario(o, &all);
	scenario_unload(&all);
	master_file_remove(&downloaded);
	return code;
}

int main(int argc, char **argv)
{
	struct cicada_options o;
	struct err_text text = { "" };
	enum err err = cicada_options_read(&o, argc, argv, &text);
	int code = 0;

	if (err) {
		fprintf(stderr, "cicada: %s\n", err_say(&text, err));
		code = err == ERR_BAD_OPTION ? EXIT_USAGE : EXIT_CANNOT_START;
	} else if (o.want_help) {
		cicada_options_print_help();
	} else if (o.want_version) {
		puts("cicada " CICADA_VERSION);
	} else {
		code = o.want_calibrate ? calibrate() : load_and_use(&o);
	}
	cicada_options_release(&o);
	return code;
}
