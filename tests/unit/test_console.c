/* SPDX-License-Identifier: MIT
 *
 * console: the tables a real Locust 2.46.6 printed at the end of a headless test, byte for byte,
 * from statistics that are like that test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "run/console.h"

#define START_S 1700000000.0
#define LAST_S	(START_S + 7.486)

/* clang-format off */
static const char stats_table[] =
	"Type     Name                                                                          # reqs      # fails |    Avg     Min     Max    Med |   req/s  failures/s\n"
	"--------|----------------------------------------------------------------------------|-------|-------------|-------|-------|-------|-------|--------|-----------\n"
	"GET      /                                                                                 14     0(0.00%) |      4       1      41      2 |    1.87        0.00\n"
	"GET      /fail                                                                              6   6(100.00%) |      1       1       1      1 |    0.80        0.80\n"
	"GET      /slow                                                                             10     0(0.00%) |    156     151     193    151 |    1.34        0.00\n"
	"POST     POST json                                                                          6   6(100.00%) |      8       1      41      2 |    0.80        0.80\n"
	"custom   float-rt                                                                           1     0(0.00%) |    123     123     123    123 |    0.13        0.00\n"
	"GET      login                                                                              3     0(0.00%) |      2       1       4      2 |    0.40        0.00\n"
	"custom   none-rt                                                                           13     0(0.00%) |      0       0       0      0 |    1.74        0.00\n"
	"--------|----------------------------------------------------------------------------|-------|-------------|-------|-------|-------|-------|--------|-----------\n"
	"         Aggregated                                                                        53   12(22.64%) |     45       1     193      2 |    7.08        1.60\n"
	"\n";

static const char percentiles_table[] =
	"Response time percentiles (approximated)\n"
	"Type     Name                                                                                  50%    66%    75%    80%    90%    95%    98%    99%  99.9% 99.99%   100% # reqs\n"
	"--------|--------------------------------------------------------------------------------|--------|------|------|------|------|------|------|------|------|------|------|------\n"
	"GET      /                                                                                       2      2      2      2      2     42     42     42     42     42     42     14\n"
	"GET      /fail                                                                                   2      2      2      2      2      2      2      2      2      2      2      6\n"
	"GET      /slow                                                                                 150    150    150    150    190    190    190    190    190    190    190     10\n"
	"POST     POST json                                                                               2      2      2      2     41     41     41     41     41     41     41      6\n"
	"custom   float-rt                                                                              120    120    120    120    120    120    120    120    120    120    120      1\n"
	"GET      login                                                                                   2      2      5      5      5      5      5      5      5      5      5      3\n"
	"--------|--------------------------------------------------------------------------------|--------|------|------|------|------|------|------|------|------|------|------|------\n"
	"         Aggregated                                                                              2      5    150    150    150    150    190    190    190    190    190     53\n"
	"\n";

static const char errors_table[] =
	"Error report\n"
	"# occurrences      Error                                                                                               \n"
	"------------------|---------------------------------------------------------------------------------------------------------------------------------------------\n"
	"6                  GET /fail: HTTPError('500 Server Error: Internal Server Error for url: /fail')                      \n"
	"6                  POST POST json: bad content                                                                         \n"
	"------------------|---------------------------------------------------------------------------------------------------------------------------------------------\n"
	"\n";
/* clang-format on */

static const struct row {
	const char *method, *name;
	uint64_t requests, untimed, failures;
	double avg, min, max;
	struct rounded_bucket times[5];
} rows[] = {
	{ "GET", "/", 14, 0, 0, 4.9, 1.1, 41.4, { { 2, 13 }, { 42, 1 } } },
	{ "GET", "/fail", 6, 0, 6, 1.6, 1.3, 1.9, { { 2, 6 } } },
	{ "GET", "/slow", 10, 0, 0, 156.7, 151.4, 193.2, { { 150, 9 }, { 190, 1 } } },
	{ "POST", "POST json", 6, 0, 6, 8.5, 1.2, 41.3, { { 2, 5 }, { 41, 1 } } },
	{ "custom", "float-rt", 1, 0, 0, 123.4, 123.4, 123.4, { { 120, 1 } } },
	{ "GET", "login", 3, 0, 0, 2.9, 1.8, 4.6, { { 2, 2 }, { 5, 1 } } },
	{ "custom", "none-rt", 13, 13, 0, 0, NAN, 0, { { 0 } } },
};
static const struct row total_row = {
	"",  "Aggregated", 53,
	13,  12,	   45.2,
	1.1, 193.2,	   { { 2, 26 }, { 5, 1 }, { 150, 12 }, { 190, 1 } }
};

