/* SPDX-License-Identifier: MIT
 *
 * lstm - the recurrent layers of a model on oneDNN, one window or several at once.
 *
 * A struct lstm holds the compiled layers and their packed weights; it does not change and
 * all threads share it. A struct lstm_run owns every float that changes; one thread at a time
 * may use it. A step runs on the calling thread alone, and numbers too small to be normal
 * count as zero in it.
 *
 * A step is made for one of a few shapes (numbers of windows: powers of two up to
 * lstm_batch_max()). A batch between two of them is computed in the larger one; what stands in
 * its unused places does not matter to the others. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct lstm;
struct lstm_run;
struct model;

/* batch_max: windows in one step, rounded down to a shape; 64 at most, and fewer when a thread's
 * buffers would need more than LIMIT_BATCH_BYTES. The model is lent until lstm_destroy().
 * ERR_UNSUPPORTED: oneDNN refuses. */
enum err lstm_create(struct lstm **out, const struct model *m, size_t batch_max,
		     struct err_text *text) MUST_CHECK;
void lstm_destroy(struct lstm **l);
size_t lstm_batch_max(const struct lstm *l);
/* The shape in which count windows are computed, 1 <= count <= lstm_batch_max(). */
size_t lstm_shape(const struct lstm *l, size_t count);

/* The lstm is lent until lstm_run_destroy(). */
enum err lstm_run_create(struct lstm_run **out, const struct lstm *l,
			 struct err_text *text) MUST_CHECK;
void lstm_run_destroy(struct lstm_run **r);
/* Where the scaled inputs go: [window][shape][input_count], oldest row first. */
float *lstm_run_input(struct lstm_run *r);
/* Starts from a zero state and gives the last layer's output after the last row:
 * [shape][hidden], valid until the next call. NULL: oneDNN failed. */
const float *lstm_run_step(struct lstm_run *r, size_t count);
