/* SPDX-License-Identifier: MIT
 *
 * lstm - see the header. docs/notes says why the arithmetic is ours. */
#include "infer/lstm.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "infer/cell.h"
#include "infer/model.h"

struct lstm {
	size_t window, input_count, layer_count, width, batch_max;
	struct cell *layers; /* [layer_count] */
};

struct lstm_run {
	const struct lstm *lstm;
	float *input;	   /* [row][count][input_count] */
	float *memory;	   /* of the layer that runs: [count][width] */
	float *outputs[2]; /* [row][count][width]; the layers take turns */
};

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

/* Of one thread, for a batch of one. */
static size_t run_bytes(const struct lstm *l)
{
	return (l->window * (l->input_count + 2 * l->width) + l->width) * sizeof(float);
}

struct lstm *lstm_create(const struct model *m, const struct cell_code *code, size_t batch_max)
{
	struct lstm *l = mem_zalloc(1, sizeof(*l));

	ensure(batch_max >= 1 && batch_max <= LIMIT_BATCH);
	l->window = m->window;
	l->input_count = m->input_count;
	l->layer_count = m->layer_count;
	l->width = cell_width(code, m->hidden);
	l->layers = mem_zalloc(m->layer_count, sizeof(*l->layers));
	for (size_t i = 0; i < m->layer_count; i++)
		cell_init(&l->layers[i], code, &m->layers[i], m->hidden,
			  i ? l->width : m->input_count);
	l->batch_max = LIMIT_BATCH_BYTES / run_bytes(l);
	if (l->batch_max > batch_max)
		l->batch_max = batch_max;
	/* One window must do, whatever it needs. */
	if (l->batch_max < 1)
		l->batch_max = 1;
	return l;
}

void lstm_destroy(struct lstm **l)
{
	struct lstm *old = *l;

	if (!old)
		return;
	for (size_t i = 0; i < old->layer_count; i++)
		cell_fini(&old->layers[i]);
	mem_free(old->layers);
	mem_free(old);
	*l = NULL;
}

size_t lstm_batch_max(const struct lstm *l)
{
	return l->batch_max;
}

size_t lstm_stride(const struct lstm *l)
{
	return l->width;
}

struct lstm_run *lstm_run_create(const struct lstm *l)
{
	struct lstm_run *r = mem_zalloc(1, sizeof(*r));
	const size_t rows = l->window * l->batch_max;

	r->lstm = l;
	r->input = mem_zalloc(rows * l->input_count, sizeof(float));
	r->memory = mem_zalloc(l->batch_max * l->width, sizeof(float));
	for (size_t i = 0; i < 2; i++)
		r->outputs[i] = mem_zalloc(rows * l->width, sizeof(float));
	return r;
}

void lstm_run_destroy(struct lstm_run **r)
{
	struct lstm_run *old = *r;

	if (!old)
		return;
	mem_free(old->input);
	mem_free(old->memory);
	mem_free(old->outputs[0]);
	mem_free(old->outputs[1]);
	mem_free(old);
	*r = NULL;
}

float *lstm_run_input(struct lstm_run *r)
{
	return r->input;
}

const float *lstm_run_step(struct lstm_run *r, size_t count)
{
	const struct lstm *l = r->lstm;
	const unsigned mode = flush_denormals();
	const float *from = r->input;

	ensure(count >= 1 && count <= l->batch_max);
	for (size_t i = 0; i < l->layer_count; i++) {
		const struct cell *layer = &l->layers[i];

		layer->code->run(layer, l->window, count, from, r->memory, r->outputs[i % 2]);
		from = r->outputs[i % 2];
	}
	restore_denormals(mode);
	return from + (l->window - 1) * count * l->width;
}
