/* SPDX-License-Identifier: MIT
 *
 * opt - see the header. */
#include "base/opt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "base/opt_file.h"

/* Where a value came from, for messages: "--users", "LOCUST_USERS" or "users" of a file. */
struct origin {
	const char *name;
	const char *dashes;
};

/* Reading one source: its first value for a list replaces what the list holds. */
struct pass {
	const struct opt_table *table;
	void *options;
	bool has_set[LIMIT_OPTIONS];
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
	return err_set(text, ERR_BAD_OPTION, "%s%s: '%s' is out of bounds, give %.15g to %.15g",
		       from.dashes, from.name, value, o->min, o->max);
}

bool opt_read_flag(const char *value, bool *out)
{
	static const char *const yes[] = { "true", "1", "yes", "on" }, *const no[] = { "false", "0",
										       "no", "off",
										       "" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!strcasecmp(value, yes[i]))
			return *out = true, true;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (!strcasecmp(value, no[i]))
			return *out = false, true;
	return false;
}

static enum err set_flag(const char *value, struct origin from, bool *out, struct err_text *text)
{
	return opt_read_flag(value, out) ? OK : bad_value(text, from, value, "true or false");
}

/* Adds the numbers of "1,2,4". */
static enum err add_counts(const struct opt *o, const char *value, struct origin from,
			   struct opt_counts *out, struct err_text *text)
{
	struct str rest = str_of(value), item;

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

static enum err set_choice(const struct opt *o, const char *value, struct origin from,
			   const char **out, struct err_text *text)
{
	struct str rest = str_of(o->value), word;

	while (str_cut(&rest, '|', &word))
		if (str_eq(word, value))
			return *out = value, OK;
	return err_set(text, ERR_BAD_OPTION, "%s%s: '%s' is unknown; give one of %s", from.dashes,
		       from.name, value, o->value);
}

static void add_name(struct opt_texts *texts, const char *name)
{
	for (size_t i = 0; i < texts->count; i++)
		if (!strcmp(texts->value[i], name))
			return;
	if (texts->count < LIMIT_AXIS_VALUES)
		texts->value[texts->count++] = name;
}

static enum err set_value(struct pass *pass, const struct opt *o, const char *value,
			  struct origin from, struct err_text *text)
{
	void *field = (char *)pass->options + o->offset;
	bool *has_set = &pass->has_set[o - pass->table->rows], is_wanted = false;
	struct opt_texts *texts = field;
	enum err err;

	switch (o->type) {
	case OPT_FLAG:
		return set_flag(value, from, field, text);
	case OPT_TEXT:
	case OPT_SWITCH:
		*(const char **)field = value;
		return OK;
	case OPT_CHOICE:
		return set_choice(o, value, from, field, text);
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
		((struct opt_counts *)field)->count = 0;
		return add_counts(o, value, from, field, text);
	case OPT_TEXTS:
	case OPT_WORDS:
		if (!*has_set)
			texts->count = 0;
		*has_set = true;
		if (texts->count == LIMIT_AXIS_VALUES)
			return err_set(text, ERR_BAD_OPTION, "%s%s: given more than %d times",
				       from.dashes, from.name, LIMIT_AXIS_VALUES);
		texts->value[texts->count++] = value;
		return OK;
	case OPT_IGNORED:
		err = set_flag(value, from, &is_wanted, text);
		if (!err && is_wanted)
			add_name(texts, o->name);
		return err;
	case OPT_IGNORED_TEXT:
		add_name(texts, o->name);
		return OK;
	case OPT_REFUSED:
		/* LOCUST_WEB_LOGIN=false asks for nothing. */
		if (!set_flag(value, from, &is_wanted, NULL) && !is_wanted)
			return OK;
		return err_set(text, ERR_BAD_OPTION, "%s%s: %s", from.dashes, from.name, o->value);
	case OPT_HEADING:
		break;
	}
	return ERR_BAD_OPTION;
}

static enum err read_environment(struct pass *pass, struct err_text *text)
{
	const struct opt_table *table = pass->table;

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
			err = set_value(pass, &table->rows[i], value, (struct origin){ name, "" },
					text);
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

static bool is_option(const struct opt *o)
{
	return o->type != OPT_HEADING;
}

static enum err unknown_name(const struct opt_table *table, struct str name, const char *dashes,
			     struct err_text *text)
{
	const char *best = NULL;
	/* The name is to be recognised in it. */
	size_t best_distance = name.len / 2 < 4 ? name.len / 2 + 1 : 4;

