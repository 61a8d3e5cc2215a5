/* SPDX-License-Identifier: MIT
 *
 * engine - see the header. */
#include "infer/engine.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "infer/cell.h"
#include "infer/lstm.h"
#include "infer/model.h"
#include "infer/session.h"

#define REPLY_END_BYTES (8 * LIMIT_MODEL_NAME_BYTES)

static void write_texts(struct engine *e)
{
	const struct model *m = e->model;
	struct buf end;

	buf_init(&end, 2 * REPLY_END_BYTES);
	buf_add_text(&end, ", \"model\": ");
	buf_add_json(&end, str_of(m->name));
	buf_add_text(&end, ", \"run_id\": ");
	buf_add_json(&end, str_of(m->run_id));
	buf_add_text(&end, ", \"timestamp\": \"");
	e->reply_end = buf_take(&end);
	e->summary =
		mem_printf("%s: model %s, run %s: %zu rows of %zu features, %zu layers of %zu, "
			   "%zu targets; up to %zu predicted at once",
			   e->name, m->name, m->run_id, m->window, m->feature_count, m->layer_count,
			   m->hidden, m->target_count, lstm_batch_max(e->lstm));
}

enum err engine_create(struct engine **out, const char *name, const char *folder, size_t batch_max,
		       struct err_text *text)
{
	struct engine *e = mem_zalloc(1, sizeof(*e));
	enum err err;

	e->name = mem_strdup(name);
	err = model_create(&e->model, folder, text);
	if (err) {
		engine_destroy(&e);
		return err;
	}
	e->lstm = lstm_create(e->model, cell_code_at(0), batch_max);
	schema_init(&e->schema, e->model);
	write_texts(e);
	*out = e;
	return OK;
}

void engine_destroy(struct engine **ep)
{
	struct engine *e = *ep;

	if (!e)
		return;
	lstm_destroy(&e->lstm);
	model_destroy(&e->model);
	schema_fini(&e->schema);
	mem_free(e->name);
	mem_free(e->reply_end);
	mem_free(e->summary);
	mem_free(e);
	*ep = NULL;
}

const char *engine_run_id(const struct engine *e)
{
	return e->model->run_id;
}

/* Touches the memory of the largest batch, so that the first one does not wait for it. */
static void warm_up(struct seat *s)
{
	const struct model *m = s->engine->model;
	const size_t batch_max = session_batch_max(s->session);
	float *zeros = mem_zalloc(m->window * m->input_count, sizeof(float));

	for (size_t i = 0; i < batch_max; i++)
		session_put(s->session, i, zeros);
	session_run(s->session, batch_max);
	mem_free(zeros);
}

struct seat *seat_create(const struct engine *e)
{
	struct seat *s = mem_zalloc(1, sizeof(*s));

	s->engine = e;
	s->session = session_create(e->model, e->lstm);
	warm_up(s);
	return s;
}

void seat_destroy(struct seat **s)
{
	if (!*s)
		return;
	session_destroy(&(*s)->session);
	mem_free(*s);
	*s = NULL;
}
