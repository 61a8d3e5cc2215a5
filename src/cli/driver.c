/* SPDX-License-Identifier: MIT
 *
 * cicada-driver - walks a matrix of replicas x workers x users and records what the
 * target could do in each. Parse, create bottom-up, run, destroy top-down; the manual
 * is docs/driver.md. */
#include <errno.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/folder.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/driver_compare.h"
#include "cli/driver_options.h"
#include "cli/driver_settings.h"
#include "matrix/agenda.h"
#include "matrix/checklist.h"
#include "matrix/conclude.h"
#include "matrix/drive.h"
#include "matrix/journal.h"
#include "matrix/live.h"
#include "matrix/live_page.h"
#include "matrix/master_api.h"
#include "matrix/owed.h"
#include "matrix/pause.h"
#include "matrix/plan.h"
#include "matrix/platform_kubernetes.h"
#include "matrix/platform_local.h"
#include "matrix/platform_remote.h"
#include "matrix/progress.h"
#include "matrix/rehearsal.h"
#include "matrix/result.h"

/* Exit codes; docs/driver.md explains them. */
enum {
	EXIT_ALL_MEASURED = 0,
	EXIT_NOT_ALL_MEASURED = 1,
	EXIT_USAGE = 2,
	EXIT_LIMITS_NOT_MET = 99,
	EXIT_BAD_PLAN = 104,
	EXIT_INTERRUPTED = 105,
	EXIT_INFRASTRUCTURE = 111
};

#define ENVIRONMENT_BYTES 4096
#define TODO_BYTES	  8192
#define SETTINGS_BYTES	  (32 * 1024)

static volatile sig_atomic_t stops;

