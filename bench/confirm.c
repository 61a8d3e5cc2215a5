/* SPDX-License-Identifier: MIT
 *
 * confirm - forecasts of 200 steps, by users that wait 0.5 to 1.5 s, for bench/confirm.py: one
 * keeps the service busy for milliseconds and the load generator for next to nothing. */
#define PATH "/predict?inference_length=200"
#define WAIT CIC_BETWEEN(0.5, 1.5)
#include "predict.c"