static struct run run;
static struct run_mode mode;
static struct buf out;

static void fill(struct stats_entry *e, const struct row *row)
{
	e->num_requests = row->requests;
	e->num_none_requests = row->untimed;
	e->num_failures = row->failures;
	e->total_response_time_ms = row->avg * (double)(row->requests - row->untimed);
	e->min_response_time_ms = row->min;
	e->max_response_time_ms = row->max;
	e->last_request_timestamp = LAST_S;
	for (size_t i = 0; i < 5 && row->times[i].count; i++)
		rounded_add(&e->rounded, row->times[i].ms, row->times[i].count);
}

static void add_error(const char *method, const char *name, const char *error)
{
	stats_add_error(&run.stats, str_of(""), str_of(method), str_of(name), str_of(error), 6, 0,
			0);
}

static int before(void **state)
{
	(void)state;
	mode = (struct run_mode){ .is_distributed = false };
	run_init(&run, &mode, &(struct run_options){ .class_count = 0 }, START_S, 0);
	buf_init(&out, CONSOLE_TABLE_BYTES);
	return 0;
}

static int after(void **state)
{
	(void)state;
	buf_fini(&out);
	run_fini(&run);
	return 0;
}

static void fill_all(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fill(stats_entry(&run.stats, str_of(rows[i].method), str_of(rows[i].name), START_S),
		     &rows[i]);
	fill(&run.stats.total, &total_row);
	add_error("GET", "/fail",
		  "HTTPError('500 Server Error: Internal Server Error for url: /fail')");
	add_error("POST", "POST json", "CatchResponseError('bad content')");
}

static void test_final_table_is_locusts(void **state)
{
	(void)state;
	fill_all();
	console_stats(&run, true, 0, &out);
	assert_string_equal(out.p, stats_table);
}

static void test_percentiles_are_locusts(void **state)
{
	(void)state;
	fill_all();
	console_percentiles(&run, 0, &out);
	assert_string_equal(out.p, percentiles_table);
}

static void test_errors_are_locusts(void **state)
{
	(void)state;
	fill_all();
	console_errors(&run, 0, &out);
	assert_string_equal(out.p, errors_table);
}

static void test_master_keeps_the_quotes(void **state)
{
	(void)state;
	mode.is_distributed = true;
	fill_all();
	console_errors(&run, 0, &out);
	assert_non_null(strstr(out.p, "POST POST json: 'bad content'  "));
}

static void test_no_errors_no_report(void **state)
{
	(void)state;
	console_errors(&run, 0, &out);
	assert_int_equal(out.len, 0);
}

/* The first line, without its end. */
static size_t first_line(void)
{
	return strcspn(out.p, "\n");
}

static void test_width_follows_the_terminal(void **state)
{
	static const struct {
		unsigned columns;
		size_t line;
	} cases[] = { { 0, 160 }, { 400, 160 }, { 160, 160 }, { 120, 120 }, { 90, 90 } };

	(void)state;
	fill_all();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		console_stats(&run, true, cases[i].columns, &out);
		assert_int_equal(first_line(), cases[i].line);
	}
	/* Narrower ones overflow, but are whole. */
	for (unsigned columns = 1; columns < 84; columns++) {
		buf_clear(&out);
		console_stats(&run, false, columns, &out);
		console_percentiles(&run, columns, &out);
		console_errors(&run, columns, &out);
		assert_non_null(strstr(out.p, "Aggregated"));
	}
}

static void test_current_rates_while_running(void **state)
{
	struct stats_entry *e = stats_entry(&run.stats, str_of("GET"), str_of("/"), START_S);

	(void)state;
	for (int second = 0; second < 20; second++)
		for (int i = 0; i < (second < 10 ? 1 : 4); i++)
			stats_record(
				&run.stats, e,
				&(struct stats_request){ .service_us = 2000, .content_bytes = 10 },
				START_S + second);
	console_stats(&run, false, 0, &out);
	/* Seconds 7 to 16: three of 1 and seven of 4. */
	assert_non_null(strstr(out.p, "|    3.10        0.00"));
	buf_clear(&out);
	console_stats(&run, true, 0, &out);
	assert_non_null(strstr(out.p, "|    2.63        0.00"));
}

