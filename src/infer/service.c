/* SPDX-License-Identifier: MIT
 *
 * service - see the header.
 *
 * The main port is served by lanes, which share its door; the admin port by a thread of its own, so
 * that it answers whatever the lanes are doing. */
#include "infer/service.h"

#include <stdatomic.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/door.h"
#include "infer/engine.h"
#include "infer/lane.h"
#include "infer/meter.h"
#include "infer/model.h"
#include "infer/shelf.h"
#include "serve/metrics_text.h"
#include "serve/serve.h"

#define LOGGER	       "cicada.inference"
#define ADMIN_DRAIN_US (1 * CLOCK_S)
/* A drain is over when no request was in flight for so long. */
#define QUIET_US (200 * CLOCK_MS)

/* What a handler is told: whose request it is, and on which lane (NULL: the admin port). */
struct place {
	struct service *service;
	struct lane *lane;
};

struct service {
	struct shelf *shelf;
	struct meter *meter;
	atomic_bool has_models; /* from then on the shelf is there */
	atomic_bool has_lanes;	/* from then on there are as many until the admin port has closed */
	atomic_bool is_ready;
	struct serve *admin;
	struct place admin_place;
	struct place *places; /* one per lane */
	size_t lane_count;
	uint16_t port, admin_port;
};

/* Requests. */

static unsigned in_flight(const struct service *s)
{
	unsigned sum = 0;

	for (size_t i = 0; i < s->lane_count; i++)
		sum += lane_in_flight(s->places[i].lane);
	return sum;
}

/* The model that ?model= names; the first one when it names none. */
static void predict(const struct place *at, struct serve_request *r, const struct door *door)
{
	const struct shelf *shelf = at->service->shelf;
	const char *name = serve_query(r, "model");
	size_t model = name ? shelf_find(shelf, name) : 0;

	if (model == shelf_count(shelf))
		serve_error(r, 404, "no such model: %.128s", name);
	else
		lane_predict(at->lane, model, r, door, name ? shelf_name(shelf, model) : "default");
}

static void on_predict(void *arg, struct serve_request *r)
{
	predict(arg, r, &door_predict);
}

static void on_gone(void *arg, struct serve_request *r)
{
	const struct place *at = arg;

	lane_forget(at->lane, r);
}

static void reply_text(struct serve_request *r, unsigned status, const char *json)
{
	serve_reply(r, status, "application/json", json, str_of(json).len);
}

static void on_healthz(void *arg, struct serve_request *r)
{
	(void)arg;
	reply_text(r, 200, "{\"status\": \"ok\"}\n");
}

static void on_readyz(void *arg, struct serve_request *r)
{
	const struct place *at = arg;

	if (atomic_load(&at->service->is_ready))
		reply_text(r, 200, "{\"status\": \"ready\"}\n");
	else
		reply_text(r, 503, "{\"status\": \"not ready\"}\n");
}

/* The models in use, valid while the shelf is locked. */
static size_t list_models(const struct service *s, struct meter_model *out)
{
	for (size_t i = 0; i < shelf_count(s->shelf); i++) {
		const struct engine *e = shelf_engine(s->shelf, i);

		out[i] = (struct meter_model){ e->name, e->model->name, e->model->run_id };
	}
	return shelf_count(s->shelf);
}

static void write_metrics(struct service *s, struct buf *page)
{
	struct meter_model models[LIMIT_MODELS];
	unsigned count = atomic_load(&s->has_lanes) ? in_flight(s) : 0;

	if (!atomic_load(&s->has_models)) {
		meter_write(s->meter, NULL, 0, count, page);
		return;
	}
	shelf_lock(s->shelf);
	meter_write(s->meter, models, list_models(s, models), count, page);
	shelf_unlock(s->shelf);
}

static void on_metrics(void *arg, struct serve_request *r)
{
	const struct place *at = arg;
	struct buf page;

	buf_init(&page, LIMIT_METRICS_BYTES);
	write_metrics(at->service, &page);
	if (page.is_full)
		serve_error(r, 500, "the page of metrics is too long");
	else
		serve_reply(r, 200, METRICS_TEXT_CONTENT_TYPE, page.p, page.len);
	buf_fini(&page);
}

static void on_answer(void *arg, const struct serve_answer *answer)
{
	const struct place *at = arg;

	meter_request(at->service->meter, answer->path, answer->method, answer->status,
		      answer->duration_us);
}

static const struct serve_route main_routes[] = {
	{ "POST", "/predict", on_predict },
	{ "GET", "/healthz", on_healthz },
	{ "GET", "/readyz", on_readyz },
	{ "GET", "/metrics", on_metrics },
	{ NULL },
};

static const struct serve_route admin_routes[] = {
	{ "GET", "/healthz", on_healthz },
	{ "GET", "/readyz", on_readyz },
	{ "GET", "/metrics", on_metrics },
	{ NULL },
};

/* Life. */

static void exchange(void *arg, size_t lane, size_t model, struct seat *seat)
{
	const struct service *s = arg;

	lane_exchange(s->places[lane].lane, model, seat);
}

static enum err load_models(struct service *s, const struct service_options *o,
			    struct err_text *text)
{
	const struct shelf_options options = {
		.folders = o->models,
		.count = o->model_count,
		.batch_max = o->max_batch,
		.lane_count = o->threads,
		.meter = s->meter,
		.exchange = exchange,
		.arg = s,
	};
	enum err err = shelf_create(&s->shelf, &options, text);

