/* SPDX-License-Identifier: MIT
 *
 * cell_code - what cell.c and the code for each kind of CPU share; for nobody else. */
#pragma once

#include "infer/cell.h"

/* Of PyTorch: input, forget, candidate, output. */
#define CELL_GATES     4
#define CELL_CANDIDATE 2

/* cell_code.c, once for each; meson.build says with which options. */
#if defined(__x86_64__)
extern const struct cell_code cell_avx512, cell_avx2;
#endif
extern const struct cell_code cell_plain;
