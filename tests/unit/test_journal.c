/* SPDX-License-Identifier: MIT
 *
 * journal: what was written is read again to the last bit, wherever the file ends; what was not
 * written by us is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/mem.h"
#include "matrix/journal.h"
#include "matrix/result_row.h"
#include "folder_fixture.h"

static const struct journal_plan plan = { "users=1,2,3", 3, NULL };

/* Has every figure, with digits that no column of a report shows. */
static struct result_row a_row(uint64_t users)
{
	struct result_row row = result_row_blank(4, 8, users);

	for (size_t i = 0; i < RESULT_COLUMNS; i++) {
		const struct result_column *column = &result_columns[i];
		char *field = (char *)&row + column->offset;

		if (column->kind == COLUMN_2 || column->kind == COLUMN_MS)
			*(double *)field = (double)(i + 1) / 7;
		else if (column->kind == COLUMN_COUNT && *(uint64_t *)field == UINT64_MAX)
			*(uint64_t *)field = i << 33;
	}
	row.wall_start_s = 1767225600.125;
	row.generator = RESULT_GENERATOR_LIMITED;
	row.verdict = RESULT_VERDICT_INVALID;
	result_row_reason(&row, "a \"reason\"");
	result_row_note(&row, "a \"note\", with | and \xc3\xa4");
	snprintf(row.model, sizeof(row.model), "closed+paced");
	return row;
}

static struct journal *open_journal(const char *folder, const struct journal_plan *of,
				    struct journal_past *past)
{
	struct err_text text = { "" };
	struct journal *j = NULL;

	if (journal_open(folder, of, false, &j, past, &text))
		fail_msg("%s", text.text);
	return j;
}

static void forget(struct journal_past *past)
{
	mem_free(past->rows);
	mem_free(past->environment);
}

/* Three scenarios, each tried twice, of which the second was interrupted besides. */
static void write_journal(const char *folder)
{
	struct journal_past past;
	struct result_row row;
	struct journal *j = open_journal(folder, &plan, &past);

	assert_int_equal(past.kind, JOURNAL_NONE);
	assert_int_equal(journal_start(j, &past, "- here\n", NULL), OK);
	for (size_t i = 0; i < 3; i++) {
		if (i == 1) {
			row = result_row_blank(4, 8, i);
			row.wall_start_s = 1;
			row.status = RESULT_INTERRUPTED;
			assert_int_equal(journal_add_begun(j, i, NULL), OK);
			assert_int_equal(journal_add_row(j, i, &row, NULL), OK);
			assert_int_equal(journal_add_ended(j, "interrupted", NULL), OK);
		}
		row = a_row(i);
		assert_int_equal(journal_add_begun(j, i, NULL), OK);
		assert_int_equal(journal_add_tried(j, i, &row, NULL), OK);
		assert_int_equal(journal_add_begun(j, i, NULL), OK);
		assert_int_equal(journal_add_row(j, i, &row, NULL), OK);
	}
	assert_int_equal(journal_add_ended(j, "done", NULL), OK);
	journal_close(&j);
}

static struct buf read_journal(const char *folder)
{
	struct buf bytes;
	char path[300];

	snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, folder);
	buf_init(&bytes, 1024 * 1024);
	assert_int_equal(file_read(path, &bytes, NULL), OK);
	return bytes;
}

static void every_figure_comes_back_to_the_last_bit(void **state)
{
	struct journal_past past;
	struct journal *j;

	write_journal(*state);
	j = open_journal(*state, &plan, &past);
	assert_int_equal(past.kind, JOURNAL_SAME);
	assert_int_equal(past.count, 3);
	assert_string_equal(past.environment, "- here\n");
	assert_false(past.is_torn);
	for (size_t i = 0; i < 3; i++) {
		struct result_row want = a_row(i);
		struct buf was, is;

		buf_init(&was, 10000);
		buf_init(&is, 10000);
		result_row_add_json(&want, &was);
		result_row_add_json(&past.rows[i], &is);
		assert_string_equal(is.p, was.p);
		assert_true(past.rows[i].rps == want.rps && past.rows[i].dropped == want.dropped);
		buf_fini(&was);
		buf_fini(&is);
	}
	forget(&past);
	journal_close(&j);
}

#define BEGUN_BEFORE "{\"record\":\"begun\""

/* Cut off behind each of its bytes: whole lines count, and what is added then stands on a line of
 * its own. */
