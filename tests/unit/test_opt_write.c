/* SPDX-License-Identifier: MIT
 *
 * opt_write: what is written is read again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "base/opt_write.h"
#include "base/opt_yaml.h"

struct options {
	bool want_a, want_b;
	const char *text, *nothing, *hidden;
	uint64_t count, duration_s, unset_count;
	double number, unset_number, unknown_number;
	struct opt_counts counts;
	struct opt_texts texts;
};

#define AT(field) offsetof(struct options, field)

static const struct opt rows[] = {
	{ "want-a", 0, OPT_FLAG, AT(want_a), NULL, NULL, "" },
	{ "want-b", 0, OPT_FLAG, AT(want_b), NULL, NULL, "" },
	{ "text", 0, OPT_TEXT, AT(text), NULL, "TEXT", "" },
	{ "nothing", 0, OPT_TEXT, AT(nothing), NULL, "TEXT", "" },
	{ "hidden", 0, OPT_TEXT, AT(hidden), NULL, "TEXT", "" },
	{ "count", 0, OPT_COUNT, AT(count), NULL, "COUNT", "", 1, 1e9 },
	{ "unset-count", 0, OPT_COUNT, AT(unset_count), NULL, "COUNT", "", 1, 1e9 },
	{ "duration", 0, OPT_DURATION, AT(duration_s), NULL, "TIME", "" },
	{ "number", 0, OPT_NUMBER, AT(number), NULL, "NUMBER", "", 1e-3, 1e9 },
	{ "unset-number", 0, OPT_NUMBER, AT(unset_number), NULL, "NUMBER", "", 1e-3, 1e9 },
	{ "unknown-number", 0, OPT_NUMBER, AT(unknown_number), NULL, "NUMBER", "", 1e-3, 1e9 },
	{ "counts", 0, OPT_COUNTS, AT(counts), NULL, "LIST", "", 1, 1e9 },
	{ "texts", 0, OPT_TEXTS, AT(texts), NULL, "TEXT", "" },
};

static const struct opt_table table = { "", rows, sizeof(rows) / sizeof(rows[0]), false };

static void what_is_written_is_read(void **state)
{
	static const char *const but[] = { "hidden", NULL };
	const struct options written = { .want_a = true,
					 .text = "a: \"b\" # c\n\xc3\xa4",
					 .hidden = "secret",
					 .count = 7,
					 .duration_s = 90,
					 .number = 0.1,
					 .unknown_number = NAN,
					 .counts = { { 1, 2, 4 }, 3 },
					 .texts = { { "p95>2s", "- x" }, 2 } };
	char path[] = "/tmp/cicada-opt-write-XXXXXX";
	struct options read = { .unknown_number = 5 };
	struct err_text text = { "" };
	struct buf out, bytes;
	int fd = mkstemp(path);

	(void)state;
	buf_init(&out, 4096);
	buf_init(&bytes, 4096);
	opt_write_yaml(&table, &written, but, &out);
	assert_null(strstr(out.p, "secret"));
	assert_int_equal(write(fd, out.p, out.len), out.len);
	close(fd);
	if (opt_read_file_by(opt_yaml_read, &table, path, &bytes, &read, &text))
		fail_msg("%s\n%s", text.text, out.p);
	unlink(path);
	assert_true(read.want_a && !read.want_b && !read.nothing && !read.hidden);
	assert_string_equal(read.text, written.text);
	assert_int_equal(read.count, 7);
	assert_int_equal(read.duration_s, 90);
	assert_true(read.number == 0.1 && read.unset_number == 0 && read.unset_count == 0);
	assert_true(read.unknown_number == 5);
	assert_int_equal(read.counts.count, 3);
	assert_int_equal(read.counts.value[2], 4);
	assert_int_equal(read.texts.count, 2);
	assert_string_equal(read.texts.value[1], "- x");
	buf_fini(&out);
	buf_fini(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
