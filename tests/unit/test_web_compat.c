/* SPDX-License-Identifier: MIT
 *
 * web: our replies beside those of real masters of 2.12.1 and 2.46.6, key by key and head by head.
 */
#include "web_fixture.h"

#include "base/file.h"
#include "base/log.h"
#include "base/log_kept.h"

static char *vector(const char *name)
{
	char *path = mem_printf("%s/locust/%s", TEST_VECTORS, name);
	struct buf bytes;

	buf_init(&bytes, 1024 * 1024);
	if (file_read(path, &bytes, &text))
		fail_msg("%s", text.text);
	mem_free(path);
	return buf_take(&bytes);
}

static json_t *vector_json(const char *name)
{
	char *bytes = vector(name);
	json_t *root = json_loads(bytes, 0, NULL);

	assert_non_null(root);
	mem_free(bytes);
	return root;
}

/* A running test with a row, a failure and two workers. */
static void fill(void)
{
	mode.workers = 2;
	start_running();
	record("/a<b>\"", 150000, "HTTPError('500 <i>')");
}

static bool is_same_kind(const json_t *a, const json_t *b)
{
	/* Locust's times are integers or floats as they come, percentiles may be unknown. */
	if (json_is_number(a))
		return json_is_number(b) || json_is_null(b);
	return json_typeof(a) == json_typeof(b) || json_is_null(a);
}

/* Everything in theirs is in ours; what only ours has is counted by name in extra. */
static void compare(const json_t *theirs, const json_t *ours, const char *path, json_t *extra)
{
	const char *key;
	json_t *value;

	if (!is_same_kind(theirs, ours))
		fail_msg("%s is of another kind", path);
	if (json_is_array(theirs) && json_array_size(theirs)) {
		assert_true(json_array_size(ours) > 0);
		compare(json_array_get(theirs, 0), json_array_get(ours, 0), path, extra);
	}
	if (!json_is_object(theirs))
		return;
	json_object_foreach ((json_t *)theirs, key, value) {
		if (!json_object_get(ours, key))
			fail_msg("%s has no %s", path, key);
		compare(value, json_object_get(ours, key), key, extra);
	}
	json_object_foreach ((json_t *)ours, key, value)
		if (!json_object_get(theirs, key))
			json_object_set_new(extra, key, json_true());
}

static void expect_keys(const char *version, const char *route, const char *file,
			const char *const *extra, size_t extra_count)
{
	char *name = mem_printf("%s-api_%s", version, file);
	json_t *theirs = vector_json(name), *ours = get_json(route), *more = json_object();

	compare(theirs, ours, route, more);
	for (size_t i = 0; i < extra_count; i++)
		if (json_object_del(more, extra[i]))
			fail_msg("%s of %s has no %s", route, version, extra[i]);
	if (json_object_size(more))
		fail_msg("%s of %s has %s, too", route, version,
			 json_object_iter_key(json_object_iter(more)));
	json_decref(theirs);
	json_decref(ours);
	json_decref(more);
	mem_free(name);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_keys_of_2_46(void **state)
{
	static const char *const extra[] = {
		"current_exact_times",
		"exact_times", /* of rows, with all that is in it */
		"cicada",      /* of workers, and the next three */
		"index",
		"lag_p99_ms",
		"version",
		"ninetieth_response_time",
		"ninety_ninth_response_time",
		"response_time_percentile_0.999",
	};

	(void)state;
	fill();
	expect_keys("2.46.6", "/stats/requests", "requests.json", extra, COUNT(extra));
}

static void test_keys_of_2_12(void **state)
{
	static const char *const extra[] = {
		"cicada",      /* of workers */
		"exact_times", /* of rows */
		"current_exact_times",
		"current_fail_per_sec",
		"current_response_time_percentiles",
		"current_rps",
		"first_seen",
		"index", /* of workers */
		"lag_p99_ms",
		"last_seen",
		"response_time_percentile_0.95",
		"response_time_percentile_0.99",
		"response_time_percentile_0.999",
		"total_fail_per_sec",
		"total_rps", /* of rows */
		"version",
		"worker_count",
	};

	(void)state;
	web->compat = WEB_COMPAT_2_12;
	fill();
	expect_keys("2.12.1", "/stats/requests", "requests.json", extra, COUNT(extra));
}

/* Names of classes and tasks are the scenario's: only the form is the same. */
static void test_tasks_have_the_form_of_both(void **state)
{
	static const char *const versions[] = { "2.12.1", "2.46.6" };
	json_t *ours = get_json("/tasks");

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		char *name = mem_printf("%s-api_tasks.json", versions[i]);
		json_t *theirs = vector_json(name);
		const char *key;
		json_t *value;

		json_object_foreach (theirs, key, value) {
			const json_t *alpha = json_object_get(value, "Alpha");

			/* In both there is a class Alpha with a task index. */
			assert_non_null(json_object_get(json_object_get(alpha, "tasks"), "index"));
			alpha = json_object_get(json_object_get(ours, key), "Alpha");
			assert_true(json_is_real(json_object_get(alpha, "ratio")));
			assert_true(json_is_real(json_object_get(
				json_object_get(json_object_get(alpha, "tasks"), "index"),
				"ratio")));
		}
		json_decref(theirs);
		mem_free(name);
	}
	json_decref(ours);
}

