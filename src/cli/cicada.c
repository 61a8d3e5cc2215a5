/* SPDX-License-Identifier: MIT
 *
 * cicada - the load tester. Read the options, load the scenario, and be one of three: a
 * worker, a master, or both in one process; the manual is docs/cicada.md. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/calibrate.h"
#include "cli/cicada_options.h"
#include "cli/cicada_runner.h"
#include "cli/cicada_worker.h"
#include "cli/processes.h"
#include "cli/task_ratio.h"
#include "cluster/link.h"
#include "cluster/master_file.h"
#include "python/python.h"
#include "user/equal.h"
#include "user/scenario.h"
#include "user/tags.h"

#define LOGGER "locust.main"

#define FILE_TABLE_MAX 65536 /* 0.5 MB of the kernel's */

enum { EXIT_CANNOT_START = 1, EXIT_USAGE = 2, EXIT_TWO_ROLES = 255 };

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

/* A file, several with commas between, a URL, a folder of them, or the name without its end. */
static bool is_python(const char *scenario)
{
	size_t len = strlen(scenario);
	struct stat status;
	char *whole;
	bool is_there;

	if (strncmp(scenario, "http://", 7) == 0 || strncmp(scenario, "https://", 8) == 0 ||
	    (len > 3 && strcmp(scenario + len - 3, ".py") == 0))
		return true;
	if (stat(scenario, &status) == 0)
		return S_ISDIR(status.st_mode);
	if (strchr(scenario, ','))
		return true;
	whole = mem_printf("%s.py", scenario);
	is_there = access(whole, F_OK) == 0;
	mem_free(whole);
	return is_there;
}

static bool is_shown(const struct cicada_options *o)
{
	return o->want_list || o->want_task_ratio || o->want_task_ratio_json;
}

static struct python_options python_options_of(const struct cicada_options *o)
{
	return (struct python_options){ .role = o->is_worker   ? PYTHON_WORKER
						: o->is_master ? PYTHON_MASTER
							       : PYTHON_LOCAL,
					.host = o->host,
					/* Of task ratios: 0, as many as the weights. */
					.users = is_shown(o) && !o->has_users ? 0 : o->users,
					.want_task_ratio = o->want_task_ratio,
					.want_task_ratio_json = o->want_task_ratio_json,
					.want_equal_weights = o->want_equal_weights,
					.spawn_rate = o->spawn_rate,
					.run_time_s = o->run_time_s,
					.stop_timeout_s = o->stop_timeout_s,
					.is_headless = o->is_headless,
					.has_web = !o->is_headless && !o->is_worker,
					.has_guest_login = o->has_guest_login,
					.web_base_path = o->web_base_path,
					.profile = o->profile,
					.log_level = o->log_level,
					.want_reset_stats = o->want_reset_stats,
					.want_autostart = o->want_autostart,
					.want_print_stats = o->want_print_stats,
					.want_only_summary = o->want_only_summary,
					.want_full_history = o->want_csv_full_history,
					.want_skip_log_setup = o->want_skip_log_setup,
					.log_file = o->log_file,
					.csv_prefix = o->csv_prefix,
					.html_file = o->html_file,
					.web_host = o->web_host,
					.master_host = o->master_host,
					.master_bind_host = o->master_bind_host,
					.web_port = o->web_port,
					.master_port = o->master_port,
					.master_bind_port = o->master_bind_port,
					.expect_workers = o->expect_workers,
					.expect_workers_max_wait_s = o->expect_workers_max_wait_s,
					.web_tls_cert = o->web_tls_cert,
					.web_tls_key = o->web_tls_key,
					.exit_code_on_error = o->exit_code_on_error,
					.autoquit_s = o->autoquit_s,
					.user_classes = o->user_classes.value,
					.user_class_count = o->user_classes.count,
					.tags = o->tags.value,
					.tag_count = o->tags.count,
					.exclude_tags = o->exclude_tags.value,
					.exclude_tag_count = o->exclude_tags.count,
					.tls = &o->tls,
					.http_version = o->http_version,
					.network = &o->network };
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

/* The processes of this command. */
struct family {
	struct processes children; /* none in a child */
	size_t child;		   /* which one this is; 0: the parent */
	int signal_fd;		   /* of this process */
};

/* With --processes this is where one process becomes several: before there are threads, and with
 * signals blocked, so that none finds a process that does not know yet how to end in order. What a
 * child reads from the signalfd are its own signals. */
static enum err divide(struct family *f, size_t processes, struct err_text *text)
{
	enum err err;

