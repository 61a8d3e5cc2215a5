/* SPDX-License-Identifier: MIT
 *
 * equal - --equal-weights: a scenario in which all classes, and all tasks of a class, have the
 * weight 1. */
#pragma once

#include "user/scenario.h"

/* *out lends from `in`; to be given to equal_release(). */
void equal_weights(const struct scenario *in, struct scenario *out);
/* Does nothing to a scenario of zeros. */
void equal_release(struct scenario *out);
