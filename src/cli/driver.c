/* SPDX-License-Identifier: MIT
 *
 * cicada-driver - walks a matrix of replicas x workers x users and records what the
 * target could do in each. Parse, create bottom-up, run, destroy top-down; the manual
 * is docs/driver.md. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/token.h"
#include "kube/kube_access.h"
#include "base/folder.h"
#include "matrix/drive.h"
#include "matrix/master_api.h"
#include "matrix/pause.h"
#include "matrix/plan.h"
#include "matrix/platform_kubernetes.h"
#include "matrix/platform_local.h"
#include "matrix/platform_remote.h"
#include "matrix/progress.h"
#include "matrix/result.h"

/* Exit codes; docs/driver.md explains them. */
enum {
	EXIT_ALL_MEASURED = 0,
	EXIT_NOT_ALL_MEASURED = 1,
	EXIT_USAGE = 2,
	EXIT_INTERRUPTED = 105,
	EXIT_INFRASTRUCTURE = 111
};

#define ENVIRONMENT_BYTES 4096
#define TODO_BYTES	  8192
#define SETTINGS_BYTES	  (32 * 1024)

struct options {
	struct plan plan;
	const char *results, *platform, *master, *host, *scenario, *model;
	const char *master_token_file, *master_ca_file;
	struct token master_token; /* what these two say */
	struct buf master_ca;
	uint64_t target_port, web_port, bind_port;
	const char *kubeconfig, *context, *service_account, *namespace;
	const char *target_deployment, *worker_deployment, *target_service;
	const char *termination_log;
	uint64_t linger_s;
	bool want_pause_autoscaler, want_fresh;
	bool want_plan, want_version, want_help;
};

#define AT(field) offsetof(struct options, field)