static void expect_head(const char *version, const char *route, const char *file)
{
	char *name = mem_printf("%s-api_%s.csv", version, file), *theirs = vector(name);
	size_t len = strcspn(theirs, "\n") + 1;
	struct call c;

	call(&c, "GET", route);
	if (theirs[len - 2] != '\r' || strncmp(c.body, theirs, len) != 0)
		fail_msg("%s does not begin like that of %s", route, version);
	end_call(&c);
	mem_free(theirs);
	mem_free(name);
}

static void test_heads_of_tables(void **state)
{
	(void)state;
	expect_head("2.46.6", "/stats/requests/csv", "requests");
	expect_head("2.46.6", "/stats/failures/csv", "failures");
	web->compat = WEB_COMPAT_2_12;
	expect_head("2.12.1", "/stats/requests/csv", "requests");
	expect_head("2.12.1", "/stats/failures/csv", "failures");
}

static void expect_download(const char *route, const char *words)
{
	struct call c;

	call(&c, "GET", route);
	assert_int_equal(c.status, 200);
	if (!strstr(c.reply.p, words))
		fail_msg("%s: no %s", route, words);
	end_call(&c);
}

static void test_2_12_quotes_and_escapes(void **state)
{
	const json_t *row;
	json_t *root;

	(void)state;
	web->compat = WEB_COMPAT_2_12;
	fill();
	root = get_json("/stats/requests");
	row = json_array_get(json_object_get(root, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "error")),
			    "&quot;HTTPError(&#x27;500 &lt;i&gt;&#x27;)&quot;");
	assert_string_equal(json_string_value(json_object_get(row, "name")), "/a&lt;b&gt;&quot;");
	row = json_array_get(json_object_get(root, "stats"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "name")), "/a<b>\"");
	assert_string_equal(json_string_value(json_object_get(row, "safe_name")), "/a&lt;b&gt;\"");
	json_decref(root);
	expect_body("/stats/failures/csv",
		    "Method,Name,Error,Occurrences\r\n"
		    "GET,\"/a<b>\"\"\",\"\"\"HTTPError('500 <i>')\"\"\",1\r\n");
	run_add_exception(&run, str_of("host_1"), str_of("a & b"), str_of("\"<x>\""), 1);
	root = get_json("/exceptions");
	row = json_array_get(json_object_get(root, "exceptions"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "msg")), "a &amp; b");
	assert_string_equal(json_string_value(json_object_get(row, "traceback")),
			    "&quot;&lt;x&gt;&quot;");
	json_decref(root);
	expect_download("/stats/requests/csv", "attachment;filename=requests_17000000");
	expect_download("/exceptions/csv", "attachment;filename=exceptions_17000000");
	expect_download("/stats/report?download=1", "attachment;filename=report_17000000");
}

static void expect_error(const char *error, const char *words)
{
	struct buf out;

	buf_init(&out, 1024);
	web_compat_error(WEB_COMPAT_2_12, &run, error, &out);
	assert_string_equal(buf_str(&out).p, words);
	buf_fini(&out);
}

/* As repr() of Python says. */
static void test_errors_of_2_12_masters(void **state)
{
	(void)state;
	expect_error("plain", "'plain'");
	expect_error("it's", "\"it's\"");
	expect_error("it's \"so\"", "'it\\'s \"so\"'");
	expect_error("a\\b\n\t\x01", "'a\\\\b\\n\\t\\x01'");
	expect_error("gr\xc3\xbc\xc3\x9f", "'gr\xc3\xbc\xc3\x9f'");
	run.mode = &local_mode;
	expect_error("it's", "it's");
}

static void test_total_rps_is_the_present_one_in_2_12(void **state)
{
	json_t *root;

	(void)state;
	web->compat = WEB_COMPAT_2_12;
	mode.workers = 1;
	start_running();
	for (int second = 0; second < 20; second++) {
		for (int i = 0; i < (second < 10 ? 1 : 3); i++)
			record("/a", 1000, NULL);
		run_tick(&run, run.now_us + CLOCK_S);
	}
	root = get_json("/stats/requests");
	assert_true(json_real_value(json_object_get(root, "total_rps")) ==
		    json_real_value(json_object_get(root, "current_rps")));
	json_decref(root);
	web->compat = WEB_COMPAT_2_46;
	run.generation++;
	root = get_json("/stats/requests");
	assert_true(json_real_value(json_object_get(root, "total_rps")) + 0.2 <
		    json_real_value(json_object_get(root, "current_rps")));
	json_decref(root);
}

