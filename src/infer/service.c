/* SPDX-License-Identifier: MIT
 *
 * service - see the header.
 *
 * The main port is served by lanes, which share its door; the admin port by a thread of its own, so
 * that it answers whatever the lanes are doing. */
#include "infer/service.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/engine.h"
#include "infer/lane.h"
#include "infer/meter.h"
#include "infer/service_int.h"
#include "infer/shelf.h"

#define LOGGER	       "cicada.inference"
#define ADMIN_DRAIN_US (1 * CLOCK_S)
/* A drain is over when no request was in flight for so long. */
#define QUIET_US (200 * CLOCK_MS)

unsigned service_in_flight(const struct service *s)
{
	unsigned sum = 0;

	for (size_t i = 0; i < s->lane_count; i++)
		sum += lane_in_flight(s->places[i].lane);
	return sum;
}

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
		.routes = service_admin_routes,
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
			  .tls_cert = o->tls_cert,
			  .tls_key = o->tls_key,
			  .max_connections = LIMIT_SERVE_CONNECTIONS / o->threads,
			  .max_body_bytes = LIMIT_PREDICT_BODY_BYTES,
			  .idle_timeout_s = (unsigned)o->idle_timeout_s,
			  .routes = service_main_routes,
			  .observe = service_on_answer,
			  .gone = service_on_gone,
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
	s->logs_access = options->logs_access;
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
		if (!is_closed(s) || service_in_flight(s) || begun(s) != seen) {
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
	return service_in_flight(s);
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