static void a_torn_last_line_is_dropped_wherever_it_ends(void **state)
{
	struct buf whole;
	size_t rows = 0, lines = 0;
	bool begun = false;

	write_journal(*state);
	whole = read_journal(*state);
	for (size_t len = 0; len <= whole.len; len++) {
		struct journal_past past;
		const char *line = len ? memrchr(whole.p, '\n', len - 1) : NULL;
		bool ends_line = len && whole.p[len - 1] == '\n';

		line = line ? line + 1 : whole.p;
		if (ends_line) {
			lines++;
			rows += strncmp(line, "{\"record\":\"row\"", 15) == 0 &&
				!memmem(line, (size_t)(whole.p + len - line), "interrupted", 11);
		}
		assert_int_equal(
			journal_parse("j", (struct str){ whole.p, len }, &plan, &past, NULL), OK);
		assert_int_equal(past.kind, lines ? JOURNAL_SAME : JOURNAL_NONE);
		assert_int_equal(past.count, rows);
		assert_int_equal(past.is_torn, len && !ends_line);
		begun = ends_line ? strncmp(line, BEGUN_BEFORE, strlen(BEGUN_BEFORE)) == 0 : begun;
		assert_int_equal(past.has_leftover, begun);
		forget(&past);
	}
	assert_int_equal(rows, 3);
	buf_fini(&whole);
}

static void what_is_added_behind_a_torn_line_is_whole(void **state)
{
	struct journal_past past;
	struct result_row row = a_row(2);
	struct buf bytes;
	struct journal *j;
	const char *last;

	write_journal(*state);
	bytes = read_journal(*state);
	/* Into the row of the last scenario. */
	last = strstr(bytes.p, "{\"record\":\"row\",\"scenario\":3") + 40;
	assert_int_equal(folder_replace(*state, JOURNAL_FILE,
					(struct str){ bytes.p, (size_t)(last - bytes.p) }, NULL),
			 OK);
	j = open_journal(*state, &plan, &past);
	assert_true(past.is_torn);
	assert_int_equal(past.count, 2);
	assert_int_equal(journal_start(j, &past, "- here\n", NULL), OK);
	assert_int_equal(journal_add_begun(j, 2, NULL), OK);
	assert_int_equal(journal_add_row(j, 2, &row, NULL), OK);
	forget(&past);
	journal_close(&j);
	j = open_journal(*state, &plan, &past);
	assert_int_equal(past.count, 3);
	assert_string_equal(past.environment, "- here\n");
	assert_false(past.is_torn);
	forget(&past);
	journal_close(&j);
	buf_fini(&bytes);
}

/* Scenarios 3, 1 and 2 in this order, none of which but the last was measured at once. */
static void only_what_was_measured_counts_whatever_the_order(void **state)
{
	static const size_t order[] = { 2, 0, 1, 2, 0 };
	struct journal_past past;
	struct journal *j = open_journal(*state, &plan, &past);

	assert_int_equal(journal_start(j, &past, "- here\n", NULL), OK);
	for (size_t i = 0; i < 5; i++) {
		struct result_row row = a_row(order[i]);

		if (i < 2)
			row.status = i ? RESULT_MASTER_NOT_READY : RESULT_LOST_WORKER;
		assert_int_equal(journal_add_begun(j, order[i], NULL), OK);
		assert_int_equal(journal_add_row(j, order[i], &row, NULL), OK);
	}
	journal_close(&j);
	j = open_journal(*state, &plan, &past);
	assert_int_equal(past.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(past.rows[i].scenario, i);
		assert_int_equal(past.rows[i].users, i);
		assert_int_equal(past.rows[i].status, RESULT_OK);
	}
	forget(&past);
	journal_close(&j);
}

static void another_plan_is_known_and_its_journal_set_aside(void **state)
{
	static const struct journal_plan others[] = { { "users=1,2,4", 3, NULL },
						      { "users=1,2,3", 4, NULL } };
	struct journal_past past;
	struct journal *j;

	write_journal(*state);
	for (size_t i = 0; i < 2; i++) {
		j = open_journal(*state, &others[i], &past);
		assert_int_equal(past.kind, JOURNAL_OTHER);
		assert_int_equal(past.count, 0);
		journal_close(&j);
	}
	j = open_journal(*state, &others[0], &past);
	assert_int_equal(journal_start(j, &past, "- here\n", NULL), OK);
	journal_close(&j);
	j = open_journal(*state, &others[0], &past);
	assert_int_equal(past.kind, JOURNAL_SAME);
	forget(&past);
	journal_close(&j);
}

static void a_folder_has_one_driver_at_a_time(void **state)
{
	struct err_text text = { "" };
	struct journal_past past;
	struct journal *first = open_journal(*state, &plan, &past), *second = NULL;

	assert_int_equal(journal_open(*state, &plan, false, &second, &past, &text), ERR_BUSY);
	assert_non_null(strstr(text.text, "another cicada-driver"));
	assert_null(second);
	journal_close(&first);
	second = open_journal(*state, &plan, &past);
	journal_close(&second);
}

