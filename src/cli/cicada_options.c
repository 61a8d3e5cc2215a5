/* SPDX-License-Identifier: MIT
 *
 * cicada_options - see the header; the manual is docs/cicada.md. */
#include "cli/cicada_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/resolver.h"
#include "run/gate.h"
#include "run/run.h"

#define AT(field)	offsetof(struct cicada_options, field)
#define PORT_DEFAULT	5557
#define SEED_NOT_GIVEN	UINT64_MAX
#define USERS_NOT_GIVEN UINT64_MAX

/* Rows of statistics know their last minute by seconds. */
#define ABORT_WINDOW_MAX_S 50

/* A request for protection must not pass for protection. */
#define NO_LOGIN "is not supported; --web-login protects the web interface"
#define NO_STEPS "is not supported; --stages makes steps"

static const struct opt rows[] = {
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Common options" },
	{ "locustfile", 'f', OPT_TEXT, AT(scenario), "LOCUST_LOCUSTFILE", "FILE",
	  "what the users do: a .c, .so or .py file (default locustfile.c, then locustfile.py); -: "
	  "a "
	  "worker asks its master" },
	{ "config", 0, OPT_TEXT, AT(config_file), NULL, "FILE",
	  "more settings: a .conf or .toml file that wins over pyproject.toml and locust.conf" },
	{ "host", 'H', OPT_TEXT, AT(host), "LOCUST_HOST TARGET_HOST", "URL",
	  "base URL of the target, such as http://127.0.0.1:8000" },
	{ "users", 'u', OPT_COUNT, AT(users), "LOCUST_USERS", "COUNT",
	  "users to run (default 1; with --headless or --autostart)", 0, LIMIT_USERS },
	{ "hatch-rate", 0, OPT_NUMBER, AT(spawn_rate), "LOCUST_HATCH_RATE", NULL, NULL, 1e-3, 1e9 },
	{ "spawn-rate", 'r', OPT_NUMBER, AT(spawn_rate), "LOCUST_SPAWN_RATE", "RATE",
	  "users started per second (default 1)", 1e-3, 1e9 },
	{ "run-time", 't', OPT_DURATION, AT(run_time_s), "LOCUST_RUN_TIME", "TIME",
	  "stop after this time, such as 300s, 20m or 1h30m (default: until stopped)" },
	{ "stages", 0, OPT_TEXT, AT(stages_text), "CICADA_STAGES", "LIST",
	  "load shape: time:users:rate of each stage, such as 60s:100:10,2m:0:50" },
	{ "list", 'l', OPT_FLAG, AT(want_list), NULL, NULL, "show the user classes and exit" },
	{ "config-users", 0, OPT_WORDS, AT(config_users), "LOCUST_CONFIG_USERS", "JSON ...",
	  "shares of classes as POST /user has them, or files of them that end in .json" },
	{ "calibrate", 0, OPT_FLAG, AT(want_calibrate), NULL, NULL,
	  "measure what this machine can generate, without any target, and exit" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Web UI options" },
	{ "web-host", 0, OPT_TEXT, AT(web_host), "LOCUST_WEB_HOST", "ADDRESS",
	  "address of the web interface (default: all)" },
	{ "web-host-display-name", 0, OPT_TEXT, AT(web_host_display_name),
	  "LOCUST_WEB_HOST_DISPLAY_NAME", NULL, NULL },
	{ "web-port", 'P', OPT_COUNT, AT(web_port), "LOCUST_WEB_PORT", "PORT",
	  "port of the web interface, 0: any free one (default 8089)", 0, 65535 },
	{ "api-compat", 0, OPT_TEXT, AT(api_compat), "CICADA_API_COMPAT", "VERSION",
	  "2.12: the HTTP API answers, and users are spread, as by that Locust (default 2.46)" },
	{ "headless", 0, OPT_FLAG, AT(is_headless), "LOCUST_HEADLESS", NULL,
	  "no web interface: start at once, print tables, exit at the end" },
	{ "headful", 0, OPT_FLAG, AT(is_headful), "LOCUST_HEADFUL", NULL,
	  "the web interface although a file or variable says headless" },
	{ "as-main", 0, OPT_FLAG, AT(is_main), NULL, NULL,
	  "run the locustfile as Python does, as __main__: for run_single_user() and programs that "
	  "use Locust as a library" },
	{ "autostart", 0, OPT_FLAG, AT(want_autostart), "LOCUST_AUTOSTART", NULL,
	  "start at once, with the web interface" },
	{ "autoquit", 0, OPT_COUNT, AT(autoquit_s), "LOCUST_AUTOQUIT", "SECONDS",
	  "exit this long after the end of an autostarted test (default: never)", 0, 1e9 },
	{ "web-auth", 0, OPT_REFUSED, 0, "LOCUST_WEB_AUTH", NO_LOGIN },
	{ "web-login", 0, OPT_SWITCH, AT(web_login_text), "LOCUST_WEB_LOGIN", "USER:HASH",
	  "who may log in; or a file with a line of this for each user; alone: whom the "
	  "locustfile's own routes let in" },
	{ "web-token", 0, OPT_TEXT, AT(web_token_file), "CICADA_WEB_TOKEN_FILE", "FILE",
	  "a secret of one line that the web interface wants: as bearer token, as password" },
	{ "open-metrics", 0, OPT_FLAG, AT(has_open_metrics), "CICADA_OPEN_METRICS", NULL,
	  "GET /metrics without token or login" },
	{ "web-allow-host", 0, OPT_WORDS, AT(web_hosts), "CICADA_WEB_ALLOW_HOST", "NAME ...",
	  "names of the web interface; it answers to no others (default: all, but on 127.0.0.1)" },
	{ "tls-cert", 0, OPT_TEXT, AT(web_tls_cert), "LOCUST_TLS_CERT", "FILE",
	  "certificate (PEM) of the web interface, which is https then" },
	{ "tls-key", 0, OPT_TEXT, AT(web_tls_key), "LOCUST_TLS_KEY", "FILE",
	  "its key (PEM, without a password)" },
	{ "class-picker", 0, OPT_IGNORED, AT(ignored), "LOCUST_USERCLASS_PICKER" },
	{ "web-base-path", 0, OPT_TEXT, AT(web_base_path), "LOCUST_WEB_BASE_PATH", "PATH",
	  "what comes before the paths of the web interface, such as /load" },
	{ "build-path", 0, OPT_IGNORED_TEXT, AT(ignored), "LOCUST_BUILD_PATH" },
	{ "legacy-ui", 0, OPT_REFUSED, 0, "LOCUST_LEGACY_UI", "there is one web interface" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Master options" },
	{ "master", 0, OPT_FLAG, AT(is_master), "LOCUST_MODE_MASTER", NULL,
	  "drive workers; LOCUST_MODE=master says the same" },
	{ "master-bind-host", 0, OPT_TEXT, AT(master_bind_host), "LOCUST_MASTER_BIND_HOST",
	  "ADDRESS", "address where the master waits for workers (default: all)" },
	{ "master-bind-port", 0, OPT_COUNT, AT(master_bind_port), "LOCUST_MASTER_BIND_PORT", "PORT",
	  "port where the master waits for workers, 0: any free one (default 5557)", 0, 65535 },
	{ "expect-workers", 0, OPT_COUNT, AT(expect_workers), "LOCUST_EXPECT_WORKERS", "COUNT",
	  "workers to wait for before an automatic start (default 1)", 1, LIMIT_WORKERS },
	{ "expect-workers-max-wait", 0, OPT_COUNT, AT(expect_workers_max_wait_s),
	  "LOCUST_EXPECT_WORKERS_MAX_WAIT", "SECONDS",
	  "give up when they are not there by then, 0: never (default 0)", 0, 1e9 },
	{ "enable-rebalancing", 0, OPT_IGNORED, AT(ignored) },
	{ "expect-slaves", 0, OPT_REFUSED, 0, NULL, "say --expect-workers" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Worker options" },
	{ "worker", 0, OPT_FLAG, AT(is_worker), "LOCUST_MODE_WORKER", NULL,
	  "make load for a master; LOCUST_MODE=worker says the same" },
	{ "master-host", 0, OPT_TEXT, AT(master_host), "LOCUST_MASTER_NODE_HOST", "HOST",
	  "the worker's master (default: that of MASTER=host:port, else 127.0.0.1)" },
	{ "master-port", 0, OPT_COUNT, AT(master_port), "LOCUST_MASTER_NODE_PORT", "PORT",
	  "its port (default 5557)", 1, 65535 },
	{ "processes", 0, OPT_TEXT, AT(processes_text), "LOCUST_PROCESSES", "COUNT",
	  "start this many workers, -1: one per CPU; without --worker also their master" },
	{ "slave", 0, OPT_REFUSED, 0, NULL, "say --worker" },
	{ "cluster-key", 0, OPT_TEXT, AT(cluster_key_file), "CICADA_CLUSTER_KEY", "FILE",
	  "64 hex digits: master and workers encrypt, and admit nobody without it" },
	{ "cluster-peers", 0, OPT_TEXT, AT(cluster_peers_file), "CICADA_CLUSTER_PEERS", "FILE",
	  "public keys of the workers that a master admits, or of a worker's master; then each "
	  "has a --cluster-key of its own" },
	{ "cluster-public", 0, OPT_FLAG, AT(want_cluster_public), NULL, NULL,
	  "show the public key of --cluster-key and exit" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Tag options" },
	{ "tags", 'T', OPT_WORDS, AT(tags), "LOCUST_TAGS", "TAG ...",
	  "only tasks with one of these tags" },
	{ "exclude-tags", 'E', OPT_WORDS, AT(exclude_tags), "LOCUST_EXCLUDE_TAGS", "TAG ...",
	  "no tasks with one of these tags" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Load options" },
	{ "threads", 0, OPT_COUNT, AT(threads), "CICADA_THREADS", "COUNT",
	  "load threads (default: the CPUs this process may use)", 1, LIMIT_THREADS },
	{ "seed", 0, OPT_COUNT, AT(seed), "CICADA_SEED", "NUMBER",
	  "of the users' random numbers (default: another one every time)", 0, 1e15 },
	{ "arrivals", 0, OPT_TEXT, AT(arrivals_kind), "CICADA_ARRIVALS", "KIND",
	  "even or poisson: users do not wait for answers, each is one task start per second" },
	{ "max-in-flight", 0, OPT_COUNT, AT(arrivals.max_in_flight), "CICADA_MAX_IN_FLIGHT",
	  "COUNT", "tasks of an open class that run at the same time (default 10000)", 1,
	  LIMIT_OPEN_IN_FLIGHT },
	{ "max-waiting", 0, OPT_COUNT, AT(arrivals.max_waiting), "CICADA_MAX_WAITING", "COUNT",
	  "tasks of an open class that wait then; the rest is dropped (default 0)", 1,
	  LIMIT_OPEN_WAITING },
	{ "think-time", 0, OPT_NUMBER, AT(think_time_s), "CICADA_THINK_TIME", "SECONDS",
	  "users wait so long between tasks, whatever their class says; 0: not at all", 0, 86400 },
	{ "equal-weights", 0, OPT_FLAG, AT(want_equal_weights), NULL, NULL,
	  "all classes, and all tasks of a class, have the weight 1" },
	{ "step-load", 0, OPT_REFUSED, 0, NULL, NO_STEPS },
	{ "step-users", 0, OPT_REFUSED, 0, NULL, NO_STEPS },
	{ "step-clients", 0, OPT_REFUSED, 0, NULL, NO_STEPS },
	{ "step-time", 0, OPT_REFUSED, 0, NULL, NO_STEPS },
	{ "stop-timeout", 's', OPT_DURATION, AT(stop_timeout_s), "LOCUST_STOP_TIMEOUT", "TIME",
	  "how long users may finish their task when they are stopped (default 0)" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Request statistics options" },
	{ "csv", 0, OPT_TEXT, AT(csv_prefix), "LOCUST_CSV", "PREFIX",
	  "write PREFIX_stats.csv, _stats_history.csv, _failures.csv and _exceptions.csv" },
	{ "csv-full-history", 0, OPT_FLAG, AT(want_csv_full_history), "LOCUST_CSV_FULL_HISTORY",
	  NULL, "all names in PREFIX_stats_history.csv, not only the total" },
	{ "html", 0, OPT_TEXT, AT(html_file), "LOCUST_HTML", "FILE",
	  "a report of the test; {u}, {r} and {t} in the name are users, spawn rate and run time" },
	{ "json", 0, OPT_FLAG, AT(want_json), NULL, NULL,
	  "the final statistics as JSON on standard output" },
	{ "json-file", 0, OPT_TEXT, AT(json_file), NULL, "NAME",
	  "the same in NAME.json, instead of the final tables" },
	{ "reset-stats", 0, OPT_FLAG, AT(want_reset_stats), "LOCUST_RESET_STATS", NULL,
	  "forget the statistics of the ramp once all users run" },
	{ "print-stats", 0, OPT_FLAG, AT(want_print_stats), "LOCUST_PRINT_STATS", NULL,
	  "tables on the terminal also with the web interface" },
	{ "only-summary", 0, OPT_FLAG, AT(want_only_summary), "LOCUST_ONLY_SUMMARY", NULL,
	  "tables only at the end" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Pass or fail options" },
	{ "fail-if", 0, OPT_TEXTS, AT(fail_if), "CICADA_FAIL_IF", "EXPR",
	  "the test has failed (exit code 99) if so: p99>200ms, 'p95{GET /}>=0.1s', mean>50ms, "
	  "max>2s, fail_ratio>1%, failures>10, rps<500; may be given several times" },
	{ "abort-on-fail", 0, OPT_FLAG, AT(want_abort_on_fail), "CICADA_ABORT_ON_FAIL", NULL,
	  "end the test as soon as the last seconds alone fail one of --fail-if" },
	{ "abort-window", 0, OPT_DURATION, AT(abort_window_s), "CICADA_ABORT_WINDOW", "TIME",
	  "how many seconds these are, 1 to 50 (default 10)" },
	{ "warmup", 0, OPT_DURATION, AT(warmup_s), "CICADA_WARMUP", "TIME",
	  "this long after the ramp the statistics are reset and begin (default 0)" },
	{ "junit", 0, OPT_TEXT, AT(junit_file), "CICADA_JUNIT", "FILE",
	  "write the outcome as a JUnit report" },
	{ "exit-code-on-error", 0, OPT_COUNT, AT(exit_code_on_error), "LOCUST_EXIT_CODE_ON_ERROR",
	  "CODE", "exit code of a test with failed requests (default 1)", 0, 255 },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "HTTP options" },
	{ "tls-ca", 0, OPT_TEXT, AT(tls.ca_file), "CICADA_TLS_CA", "FILE",
	  "certificates (PEM) that https targets are verified against (default: the system's)" },
	{ "tls-insecure", 0, OPT_FLAG, AT(tls.is_insecure), "CICADA_TLS_INSECURE", NULL,
	  "do not verify https targets at all" },
	{ "tls-client-cert", 0, OPT_TEXT, AT(tls.cert_file), "CICADA_TLS_CLIENT_CERT", "FILE",
	  "certificate (PEM) to show to https targets" },
	{ "tls-client-key", 0, OPT_TEXT, AT(tls.key_file), "CICADA_TLS_CLIENT_KEY", "FILE",
	  "its key (PEM, without a password; default: in the same file)" },
	{ "http2", 0, OPT_FLAG, AT(want_http2), "CICADA_HTTP2", NULL,
	  "HTTP/2 with https targets that want it; http stays HTTP/1.1" },
	{ "http2-prior-knowledge", 0, OPT_FLAG, AT(want_http2_prior_knowledge),
	  "CICADA_HTTP2_PRIOR_KNOWLEDGE", NULL,
	  "HTTP/2 and nothing else, also with http targets, which are not asked before" },
	{ "feed-slice", 0, OPT_TEXT, AT(feed_slice_text), "CICADA_FEED_SLICE", "I/N",
	  "only every Nth row of the scenario's files, from the Ith on; auto: a worker asks its "
	  "master (default: all rows)" },
	{ "dns-servers", 0, OPT_TEXT, AT(network.dns_servers), "CICADA_DNS_SERVERS", "ADDRESSES",
	  "name servers to ask for targets, such as 10.0.0.2:53 (default: the system's)" },
	{ "source-addresses", 0, OPT_TEXT, AT(source_addresses), "CICADA_SOURCE_ADDRESSES", "LIST",
	  "local addresses that connections come from, such as 10.0.0.7,10.1.0.0/29 (default: the "
	  "system's choice)" },
	{ "trust-env", 0, OPT_FLAG, AT(want_env), "CICADA_TRUST_ENV", NULL,
	  "proxies of http_proxy, https_proxy, all_proxy and no_proxy, as Python's requests" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Logging options" },
	{ "skip-log-setup", 0, OPT_FLAG, AT(want_skip_log_setup), "LOCUST_SKIP_LOG_SETUP", NULL,
	  "nothing below WARNING is logged, and no tables" },
	{ "logfile", 0, OPT_TEXT, AT(log_file), "LOCUST_LOGFILE", "FILE",
	  "log lines are appended here; tables stay on the terminal (default: standard error)" },
	{ "loglevel", 'L', OPT_TEXT, AT(log_level), "LOCUST_LOGLEVEL", "LEVEL",
	  "DEBUG, INFO, WARNING, ERROR or CRITICAL (default INFO)" },
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Other options" },
	{ "show-task-ratio", 0, OPT_FLAG, AT(want_task_ratio), NULL, NULL,
	  "show the shares of classes and tasks and exit" },
	{ "show-task-ratio-json", 0, OPT_FLAG, AT(want_task_ratio_json), NULL, NULL,
	  "the same as JSON" },
	{ "profile", 0, OPT_TEXT, AT(profile), "CICADA_PROFILE", "NAME",
	  "what the test is called, in the form and in the report" },
	{ "otel", 0, OPT_IGNORED, AT(ignored), "LOCUST_ENABLE_OPENTELEMETRY" },
	{ "version", 'V', OPT_FLAG, AT(want_version), NULL, NULL, "show the version and exit" },
	{ "help", 'h', OPT_FLAG, AT(want_help), NULL, NULL, "show this and exit" },
};

static const struct opt_table table = {
	.usage = "Usage: cicada [options] [UserClass ...]\n"
		 "Tests a service with virtual users: alone, or as master and workers.\n"
		 "Settings come from ~/.locust.conf, locust.conf, pyproject.toml, --config FILE, "
		 "the\n"
		 "environment and the command line; the later one wins.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

const struct cluster_key *cicada_options_key(const struct cicada_options *o)
{
	return o->cluster_key_file ? &o->cluster_key : NULL;
}

void cicada_options_print_help(void)
{
	opt_print_help(&table, stdout);
}

/* The order's way to say --master and --worker; the flags win. */
static enum err read_mode(struct cicada_options *o, struct err_text *text)
{
	const char *mode = getenv("LOCUST_MODE");

	if (o->is_master && o->is_worker)
		return err_set(text, ERR_REFUSED,
			       "--master and --worker: a process can only be one of them");
	if (!mode || !*mode || o->is_master || o->is_worker)
		return OK;
	o->is_master = !strcmp(mode, "master");
	o->is_worker = !strcmp(mode, "worker");
	if (!o->is_master && !o->is_worker && strcmp(mode, "standalone") != 0)
		return err_set(text, ERR_BAD_OPTION,
			       "LOCUST_MODE='%s' is unknown; give master, worker or standalone",
			       mode);
	return OK;
}

/* --processes makes a master and its workers of one process, or workers of a worker. */
static enum err read_processes(struct cicada_options *o, struct err_text *text)
{
	uint64_t count;

	if (!o->processes_text)
		return OK;
	if (o->is_master)
		return err_set(text, ERR_BAD_OPTION,
			       "--processes: makes the master itself, leave out --master");
	if (!strcmp(o->processes_text, "-1"))
		count = cpus_available();
	else if (!num_parse_u64(str_trim(str_of(o->processes_text)), LIMIT_PROCESSES, &count) ||
		 !count)
		return err_set(text, ERR_BAD_OPTION,
			       "--processes: '%s' is not a number from 1 to %d, or -1",
			       o->processes_text, LIMIT_PROCESSES);
	o->processes = count < LIMIT_PROCESSES ? (size_t)count : LIMIT_PROCESSES;
	if (o->is_worker)
		return OK;
	if (!o->master_bind_port)
		return err_set(text, ERR_BAD_OPTION,
			       "--master-bind-port: give --processes a port, not 0");
	o->is_master = true;
	if (o->expect_workers < count)
		o->expect_workers = count;
	return OK;
}

/* MASTER=host:port, host or [address]:port; options and Locust's own variables win. */
static enum err read_master_address(struct cicada_options *o, struct err_text *text)
{
	const char *value = getenv("MASTER"), *colon;
	struct str host;
	uint64_t port = PORT_DEFAULT;

	if (!o->is_worker || o->master_host || !value || !*value)
		return OK;
	colon = strrchr(value, ':');
	host = str_of(value);
	if (colon && (value[0] != '[' || colon[-1] == ']')) {
		host.len = (size_t)(colon - value);
		if (!num_parse_u64(str_of(colon + 1), 65535, &port) || !port)
			return err_set(text, ERR_BAD_OPTION,
				       "MASTER='%s': '%s' is no port; give host:port", value,
				       colon + 1);
	}
	if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		host = (struct str){ host.p + 1, host.len - 2 };
	if (!host.len || host.len >= sizeof(o->master_address))
		return err_set(text, ERR_BAD_OPTION, "MASTER='%s': give host:port", value);
	snprintf(o->master_address, sizeof(o->master_address), "%.*s", STR_ARG(host));
	o->master_host = o->master_address;
	if (!o->master_port)
		o->master_port = port;
	return OK;
}

static enum err read_stages(struct cicada_options *o, struct err_text *text)
{
	struct err_text why = { "" };
	enum err err;

	if (!o->stages_text || !*o->stages_text)
		return OK;
	err = shape_parse(o->stages_text, &o->stages, &why);
	return err ? err_set(text, ERR_BAD_OPTION, "--stages: %s", err_say(&why, err)) : OK;
}

/* A rate of zero stands for not given until here: it may not be zero. */
static void default_load(struct cicada_options *o)
{
	o->has_users = o->users != USERS_NOT_GIVEN;
	o->has_ignored = o->has_users || o->spawn_rate > 0 || o->run_time_s;
	if (!o->has_users)
		o->users = 1;
	if (o->spawn_rate <= 0)
		o->spawn_rate = 1;
}

/* "2/4": of four processes the second. */
static enum err read_feed_slice(struct cicada_options *o, struct err_text *text)
{
	uint64_t number, count;
	struct str rest, first;

	o->want_feed_slice_auto = o->feed_slice_text && !strcmp(o->feed_slice_text, "auto");
	if (!o->feed_slice_text || o->want_feed_slice_auto)
		return OK;
	rest = str_of(o->feed_slice_text);
	if (!str_cut(&rest, '/', &first) || !rest.p ||
	    !num_parse_u64(rest, LIMIT_FEED_SLICES, &count) ||
	    !num_parse_u64(first, count, &number) || !number)
		return err_set(text, ERR_BAD_OPTION,
			       "--feed-slice: '%s' is not a part such as 2/4, of at most %d parts, "
			       "nor auto",
			       o->feed_slice_text, LIMIT_FEED_SLICES);
	o->feed_slice = (struct feed_slice){ .index = number - 1, .count = count };
	return OK;
}

static enum err read_arrivals(struct cicada_options *o, struct err_text *text)
{
	const char *kind = o->arrivals_kind;

	if (!kind)
		return OK;
	if (strcmp(kind, "even") == 0)
		o->arrivals.kind = CIC_ARRIVALS_KIND_EVEN;
	else if (strcmp(kind, "poisson") == 0)
		o->arrivals.kind = CIC_ARRIVALS_KIND_POISSON;
	else
		return err_set(text, ERR_BAD_OPTION,
			       "--arrivals: '%s' is unknown; give even or poisson", kind);
	return OK;
}

static enum err read_think_time(struct cicada_options *o, struct err_text *text)
{
	if (isnan(o->think_time_s))
		return OK;
	if (o->arrivals_kind)
		return err_set(text, ERR_BAD_OPTION,
			       "--think-time: users of --arrivals wait for nothing; leave one of "
			       "them out");
	o->think_time = (struct cic_wait)CIC_CONSTANT(o->think_time_s);
	return OK;
}

const struct cic_wait *cicada_options_wait(const struct cicada_options *o)
{
	return isnan(o->think_time_s) ? NULL : &o->think_time;
}

/* A master makes no connections to targets, and may run elsewhere. */
static enum err read_sources(struct cicada_options *o, struct err_text *text)
{
	enum err err;

	if (!o->source_addresses || !*o->source_addresses)
		return OK;
	err = sources_parse(o->source_addresses, &o->network.sources, text);
	return err || o->is_master ? err : sources_check(&o->network.sources, text);
}

static enum err read_proxies(struct cicada_options *o, struct err_text *text)
{
	if (!o->want_env || o->is_master)
		return OK;
	return proxy_read(&o->network.proxies, environ, text) ? ERR_BAD_OPTION : OK;
}

static enum err check_gates(const struct cicada_options *o, struct err_text *text)
{
	if (o->want_abort_on_fail && !o->fail_if.count)
		return err_set(text, ERR_BAD_OPTION, "--abort-on-fail: needs a --fail-if");
	if (!o->abort_window_s || o->abort_window_s > ABORT_WINDOW_MAX_S)
		return err_set(text, ERR_BAD_OPTION, "--abort-window: give 1 to %d seconds",
			       ABORT_WINDOW_MAX_S);
	for (size_t i = 0; i < o->fail_if.count; i++) {
		struct err_text why = { "" };
		struct gate gate;
		enum err err = gate_parse(o->fail_if.value[i], &gate, &why);

		if (err)
			return err_set(text, ERR_BAD_OPTION, "--fail-if '%.100s': %s",
				       o->fail_if.value[i], err_say(&why, err));
	}
	return OK;
}

static enum err read_keys(struct cicada_options *o, struct err_text *text)
{
	const char *path = o->cluster_key_file;

	if (!path && (o->cluster_peers_file || o->want_cluster_public))
		return err_set(text, ERR_BAD_OPTION, "--%s: give a --cluster-key, too",
			       o->cluster_peers_file ? "cluster-peers" : "cluster-public");
	if (path && cluster_key_read(path, &o->cluster_key, text))
		return ERR_BAD_OPTION;
	if (!o->cluster_peers_file)
		return OK;
	if (o->processes && !o->is_worker)
		return err_set(text, ERR_BAD_OPTION,
			       "--cluster-peers: the workers of --processes have their master's "
			       "key; leave it out");
	if (cluster_key_read_peers(o->cluster_peers_file, &o->cluster_key, text))
		return ERR_BAD_OPTION;
	if (o->is_worker && o->cluster_key.peer_count != 1)
		return err_set(text, ERR_BAD_OPTION,
			       "--cluster-peers: %s has %zu keys; a worker has one master",
			       o->cluster_peers_file, o->cluster_key.peer_count);
	return OK;
}

/* As the switch that it is in Locust, the locustfile says who is let in. */
static enum err read_login(struct cicada_options *o, struct err_text *text)
{
	const char *said = o->web_login_text;
	struct err_text why = { "" };

	if (!said)
		return OK;
	if (opt_read_flag(said, &o->has_guest_login)) {
		if (o->has_guest_login)
			o->web_login = serve_login_create_empty();
		return OK;
	}
	if (serve_login_create(&o->web_login, said, &why))
		return err_set(text, ERR_BAD_OPTION, "--web-login: %s", why.text);
	return OK;
}

static enum err check_base_path(struct cicada_options *o, struct err_text *text)
{
	const char *path = o->web_base_path;
	size_t len = path ? strlen(path) : 0;

	if (!len)
		return OK;
	if (*path != '/' || len > LIMIT_BASE_PATH_BYTES || strpbrk(path, "?#%\\\"<> \t\r\n") ||
	    strstr(path, "//") || path[len - 1] == '/')
		return err_set(text, ERR_STATE,
			       "--web-base-path '%.100s': give a path that begins with a slash, "
			       "and does not end with one, such as /load",
			       path);
	return OK;
}

/* The program that is run starts tests, prints, and says when it is over. */
static enum err check_main(struct cicada_options *o, struct err_text *text)
{
	if (o->is_master || o->is_worker || o->processes || o->stages.count)
		return err_set(text, ERR_BAD_OPTION,
			       "--as-main: the locustfile is the program, so there is no --master, "
			       "--worker, --processes or --stages");
	o->is_headless = true;
	o->want_autostart = false;
	o->want_skip_log_setup = true;
	return OK;
}

static enum err check(struct cicada_options *o, struct err_text *text)
{
	struct err_text why = { "" };
	enum log_level level;
	enum err err;

	if (o->autoquit_s != UINT64_MAX && !o->want_autostart)
		return err_set(text, ERR_STATE, "--autoquit is only allowed with --autostart");
	if (o->want_csv_full_history && !o->csv_prefix)
		return err_set(text, ERR_BAD_OPTION, "--csv-full-history requires --csv");
	if (o->want_http2_prior_knowledge)
		o->http_version = HTTP_VERSION_2;
	else if (o->want_http2)
		o->http_version = HTTP_VERSION_OFFER_2;
	if (o->log_level) {
		if (!log_parse_level(o->log_level, &level))
			return err_set(text, ERR_BAD_OPTION,
				       "--loglevel: '%s' is unknown; give DEBUG, INFO, WARNING, "
				       "ERROR or CRITICAL",
				       o->log_level);
		log_set_level(level);
	} else if (o->want_skip_log_setup) {
		log_set_level(LOG_WARNING);
	}
	if (o->log_file && (err = log_open(o->log_file, text)))
		return err;
	err = check_base_path(o, text);
	if (err)
		return err;
	if (o->profile && run_check_profile(o->profile, &why))
		return err_set(text, ERR_BAD_OPTION, "--profile: %s", why.text);
	if (o->is_main && check_main(o, text))
		return ERR_BAD_OPTION;
	o->is_headless &= !o->is_headful;
	if (o->api_compat && !web_compat_parse(o->api_compat, &o->web_compat))
		return err_set(text, ERR_BAD_OPTION,
			       "--api-compat: '%s' is unknown; give 2.46 or 2.12", o->api_compat);
	if (read_keys(o, text))
		return ERR_BAD_OPTION;
	if (o->web_token_file && token_read(o->web_token_file, &o->web_token, text))
		return ERR_BAD_OPTION;
	if (read_login(o, text))
		return ERR_BAD_OPTION;
	if (!o->web_tls_cert != !o->web_tls_key)
		return err_set(text, ERR_BAD_OPTION, "--tls-cert and --tls-key: give both");
	default_load(o);
	if (read_stages(o, text) || check_gates(o, text))
		return ERR_BAD_OPTION;
	if (o->network.dns_servers && (err = resolver_check(o->network.dns_servers, text)))
		return err;
	return tls_options_check(&o->tls, text);
}

/* Processes share the CPUs. */
static uint64_t default_threads(const struct cicada_options *o)
{
	uint64_t cpus = cpus_available();

	return o->processes < cpus ? cpus / (o->processes ? o->processes : 1) : 1;
}

void cicada_options_become_worker(struct cicada_options *o, size_t number)
{
	const char *host = o->master_bind_host;

	if (o->is_master) {
		o->is_master = false;
		o->is_worker = true;
		o->master_host = host && *host && strcmp(host, "*") != 0 ? host : "127.0.0.1";
		o->master_port = o->master_bind_port;
	}
	o->processes = 0;
	o->seed += number;
}

/* Locust's own knobs that are no options. */
static void note_ignored_variables(struct cicada_options *o)
{
	static const char *const names[] = {
		"LOCUST_WAIT_FOR_WORKERS_REPORT_AFTER_RAMP_UP",
		"LOCUST_WORKER_ADDITIONAL_WAIT_BEFORE_READY_AFTER_STOP",
		"LOCUST_PLAYWRIGHT",
		"LOCUST_SKIP_MONKEY_PATCH",
		"LOCUST_SKIP_URLLIB3_PATCH",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) && o->ignored.count < LIMIT_AXIS_VALUES)
			o->ignored.value[o->ignored.count++] = names[i];
}

static void warn_of_ignored(const struct cicada_options *o)
{
	struct buf names;

	if (!o->ignored.count)
		return;
	buf_init(&names, LIMIT_LOG_LINE_BYTES);
	for (size_t i = 0; i < o->ignored.count; i++) {
		const char *name = o->ignored.value[i];

		buf_printf(&names, "%s%s%s", i ? ", " : "", *name >= 'a' ? "--" : "", name);
	}
	log_line(LOG_WARNING, "locust.main", "Accepted for Locust's sake, without effect here: %s",
		 buf_str(&names).p);
	buf_fini(&names);
}

/* LOCUST_USER_CLASSES="A B", when the command line names none. */
static enum err read_class_names(struct cicada_options *o, struct err_text *text)
{
	const char *value = getenv("LOCUST_USER_CLASSES");
	char *rest;

	if (o->user_classes.count || !value)
		return OK;
	o->class_names = rest = mem_strdup(value);
	for (rest += strspn(rest, " "); *rest; rest += strspn(rest, " ")) {
		char *end = rest + strcspn(rest, " ");

		if (o->user_classes.count == LIMIT_AXIS_VALUES)
			return err_set(text, ERR_BAD_OPTION,
				       "LOCUST_USER_CLASSES: more than %d names",
				       LIMIT_AXIS_VALUES);
		o->user_classes.value[o->user_classes.count++] = rest;
		rest = end + (*end != '\0');
		*end = '\0';
	}
	return OK;
}

/* The weaker ones first. Only a file that was asked for has to be there. */
static enum err read_files(struct cicada_options *o, const struct opt_table *rules,
			   const char *config_file, struct err_text *text)
{
	const char *home = getenv("HOME");
	char *own = home && *home ? mem_printf("%s/.locust.conf", home) : NULL;
	const char *const paths[CICADA_OPTION_FILES] = { own, "locust.conf", "pyproject.toml",
							 config_file };
	enum err err = OK;

	for (size_t i = 0; i < CICADA_OPTION_FILES && !err; i++) {
		if (!paths[i])
			continue;
		err = opt_read_file(rules, paths[i], &o->files[i], o, text);
		if (err == ERR_NOT_FOUND)
			err = paths[i] == config_file ? ERR_BAD_OPTION : OK;
	}
	mem_free(own);
	return err;
}

/* The command line is read twice: first only for what it says of files, which are weaker. */
static enum err read_all(struct cicada_options *o, const struct opt_table *rules, int argc,
			 char **argv, struct err_text *text)
{
	struct cicada_options first = *o;
	enum err err = opt_parse(rules, argc, argv, &first, &first.user_classes, text);

	if (!err)
		err = read_files(o, rules, first.config_file, text);
	if (!err)
		err = opt_parse(rules, argc, argv, o, &o->user_classes, text);
	return err ? err : read_class_names(o, text);
}

static void settle_scenario(struct cicada_options *o)
{
	o->has_default_scenario = !o->scenario;
	if (o->has_default_scenario)
		o->scenario = access("locustfile.c", F_OK) && !access("locustfile.py", F_OK)
				      ? "locustfile.py"
				      : "locustfile.c";
}

static void set_defaults(struct cicada_options *o)
{
	*o = (struct cicada_options){ .users = USERS_NOT_GIVEN,
				      .web_port = 8089,
				      .autoquit_s = UINT64_MAX,
				      .master_bind_port = PORT_DEFAULT,
				      .expect_workers = 1,
				      .seed = SEED_NOT_GIVEN,
				      .abort_window_s = 10,
				      .think_time_s = NAN,
				      .exit_code_on_error = 1 };
	for (size_t i = 0; i < CICADA_OPTION_FILES; i++)
		buf_init(&o->files[i], LIMIT_CONFIG_FILE_BYTES);
}

void cicada_options_peek(struct cicada_options *o, int argc, char **argv)
{
	struct opt_table lenient = table;
	struct err_text unread;

	lenient.is_lenient = true;
	lenient.unknown = &o->unknown;
	set_defaults(o);
	if (read_all(o, &lenient, argc, argv, &unread) || read_mode(o, &unread) ||
	    read_processes(o, &unread))
		o->processes = 0;
	o->is_usable = !read_master_address(o, &unread) && !read_keys(o, &unread);
	settle_scenario(o);
}

enum err cicada_options_read(struct cicada_options *o, int argc, char **argv,
			     const char *const *others, struct err_text *text)
{
	struct opt_table strict = table;
	enum err err;

	strict.others = others;
	set_defaults(o);
	err = read_all(o, &strict, argc, argv, text);
	if (err || o->want_help || o->want_version)
		return err;
	settle_scenario(o);
	err = read_mode(o, text);
	if (!err)
		err = read_master_address(o, text);
	if (!err)
		err = read_processes(o, text);
	if (!err)
		err = read_feed_slice(o, text);
	if (!err)
		err = read_arrivals(o, text);
	if (!err)
		err = read_think_time(o, text);
	if (!err)
		err = read_sources(o, text);
	if (!err)
		err = read_proxies(o, text);
	if (!err)
		err = check(o, text);
	if (!o->threads)
		o->threads = default_threads(o);
	/* Workers with the same seed would have users that draw the same waits in step. */
	if (!err && o->seed == SEED_NOT_GIVEN &&
	    getrandom(&o->seed, sizeof(o->seed), 0) != sizeof(o->seed))
		err = err_set(text, ERR_IO, "no random numbers from the system; give a --seed");
	if (!err) {
		note_ignored_variables(o);
		warn_of_ignored(o);
	}
	return err;
}

void cicada_options_release(struct cicada_options *o)
{
	for (size_t i = 0; i < CICADA_OPTION_FILES; i++)
		buf_fini(&o->files[i]);
	mem_free(o->class_names);
	serve_login_destroy(&o->web_login);
	cluster_key_release(&o->cluster_key);
}
