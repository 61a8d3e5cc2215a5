/* SPDX-License-Identifier: MIT
 *
 * ask - see the header. */
#include "infer/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

/* What each of the three arrays may keep between requests: there is an ask for each that may wait.
 */
#define KEPT_BYTES (4 * 1024)
/* Rows that are further apart than this do not tell when the next one is. */
#define STEP_US_MAX ((int64_t)LIMIT_MODEL_INTERVAL_S * 1000000)

void ask_init(struct ask *a)
{
	*a = (struct ask){ 0 };
}

void ask_fini(struct ask *a)
{
	mem_free(a->rows);
	mem_free(a->windows);
	mem_free(a->predictions);
	mem_free(a->echo);
	*a = (struct ask){ 0 };
}

static void shrink(void **p, size_t *cap)
{
	if (*cap <= KEPT_BYTES)
		return;
	mem_free(*p);
	*p = NULL;
	*cap = 0;
}

void ask_begin(struct ask *a, const struct schema *schema)
{
	shrink((void **)&a->rows, &a->rows_cap);
	shrink((void **)&a->windows, &a->windows_cap);
	shrink((void **)&a->predictions, &a->predictions_cap);
	mem_free(a->echo);
	a->echo = NULL;
	a->schema = schema;
	a->form = ASK_ROWS;
	a->window_count = 0;
	a->steps = 1;
	a->has_steps = a->has_times = false;
	a->index_name[0] = '\0';
}

bool ask_set_steps(struct ask *a, const char *text, struct ask_fault *fault)
{
	uint64_t steps;

	if (!num_parse_u64(str_of(text), LIMIT_PREDICT_STEPS, &steps) || !steps)
		return ask_refuse(fault, 422,
				  "inference_length: must be a whole number from 1 to %d",
				  LIMIT_PREDICT_STEPS);
	a->steps = (size_t)steps;
	a->has_steps = true;
	return true;
}

/* Sizes are bounded by what a body can hold and by LIMIT_PREDICT_*. */
static void grow(void **p, size_t *cap, size_t bytes)
{
	if (bytes <= *cap)
		return;
	*cap = bytes < 2 * *cap ? 2 * *cap : bytes;
	*p = mem_realloc(*p, *cap);
}

static size_t window_floats(const struct ask *a)
{
	return a->schema->rows * a->schema->input_count;
}

float *ask_add_window(struct ask *a)
{
	size_t count = a->window_count + 1;

	if (count > LIMIT_PREDICT_WINDOWS)
		return NULL;
	grow((void **)&a->rows, &a->rows_cap, count * window_floats(a) * sizeof(float));
	grow((void **)&a->windows, &a->windows_cap, count * sizeof(*a->windows));
	a->windows[a->window_count] = (struct ask_window){ .step_us = a->schema->interval_us };
	a->window_count = count;
	return ask_rows(a, count - 1);
}

float *ask_rows(struct ask *a, size_t window)
{
	return a->rows + window * window_floats(a);
}

double *ask_predictions(const struct ask *a, size_t window, size_t step)
{
	return a->predictions + (window * a->steps + step) * a->schema->target_count;
}

const char *ask_index_name(struct str name)
{
	static const char *const names[] = { "ts", "time", "timestamp" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(name, names[i]))
			return names[i];
	return NULL;
}

void ask_set_times(struct ask *a, const struct moment *previous, const struct moment *last)
{
	struct ask_window *w = &a->windows[a->window_count - 1];
	const int64_t step_us = previous ? moment_between_us(previous, last) : 0;

	w->last = *last;
	a->has_times = true;
	if (step_us > 0 && step_us <= STEP_US_MAX)
		w->step_us = step_us;
}

bool ask_refuse(struct ask_fault *fault, unsigned status, const char *fmt, ...)
{
	va_list ap;

	fault->status = status;
	va_start(ap, fmt);
	vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	return false;
}

bool ask_is_complete(struct ask *a, struct ask_fault *fault)
{
	if (a->steps > 1 && !schema_can_continue(a->schema))
		return ask_refuse(fault, 422,
				  "inference_length: this model forecasts nothing that it takes "
				  "in, so it can only look one row ahead");
	if (a->steps * a->window_count > LIMIT_PREDICT_STEPS)
		return ask_refuse(fault, 422,
				  "inference_length: %zu steps for each of %zu windows are more "
				  "than the %d that one request may ask for",
				  a->steps, a->window_count, LIMIT_PREDICT_STEPS);
	grow((void **)&a->predictions, &a->predictions_cap,
	     a->window_count * a->steps * a->schema->target_count * sizeof(double));
	return true;
}

size_t ask_bytes(const struct ask *a)
{
	return a->rows_cap + a->windows_cap + a->predictions_cap;
}

struct moment ask_moment(const struct ask *a, size_t window, size_t step)
{
	const struct ask_window *w = &a->windows[window];
	struct moment m = w->last;

	m.us += ((int64_t)step + 1) * w->step_us;
	return m;
}

void ask_advance(struct ask *a, size_t window, size_t step)
{
	const struct schema *s = a->schema;
	const double *predicted = ask_predictions(a, window, step);
	float *rows = ask_rows(a, window), *last = rows + (s->rows - 1) * s->input_count;
	struct moment moment;

	/* What is not forecast stays as it was. */
	memmove(rows, rows + s->input_count, (s->rows - 1) * s->input_count * sizeof(float));
	for (size_t i = 0; i < s->feature_count; i++)
		if (s->fed_by[i] != FED_BY_NONE)
			last[i] = (float)predicted[s->fed_by[i]];
	if (!s->time_count)
		return;
	moment = ask_moment(a, window, step);
	moment_fill(&moment, s->times, s->time_count, last + s->feature_count);
}
