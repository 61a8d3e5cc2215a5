/* SPDX-License-Identifier: MIT
 *
 * web: the numbers of a test as JSON and CSV, in the form of a real Locust 2.46.6. */
#include "web_fixture.h"

static const json_t *row_of(const json_t *root, const char *name)
{
	const json_t *rows = json_object_get(root, "stats");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!strcmp(json_string_value(json_object_get(row, "name")), name))
			return row;
	}
	fail_msg("no row %s", name);
	return NULL;
}

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		fail_msg("%s is not a number", key);
	return json_number_value(value);
}

static void test_idle_master_is_locusts(void **state)
{
	(void)state;
	expect_body("/stats/requests", "{\n"
				       "  \"current_exact_times\": {\n"
				       "    \"p50\": 0,\n"
				       "    \"p95\": 0\n"
				       "  },\n"
				       "  \"current_fail_per_sec\": 0.0,\n"
				       "  \"current_response_time_percentiles\": {\n"
				       "    \"response_time_percentile_0.5\": 0,\n"
				       "    \"response_time_percentile_0.95\": 0\n"
				       "  },\n"
				       "  \"current_rps\": 0.0,\n"
				       "  \"errors\": [],\n"
				       "  \"fail_ratio\": 0.0,\n"
				       "  \"state\": \"ready\",\n"
				       "  \"stats\": [\n"
				       "    {\n"
				       "      \"avg_content_length\": 0.0,\n"
				       "      \"avg_response_time\": 0.0,\n"
				       "      \"current_fail_per_sec\": 0.0,\n"
				       "      \"current_rps\": 0.0,\n"
				       "      \"exact_times\": null,\n"
				       "      \"max_response_time\": 0.0,\n"
				       "      \"median_response_time\": 0,\n"
				       "      \"method\": \"\",\n"
				       "      \"min_response_time\": 0.0,\n"
				       "      \"name\": \"Aggregated\",\n"
				       "      \"ninetieth_response_time\": 0,\n"
				       "      \"ninety_ninth_response_time\": 0,\n"
				       "      \"num_failures\": 0,\n"
				       "      \"num_requests\": 0,\n"
				       "      \"response_time_percentile_0.95\": 0,\n"
				       "      \"response_time_percentile_0.99\": 0,\n"
				       "      \"response_time_percentile_0.999\": 0,\n"
				       "      \"total_fail_per_sec\": 0.0,\n"
				       "      \"total_rps\": 0.0\n"
				       "    }\n"
				       "  ],\n"
				       "  \"total_fail_per_sec\": 0.0,\n"
				       "  \"total_rps\": 0.0,\n"
				       "  \"user_count\": 0,\n"
				       "  \"worker_count\": 0,\n"
				       "  \"workers\": []\n"
				       "}\n");
}

static void test_requests_have_both_generations_of_names(void **state)
{
	const json_t *row, *workers;
	json_t *root;

	(void)state;
	mode.workers = 2;
	start_running();
	for (int i = 0; i < 9; i++)
		record("/a", 150000, NULL);
	record("/a", 900000, "boom");
	record("/b", 2000, NULL);
	root = get_json("/stats/requests");
	row = row_of(root, "/a");
	assert_true(number(row, "num_requests") == 10);
	assert_true(number(row, "num_failures") == 1);
	assert_true(number(row, "median_response_time") == 150);
	assert_true(number(row, "ninetieth_response_time") == 900);
	assert_true(number(row, "ninety_ninth_response_time") == 900);
	assert_true(number(row, "response_time_percentile_0.95") == 900);
	assert_true(number(row, "response_time_percentile_0.99") == 900);
	assert_true(number(row, "response_time_percentile_0.999") == 900);
	assert_true(fabs(number(json_object_get(row, "exact_times"), "p99.9") - 900) < 1);
	assert_true(number(json_object_get(row, "exact_times"), "min") == 150);
	assert_true(number(row, "max_response_time") == 900);
	assert_true(number(row, "min_response_time") == 150);
	assert_true(number(row, "avg_content_length") == 10);
	row = json_array_get(json_object_get(root, "stats"), 2);
	assert_string_equal(json_string_value(json_object_get(row, "name")), "Aggregated");
	assert_true(number(row, "num_requests") == 11);
	row = json_array_get(json_object_get(root, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "error")), "boom");
	assert_true(number(row, "occurrences") == 1);
	assert_string_equal(json_string_value(json_object_get(root, "state")), "running");
	assert_true(number(root, "user_count") == 3);
	assert_true(number(root, "worker_count") == 2);
	workers = json_object_get(root, "workers");
	assert_true(number(json_array_get(workers, 0), "cpu_usage") == 12.5);
	assert_true(number(json_array_get(workers, 0), "lag_p99_ms") == 0.25);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(workers, 0), "version")),
		"2.46.6");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(workers, 0), "cicada")), "0.1.0");
	assert_true(json_is_null(json_object_get(json_array_get(workers, 1), "cicada")));
	assert_true(number(json_array_get(workers, 1), "index") == 1);
	assert_true(json_is_null(json_object_get(json_array_get(workers, 1), "lag_p99_ms")));
	assert_true(json_is_null(json_object_get(json_array_get(workers, 1), "version")));
	assert_string_equal(json_string_value(json_object_get(json_array_get(workers, 1), "state")),
			    "missing");
	assert_true(json_is_null(json_object_get(json_array_get(workers, 1), "cpu_usage")));
	json_decref(root);
}

