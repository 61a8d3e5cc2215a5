/* SPDX-License-Identifier: MIT
 *
 * opt - command-line options and environment variables as one table per program.
 *
 * Parsing, --help and the manual read the same rows. Precedence is Locust's:
 * defaults (what the struct holds before), files, environment, command line. Unambiguous
 * prefixes of long names are accepted; a wrong name gets the nearest right one. A list that is
 * given replaces the one of a weaker source. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

enum opt_type {
	OPT_FLAG,     /* bool */
	OPT_TEXT,     /* const char *: points into argv or the environment */
	OPT_SWITCH,   /* the same; alone, before an option or a mere name it is "true" */
	OPT_CHOICE,   /* the same as OPT_TEXT, one of the words that value lists: "a|b" */
	OPT_COUNT,    /* uint64_t within [min, max] */
	OPT_NUMBER,   /* double within [min, max] */
	OPT_DURATION, /* uint64_t seconds, num_parse_duration() */
	OPT_COUNTS,   /* struct opt_counts, "1,2,4", each within [min, max] */
	OPT_TEXTS,    /* struct opt_texts, the option given several times */
	OPT_WORDS,    /* struct opt_texts: all words up to the next option; the last list counts */
	OPT_IGNORED,  /* struct opt_texts: a flag without effect; its name is added */
	OPT_IGNORED_TEXT, /* the same with a value */
	OPT_REFUSED,	  /* an error; help is not shown, value says what to do instead */
	OPT_HEADING	  /* no option: help is the title of those that follow */
};

struct opt_counts {
	uint64_t value[LIMIT_AXIS_VALUES];
	size_t count;
};

struct opt_texts {
	const char *value[LIMIT_AXIS_VALUES];
	size_t count;
};

struct opt {
	const char *name; /* long name without dashes */
	char letter;	  /* short name or 0 */
	enum opt_type type;
	size_t offset;	   /* of the field in the options struct */
	const char *env;   /* names separated by blanks, the first one set counts; NULL: none */
	const char *value; /* what --help calls the value */
	const char *help;  /* NULL: accepted but not listed */
	double min, max;   /* both 0: no bounds */
};

struct opt_table {
	const char *usage; /* lines shown above the options */
	const struct opt *rows;
	size_t count;
	bool is_lenient; /* options it does not have are passed over */
	/* Where such settings of files go then: key, value, key, value; NULL: nowhere. */
	struct opt_texts *unknown;
	/* Keys in files that are somebody else's; ends with NULL. NULL: none. */
	const char *const *others;
};

/* One setting of a file: a key with its values. */
struct opt_setting {
	const char *key;
	struct opt_texts values;
	bool is_list;
	unsigned line;
};

/* An error ends the reading; *why is what is wrong, without the place. */
typedef enum err (*opt_setting_fn)(void *arg, const struct opt_setting *setting,
				   struct err_text *why);
/* Gives fn the settings in the bytes of a file, one call for each, and leaves in *bytes what they
 * point at. name is for messages, which begin with name:line. */
typedef enum err (*opt_reader_fn)(const char *name, struct buf *bytes, opt_setting_fn fn, void *arg,
				  struct err_text *text);

/* Fills *options (its type fits the table's offsets) from the environment and argv[1..].
 * Words without a dash are collected in *words, which may be NULL: then they are an
 * error. "--" ends the options. Returns ERR_BAD_OPTION with the place and remedy in
 * *text. --help and --version are ordinary flags of the table. */
enum err opt_parse(const struct opt_table *table, int argc, char **argv, void *options,
		   struct opt_texts *words, struct err_text *text) MUST_CHECK;

/* The settings of a file, before opt_parse(): TOML when its name ends so, else .conf
 * (opt_file.h). A key is a long name, perhaps with underscores or two leading dashes. *bytes is
 * init'ed; it holds the texts that options then points at. ERR_NOT_FOUND: there is no such file;
 * other errors name file and line. */
enum err opt_read_file(const struct opt_table *table, const char *path, struct buf *bytes,
		       void *options, struct err_text *text) MUST_CHECK;

/* The same by this reader, whatever the file's name. */
enum err opt_read_file_by(opt_reader_fn reader, const struct opt_table *table, const char *path,
			  struct buf *bytes, void *options, struct err_text *text) MUST_CHECK;

/* The words for yes and no that flags of files and variables have. */
bool opt_read_flag(const char *value, bool *out);
void opt_print_help(const struct opt_table *table, FILE *to);
