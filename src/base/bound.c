/* SPDX-License-Identifier: MIT
 *
 * bound - see the header. */
#include "base/bound.h"

#include <string.h>

#include "base/num.h"

static const struct {
	const char *name;
	enum bound_metric metric;
} metrics[] = {
	{ "mean", BOUND_MEAN },		{ "max", BOUND_MAX }, { "fail_ratio", BOUND_FAIL_RATIO },
	{ "failures", BOUND_FAILURES }, { "rps", BOUND_RPS },
};

static const struct {
	const char *unit;
	double ms;
} time_units[] = { { "us", 1e-3 }, { "ms", 1 }, { "s", 1e3 } };

static enum err parse_metric(struct str word, struct bound *out, struct err_text *why)
{
	double percent;

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (!str_eq(word, metrics[i].name))
			continue;
		out->metric = metrics[i].metric;
		return OK;
	}
	if (word.len > 1 && word.p[0] == 'p' &&
	    num_parse_double((struct str){ word.p + 1, word.len - 1 }, &percent) && percent > 0 &&
	    percent <= 100) {
		out->metric = BOUND_PERCENTILE;
		out->share = percent / 100;
		return OK;
	}
	return err_set(why, ERR_BAD_INPUT,
		       "'%.*s' is no measure; give p50, p99.9 or another percentile, mean, max, "
		       "fail_ratio, failures or rps",
		       STR_ARG(word));
}

/* A number and, for what needs one, a unit. */
static enum err parse_limit(struct str word, struct bound *out, struct err_text *why)
{
	size_t digits = 0;
	struct str unit;

	while (digits < word.len && strchr("0123456789.+-", word.p[digits]))
		digits++;
	unit = str_trim((struct str){ word.p + digits, word.len - digits });
	if (!num_parse_double((struct str){ word.p, digits }, &out->limit) || out->limit < 0)
		return err_set(why, ERR_BAD_INPUT, "'%.*s' is no limit; give a number",
			       STR_ARG(word));
	switch (out->metric) {
	case BOUND_PERCENTILE:
	case BOUND_MEAN:
	case BOUND_MAX:
		for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
			if (!str_eq(unit, time_units[i].unit))
				continue;
			out->limit *= time_units[i].ms;
			return OK;
		}
		return err_set(why, ERR_BAD_INPUT, "'%.*s' needs a unit: us, ms or s",
			       STR_ARG(word));
	case BOUND_FAIL_RATIO:
		if (str_eq(unit, "%"))
			out->limit /= 100;
		else if (unit.len)
			return err_set(why, ERR_BAD_INPUT, "'%.*s' is no ratio; give 1%% or 0.01",
				       STR_ARG(word));
		return OK;
	case BOUND_FAILURES:
	case BOUND_RPS:
		break;
	}
	return unit.len ? err_set(why, ERR_BAD_INPUT, "'%.*s' is no plain number", STR_ARG(word))
			: OK;
}

/* What stands in the braces. A name may hold braces and signs of its own: the last one ends it. */
static enum err take_who(struct str *rest, struct bound *out, struct err_text *why)
{
	const char *end = memrchr(rest->p, '}', rest->len);

	if (!end)
		return err_set(why, ERR_BAD_INPUT, "a { needs a }");
	out->who = str_trim((struct str){ rest->p + 1, (size_t)(end - rest->p) - 1 });
	if (!out->who.len)
		return err_set(why, ERR_BAD_INPUT,
			       "the braces are empty; give {METHOD name} or {name}");
	*rest = str_trim((struct str){ end + 1, rest->len - (size_t)(end + 1 - rest->p) });
	return OK;
}

enum err bound_parse(const char *text, struct bound *out, struct err_text *why)
{
	struct str rest = str_trim(str_of(text)), word = { rest.p, 0 };
	enum err err;

	*out = (struct bound){ .text = text, .who = { text, 0 } };
	while (word.len < rest.len && !strchr("{<>= \t", rest.p[word.len]))
		word.len++;
	rest = str_trim((struct str){ rest.p + word.len, rest.len - word.len });
	err = parse_metric(word, out, why);
	if (!err && rest.len && rest.p[0] == '{')
		err = take_who(&rest, out, why);
	if (err)
		return err;
	if (!rest.len || (rest.p[0] != '>' && rest.p[0] != '<'))
		return err_set(why, ERR_BAD_INPUT,
			       "behind the measure comes >, >=, < or <=, such as p99>200ms");
	out->is_above = rest.p[0] == '>';
	out->is_equal = rest.len > 1 && rest.p[1] == '=';
	rest.p += 1 + out->is_equal;
	rest.len -= 1 + out->is_equal;
	return parse_limit(str_trim(rest), out, why);
}

bool bound_is_time(const struct bound *b)
{
	return b->metric == BOUND_PERCENTILE || b->metric == BOUND_MEAN || b->metric == BOUND_MAX;
}

bool bound_is_broken(const struct bound *b, double value)
{
	return (b->is_above ? value > b->limit : value < b->limit) ||
	       (b->is_equal && value == b->limit);
}

void bound_add_value(const struct bound *b, double value, struct buf *out)
{
	if (bound_is_time(b))
		buf_printf(out, "%.*f ms", value < 10 ? 3 : value < 1000 ? 1 : 0, value);
	else if (b->metric == BOUND_FAIL_RATIO)
		buf_printf(out, "%.*f %%", value < 0.01 ? 4 : 2, value * 100);
	else if (b->metric == BOUND_RPS)
		buf_printf(out, "%.1f/s", value);
	else
		buf_printf(out, "%.0f", value);
}