static void test_requests_are_cached_but_not_over_a_change(void **state)
{
	json_t *root;

	(void)state;
	start_running();
	record("/a", 1000, NULL);
	json_decref(get_json("/stats/requests"));
	record("/a", 1000, NULL);
	root = get_json("/stats/requests");
	assert_true(number(row_of(root, "/a"), "num_requests") == 1);
	assert_null(json_object_get(root, "workers")); /* no list in local mode */
	json_decref(root);
	expect_body("/stats/reset", "ok");
	root = get_json("/stats/requests");
	assert_true(number(row_of(root, "/a"), "num_requests") == 0);
	json_decref(root);
}

static const json_t *current_percentiles_of(const json_t *root)
{
	return json_object_get(root, "current_response_time_percentiles");
}

static void test_current_percentiles_are_of_ten_seconds(void **state)
{
	struct rounded times;
	double ms[LIMIT_SHARES];

	(void)state;
	rounded_init(&times);
	start_running();
	recent_tick(&run.recent, &run);
	for (int i = 0; i < 10; i++)
		record("/a", 900000, NULL);
	assert_false(recent_times(&run.recent, &run, &times)); /* nothing is old enough */
	for (int second = 0; second < 30; second++) {
		run.now_us += CLOCK_S;
		record("/a", second < 20 ? 900000 : 2345, NULL);
		recent_tick(&run.recent, &run);
	}
	recent_percentiles_exact(&run.recent, &run, &shown()->chart, ms);
	assert_true(fabs(ms[0] - 2.345) < 0.003 && fabs(ms[1] - 2.345) < 0.003);
	assert_true(recent_times(&run.recent, &run, &times));
	assert_int_equal(times.count, 10);
	assert_true(rounded_percentile_ms(&times, 0.95) == 2);
	run_reset_stats(&run);
	assert_false(recent_times(&run.recent, &run, &times));
	rounded_fini(&times);
}

static void test_current_percentiles_are_null_when_unknown(void **state)
{
	json_t *root;

	(void)state;
	start_running();
	record("/a", 1000, NULL);
	root = get_json("/stats/requests");
	assert_true(json_is_null(
		json_object_get(current_percentiles_of(root), "response_time_percentile_0.95")));
	json_decref(root);
}

static void test_rows_are_limited(void **state)
{
	json_t *root;
	char name[32];

	(void)state;
	start_running();
	for (int i = 0; i < LIMIT_API_ROWS + 10; i++) {
		snprintf(name, sizeof(name), "/%04d", i);
		record(name, 1000, name);
	}
	root = get_json("/stats/requests");
	assert_int_equal(json_array_size(json_object_get(root, "stats")), LIMIT_API_ROWS + 1);
	assert_int_equal(json_array_size(json_object_get(root, "errors")), LIMIT_API_ROWS);
	json_decref(root);
}