static void on_signal(int signal_number)
{
	(void)signal_number;
	stops++;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static enum err find_program(const char *folder, const char *name, char out[PATH_MAX],
			     struct err_text *text)
{
	if ((size_t)snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX ||
	    access(out, X_OK) != 0)
		return err_set(text, ERR_NOT_FOUND,
			       "%s is not beside cicada-driver in %s; build or install it", name,
			       folder);
	return OK;
}

static enum err create_local(const struct driver_options *o, const char *logs, struct pause *pause,
			     struct platform **out, struct err_text *text)
{
	/* Lent to the platform for the whole run. */
	static char folder[PATH_MAX], cicada[PATH_MAX], inference[PATH_MAX], scenario[PATH_MAX];
	enum err err = driver_folder(folder, text);

	if (!err)
		err = find_program(folder, "cicada", cicada, text);
	if (!err)
		err = find_program(folder, "cicada-inference", inference, text);
	if (!err)
		err = driver_find_scenario(o, scenario, text);
	if (err)
		return err;
	return platform_local_create(
		&(struct platform_local_config){ .cicada = cicada,
						 .inference = inference,
						 .scenario = scenario,
						 .model = o->model,
						 .arrivals = o->arrivals,
						 .think_time_s = o->think_time_s,
						 .logs = logs,
						 .target_port = o->target_port,
						 .web_port = o->web_port,
						 .bind_port = o->bind_port,
						 .ready_timeout_s = o->plan.ready_timeout_s,
						 .stop_timeout_s = o->plan.stop_timeout_s,
						 .pause = pause },
		out, text);
}

static void say(const char *line)
{
	puts(line);
	fflush(stdout);
}

static enum err create_kubernetes(const struct driver_options *o, struct pause *pause,
				  struct platform **out, struct err_text *text)
{
	return platform_kubernetes_create(
		&(struct platform_kubernetes_config){ .kubeconfig = o->kubeconfig,
						      .context = o->context,
						      .service_account = o->service_account,
						      .namespace = o->namespace,
						      .target = o->target_deployment,
						      .workers = o->worker_deployment,
						      .service = o->target_service,
						      .master_url = driver_master_url(o),
						      .target_url = driver_target_url(o),
						      .metrics_port = o->metrics_port,
						      .results = o->results,
						      .want_pause_autoscaler =
							      o->want_pause_autoscaler,
						      .pause = pause,
						      .say = say },
		out, text);
}

static const char *at_most(const struct plan *plan)
{
	return plan_may_end_early(plan) ? "at most " : "";
}

static void print_plan(const struct plan *plan, const char *platform)
{
	char about[32];

	progress_time_text(plan_rest_s(plan, 0), about);
	printf("cicada-driver: %s%zu scenario%s, about %s, platform %s\n", at_most(plan),
	       plan_count(plan), plan_count(plan) == 1 ? "" : "s", about, platform);
	fflush(stdout);
}

/* What the planned time is made of. */
static void print_shares(const struct plan *plan)
{
	double count = (double)plan_count(plan), measured_s = count * (double)plan->duration_s,
	       rests_s = (count - 1) * (double)plan->cooldown_s;
	char measured[32], rests[32], ramps[32];

	progress_time_text(measured_s, measured);
	progress_time_text(rests_s, rests);
	progress_time_text(plan_rest_s(plan, 0) - measured_s - rests_s, ramps);
	printf("%s are measured, %s are cool-downs, %s is for spawning; scaling comes on top\n",
	       measured, rests, ramps);
}

/* What comes after the first hangs on what is measured. */
static void print_searches(const struct plan *plan)
{
	for (size_t i = 0; i < plan->replicas.count; i++)
		for (size_t k = 0; k < plan->workers.count; k++)
			printf("replicas=%-4llu workers=%-4llu at most %u probes, from users=%llu "
			       "on\n",
			       (unsigned long long)plan->replicas.value[i],
			       (unsigned long long)plan->workers.value[k], SEARCH_PROBES,
			       (unsigned long long)plan->users.value[0]);
}

static void print_scenarios(const struct plan *plan)
{
	for (size_t i = 0; i < plan_count(plan); i++) {
		struct scenario s = plan_scenario(plan, i);

		printf("%4zu  replicas=%-4llu workers=%-4llu users=%-7llu spawn rate %.4g/s", i + 1,
		       (unsigned long long)s.replicas, (unsigned long long)s.workers,
		       (unsigned long long)s.users, plan_spawn_rate(plan, s.users));
		if (plan->repeats > 1)
			printf("  repeat %llu", (unsigned long long)s.repeat);
		putchar('\n');
	}
	print_shares(plan);
}

/* "model name" of the first one; architectures that have none say nothing. */
static void describe_cpu(struct buf *out)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		value[strcspn(value, "\n")] = '\0';
		buf_printf(out, "- CPU: %s\n", value + 1 + strspn(value + 1, " "));
		break;
	}
	if (file)
		fclose(file);
}

static void describe_environment(const struct driver_options *o, const struct platform *platform,
				 struct buf *out)
{
	struct utsname system;

	platform->ops->describe(platform, out);
	if (uname(&system) == 0)
		buf_printf(out, "- Machine: %s, %s %s, %ld CPUs\n", system.machine, system.sysname,
			   system.release, sysconf(_SC_NPROCESSORS_ONLN));
	describe_cpu(out);
	buf_printf(out,
		   "- Driver: cicada-driver " CICADA_VERSION
		   ", %llu s per scenario, %llu s cool-down, a poll every %g s\n",
		   (unsigned long long)o->plan.duration_s, (unsigned long long)o->plan.cooldown_s,
		   o->plan.poll_s);
}

static struct agenda agenda_of(const struct driver_options *o)
{
	return (struct agenda){ &o->plan, &o->objectives };
}

/* False: nothing is left to measure. */
static bool find_next(const struct driver_options *o, const struct result *result,
		      struct scenario *out)
{
	const struct agenda agenda = agenda_of(o);
	size_t count;
	const struct result_row *rows = result_rows(result, &count);

