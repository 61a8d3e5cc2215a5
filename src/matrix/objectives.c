/* SPDX-License-Identifier: MIT
 *
 * objectives - see the header. */
#include "matrix/objectives.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "matrix/result_row.h"
#include "matrix/verdict.h"

/* What is wanted to be 0 and is not, and a service that answers nothing at all. */
#define EXCESS_MAX 1000.0

/* "p95<200ms" as the bound that a row breaks. */
static enum err parse_item(const char *text, struct bound *out, struct err_text *why)
{
	struct err_text wrong = { "" };
	enum err err = verdict_parse(text, out, &wrong);

	if (!err && out->metric == BOUND_RPS && !out->is_above)
		err = err_set(&wrong, ERR_BAD_OPTION, "of rps more is better; give rps>100");
	if (!err && out->metric != BOUND_RPS && out->is_above)
		err = err_set(&wrong, ERR_BAD_OPTION, "less is better; give it with <");
	if (err)
		return err_set(why, ERR_BAD_OPTION, "--slo '%.100s': %.300s", text, wrong.text);
	out->is_above = !out->is_above;
	out->is_equal = !out->is_equal;
	return OK;
}

enum err objectives_parse(const char *text, struct objectives *out, struct err_text *why)
{
	char *item = out->text;

	out->count = 0;
	if ((size_t)snprintf(out->text, sizeof(out->text), "%s", text) >= sizeof(out->text))
		return err_set(why, ERR_BAD_OPTION, "--slo: longer than %d bytes",
			       OBJECTIVES_BYTES - 1);
	while (item) {
		char *comma = strchr(item, ',');
		enum err err;

		if (comma)
			*comma = '\0';
		if (out->count == OBJECTIVES_MAX)
			return err_set(why, ERR_BAD_OPTION, "--slo: more than %d objectives",
				       OBJECTIVES_MAX);
		err = parse_item(item, &out->items[out->count], why);
		if (err)
			return err;
		out->count++;
		item = comma ? comma + 1 : NULL;
	}
	return OK;
}

void objectives_say(const struct objectives *o, struct buf *out)
{
	for (size_t i = 0; i < o->count; i++)
		buf_printf(out, "%s%s", i ? ", " : "", o->items[i].text);
}

static double excess_of(const struct bound *b, double value)
{
	double excess = b->metric == BOUND_RPS ? b->limit / value : value / b->limit;

	/* A limit of 0 that is kept. */
	if (isnan(excess))
		return 0;
	return fmin(excess, EXCESS_MAX);
}

static struct result_range range_of(const struct bound *b, const struct result_row *row)
{
	struct interval ratio;

	if (b->metric == BOUND_PERCENTILE)
		return verdict_range(b, row);
	/* That of the steady part, which the window's may be beside. */
	if (b->metric == BOUND_RPS && row->rps >= row->steady_rps_range.low &&
	    row->rps <= row->steady_rps_range.high)
		return row->steady_rps_range;
	/* A strange master may have counted more failures than requests. */
	if (b->metric != BOUND_FAIL_RATIO || !row->total_requests ||
	    row->failures > row->total_requests)
		return (struct result_range){ NAN, NAN };
	ratio = interval_ratio(row->failures, row->total_requests);
	return (struct result_range){ ratio.low, ratio.high };
}

static struct interval excess_interval(const struct bound *b, const struct result_row *row,
				       double value)
{
	double excess = excess_of(b, value);
	struct result_range range = range_of(b, row);

	if (isnan(range.low) || isnan(range.high))
		return (struct interval){ excess, excess, excess };
	if (b->metric == BOUND_RPS)
		return (struct interval){ excess, excess_of(b, range.high),
					  excess_of(b, range.low) };
	return (struct interval){ excess, excess_of(b, range.low), excess_of(b, range.high) };
}

enum err objectives_excess(const struct objectives *o, const struct result_row *row,
			   struct interval *out, struct err_text *why)
{
	*out = (struct interval){ 0, 0, 0 };
	/* The load was made, and nothing came back. */
	if (row->status == RESULT_NO_REQUESTS) {
		*out = (struct interval){ EXCESS_MAX, EXCESS_MAX, EXCESS_MAX };
		return OK;
	}
	if (row->status != RESULT_OK || row->verdict == RESULT_VERDICT_INVALID)
		return err_set(why, ERR_NOT_FOUND, "%s",
			       row->reason[0] ? row->reason : result_status_name(row->status));
	for (size_t i = 0; i < o->count; i++) {
		const struct bound *b = &o->items[i];
		double value = verdict_value(b, row);
		struct interval excess;

		if (isnan(value))
			return err_set(why, ERR_NOT_FOUND, "%s was not measured", b->text);
		excess = excess_interval(b, row, value);
		if (!i || excess.value > out->value)
			*out = excess;
	}
	return OK;
}

enum err objectives_check_samples(const struct objectives *o, const struct result_row *row,
				  struct err_text *why)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct bound *b = &o->items[i];
		uint64_t needed;

		if (b->metric != BOUND_PERCENTILE)
			continue;
		needed = interval_percentile_samples(b->share);
		if (row->window_requests < needed)
			return err_set(why, ERR_NOT_FOUND,
				       "%s takes %" PRIu64 " requests in the window, and there "
				       "were %" PRIu64 "; test longer",
				       b->text, needed, row->window_requests);
	}
	return OK;
}