static void test_window_is_exact(void **state)
{
	const json_t *row, *window;
	json_t *root;

	(void)state;
	root = get_json("/stats/window");
	assert_true(json_is_false(json_object_get(json_object_get(root, "window"), "is_open")));
	assert_true(json_is_null(
		json_object_get(row_of(root, "Aggregated"), "response_time_percentile_0.95")));
	json_decref(root);

	start_running();
	run_reset_stats(&run);
	record("/a", 151300, NULL);
	root = get_json("/stats/window");
	window = json_object_get(root, "window");
	assert_true(json_is_true(json_object_get(window, "is_open")));
	assert_true(number(window, "duration_s") >= 0);
	json_decref(root);
	/* Of an open one the rate is that of the time which has been counted. */
	run.window_start_us -= 2 * CLOCK_S;
	run.window_counted_us -= CLOCK_S;
	root = get_json("/stats/window");
	assert_true(fabs(number(row_of(root, "Aggregated"), "requests_per_s") - 1) < 1e-3);
	assert_true(number(json_object_get(root, "window"), "duration_s") >= 2);
	json_decref(root);
	turn_for(20 * CLOCK_MS);
	run_tick(&run, loop_now(&loop));
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run_set_state(&run, RUN_STOPPED);
	root = get_json("/stats/window");
	window = json_object_get(root, "window");
	assert_true(json_is_false(json_object_get(window, "is_open")));
	assert_true(fabs(number(window, "duration_s") - run_window_s(&run, 0)) < 1e-9);
	assert_true(number(window, "duration_s") >= 0.02);
	assert_true(number(json_object_get(root, "total"), "num_requests") == 1);
	assert_true(number(json_object_get(root, "total"), "num_failures") == 0);
	row = row_of(root, "Aggregated");
	assert_true(number(row, "num_requests") == 1);
	assert_true(fabs(number(row, "requests_per_s") * number(window, "duration_s") - 1) < 1e-6);
	/* Three digits, where Locust would say 150. */
	assert_true(fabs(number(row, "response_time_percentile_0.9") - 151.3) < 0.2);
	assert_true(fabs(number(row, "response_time_percentile_0.95") - 151.3) < 0.2);
	assert_true(fabs(number(row, "response_time_percentile_0.99") - 151.3) < 0.2);
	assert_true(fabs(number(row, "median_response_time") - 151.3) < 0.2);
	assert_true(fabs(number(row, "avg_response_time") - 151.3) < 1e-6);
	json_decref(root);
}

static void record_request(const struct stats_request *request)
{
	struct stats delta;
	double now = run_wall_s(&run);

	stats_init(&delta, now);
	stats_record(&delta, stats_entry(&delta, str_of("GET"), str_of("/a"), now), request, now);
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
}

static const json_t *outcome_of(const json_t *row, const char *name)
{
	return json_object_get(json_object_get(row, "outcomes"), name);
}

static void test_window_has_both_latencies_and_outcomes(void **state)
{
	const json_t *row, *start;
	json_t *root;

	(void)state;
	start_running();
	for (unsigned i = 0; i < 99; i++)
		record_request(&(struct stats_request){ .service_us = 1000 });
	root = get_json("/stats/window");
	assert_string_equal(json_string_value(json_object_get(root, "model")), "closed+paced");
	assert_null(json_object_get(row_of(root, "/a"), "response_time_from_start"));
	json_decref(root);

	record_request(&(struct stats_request){ .service_us = 2000,
						.response_us = 8000,
						.is_scheduled = true,
						.outcome = STATS_HTTP_ERROR,
						.error = "HTTPError('500')" });
	record_request(&(struct stats_request){ .service_us = 500,
						.response_us = 500,
						.is_scheduled = true,
						.outcome = STATS_NETWORK_ERROR,
						.error = "ConnectionResetError(104)" });
	root = get_json("/stats/window");
	for (int i = 0; i < 2; i++) {
		row = row_of(root, i ? "Aggregated" : "/a");
		assert_true(number(outcome_of(row, "ok"), "count") == 99);
		assert_true(number(outcome_of(row, "ok"), "p99.9") == 1);
		assert_true(number(outcome_of(row, "http_error"), "count") == 1);
		assert_true(number(outcome_of(row, "http_error"), "p50") == 2);
		assert_true(number(outcome_of(row, "network_error"), "max") == 0.5);
		start = json_object_get(row, "response_time_from_start");
		assert_true(number(start, "count") == 2);
		assert_true(fabs(number(start, "avg") - 4.25) < 0.005);
		assert_true(number(start, "p50") == 0.5);
		assert_true(fabs(number(start, "p95") - 8) < 0.008);
		assert_true(fabs(number(start, "max") - 8) < 0.008);
		/* Locust's own field goes by the service time of all classes. */
		assert_true(number(row, "response_time_percentile_0.999") == 2);
	}
	json_decref(root);
}

