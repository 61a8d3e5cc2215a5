/* SPDX-License-Identifier: MIT
 *
 * web - see the header.
 *
 * The HTTP server is driven by the control loop, so handlers read the run as it is, without a
 * lock. Only GET /stop answers later: it is kept on a list until the run says that it has
 * stopped, or its own deadline is over. */
#include "web/web.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "serve/asset.h"
#include "serve/metrics_text.h"
#include "serve/serve.h"
#include "serve/serve_guard.h"
#include "web/api_csv.h"
#include "web/api_json.h"
#include "web/api_page.h"
#include "web/download.h"
#include "web/guest.h"

#include "web/login.h"
#include "web/metrics.h"
#include "web/probe.h"
#include "web/report.h"
#include "web/swarm.h"
#include "web/user_class.h"

#define CACHE_US     (2 * CLOCK_S)
#define SECOND_US    CLOCK_S
#define DRAIN_US     CLOCK_S
#define STOP_EXTRA_S 60 /* on top of the stop timeout, as Locust waits */
#define ENDING	     "The load generator is ending"
#define TOO_MANY     "Too many callers wait for the stop already"

extern const char embed_openapi_json[];
extern const struct asset assets_test[];

struct web {
	struct loop *loop;
	struct run *run;
	struct follow *follow; /* NULL: no load shape */
	double start_wall_s;
	struct run_start defaults;
	enum web_compat compat;
	const char *full_history_file;
	struct serve *serve;
	struct serve_guard guard;
	struct serve_route *routes;
	struct loop_watch watch;
	struct loop_timer serve_timer, second_timer;
	const struct web_fields *fields;
	struct guest guest;
	struct list stops; /* struct stop_wait */
	size_t stop_count;
	bool is_ending; /* nobody is to wait any more */
	/* The text of /stats/requests, NULL: none yet. */
	char *cached;
	uint64_t cached_us, cached_generation;
};

/* One GET /stop that is not answered yet. */
struct stop_wait {
	struct list node;
	struct web *web;
	struct serve_request *r; /* NULL while its handler is still inside run_stop() */
	bool is_stopped;
	struct loop_timer deadline;
};

static void tick(struct web *w)
{
	run_tick(w->run, loop_now(w->loop));
}

/* The server's next own deadline, after anything that may have moved it. */
static void arm_serve_timer(struct web *w)
{
	uint64_t timeout_us = serve_timeout_us(w->serve);

	if (timeout_us == UINT64_MAX)
		loop_timer_clear(w->loop, &w->serve_timer);
	else
		loop_timer_set(w->loop, &w->serve_timer, loop_now(w->loop) + timeout_us);
}

static void serve_now(struct web *w)
{
	tick(w);
	serve_turn(w->serve);
	arm_serve_timer(w);
}

static void on_readable(void *arg, uint32_t events)
{
	(void)events;
	serve_now(arg);
}

static void on_serve_timer(void *arg)
{
	serve_now(arg);
}

static void on_second(void *arg)
{
	struct web *w = arg;

	tick(w);
	loop_timer_set(w->loop, &w->second_timer, loop_now(w->loop) + SECOND_US);
}

static void answer_json(struct serve_request *r, unsigned status, char *text)
{
	serve_reply(r, status, "application/json", text, strlen(text));
	mem_free(text);
}

static void answer_stop(struct serve_request *r, unsigned status, bool success, const char *message)
{
	char *text = mem_printf("{\n  \"message\": \"%s\",\n  \"success\": %s\n}\n", message,
				success ? "true" : "false");

	answer_json(r, status, text);
}

/* Handlers. */

static void on_page(void *arg, struct serve_request *r)
{
	(void)arg;
	asset_answer(assets_test, "test.html", r);
}

static void on_asset(void *arg, struct serve_request *r)
{
	(void)arg;
	asset_answer(assets_test, serve_path(r) + strlen("/assets/"), r);
}

static void on_swarm(void *arg, struct serve_request *r)
{
	struct web *w = arg;

	swarm_answer(w->run, w->follow, w->fields, w->compat, r);
}

