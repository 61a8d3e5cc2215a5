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
#include "base/mem.h"
#include "infer/lane.h"
#include "infer/lstm.h"
#include "infer/meter.h"
#include "infer/model.h"
#include "infer/predict_body.h"
#include "serve/metrics_text.h"
#include "serve/serve.h"

#define ADMIN_DRAIN_US (1 * CLOCK_S)
/* A drain is over when no request was in flight for so long. */
#define QUIET_US (200 * CLOCK_MS)

/* What a handler is told: whose request it is, and on which lane (NULL: the admin port). */
struct place {
	struct service *service;
	struct lane *lane;
};

struct service {
	struct model *model;
	struct lstm *lstm;
	struct meter *meter;
	struct predict_schema schema;
	char *quoted_names; /* what the schema points into */
	char *summary;
	atomic_bool has_model; /* from then on model and lstm do not change */
	atomic_bool has_lanes; /* from then on there are as many until the admin port has closed */
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

static void on_predict(void *arg, struct serve_request *r)
{
	const struct place *at = arg;

	lane_predict(at->lane, r);
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

static void on_metrics(void *arg, struct serve_request *r)
{
	struct service *s = ((const struct place *)arg)->service;
	struct buf page;

	buf_init(&page, LIMIT_METRICS_BYTES);
	meter_write(s->meter, atomic_load(&s->has_model) ? s->model : NULL,
		    atomic_load(&s->has_lanes) ? in_flight(s) : 0, &page);
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

static void fill_schema(struct service *s)
{
	const struct model *m = s->model;
	struct buf names;

	buf_init(&names, LIMIT_MODEL_COLUMNS * (LIMIT_MODEL_NAME_BYTES + 2));
	s->schema = (struct predict_schema){ .rows = m->window, .feature_count = m->feature_count };
	for (size_t i = 0; i < m->feature_count; i++) {
		s->schema.quoted[i].len = strlen(m->features[i].name) + 2;
		buf_printf(&names, "\"%s\"", m->features[i].name);
	}
	s->quoted_names = buf_take(&names);
	for (size_t i = 0, at = 0; i < m->feature_count; at += s->schema.quoted[i++].len)
		s->schema.quoted[i].p = s->quoted_names + at;
}

static enum err load_model(struct service *s, const struct service_options *o,
			   struct err_text *text)
{
	enum err err;

	err = model_create(&s->model, o->model_folder, text);
	if (!err)
		err = lstm_create(&s->lstm, s->model, o->max_batch, text);
	if (err)
		return err;
	fill_schema(s);
	s->summary = mem_printf("model %s, run %s: %zu rows of %zu features, %zu layers of %zu, "
				"%zu targets; up to %zu predicted at once",
				s->model->name, s->model->run_id, s->model->window,
				s->model->feature_count, s->model->layer_count, s->model->hidden,
				s->model->target_count, lstm_batch_max(s->lstm));
	atomic_store(&s->has_model, true);
	return OK;
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
		.model = s->model,
		.lstm = s->lstm,
		.schema = &s->schema,
		.meter = s->meter,
		.queue_max = o->queue_max,
		.queue_delay_us = o->queue_delay_us,
		.deadline_us = o->deadline_us,
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
		err = load_model(s, options, text);
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

const char *service_summary(const struct service *s)
{
	return s->summary;
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
	lstm_destroy(&s->lstm);
	model_destroy(&s->model);
	meter_destroy(&s->meter);
	mem_free(s->quoted_names);
	mem_free(s->summary);
	mem_free(s);
	*sp = NULL;
}