static void test_long_methods_push_the_row(void **state)
{
	(void)state;
	stats_entry(&run.stats, str_of("PROPFIND"), str_of("/"), START_S);
	console_stats(&run, true, 0, &out);
	assert_non_null(strstr(out.p, "\nPROPFIND  / "));
	assert_non_null(strstr(out.p, " 0     0(0.00%) |      0       0       0      0 |    0.00"));
}

static void test_times_from_the_intended_start_have_a_table(void **state)
{
	struct stats_entry *e = stats_entry(&run.stats, str_of("GET"), str_of("/"), START_S);

	(void)state;
	stats_record(&run.stats, e, &(struct stats_request){ .service_us = 1500 }, START_S);
	console_responses(&run, 0, &out);
	assert_int_equal(out.len, 0);
	stats_record(&run.stats, e,
		     &(struct stats_request){
			     .service_us = 1500, .response_us = 1750, .is_scheduled = true },
		     START_S);
	stats_record(&run.stats, e,
		     &(struct stats_request){
			     .service_us = 1500, .response_us = 1234567, .is_scheduled = true },
		     START_S);
	console_responses(&run, 90, &out);
	assert_string_equal(out.p, "Response time from the intended start, percentiles in ms\n"
				   "Type     Name            50%    66%    75%    80%    90%    "
				   "95%    98%    99%  99.9% "
				   "99.99%   100% # reqs\n"
				   "--------|----------|--------|------|------|------|------|------"
				   "|------|------|------|"
				   "------|------|------\n"
				   "GET      /              1.75   1234   1234   1234   1234   "
				   "1234   1234   1234   1234"
				   "   1234   1234      2\n"
				   "--------|----------|--------|------|------|------|------|------"
				   "|------|------|------|"
				   "------|------|------\n"
				   "         Aggregated     1.75   1234   1234   1234   1234   "
				   "1234   1234   1234   1234"
				   "   1234   1234      2\n"
				   "\n");
}

static void test_the_model_is_said(void **state)
{
	static const struct run_class classes[] = { { .name = "A", .model = RUN_CLOSED },
						    { .name = "B", .model = RUN_PACED },
						    { .name = "C", .model = RUN_OPEN } };

	(void)state;
	console_model(&run, &out);
	assert_int_equal(out.len, 0); /* no classes */
	run.options.classes = classes;
	run.options.class_count = 1;
	console_model(&run, &out);
	assert_non_null(strstr(out.p, "Load model: closed (users wait for their answers: "));
	buf_clear(&out);
	run.options.class_count = 3;
	console_model(&run, &out);
	assert_string_equal(out.p, "Load model: closed+paced+open\n");
	run.options.classes = classes + 1;
	run.options.class_count = 2;
	assert_string_equal(run_model_name(&run), "paced+open");
	run.options.class_count = 0;
}

static void test_the_generator_says_when_it_was_the_limit(void **state)
{
	struct health *h = &run.stats.health;

	(void)state;
	console_generator(&run, &out);
	assert_int_equal(out.len, 0);
	*h = (struct health){ .spans = 1, .cpu_percent_max = 41.6, .opened = 12, .failed = 3 };
	health_add_lag(h, 1234);
	console_generator(&run, &out);
	assert_string_equal(out.p, "Load generator: lag p99 1.23 ms, max 1.23 ms; busiest load "
				   "thread 42% CPU; connections opened 12, failed 3\n\n");
	buf_clear(&out);
	h->dropped = 7;
	console_generator(&run, &out);
	assert_non_null(strstr(out.p,
			       "failed 3\nWARNING: 7 arrivals were dropped: the target did "
			       "not get the load that was asked for; raise --max-in-flight"));
	buf_clear(&out);
	h->dropped = 0;
	h->busy_us = HEALTH_LASTING_US;
	console_generator(&run, &out);
	assert_non_null(strstr(out.p, "failed 3\nWARNING: the load generator was the limit: a load "
				      "thread used more than 90 % of a CPU"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_final_table_is_locusts),
		CASE(test_percentiles_are_locusts),
		CASE(test_errors_are_locusts),
		CASE(test_master_keeps_the_quotes),
		CASE(test_no_errors_no_report),
		CASE(test_width_follows_the_terminal),
		CASE(test_current_rates_while_running),
		CASE(test_long_methods_push_the_row),
		CASE(test_times_from_the_intended_start_have_a_table),
		CASE(test_the_model_is_said),
		CASE(test_the_generator_says_when_it_was_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
