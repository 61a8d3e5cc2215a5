/* SPDX-License-Identifier: MIT
 *
 * arrivals - see the header. Times are doubles, which hold a century of microseconds to a part of
 * one: rounding to whole ones would turn 30,000/s into 30,303/s. */
#include "user/arrivals.h"

#include <math.h>

#include "base/clock.h"
#include "cicada.h"

/* What is later than this comes never: far beyond any test, far below what a uint64_t holds. */
#define NEVER_US 1e18

static double draw_gap(struct arrivals *a)
{
	/* rng_unit() is below 1, so the logarithm is finite. */
	return a->kind == CIC_ARRIVALS_KIND_POISSON ? -log(1 - rng_unit(&a->rng)) : 1;
}

void arrivals_init(struct arrivals *a, int kind, uint64_t seed, uint64_t stream)
{
	*a = (struct arrivals){ .kind = kind };
	rng_init(&a->rng, seed, stream);
	a->left = kind == CIC_ARRIVALS_KIND_POISSON ? draw_gap(a) : rng_unit(&a->rng);
}

void arrivals_set_rate(struct arrivals *a, double per_s, uint64_t now_us)
{
	double passed = ((double)now_us - a->since_us) * a->per_us;

	if (passed > 0)
		a->left = a->left > passed ? a->left - passed : 0;
	a->since_us = (double)now_us;
	a->per_us = per_s / (double)CLOCK_S;
}

uint64_t arrivals_next_us(const struct arrivals *a)
{
	double at_us;

	if (!(a->per_us > 0))
		return UINT64_MAX;
	at_us = a->since_us + a->left / a->per_us;
	return at_us < NEVER_US ? (uint64_t)at_us : UINT64_MAX;
}

void arrivals_pass(struct arrivals *a)
{
	a->since_us += a->left / a->per_us;
	a->left = draw_gap(a);
}