	return agenda_next(&agenda, rows, count, out);
}

static bool is_all_measured(const struct driver_options *o, const struct result *result)
{
	struct scenario next;

	return !find_next(o, result, &next);
}

static void say_best(const struct result *result, struct buf *out)
{
	if (!result_count_ok(result))
		return;
	buf_add_text(out, "Best throughput: ");
	result_say_best_throughput(result, out);
	buf_add_text(out, "\nBest latency: ");
	if (!result_say_best_latency(result, out))
		buf_add_text(out, "not known");
	buf_add_char(out, '\n');
}

static void print_outcome(const struct driver_options *o, const struct result *result)
{
	struct buf line;

	buf_init(&line, 64 * 1024 * 1024);
	buf_add_char(&line, '\n');
	result_format_table(result, &line);
	buf_printf(&line,
		   "\nResults: %s/" RESULT_CSV "  %s/" RESULT_MARKDOWN "  %s/" RESULT_PAGE "\n",
		   o->results, o->results, o->results);
	say_best(result, &line);
	result_say_answer(result, &line);
	if (result_count_broken(result)) {
		buf_add_text(&line, "Limits not met:\n");
		result_say_broken(result, &line);
	}
	fputs(line.p, stdout);
	buf_fini(&line);
}

/* Of the rows that are not ok the first: where to look. */
static void say_first_fault(const struct result *result, struct buf *out)
{
	size_t count;
	const struct result_row *row = result_rows(result, &count);

	while (count && row->status == RESULT_OK) {
		row++;
		count--;
	}
	if (count)
		buf_printf(out,
			   "replicas=%" PRIu64 " workers=%" PRIu64 " users=%" PRIu64 ": %s%s%s\n",
			   row->replicas, row->workers, row->users, result_status_name(row->status),
			   row->note[0] ? ": " : "", row->note);
}

/* Kubernetes shows the file as the message of the ended container, its first 4 kB. fault: what
 * ended the run, or NULL. */
static void write_termination_log(const struct driver_options *o, const struct result *result,
				  const char *fault)
{
	FILE *file = fopen(o->termination_log, "w");
	struct buf lines;
	bool is_written = false;

	buf_init(&lines, TODO_BYTES);
	if (fault)
		buf_printf(&lines, "%s\n", fault);
	buf_printf(&lines, "%zu of %s%zu scenarios ok\n", result_count_ok(result),
		   at_most(&o->plan), plan_count(&o->plan));
	say_first_fault(result, &lines);
	if (result_count_broken(result))
		buf_printf(&lines, "%zu do not meet the limits\n", result_count_broken(result));
	say_best(result, &lines);
	result_say_answer(result, &lines);
	if (file) {
		is_written = fputs(lines.p, file) >= 0;
		is_written &= fclose(file) == 0;
	}
	if (!is_written)
		fprintf(stderr, "cicada-driver: --termination-log %s cannot be written: %s\n",
			o->termination_log, strerror(errno));
	buf_fini(&lines);
}

/* What a probe of a search could not measure, or nobody answered, the search has dealt with. */
static bool is_all_good(const struct driver_options *o, const struct result *result)
{
	return (o->plan.is_search || result_count_ok(result) == result_count(result)) &&
	       is_all_measured(o, result) && result_is_answered(result);
}

static int exit_code(enum err err, const struct driver_options *o, const struct result *result)
{
	if (err == ERR_INTERRUPTED)
		return EXIT_INTERRUPTED;
	if (err)
		return EXIT_INFRASTRUCTURE;
	if (result_count_broken(result))
		return EXIT_LIMITS_NOT_MET;
	return is_all_good(o, result) ? EXIT_ALL_MEASURED : EXIT_NOT_ALL_MEASURED;
}

