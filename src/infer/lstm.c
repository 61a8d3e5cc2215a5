/* SPDX-License-Identifier: MIT
 *
 * lstm - see the header.
 *
 * oneDNN wants the layers of one primitive to have inputs of one width, and our first layer
 * is narrower, so each layer is a primitive of its own; layer n writes [window][1][hidden],
 * which layer n + 1 reads. PyTorch's gates (i, f, g, o) are in oneDNN's order (i, f, c, o), its
 * weights [4 * hidden][in] are oneDNN's "ldgoi", and its two biases act as their sum. The
 * state before the first row is not given, which means zero.
 *
 * Debian's oneDNN runs on OpenMP, where every thread of ours that calls it would get a team of
 * threads of its own. A request is too small to be shared and requests come in parallel, so each
 * calling thread is told to be its own team. OMP_NUM_THREADS would do it for the whole
 * program, but it is read before main(). */
#include "infer/lstm.h"

#include <oneapi/dnnl/dnnl.h>

#include "base/mem.h"
#include "infer/model.h"

/* Of libgomp, which libdnnl is linked with; omp.h would bind us to one compiler's OpenMP. */
void omp_set_num_threads(int count);

struct layer {
	dnnl_primitive_desc_t desc;
	dnnl_primitive_t primitive;
	dnnl_memory_t weights_layer, weights_iter, bias; /* packed */
	dnnl_memory_desc_t src, dst;			 /* tnc: [window][1][in], [..][hidden] */
};

struct lstm {
	const struct model *model;
	dnnl_engine_t engine;
	struct layer *layers;
};

/* The buffers of one layer; its input is the output of the one before. */
struct layer_run {
	float *output; /* [window][hidden] */
	dnnl_memory_t src, dst, scratch;
};

struct lstm_run {
	const struct lstm *lstm;
	dnnl_stream_t stream;
	float *input; /* [window][feature_count] */
	struct layer_run *layers;
};

static enum err failed(struct err_text *text, const char *step, dnnl_status_t status)
{
	return err_set(text, ERR_UNSUPPORTED, "oneDNN: %s: status %d", step, (int)status);
}

/* Runs one reorder from plain floats into the format the layer wants. */
static dnnl_status_t pack(struct lstm *l, dnnl_stream_t stream, const dnnl_memory_desc_t *from,
			  const float *values, const dnnl_memory_desc_t *to, dnnl_memory_t *out)
{
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_t reorder = NULL;
	dnnl_memory_t plain = NULL;
	dnnl_status_t status;

	status = dnnl_memory_create(out, to, l->engine, DNNL_MEMORY_ALLOCATE);
	if (!status)
		status = dnnl_memory_create(&plain, from, l->engine, (void *)values);
	if (!status)
		status = dnnl_reorder_primitive_desc_create(&desc, from, l->engine, to, l->engine,
							    NULL);
	if (!status)
		status = dnnl_primitive_create(&reorder, desc);
	if (!status) {
		const dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, plain }, { DNNL_ARG_TO, *out } };

		status = dnnl_primitive_execute(reorder, stream, 2, args);
	}
	if (!status)
		status = dnnl_stream_wait(stream);
	dnnl_primitive_destroy(reorder);
	dnnl_primitive_desc_destroy(desc);
	dnnl_memory_destroy(plain);
	return status;
}

static dnnl_status_t describe(dnnl_memory_desc_t *out, int rank, const dnnl_dims_t dims,
			      dnnl_format_tag_t tag)
{
	return dnnl_memory_desc_init_by_tag(out, rank, dims, dnnl_f32, tag);
}

