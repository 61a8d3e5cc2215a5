/* SPDX-License-Identifier: MIT
 *
 * service - see the header.
 *
 * Each server thread gets a session of its own with its first prediction and loses it with
 * its end; the thread's key is the only link between the two, so neither knows of the other. */
#include "infer/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "infer/lstm.h"
#include "infer/meter.h"
#include "infer/model.h"
#include "infer/predict_body.h"
#include "infer/session.h"
#include "serve/metrics_text.h"
#include "serve/serve.h"

#define ADMIN_DRAIN_US (1 * CLOCK_S)
/* A drain is over when no request was in flight for so long. */
#define QUIET_US (200 * CLOCK_MS)

struct service {
	struct model *model;
	struct lstm *lstm;
	struct meter *meter;
	struct predict_schema schema;
	char *quoted_names; /* what the schema points into */
	char *summary;
	pthread_key_t worker_key;
	atomic_bool has_model; /* from then on model and lstm do not change */
	atomic_bool is_ready;
	struct serve *main, *admin;
	uint16_t port, admin_port;
};

/* What one server thread needs for predictions. */
struct worker {
	struct session *session;
	float *rows;	     /* [window][feature_count] */
	double *predictions; /* [target_count] */
	struct buf reply;
};

/* Workers. */

static void worker_destroy(void *arg)
{
	struct worker *w = arg;

	session_destroy(&w->session);
	mem_free(w->rows);
	mem_free(w->predictions);
	buf_fini(&w->reply);
	mem_free(w);
}

/* This thread's worker; NULL: oneDNN refuses. */
static struct worker *worker_here(struct service *s)
{
	const struct model *m = s->model;
	struct worker *w = pthread_getspecific(s->worker_key);

	if (w)
		return w;
	w = mem_zalloc(1, sizeof(*w));
	buf_init(&w->reply, LIMIT_PREDICT_REPLY_BYTES);
	w->rows = mem_zalloc(m->window * m->feature_count, sizeof(*w->rows));
	w->predictions = mem_zalloc(m->target_count, sizeof(*w->predictions));
	if (session_create(&w->session, m, s->lstm, NULL) ||
	    pthread_setspecific(s->worker_key, w)) {
		worker_destroy(w);
		return NULL;
	}
	return w;
}

/* Requests. */

static void reply_predictions(struct service *s, struct serve_request *r, struct worker *w)
{
	time_t now = (time_t)clock_wall_s();
	char text[32];
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	buf_clear(&w->reply);
	for (size_t i = 0; i < s->model->target_count; i++)
		buf_printf(&w->reply, "%s%.9g", i ? ", " : "{\"predictions\": [",
			   w->predictions[i]);
	buf_add_text(&w->reply, "], \"model\": ");
	buf_add_json(&w->reply, str_of(s->model->name));
	buf_add_text(&w->reply, ", \"run_id\": ");
	buf_add_json(&w->reply, str_of(s->model->run_id));
	buf_printf(&w->reply, ", \"timestamp\": \"%s\"}\n", text);
	ensure(!w->reply.is_full);
	serve_reply(r, 200, "application/json", w->reply.p, w->reply.len);
}

static void on_predict(void *arg, struct serve_request *r)
{
	struct service *s = arg;
	struct worker *w = worker_here(s);
	struct predict_fault fault;
	enum err err;

	if (!w) {
		serve_error(r, 500, "the model cannot be run on this machine");
		return;
	}
	if (!predict_body_parse(&s->schema, serve_body(r), w->rows, &fault)) {
		serve_error(r, fault.status, "%s", fault.text);
		return;
	}
	err = session_predict(w->session, w->rows, w->predictions);
	if (err == ERR_BAD_INPUT) {
		serve_error(r, 422, "data: values so large that the prediction is not finite");
		return;
	}
	if (err) {
		serve_error(r, 500, "the model failed: %s", err_name(err));
		return;
	}
	meter_prediction(s->meter);
	reply_predictions(s, r, w);
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
	struct service *s = arg;

	if (atomic_load(&s->is_ready))
		reply_text(r, 200, "{\"status\": \"ready\"}\n");
	else
		reply_text(r, 503, "{\"status\": \"not ready\"}\n");
}

