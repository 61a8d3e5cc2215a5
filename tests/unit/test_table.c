/* SPDX-License-Identifier: MIT
 *
 * Files of rows: CSV and JSON lines, good and bad; every error names line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "user/table.h"

typedef enum err (*parse_fn)(struct table *t, struct buf *bytes, const char *label,
			     struct err_text *text);

static enum err parse(parse_fn fn, struct table *t, const void *bytes, size_t len,
		      struct err_text *why)
{
	struct buf buf;
	enum err err;

	*why = (struct err_text){ 0 };
	buf_init(&buf, LIMIT_FEED_FILE_BYTES);
	buf_add(&buf, bytes, len);
	err = fn(t, &buf, "f", why);
	assert_null(buf.p);
	return err;
}

/* All cells as "a|b/c|d", NULL as "-". */
static const char *shown(const struct table *t)
{
	static char text[256];
	size_t at = 0;

	for (size_t i = 0; i < t->row_count; i++)
		for (size_t k = 0; k < t->column_count; k++) {
			const char *cell = table_row(t, i)->cells[k];

			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
					       k   ? "|"
					       : i ? "/"
						   : "",
					       cell ? cell : "-");
		}
	return text;
}

static void assert_rows(parse_fn fn, const char *text, const char *columns, const char *rows)
{
	char names[128] = "";
	struct err_text why;
	struct table t;

	if (parse(fn, &t, text, strlen(text), &why))
		fail_msg("%s: %s", text, why.text);
	for (size_t i = 0; i < t.column_count; i++) {
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? "|" : "",
			 t.columns[i]);
		assert_int_equal(table_column(&t, t.columns[i]), i);
	}
	assert_int_equal(table_column(&t, "nowhere"), t.column_count);
	assert_string_equal(names, columns);
	assert_string_equal(shown(&t), rows);
	for (size_t i = 0; i < t.row_count; i++)
		assert_ptr_equal(table_row(&t, i)->table, &t);
	table_fini(&t);
}

struct bad_text {
	const char *text, *says;
};

static void assert_refused(parse_fn fn, const struct bad_text *bad, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct err_text why;
		struct table t;

		if (!parse(fn, &t, bad[i].text, strlen(bad[i].text), &why))
			fail_msg("taken: %s", bad[i].text);
		if (strncmp(why.text, bad[i].says, strlen(bad[i].says)) != 0)
			fail_msg("%s: %s", bad[i].text, why.text);
		assert_null(t.rows.p);
		assert_null(t.columns);
	}
}

static void csv_is_read_as_rfc_4180_has_it(void **state)
{
	(void)state;
	assert_rows(table_parse_csv, "a,b\n1,2\n3,4\n", "a|b", "1|2/3|4");
	assert_rows(table_parse_csv, "a,b\r\n1,2\r\n3,4", "a|b", "1|2/3|4");
	assert_rows(table_parse_csv, "\xef\xbb\xbf\"a\",b\n\"x,y\",\"\"\n", "a|b", "x,y|");
	assert_rows(table_parse_csv, "a\n\"he said \"\"hi\"\"\"\n\"two\nlines\"\r\n\"\"\"\"", "a",
		    "he said \"hi\"/two\nlines/\"");
	assert_rows(table_parse_csv, "a,b\n,\n1,", "a|b", "|/1|");
	assert_rows(table_parse_csv, "\n\na,b\n\n1, 2 \n\r\n\n", "a|b", "1| 2 ");
	assert_rows(table_parse_csv, "a b,\xc3\xa9\n\xe9,\xff\n", "a b|\xc3\xa9", "\xe9|\xff");
	assert_rows(table_parse_csv, "a\n\"\"\n", "a", "");
}

static void bad_csv_is_refused_with_line_and_column(void **state)
{
	static const struct bad_text bad[] = {
		{ "", "f: empty" },
		{ "\n\n", "f: empty" },
		{ "a,b\n", "f: no row below" },
		{ "a,,c\n1,2,3\n", "f:1:3: column 2 has no name" },
		{ "a,b,a\n1,2,3\n", "f:1:5: two columns are called a" },
		{ "a,b\n1,2\n1,2,3\n", "f:3: 3 fields where the first line names 2 columns" },
		{ "a,b\n1,2\n\n1\n", "f:4: 1 fields" },
		{ "a,b\n1,\"2\n3,4\n", "f:2:3: the quote that opens here is never closed" },
		{ "a,b\n1,\"x\ny\"z\n", "f:3:3: text behind a closing quote" },
		{ "a,b\n1,x\"y\"\n", "f:2:4: a quote inside a field" },
		{ "a,b\r1,2\r", "f:1:4: a carriage return alone" },
	};
	struct err_text why;
	struct table t;

	(void)state;
	assert_refused(table_parse_csv, bad, sizeof(bad) / sizeof(bad[0]));
	assert_int_equal(parse(table_parse_csv, &t, "a\nx\0y\n", 6, &why), ERR_BAD_INPUT);
	assert_string_equal(why.text, "f:2:2: a NUL byte; the file is not text");
	assert_int_equal(parse(table_parse_csv, &t, "a\n\"\0\"\n", 6, &why), ERR_BAD_INPUT);
}

