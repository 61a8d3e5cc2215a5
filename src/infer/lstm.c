/* SPDX-License-Identifier: MIT
 *
 * lstm - see the header.
 *
 * oneDNN wants the layers of one primitive to have inputs of one width, and our first layer
 * is narrower, so each layer is a primitive of its own; layer n writes [window][shape][hidden],
 * which layer n + 1 reads. PyTorch's gates (i, f, g, o) are in oneDNN's order (i, f, c, o), its
 * weights [4 * hidden][in] are oneDNN's "ldgoi", and its two biases act as their sum. The
 * state before the first row is not given, which means zero.
 *
 * Debian's oneDNN runs on OpenMP, where every thread of ours that calls it would get a team of
 * threads of its own. A request is too small to be shared and requests come in parallel, so each
 * calling thread is told to be its own team. OMP_NUM_THREADS would do it for the whole
 * program, but it is read before main(). The number belongs to the thread, so it is set with every
 * step: that costs nothing, and it does not matter which thread has created what.
 *
 * A primitive is compiled for one number of windows. A batch is filled up to the next of a few
 * shapes: a window that is computed for nobody costs less than a primitive compiled under load. */
#include "infer/lstm.h"

#include <oneapi/dnnl/dnnl.h>

#include <stdbool.h>

#include "base/limits.h"
#include "base/mem.h"
#include "infer/model.h"

/* Of libgomp, which libdnnl is linked with; omp.h would bind us to one compiler's OpenMP. */
void omp_set_num_threads(int count);

/* Windows of a batch. Beyond the last nothing is gained. */
static const size_t shapes[] = { 1, 2, 4, 8, 16, 32, LIMIT_BATCH };
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* A layer compiled for one batch shape. */
struct layer {
	dnnl_primitive_desc_t desc;
	dnnl_primitive_t primitive;
	dnnl_memory_t weights_layer, weights_iter; /* packed */
	bool owns_weights;			   /* else a smaller shape's, of the same format */
	dnnl_memory_desc_t src, dst;		   /* tnc: [window][shape][in], [..][hidden] */
};

struct lstm {
	const struct model *model;
	dnnl_engine_t engine;
	size_t shape_count;
	struct layer *layers[SHAPES]; /* [layer_count] of each shape that is made */
	dnnl_memory_t *bias;	      /* [layer_count], of all shapes */
};

/* The memory of one layer in one shape; its input is the output of the one before. */
struct layer_run {
	dnnl_memory_t src, dst, scratch;
};

/* Shapes and layers run one after the other, so all shapes share one memory, made for the
 * largest, and all layers one scratchpad. */
struct lstm_run {
	const struct lstm *lstm;
	dnnl_stream_t stream;
	float *input;	   /* [window][shape][input_count] */
	float *outputs[2]; /* [window][shape][hidden]; the layers take turns */
	dnnl_memory_t scratch;
	struct layer_run *layers[SHAPES];
};

static enum err failed(struct err_text *text, const char *step, dnnl_status_t status)
{
	return err_set(text, ERR_UNSUPPORTED, "oneDNN: %s: status %d", step, (int)status);
}

/* A weight or an input below 1e-38 changes no prediction, but costs a hundred times the time:
 * x86 (MXCSR) and Arm (FPCR) can take such numbers for zero. Returns what to restore. */
static unsigned flush_denormals(void)
{
#if defined(__x86_64__)
	const unsigned mode = __builtin_ia32_stmxcsr();

	__builtin_ia32_ldmxcsr(mode | 0x8040); /* FTZ and DAZ */
	return mode;
#elif defined(__aarch64__)
	unsigned long mode;

	__asm__ volatile("mrs %0, fpcr" : "=r"(mode));
	__asm__ volatile("msr fpcr, %0" : : "r"(mode | 1ul << 24)); /* FZ */
	return (unsigned)mode;
#endif
}

