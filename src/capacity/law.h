/* SPDX-License-Identifier: MIT
 *
 * law - does what was measured agree with itself?
 *
 * Users, throughput and times are measured apart from one another, yet bound in a closed loop by a
 * law without any assumption on the service, N = X (R + Z) (Little, 1961; Denning and Buzen, 1978).
 * A row that breaks it has lost users or requests, was not steady, or was held up by its load
 * generator.
 *
 * Means are what the law is about; a median in their place is a guess. */
#pragma once

#define LAW_SUSPECT_PCT 3.0
#define LAW_BROKEN_PCT	10.0

enum law_verdict {
	LAW_UNKNOWN, /* one of the figures is */
	LAW_KEPT,
	LAW_OFF,   /* by more than LAW_SUSPECT_PCT */
	LAW_BROKEN /* by more than LAW_BROKEN_PCT */
};

struct law {
	double expected;  /* users, as they follow from the others */
	double error_pct; /* of the measured number; below 0: fewer than there were. NAN: unknown */
	enum law_verdict verdict;
};

/* users N, all of them running for the whole window; rps X, response_s R, wait_s Z: mean time
 * between an answer and the next request (CIC_BETWEEN(1, 2): 1.5). With several requests per
 * task Z is the waiting of a task divided by them. NAN: not known. */
struct law law_interactive(double users, double rps, double response_s, double wait_s);
