/* SPDX-License-Identifier: MIT
 *
 * result and folder: the files' exact bytes, and that nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/folder.h"
#include "matrix/evidence.h"
#include "matrix/result.h"
#include "matrix/result_row.h"
#include "folder_fixture.h"

#define HEADER \
	"Replicas,Workers,Users,RPS,Median_ms,P95_ms,P99_ms,Failures_Pct,Total_Requests," \
	"Duration_s,Timestamp,Status,P90_ms,Avg_ms,Min_ms,Max_ms,Failures,Window_Requests," \
	"Server_Requests,Note,Lag_P99_ms,Generator_CPU_Pct,Generator," \
	"Response_P95_ms,Response_P99_ms,Model,Dropped,Repeat,Attempts," \
	"Steady_From_s,Steady_RPS,Steady_RPS_Low,Steady_RPS_High," \
	"Steady_Median_ms,Steady_Median_Low_ms,Steady_Median_High_ms,Steady_P90_ms," \
	"Steady_P90_Low_ms,Steady_P90_High_ms,Steady_P95_ms,Steady_P95_Low_ms,Steady_P95_High_ms," \
	"Steady_P99_ms,Steady_P99_Low_ms,Steady_P99_High_ms,Steady_P999_ms,Steady_P999_Low_ms," \
	"Steady_P999_High_ms,Median_Low_ms," \
	"Median_High_ms,P90_Low_ms,P90_High_ms,P95_Low_ms,P95_High_ms,P99_Low_ms," \
	"P99_High_ms,P999_ms,P999_Low_ms,P999_High_ms,Wait_ms,Law_Error_Pct,Server_CPU_ms,Server_" \
	"Queue_ms,Server_Compute_ms,Server_Share_Max_Pct,Server_CPU_Pct,Server_Memory_MiB," \
	"Verdict," \
	"Reason\n"

static const struct evidence none;

static struct result_row a_row(void)
{
	struct result_row row = result_row_blank(4, 8, 800);

	row.wall_start_s = 1767225600.75;
	row.rps = 21.234;
	row.median_ms = 620;
	row.p90_ms = 1700;
	row.p95_ms = 1800;
	row.p99_ms = 2400;
	row.avg_ms = 700.5;
	row.min_ms = 0.72;
	row.max_ms = 3000;
	row.duration_s = 120.004;
	row.failures_pct = 0.5;
	row.total_requests = 2250;
	row.failures = 11;
	row.window_requests = 2200;
	row.server_requests = 2250;
	row.lag_p99_ms = 0.42;
	row.generator_cpu_pct = 37.5;
	row.generator = RESULT_GENERATOR_OK;
	row.response_p95_ms = 1850.25;
	row.response_p99_ms = 2500;
	snprintf(row.model, sizeof(row.model), "paced");
	row.dropped = 17;
	row.steady_from_s = 15.75;
	row.steady_rps = 21.5;
	row.steady_rps_range = (struct result_range){ 20.25, 22.75 };
	row.steady_p95_ms = 1750;
	row.steady_p95_range = (struct result_range){ 1740, 1760.5 };
	row.p99_range = (struct result_range){ 2300, 2500.5 };
	row.p999_ms = 2900;
	row.p999_range = (struct result_range){ 2800, 3000 };
	row.wait_ms = 1500.25;
	row.law_error_pct = 4.2;
	row.server_cpu_ms = 0.25;
	row.server_queue_ms = 0.5;
	row.server_compute_ms = 1.5;
	row.server_share_max_pct = 51;
	row.server_cpu_pct = 25.5;
	row.server_memory_mib = 64;
	row.verdict = RESULT_VERDICT_SUSPECT;
	result_row_reason(&row, "few, or none");
	return row;
}

/* Whatever was there, a new one. */
static struct result *begin(const char *folder, size_t planned, const char *environment)
{
	struct err_text text = { "" };
	struct result *r = NULL;