static void test_window_details_are_of_whole_seconds(void **state)
{
	const json_t *series, *times, *waiting, *parts;
	struct stats delta;
	json_t *root;

	(void)state;
	root = get_json("/stats/window/details");
	assert_true(json_is_null(json_object_get(root, "start_time")));
	assert_true(json_is_null(json_object_get(root, "waiting")));
	json_decref(root);

	start_running();
	for (int i = 0; i < 4; i++) {
		stats_init(&delta, run_wall_s(&run));
		stats_record(&delta,
			     stats_entry(&delta, str_of("GET"), str_of("/a"), run_wall_s(&run)),
			     &(struct stats_request){ .service_us = 1500 }, run_wall_s(&run));
		delta.health.waits = 1;
		delta.health.waited_us = CLOCK_S / 4;
		run_add_stats(&run, &delta, false);
		stats_fini(&delta);
		run_tick(&run, run.now_us + CLOCK_S);
	}
	root = get_json("/stats/window/details");
	series = json_object_get(root, "series");
	/* The first second is a part of one. */
	assert_int_equal(json_array_size(json_object_get(series, "requests")), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(json_number_value(
				    json_array_get(json_object_get(series, "requests"), i)) == 1);
		assert_true(json_number_value(json_array_get(
				    json_object_get(series, "avg_response_time"), i)) == 1.5);
	}
	times = json_object_get(root, "service_times");
	assert_int_equal(json_array_size(json_object_get(times, "us")), 1);
	assert_true(json_number_value(json_array_get(json_object_get(times, "us"), 0)) == 1500);
	assert_true(json_number_value(json_array_get(json_object_get(times, "counts"), 0)) == 4);
	parts = json_object_get(root, "parts");
	assert_true(number(parts, "interval_s") == 1);
	parts = json_object_get(parts, "service_times");
	assert_int_equal(json_array_size(parts), 4);
	assert_true(json_number_value(json_array_get(
			    json_object_get(json_array_get(parts, 3), "us"), 0)) == 1500);
	assert_true(json_is_null(json_object_get(root, "response_times")));
	waiting = json_object_get(root, "waiting");
	assert_true(number(waiting, "waits") == 4 && number(waiting, "total_s") == 1);
	json_decref(root);

	/* Times of a Locust worker join: then all have its resolution, and its waits are unknown.
	 */
	stats_init(&delta, run_wall_s(&run));
	rounded_add(&stats_entry(&delta, str_of("GET"), str_of("/a"), 0)->rounded, 150, 2);
	rounded_add(&delta.total.rounded, 150, 2);
	delta.total.num_requests = 2;
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
	root = get_json("/stats/window/details");
	times = json_object_get(root, "service_times");
	assert_string_equal(json_string_value(json_object_get(times, "resolution")),
			    "as Locust rounds");
	assert_true(json_number_value(json_array_get(json_object_get(times, "us"), 1)) == 150000);
	assert_true(json_number_value(json_array_get(json_object_get(times, "counts"), 1)) == 2);
	assert_true(json_is_null(json_object_get(root, "waiting")));
	assert_true(json_is_null(json_object_get(root, "parts")));
	json_decref(root);

	/* Seconds without an answer are seconds of it, also the last ones. */
	run_tick(&run, run.now_us + 10 * CLOCK_S);
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	root = get_json("/stats/window/details");
	series = json_object_get(root, "series");
	assert_int_equal(json_array_size(json_object_get(series, "requests")), 13);
	assert_true(json_number_value(json_array_get(json_object_get(series, "requests"), 12)) ==
		    0);
	json_decref(root);
}

/* A Locust worker's times have no class: those of the others are not the whole. */
static void test_window_shows_no_part_as_the_whole(void **state)
{
	struct stats delta;
	json_t *root;

	(void)state;
	start_running();
	record_request(&(struct stats_request){
		.service_us = 2000, .response_us = 8000, .is_scheduled = true });
	stats_init(&delta, run_wall_s(&run));
	delta.total.num_requests = 1;
	rounded_add(&delta.total.rounded, 5, 1);
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
	root = get_json("/stats/window");
	assert_true(json_is_null(json_object_get(row_of(root, "Aggregated"), "outcomes")));
	assert_null(json_object_get(row_of(root, "Aggregated"), "response_time_from_start"));
	assert_non_null(json_object_get(row_of(root, "/a"), "response_time_from_start"));
	json_decref(root);
}

