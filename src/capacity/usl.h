/* SPDX-License-Identifier: MIT
 *
 * usl - the Universal Scalability Law, fitted to measured load levels.
 *
 *	X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))
 *
 * (Gunther, Guerrilla Capacity Planning, 2007). lambda: throughput of one, sigma: the share that
 * waits for what only one can have (contention), kappa: the cost of agreeing (coherency). The peak
 * is at N = sqrt((1 - sigma) / kappa).
 *
 * Least squares on the throughput, sigma and kappa not below 0. Intervals of 95 % by the delta
 * method with Student's t of count - 3 degrees of freedom; the errors of levels may differ (HC3,
 * MacKinnon and White, 1985), as those of throughputs do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "capacity/interval.h"

#define USL_LEVELS_MIN 6u

struct usl {
	struct interval lambda, sigma, kappa;
	/* Only with has_peak: kappa is above 0 with confidence and the peak is not further than
	 * twice the largest load. Without, throughput is not known to fall, and nothing is said of
	 * more. */
	bool has_peak;
	struct interval peak_load, peak_rps;
	double load_max; /* the largest that was measured */
	double t;	 /* Student's, for 95 % */
	/* Of lambda, sigma, kappa, in this order. */
	double covariance[3][3];
	double r_squared; /* share of the variance that the law explains */
	size_t levels;	  /* different loads */
};

/* load[i]: users that do not wait, or rps times mean response time in seconds where they do, at a
 * fixed number of replicas; or replicas, each measured at saturation. Levels may be repeated.
 * rps[i]: throughput. All finite and above 0.
 * ERR_NOT_FOUND: fewer than USL_LEVELS_MIN levels, or the levels do not tell the coefficients
 * apart: what to measure in addition is said. ERR_TOO_BIG above LIMIT_LEVELS values, ERR_BAD_INPUT
 * for values that are no loads. */
enum err usl_fit(const double *load, const double *rps, size_t count, struct usl *out,
		 struct err_text *why) MUST_CHECK;
/* Throughput at a load by the fitted law, and between which values the law itself may be there. */
struct interval usl_rps(const struct usl *u, double load);
