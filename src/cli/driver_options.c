/* SPDX-License-Identifier: MIT
 *
 * driver_options - see the header. */
#include "cli/driver_options.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/opt_write.h"
#include "base/opt_yaml.h"
#include "kube/kube_access.h"
#include "matrix/result.h"

/* Of --until-interval, when --repeats says nothing. */
#define REPEATS_UNTIL 10

#define AT(field)	offsetof(struct driver_options, field)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct opt rows[] = {
	{ "plan", 0, OPT_TEXT, AT(plan_file), "CICADA_PLAN", "FILE",
	  "a YAML file with any of the following, by their long names; variables and options win" },
	{ "replicas", 0, OPT_COUNTS, AT(plan.replicas), "CICADA_REPLICAS", "LIST",
	  "replicas of the target (default 1,2,4,8)", 1, LIMIT_REPLICAS },
	{ "workers", 0, OPT_COUNTS, AT(plan.workers), "CICADA_WORKERS", "LIST",
	  "load workers (default 4,8)", 1, LIMIT_WORKERS },
	{ "users", 'u', OPT_COUNTS, AT(plan.users), "CICADA_USERS", "LIST",
	  "virtual users (default 200,400,800)", 1, LIMIT_USERS },
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
	{ "repeats", 0, OPT_COUNT, AT(plan.repeats), "CICADA_REPEATS", "COUNT",
	  "passes through the matrix (default 1)", 1, LIMIT_SCENARIOS },
	{ "order", 0, OPT_CHOICE, AT(order), "CICADA_ORDER", "listed|random",
	  "users change fastest, then workers; or every pass in an order of its own (default "
	  "listed)" },
	{ "seed", 0, OPT_COUNT, AT(seed), "CICADA_ORDER_SEED", "NUMBER",
	  "of the random order: the same number gives the same one (default 1)" },
	{ "retries", 0, OPT_COUNT, AT(plan.retries), "CICADA_RETRIES", "COUNT",
	  "how often a scenario that is not ok is tried again (default 0)", 0, LIMIT_RETRIES },
	{ "budget", 0, OPT_DURATION, AT(plan.budget_s), "CICADA_BUDGET", "TIME",
	  "stop before a scenario that would not be over within this time from the start (default: "
	  "none)" },
	{ "fail-if", 0, OPT_TEXTS, AT(fail_if), "CICADA_FAIL_IF", "EXPR",
	  "a row that is so does not meet the limits, such as 'p95>300ms' or 'fail_ratio>1%'; "
	  "several times for several" },
	{ "slo", 0, OPT_TEXT, AT(slo), "CICADA_SLO", "OBJECTIVES",
	  "search the most users within these, such as 'p95<200ms,fail_ratio<0.1%', for each "
	  "number of replicas, from the first of --users on" },
	{ "max-users", 0, OPT_COUNT, AT(plan.users_max), "CICADA_MAX_USERS", "COUNT",
	  "with --slo: never more users than these (default 10000000)", 1, LIMIT_USERS },
	{ "tolerance", 0, OPT_NUMBER, AT(tolerance_pct), "CICADA_TOLERANCE", "PERCENT",
	  "with --slo: how exactly the limit is looked for (default 5)", 0.1, 50 },
	{ "target-rps", 0, OPT_NUMBER, AT(target_rps), "CICADA_TARGET_RPS", "RATE",
	  "how many replicas carry so many requests per second?", 1e-3, 1e12 },
	{ "head-room", 0, OPT_NUMBER, AT(head_room_pct), "CICADA_HEAD_ROOM", "PERCENT",
	  "the share of the capacity that stays free, then and in loads to plan for (default 20)",
	  0, 95 },
	{ "cost-per-replica-hour", 0, OPT_NUMBER, AT(cost_per_replica_hour),
	  "CICADA_COST_PER_REPLICA_HOUR", "COST",
	  "with --target-rps: what do a million requests cost? In any currency", 0, 1e9 },
	{ "until-interval", 0, OPT_TEXT, AT(until_interval), "CICADA_UNTIL_INTERVAL", "PERCENT",
	  "repeat a scenario until its throughput is known so well (half the interval, such as "
	  "5%), at most --repeats times (then default 10)" },
	{ "arrivals", 0, OPT_CHOICE, AT(arrivals), "CICADA_ARRIVALS", "even|poisson",
	  "platform local: an open loop, in which --users are task starts per second" },
	{ "think-time", 0, OPT_NUMBER, AT(think_time_s), "CICADA_THINK_TIME", "SECONDS",
	  "platform local: users wait so long between tasks, whatever the scenario says; 0: not at "
	  "all",
	  0, 86400 },
	{ "prometheus-url", 0, OPT_TEXT, AT(prometheus_url), "CICADA_PROMETHEUS_URL", "URL",
	  "where KEDA asks, in its object of the report (default "
	  "http://prometheus.monitoring:9090)" },
	{ "results", 'o', OPT_TEXT, AT(results), "RESULTS_DIR", "DIR",
	  "folder of auto_summary.csv, auto_summary.md, report.html and logs (default ./results)" },
	{ "fresh", 0, OPT_FLAG, AT(want_fresh), "CICADA_FRESH", NULL,
	  "measure every scenario again; earlier results of this plan are set aside" },
	{ "platform", 0, OPT_CHOICE, AT(platform), "CICADA_PLATFORM", "local|remote|kubernetes",
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
	{ "page-port", 0, OPT_COUNT, AT(page_port), "CICADA_PAGE_PORT", "PORT",
	  "show the matrix while it runs, as a page at this port (0: any free one; default: no "
	  "page)",
	  0, 65535 },
	{ "page-host", 0, OPT_TEXT, AT(page_host), "CICADA_PAGE_HOST", "ADDRESS",
	  "where the page listens; whoever reaches it may look (default 127.0.0.1)" },
	{ "page-allow-host", 0, OPT_WORDS, AT(page_hosts), "CICADA_PAGE_ALLOW_HOST", "NAME ...",
	  "names of the page; it answers to no others (default: all, but on 127.0.0.1)" },
	{ "namespace", 'n', OPT_TEXT, AT(namespace), "CICADA_NAMESPACE", "NAME",
	  "kubernetes: where the Deployments are (default: the service account's, the context's)" },
	{ "target-deployment", 0, OPT_TEXT, AT(target_deployment), "CICADA_TARGET_DEPLOYMENT",
	  "NAME", "kubernetes: the replicas of the target (default inference)" },
	{ "target-service", 0, OPT_TEXT, AT(target_service), "CICADA_TARGET_SERVICE", "NAME",
	  "kubernetes: the Service whose endpoints they are (default inference)" },
	{ "target-metrics-port", 0, OPT_COUNT, AT(metrics_port), "CICADA_TARGET_METRICS_PORT",
	  "PORT",
	  "kubernetes: where every pod of the target has /metrics with its count of requests "
	  "(default 8001; 0: nowhere)",
	  0, 65535 },
	{ "worker-deployment", 0, OPT_TEXT, AT(worker_deployment), "CICADA_WORKER_DEPLOYMENT",
	  "NAME", "kubernetes: the load workers (default locust-worker)" },
	{ "pause-autoscaler", 0, OPT_FLAG, AT(want_pause_autoscaler), "CICADA_PAUSE_AUTOSCALER",
	  NULL,
	  "kubernetes: hold a HorizontalPodAutoscaler of these Deployments at the replicas "
	  "of each scenario, and give it its bounds back at the end" },
	{ "dry-run", 0, OPT_FLAG, AT(want_dry_run), "CICADA_DRY_RUN", NULL,
	  "kubernetes, remote: check rights, Deployments, Service, autoscalers and master, print a "
	  "checklist, change nothing (code 0 or 111)" },
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
	{ "version", 'V', OPT_FLAG, AT(want_version), NULL, NULL, "print the version and exit" },
	{ "help", 'h', OPT_FLAG, AT(want_help), NULL, NULL, "print this and exit" },
};