static void json_lines_are_read(void **state)
{
	(void)state;
	assert_rows(table_parse_lines, "{\"a\":\"x\",\"b\":2}\n{\"b\":-1.50,\"a\":\"\"}\n", "a|b",
		    "x|2/|-1.50");
	assert_rows(table_parse_lines, "\xef\xbb\xbf\n {\"a\":true}\r\n\n{\"b\":null,\"a\":false}",
		    "a|b", "true|-/false|-");
}

static void values_of_any_kind_are_texts(void **state)
{
	(void)state;
	assert_rows(table_parse_lines,
		    "{\"\\u0061\":\"\\u00e9\\n\\\"\"}\n{\"a\":\"1\",\"a\":\"2\"}", "a",
		    "\xc3\xa9\n\"/2");
	assert_rows(table_parse_lines, "{\"a\":[1, {\"b\":\"\\n\"}],\"c\":{}}\n{}", "a|c",
		    "[1, {\"b\":\"\\n\"}]|{}/-|-");
}

static void bad_json_lines_are_refused_with_line_and_column(void **state)
{
	static const struct bad_text bad[] = {
		{ "", "f: no object with a key" },
		{ "{}\n", "f: no object with a key" },
		{ "{\"a\":1}\n[1]\n", "f:2:1: expected an object" },
		{ "{\"a\":1}\n\n{\"a\":}\n", "f:3:6: expected a value" },
		{ "{\"a\":1\n}", "f:1:7: expected ',' or '}'" },
		{ "{\"a\":1} {\"a\":2}", "f:1:9: something follows" },
		{ "{\"a\" 1}", "f:1:6: expected ':'" },
		{ "{a:1}", "f:1:2: expected a string" },
		{ "{\"a\":1}\n{\"a\":\"\\u0000\"}", "f:2: a holds a NUL" },
		{ "{\"\\u0000\":1}", "f:1:10: a key is too long or holds a NUL" },
		{ "{\"\":1}", "f:1:4: column 1 has no name" },
		{ "{\"a\":\"\xff\"}", "f:1:7: not UTF-8" },
	};

	(void)state;
	assert_refused(table_parse_lines, bad, sizeof(bad) / sizeof(bad[0]));
}

static void columns_are_bounded(void **state)
{
	struct buf csv, json;
	struct err_text why;
	struct table t;

	(void)state;
	for (int count = LIMIT_FEED_COLUMNS; count <= LIMIT_FEED_COLUMNS + 1; count++) {
		enum err wanted = count > LIMIT_FEED_COLUMNS ? ERR_TOO_BIG : OK;

		buf_init(&csv, 1 << 20);
		buf_init(&json, 1 << 20);
		for (int i = 0; i < count; i++) {
			buf_printf(&csv, "%sc%d", i ? "," : "", i);
			buf_printf(&json, "%s\"c%d\":1", i ? "," : "{", i);
		}
		buf_add_char(&csv, '\n');
		for (int i = 0; i < count; i++)
			buf_add_text(&csv, i ? ",1" : "1");
		buf_add_char(&json, '}');
		assert_int_equal(parse(table_parse_csv, &t, csv.p, csv.len, &why), wanted);
		if (!wanted)
			table_fini(&t);
		assert_int_equal(parse(table_parse_lines, &t, json.p, json.len, &why), wanted);
		if (!wanted)
			table_fini(&t);
		buf_fini(&csv);
		buf_fini(&json);
	}
}

static void the_name_of_a_file_says_what_it_is(void **state)
{
	char path[] = "/tmp/test_table.XXXXXX.csv";
	struct err_text why = { 0 };
	struct table t;
	int fd = mkstemps(path, 4);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a\n1\n", 4), 4);
	close(fd);
	assert_int_equal(table_read(&t, path, &why), OK);
	assert_string_equal(shown(&t), "1");
	table_fini(&t);
	unlink(path);
	assert_int_equal(table_read(&t, path, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, path));
	assert_int_equal(table_read(&t, "rows.txt", &why), ERR_UNSUPPORTED);
	assert_non_null(strstr(why.text, "rows.txt: a file of rows is CSV"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_is_read_as_rfc_4180_has_it),
		cmocka_unit_test(bad_csv_is_refused_with_line_and_column),
		cmocka_unit_test(json_lines_are_read),
		cmocka_unit_test(values_of_any_kind_are_texts),
		cmocka_unit_test(bad_json_lines_are_refused_with_line_and_column),
		cmocka_unit_test(columns_are_bounded),
		cmocka_unit_test(the_name_of_a_file_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