/* Opens, says whether a test is left, and writes the beginning. */
static bool go_on(const char *folder, const struct journal_plan *of, bool is_fresh,
		  struct journal **out)
{
	struct journal_past past;

	assert_int_equal(journal_open(folder, of, is_fresh, out, &past, NULL), OK);
	assert_int_equal(past.kind == JOURNAL_NONE || !is_fresh, true);
	assert_int_equal(journal_start(*out, &past, "- here\n", NULL), OK);
	forget(&past);
	return past.has_leftover;
}

/* Killed again and again, before and after it could do anything about it. */
static void a_test_that_was_left_is_known_until_it_was_stopped(void **state)
{
	static const struct journal_plan other = { "users=1", 1, NULL };
	struct result_row row = a_row(0);
	struct journal *j;

	assert_false(go_on(*state, &plan, false, &j));
	assert_int_equal(journal_add_begun(j, 2, NULL), OK);
	journal_close(&j);
	assert_true(go_on(*state, &plan, false, &j));
	journal_close(&j);
	assert_true(go_on(*state, &other, false, &j));
	journal_close(&j);
	assert_true(go_on(*state, &other, true, &j));
	row.status = RESULT_MASTER_NOT_READY;
	row.has_left_test = true;
	assert_int_equal(journal_add_begun(j, 0, NULL), OK);
	assert_int_equal(journal_add_tried(j, 0, &row, NULL), OK);
	journal_close(&j);
	assert_true(go_on(*state, &other, false, &j));
	row.has_left_test = false;
	assert_int_equal(journal_add_begun(j, 0, NULL), OK);
	assert_int_equal(journal_add_row(j, 0, &row, NULL), OK);
	journal_close(&j);
	assert_false(go_on(*state, &other, true, &j));
	journal_close(&j);
	/* --fresh is the way out of a file that cannot be read. */
	assert_int_equal(folder_replace(*state, JOURNAL_FILE, str_of("hello\n"), NULL), OK);
	assert_false(go_on(*state, &plan, true, &j));
	journal_close(&j);
}

/* Whoever finds a test at another master has not found this one. */
static void a_test_that_was_left_was_left_at_its_master(void **state)
{
	static const struct journal_plan here = { "users=1", 1, "http://here:8089" },
					 again = { "users=2", 1, "http://here:8089" },
					 there = { "users=3", 1, "http://there:8089" };
	struct journal *j;

	for (int is_fresh = 0; is_fresh < 2; is_fresh++) {
		assert_false(go_on(*state, &here, true, &j));
		assert_int_equal(journal_add_begun(j, 0, NULL), OK);
		journal_close(&j);
		assert_true(go_on(*state, &again, is_fresh, &j));
		journal_close(&j);
		assert_false(go_on(*state, &there, is_fresh, &j));
		journal_close(&j);
		assert_false(go_on(*state, &plan, is_fresh, &j));
		assert_int_equal(journal_add_begun(j, 0, NULL), OK);
		journal_close(&j);
		assert_false(go_on(*state, &there, is_fresh, &j));
		journal_close(&j);
	}
}

/* lines: what follows the plan's own line. */
static void refuse(const char *folder, const char *lines, const char *why)
{
	struct err_text text = { "" };
	struct journal_past past;
	struct buf bytes;

	bytes = read_journal(folder);
	bytes.len = (size_t)((char *)memchr(bytes.p, '\n', bytes.len) - bytes.p) + 1;
	buf_add_text(&bytes, lines);
	assert_int_not_equal(journal_parse("run.jsonl", buf_str(&bytes), &plan, &past, &text), OK);
	if (!strstr(text.text, why) || !strstr(text.text, "--fresh"))
		fail_msg("'%s' is not in: %s", why, text.text);
	assert_null(past.rows);
	buf_fini(&bytes);
}

#define BEGUN	     "{\"record\":\"begun\",\"scenario\":1}\n"
#define ROW(members) BEGUN "{\"record\":\"row\",\"scenario\":1," members "}\n"
#define GOOD	     "\"Replicas\":1,\"Workers\":1,\"Users\":1,\"Timestamp\":1,\"Status\":\"ok\""

