/* SPDX-License-Identifier: MIT
 *
 * cicada-inference - an LSTM behind HTTP. Parse, create, wait for a signal, drain, destroy; the
 * manual is docs/inference.md. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "infer/service.h"

#define LOGGER	 "cicada.inference"
#define NO_ADMIN UINT64_MAX

enum { EXIT_DRAINED = 0, EXIT_CANNOT_SERVE = 1, EXIT_USAGE = 2 };

struct options {
	const char *host, *log_format, *tls_cert, *tls_key;
	struct opt_texts models;
	uint64_t port, admin_port, threads, drain_timeout_s, idle_timeout_s;
	uint64_t max_batch, queue_max, queue_delay_us, deadline_ms;
	bool reuse_port, want_help, want_version;
};

#define AT(field) offsetof(struct options, field)

/* The names of the variables avoid what Kubernetes sets for a service called "inference" or
 * "cicada-inference" (INFERENCE_PORT=tcp://10.0.0.1:8000). */
static const struct opt rows[] = {
	{ "host", 'H', OPT_TEXT, AT(host), "CICADA_LISTEN_HOST", "ADDRESS",
	  "address to listen on (default 0.0.0.0)" },
	{ "port", 'p', OPT_COUNT, AT(port), "CICADA_LISTEN_PORT", "PORT",
	  "port to listen on, 0: any free one (default 8000)", 0, 65535 },
	{ "admin-port", 0, OPT_COUNT, AT(admin_port), "CICADA_ADMIN_PORT", "PORT",
	  "second port for /healthz, /readyz and /metrics, not counted (default: none)", 0, 65535 },
	{ "model", 'm', OPT_TEXTS, AT(models), "CICADA_MODEL MODEL_PATH", "[NAME=]DIR",
	  "folder with model.json; several times: the first is the default (default: lte-2x64)" },
	{ "threads", 't', OPT_COUNT, AT(threads), "CICADA_THREADS", "COUNT",
	  "threads that serve and predict (default: the CPUs this process may use)", 1,
	  LIMIT_THREADS },
	{ "max-batch", 0, OPT_COUNT, AT(max_batch), "CICADA_MAX_BATCH", "COUNT",
	  "predictions that a thread computes at once at most (default 32)", 1, LIMIT_BATCH },
	{ "queue", 0, OPT_COUNT, AT(queue_max), "CICADA_QUEUE", "COUNT",
	  "predictions that may wait per thread, the rest is refused (default 1024)", 1,
	  LIMIT_PREDICT_QUEUE },
	{ "queue-delay-us", 0, OPT_COUNT, AT(queue_delay_us), "CICADA_QUEUE_DELAY_US", "COUNT",
	  "microseconds that a prediction waits for others to be computed with (default 0)", 0,
	  LIMIT_QUEUE_DELAY_US },
	{ "deadline-ms", 0, OPT_COUNT, AT(deadline_ms), "CICADA_DEADLINE_MS", "COUNT",
	  "milliseconds after which a waiting prediction is refused (default 5000)", 1,
	  LIMIT_PREDICT_DEADLINE_MS },
	{ "reuse-port", 0, OPT_FLAG, AT(reuse_port), "CICADA_REUSE_PORT", NULL,
	  "share the port with other replicas on this machine" },
	{ "drain-timeout", 0, OPT_DURATION, AT(drain_timeout_s), "CICADA_DRAIN_TIMEOUT", "TIME",
	  "how long requests in flight may take after SIGTERM (default 10s)" },
	{ "idle-timeout", 0, OPT_DURATION, AT(idle_timeout_s), "CICADA_IDLE_TIMEOUT", "TIME",
	  "how long a connection may be silent (default 2m)" },
	{ "tls-cert", 0, OPT_TEXT, AT(tls_cert), "CICADA_LISTEN_TLS_CERT", "FILE",
	  "certificate (PEM) of the main port, which is https then; the admin port is not" },
	{ "tls-key", 0, OPT_TEXT, AT(tls_key), "CICADA_LISTEN_TLS_KEY", "FILE",
	  "its key (PEM, without a password)" },
	{ "log-format", 0, OPT_TEXT, AT(log_format), "CICADA_LOG_FORMAT", "text|json",
	  "json: a JSON object per line, and a line for each request (default text)" },
	{ "help", 'h', OPT_FLAG, AT(want_help), NULL, NULL, "show this and exit" },
	{ "version", 'V', OPT_FLAG, AT(want_version), NULL, NULL, "show the version and exit" },
};

