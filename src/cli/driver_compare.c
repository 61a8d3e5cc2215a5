/* SPDX-License-Identifier: MIT
 *
 * driver_compare - see the header. */
#include "cli/driver_compare.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/opt.h"
#include "matrix/versus.h"

/* As those of a matrix. */
enum {
	EXIT_NOT_SLOWER = 0,
	EXIT_NOTHING_COMPARED = 1,
	EXIT_USAGE = 2,
	EXIT_SLOWER = 99,
	EXIT_UNREADABLE = 104,
	EXIT_UNWRITABLE = 111
};

struct compare_options {
	double alpha, effect_pct;
	const char *junit;
	bool want_help;
};

#define AT(field) offsetof(struct compare_options, field)

static const struct opt rows[] = {
	{ "alpha", 0, OPT_NUMBER, AT(alpha), NULL, "SHARE",
	  "chance of a verdict where there is no difference (default 0.05)", 1e-6, 0.5 },
	{ "effect", 0, OPT_NUMBER, AT(effect_pct), NULL, "PERCENT",
	  "a smaller difference does not matter (default 5)", 0, 100 },
	{ "junit", 0, OPT_TEXT, AT(junit), NULL, "FILE",
	  "write the verdicts there as JUnit's XML" },
	{ "help", 'h', OPT_FLAG, AT(want_help), NULL, NULL, "print this and exit" },
};

static const struct opt_table table = {
	.usage = "Usage: cicada-driver compare [options] A B\n"
		 "Is B faster or slower than A? Both are folders of results.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

static enum err write_junit(const char *path, const struct versus *v, struct err_text *text)
{
	FILE *file = fopen(path, "w");
	bool is_written = false;
	struct buf out;

	buf_init(&out, LIMIT_RESULT_FILE_BYTES);
	versus_add_junit(v, &out);
	if (file) {
		is_written = fwrite(out.p, 1, out.len, file) == out.len;
		is_written &= fclose(file) == 0;
	}
	buf_fini(&out);
	return is_written ? OK : err_set(text, ERR_IO, "--junit %s: %s", path, strerror(errno));
}

static int tell(const struct compare_options *o, const struct versus *v)
{
	struct err_text text = { "" };
	struct buf said;

	buf_init(&said, LIMIT_RESULT_FILE_BYTES);
	versus_say(v, &said);
	fputs(said.p, stdout);
	buf_fini(&said);
	if (o->junit && write_junit(o->junit, v, &text)) {
		fprintf(stderr, "cicada-driver: %s\n", text.text);
		return EXIT_UNWRITABLE;
	}
	if (v->verdicts[COMPARE_WORSE])
		return EXIT_SLOWER;
	return v->count ? EXIT_NOT_SLOWER : EXIT_NOTHING_COMPARED;
}

static int compare(const struct compare_options *o, const struct opt_texts *folders)
{
	struct versus_side a = { NULL, NULL, 0 }, b = { NULL, NULL, 0 };
	struct versus v = { .items = NULL };
	struct err_text text = { "" };
	int code = EXIT_UNREADABLE;
	enum err err = versus_read(folders->value[0], &a, &text);

	if (!err)
		err = versus_read(folders->value[1], &b, &text);
	if (err) {
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
	} else {
		versus_compare(&a, &b, o->alpha, o->effect_pct / 100, &v);
		code = tell(o, &v);
	}
	mem_free(v.items);
	versus_side_fini(&a);
	versus_side_fini(&b);
	return code;
}

int driver_compare_main(int argc, char **argv)
{
	struct compare_options o = { .alpha = 0.05, .effect_pct = 5 };
	struct opt_texts folders = { .count = 0 };
	struct err_text text = { "" };
	enum err err = opt_parse(&table, argc, argv, &o, &folders, &text);

	if (o.want_help) {
		opt_print_help(&table, stdout);
		return 0;
	}
	if (!err && folders.count != 2)
		err = err_set(&text, ERR_BAD_OPTION,
			      "compare: two folders of results are wanted, and %zu were given",
			      folders.count);
	if (err) {
		fprintf(stderr, "cicada-driver: %s\n", err_say(&text, err));
		return EXIT_USAGE;
	}
	return compare(&o, &folders);
}
