/* SPDX-License-Identifier: MIT
 *
 * verdict - see the header. */
#include "matrix/verdict.h"

#include <math.h>

#include "matrix/result_row.h"

/* The percentiles of a row. */
static const struct {
	double share;
	size_t offset, range;
} percentiles[] = {
	{ 0.50, offsetof(struct result_row, median_ms), offsetof(struct result_row, median_range) },
	{ 0.90, offsetof(struct result_row, p90_ms), offsetof(struct result_row, p90_range) },
	{ 0.95, offsetof(struct result_row, p95_ms), offsetof(struct result_row, p95_range) },
	{ 0.99, offsetof(struct result_row, p99_ms), offsetof(struct result_row, p99_range) },
	{ 0.999, offsetof(struct result_row, p999_ms), offsetof(struct result_row, p999_range) },
};

#define PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

static size_t find_percentile(double share)
{
	size_t i = 0;

	while (i < PERCENTILES && fabs(percentiles[i].share - share) > 1e-9)
		i++;
	return i;
}

enum err verdict_parse(const char *text, struct bound *out, struct err_text *why)
{
	enum err err = bound_parse(text, out, why);

	if (err)
		return err;
	if (out->who.len)
		return err_set(why, ERR_BAD_INPUT,
			       "a row is of all requests; leave out the braces");
	if (out->metric == BOUND_PERCENTILE && find_percentile(out->share) == PERCENTILES)
		return err_set(why, ERR_BAD_INPUT, "a row has p50, p90, p95, p99 and p99.9 only");
	return OK;
}

enum err verdict_add(struct verdict_bounds *bounds, const char *text, struct err_text *why)
{
	struct err_text wrong = { "" };

	ensure(bounds->count < LIMIT_GATES);
	if (verdict_parse(text, &bounds->items[bounds->count], &wrong))
		return err_set(why, ERR_BAD_OPTION, "--fail-if '%.100s': %.300s", text, wrong.text);
	bounds->count++;
	return OK;
}

double verdict_value(const struct bound *b, const struct result_row *row)
{
	switch (b->metric) {
	case BOUND_PERCENTILE:
		return *(const double *)((const char *)row +
					 percentiles[find_percentile(b->share)].offset);
	case BOUND_MEAN:
		return row->avg_ms;
	case BOUND_MAX:
		return row->max_ms;
	case BOUND_FAIL_RATIO:
		return row->failures_pct / 100;
	case BOUND_FAILURES:
		return row->failures == UINT64_MAX ? NAN : (double)row->failures;
	case BOUND_RPS:
		break;
	}
	return row->rps;
}

struct result_range verdict_range(const struct bound *b, const struct result_row *row)
{
	if (b->metric != BOUND_PERCENTILE)
		return (struct result_range){ NAN, NAN };
	return *(const struct result_range *)((const char *)row +
					      percentiles[find_percentile(b->share)].range);
}

static bool is_kept(const struct bound *b, const struct result_row *row)
{
	double value = verdict_value(b, row);

	return !isnan(value) && !bound_is_broken(b, value);
}

bool verdict_is_kept(const struct verdict_bounds *bounds, const struct result_row *row)
{
	for (size_t i = 0; i < bounds->count; i++)
		if (row->status == RESULT_OK && !is_kept(&bounds->items[i], row))
			return false;
	return true;
}

void verdict_say_broken(const struct verdict_bounds *bounds, const struct result_row *row,
			struct buf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < bounds->count; i++) {
		const struct bound *b = &bounds->items[i];
		double value = verdict_value(b, row);

		if (is_kept(b, row))
			continue;
		buf_printf(out, "%s%s: ", comma, b->text);
		if (isnan(value))
			buf_add_text(out, "nothing was measured");
		else
			bound_add_value(b, value, out);
		comma = ", ";
	}
}