	assert_int_equal(result_create(&(struct result_config){ .folder = folder,
								.plan = { "a plan", planned },
								.is_fresh = true },
				       &r, &text),
			 OK);
	assert_int_equal(result_start(r, environment, &text), OK);
	return r;
}

static struct buf read_all(const char *folder, const char *name)
{
	struct err_text text = { "" };
	struct buf bytes;
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	buf_init(&bytes, 1024 * 1024);
	assert_int_equal(file_read(path, &bytes, &text), OK);
	return bytes;
}

static void a_row_is_on_disk_when_added_in_the_orders_columns(void **state)
{
	struct result_row row = a_row();
	struct result *r = NULL;
	struct err_text text = { "" };
	struct buf bytes;

	r = begin(*state, 2, "- Machine: x\n");
	assert_int_equal(result_add(r, &row, &none, &text), OK);
	bytes = read_all(*state, "auto_summary.csv");
	assert_string_equal(
		bytes.p, HEADER
		"4,8,800,21.23,620,1800,2400,0.50,2250,120.00,2026-01-01T00:00:00Z,ok,"
		"1700,700.50,0.72,3000,11,2200,2250,,0.42,37.50,ok,1850.25,2500,paced,17,1,1,"
		"15.75,21.50,20.25,22.75,,,,,,,1750,1740,1760.50,,,,,,,,,,,,,2300,2500.50,2900,"
		"2800,3000,1500.25,4.20,0.25,0.50,"
		"1.50,51.00,25.50,64.00,suspect,"
		"\"few, or none\"\n");
	buf_fini(&bytes);
	bytes = read_all(*state, "auto_summary.md");
	assert_int_equal(strncmp(bytes.p, "# Kubernetes Locust Load Test Results\n", 38), 0);
	assert_non_null(strstr(bytes.p, "- **Best Throughput:** 21.23 RPS with 4 replicas, "
					"8 workers, 800 users\n"));
	assert_non_null(strstr(bytes.p, "- **Best Latency:** 620 ms median with 4 replicas, "
					"8 workers, 800 users\n"));
	assert_non_null(strstr(bytes.p, "\n| Replicas | Workers | Users | RPS | Median_ms |"));
	assert_non_null(strstr(bytes.p, "\n| 4 | 8 | 800 | 21.23 | 620 | 1800 | 2400 | 0.50 |"));
	assert_non_null(strstr(bytes.p, "1 of 2 scenarios recorded, 1 measured."));
	assert_non_null(strstr(bytes.p, "\n## Environment\n\n- Machine: x\n"));
	assert_non_null(strstr(bytes.p, "users: `ok`; suspect: few, or none\n"));
	buf_fini(&bytes);
	result_destroy(&r);
}