static const struct opt rows[] = {
	{ "replicas", 0, OPT_COUNTS, AT(plan.replicas), "CICADA_REPLICAS", "LIST",
	  "replicas of the target (default 1,2,4,8)" },
	{ "workers", 0, OPT_COUNTS, AT(plan.workers), "CICADA_WORKERS", "LIST",
	  "load workers (default 4,8)" },
	{ "users", 'u', OPT_COUNTS, AT(plan.users), "CICADA_USERS", "LIST",
	  "virtual users (default 200,400,800)" },
	{ "duration", 't', OPT_DURATION, AT(plan.duration_s), "CICADA_DURATION", "TIME",
	  "measured time of a scenario, all users running (default 120)" },
	{ "cooldown", 0, OPT_DURATION, AT(plan.cooldown_s), "CICADA_COOLDOWN", "TIME",
	  "rest between scenarios (default 15)" },
	{ "poll", 0, OPT_NUMBER, AT(plan.poll_s), "CICADA_POLL", "SECONDS",
	  "time between two looks at a running test (default 2)", 0.1, 3600 },
	{ "spawn-rate", 'r', OPT_NUMBER, AT(plan.spawn_rate), "CICADA_SPAWN_RATE", "RATE",
	  "users started per second (default: all within 5 % of the duration, at least "
	  "3 s)",
	  1e-3, 1e9 },
	{ "ready-timeout", 0, OPT_DURATION, AT(plan.ready_timeout_s), "CICADA_READY_TIMEOUT",
	  "TIME", "how long replicas and workers may take to be ready (default 60)" },
	{ "stop-timeout", 's', OPT_DURATION, AT(plan.stop_timeout_s), "CICADA_STOP_TIMEOUT", "TIME",
	  "how long requests in flight may take when a test is stopped (default 10)" },
	{ "results", 'o', OPT_TEXT, AT(results), "RESULTS_DIR", "DIR",
	  "folder of auto_summary.csv, auto_summary.md and logs (default ./results)" },
	{ "fresh", 0, OPT_FLAG, AT(want_fresh), "CICADA_FRESH", NULL,
	  "measure every scenario again; earlier results of this plan are set aside" },
	{ "platform", 0, OPT_TEXT, AT(platform), "CICADA_PLATFORM", "NAME",
	  "local: start everything here; remote: use --master; kubernetes: scale Deployments "
	  "(default local, in a pod with a service account kubernetes)" },
	{ "master", 0, OPT_TEXT, AT(master), "CICADA_MASTER_URL", "URL",
	  "a running master's web address; alone it means --platform remote (kubernetes: "
	  "default http://locust-master:8089)" },
	{ "master-token", 0, OPT_TEXT, AT(master_token_file), "CICADA_MASTER_TOKEN_FILE", "FILE",
	  "the secret that the master wants, see its --web-token" },
	{ "master-ca", 0, OPT_TEXT, AT(master_ca_file), "CICADA_MASTER_CA", "FILE",
	  "certificates (PEM) that an https master is verified against (default: the system's)" },
	{ "host", 'H', OPT_TEXT, AT(host), "TARGET_HOST LOCUST_HOST", "URL",
	  "the target as the workers reach it; needed with remote (kubernetes: default "
	  "http://inference:8000)" },
	{ "scenario", 'f', OPT_TEXT, AT(scenario), "LOCUST_LOCUSTFILE", "FILE",
	  "what the users do (default scenarios/inference.c)" },
	{ "model", 'm', OPT_TEXT, AT(model), "CICADA_MODEL", "DIR",
	  "model of the inference replicas (default: theirs)" },
	{ "target-port", 0, OPT_COUNT, AT(target_port), "CICADA_TARGET_PORT", "PORT",
	  "port of the replicas (default 0: any free one)", 0, 65535 },
	{ "web-port", 0, OPT_COUNT, AT(web_port), "CICADA_WEB_PORT", "PORT",
	  "port of the master's web interface (default 0: any free one)", 0, 65535 },
	{ "master-bind-port", 0, OPT_COUNT, AT(bind_port), "CICADA_MASTER_BIND_PORT", "PORT",
	  "port where workers reach the master (default 0: any free one)", 0, 65535 },
	{ "namespace", 'n', OPT_TEXT, AT(namespace), "CICADA_NAMESPACE", "NAME",
	  "kubernetes: where the Deployments are (default: the service account's, the context's)" },
	{ "target-deployment", 0, OPT_TEXT, AT(target_deployment), "CICADA_TARGET_DEPLOYMENT",
	  "NAME", "kubernetes: the replicas of the target (default inference)" },
	{ "target-service", 0, OPT_TEXT, AT(target_service), "CICADA_TARGET_SERVICE", "NAME",
	  "kubernetes: the Service whose endpoints they are (default inference)" },
	{ "worker-deployment", 0, OPT_TEXT, AT(worker_deployment), "CICADA_WORKER_DEPLOYMENT",
	  "NAME", "kubernetes: the load workers (default locust-worker)" },
	{ "pause-autoscaler", 0, OPT_FLAG, AT(want_pause_autoscaler), "CICADA_PAUSE_AUTOSCALER",
	  NULL,
	  "kubernetes: hold a HorizontalPodAutoscaler of these Deployments at the replicas "
	  "of each scenario, and give it its bounds back at the end" },
	{ "kubeconfig", 0, OPT_TEXT, AT(kubeconfig), "KUBECONFIG", "FILE",
	  "kubernetes: how to reach it (default: the pod's service account, else ~/.kube/config)" },
	{ "context", 0, OPT_TEXT, AT(context), "CICADA_CONTEXT", "NAME",
	  "kubernetes: the context of that file (default: its current one)" },
	{ "service-account", 0, OPT_TEXT, AT(service_account), "CICADA_SERVICE_ACCOUNT", "DIR",
	  "kubernetes: folder with token, ca.crt and namespace (default " KUBE_SERVICE_ACCOUNT
	  ")" },
	{ "termination-log", 0, OPT_TEXT, AT(termination_log), "CICADA_TERMINATION_LOG", "FILE",
	  "write the outcome in a few lines there, too; in a pod /dev/termination-log (default: "
	  "none)" },
	{ "linger", 0, OPT_DURATION, AT(linger_s), "CICADA_LINGER", "TIME",
	  "stay this long after the end, so that results can be copied from the pod (default 0)" },
	{ "plan", 0, OPT_FLAG, AT(want_plan), NULL, NULL,
	  "print the scenarios and the time they take, and do nothing" },
	{ "version", 'V', OPT_FLAG, AT(want_version), NULL, NULL, "print the version and exit" },
	{ "help", 'h', OPT_FLAG, AT(want_help), NULL, NULL, "print this and exit" },
};