	for (size_t i = 0; i < table->count; i++) {
		const struct opt *o = &table->rows[i];
		size_t d = is_option(o) && o->help ? distance(name, o->name) : SIZE_MAX;

		if (d < best_distance) {
			best_distance = d;
			best = o->name;
		}
	}
	if (best)
		return err_set(text, ERR_BAD_OPTION, "%s%.*s: no such option. Did you mean %s%s?",
			       dashes, STR_ARG(name), dashes, best);
	return err_set(text, ERR_BAD_OPTION, "%s%.*s: no such option; --help lists them", dashes,
		       STR_ARG(name));
}

static enum err find_long(const struct opt_table *table, struct str name, const struct opt **out,
			  struct err_text *text)
{
	const struct opt *found = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const struct opt *o = &table->rows[i];

		if (!is_option(o))
			continue;
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
		return unknown_name(table, name, "--", text);
	*out = found;
	return OK;
}

static const struct opt *find_letter(const struct opt_table *table, char letter)
{
	for (size_t i = 0; i < table->count; i++)
		if (letter && table->rows[i].letter == letter)
			return &table->rows[i];
	return NULL;
}

/* The further words of an OPT_WORDS, as argparse's nargs="*" takes them. */
static enum err read_more_words(struct pass *pass, const struct opt *o, int argc, char **argv,
				int *at, struct origin from, struct err_text *text)
{
	enum err err = OK;

	while (!err && *at + 1 < argc && argv[*at + 1][0] != '-')
		err = set_value(pass, o, argv[++*at], from, text);
	return err;
}

/* Takes no value; what is refused is so before one is asked for. */
static bool is_flag(const struct opt *o)
{
	return o->type == OPT_FLAG || o->type == OPT_IGNORED || o->type == OPT_REFUSED;
}

/* The word behind an OPT_SWITCH. The name of a class has none of these marks. */
static bool is_switch_value(const char *word)
{
	return word && word[0] != '-' && (strpbrk(word, ":/.") || access(word, F_OK) == 0);
}

/* One option at argv[*at]; moves *at over a separate value. */
static enum err read_option(struct pass *pass, int argc, char **argv, int *at,
			    struct err_text *text)
{
	const char *word = argv[*at], *value = NULL;
	const char *next = *at + 1 < argc ? argv[*at + 1] : NULL;
	const struct opt *o = NULL;
	struct origin from;
	enum err err;

	if (word[1] == '-') {
		const char *sign = strchr(word, '=');
		struct str name = { word + 2, sign ? (size_t)(sign - word - 2) : strlen(word + 2) };

		err = find_long(pass->table, name, &o, text);
		if (err)
			return pass->table->is_lenient ? OK : err;
		value = sign ? sign + 1 : NULL;
	} else {
		o = find_letter(pass->table, word[1]);
		if (!o && pass->table->is_lenient)
			return OK;
		if (!o || (is_flag(o) && word[2]))
			return err_set(text, ERR_BAD_OPTION,
				       "%s: no such option; --help lists them", word);
		value = word[2] ? word + 2 : NULL;
	}
	from = (struct origin){ o->name, "--" };
	if (!value && (is_flag(o) || (o->type == OPT_SWITCH && !is_switch_value(next))))
		value = "true";
	if (!value && next) {
		value = next;
		++*at;
	}
	if (!value)
		return err_set(text, ERR_BAD_OPTION, "--%s: needs a value (%s)", o->name,
			       o->value ? o->value : "VALUE");
	if (o->type == OPT_WORDS)
		pass->has_set[o - pass->table->rows] = false;
	err = set_value(pass, o, value, from, text);
	if (!err && o->type == OPT_WORDS)
		err = read_more_words(pass, o, argc, argv, at, from, text);
	return err;
}

enum err opt_parse(const struct opt_table *table, int argc, char **argv, void *options,
		   struct opt_texts *words, struct err_text *text)
{
	struct pass environment = { table, options, { false } }, line = environment;
	bool are_options_over = false;
	enum err err;

	ensure(table->count <= LIMIT_OPTIONS);
	err = read_environment(&environment, text);