static void on_metrics(void *arg, struct serve_request *r)
{
	struct service *s = arg;
	struct buf page;

	buf_init(&page, LIMIT_METRICS_BYTES);
	meter_write(s->meter, atomic_load(&s->has_model) ? s->model : NULL, &page);
	if (page.is_full)
		serve_error(r, 500, "the page of metrics is too long");
	else
		serve_reply(r, 200, METRICS_TEXT_CONTENT_TYPE, page.p, page.len);
	buf_fini(&page);
}

static void on_answer(void *arg, const struct serve_answer *answer)
{
	struct service *s = arg;

	meter_request(s->meter, answer->path, answer->method, answer->status, answer->duration_us);
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

static enum err load_model(struct service *s, const char *folder, struct err_text *text)
{
	struct session *trial = NULL;
	enum err err;

	err = model_create(&s->model, folder, text);
	if (!err)
		err = lstm_create(&s->lstm, s->model, text);
	/* What a server thread will do later must not fail there for the first time. */
	if (!err)
		err = session_create(&trial, s->model, s->lstm, text);
	if (err)
		return err;
	session_destroy(&trial);
	fill_schema(s);
	s->summary = mem_printf("model %s, run %s: %zu rows of %zu features, %zu layers of %zu, "
				"%zu targets",
				s->model->name, s->model->run_id, s->model->window,
				s->model->feature_count, s->model->layer_count, s->model->hidden,
				s->model->target_count);
	atomic_store(&s->has_model, true);
	return OK;
}

static enum err open_port(struct service *s, const struct service_options *o, bool is_main,
			  struct err_text *text)
{
	const struct serve_options options = {
		.host = o->host,
		.port = is_main ? o->port : o->admin_port,
		.reuse_port = is_main && o->reuse_port,
		.threads = is_main ? o->threads : 1,
		.max_body_bytes = LIMIT_PREDICT_BODY_BYTES,
		.idle_timeout_s = (unsigned)o->idle_timeout_s,
		.routes = is_main ? main_routes : admin_routes,
		.observe = is_main ? on_answer : NULL,
		.arg = s,
	};

	return serve_create(is_main ? &s->main : &s->admin, &options, text);
}

enum err service_create(struct service **out, const struct service_options *options,
			struct err_text *text)
{
	struct service *s = mem_zalloc(1, sizeof(*s));
	enum err err = OK;

	ensure(pthread_key_create(&s->worker_key, worker_destroy) == 0);
	s->meter = meter_create();
	if (options->has_admin) {
		err = open_port(s, options, false, text);
		if (!err)
			s->admin_port = serve_port(s->admin);
	}
	if (!err)
		err = load_model(s, options->model_folder, text);
	if (!err)
		err = open_port(s, options, true, text);
	if (err) {
		service_destroy(&s);
		return err;
	}
	s->port = serve_port(s->main);
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

/* None in flight does not mean none on the way: under load requests wait in the kernel's
 * buffers, unread, and would be lost with their connections. So we wait for silence. */
static void wait_quiet(const struct serve *s, uint64_t timeout_us)
{
	uint64_t now_us = clock_us(), until_us = now_us + timeout_us, quiet_since_us = now_us;
	uint64_t begun = serve_begun(s);

	while (now_us < until_us && now_us - quiet_since_us < QUIET_US) {
		clock_sleep_us(CLOCK_MS);
		now_us = clock_us();
		if (serve_in_flight(s) || serve_begun(s) != begun) {
			begun = serve_begun(s);
			quiet_since_us = now_us;
		}
	}
}

unsigned service_drain(struct service *s, uint64_t timeout_us)
{
	unsigned cut;

	atomic_store(&s->is_ready, false);
	if (!s->main)
		return 0;
	serve_stop_accepting(s->main);
	wait_quiet(s->main, timeout_us);
	cut = serve_in_flight(s->main);
	serve_destroy(&s->main, 0);
	return cut;
}

void service_destroy(struct service **sp)
{
	struct service *s = *sp;

	if (!s)
		return;
	service_drain(s, 0);
	serve_destroy(&s->admin, ADMIN_DRAIN_US);
	/* The server threads have ended, and with them their workers. */
	pthread_key_delete(s->worker_key);
	lstm_destroy(&s->lstm);
	model_destroy(&s->model);
	meter_destroy(&s->meter);
	mem_free(s->quoted_names);
	mem_free(s->summary);
	mem_free(s);
	*sp = NULL;
}