static void what_was_not_measured_stays_empty_and_says_why(void **state)
{
	struct result_row row = result_row_blank(2, 1, 1);
	struct result *r = NULL;
	struct err_text text = { "" };
	struct buf bytes;

	row.status = RESULT_TARGET_NOT_READY;
	row.wall_start_s = 1767225600;
	result_row_note(&row, "inference-2 ended, \"bad\"\nmodel");
	r = begin(*state, 1, "");
	assert_int_equal(result_add(r, &row, &none, &text), OK);
	bytes = read_all(*state, "auto_summary.csv");
	assert_string_equal(bytes.p,
			    HEADER "2,1,1,,,,,,,,2026-01-01T00:00:00Z,target_not_ready,,,,,,,,"
				   "\"inference-2 ended, \"\"bad\"\" / model\",,,,,,,,1,1,"
				   ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n");
	buf_fini(&bytes);
	bytes = read_all(*state, "auto_summary.md");
	assert_null(strstr(bytes.p, "Best Throughput"));
	assert_non_null(strstr(bytes.p, "- 2 replicas, 1 worker, 1 user: `target_not_ready`. "
					"inference-2 ended, \"bad\" / model\n"));
	buf_fini(&bytes);
	assert_int_equal(result_count(r), 1);
	assert_int_equal(result_count_ok(r), 0);
	result_destroy(&r);
}

static void only_good_rows_compete_for_the_best(void **state)
{
	struct result_row rows[4] = { a_row(), a_row(), a_row(), a_row() };
	struct result *r = NULL;
	struct err_text text = { "" };
	struct buf line;

	rows[0].rps = 500;
	rows[0].median_ms = 1;
	rows[0].status = RESULT_LOST_WORKER;
	rows[1].rps = 30;
	rows[1].users = 1;
	rows[2].median_ms = 2.25;
	rows[2].replicas = 1;
	rows[3].median_ms = 2.25;
	rows[3].p95_ms = 1000;
	r = begin(*state, 4, "");
	for (size_t i = 0; i < 4; i++) {
		rows[i].scenario = i;
		assert_int_equal(result_add(r, &rows[i], &none, &text), OK);
	}
	buf_init(&line, 1000);
	assert_true(result_say_best_throughput(r, &line));
	assert_string_equal(line.p, "30.00 RPS with 4 replicas, 8 workers, 1 user");
	buf_clear(&line);
	assert_true(result_say_best_latency(r, &line));
	assert_string_equal(line.p, "2.25 ms median with 4 replicas, 8 workers, 800 users");
	buf_fini(&line);
	result_destroy(&r);
}

/* They are what the generator could do, not what the target can. */
static void limited_rows_stand_back(void **state)
{
	struct result_row limited = a_row(), plain = a_row();
	struct result *r = NULL;
	struct err_text text = { "" };
	struct buf line, bytes;

	limited.rps = 900;
	limited.generator = RESULT_GENERATOR_LIMITED;
	result_row_note(&limited, "the generator's limit");
	plain.rps = 30;
	r = begin(*state, 3, "");
	assert_int_equal(result_add(r, &limited, &none, &text), OK);
	buf_init(&line, 1000);
	assert_true(result_say_best_throughput(r, &line));
	assert_string_equal(line.p, "900.00 RPS with 4 replicas, 8 workers, 800 users (the limit "
				    "of the load generator)");
	plain.scenario = 2;
	assert_int_equal(result_add(r, &plain, &none, &text), OK);
	limited.scenario = 1;
	assert_int_equal(result_add(r, &limited, &none, &text), OK);
	buf_clear(&line);
	assert_true(result_say_best_throughput(r, &line));
	assert_string_equal(line.p, "30.00 RPS with 4 replicas, 8 workers, 800 users");
	assert_int_equal(result_count_ok(r), 3);
	bytes = read_all(*state, "auto_summary.md");
	assert_non_null(strstr(bytes.p, "users: `ok`. the generator's limit; suspect: "));
	assert_non_null(strstr(bytes.p, "| limited | 1850.25 | 2500 | paced | 17 | 1 | 1 |"));
	buf_fini(&bytes);
	buf_fini(&line);
	result_destroy(&r);
}

static void earlier_results_are_set_aside_not_lost(void **state)
{
	struct result_row row = a_row();
	struct err_text text = { "" };
	struct dirent *entry;
	int csv = 0, markdown = 0, json = 0, page = 0, evidence = 0, journal = 0, all = 0;
	DIR *dir;

	for (int i = 0; i < 3; i++) {
		struct result *r = begin(*state, 1, "");

		assert_int_equal(result_add(r, &row, &none, &text), OK);
		result_destroy(&r);
	}
	dir = opendir(*state);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		csv += strstr(entry->d_name, ".csv") != NULL;
		markdown += strstr(entry->d_name, ".md") != NULL;
		journal += strstr(entry->d_name, ".jsonl") != NULL;
		json += strncmp(entry->d_name, "report.", 7) == 0 &&
			strstr(entry->d_name, ".json") != NULL;
		page += strstr(entry->d_name, ".html") != NULL;
		evidence += strncmp(entry->d_name, "rows", 4) == 0;
		all++;
	}
	closedir(dir);
	assert_int_equal(csv, 3);
	assert_int_equal(markdown, 3);
	assert_int_equal(journal, 3);
	assert_int_equal(json, 3);
	assert_int_equal(page, 3);
	assert_int_equal(evidence, 3);
	assert_int_equal(all, 6 * 3);
}

