/* SPDX-License-Identifier: MIT
 *
 * chance - the distributions that intervals and tests are made of.
 *
 * Normal, Student's t and binomial, by way of the regularised incomplete beta function
 * (Numerical Recipes 6.4; Abramowitz and Stegun 26.5, 26.7). Probabilities are exact to about
 * 1e-10, quantiles to the precision of their search. Arguments are our own: what makes no sense is
 * a programming error. */
#pragma once

#include <stdint.h>

/* P(Z <= z), and the z below which `p` (0 to 1, neither of them) lies. */
double chance_normal(double z);
double chance_normal_quantile(double p);
/* The t below which `p` lies, with `freedom` (1 or more) degrees of freedom. */
double chance_t_quantile(double p, double freedom);
/* P(at most `hits` of `count` trials), each with probability p (0 to 1, neither of them). */
double chance_binomial(uint64_t hits, uint64_t count, double p);
/* The smallest number of hits for which that is at least `share` (0 to 1, neither of them). */
uint64_t chance_binomial_quantile(double share, uint64_t count, double p);