static void lines_of_somebody_else_are_refused_with_their_place(void **state)
{
	char *deep = mem_alloc(200000);

	write_journal(*state);
	refuse(*state, "{\"record\":\"started\"}\n", "2: a start without");
	refuse(*state, "\n", "run.jsonl:2: not a record");
	refuse(*state, BEGUN "[1]\n", "run.jsonl:3: not a record");
	refuse(*state, "{\"record\":\"plan\",\"version\":1,\"hash\":\"\"}\n", "2: not a record");
	refuse(*state, "{\"record\":\"begun\",\"record\":\"begun\"}\n", "2: not a record");
	refuse(*state, "{\"record\":\"begun\",\"scenario\":0}\n", "2: its scenario is none of");
	refuse(*state, "{\"record\":\"begun\",\"scenario\":4}\n", "none of the plan's 3");
	refuse(*state, "{\"record\":\"begun\",\"scenario\":\"1\"}\n", "2: its scenario is none of");
	refuse(*state, "{\"record\":\"row\",\"scenario\":1," GOOD "}\n", "2: a row of a scenario");
	refuse(*state, BEGUN "{\"record\":\"row\",\"scenario\":2," GOOD "}\n",
	       "3: a row of a scenario");
	refuse(*state, ROW(GOOD) "{\"record\":\"row\",\"scenario\":1," GOOD "}\n",
	       "4: scenario 1 has its row already");
	refuse(*state, ROW(GOOD) BEGUN, "4: scenario 1 has its row already");
	refuse(*state, ROW("\"Replicas\":1"), "3: Workers is missing");
	refuse(*state, ROW("\"Replicas\":1.5"), "3: Replicas is no whole number");
	refuse(*state, ROW("\"Replicas\":-1"), "3: Replicas is no number from 0");
	refuse(*state, ROW(GOOD ",\"RPS\":\"1\""), "3: RPS is no number");
	refuse(*state, ROW(GOOD ",\"RPS\":1e300"), "3: RPS is no number from 0");
	refuse(*state, ROW(GOOD ",\"Note\":1"), "3: Note is no text");
	refuse(*state, ROW(GOOD ",\"Model\":\"a|b\""), "3: the Model is no word");
	refuse(*state, ROW(GOOD ",\"Generator\":\"good\""), "3: the Generator is unknown");
	refuse(*state,
	       ROW("\"Replicas\":1,\"Workers\":1,\"Users\":1,\"Timestamp\":1,\"Status\":\"good\""),
	       "3: the Status is unknown");
	memset(deep, '[', 199998);
	memcpy(deep + 199998, "\n", 2);
	refuse(*state, deep, "2: not a record");
	mem_free(deep);
}

static void a_first_line_of_another_make_is_refused(void **state)
{
	static const char *const lines[] = {
		"hello\n",
		BEGUN,
		"{\"record\":\"plan\",\"version\":1}\n",
		"{\"record\":\"plan\",\"version\":2,\"hash\":\"0\"}\n",
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct err_text text = { "" };
		struct journal_past past;

		assert_int_not_equal(journal_parse("j", str_of(lines[i]), &plan, &past, &text), OK);
		assert_non_null(strstr(text.text, "j:1: "));
		/* What is newer cannot be mended. */
		assert_non_null(strstr(text.text, i == 3 ? "; go on with the cicada-driver that"
							 : "; mend that line"));
	}
}

/* A master may say what it likes; what it said shall not bar the way back. */
static void figures_out_of_bounds_are_left_out_not_written(void **state)
{
	struct result_row row = a_row(0);
	struct journal_past past;
	struct journal *j = open_journal(*state, &plan, &past);

	row.rps = -1;
	row.max_ms = 1e300;
	row.dropped = UINT64_MAX - 1;
	assert_int_equal(journal_start(j, &past, "- here\n", NULL), OK);
	assert_int_equal(journal_add_begun(j, 0, NULL), OK);
	assert_int_equal(journal_add_row(j, 0, &row, NULL), OK);
	journal_close(&j);
	j = open_journal(*state, &plan, &past);
	assert_int_equal(past.count, 1);
	assert_true(past.rows[0].rps != past.rows[0].rps);
	assert_int_equal(past.rows[0].dropped, UINT64_MAX);
	forget(&past);
	journal_close(&j);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(every_figure_comes_back_to_the_last_bit),
		IN_FOLDER(a_torn_last_line_is_dropped_wherever_it_ends),
		IN_FOLDER(what_is_added_behind_a_torn_line_is_whole),
		IN_FOLDER(only_what_was_measured_counts_whatever_the_order),
		IN_FOLDER(another_plan_is_known_and_its_journal_set_aside),
		IN_FOLDER(a_folder_has_one_driver_at_a_time),
		IN_FOLDER(a_test_that_was_left_is_known_until_it_was_stopped),
		IN_FOLDER(a_test_that_was_left_was_left_at_its_master),
		IN_FOLDER(lines_of_somebody_else_are_refused_with_their_place),
		cmocka_unit_test(a_first_line_of_another_make_is_refused),
		IN_FOLDER(figures_out_of_bounds_are_left_out_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