	if (!err)
		atomic_store(&s->has_models, true);
	return err;
}

static enum err open_admin(struct service *s, const struct service_options *o,
			   struct err_text *text)
{
	const struct serve_options options = {
		.host = o->host,
		.port = o->admin_port,
		.threads = 1,
		.max_body_bytes = LIMIT_PREDICT_BODY_BYTES,
		.idle_timeout_s = (unsigned)o->idle_timeout_s,
		.routes = admin_routes,
		.arg = &s->admin_place,
	};
	enum err err;

	s->admin_place.service = s;
	err = serve_create(&s->admin, &options, text);
	if (!err)
		s->admin_port = serve_port(s->admin);
	return err;
}

static enum err open_lane(struct service *s, const struct service_options *o, struct place *at,
			  struct err_text *text)
{
	const struct lane_options options = {
		.http = { .host = o->host,
			  .port = o->port,
			  .reuse_port = o->reuse_port,
			  .max_connections = LIMIT_SERVE_CONNECTIONS / o->threads,
			  .max_body_bytes = LIMIT_PREDICT_BODY_BYTES,
			  .idle_timeout_s = (unsigned)o->idle_timeout_s,
			  .routes = main_routes,
			  .observe = on_answer,
			  .gone = on_gone,
			  .arg = at },
		.door = s->places[0].lane,
		.seats = shelf_seats(s->shelf, (size_t)(at - s->places)),
		.model_count = shelf_count(s->shelf),
		.line = { .meter = s->meter,
			  .queue_max = o->queue_max,
			  .queue_delay_us = o->queue_delay_us,
			  .deadline_us = o->deadline_us },
	};

	at->service = s;
	return lane_create(&at->lane, &options, text);
}

static enum err open_main(struct service *s, const struct service_options *o, struct err_text *text)
{
	enum err err = OK;

	s->places = mem_zalloc(o->threads, sizeof(*s->places));
	while (s->lane_count < o->threads && !err) {
		err = open_lane(s, o, &s->places[s->lane_count], text);
		s->lane_count += !err;
	}
	/* All are there before the first one answers. */
	for (size_t i = 0; i < s->lane_count && !err; i++)
		err = lane_start(s->places[i].lane, text);
	if (!err) {
		s->port = lane_port(s->places[0].lane);
		atomic_store(&s->has_lanes, true);
	}
	return err;
}

enum err service_create(struct service **out, const struct service_options *options,
			struct err_text *text)
{
	struct service *s = mem_zalloc(1, sizeof(*s));
	enum err err = OK;

	s->meter = meter_create();
	if (options->has_admin)
		err = open_admin(s, options, text);
	if (!err)
		err = load_models(s, options, text);
	if (!err)
		err = open_main(s, options, text);
	if (err) {
		service_destroy(&s);
		return err;
	}
	atomic_store(&s->is_ready, true);
	*out = s;
	return OK;
}

uint16_t service_port(const struct service *s)
{
	return s->port;
}

uint16_t service_admin_port(const struct service *s)
{
	return s->admin_port;
}

void service_log_models(const struct service *s)
{
	for (size_t i = 0; i < shelf_count(s->shelf); i++)
		log_line(LOG_INFO, LOGGER, "%s", shelf_engine(s->shelf, i)->summary);
}

void service_reload(struct service *s)
{
	shelf_reload(s->shelf);
}

void service_tick(struct service *s)
{
	shelf_tick(s->shelf);
}

static uint64_t begun(const struct service *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->lane_count; i++)
		sum += lane_begun(s->places[i].lane);
	return sum;
}

static bool is_closed(const struct service *s)
{
	for (size_t i = 0; i < s->lane_count; i++)
		if (!lane_is_closed(s->places[i].lane))
			return false;
	return true;
}

/* None in flight does not mean none on the way: under load requests wait in the kernel's
 * buffers, unread, and would be lost with their connections. So we wait for silence. */
static void wait_quiet(const struct service *s, uint64_t timeout_us)
{
	uint64_t now_us = clock_us(), until_us = now_us + timeout_us, quiet_since_us = now_us;
	uint64_t seen = begun(s);

	while (now_us < until_us && now_us - quiet_since_us < QUIET_US) {
		clock_sleep_us(CLOCK_MS);
		now_us = clock_us();
		if (!is_closed(s) || in_flight(s) || begun(s) != seen) {
			seen = begun(s);
			quiet_since_us = now_us;
		}
	}
}

unsigned service_drain(struct service *s, uint64_t timeout_us)
{
	atomic_store(&s->is_ready, false);
	for (size_t i = 0; i < s->lane_count; i++)
		lane_close_door(s->places[i].lane);
	wait_quiet(s, timeout_us);
	for (size_t i = 0; i < s->lane_count; i++)
		lane_stop(s->places[i].lane);
	return in_flight(s);
}

void service_destroy(struct service **sp)
{
	struct service *s = *sp;

	if (!s)
		return;
	for (size_t i = 0; i < s->lane_count; i++)
		lane_stop(s->places[i].lane);
	/* It looks at the lanes. */
	serve_destroy(&s->admin, ADMIN_DRAIN_US);
	for (size_t i = 0; i < s->lane_count; i++)
		lane_destroy(&s->places[i].lane);
	mem_free(s->places);
	shelf_destroy(&s->shelf);
	meter_destroy(&s->meter);
	mem_free(s);
	*sp = NULL;
}