	f->signal_fd = take_signals();
	if (f->signal_fd < 0)
		return err_set(text, ERR_IO, "no signalfd: the limit of open files is too low");
	err = processes_fork(&f->children, processes, &f->child, text);
	if (f->child)
		f->children.count = 0;
	return err;
}

/* A process whose children do all the work. */
static bool only_waits(const struct cicada_options *o, const struct family *f)
{
	return o->is_worker && f->children.count;
}

/* The scenario, and the classes of it that shall run. */
struct chosen {
	struct master_file downloaded; /* paths NULL: it is here */
	bool is_borrowed;	       /* that is the parent's */
	struct python *python;	       /* NULL: it is native */
	int exit_code;		       /* of a locustfile that has ended the program */
	struct python_options python_options;
	struct scenario all, named, tagged, equal;
	const struct scenario *scenario; /* one of them */
	const struct cic_user_class **classes;
};

/* What --list and its kin want to see instead of a test. A locustfile, whose tasks may be sets of
 * them, has shown its ratios when it was loaded. */
static int show(const struct cicada_options *o, const struct chosen *c)
{
	if (o->want_list)
		return list_classes(&c->all);
	return c->python ? 0 : show_task_ratio(o, c->scenario);
}

static enum err load_python(struct chosen *c, const struct cicada_options *o, struct err_text *text)
{
	if (o->arrivals.kind)
		return err_set(
			text, ERR_BAD_OPTION,
			"--arrivals: the users of a locustfile wait for their answers; use a "
			"native scenario (.c) for an open load");
	if (cicada_options_wait(o))
		return err_set(text, ERR_BAD_OPTION,
			       "--think-time: users of a locustfile wait as it says; change its "
			       "wait_time");
	c->python_options = python_options_of(o);
	return python_load(c->python, &c->python_options, &c->all, text);
}

static enum err load_native(struct chosen *c, struct cicada_options *o, struct err_text *text)
{
	if (c->downloaded.paths)
		o->scenario = c->downloaded.paths;
	if (o->has_default_scenario && access(o->scenario, F_OK) != 0)
		return err_set(
			text, ERR_NOT_FOUND,
			"neither locustfile.c nor locustfile.py is here; say with -f FILE what "
			"the users do (--help lists all options)");
	return scenario_load(o->scenario, &c->all, text);
}

static enum err choose(struct chosen *c, struct cicada_options *o, struct err_text *text)
{
	enum err err = c->python ? load_python(c, o, text) : load_native(c, o, text);

