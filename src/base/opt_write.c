/* SPDX-License-Identifier: MIT
 *
 * opt_write - see the header. A JSON string is a YAML string. */
#include "base/opt_write.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* A number out of its bounds is a default that cannot be given. */
static bool is_within(const struct opt *opt, double value)
{
	return !isnan(value) &&
	       ((!opt->min && !opt->max) || (value >= opt->min && value <= opt->max));
}

static void begin(const struct opt *opt, struct buf *out)
{
	buf_printf(out, "%s: ", opt->name);
}

static void add_text(const struct opt *opt, const char *text, struct buf *out)
{
	if (!text)
		return;
	begin(opt, out);
	buf_add_json(out, str_of(text));
	buf_add_char(out, '\n');
}

static void add_number(const struct opt *opt, double value, struct buf *out)
{
	if (!is_within(opt, value))
		return;
	begin(opt, out);
	buf_add_real(out, value);
	buf_add_char(out, '\n');
}

static void add_count(const struct opt *opt, uint64_t value, struct buf *out)
{
	if (!is_within(opt, (double)value))
		return;
	begin(opt, out);
	buf_printf(out, "%" PRIu64 "\n", value);
}

static void add_counts(const struct opt *opt, const struct opt_counts *counts, struct buf *out)
{
	begin(opt, out);
	for (size_t i = 0; i < counts->count; i++)
		buf_printf(out, "%s%" PRIu64, i ? ", " : "[", counts->value[i]);
	buf_add_text(out, counts->count ? "]\n" : "[]\n");
}

static void add_texts(const struct opt *opt, const struct opt_texts *texts, struct buf *out)
{
	if (!texts->count)
		return;
	begin(opt, out);
	for (size_t i = 0; i < texts->count; i++) {
		buf_add_text(out, i ? ", " : "[");
		buf_add_json(out, str_of(texts->value[i]));
	}
	buf_add_text(out, "]\n");
}

static void add(const struct opt *opt, const void *field, struct buf *out)
{
	switch (opt->type) {
	case OPT_FLAG:
		if (*(const bool *)field)
			buf_printf(out, "%s: true\n", opt->name);
		break;
	case OPT_TEXT:
	case OPT_SWITCH:
	case OPT_CHOICE:
		add_text(opt, *(const char *const *)field, out);
		break;
	case OPT_COUNT:
	case OPT_DURATION:
		add_count(opt, *(const uint64_t *)field, out);
		break;
	case OPT_NUMBER:
		add_number(opt, *(const double *)field, out);
		break;
	case OPT_COUNTS:
		add_counts(opt, field, out);
		break;
	case OPT_TEXTS:
	case OPT_WORDS:
		add_texts(opt, field, out);
		break;
	case OPT_IGNORED:
	case OPT_IGNORED_TEXT:
	case OPT_REFUSED:
	case OPT_HEADING:
		break;
	}
}

void opt_write_yaml(const struct opt_table *table, const void *options, const char *const *but,
		    struct buf *out)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct opt *opt = &table->rows[i];

		if (opt->name && !is_among(opt->name, but))
			add(opt, (const char *)options + opt->offset, out);
	}
}
