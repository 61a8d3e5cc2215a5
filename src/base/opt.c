/* SPDX-License-Identifier: MIT
 *
 * opt - see the header. */
#include "base/opt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

/* Where a value came from, for messages: "--users" or "LOCUST_USERS". */
struct origin {
	const char *name;
	const char *dashes;
};

static enum err bad_value(struct err_text *text, struct origin from, const char *value,
			  const char *want)
{
	return err_set(text, ERR_BAD_OPTION, "%s%s: '%s' is not %s", from.dashes, from.name, value,
		       want);
}

static bool is_within(const struct opt *o, double v)
{
	return (o->min == 0 && o->max == 0) || (v >= o->min && v <= o->max);
}

static enum err out_of_bounds(struct err_text *text, const struct opt *o, struct origin from,
			      const char *value)
{
	return err_set(text, ERR_BAD_OPTION, "%s%s: '%s' is out of bounds, give %g to %g",
		       from.dashes, from.name, value, o->min, o->max);
}

static enum err set_flag(const char *value, struct origin from, bool *out, struct err_text *text)
{
	static const char *const yes[] = { "true", "1", "yes", "on" }, *const no[] = { "false", "0",
										       "no", "off",
										       "" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!strcasecmp(value, yes[i]))
			return *out = true, OK;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (!strcasecmp(value, no[i]))
			return *out = false, OK;
	return bad_value(text, from, value, "true or false");
}

static enum err set_counts(const struct opt *o, const char *value, struct origin from,
			   struct opt_counts *out, struct err_text *text)
{
	struct str rest = str_of(value), item;

	out->count = 0;
	while (str_cut(&rest, ',', &item)) {
		if (out->count == LIMIT_AXIS_VALUES)
			return err_set(text, ERR_BAD_OPTION, "%s%s: more than %d values",
				       from.dashes, from.name, LIMIT_AXIS_VALUES);
		if (!num_parse_u64(str_trim(item), UINT64_MAX, &out->value[out->count]))
			return bad_value(text, from, value,
					 "a list of whole numbers such as 1,2,4");
		if (!is_within(o, (double)out->value[out->count]))
			return out_of_bounds(text, o, from, value);
		out->count++;
	}
	return OK;
}

static enum err set_value(const struct opt *o, void *options, const char *value, struct origin from,
			  struct err_text *text)
{
	void *field = (char *)options + o->offset;
	struct opt_texts *texts = field;

	switch (o->type) {
	case OPT_FLAG:
		return set_flag(value, from, field, text);
	case OPT_TEXT:
		*(const char **)field = value;
		return OK;
	case OPT_COUNT:
		if (!num_parse_u64(str_trim(str_of(value)), UINT64_MAX, field))
			return bad_value(text, from, value, "a whole number");
		return is_within(o, (double)*(uint64_t *)field)
			       ? OK
			       : out_of_bounds(text, o, from, value);
	case OPT_NUMBER:
		if (!num_parse_double(str_trim(str_of(value)), field))
			return bad_value(text, from, value, "a number");
		return is_within(o, *(double *)field) ? OK : out_of_bounds(text, o, from, value);
	case OPT_DURATION:
		if (!num_parse_duration(str_trim(str_of(value)), field))
			return bad_value(text, from, value, "a time such as 20, 20s, 3m or 1h20m");
		return OK;
	case OPT_COUNTS:
		return set_counts(o, value, from, field, text);
	case OPT_TEXTS:
	case OPT_WORDS:
		if (texts->count == LIMIT_AXIS_VALUES)
			return err_set(text, ERR_BAD_OPTION, "%s%s: given more than %d times",
				       from.dashes, from.name, LIMIT_AXIS_VALUES);
		texts->value[texts->count++] = value;
		return OK;
	}
	return ERR_BAD_OPTION;
}

static enum err read_environment(const struct opt_table *table, void *options,
				 struct err_text *text)
{
	for (size_t i = 0; i < table->count; i++) {
		struct str rest = table->rows[i].env ? str_of(table->rows[i].env)
						     : (struct str){ NULL, 0 },
			   one;

		while (str_cut(&rest, ' ', &one)) {
			char name[128];
			const char *value;
			enum err err;

			snprintf(name, sizeof(name), "%.*s", STR_ARG(one));
			value = getenv(name);
			if (!value || !*value)
				continue;
			err = set_value(&table->rows[i], options, value,
					(struct origin){ name, "" }, text);
			if (err)
				return err;
			break;
		}
	}
	return OK;
}

/* Levenshtein distance, cut off at small lengths: only used to suggest a name. */
static size_t distance(struct str a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n >= sizeof(row) / sizeof(row[0]))
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.len; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t replace = corner + (a.p[i] != b[j]),
			       best = row[j] < row[j + 1] ? row[j] : row[j + 1];

			corner = row[j + 1];
			row[j + 1] = replace < best + 1 ? replace : best + 1;
		}
	}
	return row[n];
}

static enum err unknown_name(const struct opt_table *table, struct str name, struct err_text *text)
{
	const char *best = NULL;
	size_t best_distance = 4;