static void test_window_says_how_the_generator_is(void **state)
{
	struct stats delta;
	const json_t *generator;
	json_t *root;

	(void)state;
	start_running();
	root = get_json("/stats/window");
	generator = json_object_get(root, "generator");
	assert_true(json_is_null(json_object_get(generator, "limited")));
	assert_true(json_is_null(json_object_get(generator, "lag_p99_ms")));
	json_decref(root);

	stats_init(&delta, run_wall_s(&run));
	delta.health =
		(struct health){ .spans = 1, .cpu_percent_max = 55.5, .opened = 4, .dropped = 5 };
	health_add_lag(&delta.health, 1500);
	run_add_stats(&run, &delta, false);
	root = get_json("/stats/window");
	generator = json_object_get(root, "generator");
	assert_true(json_is_false(json_object_get(generator, "limited")));
	assert_true(json_is_null(json_object_get(generator, "reason")));
	assert_true(number(generator, "lag_p99_ms") == 1.5);
	assert_true(number(generator, "lag_max_ms") == 1.5);
	assert_true(number(generator, "cpu_percent_max") == 55.5);
	assert_true(number(generator, "connections_open") == 4);
	assert_true(number(generator, "connections_opened") == 4);
	assert_true(number(generator, "connections_failed") == 0);
	assert_true(number(generator, "dropped") == 5);
	json_decref(root);

	delta.health.busy_us = HEALTH_LASTING_US;
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
	root = get_json("/stats/window");
	generator = json_object_get(root, "generator");
	assert_true(json_is_true(json_object_get(generator, "limited")));
	assert_string_equal(json_string_value(json_object_get(generator, "reason")),
			    "a load thread used more than 90 % of a CPU for 3 s or longer");
	json_decref(root);
}

static void test_exceptions(void **state)
{
	(void)state;
	expect_body("/exceptions", "{\n  \"exceptions\": []\n}\n");
	run_add_exception(&run, str_of("host_1"), str_of("user exception <b>"),
			  str_of("  File \"x.py\"\n"), 2);
	run_add_exception(&run, str_of("host_2"), str_of("other"), str_of("  File \"x.py\"\n"), 1);
	expect_body("/exceptions",
		    "{\n  \"exceptions\": [\n    {\n      \"count\": 3,\n"
		    "      \"msg\": \"user exception <b>\",\n"
		    "      \"nodes\": \"host_1, host_2\",\n"
		    "      \"traceback\": \"  File \\\"x.py\\\"\\n\"\n    }\n  ]\n}\n");
	expect_body("/exceptions/csv", "Count,Message,Traceback,Nodes\r\n3,user exception <b>,"
				       "\"  File \"\"x.py\"\"\n\",\"host_1, host_2\"\r\n");
}

static void test_tasks(void **state)
{
	(void)state;
	start_running();
	run.users_per_class[0] = 3;
	expect_body(
		"/tasks",
		"{\n  \"per_class\": {\n    \"Alpha\": {\n      \"ratio\": 0.75,\n"
		"      \"tasks\": {\n        \"fail\": {\n          \"ratio\": 0.25\n        },\n"
		"        \"index\": {\n          \"ratio\": 0.5\n        },\n"
		"        \"slow\": {\n          \"ratio\": 0.25\n        }\n      }\n    },\n"
		"    \"Beta\": {\n      \"ratio\": 0.25,\n      \"tasks\": {\n"
		"        \"index\": {\n          \"ratio\": 1.0\n        }\n      }\n    }\n"
		"  },\n  \"total\": {\n    \"Alpha\": {\n      \"ratio\": 0.75,\n"
		"      \"tasks\": {\n        \"fail\": {\n          \"ratio\": 0.1875\n"
		"        },\n        \"index\": {\n          \"ratio\": 0.375\n        },\n"
		"        \"slow\": {\n          \"ratio\": 0.1875\n        }\n      }\n    },\n"
		"    \"Beta\": {\n      \"ratio\": 0.25,\n      \"tasks\": {\n"
		"        \"index\": {\n          \"ratio\": 0.25\n        }\n      }\n    }\n"
		"  }\n}\n");
}