static void on_user(void *arg, struct serve_request *r)
{
	user_class_answer(((struct web *)arg)->run, r);
}

static void stop_wait_destroy(struct stop_wait *wait)
{
	struct web *w = wait->web;

	loop_timer_clear(w->loop, &wait->deadline);
	list_remove(&wait->node);
	w->stop_count--;
	mem_free(wait);
}

static void on_stopped(void *arg)
{
	struct stop_wait *wait = arg;
	struct web *w = wait->web;

	wait->is_stopped = true;
	if (!wait->r)
		return;
	answer_stop(wait->r, 200, true, "Test stopped");
	stop_wait_destroy(wait);
	arm_serve_timer(w);
}

/* Gives up on one that has been deferred. */
static void abandon(struct stop_wait *wait, unsigned status, const char *message)
{
	struct web *w = wait->web;

	run_stop_forget(w->run, on_stopped, wait);
	answer_stop(wait->r, status, false, message);
	stop_wait_destroy(wait);
	arm_serve_timer(w);
}

static void on_stop_deadline(void *arg)
{
	abandon(arg, 504, "The users are still stopping; ask /stats/requests for the state");
}

static void on_stop(void *arg, struct serve_request *r)
{
	struct web *w = arg;
	struct stop_wait *wait;
	uint64_t wait_us = (uint64_t)((w->run->stop_timeout_s + STOP_EXTRA_S) * CLOCK_S);
	enum err err = OK;

	if (w->stop_count == LIMIT_API_STOPS) {
		answer_stop(r, 503, false, TOO_MANY);
		return;
	}
	wait = mem_zalloc(1, sizeof(*wait));
	wait->web = w;
	loop_timer_init(&wait->deadline, on_stop_deadline, wait);
	list_append(&w->stops, &wait->node);
	w->stop_count++;
	err = run_stop(w->run, on_stopped, wait);
	if (err || wait->is_stopped || w->is_ending) {
		if (wait->is_stopped)
			answer_stop(r, 200, true, "Test stopped");
		else
			answer_stop(r, 503, false, err ? TOO_MANY : ENDING);
		run_stop_forget(w->run, on_stopped, wait);
		stop_wait_destroy(wait);
		return;
	}
	loop_timer_set(w->loop, &wait->deadline, loop_now(w->loop) + wait_us);
	wait->r = r;
	serve_defer(r);
}

static void on_reset(void *arg, struct serve_request *r)
{
	struct web *w = arg;

	run_reset_stats(w->run);
	serve_reply(r, 200, "text/html; charset=utf-8", "ok", 2);
}

/* Locust's rule: a caller within 2 s gets the same text, so that many pages cost as much as
 * one. But not across a start, a reset or a change of state. */
static void on_requests(void *arg, struct serve_request *r)
{
	struct web *w = arg;
	uint64_t now_us = loop_now(w->loop);

	if (!w->cached || w->cached_generation != w->run->generation ||
	    now_us - w->cached_us >= CACHE_US) {
		mem_free(w->cached);
		w->cached = api_json_requests(w->run, w->compat);
		w->cached_us = now_us;
		w->cached_generation = w->run->generation;
	}
	serve_reply(r, 200, "application/json", w->cached, strlen(w->cached));
}

static void on_window(void *arg, struct serve_request *r)
{
	answer_json(r, 200, api_json_window(((struct web *)arg)->run));
}

static void on_settings(void *arg, struct serve_request *r)
{
	const struct web *w = arg;
	const struct api_page_settings settings = { .process_start_wall_s = w->start_wall_s,
						    .follow = w->follow,
						    .defaults = &w->defaults,
						    .fields = w->fields,
						    .has_full_history = w->full_history_file };

	answer_json(r, 200, api_page_settings(w->run, &settings));
}

static void on_history(void *arg, struct serve_request *r)
{
	answer_json(r, 200, api_json_take(api_page_history(((struct web *)arg)->run)));
}

