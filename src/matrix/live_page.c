/* SPDX-License-Identifier: MIT
 *
 * live_page - see the header.
 *
 * The reports are sent from the files: these are replaced as a whole, and what is open stays as it
 * was, so no copy of them is held. */
#include "matrix/live_page.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "matrix/live.h"
#include "matrix/pause.h"
#include "matrix/result.h"
#include "serve/asset.h"
#include "serve/serve.h"
#include "serve/serve_guard.h"

#define TAG_BYTES     96
#define LOOK_AGAIN_MS 50

extern const struct asset assets_matrix[];

struct live_page {
	struct live_page_config config;
	struct serve *serve;
	struct serve_guard guard;
	atomic_uint_least64_t asked_us; /* when somebody asked for the state last; 0: nobody has */
	atomic_uint_least64_t seen;	/* the number of the newest report that was asked for */
};

static void on_page(void *arg, struct serve_request *r)
{
	(void)arg;
	asset_answer(assets_matrix, "matrix.html", r);
}

static void on_asset(void *arg, struct serve_request *r)
{
	(void)arg;
	asset_answer(assets_matrix, serve_path(r) + strlen("/assets/"), r);
}

static void on_live(void *arg, struct serve_request *r)
{
	struct live_page *p = arg;
	struct buf json;

	atomic_store(&p->asked_us, clock_us());
	buf_init(&json, LIMIT_LIVE_BYTES);
	live_format(p->config.live, &json);
	ensure(!json.is_full);
	serve_add_header(r, "Cache-Control", "no-store");
	serve_reply(r, 200, "application/json", json.p, json.len);
	buf_fini(&json);
}

/* Answers with the file, or that it is the one that was seen. Takes fd. */
static void reply_file(struct serve_request *r, int fd, const char *type)
{
	const char *seen = serve_header(r, "If-None-Match");
	char tag[TAG_BYTES];
	struct stat stat;

	if (fstat(fd, &stat) != 0) {
		close(fd);
		serve_error(r, 500, "the report cannot be read");
		return;
	}
	snprintf(tag, sizeof(tag), "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 ".%lx\"",
		 (uint64_t)stat.st_ino, (uint64_t)stat.st_size, (uint64_t)stat.st_mtim.tv_sec,
		 stat.st_mtim.tv_nsec);
	serve_add_header(r, "ETag", tag);
	serve_add_header(r, "Cache-Control", "no-cache");
	serve_add_header(r, "X-Content-Type-Options", "nosniff");
	if (!seen || strcmp(seen, tag) != 0) {
		serve_reply_file(r, 200, type, fd, (uint64_t)stat.st_size);
		return;
	}
	close(fd);
	serve_reply(r, 304, NULL, "", 0);
}

static void on_report(struct live_page *p, struct serve_request *r, const char *name,
		      const char *type)
{
	uint64_t reports = live_reports(p->config.live);
	char *path = mem_printf("%s/%s", p->config.folder, name);
	/* Before the first report the file is one of another plan. */
	int fd = reports ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	atomic_store(&p->seen, reports);
	if (fd < 0)
		serve_error(r, 404, "there is no %s of this matrix yet", name);
	else
		reply_file(r, fd, type);
	mem_free(path);
}

static void on_report_json(void *arg, struct serve_request *r)
{
	on_report(arg, r, RESULT_JSON, "application/json");
}

/* It brings its policy with it. */
static void on_report_page(void *arg, struct serve_request *r)
{
	serve_add_header(r, "Content-Security-Policy", "frame-ancestors 'none'");
	on_report(arg, r, RESULT_PAGE, "text/html; charset=utf-8");
}

static void on_health(void *arg, struct serve_request *r)
{
	(void)arg;
	serve_reply(r, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static const struct serve_route routes[] = {
	{ "GET", "/", on_page },
	{ "GET", "/matrix", on_page },
	{ "GET", "/assets/*", on_asset },
	{ "GET", "/live.json", on_live },
	{ "GET", "/" RESULT_JSON, on_report_json },
	{ "GET", "/" RESULT_PAGE, on_report_page },
	{ "GET", "/healthz", on_health, .is_open = true },
	{ NULL },
};

/* Signals are the driver's: its thread is the one to be woken. */
static enum err open_deaf(struct live_page *p, struct err_text *text)
{
	sigset_t all, before;
	enum err err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = serve_create(&p->serve,
			   &(struct serve_options){ .host = p->config.host,
						    .port = p->config.port,
						    .threads = 1,
						    .max_connections = LIMIT_LIVE_CONNECTIONS,
						    .guard = &p->guard,
						    .routes = routes,
						    .arg = p },
			   text);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

enum err live_page_open(const struct live_page_config *config, struct live_page **out,
			struct err_text *text)
{
	struct live_page *p = mem_zalloc(1, sizeof(*p));
	enum err err;

	p->config = *config;
	p->guard = (struct serve_guard){ .hosts = config->hosts,
					 .host_count = config->host_count,
					 .hosts_option = "--page-allow-host" };
	err = open_deaf(p, text);
	if (err)
		live_page_close(&p);
	else
		*out = p;
	return err;
}

uint16_t live_page_port(const struct live_page *p)
{
	return serve_port(p->serve);
}

static bool is_watched(struct live_page *p)
{
	uint64_t asked_us = atomic_load(&p->asked_us);

	return asked_us && clock_us() - asked_us < LIMIT_LIVE_FAREWELL_S * CLOCK_S;
}

void live_page_farewell(struct live_page *p, struct pause *pause)
{
	uint64_t start_us = clock_us(), end_us = start_us + LIMIT_LIVE_FAREWELL_S * CLOCK_S,
		 last = live_reports(p->config.live);

	while (is_watched(p) && clock_us() < end_us &&
	       (atomic_load(&p->asked_us) < start_us || atomic_load(&p->seen) < last))
		if (!pause_for(pause, LOOK_AGAIN_MS * CLOCK_MS))
			return;
}

void live_page_close(struct live_page **p)
{
	if (!*p)
		return;
	serve_destroy(&(*p)->serve, LIMIT_LIVE_FAREWELL_S * CLOCK_S);
	mem_free(*p);
	*p = NULL;
}
