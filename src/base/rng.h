/* SPDX-License-Identifier: MIT
 *
 * rng - xoshiro256** (Blackman, Vigna 2018), seeded through splitmix64.
 *
 * One per owner, never shared. The same seed and stream give the same numbers on
 * every machine. Not for secrets. */
#pragma once

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* Streams of one seed are independent: give each user its own number. */
void rng_init(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);
/* Uniform in [0, 1), 53 bits. */
double rng_unit(struct rng *r);
/* Uniform in [0, below), without bias. below must not be 0. */
uint64_t rng_below(struct rng *r, uint64_t below);
