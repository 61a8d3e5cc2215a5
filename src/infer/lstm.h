/* SPDX-License-Identifier: MIT
 *
 * lstm - the recurrent layers of a model, one window or several at once.
 *
 * A struct lstm holds the layers as the CPU wants them; it does not change and all threads share
 * it. A struct lstm_run owns every float that changes; one thread at a time may use it. A step
 * runs on the calling thread alone, and numbers too small to be normal count as zero in it. */
#pragma once

#include <stddef.h>

struct cell_code;
struct lstm;
struct lstm_run;
struct model;

/* batch_max: windows in one step; LIMIT_BATCH at most, and fewer when a thread's buffers would need
 * more than LIMIT_BATCH_BYTES. */
struct lstm *lstm_create(const struct model *m, const struct cell_code *code, size_t batch_max);
void lstm_destroy(struct lstm **l);
size_t lstm_batch_max(const struct lstm *l);
/* From the output of one window to the next. */
size_t lstm_stride(const struct lstm *l);

/* The lstm is lent until lstm_run_destroy(). */
struct lstm_run *lstm_run_create(const struct lstm *l);
void lstm_run_destroy(struct lstm_run **r);
/* Where the scaled inputs of count windows go: [row][count][input_count], oldest row first. */
float *lstm_run_input(struct lstm_run *r);
/* Starts from a zero state and gives the last layer's output after the last row:
 * [count][lstm_stride()], valid until the next call. */
const float *lstm_run_step(struct lstm_run *r, size_t count);