/* Compiles the layer; oneDNN chooses the format of its weights. */
static dnnl_status_t create_primitive(struct lstm *l, struct layer *layer, size_t in)
{
	const dnnl_dim_t rows = (dnnl_dim_t)l->model->window;
	const dnnl_dim_t width = (dnnl_dim_t)in, hidden = (dnnl_dim_t)l->model->hidden;
	dnnl_memory_desc_t weights_layer, weights_iter, bias;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_rnn_desc_t rnn;
	dnnl_status_t status;

	if ((status = describe(&layer->src, 3, (dnnl_dims_t){ rows, 1, width }, dnnl_tnc)) ||
	    (status = describe(&layer->dst, 3, (dnnl_dims_t){ rows, 1, hidden }, dnnl_tnc)) ||
	    (status = describe(&weights_layer, 5, (dnnl_dims_t){ 1, 1, width, 4, hidden },
			       dnnl_format_tag_any)) ||
	    (status = describe(&weights_iter, 5, (dnnl_dims_t){ 1, 1, hidden, 4, hidden },
			       dnnl_format_tag_any)) ||
	    (status = describe(&bias, 4, (dnnl_dims_t){ 1, 1, 4, hidden }, dnnl_ldgo)) ||
	    (status = dnnl_lstm_forward_desc_init(&rnn, dnnl_forward_inference,
						  dnnl_unidirectional_left2right, &layer->src, NULL,
						  NULL, &weights_layer, &weights_iter, &bias,
						  &layer->dst, NULL, NULL, 0)) ||
	    (status = dnnl_primitive_attr_create(&attr)))
		return status;
	/* So that threads which run one primitive at once do not share a scratchpad. */
	status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
	if (!status)
		status = dnnl_primitive_desc_create(&layer->desc, &rnn, attr, l->engine, NULL);
	if (!status)
		status = dnnl_primitive_create(&layer->primitive, layer->desc);
	dnnl_primitive_attr_destroy(attr);
	return status;
}

static dnnl_status_t pack_weights(struct lstm *l, dnnl_stream_t stream, struct layer *layer,
				  const struct model_layer *from)
{
	const dnnl_dim_t width = (dnnl_dim_t)from->in, hidden = (dnnl_dim_t)l->model->hidden;
	dnnl_memory_desc_t weights_layer, weights_iter, bias;
	size_t gates = 4 * l->model->hidden;
	float *bias_sum = mem_zalloc(gates, sizeof(float));
	dnnl_status_t status;

	for (size_t i = 0; i < gates; i++)
		bias_sum[i] = from->bias_ih[i] + from->bias_hh[i];
	if (!(status = describe(&weights_layer, 5, (dnnl_dims_t){ 1, 1, width, 4, hidden },
				dnnl_ldgoi)) &&
	    !(status = describe(&weights_iter, 5, (dnnl_dims_t){ 1, 1, hidden, 4, hidden },
				dnnl_ldgoi)) &&
	    !(status = describe(&bias, 4, (dnnl_dims_t){ 1, 1, 4, hidden }, dnnl_ldgo)) &&
	    !(status = pack(l, stream, &weights_layer, from->weight_ih,
			    dnnl_primitive_desc_query_md(layer->desc, dnnl_query_exec_arg_md,
							 DNNL_ARG_WEIGHTS_LAYER),
			    &layer->weights_layer)) &&
	    !(status = pack(l, stream, &weights_iter, from->weight_hh,
			    dnnl_primitive_desc_query_md(layer->desc, dnnl_query_exec_arg_md,
							 DNNL_ARG_WEIGHTS_ITER),
			    &layer->weights_iter)))
		status = pack(l, stream, &bias, bias_sum, &bias, &layer->bias);
	mem_free(bias_sum);
	return status;
}

enum err lstm_create(struct lstm **out, const struct model *m, struct err_text *text)
{
	struct lstm *l = mem_zalloc(1, sizeof(*l));
	dnnl_stream_t stream = NULL;
	const char *step = "engine";
	dnnl_status_t status;

	omp_set_num_threads(1);
	l->model = m;
	l->layers = mem_zalloc(m->layer_count, sizeof(*l->layers));
	status = dnnl_engine_create(&l->engine, dnnl_cpu, 0);
	if (!status)
		status = dnnl_stream_create(&stream, l->engine, dnnl_stream_default_flags);
	for (size_t i = 0; i < m->layer_count && !status; i++) {
		step = "compiling a layer";
		status = create_primitive(l, &l->layers[i], m->layers[i].in);
		if (!status) {
			step = "packing weights";
			status = pack_weights(l, stream, &l->layers[i], &m->layers[i]);
		}
	}
	dnnl_stream_destroy(stream);
	if (!status) {
		*out = l;
		return OK;
	}
	lstm_destroy(&l);
	return failed(text, step, status);
}

