/* SPDX-License-Identifier: MIT
 *
 * web: the report of a test, as a page and as a file. */
#include "web_fixture.h"

#define EVIL "/\"><script>alert('1')</script>&lt;\x01\xff"

#define BEGIN "<script id=\"report\" type=\"application/json\">"

/* What is written into the page. */
static json_t *data_of(const char *page)
{
	const char *begin = strstr(page, BEGIN), *end;
	json_t *root;

	assert_non_null(begin);
	begin += strlen(BEGIN);
	end = strstr(begin, "</script>");
	assert_non_null(end);
	root = json_loadb(begin, (size_t)(end - begin), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	return root;
}

static json_t *get_report(const char *path)
{
	struct call c;
	json_t *root;

	call(&c, "GET", path);
	assert_int_equal(c.status, 200);
	assert_non_null(strstr(c.reply.p, "Content-Type: text/html; charset=utf-8\r\n"));
	assert_null(strstr(c.reply.p, "isposition:"));
	assert_non_null(strstr(c.body, "<title>Cicada Test Report</title>"));
	assert_non_null(strstr(c.body, "</html>\n"));
	root = data_of(c.body);
	end_call(&c);
	return root;
}

static void expect_text(const json_t *object, const char *key, const char *wanted)
{
	assert_string_equal(json_string_value(json_object_get(object, key)), wanted);
}

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

/* A test of 20 s that is over. */
static void run_a_test(void)
{
	start_running();
	for (int second = 0; second < 20; second++) {
		record(second % 2 ? "/a" : EVIL, 2000, second % 5 ? NULL : "failed <b>'so'</b>");
		run_tick(&run, run.now_us + CLOCK_S);
	}
	run_add_exception(&run, str_of("host_1"), str_of("<i>boom</i>"), str_of("  File \"<x>\"\n"),
			  2);
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run.users_per_class[0] = run.users_per_class[1] = 0;
	run_set_state(&run, RUN_STOPPED);
}

static void test_report_has_what_locusts_has(void **state)
{
	json_t *root, *row, *times, *error, *exception;

	(void)state;
	run.host = mem_strdup("http://h:1/?a=\"&b");
	run_set_profile(&run, "nightly");
	run_a_test();
	root = get_report("/stats/report");
	expect_text(root, "host", "http://h:1/?a=\"&b");
	expect_text(root, "scenario", "some.c");
	expect_text(root, "profile", "nightly");
	expect_text(root, "state", "stopped");
	assert_true(json_is_null(json_object_get(root, "theme")));
	assert_true(json_is_true(json_object_get(root, "has_download_link")));
	assert_int_equal(number(root, "user_count"), 3);
	assert_true(fabs(number(root, "end_time") - number(root, "start_time") - 19) < 0.5);

	assert_int_equal(json_array_size(json_object_get(root, "stats")), 3);
	row = json_array_get(json_object_get(root, "stats"), 1);
	expect_text(row, "method", "GET");
	expect_text(row, "name", "/a");
	assert_int_equal(number(row, "num_requests"), 10);
	row = json_array_get(json_object_get(root, "stats"), 2);
	expect_text(row, "name", "Aggregated");
	assert_int_equal(number(row, "num_requests"), 20);
	assert_int_equal(number(row, "num_failures"), 4);
	assert_float_equal(number(row, "avg_response_time"), 2, 1e-9);
	times = json_object_get(row, "percentiles");
	assert_int_equal(json_array_size(times), json_array_size(json_object_get(root, "shares")));
	assert_float_equal(json_number_value(json_array_get(times, 7)), 2, 0.01); /* 99.9 % */

	error = json_array_get(json_object_get(root, "errors"), 0);
	expect_text(error, "error", "failed <b>'so'</b>");
	exception = json_array_get(json_object_get(root, "exceptions"), 0);
	expect_text(exception, "msg", "<i>boom</i>");
	assert_int_equal(number(exception, "count"), 2);
	assert_true(json_array_size(json_object_get(json_object_get(root, "history"), "time")) >=
		    4);
	assert_int_equal(
		number(json_object_get(json_object_get(root, "distribution"), "service_time"),
		       "count"),
		20);
	/* As it was when the stop was asked for. */
	assert_float_equal(
		number(json_object_get(json_object_get(json_object_get(root, "tasks"), "per_class"),
				       "Alpha"),
		       "ratio"),
		2.0 / 3, 1e-9);
	assert_true(json_is_null(json_object_get(json_object_get(root, "generator"), "limited")));
	json_decref(root);
}

static void test_report_holds_what_wants_to_be_more_than_text(void **state)
{
	struct call c;
	const char *begin;
	json_t *root;

	(void)state;
	run.host = mem_strdup(EVIL);
	run_a_test();
	call(&c, "GET", "/stats/report?theme=%22%3E%3Cscript");
	begin = strstr(c.body, BEGIN) + strlen(BEGIN);
	/* The first tag behind the beginning is the end of the element. */
	assert_ptr_equal(strchr(begin, '<'), strstr(begin, "</script>"));
	assert_non_null(strstr(c.body, "default-src 'none'; script-src 'sha256-"));
	assert_null(strstr(c.body, " src=\"http"));
	assert_null(strstr(c.body, "{{"));
	root = data_of(c.body);
	expect_text(root, "host", "/\"><script>alert('1')</script>&lt;\x01\xef\xbf\xbd");
	assert_true(json_is_null(json_object_get(root, "theme")));
	json_decref(root);
	end_call(&c);
}

static void test_report_keeps_the_password_of_the_target(void **state)
{
	static const char *const hosts[][2] = {
		{ "http://me:secret@h:1/a@b", "http://h:1/a@b" },
		{ "http://m@e:se@h", "http://h" },
		{ "http://h/?x=a@b", "http://h/?x=a@b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		json_t *root;

		mem_free(run.host);
		run.host = mem_strdup(hosts[i][0]);
		root = get_report("/stats/report");
		expect_text(root, "host", hosts[i][1]);
		json_decref(root);
	}
}

static void test_report_as_a_file(void **state)
{
	struct call c;
	json_t *root;

	(void)state;
	run.host = mem_strdup("http://h:1");
	call(&c, "GET", "/stats/report?download=1&theme=dark");
	assert_int_equal(c.status, 200);
	assert_non_null(strstr(c.reply.p, "Content-disposition: attachment;filename=Locust_"));
	assert_non_null(strstr(c.reply.p, "_some.c_http://h:1.html\r\n"));
	root = data_of(c.body);
	assert_true(json_is_false(json_object_get(root, "has_download_link")));
	expect_text(root, "theme", "dark");
	/* Nothing has run yet. */
	assert_int_equal(json_array_size(json_object_get(json_object_get(root, "history"), "time")),
			 0);
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "stats"), 0),
						 "max_response_time")));
	json_decref(root);
	end_call(&c);
}

static void test_report_of_a_long_test_is_small(void **state)
{
	struct buf page;

	(void)state;
	start_running();
	record("/a", 1000, NULL);
	for (unsigned i = 0; i < 5 * LIMIT_HISTORY; i++)
		run_tick(&run, run.now_us + 5 * CLOCK_S);
	buf_init(&page, 500 * 1000);
	report_write(&run, &(struct report_options){ .theme = NULL }, &page);
	assert_false(page.is_full);
	buf_fini(&page);
}

static void test_report_that_is_too_large_says_so(void **state)
{
	struct buf page;

	(void)state;
	buf_init(&page, 1000);
	report_write(&run, &(struct report_options){ .theme = NULL }, &page);
	assert_true(page.is_full);
	buf_fini(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCAL(test_report_has_what_locusts_has),
		LOCAL(test_report_holds_what_wants_to_be_more_than_text),
		LOCAL(test_report_keeps_the_password_of_the_target),
		LOCAL(test_report_as_a_file),
		LOCAL(test_report_of_a_long_test_is_small),
		LOCAL(test_report_that_is_too_large_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