static void a_folder_that_cannot_be_written_is_named(void **state)
{
	struct result *r = NULL;
	struct err_text text = { "" };
	struct result_config config = { .plan = { "a plan", 1 } };
	char path[300];

	snprintf(path, sizeof(path), "%s/plain", (char *)*state);
	assert_int_equal(folder_replace(*state, "plain", str_of("x"), &text), OK);
	snprintf(path, sizeof(path), "%s/plain/below", (char *)*state);
	config.folder = path;
	assert_int_equal(result_create(&config, &r, &text), ERR_IO);
	assert_null(r);
	assert_non_null(strstr(text.text, "plain/below"));
	snprintf(path, sizeof(path), "%s/plain", (char *)*state);
	config.folder = path;
	assert_int_equal(result_create(&config, &r, &text), ERR_IO);
	config.folder = "";
	assert_int_equal(result_create(&config, &r, &text), ERR_BAD_INPUT);
}

static void a_failed_replace_leaves_the_old_file(void **state)
{
	struct err_text text = { "" };
	struct buf bytes;
	char path[300];

	assert_int_equal(folder_replace(*state, "a.csv", str_of("old"), &text), OK);
	/* The name beside it is a folder now, so the new bytes cannot be written. */
	snprintf(path, sizeof(path), "%s/.a.csv.new", (char *)*state);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(folder_replace(*state, "a.csv", str_of("new"), &text), ERR_IO);
	assert_non_null(strstr(text.text, "a.csv"));
	assert_int_equal(rmdir(path), 0);
	bytes = read_all(*state, "a.csv");
	assert_string_equal(bytes.p, "old");
	buf_fini(&bytes);
}

static void the_table_lines_up(void **state)
{
	struct result_row row = a_row();
	struct result *r = NULL;
	struct err_text text = { "" };
	struct buf table;
	char *line_break;

	r = begin(*state, 1, "");
	assert_int_equal(result_add(r, &row, &none, &text), OK);
	buf_init(&table, 10000);
	result_format_table(r, &table);
	line_break = strchr(table.p, '\n');
	assert_int_equal(strlen(line_break + 1), (size_t)(line_break + 1 - table.p));
	assert_int_equal(strncmp(table.p, "Replicas  Workers  Users  ", 26), 0);
	buf_fini(&table);
	result_destroy(&r);
}

static uint64_t slow_clock_us;

static uint64_t slow_now_us(void)
{
	return slow_clock_us += 2 * CLOCK_S;
}

static size_t lines_of(const char *folder, const char *name)
{
	struct buf bytes = read_all(folder, name);
	size_t lines = 0;

	for (size_t i = 0; i < bytes.len; i++)
		lines += bytes.p[i] == '\n';
	buf_fini(&bytes);
	return lines;
}

/* Each row of report.json has its own chart, in which the scenario's number stands. */
static void check_charts(const char *folder, size_t count)
{
	struct buf bytes = read_all(folder, "report.json");
	json_t *root = json_loadb(bytes.p, bytes.len, 0, NULL);
	json_t *rows = json_object_get(root, "rows");

	assert_int_equal(json_array_size(rows), count);
	for (size_t i = 0; i < count; i++) {
		json_t *series = json_object_get(json_array_get(rows, i), "series");
		json_t *requests = json_object_get(json_object_get(series, "requests"), "values");

		assert_true(json_number_value(json_array_get(requests, 1)) == (double)i);
	}
	json_decref(root);
	buf_fini(&bytes);
}

#define MANY 220

