/* SPDX-License-Identifier: MIT
 *
 * cicada - the load tester. Read the options, load the scenario, and be one of three: a
 * worker, a master, or both in one process; the manual is docs/cicada.md. */
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
#include "user/scenario.h"
#include "user/tags.h"

#define LOGGER "locust.main"

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
	for (size_t i = 0; o->is_worker && !o->feed_slice.count && i < s->feed_count; i++)
		if (s->feeds[i]->mode == CIC_FEED_ONCE)
			log_line(LOG_WARNING, LOGGER,
				 "feed %s gives each row once in this worker; give every worker "
				 "another --feed-slice I/N, or others use the same rows",
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

static int run_scenario(const struct cicada_options *o, const struct scenario *s)
{
	int signal_fd = take_signals(), code;

	if (signal_fd < 0) {
		log_line(LOG_ERROR, LOGGER, "no signalfd: the limit of open files is too low");
		return EXIT_CANNOT_START;
	}
	raise_open_files();
	log_line(LOG_INFO, LOGGER, "Starting Cicada " CICADA_VERSION " (%s) with %s",
		 o->is_worker	? "worker"
		 : o->is_master ? "master"
				: "standalone",
		 s->file_name);
	code = o->is_worker ? cicada_worker_main(o, s, signal_fd)
			    : cicada_runner_main(o, s, signal_fd);
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

int main(int argc, char **argv)
{
	struct cicada_options o;
	struct scenario all = { 0 }, named = { 0 }, scenario = { 0 };
	const struct cic_user_class **chosen = NULL;
	struct err_text text = { "" };
	const char *hint;
	int code = EXIT_CANNOT_START;
	enum err err = cicada_options_read(&o, argc, argv, &text);

	if (err) {
		fprintf(stderr, "cicada: %s\n", err_say(&text, err));
		return EXIT_USAGE;
	}
	if (o.want_help || o.want_version) {
		if (o.want_help)
			cicada_options_print_help();
		else
			puts("cicada " CICADA_VERSION);
		return 0;
	}
	if (o.want_calibrate)
		return calibrate();
	err = scenario_load(o.scenario, &all, &text);
	hint = err == ERR_NOT_FOUND ? "; name a scenario with -f FILE" : "";
	if (!err)
		err = choose_classes(&o, &all, &chosen, &named, &text);
	if (!err)
		err = tags_choose(&named, &o.tags, &o.exclude_tags, &scenario, &text);
	if (!err && !o.want_list)
		err = open_feeds(&o, &all, &text);
	if (err)
		fprintf(stderr, "cicada: %s%s\n", err_say(&text, err), hint);
	else
		code = o.want_list ? list_classes(&all) : run_scenario(&o, &scenario);
	tags_release(&named, &scenario);
	mem_free(chosen);
	scenario_unload(&all);
	return code;
}