static void test_csv_is_locusts(void **state)
{
	struct stats_entry *e = stats_entry(&run.stats, str_of("GET"), str_of("/a,b"), 1000);

	(void)state;
	/* The entry "/slow" of a real test, and what its CSV said. */
	e->num_requests = run.stats.total.num_requests = 9;
	e->total_response_time_ms = 9 * 156.56093144444742;
	e->min_response_time_ms = 151.6334339999048;
	e->max_response_time_ms = 193.1275069998719;
	e->total_content_length = 108;
	rounded_add(&e->rounded, 150, 8);
	rounded_add(&e->rounded, 190, 1);
	run.stats.total.start_time = 1000;
	run.stats.total.last_request_timestamp = 1010;
	expect_body("/stats/requests/csv",
		    "Type,Name,Request Count,Failure Count,Median Response Time,"
		    "Average Response Time,Min Response Time,Max Response Time,"
		    "Average Content Size,Requests/s,Failures/s,"
		    "50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%\r\n"
		    "GET,\"/a,b\",9,0,151.6334339999048,156.56093144444742,151.6334339999048,"
		    "193.1275069998719,12.0,0.9,0.0,"
		    "150,150,150,150,190,190,190,190,190,190,190\r\n"
		    ",Aggregated,9,0,0,0.0,0,0,0.0,0.9,0.0,0,0,0,0,0,0,0,0,0,0,0\r\n");
}

static void test_csv_of_nothing_and_its_name(void **state)
{
	struct call c;

	(void)state;
	run.host = mem_strdup("http://h:1\r\nEvil: yes");
	call(&c, "GET", "/stats/requests/csv");
	assert_non_null(strstr(c.body, "\r\n,Aggregated,0,0,0,0.0,0,0,0,0.0,0.0,N/A,N/A,N/A,N/A,"
				       "N/A,N/A,N/A,N/A,N/A,N/A,N/A\r\n"));
	assert_non_null(strstr(c.reply.p, "Content-Type: text/csv\r\n"));
	assert_non_null(strstr(c.reply.p, "Content-disposition: attachment;filename=Locust_"));
	assert_non_null(strstr(c.reply.p, "_some.c_http://h:1"));
	assert_null(strstr(c.reply.p, "\nEvil: yes"));
	end_call(&c);
}

static void test_failures_csv(void **state)
{
	(void)state;
	stats_add_error(&run.stats, str_of("b"), str_of("POST"), str_of("POST json"),
			str_of("CatchResponseError('bad, content')"), 6, 0, 0);
	stats_add_error(&run.stats, str_of("a"), str_of("GET"), str_of("/fail"),
			str_of("HTTPError('500')"), 9, 1795468985.03, 1795468990.7);
	stats_add_error(&run.stats, str_of("c"), str_of("GET"), str_of("/"), str_of("e"), 1, 1e300,
			253402300799.0);
	expect_body("/stats/failures/csv",
		    "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n"
		    "GET,/fail,HTTPError('500'),9,2026-11-23T21:23:05Z,2026-11-23T21:23:10Z\r\n"
		    "POST,POST json,\"CatchResponseError('bad, content')\",6,,\r\n"
		    "GET,/,e,1,,9999-12-31T23:59:59Z\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MASTER(test_idle_master_is_locusts),
		MASTER(test_requests_have_both_generations_of_names),
		LOCAL(test_requests_are_cached_but_not_over_a_change),
		LOCAL(test_current_percentiles_are_of_ten_seconds),
		LOCAL(test_current_percentiles_are_null_when_unknown),
		LOCAL(test_rows_are_limited),
		LOCAL(test_window_is_exact),
		LOCAL(test_window_has_both_latencies_and_outcomes),
		LOCAL(test_window_shows_no_part_as_the_whole),
		LOCAL(test_window_details_are_of_whole_seconds),
		LOCAL(test_window_says_how_the_generator_is),
		LOCAL(test_exceptions),
		LOCAL(test_tasks),
		LOCAL(test_csv_is_locusts),
		LOCAL(test_csv_of_nothing_and_its_name),
		LOCAL(test_failures_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
