/* SPDX-License-Identifier: MIT
 *
 * session - see the header. */
#include "infer/session.h"

#include <math.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/mem.h"
#include "infer/lstm.h"
#include "infer/model.h"

struct session {
	const struct model *model;
	const struct lstm *lstm;
	struct lstm_run *run;
	const float *rows[LIMIT_BATCH]; /* of each window: [window][input_count] */
	double *offsets, *scales;	/* [input_count], side by side for the compiler's vectors */
	double *predictions;		/* [batch_max][target_count] */
};

struct session *session_create(const struct model *m, const struct lstm *l)
{
	struct session *s = mem_zalloc(1, sizeof(*s));

	s->model = m;
	s->lstm = l;
	s->run = lstm_run_create(l);
	s->predictions = mem_zalloc(lstm_batch_max(l) * m->target_count, sizeof(*s->predictions));
	s->offsets = mem_zalloc(m->input_count, sizeof(*s->offsets));
	s->scales = mem_zalloc(m->input_count, sizeof(*s->scales));
	for (size_t k = 0; k < m->input_count; k++) {
		s->offsets[k] = m->inputs[k].offset;
		s->scales[k] = m->inputs[k].scale;
	}
	return s;
}

void session_destroy(struct session **s)
{
	if (!*s)
		return;
	lstm_run_destroy(&(*s)->run);
	mem_free((*s)->predictions);
	mem_free((*s)->offsets);
	mem_free((*s)->scales);
	mem_free(*s);
	*s = NULL;
}

size_t session_batch_max(const struct session *s)
{
	return lstm_batch_max(s->lstm);
}

void session_put(struct session *s, size_t i, const float *rows)
{
	ensure(i < session_batch_max(s));
	s->rows[i] = rows;
}

/* Window i into its place in the input, [row][count][input_count]. */
static void scale_rows(struct session *s, size_t i, size_t count)
{
	const struct model *m = s->model;
	const float *rows = s->rows[i];
	float *out = lstm_run_input(s->run) + i * m->input_count;

	for (size_t row = 0; row < m->window; row++) {
		for (size_t k = 0; k < m->input_count; k++)
			out[k] = (float)((rows[k] - s->offsets[k]) / s->scales[k]);
		rows += m->input_count;
		out += count * m->input_count;
	}
}

static void apply_head(const struct model *m, const float *state, double *predictions)
{
	for (size_t t = 0; t < m->target_count; t++) {
		const float *weight = m->head_weight + t * m->hidden;
		double scaled = m->head_bias[t];

		for (size_t k = 0; k < m->hidden; k++)
			scaled += (double)weight[k] * state[k];
		predictions[t] = scaled * m->targets[t].scale + m->targets[t].offset;
	}
}

void session_run(struct session *s, size_t count)
{
	const struct model *m = s->model;
	const size_t stride = lstm_stride(s->lstm);
	const float *states;

	for (size_t i = 0; i < count; i++)
		scale_rows(s, i, count);
	states = lstm_run_step(s->run, count);
	for (size_t i = 0; i < count; i++)
		apply_head(m, states + i * stride, s->predictions + i * m->target_count);
}

const double *session_predictions(const struct session *s, size_t i)
{
	const double *predictions = s->predictions + i * s->model->target_count;

	for (size_t t = 0; t < s->model->target_count; t++)
		if (!isfinite(predictions[t]))
			return NULL;
	return predictions;
}