static void print_urls(const struct platform *platform)
{
	struct buf line;

	buf_init(&line, ENVIRONMENT_BYTES);
	buf_add_text(&line, "Master: ");
	buf_add_url(&line, platform->ops->master_url(platform));
	buf_add_text(&line, "  Target: ");
	buf_add_url(&line, platform->ops->target_url(platform));
	puts(buf_str(&line).p);
	buf_fini(&line);
}

/* What the rows say at the end, on the screen and where Kubernetes looks. */
static void tell_outcome(const struct driver_options *o, const struct result *result,
			 const char *fault)
{
	if (result_count(result))
		print_outcome(o, result);
	if (o->termination_log)
		write_termination_log(o, result, fault);
}

static void say_budget(const struct driver_options *o, const struct scenario *next)
{
	char budget[32];

	progress_time_text((double)o->plan.budget_s, budget);
	printf("Stopped: scenario %zu of %s%zu does not fit into the budget of %s; the same "
	       "command goes on there\n",
	       next->index + 1, at_most(&o->plan), plan_count(&o->plan), budget);
}

static struct master_access master_access_of(const struct driver_options *o)
{
	return (struct master_access){
		.token = o->master_token_file ? o->master_token.text : NULL,
		.tls = { .ca = buf_str(&o->master_ca) },
	};
}

/* Deployments wait for the replicas they had before a driver that was killed. */
static bool is_owed(const struct driver_options *o)
{
	return !strcmp(o->platform, "kubernetes") && owed_is_there(o->results);
}

/* The platform is there; what is left is to start it, walk, and tell. */
static int run_matrix(const struct driver_options *o, struct platform *platform,
		      struct pause *pause, struct result *result, struct live *live)
{
	struct err_text text = { "" };
	struct progress *progress = NULL;
	const struct master_access access = master_access_of(o);
	struct scenario next;
	struct buf environment;
	enum err err;

	buf_init(&environment, ENVIRONMENT_BYTES);
	err = platform->ops->start(platform, &text);
	if (!err) {
		print_urls(platform);
		describe_environment(o, platform, &environment);
		/* What is done to somebody's Deployments is said before it is done. */
		if (platform->ops->restore)
			fputs(environment.p, stdout);
		err = result_start(result, environment.p, &text);
	}
	if (!err) {
		progress = progress_create(&o->plan, stdout, isatty(STDOUT_FILENO));
		progress_tell(progress, live);
		live_report(live);
		err = drive_run(&(struct drive_config){ .plan = &o->plan,
							.objectives = &o->objectives,
							.platform = platform,
							.master_access = &access,
							.pause = pause,
							.progress = progress,
							.result = result },
				&text);
		progress_destroy(&progress);
		live_report(live); /* With the rows that had to wait for the end. */
		tell_outcome(o, result, err ? err_say(&text, err) : NULL);
		if (!err && find_next(o, result, &next))
			say_budget(o, &next);
	}
	if (err)
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
	buf_fini(&environment);
	return exit_code(err, o, result);
}

/* The folder of the results is there; that of the logs is made where there are children. */
static enum err create_platform(const struct driver_options *o, struct pause *pause,
				struct platform **out, struct err_text *text)
{
	static char logs[PATH_MAX]; /* lent to the platform for the whole run */
	enum err err;

	if (!strcmp(o->platform, "kubernetes"))
		return create_kubernetes(o, pause, out, text);
	if (!strcmp(o->platform, "remote")) {
		*out = platform_remote_create(o->master, o->host);
		return OK;
	}
	if ((size_t)snprintf(logs, sizeof(logs), "%s/logs", o->results) >= sizeof(logs))
		return err_set(text, ERR_TOO_BIG, "--results: the path is too long");
	err = folder_create(logs, text);
	return err ? err : create_local(o, logs, pause, out, text);
}