static const struct opt_table table = {
	.usage = "Usage: cicada-driver [options]\n"
		 "Measures a service in every combination of replicas, workers and users.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

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

/* The folder of our own executable: the sibling programs are there, and from there the
 * tree or the installation is found. */
static enum err own_folder(char out[PATH_MAX], struct err_text *text)
{
	ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);

	if (len <= 0)
		return err_set(text, ERR_IO, "/proc/self/exe cannot be read; is /proc mounted?");
	out[len] = '\0';
	*strrchr(out, '/') = '\0';
	return OK;
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

/* In the build tree ../../scenarios, in an installation ../share/cicada/scenarios. */
static enum err find_own_scenario(char out[PATH_MAX], struct err_text *text)
{
	static const char *const places[] = { "../../scenarios/inference.c",
					      "../share/cicada/scenarios/inference.c" };
	char folder[PATH_MAX];
	enum err err = own_folder(folder, text);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[PATH_MAX];

		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, places[i]) <
			    sizeof(path) &&
		    realpath(path, out))
			return OK;
	}
	return err_set(text, ERR_NOT_FOUND,
		       "scenarios/inference.c is not found from %s; name a scenario with -f",
		       folder);
}

/* What the users do on platform local. */
static enum err find_scenario(const struct options *o, char out[PATH_MAX], struct err_text *text)
{
	if (!o->scenario)
		return find_own_scenario(out, text);
	if (access(o->scenario, R_OK) != 0)
		return err_set(text, ERR_NOT_FOUND, "-f %s: cannot be read", o->scenario);
	if ((size_t)snprintf(out, PATH_MAX, "%s", o->scenario) >= PATH_MAX)
		return err_set(text, ERR_TOO_BIG, "-f: the path is too long");
	return OK;
}

/* ---- which plan this is ---- */

/* The scenario's bytes count, not its name alone: who has edited it measures something else. */
static enum err describe_local(const struct options *o, struct buf *out, struct err_text *text)
{
	char path[PATH_MAX];
	struct buf bytes;
	enum err err = find_scenario(o, path, text);

	if (err)
		return err;
	buf_init(&bytes, LIMIT_SCENARIO_FILE_BYTES);
	err = file_read(path, &bytes, text);
	if (!err)
		buf_printf(out, " scenario=%s digest=%016" PRIx64 " model=%s", path,
			   digest_add(DIGEST_START, buf_str(&bytes).p, bytes.len),
			   o->model ? o->model : "default");
	buf_fini(&bytes);
	return err;
}

static const char *master_url(const struct options *o)
{
	return o->master ? o->master : "http://locust-master:8089";
}

static const char *target_url(const struct options *o)
{
	return o->host ? o->host : "http://inference:8000";
}

/* Everything that makes rows comparable, and so a journal one that may be continued. */
static enum err describe_settings(const struct options *o, struct buf *out, struct err_text *text)
{
	enum err err = OK;

	plan_describe(&o->plan, out);
	buf_printf(out, " platform=%s", o->platform);
	if (!strcmp(o->platform, "local"))
		err = describe_local(o, out, text);
	else
		buf_printf(out, " master=%s host=%s", master_url(o), target_url(o));
	if (!strcmp(o->platform, "kubernetes"))
		buf_printf(out, " namespace=%s context=%s target=%s service=%s workers=%s",
			   o->namespace ? o->namespace : "default",
			   o->context ? o->context : "default", o->target_deployment,
			   o->target_service, o->worker_deployment);
	if (!err && out->is_full)
		err = err_set(text, ERR_TOO_BIG, "the settings of the plan are too long");
	return err;
}

