/* SPDX-License-Identifier: MIT
 *
 * metrics_text - see the header. */
#include "serve/metrics_text.h"

#include <inttypes.h>
#include <math.h>

/* HELP escapes \ and newline, label values also ". */
static void add_escaped(struct buf *b, const char *text, bool is_label)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_add_text(b, "\\n");
		else if (*text == '\\' || (is_label && *text == '"'))
			buf_printf(b, "\\%c", *text);
		else
			buf_add_char(b, *text);
	}
}

static void add_value(struct buf *b, double value)
{
	if (isnan(value))
		buf_add_text(b, "NaN");
	else if (isinf(value))
		buf_add_text(b, value > 0 ? "+Inf" : "-Inf");
	else if (value == floor(value) && fabs(value) < 9007199254740992.0)
		buf_printf(b, "%.0f", value);
	else
		buf_printf(b, "%.17g", value);
}

/* name{labels,le="..."} value; le NULL: no such label. */
static void add_line(struct buf *b, const char *name, const char *suffix,
		     const struct metrics_label *labels, size_t label_count, const char *le,
		     double value)
{
	const char *before = "{";

	buf_printf(b, "%s%s", name, suffix);
	for (size_t i = 0; i < label_count; i++) {
		buf_printf(b, "%s%s=\"", before, labels[i].name);
		add_escaped(b, labels[i].value, true);
		buf_add_char(b, '"');
		before = ",";
	}
	if (le) {
		buf_printf(b, "%sle=\"%s\"", before, le);
		before = ",";
	}
	if (*before == ',')
		buf_add_char(b, '}');
	buf_add_char(b, ' ');
	add_value(b, value);
	buf_add_char(b, '\n');
}

void metrics_text_family(struct buf *b, const char *name, enum metrics_kind kind, const char *help)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };

	buf_printf(b, "# HELP %s ", name);
	add_escaped(b, help, false);
	buf_printf(b, "\n# TYPE %s %s\n", name, kinds[kind]);
}

void metrics_text_sample(struct buf *b, const char *name, const struct metrics_label *labels,
			 size_t label_count, double value)
{
	add_line(b, name, "", labels, label_count, NULL, value);
}

void metrics_text_hist(struct buf *b, const char *name, const struct metrics_label *labels,
		       size_t label_count, const struct hist *h, const double *bounds_s,
		       size_t bound_count)
{
	uint64_t below = 0, us, count;
	double sum_s = 0;
	size_t bound = 0;
	struct buf le;

	buf_init(&le, 64);
	for (size_t at = 0; hist_next(h, &at, &us, &count);) {
		for (; bound < bound_count && (double)us * 1e-6 > bounds_s[bound]; bound++) {
			buf_clear(&le);
			buf_printf(&le, "%g", bounds_s[bound]);
			add_line(b, name, "_bucket", labels, label_count, le.p, (double)below);
		}
		below += count;
		sum_s += (double)us * 1e-6 * (double)count;
	}
	for (; bound < bound_count; bound++) {
		buf_clear(&le);
		buf_printf(&le, "%g", bounds_s[bound]);
		add_line(b, name, "_bucket", labels, label_count, le.p, (double)below);
	}
	add_line(b, name, "_bucket", labels, label_count, "+Inf", (double)below);
	add_line(b, name, "_sum", labels, label_count, NULL, sum_s);
	add_line(b, name, "_count", labels, label_count, NULL, (double)below);
	buf_fini(&le);
}