/* False: something is left for a person to do, and was said. */
static bool restore(struct platform *platform)
{
	struct buf todo;
	enum err err = OK;

	buf_init(&todo, TODO_BYTES);
	if (platform->ops->restore)
		err = platform->ops->restore(platform, &todo);
	if (err)
		fprintf(stderr, "cicada-driver: not everything could be given back: %s",
			todo.p ? todo.p : "\n");
	buf_fini(&todo);
	return !err;
}

/* What is in the folder of a pod can be copied only while the pod lives. */
static void linger(const struct driver_options *o, struct pause *pause)
{
	char how_long[32];

	progress_time_text((double)o->linger_s, how_long);
	printf("Waiting %s, so that the results can be copied; a signal ends it\n", how_long);
	fflush(stdout);
	pause_for(pause, o->linger_s * CLOCK_S);
}

/* What the folder holds from before. */
static void say_past(const struct driver_options *o, const struct result *result)
{
	size_t done = result_count(result), planned = plan_count(&o->plan);
	char journal[PATH_MAX], left[32];
	struct scenario next;

	snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, o->results);
	if (result_is_past_torn(result))
		printf("The last line of %s was not written whole and is dropped\n", journal);
	if (!find_next(o, result, &next)) {
		printf("Nothing to measure: %s has all %zu rows of this plan; --fresh measures "
		       "them again\n",
		       journal, done);
	} else if (result_past_kind(result) == JOURNAL_SAME) {
		progress_time_text(drive_rest_s(&o->plan, result, next.index), left);
		printf("Continuing %s: %zu of %s%zu scenarios have their rows, about %s left; "
		       "--fresh begins anew\n",
		       journal, done, at_most(&o->plan), planned, left);
	} else if (result_past_kind(result) == JOURNAL_OTHER) {
		printf("The earlier results in %s are of another plan and are set aside\n",
		       o->results);
	}
	fflush(stdout);
}

/* How the walk has ended, for those who look on. */
static void tell_end(const struct driver_options *o, const struct result *result, int code,
		     struct live *live)
{
	if (code == EXIT_INTERRUPTED)
		live_end(live, "interrupted");
	else if (code == EXIT_INFRASTRUCTURE)
		live_end(live, "failed");
	else
		live_end(live, is_all_measured(o, result) ? "done" : "budget");
}

static int run_on_platform(const struct driver_options *o, struct pause *pause,
			   struct result *result, struct live *live)
{
	struct err_text text = { "" };
	struct platform *platform = NULL;
	enum err err = create_platform(o, pause, &platform, &text);
	int code;

	if (err) {
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
		tell_end(o, result, EXIT_INFRASTRUCTURE, live);
		return EXIT_INFRASTRUCTURE;
	}
	code = run_matrix(o, platform, pause, result, live);
	/* A stop that was asked for has been honoured; only a further one may hurry us. */
	pause->stops_tolerated = stops;
	if (!restore(platform) && code != EXIT_INTERRUPTED)
		code = EXIT_INFRASTRUCTURE;
	platform_destroy(&platform);
	tell_end(o, result, code, live);
	/* Nobody waits for results of which there are none. */
	if (o->linger_s && code != EXIT_INTERRUPTED && result_count(result))
		linger(o, pause);
	return code;
}

/* All has been measured before. */
static int tell_again(const struct driver_options *o, struct pause *pause, struct result *result,
		      struct live *live)
{
	struct err_text text = { "" };
	enum err err = result_write_reports(result, &text);
	int code = exit_code(err, o, result);

	live_report(live);
	tell_end(o, result, code, live);
	tell_outcome(o, result, NULL);
	if (err)
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
	if (o->linger_s)
		linger(o, pause);
	return code;
}

/* With --page-port somebody may look on. */
static enum err open_page(const struct driver_options *o, struct live **live,
			  struct live_page **page, struct err_text *text)
{
	bool is_ipv6 = strchr(o->page_host, ':') != NULL;
	enum err err;