static enum err create_local(const struct options *o, const char *logs, struct pause *pause,
			     struct platform **out, struct err_text *text)
{
	/* Lent to the platform for the whole run. */
	static char folder[PATH_MAX], cicada[PATH_MAX], inference[PATH_MAX], scenario[PATH_MAX];
	enum err err = own_folder(folder, text);

	if (!err)
		err = find_program(folder, "cicada", cicada, text);
	if (!err)
		err = find_program(folder, "cicada-inference", inference, text);
	if (!err)
		err = find_scenario(o, scenario, text);
	if (err)
		return err;
	return platform_local_create(
		&(struct platform_local_config){ .cicada = cicada,
						 .inference = inference,
						 .scenario = scenario,
						 .model = o->model,
						 .logs = logs,
						 .target_port = o->target_port,
						 .web_port = o->web_port,
						 .bind_port = o->bind_port,
						 .ready_timeout_s = o->plan.ready_timeout_s,
						 .stop_timeout_s = o->plan.stop_timeout_s,
						 .pause = pause },
		out, text);
}

static enum err create_kubernetes(const struct options *o, struct pause *pause,
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
						      .master_url = master_url(o),
						      .target_url = target_url(o),
						      .want_pause_autoscaler =
							      o->want_pause_autoscaler,
						      .pause = pause },
		out, text);
}

static enum err check_options(const struct options *o, struct err_text *text)
{
	enum err err = plan_check(&o->plan, text);

	if (err)
		return err;
	if (strcmp(o->platform, "local") != 0 && strcmp(o->platform, "remote") != 0 &&
	    strcmp(o->platform, "kubernetes") != 0)
		return err_set(text, ERR_BAD_OPTION,
			       "--platform: '%s' is unknown; give local, remote or kubernetes",
			       o->platform);
	if (!strcmp(o->platform, "remote") && (!o->master || !o->host))
		return err_set(text, ERR_BAD_OPTION,
			       "--platform remote needs --master URL and --host URL");
	if (!strcmp(o->platform, "local") && o->host)
		return err_set(text, ERR_BAD_OPTION,
			       "--host (TARGET_HOST): platform local starts its own target; give "
			       "--master too, or leave it out");
	return OK;
}

static enum err read_master_access(struct options *o, struct err_text *text)
{
	enum err err = OK;

	if (o->master_token_file)
		err = token_read(o->master_token_file, &o->master_token, text);
	if (!err && o->master_ca_file)
		err = file_read(o->master_ca_file, &o->master_ca, text);
	return err;
}

static void print_plan(const struct plan *plan, const char *platform)
{
	char about[32];

	progress_time_text(plan_rest_s(plan, 0), about);
	printf("cicada-driver: %zu scenarios, about %s, platform %s\n", plan_count(plan), about,
	       platform);
	fflush(stdout);
}

static void print_scenarios(const struct plan *plan)
{
	for (size_t i = 0; i < plan_count(plan); i++) {
		struct scenario s = plan_scenario(plan, i);

		printf("%4zu  replicas=%-4llu workers=%-4llu users=%-7llu spawn rate %.4g/s\n",
		       i + 1, (unsigned long long)s.replicas, (unsigned long long)s.workers,
		       (unsigned long long)s.users, plan_spawn_rate(plan, s.users));
	}
}

static void describe_environment(const struct options *o, const struct platform *platform,
				 struct buf *out)
{
	struct utsname system;