static void on_distribution(void *arg, struct serve_request *r)
{
	const char *method = serve_query(r, "method"), *name = serve_query(r, "name");
	struct json_t *curves = api_page_distribution(((struct web *)arg)->run, method, name);

	if (curves)
		answer_json(r, 200, api_json_take(curves));
	else
		serve_error(r, 404,
			    "no request is called '%.100s %.100s'; /stats/requests has them all",
			    method ? method : "", name ? name : "");
}

static void on_window_details(void *arg, struct serve_request *r)
{
	answer_json(r, 200, api_json_window_details(((struct web *)arg)->run));
}

static void on_exceptions(void *arg, struct serve_request *r)
{
	struct web *w = arg;

	answer_json(r, 200, api_json_exceptions(w->run, w->compat));
}

static void on_tasks(void *arg, struct serve_request *r)
{
	answer_json(r, 200, api_json_tasks(((struct web *)arg)->run));
}

static void on_worker_count(void *arg, struct serve_request *r)
{
	const struct run *run = ((struct web *)arg)->run;
	size_t count = run->mode->is_distributed ? run->mode->worker_count(run) : 0;

	answer_json(r, 200, mem_printf("{\n  \"worker_count\": %zu\n}\n", count));
}

static void on_logs(void *arg, struct serve_request *r)
{
	answer_json(r, 200, api_json_logs(((struct web *)arg)->run));
}

static void on_login(void *arg, struct serve_request *r)
{
	login_answer(&((struct web *)arg)->guard, r);
}

static void on_login_form(void *arg, struct serve_request *r)
{
	login_answer_form(&((struct web *)arg)->guard, r);
}

static void on_logout(void *arg, struct serve_request *r)
{
	login_answer_logout(&((struct web *)arg)->guard, r);
}

static void answer_csv(const struct web *w, struct serve_request *r, const char *kind,
		       void (*write)(const struct run *, struct buf *))
{
	struct buf b;

	buf_init(&b, LIMIT_CSV_BYTES);
	write(w->run, &b);
	if (b.is_full) {
		serve_error(r, 500, "the table is larger than %d bytes", LIMIT_CSV_BYTES);
	} else {
		download_add_name(w->run, w->compat, r, kind);
		serve_reply(r, 200, "text/csv", b.p, b.len);
	}
	buf_fini(&b);
}

static void on_requests_csv(void *arg, struct serve_request *r)
{
	answer_csv(arg, r, "requests", api_csv_requests);
}

static void on_failures_csv(void *arg, struct serve_request *r)
{
	const struct web *w = arg;

	answer_csv(w, r, "failures",
		   w->compat == WEB_COMPAT_2_12 ? api_csv_failures_2_12 : api_csv_failures);
}

static void on_exceptions_csv(void *arg, struct serve_request *r)
{
	answer_csv(arg, r, "exceptions", api_csv_exceptions);
}