	if (o->page_port == DRIVER_NO_PAGE)
		return OK;
	*live = live_create(plan_count(&o->plan));
	err = live_page_open(&(struct live_page_config){ .host = o->page_host,
							 .port = (uint16_t)o->page_port,
							 .hosts = o->page_hosts.value,
							 .host_count = o->page_hosts.count,
							 .folder = o->results,
							 .live = *live },
			     page, text);
	if (err)
		return err;
	printf("Page: http://%s%s%s:%u/matrix\n", is_ipv6 ? "[" : "", o->page_host,
	       is_ipv6 ? "]" : "", live_page_port(*page));
	fflush(stdout);
	return OK;
}

static void close_page(struct pause *pause, struct live **live, struct live_page **page)
{
	if (*page)
		live_page_farewell(*page, pause);
	live_page_close(page);
	live_destroy(live);
}

static struct conclude_questions questions_of(const struct driver_options *o,
					      const char *prometheus_url)
{
	return (struct conclude_questions){
		.agenda = agenda_of(o),
		.target_rps = o->target_rps,
		.head_room = o->head_room_pct / 100,
		.cost_per_replica_hour = o->cost_per_replica_hour,
		.deployment = o->target_deployment,
		.name_space = o->namespace ? o->namespace : "default",
		.prometheus_url = prometheus_url,
		.rate_query = "sum(rate(inference_requests_total[1m]))",
	};
}

static int run(const struct driver_options *o)
{
	struct err_text text = { "" };
	struct conclude_questions questions;
	struct result *result = NULL;
	struct live_page *page = NULL;
	struct live *live = NULL;
	struct pause pause;
	bool is_local = !strcmp(o->platform, "local");
	struct buf settings, options, prometheus, master;
	enum err err;
	int code = EXIT_INFRASTRUCTURE;

	pause_init(&pause, &stops);
	catch_signals();
	buf_init(&prometheus, LIMIT_URL_BYTES + 1);
	buf_add_url(&prometheus, o->prometheus_url);
	buf_init(&master, LIMIT_URL_BYTES + 1);
	buf_add_url(&master, driver_master_url(o));
	questions = questions_of(o, buf_str(&prometheus).p);
	buf_init(&settings, SETTINGS_BYTES);
	buf_init(&options, SETTINGS_BYTES);
	driver_options_write(o, &options);
	print_plan(&o->plan, o->platform);
	err = driver_describe(o, &settings, &text);
	if (!err)
		err = result_create(
			&(struct result_config){ .folder = o->results,
						 .plan = { settings.p, plan_count(&o->plan),
							   is_local ? NULL : buf_str(&master).p },
						 .options = buf_str(&options),
						 .matrix = &o->plan,
						 .bounds = &o->bounds,
						 .questions = &questions,
						 .is_fresh = o->want_fresh },
			&result, &text);
	if (!err)
		err = open_page(o, &live, &page, &text);
	if (err)
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
	else
		say_past(o, result);
	if (!err && is_all_measured(o, result) && !is_owed(o))
		code = tell_again(o, &pause, result, live);
	else if (!err)
		code = run_on_platform(o, &pause, result, live);
	close_page(&pause, &live, &page);
	result_destroy(&result);
	buf_fini(&settings);
	buf_fini(&options);
	buf_fini(&prometheus);
	buf_fini(&master);
	return code;
}

/* What a run would find in its folder. True: a test may have been left. */
static bool look_at_journal(const struct driver_options *o, struct checklist *out)
{
	struct err_text text = { "" };
	struct journal_past past = { JOURNAL_NONE };
	struct journal *journal = NULL;
	struct buf settings, master;
	enum err err;

	if (access(o->results, F_OK) != 0)
		return false;
	if (access(o->results, W_OK) != 0)
		checklist_fail(out, "%s: nothing can be written there: %s", o->results,
			       strerror(errno));
	buf_init(&master, LIMIT_URL_BYTES + 1);
	buf_add_url(&master, driver_master_url(o));
	buf_init(&settings, SETTINGS_BYTES);
	err = driver_describe(o, &settings, &text);
	if (!err)
		err = journal_open(o->results,
				   &(struct journal_plan){ settings.p, plan_count(&o->plan),
							   buf_str(&master).p },
				   o->want_fresh, &journal, &past, &text);
	if (err)
		checklist_fail(out, "%s", err_say(&text, err));
	journal_close(&journal);
	mem_free(past.rows);
	mem_free(past.environment);
	buf_fini(&settings);
	buf_fini(&master);
	return past.has_leftover;
}

