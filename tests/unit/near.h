/* SPDX-License-Identifier: MIT
 *
 * near - a number that was calculated, against what it should be. */
#pragma once

#include <math.h>
#include <stdbool.h>

/* Within a share of `want`, or of 1 where that is 0. */
static inline bool is_near(double got, double want, double share)
{
	return fabs(got - want) <= share * (want != 0 ? fabs(want) : 1);
}
