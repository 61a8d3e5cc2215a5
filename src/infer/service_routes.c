/* SPDX-License-Identifier: MIT
 *
 * service_routes - what the service answers: predictions through their doors, and the pages. */
#include "infer/service_int.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "infer/door.h"
#include "infer/engine.h"
#include "infer/kserve.h"
#include "infer/lane.h"
#include "infer/meter.h"
#include "infer/model.h"
#include "infer/shelf.h"
#include "serve/metrics_text.h"

/* openapi.json, by tools/embed.py. */
extern const char embed_openapi_json[];

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

/* MLflow's servers read this, too; who sends it is told at once what we do not. */
static bool is_csv(const struct serve_request *r)
{
	const char *type = serve_header(r, "Content-Type");

	return type && strncasecmp(type, "text/csv", strlen("text/csv")) == 0;
}

static void on_invocations(void *arg, struct serve_request *r)
{
	if (is_csv(r))
		serve_error(r, 415, "text/csv is not read here; send dataframe_split as JSON");
	else
		predict(arg, r, &door_mlflow);
}

/* Answers what does not fit. SIZE_MAX: it has. */
static size_t find_kserve_model(const struct place *at, struct serve_request *r,
				enum kserve_page *page)
{
	const struct shelf *shelf = at->service->shelf;
	char name[LIMIT_MODEL_NAME_BYTES + 1];
	size_t model;

	*page = kserve_route(serve_path(r), name, sizeof(name));
	if (*page == KSERVE_NONE) {
		serve_error(r, 404, "no such path: %.200s", serve_path(r));
		return SIZE_MAX;
	}
	model = shelf_find(shelf, name);
	if (model < shelf_count(shelf))
		return model;
	serve_error(r, 404, "no such model: %.128s", name);
	return SIZE_MAX;
}

static void refuse_method(struct serve_request *r, const char *allowed)
{
	serve_add_header(r, "Allow", allowed);
	serve_error(r, 405, "method %.40s is not allowed for %.200s, only %s", serve_method(r),
		    serve_path(r), allowed);
}

static void on_kserve_infer(void *arg, struct serve_request *r)
{
	const struct place *at = arg;
	enum kserve_page page;
	size_t model = find_kserve_model(at, r, &page);

	if (model == SIZE_MAX)
		return;
	if (page != KSERVE_INFER)
		refuse_method(r, "GET, HEAD");
	else if (serve_header(r, "Inference-Header-Content-Length"))
		serve_error(r, 415,
			    "binary tensors are not read here; send the data as JSON "
			    "(binary_data=False)");
	else
		lane_predict(at->lane, model, r, &door_kserve,
			     shelf_name(at->service->shelf, model));
}

void service_on_gone(void *arg, struct serve_request *r)
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
	unsigned count = atomic_load(&s->has_lanes) ? service_in_flight(s) : 0;

	if (!atomic_load(&s->has_models)) {
		meter_write(s->meter, NULL, 0, count, page);
		return;
	}
	shelf_lock(s->shelf);
	meter_write(s->meter, models, list_models(s, models), count, page);
	shelf_unlock(s->shelf);
}

static void reply_buf(struct serve_request *r, unsigned status, struct buf *json)
{
	serve_reply(r, status, "application/json", json->p, json->len);
	buf_fini(json);
}

static void on_live(void *arg, struct serve_request *r)
{
	(void)arg;
	reply_text(r, 200, "{\"live\": true}\n");
}

/* GET /v2/health/ready and, with its name, of a model. */
static void reply_ready(const struct place *at, struct serve_request *r, const char *name)
{
	const bool is_ready = atomic_load(&at->service->is_ready);
	struct buf json;

	buf_init(&json, LIMIT_MODEL_JSON_BYTES);
	buf_add_char(&json, '{');
	if (name) {
		buf_add_text(&json, "\"name\": ");
		buf_add_json(&json, str_of(name));
		buf_add_text(&json, ", ");
	}
	buf_printf(&json, "\"ready\": %s}\n", is_ready ? "true" : "false");
	reply_buf(r, is_ready ? 200 : 503, &json);
}