static void answer_history_file(const struct web *w, struct serve_request *r, int fd,
				const struct stat *file)
{
	const char *seen = serve_header(r, "If-None-Match");
	char tag[64], when[64] = "";
	struct tm tm;

	snprintf(tag, sizeof(tag), "\"%lld.%09ld-%lld\"", (long long)file->st_mtim.tv_sec,
		 file->st_mtim.tv_nsec, (long long)file->st_size);
	if (gmtime_r(&file->st_mtim.tv_sec, &tm))
		strftime(when, sizeof(when), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	serve_add_header(r, "ETag", tag);
	serve_add_header(r, "Last-Modified", when);
	serve_add_header(r, "Cache-Control", "no-cache, max-age=0");
	if (seen && strcmp(seen, tag) == 0) {
		close(fd);
		serve_reply(r, 304, NULL, "", 0);
		return;
	}
	download_add_name(w->run, w->compat, r, "requests_full_history");
	serve_reply_file(r, 200, "text/csv; charset=utf-8", fd, (uint64_t)file->st_size);
}

/* The file may grow while it is sent: what it has now is what is sent. */
static void on_full_history_csv(void *arg, struct serve_request *r)
{
	static const char none[] =
		"Error: Server was not started with option to generate full history.";
	const struct web *w = arg;
	struct stat file;
	int fd = w->full_history_file
			 ? open(w->full_history_file, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
			 : -1;

	if (fd >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) {
		answer_history_file(w, r, fd, &file);
		return;
	}
	if (fd >= 0)
		close(fd);
	serve_reply(r, 404, "text/html; charset=utf-8", none, strlen(none));
}

static void on_report(void *arg, struct serve_request *r)
{
	const struct web *w = arg;
	bool is_download = serve_query(r, "download") != NULL;
	struct buf b;

	buf_init(&b, LIMIT_REPORT_BYTES);
	report_write(w->run,
		     &(struct report_options){ .theme = serve_query(r, "theme"),
					       .has_download_link = !is_download },
		     &b);
	if (b.is_full) {
		serve_error(r, 500, "the report is larger than %d bytes", LIMIT_REPORT_BYTES);
	} else {
		if (is_download)
			download_add_name(w->run, w->compat, r, "report");
		/* It brings the rest of its policy with it. */
		serve_add_header(r, "Content-Security-Policy", "frame-ancestors 'none'");
		serve_add_header(r, "X-Content-Type-Options", "nosniff");
		serve_reply(r, 200, "text/html; charset=utf-8", b.p, b.len);
	}
	buf_fini(&b);
}

static void on_metrics(void *arg, struct serve_request *r)
{
	struct buf b;

	buf_init(&b, LIMIT_WEB_METRICS_BYTES);
	metrics_write(((struct web *)arg)->run, &b);
	if (b.is_full)
		serve_error(r, 500, "the page is larger than %d bytes", LIMIT_WEB_METRICS_BYTES);
	else
		serve_reply(r, 200, METRICS_TEXT_CONTENT_TYPE, b.p, b.len);
	buf_fini(&b);
}

static void on_healthz(void *arg, struct serve_request *r)
{
	(void)arg;
	probe_answer_health(r);
}

static void on_readyz(void *arg, struct serve_request *r)
{
	probe_answer_ready(((struct web *)arg)->run, r);
}

static void on_openapi(void *arg, struct serve_request *r)
{
	(void)arg;
	serve_reply(r, 200, "application/json", embed_openapi_json, strlen(embed_openapi_json));
}

static void on_other(void *arg, struct serve_request *r)
{
	struct web *w = arg;

	if (w->is_ending)
		serve_error(r, 503, ENDING);
	else
		guest_ask(&w->guest, r);
}

static void on_answered(void *arg)
{
	arm_serve_timer(arg);
}

void web_guest_answer(struct web *w, uint64_t ticket, const struct guest_reply *reply)
{
	guest_answer(&w->guest, ticket, reply);
}

/* What a locustfile does there nobody knows, so it is not for pages of other sites. */
static const struct serve_route other = { "GET", "/*", on_other, .is_change = true };
/* Where it makes the logins strangers have to reach it, also sent by the site that knows them; what
 * is not for them it guards itself. */
static const struct serve_route other_open = { "GET", "/*", on_other, .is_open = true };

static const struct serve_route routes[] = {
	{ "GET", "/", on_page },
	{ "GET", "/assets/test.css", on_asset },
	{ "GET", "/assets/test.js", on_asset },
	{ "GET", "/settings", on_settings },
	{ "POST", "/swarm", on_swarm, .is_change = true },
	{ "POST", "/user", on_user, .is_change = true },
	{ "GET", "/stop", on_stop, .is_change = true },
	{ "GET", "/stats/reset", on_reset, .is_change = true },
	{ "GET", "/stats/requests", on_requests },
	{ "GET", "/stats/requests/csv", on_requests_csv },
	{ "GET", "/stats/failures/csv", on_failures_csv },
	{ "GET", "/stats/requests_full_history/csv", on_full_history_csv },
	{ "GET", "/stats/window", on_window },
	{ "GET", "/stats/window/details", on_window_details },
	{ "GET", "/stats/history", on_history },
	{ "GET", "/stats/distribution", on_distribution },
	{ "GET", "/stats/report", on_report },
	{ "GET", "/exceptions", on_exceptions },
	{ "GET", "/exceptions/csv", on_exceptions_csv },
	{ "GET", "/tasks", on_tasks },
	{ "GET", "/logs", on_logs },
	{ "GET", "/login", on_login },
	{ "POST", "/login", on_login_form, .is_change = true },
	{ "POST", "/logout", on_logout, .is_change = true },
	{ "GET", "/worker-count", on_worker_count },
	{ "GET", "/metrics", on_metrics, .is_anywhere = true },
	{ "GET", "/healthz", on_healthz, .is_open = true, .is_anywhere = true },
	{ "GET", "/readyz", on_readyz, .is_open = true, .is_anywhere = true },
	{ "GET", "/openapi.json", on_openapi },
	{ NULL },
};

/* The same, and who may pass which. */
static void make_routes(struct web *w, const struct web_options *options)
{
	w->routes = mem_alloc(sizeof(routes));
	memcpy(w->routes, routes, sizeof(routes));
	for (struct serve_route *at = w->routes; at->method; at++)
		if (at->fn == on_metrics)
			at->is_open = options->has_open_metrics;
		else if (options->has_guest_login &&
			 (at->fn == on_login || at->fn == on_login_form || at->fn == on_logout))
			*at = (struct serve_route){ at->method, at->path, on_other,
						    .is_open = true };
		else if (at->fn == on_login || at->fn == on_login_form)
			at->is_open = options->login != NULL;
}

enum err web_create(struct loop *loop, struct run *run, const struct web_options *options,
		    struct web **out, struct err_text *text)
{
	struct web *w = mem_zalloc(1, sizeof(*w));
	enum err err;

	w->loop = loop;
	w->run = run;
	w->follow = options->follow;
	w->start_wall_s = run_wall_s(run);
	w->defaults = options->defaults;
	w->compat = options->compat;
	w->fields = options->fields;
	w->full_history_file = options->full_history_file;
	w->guard = (struct serve_guard){ .token = options->token,
					 .login = options->login,
					 .hosts = options->hosts,
					 .host_count = options->host_count,
					 .hosts_option = "--web-allow-host" };
	make_routes(w, options);
	w->watch.fd = -1;
	list_init(&w->stops);
	guest_init(&w->guest, loop, options->guest, on_answered, w);
	w->guest.guard = options->has_guest_login ? &w->guard : NULL;
	loop_timer_init(&w->serve_timer, on_serve_timer, w);
	loop_timer_init(&w->second_timer, on_second, w);
	err = serve_create(&w->serve,
			   &(struct serve_options){ .host = options->host,
						    .port = options->port,
						    .allow_any_origin = true,
						    .want_html_errors = true,
						    .base_path = options->base_path,
						    .guard = &w->guard,
						    .tls_cert = options->tls_cert,
						    .tls_key = options->tls_key,
						    .routes = w->routes,
						    .other = !options->guest ? NULL
							     : options->has_guest_login
								     ? &other_open
								     : &other,
						    .arg = w },
			   text);
	if (!err && loop_watch(loop, &w->watch, serve_fd(w->serve), EPOLLIN, on_readable, w))
		err = err_set(text, ERR_IO, "cannot watch the web port; raise `ulimit -n`");
	if (err) {
		web_destroy(&w);
		return err;
	}
	loop_timer_set(loop, &w->second_timer, loop_now(loop) + SECOND_US);
	arm_serve_timer(w);
	*out = w;
	return OK;
}

uint16_t web_port(const struct web *w)
{
	return serve_port(w->serve);
}

void web_destroy(struct web **at)
{
	struct web *w = *at;

	if (!w)
		return;
	*at = NULL;
	w->is_ending = true;
	guest_fini(&w->guest);
	LIST_EACH (node, &w->stops)
		abandon(CONTAINER_OF(node, struct stop_wait, node), 503, ENDING);
	loop_unwatch(w->loop, &w->watch);
	loop_timer_clear(w->loop, &w->second_timer);
	serve_destroy(&w->serve, DRAIN_US);
	loop_timer_clear(w->loop, &w->serve_timer);
	mem_free(w->routes);
	mem_free(w->cached);
	mem_free(w);
}
