/* SPDX-License-Identifier: MIT
 *
 * bound - a condition on a measure of a test, as people write it for --fail-if:
 *
 *	p99>200ms   p95{POST /predict}>=0.1s   mean>50ms   max>2s
 *	fail_ratio>1%   failures{/login}>10   rps<500
 *
 * In braces stands whose requests count: "METHOD name", or a name with whatever method; without
 * them all do. Who has the measures asks whether their value breaks the bound. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum bound_metric {
	BOUND_PERCENTILE,
	BOUND_MEAN,
	BOUND_MAX,
	BOUND_FAIL_RATIO,
	BOUND_FAILURES,
	BOUND_RPS
};

struct bound {
	const char *text; /* lent */
	enum bound_metric metric;
	double share;	/* of a percentile, 0 to 1 */
	struct str who; /* of text; len 0: all */
	bool is_above;	/* broken when the value is above the limit, else when below */
	bool is_equal;	/* or equal */
	double limit;	/* ms, ratio, count or per second */
};

/* *text is lent for the bound's life. ERR_BAD_INPUT: what is wrong with it and how it should be. */
enum err bound_parse(const char *text, struct bound *out, struct err_text *why) MUST_CHECK;
/* Of a time, in ms. */
bool bound_is_time(const struct bound *b);
bool bound_is_broken(const struct bound *b, double value);
/* "312.4 ms", "1.25 %". */
void bound_add_value(const struct bound *b, double value, struct buf *out);