void lstm_destroy(struct lstm **l)
{
	struct lstm *old = *l;

	if (!old)
		return;
	for (size_t i = 0; i < old->model->layer_count; i++) {
		dnnl_memory_destroy(old->layers[i].weights_layer);
		dnnl_memory_destroy(old->layers[i].weights_iter);
		dnnl_memory_destroy(old->layers[i].bias);
		dnnl_primitive_destroy(old->layers[i].primitive);
		dnnl_primitive_desc_destroy(old->layers[i].desc);
	}
	mem_free(old->layers);
	dnnl_engine_destroy(old->engine);
	mem_free(old);
	*l = NULL;
}

static dnnl_status_t create_layer_run(struct lstm_run *r, size_t index)
{
	const struct layer *layer = &r->lstm->layers[index];
	const struct model *m = r->lstm->model;
	struct layer_run *to = &r->layers[index];
	const dnnl_memory_desc_t *scratch =
		dnnl_primitive_desc_query_md(layer->desc, dnnl_query_scratchpad_md, 0);
	dnnl_status_t status;

	to->output = mem_zalloc(m->window * m->hidden, sizeof(float));
	status = dnnl_memory_create(&to->src, &layer->src, r->lstm->engine,
				    index ? r->layers[index - 1].output : r->input);
	if (!status)
		status = dnnl_memory_create(&to->dst, &layer->dst, r->lstm->engine, to->output);
	if (!status)
		status = dnnl_memory_create(&to->scratch, scratch, r->lstm->engine,
					    DNNL_MEMORY_ALLOCATE);
	return status;
}

enum err lstm_run_create(struct lstm_run **out, const struct lstm *l, struct err_text *text)
{
	struct lstm_run *r = mem_zalloc(1, sizeof(*r));
	const struct model *m = l->model;
	dnnl_status_t status;

	omp_set_num_threads(1);
	r->lstm = l;
	r->input = mem_zalloc(m->window * m->feature_count, sizeof(float));
	r->layers = mem_zalloc(m->layer_count, sizeof(*r->layers));
	status = dnnl_stream_create(&r->stream, l->engine, dnnl_stream_default_flags);
	for (size_t i = 0; i < m->layer_count && !status; i++)
		status = create_layer_run(r, i);
	if (!status) {
		*out = r;
		return OK;
	}
	lstm_run_destroy(&r);
	return failed(text, "creating the buffers of a thread", status);
}

void lstm_run_destroy(struct lstm_run **r)
{
	struct lstm_run *old = *r;

	if (!old)
		return;
	for (size_t i = 0; i < old->lstm->model->layer_count; i++) {
		dnnl_memory_destroy(old->layers[i].src);
		dnnl_memory_destroy(old->layers[i].dst);
		dnnl_memory_destroy(old->layers[i].scratch);
		mem_free(old->layers[i].output);
	}
	mem_free(old->layers);
	mem_free(old->input);
	dnnl_stream_destroy(old->stream);
	mem_free(old);
	*r = NULL;
}

float *lstm_run_input(struct lstm_run *r)
{
	return r->input;
}

const float *lstm_run_step(struct lstm_run *r)
{
	const struct model *m = r->lstm->model;

	for (size_t i = 0; i < m->layer_count; i++) {
		const struct layer *layer = &r->lstm->layers[i];
		const dnnl_exec_arg_t args[] = {
			{ DNNL_ARG_SRC_LAYER, r->layers[i].src },
			{ DNNL_ARG_WEIGHTS_LAYER, layer->weights_layer },
			{ DNNL_ARG_WEIGHTS_ITER, layer->weights_iter },
			{ DNNL_ARG_BIAS, layer->bias },
			{ DNNL_ARG_DST_LAYER, r->layers[i].dst },
			{ DNNL_ARG_SCRATCHPAD, r->layers[i].scratch },
		};

		if (dnnl_primitive_execute(layer->primitive, r->stream, 6, args))
			return NULL;
	}
	if (dnnl_stream_wait(r->stream))
		return NULL;
	return r->layers[m->layer_count - 1].output + (m->window - 1) * m->hidden;
}