static void on_v2_ready(void *arg, struct serve_request *r)
{
	reply_ready(arg, r, NULL);
}

static void on_v2(void *arg, struct serve_request *r)
{
	struct buf json;

	(void)arg;
	buf_init(&json, LIMIT_MODEL_JSON_BYTES);
	kserve_write_server(&json);
	reply_buf(r, 200, &json);
}

static void on_kserve_model(void *arg, struct serve_request *r)
{
	const struct place *at = arg;
	struct shelf *shelf = at->service->shelf;
	enum kserve_page page;
	size_t model = find_kserve_model(at, r, &page);
	struct buf json;

	if (model == SIZE_MAX)
		return;
	if (page == KSERVE_INFER) {
		refuse_method(r, "POST");
		return;
	}
	if (page == KSERVE_READY) {
		reply_ready(at, r, shelf_name(shelf, model));
		return;
	}
	buf_init(&json, LIMIT_MODEL_JSON_BYTES);
	shelf_lock(shelf);
	kserve_write_model(shelf_engine(shelf, model), &json);
	shelf_unlock(shelf);
	reply_buf(r, 200, &json);
}

/* MLflow's health check wants the status only. */
static void on_ping(void *arg, struct serve_request *r)
{
	const struct place *at = arg;

	serve_reply(r, atomic_load(&at->service->is_ready) ? 200 : 503, "text/plain", "\n", 1);
}

static void on_version(void *arg, struct serve_request *r)
{
	(void)arg;
	serve_reply(r, 200, "text/plain", CICADA_VERSION, strlen(CICADA_VERSION));
}

static void on_openapi(void *arg, struct serve_request *r)
{
	(void)arg;
	reply_text(r, 200, embed_openapi_json);
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

static void log_access(const struct serve_answer *answer)
{
	struct serve_request *r = answer->request;
	struct buf line;

	buf_init(&line, LIMIT_ACCESS_LINE_BYTES);
	buf_add_text(&line, "\"method\": ");
	buf_add_json(&line, str_of(serve_method(r)));
	buf_add_text(&line, ", \"path\": ");
	buf_add_json(&line, str_of(serve_path(r)));
	buf_printf(&line,
		   ", \"status\": %u, \"duration_us\": %llu, \"body_bytes\": %zu, "
		   "\"reply_bytes\": %zu, \"remote\": \"%s\"",
		   answer->status, (unsigned long long)answer->duration_us, answer->body_bytes,
		   answer->reply_bytes, serve_remote(r));
	ensure(!line.is_full);
	log_members(LOG_INFO, "cicada.access", buf_str(&line));
	buf_fini(&line);
}

void service_on_answer(void *arg, const struct serve_answer *answer)
{
	const struct place *at = arg;

	if (at->service->logs_access)
		log_access(answer);

	meter_request(at->service->meter, answer->path, answer->method, answer->status,
		      answer->duration_us);
}

const struct serve_route service_main_routes[] = {
	{ "POST", "/predict", on_predict },
	{ "POST", "/invocations", on_invocations },
	{ "POST", KSERVE_MODELS "*", on_kserve_infer },
	{ "GET", KSERVE_MODELS "*", on_kserve_model },
	{ "GET", "/v2", on_v2 },
	{ "GET", "/v2/health/live", on_live },
	{ "GET", "/v2/health/ready", on_v2_ready },
	{ "GET", "/ping", on_ping },
	{ "GET", "/version", on_version },
	{ "GET", "/openapi.json", on_openapi },
	{ "GET", "/healthz", on_healthz },
	{ "GET", "/readyz", on_readyz },
	{ "GET", "/metrics", on_metrics },
	{ NULL },
};

const struct serve_route service_admin_routes[] = {
	{ "GET", "/healthz", on_healthz },
	{ "GET", "/readyz", on_readyz },
	{ "GET", "/metrics", on_metrics },
	{ NULL },
};
