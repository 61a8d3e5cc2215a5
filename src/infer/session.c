/* SPDX-License-Identifier: MIT
 *
 * session - see the header. */
#include "infer/session.h"

#include <math.h>
#include <stddef.h>

#include "base/mem.h"
#include "infer/lstm.h"
#include "infer/model.h"

struct session {
	const struct model *model;
	struct lstm_run *run;
};

enum err session_create(struct session **out, const struct model *m, const struct lstm *l,
			struct err_text *text)
{
	struct session *s = mem_zalloc(1, sizeof(*s));
	enum err err;

	s->model = m;
	err = lstm_run_create(&s->run, l, text);
	if (err)
		session_destroy(&s);
	else
		*out = s;
	return err;
}

void session_destroy(struct session **s)
{
	if (!*s)
		return;
	lstm_run_destroy(&(*s)->run);
	mem_free(*s);
	*s = NULL;
}

static void scale_rows(const struct model *m, const float *rows, float *out)
{
	for (size_t row = 0; row < m->window; row++) {
		for (size_t i = 0; i < m->feature_count; i++)
			out[i] = (float)((rows[i] - m->features[i].offset) / m->features[i].scale);
		rows += m->feature_count;
		out += m->feature_count;
	}
}

enum err session_predict(struct session *s, const float *rows, double *predictions)
{
	const struct model *m = s->model;
	const float *state;

	scale_rows(m, rows, lstm_run_input(s->run));
	state = lstm_run_step(s->run);
	if (!state)
		return ERR_STATE;
	for (size_t i = 0; i < m->target_count; i++) {
		const float *weight = m->head_weight + i * m->hidden;
		double scaled = m->head_bias[i];

		for (size_t k = 0; k < m->hidden; k++)
			scaled += (double)weight[k] * state[k];
		predictions[i] = scaled * m->targets[i].scale + m->targets[i].offset;
		if (!isfinite(predictions[i]))
			return ERR_BAD_INPUT;
	}
	return OK;
}
