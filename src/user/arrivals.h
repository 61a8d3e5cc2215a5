/* SPDX-License-Identifier: MIT
 *
 * arrivals - when the next one of an open loop comes (pure: no clock, no timer).
 *
 * A gap is kept as a number of mean gaps still to pass, so a change of the rate in the middle of
 * it scales what is left: a ramp of an even schedule has no jump, and a Poisson process stays one.
 * Even ones begin at a random point of their grid: those of several threads and workers do not
 * come together. */
#pragma once

#include <stdint.h>

#include "base/rng.h"

struct arrivals {
	int kind; /* CIC_ARRIVALS_KIND_*, not NONE */
	struct rng rng;
	double per_us; /* rate; 0: none come */
	double left;   /* mean gaps from since_us to the next one */
	double since_us;
};

/* None come before arrivals_set_rate(). Streams of one seed are independent. */
void arrivals_init(struct arrivals *a, int kind, uint64_t seed, uint64_t stream);
/* From now_us on. Take what is due with arrivals_pass() before, or it is due at now_us. */
void arrivals_set_rate(struct arrivals *a, double per_s, uint64_t now_us);
/* When the next one comes; UINT64_MAX: never. */
uint64_t arrivals_next_us(const struct arrivals *a);
/* It came, at the time that arrivals_next_us() says, however late that was seen. */
void arrivals_pass(struct arrivals *a);