/* They are more than is held at once, and making the reports takes long. */
static void of_many_rows_the_reports_are_made_from_time_to_time(void **state)
{
	const struct result_config config = { .folder = *state,
					      .plan = { "a plan", MANY },
					      .now_us = slow_now_us };
	struct evidence evidence;
	struct err_text text = { "" };
	struct result_row row = a_row();
	struct result *r = NULL;

	assert_int_equal(result_create(&config, &r, &text), OK);
	assert_int_equal(result_start(r, "- Machine: x\n", &text), OK);
	for (size_t i = MANY; i-- > 0;) {
		row.scenario = i;
		evidence_init(&evidence);
		for (size_t k = 0; k < 120; k++)
			evidence_add(&evidence, &(struct evidence_point){
							.at_s = (double)k,
							.requests_per_s = k == 1 ? (double)i : 7 });
		assert_int_equal(result_add_begun(r, i, &text), OK);
		assert_int_equal(result_add(r, &row, &evidence, &text), OK);
		evidence_fini(&evidence);
		if (i == MANY - 20)
			assert_int_equal(lines_of(*state, RESULT_CSV), 1);
	}
	assert_in_range(lines_of(*state, RESULT_CSV), 100, MANY);
	assert_int_equal(result_add_ended(r, "done", &text), OK);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(lines_of(*state, RESULT_CSV), 1 + MANY);
		assert_in_range(lines_of(*state, RESULT_MARKDOWN), 2 * MANY, 3 * MANY);
		check_charts(*state, MANY);
		result_destroy(&r);
		/* From the files of the rows. */
		assert_int_equal(result_create(&config, &r, &text), OK);
		assert_int_equal(result_write_reports(r, &text), OK);
	}
	result_destroy(&r);
}

/* What is in its place then is what was there before. */
static void a_report_that_cannot_be_made_leaves_the_old_one(void **state)
{
	struct err_text text = { "" };
	struct result_row row = a_row();
	struct result *r = begin(*state, 1, "");
	char path[300];

	snprintf(path, sizeof(path), "%s/.report.html.new", (char *)*state);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(result_add(r, &row, &none, &text), ERR_IO);
	assert_non_null(strstr(text.text, "report.html.new: cannot create"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(lines_of(*state, RESULT_CSV), 2);
	snprintf(path, sizeof(path), "%s/.report.json.new", (char *)*state);
	assert_int_not_equal(access(path, F_OK), 0);
	check_charts(*state, 0);
	result_destroy(&r);
}

/* Its row has no chart then, and is in the reports all the same. */
static void a_row_whose_evidence_cannot_be_written_leaves_reports_that_can_be_read(void **state)
{
	struct err_text text = { "" };
	struct result_row row = a_row();
	struct result *r = begin(*state, 1, "");
	json_t *root;
	struct buf bytes;
	char path[300];

	snprintf(path, sizeof(path), "%s/rows", (char *)*state);
	assert_int_equal(rmdir(path), 0);
	assert_int_not_equal(result_add(r, &row, &none, &text), OK);
	assert_int_equal(result_add_ended(r, "failed", &text), OK);
	bytes = read_all(*state, "report.json");
	root = json_loadb(bytes.p, bytes.len, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(root, "rows")), 1);
	json_decref(root);
	buf_fini(&bytes);
	result_destroy(&r);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_row_is_on_disk_when_added_in_the_orders_columns),
		IN_FOLDER(what_was_not_measured_stays_empty_and_says_why),
		IN_FOLDER(only_good_rows_compete_for_the_best),
		IN_FOLDER(limited_rows_stand_back),
		IN_FOLDER(earlier_results_are_set_aside_not_lost),
		IN_FOLDER(a_folder_that_cannot_be_written_is_named),
		IN_FOLDER(a_failed_replace_leaves_the_old_file),
		IN_FOLDER(the_table_lines_up),
		IN_FOLDER(of_many_rows_the_reports_are_made_from_time_to_time),
		IN_FOLDER(a_report_that_cannot_be_made_leaves_the_old_one),
		IN_FOLDER(a_row_whose_evidence_cannot_be_written_leaves_reports_that_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
