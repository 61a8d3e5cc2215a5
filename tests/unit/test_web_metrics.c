/* SPDX-License-Identifier: MIT
 *
 * web: /metrics, /healthz and /readyz. Whether the page is valid at all is for
 * tests/integration/test_web_api.py, which reads it strictly. */
#include "web_fixture.h"

static void expect_lines(const char *page, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *line = mem_printf("\n%s\n", lines[i]);

		if (!strstr(page, line))
			fail_msg("no line %s", lines[i]);
		mem_free(line);
	}
}

static unsigned times_of(const char *page, const char *words)
{
	unsigned count = 0;

	for (; (page = strstr(page, words)); page++)
		count++;
	return count;
}

static void test_metrics_are_those_of_the_run(void **state)
{
	static const char *const lines[] = {
		"locust_up 1",
		"locust_running 2",
		"locust_users 3",
		"locust_workers_count 2",
		"locust_workers_running_count 1",
		"locust_workers_missing_count 1",
		"locust_worker_detail{id=\"host_1\",state=\"running\"} 9",
		"locust_worker_detail{id=\"host_2\",state=\"missing\"} 0",
		"locust_requests_num_requests{method=\"GET\",name=\"/a\\\"\\\\\\n\"} 3",
		"locust_requests_num_requests{method=\"\",name=\"Aggregated\"} 3",
		"locust_requests_num_failures{method=\"\",name=\"Aggregated\"} 1",
		"locust_requests_median_response_time{method=\"\",name=\"Aggregated\"} 2",
		"locust_requests_fail_ratio 0.33333333333333331",
		"locust_errors{method=\"GET\",name=\"/a\\\"\\\\\\n\",error=\"boom\"} 8",
		"cicada_request_duration_seconds_bucket{method=\"GET\",name=\"/a\\\"\\\\\\n\","
		"outcome=\"ok\",le=\"0.001\"} 0",
		"cicada_request_duration_seconds_bucket{method=\"GET\",name=\"/a\\\"\\\\\\n\","
		"outcome=\"ok\",le=\"0.0025\"} 2",
		"cicada_request_duration_seconds_count{method=\"GET\",name=\"/a\\\"\\\\\\n\","
		"outcome=\"http_error\"} 1",
		"cicada_request_duration_seconds_count{method=\"GET\",name=\"/a\\\"\\\\\\n\","
		"outcome=\"unknown\"} 4",
		"cicada_generator_limited 0",
	};
	struct call c;

	(void)state;
	mode.workers = 2;
	start_running();
	record("/a\"\\\n", 2000, NULL);
	record("/a\"\\\n", 2000, NULL);
	record("/a\"\\\n", 900000, "boom");
	/* The same error under another key, as of another kind of worker. */
	stats_add_error(&run.stats, str_of("other"), str_of("GET"), str_of("/a\"\\\n"),
			str_of("boom"), 7, 0, 0);
	rounded_add(&stats_entry(&run.stats, str_of("GET"), str_of("/a\"\\\n"), 0)->rounded, 150,
		    4);
	call(&c, "GET", "/metrics");
	assert_int_equal(c.status, 200);
	assert_non_null(strstr(c.reply.p, "Content-Type: text/plain; version=0.0.4"));
	expect_lines(c.body, lines, sizeof(lines) / sizeof(lines[0]));
	/* A histogram of the total would count everything twice. */
	assert_int_equal(times_of(c.body, "duration_seconds_count{method=\"\""), 0);
	end_call(&c);
}

static void test_metrics_are_bounded_and_text(void **state)
{
	struct call c;
	char name[32];

	(void)state;
	start_running();
	for (int i = 0; i < LIMIT_API_ROWS + 10; i++) {
		snprintf(name, sizeof(name), "/%04d", i);
		record(name, 1000, name);
	}
	record("/\xff", 1000, "\xff");
	call(&c, "GET", "/metrics");
	assert_int_equal(times_of(c.body, "\nlocust_requests_num_requests{"), LIMIT_API_ROWS + 1);
	assert_int_equal(times_of(c.body, "\nlocust_errors{"), LIMIT_API_ROWS);
	assert_true(str_is_utf8(str_of(c.body)));
	end_call(&c);
}

static void test_health(void **state)
{
	(void)state;
	expect_body("/healthz", "{\n  \"status\": \"ok\"\n}\n");
}

static void expect_ready(const char *path, int status, const char *words)
{
	struct call c;

	call(&c, "GET", path);
	assert_int_equal(c.status, status);
	if (!strstr(c.body, words))
		fail_msg("%s: %s", path, c.body);
	end_call(&c);
}

static void test_ready_counts_workers_when_asked(void **state)
{
	(void)state;
	expect_ready("/readyz", 200, "\"status\": \"ready\"");
	expect_ready("/readyz?workers=1", 503, "\"waiting for workers\"");
	mode.workers = 3;
	expect_ready("/readyz?workers=3", 200, "\"worker_count\": 3");
	expect_ready("/readyz?workers=4", 503, "\"worker_count\": 3");
	expect_ready("/readyz?workers=-1", 400, "workers must be");
	expect_ready("/readyz?workers=99999999", 400, "workers must be");
	expect_ready("/readyz?workers=", 400, "workers must be");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MASTER(test_metrics_are_those_of_the_run),
		LOCAL(test_metrics_are_bounded_and_text),
		LOCAL(test_health),
		MASTER(test_ready_counts_workers_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