	for (size_t i = 0; i < table->count; i++) {
		size_t d = distance(name, table->rows[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = table->rows[i].name;
		}
	}
	if (best)
		return err_set(text, ERR_BAD_OPTION, "--%.*s: no such option. Did you mean --%s?",
			       STR_ARG(name), best);
	return err_set(text, ERR_BAD_OPTION, "--%.*s: no such option; --help lists them",
		       STR_ARG(name));
}

static enum err find_long(const struct opt_table *table, struct str name, const struct opt **out,
			  struct err_text *text)
{
	const struct opt *found = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const struct opt *o = &table->rows[i];

		if (str_eq(name, o->name)) {
			*out = o;
			return OK;
		}
		if (strncmp(o->name, name.p, name.len) != 0)
			continue;
		if (found)
			return err_set(text, ERR_BAD_OPTION, "--%.*s: could be --%s or --%s",
				       STR_ARG(name), found->name, o->name);
		found = o;
	}
	if (!found || !name.len)
		return unknown_name(table, name, text);
	*out = found;
	return OK;
}

static const struct opt *find_letter(const struct opt_table *table, char letter)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].letter == letter)
			return &table->rows[i];
	return NULL;
}

/* The further words of an OPT_WORDS, as argparse's nargs="*" takes them. */
static enum err read_more_words(const struct opt *o, int argc, char **argv, int *at, void *options,
				struct origin from, struct err_text *text)
{
	enum err err = OK;

	while (!err && *at + 1 < argc && argv[*at + 1][0] != '-')
		err = set_value(o, options, argv[++*at], from, text);
	return err;
}

/* One option at argv[*at]; moves *at over a separate value. */
static enum err read_option(const struct opt_table *table, int argc, char **argv, int *at,
			    void *options, struct err_text *text)
{
	const char *word = argv[*at], *value = NULL;
	const struct opt *o = NULL;
	struct origin from;
	enum err err;

	if (word[1] == '-') {
		const char *sign = strchr(word, '=');
		struct str name = { word + 2, sign ? (size_t)(sign - word - 2) : strlen(word + 2) };

		err = find_long(table, name, &o, text);
		if (err)
			return err;
		value = sign ? sign + 1 : NULL;
	} else {
		o = find_letter(table, word[1]);
		if (!o || (o->type == OPT_FLAG && word[2]))
			return err_set(text, ERR_BAD_OPTION,
				       "%s: no such option; --help lists them", word);
		value = word[2] ? word + 2 : NULL;
	}
	from = (struct origin){ o->name, "--" };
	if (o->type == OPT_FLAG && !value)
		value = "true";
	if (!value && *at + 1 < argc)
		value = argv[++*at];
	if (!value)
		return err_set(text, ERR_BAD_OPTION, "--%s: needs a value (%s)", o->name,
			       o->value ? o->value : "VALUE");
	if (o->type == OPT_WORDS)
		((struct opt_texts *)((char *)options + o->offset))->count = 0;
	err = set_value(o, options, value, from, text);
	if (!err && o->type == OPT_WORDS)
		err = read_more_words(o, argc, argv, at, options, from, text);
	return err;
}

enum err opt_parse(const struct opt_table *table, int argc, char **argv, void *options,
		   struct opt_texts *words, struct err_text *text)
{
	bool are_options_over = false;
	enum err err = read_environment(table, options, text);

	for (int at = 1; !err && at < argc; at++) {
		if (!are_options_over && !strcmp(argv[at], "--")) {
			are_options_over = true;
		} else if (!are_options_over && argv[at][0] == '-' && argv[at][1]) {
			err = read_option(table, argc, argv, &at, options, text);
		} else if (!words) {
			err = err_set(text, ERR_BAD_OPTION,
				      "%s: a word that belongs to no option; --help lists them",
				      argv[at]);
		} else if (words->count == LIMIT_AXIS_VALUES) {
			err = err_set(text, ERR_BAD_OPTION, "%s: more than %d words", argv[at],
				      LIMIT_AXIS_VALUES);
		} else {
			words->value[words->count++] = argv[at];
		}
	}
	return err;
}

void opt_print_help(const struct opt_table *table, FILE *to)
{
	fprintf(to, "%s\n\nOptions (the variable in brackets does the same):\n", table->usage);
	for (size_t i = 0; i < table->count; i++) {
		const struct opt *o = &table->rows[i];
		char left[64];
		int len;

		if (!o->help)
			continue;
		len = o->letter ? snprintf(left, sizeof(left), "-%c, --%s", o->letter, o->name)
				: snprintf(left, sizeof(left), "    --%s", o->name);
		if (o->type != OPT_FLAG && len > 0 && (size_t)len < sizeof(left))
			snprintf(left + len, sizeof(left) - (size_t)len, " %s",
				 o->value ? o->value : "VALUE");
		fprintf(to, "  %-34s %s", left, o->help);
		if (o->env)
			fprintf(to, " [%s]", o->env);
		fputc('\n', to);
	}
}