	platform->ops->describe(platform, out);
	if (uname(&system) == 0)
		buf_printf(out, "- Machine: %s, %s %s, %ld CPUs\n", system.machine, system.sysname,
			   system.release, sysconf(_SC_NPROCESSORS_ONLN));
	buf_printf(out,
		   "- Driver: cicada-driver " CICADA_VERSION
		   ", %llu s per scenario, %llu s cool-down, a poll every %g s\n",
		   (unsigned long long)o->plan.duration_s, (unsigned long long)o->plan.cooldown_s,
		   o->plan.poll_s);
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

static void print_outcome(const struct options *o, const struct result *result)
{
	struct buf line;

	buf_init(&line, 64 * 1024 * 1024);
	buf_add_char(&line, '\n');
	result_format_table(result, &line);
	buf_printf(&line, "\nResults: %s/" RESULT_CSV "  %s/" RESULT_MARKDOWN "\n", o->results,
		   o->results);
	say_best(result, &line);
	fputs(line.p, stdout);
	buf_fini(&line);
}

/* Kubernetes shows the file as the message of the ended container, its first 4 kB. */
static void write_termination_log(const struct options *o, const struct result *result)
{
	FILE *file = fopen(o->termination_log, "w");
	struct buf lines;
	bool is_written = false;

	buf_init(&lines, TODO_BYTES);
	buf_printf(&lines, "%zu of %zu scenarios ok\n", result_count_ok(result),
		   plan_count(&o->plan));
	say_best(result, &lines);
	if (file) {
		is_written = fputs(lines.p, file) >= 0;
		is_written &= fclose(file) == 0;
	}
	if (!is_written)
		fprintf(stderr, "cicada-driver: --termination-log %s cannot be written: %s\n",
			o->termination_log, strerror(errno));
	buf_fini(&lines);
}

static int exit_code(enum err err, const struct result *result, size_t planned)
{
	if (err == ERR_INTERRUPTED)
		return EXIT_INTERRUPTED;
	if (err)
		return EXIT_INFRASTRUCTURE;
	return result_count_ok(result) == planned ? EXIT_ALL_MEASURED : EXIT_NOT_ALL_MEASURED;
}

/* What the rows say at the end, on the screen and where Kubernetes looks. */
static void tell_outcome(const struct options *o, const struct result *result)
{
	if (result_count(result))
		print_outcome(o, result);
	if (o->termination_log)
		write_termination_log(o, result);
}

/* The platform is there; what is left is to start it, walk, and tell. */
static int run_matrix(const struct options *o, struct platform *platform, struct pause *pause,
		      struct result *result)
{
	struct err_text text = { "" };
	struct progress *progress = NULL;
	const struct master_access access = {
		.token = o->master_token_file ? o->master_token.text : NULL,
		.tls = { .ca = buf_str(&o->master_ca) },
	};
	struct buf environment;
	enum err err;

