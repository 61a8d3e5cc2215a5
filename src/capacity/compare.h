/* SPDX-License-Identifier: MIT
 *
 * compare - is B faster than A, slower, the same, or is that not known?
 *
 * On repeats of one scenario (of rows, not of requests: millions of them make every difference
 * significant), without assumption on their distribution:
 *
 * - Mann-Whitney's U, two-sided: exact when there are no ties and at most COMPARE_EXACT_MAX values
 *   on each side, else by the normal distribution with corrections for ties and continuity.
 * - The shift from A to B by Hodges and Lehmann, the median of all differences, with the interval
 *   that belongs to the test (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 4.2).
 * - Cliff's delta: how much more often a value of B is above one of A than below, -1 to 1.
 *
 * A verdict needs both: a difference that chance does not explain, and one that matters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "capacity/interval.h"

#define COMPARE_EXACT_MAX 20u

enum compare_verdict {
	COMPARE_UNKNOWN, /* too few or too scattered to tell */
	COMPARE_SAME,	 /* the interval of the shift is within the minimum effect */
	COMPARE_BETTER, /* B is better (faster) than A: significant, and at least the minimum effect
			 */
	COMPARE_WORSE
};

struct compare_config {
	double alpha;	     /* chance of a verdict where there is no difference: 0.05 */
	double effect_min;   /* a share of A's median: 0.05 */
	bool is_more_better; /* throughput; otherwise less is: times */
};

struct compare {
	enum compare_verdict verdict;
	double p;
	bool is_exact;
	double median_a, median_b;
	struct interval shift; /* B - A, in the values' unit; low and high are infinite when there
				  are too few values for alpha */
	double shift_pct;      /* shift.value, in percent of A's median; NAN when that is 0 */
	double delta;	       /* Cliff's */
	size_t repeats_needed; /* of each side, at least, for a verdict at alpha */
};

/* ERR_BAD_INPUT: a side is empty or a value is not finite. ERR_TOO_BIG: more than LIMIT_REPEATS. */
enum err compare_samples(const double *a, size_t a_count, const double *b, size_t b_count,
			 const struct compare_config *config, struct compare *out,
			 struct err_text *why) MUST_CHECK;
/* "faster" and "slower" of times and rates alike, "the same", "unknown". */
const char *compare_verdict_name(enum compare_verdict verdict);