	for (int at = 1; !err && at < argc; at++) {
		if (!are_options_over && !strcmp(argv[at], "--")) {
			are_options_over = true;
		} else if (!are_options_over && argv[at][0] == '-' && argv[at][1]) {
			err = read_option(&line, argc, argv, &at, text);
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

/* users, spawn_rate, --spawn-rate. */
static bool is_key(const char *key, const char *name)
{
	key += strncmp(key, "--", 2) == 0 ? 2 : 0;
	for (; *key && (*key == *name || (*key == '_' && *name == '-')); key++)
		name++;
	return !*key && !*name;
}

/* [1, 2, 4] is 1,2,4. */
static enum err set_list(struct pass *pass, const struct opt *o, const struct opt_setting *setting,
			 struct origin from, struct err_text *why)
{
	struct opt_counts *counts = (struct opt_counts *)((char *)pass->options + o->offset);
	enum err err = OK;

	counts->count = 0;
	for (size_t i = 0; i < setting->values.count && !err; i++)
		err = add_counts(o, setting->values.value[i], from, counts, why);
	return err;
}

/* A stronger file's replace those of a weaker one. */
static void note_unknown(struct opt_texts *unknown, const struct opt_setting *setting)
{
	size_t kept = 0;

	for (size_t i = 0; i < unknown->count; i += 2) {
		if (!strcmp(unknown->value[i], setting->key))
			continue;
		unknown->value[kept++] = unknown->value[i];
		unknown->value[kept++] = unknown->value[i + 1];
	}
	unknown->count = kept;
	for (size_t i = 0; i < setting->values.count && kept + 2 <= LIMIT_AXIS_VALUES; i++) {
		unknown->value[kept++] = setting->key;
		unknown->value[kept++] = setting->values.value[i];
		unknown->count = kept;
	}
}

static bool is_of_others(const struct opt_table *table, const char *key)
{
	for (const char *const *other = table->others; other && *other; other++)
		if (!strcmp(*other, key))
			return true;
	return false;
}

/* The table does not have it. */
static enum err on_unknown(const struct opt_table *table, const struct opt_setting *setting,
			   struct err_text *why)
{
	if (table->unknown)
		note_unknown(table->unknown, setting);
	if (table->unknown || is_of_others(table, setting->key))
		return OK;
	return unknown_name(table, str_of(setting->key), "", why);
}

static enum err on_setting(void *arg, const struct opt_setting *setting, struct err_text *why)
{
	struct pass *pass = arg;
	const struct opt_table *table = pass->table;
	struct origin from = { setting->key, "" };
	const struct opt *o = NULL;
	enum err err = OK;

	for (size_t i = 0; i < table->count && !o; i++)
		if (is_option(&table->rows[i]) && is_key(setting->key, table->rows[i].name))
			o = &table->rows[i];
	if (!o)
		return on_unknown(table, setting, why);
	if (setting->is_list && o->type == OPT_COUNTS)
		return set_list(pass, o, setting, from, why);
	if (setting->is_list && o->type != OPT_TEXTS && o->type != OPT_WORDS)
		return err_set(why, ERR_BAD_OPTION, "%s: takes one value, not a list",
			       setting->key);
	for (size_t i = 0; i < setting->values.count && !err; i++)
		err = set_value(pass, o, setting->values.value[i], from, why);
	return err;
}

static enum err read_conf(const char *name, struct buf *bytes, opt_setting_fn fn, void *arg,
			  struct err_text *text)
{
	return opt_file_read(OPT_FILE_CONF, name, bytes, fn, arg, text);
}

static enum err read_toml(const char *name, struct buf *bytes, opt_setting_fn fn, void *arg,
			  struct err_text *text)
{
	return opt_file_read(OPT_FILE_TOML, name, bytes, fn, arg, text);
}

enum err opt_read_file(const struct opt_table *table, const char *path, struct buf *bytes,
		       void *options, struct err_text *text)
{
	size_t len = strlen(path);
	bool is_toml = len > 5 && !strcmp(path + len - 5, ".toml");

	return opt_read_file_by(is_toml ? read_toml : read_conf, table, path, bytes, options, text);
}

enum err opt_read_file_by(opt_reader_fn reader, const struct opt_table *table, const char *path,
			  struct buf *bytes, void *options, struct err_text *text)
{
	struct pass pass = { table, options, { false } };
	enum err err = file_read(path, bytes, text);

	ensure(table->count <= LIMIT_OPTIONS);
	return err ? err : reader(path, bytes, on_setting, &pass, text);
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
		if (!is_option(o)) {
			fprintf(to, "\n%s:\n", o->help);
			continue;
		}
		len = o->letter ? snprintf(left, sizeof(left), "-%c, --%s", o->letter, o->name)
				: snprintf(left, sizeof(left), "    --%s", o->name);
		if (!is_flag(o) && len > 0 && (size_t)len < sizeof(left))
			snprintf(left + len, sizeof(left) - (size_t)len, " %s",
				 o->value ? o->value : "VALUE");
		fprintf(to, "  %-34s %s", left, o->help);
		if (o->env)
			fprintf(to, " [%s]", o->env);
		fputc('\n', to);
	}
}