static const struct opt_table table = {
	.usage = "Usage: cicada-driver [plan] [options]\n"
		 "       cicada-driver rerun FOLDER [options]\n"
		 "       cicada-driver compare A B\n"
		 "Measures a service in every combination of replicas, workers and users.\n"
		 "With the word plan it prints the scenarios and the time they take, and does "
		 "nothing.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

static enum err check_until_interval(struct driver_options *o, struct err_text *text)
{
	struct str number = str_of(o->until_interval);
	double percent;

	if (number.len && number.p[number.len - 1] == '%')
		number.len--;
	if (!num_parse_double(number, &percent) || !(percent >= 0.1 && percent <= 100))
		return err_set(
			text, ERR_BAD_OPTION,
			"--until-interval: '%.50s' is no percentage; give 5%%, from 0.1 to 100",
			o->until_interval);
	o->plan.until_interval = percent / 100;
	if (o->plan.repeats == 1)
		o->plan.repeats = REPEATS_UNTIL;
	return OK;
}

static enum err check_questions(struct driver_options *o, struct err_text *text)
{
	enum err err = OK;

	o->plan.is_search = o->slo != NULL;
	o->plan.tolerance = o->tolerance_pct / 100;
	if (o->slo)
		err = objectives_parse(o->slo, &o->objectives, text);
	if (!err && o->slo && o->until_interval)
		err = err_set(text, ERR_BAD_OPTION,
			      "--until-interval: a search (--slo) repeats by itself what it has "
			      "to; leave it out");
	if (!err && o->until_interval)
		err = check_until_interval(o, text);
	if (!err && !isnan(o->cost_per_replica_hour) && isnan(o->target_rps))
		err = err_set(text, ERR_BAD_OPTION,
			      "--cost-per-replica-hour: of which rate? give --target-rps too");
	if (!err && !isnan(o->think_time_s) && o->arrivals)
		err = err_set(text, ERR_BAD_OPTION,
			      "--think-time: users of --arrivals wait for nothing; leave one of "
			      "them out");
	if (!err && !isnan(o->think_time_s) && strcmp(o->platform, "local") != 0)
		err = err_set(
			text, ERR_BAD_OPTION,
			"--think-time: master and workers are started by others; give it to all "
			"of them (CICADA_THINK_TIME)");
	if (!err && o->arrivals && strcmp(o->platform, "local") != 0)
		err = err_set(
			text, ERR_BAD_OPTION,
			"--arrivals: master and workers are started by others; give it to all of "
			"them (CICADA_ARRIVALS)");
	return err;
}

static enum err check(struct driver_options *o, struct err_text *text)
{
	for (size_t i = 0; i < o->fail_if.count; i++)
		if (verdict_add(&o->bounds, o->fail_if.value[i], text))
			return ERR_BAD_OPTION;
	if (check_questions(o, text))
		return ERR_BAD_OPTION;
	if (!strcmp(o->platform, "remote") && (!o->master || !o->host))
		return err_set(text, ERR_BAD_OPTION,
			       "--platform remote needs --master URL and --host URL");
	if (!strcmp(o->platform, "local") && o->want_dry_run)
		return err_set(text, ERR_BAD_OPTION,
			       "--dry-run: platform local starts everything itself, there is "
			       "nothing to check; 'cicada-driver plan' says what it would do");
	if (!strcmp(o->platform, "local") && o->host)
		return err_set(text, ERR_BAD_OPTION,
			       "--host (TARGET_HOST): platform local starts its own target; give "
			       "--master too, or leave it out");
	return OK;
}

static enum err read_master_access(struct driver_options *o, struct err_text *text)
{
	enum err err = OK;

	if (o->master_token_file)
		err = token_read(o->master_token_file, &o->master_token, text);
	if (!err && o->master_ca_file)
		err = file_read(o->master_ca_file, &o->master_ca, text);
	return err ? ERR_BAD_OPTION : OK;
}

/* `plan`, or `rerun FOLDER`. */
static enum err obey_words(struct driver_options *o, const struct opt_texts *words,
			   struct err_text *text)
{
	const char *const *word = words->value;

	if (!words->count)
		return OK;
	o->want_plan = words->count == 1 && !strcmp(word[0], "plan");
	if (o->want_plan)
		return OK;
	if (words->count != 2 || strcmp(word[0], "rerun") != 0)
		return err_set(text, ERR_BAD_OPTION,
			       "%s: the only words without dashes are 'plan', 'rerun FOLDER' and "
			       "'compare A B'; --help lists the options",
			       word[words->count - 1]);
	if (o->plan_file)
		return err_set(text, ERR_BAD_OPTION,
			       "--plan: rerun has that of %s; leave one of them out", word[1]);
	o->rerun = word[1];
	snprintf(o->rerun_plan, sizeof(o->rerun_plan), "%s/" RESULT_PLAN, word[1]);
	o->plan_file = o->rerun_plan;
	return OK;
}

/* The command line is read twice: first only for the plan file, which is weaker. */
static enum err read_all(struct driver_options *o, int argc, char **argv, struct err_text *text)
{
	struct driver_options first = *o;
	struct opt_texts words = { .count = 0 };
	enum err err = opt_parse(&table, argc, argv, &first, &words, text);

	if (!err && (first.want_help || first.want_version)) {
		*o = first;
		return OK;
	}
	if (!err)
		err = obey_words(&first, &words, text);
	if (!err && first.plan_file &&
	    opt_read_file_by(opt_yaml_read, &table, first.plan_file, &o->plan_bytes, o, text))
		return ERR_BAD_INPUT;
	words.count = 0;
	if (!err)
		err = opt_parse(&table, argc, argv, o, &words, text);
	return err ? err : obey_words(o, &words, text);
}

enum err driver_options_read(struct driver_options *o, int argc, char **argv, struct err_text *text)
{
	enum err err;

	*o = (struct driver_options){ .plan = plan_defaults(),
				      .order = "listed",
				      .seed = 1,
				      .results = "results",
				      .tolerance_pct = 5,
				      .think_time_s = NAN,
				      .target_rps = NAN,
				      .head_room_pct = 20,
				      .cost_per_replica_hour = NAN,
				      .page_port = DRIVER_NO_PAGE,
				      .page_host = "127.0.0.1",
				      .prometheus_url = "http://prometheus.monitoring:9090",
				      .service_account = KUBE_SERVICE_ACCOUNT,
				      .target_deployment = "inference",
				      .target_service = "inference",
				      .metrics_port = 8001,
				      .worker_deployment = "locust-worker" };
	buf_init(&o->master_ca, LIMIT_MASTER_CA_BYTES);
	buf_init(&o->plan_bytes, LIMIT_CONFIG_FILE_BYTES);
	err = read_all(o, argc, argv, text);
	if (!o->platform)
		o->platform = o->master					  ? "remote"
			      : kube_access_is_in_pod(o->service_account) ? "kubernetes"
									  : "local";
	if (!err)
		err = check(o, text);
	return err ? err : read_master_access(o, text);
}

void driver_options_write(const struct driver_options *o, struct buf *out)
{
	/* What says where and how to go about it, and not what to measure. */
	static const char *const but[] = { "plan", "results", "fresh", "version", "help", NULL };
	struct driver_options copy = *o;
	const char **const urls[] = { &copy.master, &copy.host, &copy.prometheus_url };
	struct buf bare[COUNT_OF(urls)];

	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		buf_init(&bare[i], LIMIT_URL_BYTES + 1);
		if (!*urls[i])
			continue;
		buf_add_url(&bare[i], *urls[i]);
		*urls[i] = buf_str(&bare[i]).p;
	}
	opt_write_yaml(&table, &copy, but, out);
	for (size_t i = 0; i < COUNT_OF(urls); i++)
		buf_fini(&bare[i]);
}

void driver_options_release(struct driver_options *o)
{
	buf_fini(&o->master_ca);
	buf_fini(&o->plan_bytes);
}

void driver_options_print_help(FILE *to)
{
	opt_print_help(&table, to);
}