/* The rows of workers are written by hand. */
static void test_a_reply_looks_as_one_document(void **state)
{
	(void)state;
	for (mode.workers = 0; mode.workers <= 3; mode.workers++) {
		struct call c;
		json_t *root;
		char *whole;

		run.workers_on_one_port = mode.workers / 3;
		run.generation++;
		call(&c, "GET", "/stats/requests");
		root = json_loads(c.body, 0, NULL);
		assert_non_null(root);
		assert_int_equal(json_array_size(json_object_get(root, "workers")), mode.workers);
		assert_int_equal(json_object_size(root), 13 + mode.workers / 3);
		whole = json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(2) | JSON_REAL_PRECISION(16));
		assert_int_equal(strncmp(c.body, whole, strlen(whole)), 0);
		assert_string_equal(c.body + strlen(whole), "\n");
		free(whole);
		json_decref(root);
		end_call(&c);
	}
}

static void test_versions(void **state)
{
	enum web_compat compat;

	(void)state;
	assert_true(web_compat_parse("2.12", &compat) && compat == WEB_COMPAT_2_12);
	assert_true(web_compat_parse("2.46", &compat) && compat == WEB_COMPAT_2_46);
	assert_false(web_compat_parse("2", &compat));
	assert_false(web_compat_parse("", &compat));
}

static void test_logs_are_the_last_lines(void **state)
{
	const json_t *lines;
	json_t *root;

	(void)state;
	log_kept_add(str_of("too old"));
	log_line(LOG_INFO, "locust.test", "first \xff");
	for (int i = 1; i < LIMIT_LOG_LINES; i++)
		log_kept_add(str_of("further"));
	root = get_json("/logs");
	lines = json_object_get(root, "master");
	assert_true(json_is_object(json_object_get(root, "workers")));
	assert_int_equal(json_array_size(lines), LIMIT_LOG_LINES);
	assert_non_null(strstr(json_string_value(json_array_get(lines, 0)),
			       "/INFO/locust.test: first \xef\xbf\xbd"));
	json_decref(root);
}

static void test_logs_of_workers(void **state)
{
	json_t *root, *workers;

	(void)state;
	mode.workers = 2;
	root = get_json("/logs");
	workers = json_object_get(root, "workers");
	assert_int_equal(json_object_size(workers), 1);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(workers, "host_1"), 0)), "a line");
	json_decref(root);
}

static void test_login_leads_to_the_page(void **state)
{
	struct call c;

	(void)state;
	call(&c, "GET", "/login");
	assert_int_equal(c.status, 302);
	assert_non_null(strstr(c.reply.p, "\r\nLocation: ./\r\n"));
	end_call(&c);
}

static void test_history_file(void **state)
{
	char path[] = "/tmp/cicada_test_XXXXXX", tag[128];
	const char *at;
	struct call c;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "Timestamp\r\n1\r\n", 14), 14);
	close(fd);
	call(&c, "GET", "/stats/requests_full_history/csv");
	assert_int_equal(c.status, 404);
	assert_string_equal(c.body,
			    "Error: Server was not started with option to generate full history.");
	end_call(&c);
	web->full_history_file = path;
	call(&c, "GET", "/stats/requests_full_history/csv");
	assert_int_equal(c.status, 200);
	assert_string_equal(c.body, "Timestamp\r\n1\r\n");
	assert_non_null(strstr(c.reply.p, "Content-Type: text/csv; charset=utf-8\r\n"));
	assert_non_null(strstr(c.reply.p, "Cache-Control: no-cache, max-age=0\r\n"));
	assert_non_null(strstr(c.reply.p, "_requests_full_history.csv\r\n"));
	at = strstr(c.reply.p, "ETag: ") + strlen("ETag: ");
	snprintf(tag, sizeof(tag), "text/plain\r\nIf-None-Match: %.*s", (int)strcspn(at, "\r"), at);
	end_call(&c);
	begin_call(&c, "GET", "/stats/requests_full_history/csv", tag, "");
	await(&c);
	assert_int_equal(c.status, 304);
	end_call(&c);
	unlink(path);
	call(&c, "GET", "/stats/requests_full_history/csv");
	assert_int_equal(c.status, 404);
	end_call(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MASTER(test_keys_of_2_46),
		MASTER(test_keys_of_2_12),
		MASTER(test_tasks_have_the_form_of_both),
		MASTER(test_heads_of_tables),
		MASTER(test_2_12_quotes_and_escapes),
		MASTER(test_errors_of_2_12_masters),
		MASTER(test_total_rps_is_the_present_one_in_2_12),
		MASTER(test_a_reply_looks_as_one_document),
		LOCAL(test_versions),
		LOCAL(test_logs_are_the_last_lines),
		MASTER(test_logs_of_workers),
		LOCAL(test_login_leads_to_the_page),
		LOCAL(test_history_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