	if (!err)
		err = choose_classes(o, &c->all, &c->classes, &c->named, text);
	c->scenario = &c->named;
	/* Python chooses its tasks itself. */
	if (err || c->python)
		return err;
	err = tags_choose(&c->named, &o->tags, &o->exclude_tags, &c->tagged, text);
	c->scenario = &c->tagged;
	if (!err && o->want_equal_weights) {
		equal_weights(&c->tagged, &c->equal);
		c->scenario = &c->equal;
	}
	return err;
}

static void forget(struct chosen *c)
{
	equal_release(&c->equal);
	tags_release(&c->named, &c->tagged);
	mem_free(c->classes);
	scenario_unload(&c->all);
	if (!c->is_borrowed)
		master_file_remove(&c->downloaded);
	python_close(&c->python);
}

static int run_scenario(const struct cicada_options *o, const struct chosen *c, struct family *f)
{
	raise_open_files();
	if (only_waits(o, f))
		return processes_wait(&f->children, f->signal_fd);
	grow_file_table();
	log_line(LOG_INFO, LOGGER, "Starting Cicada " CICADA_VERSION " (%s) with %s",
		 o->is_worker	? "worker"
		 : o->is_master ? "master"
				: "standalone",
		 c->scenario->file_name);
	tell_proxy(&o->network.proxies.http, "http");
	tell_proxy(&o->network.proxies.https, "https");
	return o->is_worker
		       ? cicada_worker_main(o, c->scenario, c->python, f->signal_fd)
		       : cicada_runner_main(o, c->scenario, &f->children, c->python, f->signal_fd);
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

static int run(struct cicada_options *o, struct chosen *c, struct family *f)
{
	struct err_text text = { "" };
	enum err err;

	if (f->child)
		cicada_options_become_worker(o, f->child);
	err = choose(c, o, &text);
	if (!err && is_shown(o))
		return show(o, c);
	if (!err && !c->python) {
		err = divide(f, o->processes, &text);
		if (f->child)
			cicada_options_become_worker(o, f->child);
	}
	if (!err && !o->processes)
		err = open_feeds(o, &c->all, &text);
	if (!err)
		return run_scenario(o, c, f);
	fprintf(stderr, "cicada: %s\n", err_say(&text, err));
	(void)processes_end(&f->children, 0);
	return EXIT_CANNOT_START;
}

/* A locustfile may have options of its own, so it is imported before they are read; and an
 * interpreter has threads, so each process has its own. */
static enum err open_python(const struct cicada_options *peek, int *argc, char ***argv,
			    struct chosen *c, struct family *f, struct err_text *text)
{
	const char *scenario = peek->scenario;
	enum err err = OK;

	if (peek->want_help || peek->want_version || peek->want_calibrate ||
	    peek->want_cluster_public)
		return OK;
	if (peek->is_worker && peek->is_usable && !strcmp(scenario, "-")) {
		err = master_file_get(peek->master_host, (unsigned)peek->master_port,
				      cicada_options_key(peek), &c->downloaded, text);
		scenario = c->downloaded.paths;
		/* The folder is to be empty when its files are removed. */
		setenv("PYTHONDONTWRITEBYTECODE", "1", 0);
	}
	if (!err && peek->is_main && !is_python(scenario))
		return err_set(text, ERR_BAD_OPTION, "--as-main is for a locustfile, -f FILE.py");
	if (err || !is_python(scenario))
		return err;
	if (!is_shown(peek))
		err = divide(f, peek->processes, text);
	c->is_borrowed = f->child;
	if (err || only_waits(peek, f))
		return err;
	return python_open(scenario, peek->is_main, argc, argv, &peek->unknown, &c->python,
			   &c->exit_code, text);
}

static int show_public_key(const struct cicada_options *o)
{
	uint8_t bytes[CLUSTER_KEY_BYTES];
	char text[CLUSTER_KEY_TEXT];

	link_public_key(&o->cluster_key, bytes);
	cluster_key_text(bytes, text);
	puts(text);
	return 0;
}

/* Locust's. */
static int code_of(enum err err)
{
	switch (err) {
	case ERR_BAD_OPTION:
		return EXIT_USAGE;
	case ERR_REFUSED: /* --master with --worker */
		return EXIT_TWO_ROLES;
	default:
		return EXIT_CANNOT_START;
	}
}

static int read_and_run(int argc, char **argv, struct chosen *c, struct family *f)
{
	struct cicada_options o;
	struct err_text text = { "" };
	const char *const *others = c->python ? python_settings(c->python) : NULL;
	enum err err = cicada_options_read(&o, argc, argv, others, &text);
	int code = 0;

	if (err) {
		fprintf(stderr, "cicada: %s\n", err_say(&text, err));
		(void)processes_end(&f->children, 0);
		code = code_of(err);
	} else if (o.want_help) {
		cicada_options_print_help();
	} else if (o.want_version) {
		puts("cicada " CICADA_VERSION);
	} else if (o.want_cluster_public) {
		code = show_public_key(&o);
	} else {
		code = o.want_calibrate ? calibrate() : run(&o, c, f);
	}
	forget(c);
	cicada_options_release(&o);
	return code;
}

int main(int argc, char **argv)
{
	struct cicada_options peek;
	struct chosen chosen = { .python = NULL };
	struct family family = { .signal_fd = -1 };
	struct err_text text = { "" };
	enum err err;
	int code;

	cicada_options_peek(&peek, argc, argv);
	err = open_python(&peek, &argc, &argv, &chosen, &family, &text);
	if (err == ERR_INTERRUPTED) {
		(void)processes_end(&family.children, 0);
		code = chosen.exit_code;
	} else if (err) {
		fprintf(stderr, "cicada: %s\n", err_say(&text, err));
		(void)processes_end(&family.children, 0);
		code = code_of(err);
	} else if (only_waits(&peek, &family)) {
		code = processes_wait(&family.children, family.signal_fd);
		forget(&chosen);
	} else {
		code = read_and_run(argc, argv, &chosen, &family);
	}
	if (family.signal_fd >= 0)
		close(family.signal_fd);
	cicada_options_release(&peek);
	return code;
}
