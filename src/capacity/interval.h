/* SPDX-License-Identifier: MIT
 *
 * interval - between which values does the truth lie, with 95 % confidence?
 *
 * In whatever unit the values have. Where the samples do not suffice nothing is made up: the answer
 * is ERR_NOT_FOUND, with the number that would do. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stat/hist.h"

#define INTERVAL_CONFIDENCE 0.95
/* Means of fewer batches say little of how the next would be. */
#define INTERVAL_BATCHES_MIN 10u
/* Batches whose means are more alike than this to their neighbours are merged. */
#define INTERVAL_LAG1_MAX 0.2
/* Where that leaves too few, up to here the interval is widened instead. */
#define INTERVAL_LAG1_WIDEST 0.5
/* Repeats of a measurement of which an interval can be made. */
#define INTERVAL_REPEATS_MIN 2u

struct interval {
	double value, low, high;
};

/* How an interval of a mean came about. */
struct interval_batches {
	size_t count;	       /* batches */
	size_t size;	       /* values in each */
	double lag1;	       /* autocorrelation of their means with the next one's */
	double standard_error; /* of the mean of all */
};

/* half the width, as a share of the value: what --until-interval is about. */
double interval_relative(const struct interval *i);

/* Of the mean of a steady series with one value per second, by batch means (Law and Kelton): pairs
 * of neighbours are merged until the means of batches hardly know of each other, then Student's t
 * of these. When merging has to stop at INTERVAL_BATCHES_MIN before that, the interval is widened
 * as for a first-order autoregressive series, sqrt((1 + lag1) / (1 - lag1)). Values that are NAN
 * are left out first. *batches may be NULL. ERR_NOT_FOUND: too few values, or still too dependent.
 */
enum err interval_mean(const double *values, size_t count, struct interval *out,
		       struct interval_batches *batches, struct err_text *why) MUST_CHECK;

/* Of the mean of independent repeats: Student's t. */
enum err interval_repeats(const double *values, size_t count, struct interval *out,
			  struct err_text *why) MUST_CHECK;

/* Of a percentile in microseconds (share: 0.99 for p99), without any assumption on the shape: the
 * two order statistics between which it lies, by their binomial ranks (David and Nagaraja, Order
 * Statistics, 7.1). Both must exist, which takes interval_percentile_samples().
 *
 * Neighbours in a queue wait for the same reasons, so n responses tell less than n independent ones
 * would. `inflation` says how much less: 1 for independent, else interval_inflation(). */
enum err interval_percentile(const struct hist *h, double share, double inflation,
			     struct interval *out_us, struct err_text *why) MUST_CHECK;
/* The fewest independent samples that have it: 6 for p50, 72 for p95, 368 for p99, 3688 for
 * p99.9. */
uint64_t interval_percentile_samples(double share);
/* The squared standard error of the mean response time, by batches, over what it would be if the
 * responses of the histogram were independent; at least 1. Both in the same unit, microseconds. */
double interval_inflation(const struct interval_batches *batches, const struct hist *h);

/* Of a ratio, 0 to 1: `hits` of `count` (Wilson, 1927). count must not be 0, hits not above it. */
struct interval interval_ratio(uint64_t hits, uint64_t count);