static const struct opt_table table = {
	.usage = "Usage: cicada-inference [options]\n"
		 "Serves predictions of an LSTM: POST /predict, GET /healthz, /readyz, /metrics.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

/* The model beside the program: in the source tree (build/release/cicada-inference) or
 * installed (prefix/bin/cicada-inference). mem_free() it. */
static char *find_model(void)
{
	static const char *const places[] = { "../../models/lte-2x64",
					      "../share/cicada/models/lte-2x64" };
	char exe[PATH_MAX], *slash;
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (len < 0)
		return mem_strdup(places[0]);
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *file = mem_printf("%s/%s/model.json", exe, places[i]);
		bool is_there = access(file, R_OK) == 0;

		mem_free(file);
		if (is_there)
			return mem_printf("%s/%s", exe, places[i]);
	}
	return mem_printf("%s/%s", exe, places[0]);
}

static bool is_json(const struct options *o)
{
	return strcmp(o->log_format, "json") == 0;
}

static void print_ready(const struct options *o, const struct service *s)
{
	printf("cicada-inference ready on %s:%u", o->host, service_port(s));
	if (o->admin_port != NO_ADMIN)
		printf(" admin %s:%u", o->host, service_admin_port(s));
	printf("\n");
	fflush(stdout);
}

/* Looks after the models until a signal asks for the end; SIGHUP has them read again. */
static int wait_for_end(struct service *s, const sigset_t *signals)
{
	const struct timespec tick = { .tv_sec = 1 };

	for (;;) {
		int number = sigtimedwait(signals, NULL, &tick);

		if (number == SIGHUP)
			service_reload(s);
		else if (number > 0)
			return number;
		else
			service_tick(s);
	}
}

static int serve_until_signal(const struct options *o, const sigset_t *signals)
{
	const struct service_options options = {
		.host = o->host,
		.port = (uint16_t)o->port,
		.has_admin = o->admin_port != NO_ADMIN,
		.admin_port = (uint16_t)o->admin_port,
		.reuse_port = o->reuse_port,
		.tls_cert = o->tls_cert,
		.tls_key = o->tls_key,
		.logs_access = is_json(o),
		.threads = (unsigned)o->threads,
		.models = o->models.value,
		.model_count = o->models.count,
		.idle_timeout_s = o->idle_timeout_s,
		.max_batch = o->max_batch,
		.queue_max = o->queue_max,
		.queue_delay_us = o->queue_delay_us,
		.deadline_us = o->deadline_ms * CLOCK_MS,
	};
	struct service *s = NULL;
	struct err_text text = { 0 };
	unsigned cut;
	int number;
	enum err err;

	err = service_create(&s, &options, &text);
	if (err) {
		log_line(LOG_ERROR, LOGGER, "%s%s", err_say(&text, err),
			 err == ERR_NOT_FOUND ? " (see --model and --host)" : "");
		return EXIT_CANNOT_SERVE;
	}
	service_log_models(s);
	log_line(LOG_INFO, LOGGER, "%u thread%s", options.threads, options.threads == 1 ? "" : "s");
	print_ready(o, s);
	number = wait_for_end(s, signals);
	log_line(LOG_INFO, LOGGER, "%s: finishing the requests in flight", strsignal(number));
	cut = service_drain(s, o->drain_timeout_s * CLOCK_S);
	if (cut)
		log_line(LOG_WARNING, LOGGER, "%u request%s took longer than %llu s and %s cut off",
			 cut, cut == 1 ? "" : "s", (unsigned long long)o->drain_timeout_s,
			 cut == 1 ? "was" : "were");
	service_destroy(&s);
	return EXIT_DRAINED;
}

int main(int argc, char **argv)
{
	struct options o = { .host = "0.0.0.0",
			     .log_format = "text",
			     .port = 8000,
			     .admin_port = NO_ADMIN,
			     .drain_timeout_s = 10,
			     .max_batch = 32,
			     .queue_max = 1024,
			     .deadline_ms = 5000 };
	struct err_text text = { 0 };
	char *found = NULL;
	sigset_t signals;
	int code;

	if (opt_parse(&table, argc, argv, &o, NULL, &text)) {
		fprintf(stderr, "cicada-inference: %s\n", text.text);
		return EXIT_USAGE;
	}
	if (o.want_help || o.want_version) {
		if (o.want_help)
			opt_print_help(&table, stdout);
		else
			printf("cicada-inference %s\n", CICADA_VERSION);
		return EXIT_DRAINED;
	}
	if (!is_json(&o) && strcmp(o.log_format, "text") != 0) {
		fprintf(stderr, "cicada-inference: --log-format: '%s' is neither text nor json\n",
			o.log_format);
		return EXIT_USAGE;
	}
	if (!o.tls_cert != !o.tls_key) {
		fprintf(stderr, "cicada-inference: --tls-cert and --tls-key: give both\n");
		return EXIT_USAGE;
	}
	log_set_json(is_json(&o));
	mem_give_back_large();
	if (!o.threads)
		o.threads = cpus_available();
	if (!o.models.count)
		o.models = (struct opt_texts){ .value = { found = find_model() }, .count = 1 };
	/* Blocked before any thread starts, so that only sigwait() sees them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	code = serve_until_signal(&o, &signals);
	mem_free(found);
	return code;
}