	buf_init(&environment, ENVIRONMENT_BYTES);
	err = platform->ops->start(platform, &text);
	if (!err) {
		printf("Master: %s  Target: %s\n", platform->ops->master_url(platform),
		       platform->ops->target_url(platform));
		describe_environment(o, platform, &environment);
		/* What is done to somebody's autoscaler is said before it is done. */
		if (o->want_pause_autoscaler)
			fputs(environment.p, stdout);
		err = result_start(result, environment.p, &text);
	}
	if (!err) {
		progress = progress_create(&o->plan, stdout, isatty(STDOUT_FILENO));
		err = drive_run(&(struct drive_config){ .plan = &o->plan,
							.platform = platform,
							.master_access = &access,
							.pause = pause,
							.progress = progress,
							.result = result },
				&text);
		progress_destroy(&progress);
		tell_outcome(o, result);
	}
	if (err)
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
	buf_fini(&environment);
	return exit_code(err, result, plan_count(&o->plan));
}

/* The folder of the results is there; that of the logs is made where there are children. */
static enum err create_platform(const struct options *o, struct pause *pause, struct platform **out,
				struct err_text *text)
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
static void linger(const struct options *o, struct pause *pause)
{
	char how_long[32];

	progress_time_text((double)o->linger_s, how_long);
	printf("Waiting %s, so that the results can be copied; a signal ends it\n", how_long);
	fflush(stdout);
	pause_for(pause, o->linger_s * CLOCK_S);
}

/* What the folder holds from before. */
static void say_past(const struct options *o, const struct result *result)
{
	size_t done = result_count(result), planned = plan_count(&o->plan);
	char left[32];

	if (result_is_past_torn(result))
		printf("The last line of %s/" JOURNAL_FILE
		       " was not written whole and is dropped\n",
		       o->results);
	progress_time_text(plan_rest_s(&o->plan, done), left);
	if (done == planned)
		printf("Nothing to measure: %s/" JOURNAL_FILE
		       " has all %zu rows of this plan; --fresh "
		       "measures them again\n",
		       o->results, done);
	else if (result_past_kind(result) == JOURNAL_SAME)
		printf("Continuing %s/" JOURNAL_FILE
		       ": %zu of %zu scenarios have their rows, about "
		       "%s left; --fresh begins anew\n",
		       o->results, done, planned, left);
	else if (result_past_kind(result) == JOURNAL_OTHER)
		printf("The earlier results in %s are of another plan and are set aside\n",
		       o->results);
	fflush(stdout);
}

static int run_on_platform(const struct options *o, struct pause *pause, struct result *result)
{
	struct err_text text = { "" };
	struct platform *platform = NULL;
	enum err err = create_platform(o, pause, &platform, &text);
	int code;

	if (err) {
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
		return EXIT_INFRASTRUCTURE;
	}
	code = run_matrix(o, platform, pause, result);
	/* A stop that was asked for has been honoured; only a further one may hurry us. */
	pause->stops_tolerated = stops;
	if (!restore(platform) && code != EXIT_INTERRUPTED)
		code = EXIT_INFRASTRUCTURE;
	platform_destroy(&platform);
	if (o->linger_s && code != EXIT_INTERRUPTED)
		linger(o, pause);
	return code;
}

static int run(const struct options *o)
{
	struct err_text text = { "" };
	struct result *result = NULL;
	struct pause pause;
	struct buf settings;
	enum err err;
	int code = EXIT_INFRASTRUCTURE;

	pause_init(&pause, &stops);
	catch_signals();
	buf_init(&settings, SETTINGS_BYTES);
	print_plan(&o->plan, o->platform);
	err = describe_settings(o, &settings, &text);
	if (!err)
		err = result_create(
			&(struct result_config){ .folder = o->results,
						 .plan = { settings.p, plan_count(&o->plan) },
						 .is_fresh = o->want_fresh },
			&result, &text);
	if (err)
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
	else
		say_past(o, result);
	if (!err && result_count(result) == plan_count(&o->plan)) {
		tell_outcome(o, result);
		code = exit_code(OK, result, plan_count(&o->plan));
	} else if (!err) {
		code = run_on_platform(o, &pause, result);
	}
	result_destroy(&result);
	buf_fini(&settings);
	return code;
}

int main(int argc, char **argv)
{
	struct options o = { .plan = plan_defaults(),
			     .results = "results",
			     .service_account = KUBE_SERVICE_ACCOUNT,
			     .target_deployment = "inference",
			     .target_service = "inference",
			     .worker_deployment = "locust-worker" };
	struct err_text text = { "" };
	enum err err = opt_parse(&table, argc, argv, &o, NULL, &text);
	int code;

	if (o.want_help) {
		opt_print_help(&table, stdout);
		return 0;
	}
	if (o.want_version) {
		puts("cicada-driver " CICADA_VERSION);
		return 0;
	}
	if (!o.platform)
		o.platform = o.master					? "remote"
			     : kube_access_is_in_pod(o.service_account) ? "kubernetes"
									: "local";
	buf_init(&o.master_ca, LIMIT_MASTER_CA_BYTES);
	if (!err)
		err = check_options(&o, &text);
	if (!err)
		err = read_master_access(&o, &text);
	if (err) {
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
		buf_fini(&o.master_ca);
		return EXIT_USAGE;
	}
	if (o.want_plan) {
		print_plan(&o.plan, o.platform);
		print_scenarios(&o.plan);
		code = 0;
	} else {
		code = run(&o);
	}
	buf_fini(&o.master_ca);
	return code;
}