static int dry_run(const struct driver_options *o)
{
	const struct master_access access = master_access_of(o);
	struct err_text text = { "" };
	struct platform *platform = NULL;
	struct checklist list;
	struct pause pause;
	struct buf said;
	enum err err;
	int code;

	pause_init(&pause, &stops);
	catch_signals();
	checklist_init(&list);
	buf_init(&said, 2 * LIMIT_CHECKLIST_BYTES);
	err = create_platform(o, &pause, &platform, &text);
	if (err)
		checklist_fail(&list, "%s", err_say(&text, err));
	else
		rehearsal_run(&(struct rehearsal){ .platform = platform,
						   .master_access = &access,
						   .pause = &pause,
						   .plan = &o->plan,
						   .has_leftover = look_at_journal(o, &list) },
			      &list);
	checklist_say(&list, &said);
	fputs(buf_str(&said).p, stdout);
	code = pause_is_stopped(&pause) ? EXIT_INTERRUPTED
	       : list.faults		? EXIT_INFRASTRUCTURE
					: EXIT_ALL_MEASURED;
	platform_destroy(&platform);
	buf_fini(&said);
	checklist_fini(&list);
	return code;
}

/* Nothing is done yet. */
static int say_bad(enum err err, const struct err_text *text)
{
	fprintf(stderr, "cicada-driver: %s\n", err_say(text, err));
	return err == ERR_BAD_OPTION ? EXIT_USAGE : EXIT_BAD_PLAN;
}

/* What was measured before is not to be mixed with what is measured again. */
static enum err check_rerun(const struct driver_options *o, struct err_text *text)
{
	struct stat from, to;

	if (!o->rerun || o->want_fresh || stat(o->rerun, &from) != 0 ||
	    stat(o->results, &to) != 0 || from.st_ino != to.st_ino || from.st_dev != to.st_dev)
		return OK;
	return err_set(text, ERR_BAD_OPTION,
		       "rerun %s: give another folder with --results, or --fresh to set aside what "
		       "is there",
		       o->rerun);
}

static int obey(struct driver_options *o)
{
	struct err_text text = { "" };

	if (check_rerun(o, &text))
		return say_bad(ERR_BAD_OPTION, &text);
	if (plan_check(&o->plan, &text))
		return say_bad(ERR_BAD_INPUT, &text);
	if (!strcmp(o->order, "random"))
		plan_shuffle(&o->plan, o->seed);
	if (!o->want_plan && !o->want_dry_run)
		return run(o);
	print_plan(&o->plan, o->platform);
	if (o->want_dry_run)
		return dry_run(o);
	if (o->plan.is_search)
		print_searches(&o->plan);
	else
		print_scenarios(&o->plan);
	return 0;
}

int main(int argc, char **argv)
{
	struct driver_options o;
	struct err_text text = { "" };
	int code = 0;
	enum err err;

	if (argc > 1 && !strcmp(argv[1], "compare"))
		return driver_compare_main(argc - 1, argv + 1);
	err = driver_options_read(&o, argc, argv, &text);
	if (o.want_help)
		driver_options_print_help(stdout);
	else if (o.want_version)
		puts("cicada-driver " CICADA_VERSION);
	else
		code = err ? say_bad(err, &text) : obey(&o);
	driver_options_release(&o);
	return code;
}