static void restore_denormals(unsigned mode)
{
#if defined(__x86_64__)
	__builtin_ia32_ldmxcsr(mode);
#elif defined(__aarch64__)
	__asm__ volatile("msr fpcr, %0" : : "r"((unsigned long)mode));
#endif
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
static dnnl_status_t create_primitive(struct lstm *l, struct layer *layer, size_t in, size_t shape)
{
	const dnnl_dim_t rows = (dnnl_dim_t)l->model->window, windows = (dnnl_dim_t)shape;
	const dnnl_dim_t width = (dnnl_dim_t)in, hidden = (dnnl_dim_t)l->model->hidden;
	dnnl_memory_desc_t weights_layer, weights_iter, bias;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_rnn_desc_t rnn;
	dnnl_status_t status;

	if ((status = describe(&layer->src, 3, (dnnl_dims_t){ rows, windows, width }, dnnl_tnc)) ||
	    (status = describe(&layer->dst, 3, (dnnl_dims_t){ rows, windows, hidden }, dnnl_tnc)) ||
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

static const dnnl_memory_desc_t *wanted(const struct layer *layer, int what)
{
	return dnnl_primitive_desc_query_md(layer->desc, dnnl_query_exec_arg_md, what);
}

static bool has_format(dnnl_memory_t memory, const dnnl_memory_desc_t *format)
{
	const dnnl_memory_desc_t *own = NULL;

	return dnnl_memory_get_memory_desc(memory, &own) == dnnl_success &&
	       dnnl_memory_desc_equal(own, format);
}

/* Whether an earlier shape's packed weights serve this layer too; takes them then. */
static bool share_weights(const struct lstm *l, struct layer *layer, size_t index)
{
	for (size_t i = 0; i < l->shape_count; i++) {
		const struct layer *from = &l->layers[i][index];

		if (from->owns_weights &&
		    has_format(from->weights_layer, wanted(layer, DNNL_ARG_WEIGHTS_LAYER)) &&
		    has_format(from->weights_iter, wanted(layer, DNNL_ARG_WEIGHTS_ITER))) {
			layer->weights_layer = from->weights_layer;
			layer->weights_iter = from->weights_iter;
			return true;
		}
	}
	return false;
}

static dnnl_status_t pack_weights(struct lstm *l, dnnl_stream_t stream, struct layer *layer,
				  const struct model_layer *from)
{
	const dnnl_dim_t width = (dnnl_dim_t)from->in, hidden = (dnnl_dim_t)l->model->hidden;
	dnnl_memory_desc_t weights_layer, weights_iter;
	dnnl_status_t status;

	layer->owns_weights = true;
	if (!(status = describe(&weights_layer, 5, (dnnl_dims_t){ 1, 1, width, 4, hidden },
				dnnl_ldgoi)) &&
	    !(status = describe(&weights_iter, 5, (dnnl_dims_t){ 1, 1, hidden, 4, hidden },
				dnnl_ldgoi)) &&
	    !(status = pack(l, stream, &weights_layer, from->weight_ih,
			    wanted(layer, DNNL_ARG_WEIGHTS_LAYER), &layer->weights_layer)))
		status = pack(l, stream, &weights_iter, from->weight_hh,
			      wanted(layer, DNNL_ARG_WEIGHTS_ITER), &layer->weights_iter);
	return status;
}

static dnnl_status_t pack_bias(struct lstm *l, dnnl_stream_t stream, size_t index)
{
	const struct model_layer *from = &l->model->layers[index];
	const size_t gates = 4 * l->model->hidden;
	float *sum = mem_zalloc(gates, sizeof(float));
	dnnl_memory_desc_t bias;
	dnnl_status_t status;

	for (size_t i = 0; i < gates; i++)
		sum[i] = from->bias_ih[i] + from->bias_hh[i];
	status = describe(&bias, 4, (dnnl_dims_t){ 1, 1, 4, (dnnl_dim_t)l->model->hidden },
			  dnnl_ldgo);
	if (!status)
		status = pack(l, stream, &bias, sum, &bias, &l->bias[index]);
	mem_free(sum);
	return status;
}

static size_t scratch_bytes(const struct layer *layer)
{
	return dnnl_memory_desc_get_size(
		dnnl_primitive_desc_query_md(layer->desc, dnnl_query_scratchpad_md, 0));
}

/* Of one thread, for the shape's buffers. */
static size_t run_bytes(const struct lstm *l, const struct layer *layers, size_t shape)
{
	const struct model *m = l->model;
	size_t scratch = 0;

	for (size_t i = 0; i < m->layer_count; i++)
		if (scratch < scratch_bytes(&layers[i]))
			scratch = scratch_bytes(&layers[i]);
	return scratch + m->window * shape * (m->input_count + 2 * m->hidden) * sizeof(float);
}

static void destroy_shape(const struct lstm *l, struct layer *layers)
{
	for (size_t i = 0; i < l->model->layer_count; i++) {
		if (layers[i].owns_weights) {
			dnnl_memory_destroy(layers[i].weights_layer);
			dnnl_memory_destroy(layers[i].weights_iter);
		}
		dnnl_primitive_destroy(layers[i].primitive);
		dnnl_primitive_desc_destroy(layers[i].desc);
	}
	mem_free(layers);
}

/* ERR_TOO_BIG: it would work, but its buffers are too large. */
static enum err add_shape(struct lstm *l, dnnl_stream_t stream, size_t shape, struct err_text *text)
{
	const struct model *m = l->model;
	struct layer *layers = mem_zalloc(m->layer_count, sizeof(*layers));
	const char *step = "compiling a layer";
	dnnl_status_t status = dnnl_success;
	bool is_large;

	for (size_t i = 0; i < m->layer_count && !status; i++)
		status = create_primitive(l, &layers[i], m->layers[i].in, shape);
	/* One window must do, whatever it needs. */
	is_large = !status && shape > 1 && run_bytes(l, layers, shape) > LIMIT_BATCH_BYTES;
	for (size_t i = 0; i < m->layer_count && !status && !is_large; i++) {
		step = "packing weights";
		if (!share_weights(l, &layers[i], i))
			status = pack_weights(l, stream, &layers[i], &m->layers[i]);
	}
	if (!status && !is_large) {
		l->layers[l->shape_count++] = layers;
		return OK;
	}
	destroy_shape(l, layers);
	return is_large ? ERR_TOO_BIG : failed(text, step, status);
}

enum err lstm_create(struct lstm **out, const struct model *m, size_t batch_max,
		     struct err_text *text)
{
	struct lstm *l = mem_zalloc(1, sizeof(*l));
	dnnl_stream_t stream = NULL;
	dnnl_status_t status;
	enum err err = OK;

	omp_set_num_threads(1);
	l->model = m;
	l->bias = mem_zalloc(m->layer_count, sizeof(*l->bias));
	status = dnnl_engine_create(&l->engine, dnnl_cpu, 0);
	if (!status)
		status = dnnl_stream_create(&stream, l->engine, dnnl_stream_default_flags);
	for (size_t i = 0; i < m->layer_count && !status; i++)
		status = pack_bias(l, stream, i);
	if (status)
		err = failed(text, "engine", status);
	for (size_t i = 0; i < SHAPES && !err && (i == 0 || shapes[i] <= batch_max); i++)
		err = add_shape(l, stream, shapes[i], text);
	dnnl_stream_destroy(stream);
	if (!err || err == ERR_TOO_BIG) {
		*out = l;
		return OK;
	}
	lstm_destroy(&l);
	return err;
}

void lstm_destroy(struct lstm **l)
{
	struct lstm *old = *l;

	if (!old)
		return;
	/* Owners are smaller than those that share: the last first. */
	while (old->shape_count)
		destroy_shape(old, old->layers[--old->shape_count]);
	for (size_t i = 0; i < old->model->layer_count; i++)
		dnnl_memory_destroy(old->bias[i]);
	mem_free(old->bias);
	dnnl_engine_destroy(old->engine);
	mem_free(old);
	*l = NULL;
}

/* The index of the smallest shape that holds count windows. */
static size_t shape_index(const struct lstm *l, size_t count)
{
	size_t i = 0;

	ensure(count >= 1 && count <= shapes[l->shape_count - 1]);
	while (shapes[i] < count)
		i++;
	return i;
}

size_t lstm_batch_max(const struct lstm *l)
{
	return shapes[l->shape_count - 1];
}

size_t lstm_shape(const struct lstm *l, size_t count)
{
	return shapes[shape_index(l, count)];
}

static dnnl_status_t create_scratch(struct lstm_run *r)
{
	const struct lstm *l = r->lstm;
	const struct layer *largest = &l->layers[0][0];

	for (size_t s = 0; s < l->shape_count; s++)
		for (size_t i = 0; i < l->model->layer_count; i++)
			if (scratch_bytes(&l->layers[s][i]) > scratch_bytes(largest))
				largest = &l->layers[s][i];
	return dnnl_memory_create(
		&r->scratch,
		dnnl_primitive_desc_query_md(largest->desc, dnnl_query_scratchpad_md, 0), l->engine,
		DNNL_MEMORY_ALLOCATE);
}

static dnnl_status_t create_layer_run(struct lstm_run *r, size_t shape, size_t index)
{
	const struct layer *layer = &r->lstm->layers[shape][index];
	struct layer_run *to = &r->layers[shape][index];
	dnnl_engine_t engine = r->lstm->engine;
	void *scratch = NULL;
	dnnl_status_t status;

	status = dnnl_memory_get_data_handle(r->scratch, &scratch);
	if (!status)
		status = dnnl_memory_create(&to->src, &layer->src, engine,
					    index ? r->outputs[(index - 1) % 2] : r->input);
	if (!status)
		status = dnnl_memory_create(&to->dst, &layer->dst, engine, r->outputs[index % 2]);
	if (!status)
		status = dnnl_memory_create(
			&to->scratch,
			dnnl_primitive_desc_query_md(layer->desc, dnnl_query_scratchpad_md, 0),
			engine, scratch);
	return status;
}

enum err lstm_run_create(struct lstm_run **out, const struct lstm *l, struct err_text *text)
{
	struct lstm_run *r = mem_zalloc(1, sizeof(*r));
	const struct model *m = l->model;
	const size_t rows = m->window * lstm_batch_max(l);
	dnnl_status_t status;

	r->lstm = l;
	r->input = mem_zalloc(rows * m->input_count, sizeof(float));
	for (size_t i = 0; i < 2; i++)
		r->outputs[i] = mem_zalloc(rows * m->hidden, sizeof(float));
	status = dnnl_stream_create(&r->stream, l->engine, dnnl_stream_default_flags);
	if (!status)
		status = create_scratch(r);
	for (size_t s = 0; s < l->shape_count; s++) {
		r->layers[s] = mem_zalloc(m->layer_count, sizeof(*r->layers[s]));
		for (size_t i = 0; i < m->layer_count && !status; i++)
			status = create_layer_run(r, s, i);
	}
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
	for (size_t s = 0; s < old->lstm->shape_count && old->layers[s]; s++) {
		for (size_t i = 0; i < old->lstm->model->layer_count; i++) {
			dnnl_memory_destroy(old->layers[s][i].src);
			dnnl_memory_destroy(old->layers[s][i].dst);
			dnnl_memory_destroy(old->layers[s][i].scratch);
		}
		mem_free(old->layers[s]);
	}
	dnnl_memory_destroy(old->scratch);
	dnnl_stream_destroy(old->stream);
	mem_free(old->input);
	mem_free(old->outputs[0]);
	mem_free(old->outputs[1]);
	mem_free(old);
	*r = NULL;
}

float *lstm_run_input(struct lstm_run *r)
{
	return r->input;
}

static dnnl_status_t run_layers(struct lstm_run *r, size_t shape)
{
	dnnl_status_t status = dnnl_success;

	for (size_t i = 0; i < r->lstm->model->layer_count && !status; i++) {
		const struct layer *layer = &r->lstm->layers[shape][i];
		const struct layer_run *run = &r->layers[shape][i];
		const dnnl_exec_arg_t args[] = {
			{ DNNL_ARG_SRC_LAYER, run->src },
			{ DNNL_ARG_WEIGHTS_LAYER, layer->weights_layer },
			{ DNNL_ARG_WEIGHTS_ITER, layer->weights_iter },
			{ DNNL_ARG_BIAS, r->lstm->bias[i] },
			{ DNNL_ARG_DST_LAYER, run->dst },
			{ DNNL_ARG_SCRATCHPAD, run->scratch },
		};

		status = dnnl_primitive_execute(layer->primitive, r->stream, 6, args);
	}
	return status ? status : dnnl_stream_wait(r->stream);
}

const float *lstm_run_step(struct lstm_run *r, size_t count)
{
	const struct model *m = r->lstm->model;
	const size_t shape = shape_index(r->lstm, count);
	const unsigned mode = flush_denormals();
	dnnl_status_t status;

	omp_set_num_threads(1);
	status = run_layers(r, shape);
	restore_denormals(mode);
	if (status)
		return NULL;
	return r->outputs[(m->layer_count - 1) % 2] + (m->window - 1) * shapes[shape] * m->hidden;
}
