/* SPDX-License-Identifier: MIT
 *
 * gate, junit and warmup: what may be written, how it is judged over a window and over the last
 * seconds, and what does not count; with a mode that only notes and a clock that is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/gate.h"
#include "run/junit.h"
#include "run/warmup.h"

#define START_US (5 * CLOCK_S)
#define WALL_S	 1e9 /* at 0 us */

static struct run run;
static struct gates gates;
static struct warmup warmup;
static struct run_start last_start;
static unsigned starts;

static enum err on_start(struct run *r, const struct run_start *start, struct err_text *text)
{
	(void)r;
	(void)text;
	last_start = *start;
	starts++;
	return OK;
}

static void on_stop(struct run *r)
{
	(void)r;
}

static const struct run_mode noting = { .start = on_start, .stop = on_stop };
static const struct run_class classes[] = { { .name = "A", .weight = 1 } };

static int before(void **state)
{
	struct run_options options = { .classes = classes, .class_count = 1 };

	(void)state;
	starts = 0;
	run_init(&run, &noting, &options, WALL_S, START_US);
	gates_init(&gates);
	return 0;
}

static int after(void **state)
{
	(void)state;
	gates_fini(&gates);
	run_fini(&run);
	return 0;
}

static void at(double seconds)
{
	run_tick(&run, START_US + (uint64_t)(seconds * CLOCK_S));
}

static void start_test(void)
{
	struct err_text text;

	assert_int_equal(
		run_start(&run, &(struct run_start){ .user_count = 7, .spawn_rate = 2 }, &text),
		OK);
	run_set_state(&run, RUN_RUNNING);
}

static void stop_test(void)
{
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run_set_state(&run, RUN_STOPPED);
}

/* A report of equal requests. */
static void requests(const char *method, const char *name, unsigned count, double ms,
		     const char *error)
{
	double now_s = run_wall_s(&run);
	struct stats delta;

	stats_init(&delta, now_s);
	for (unsigned i = 0; i < count; i++)
		stats_record(
			&delta, stats_entry(&delta, str_of(method), str_of(name), now_s),
			&(struct stats_request){ .service_us = (uint64_t)(ms * CLOCK_MS),
						 .outcome = error ? STATS_HTTP_ERROR : STATS_OK,
						 .error = error },
			now_s);
	run_add_stats(&run, &delta, false);
	stats_fini(&delta);
}

static void add_gate(const char *text)
{
	struct err_text why = { "" };

	if (gate_parse(text, &gates.items[gates.count++], &why))
		fail_msg("%s: %s", text, why.text);
}

static void test_gates_are_read(void **state)
{
	static const struct {
		const char *text;
		enum bound_metric metric;
		double share;
		const char *who;
		bool is_above, is_equal;
		double limit;
	} cases[] = {
		{ "p99>200ms", BOUND_PERCENTILE, 0.99, "", true, false, 200 },
		{ " p99.9 >= 0.1s ", BOUND_PERCENTILE, 0.999, "", true, true, 100 },
		{ "p50{POST /predict}<50us", BOUND_PERCENTILE, 0.5, "POST /predict", false, false,
		  0.05 },
		{ "mean { a{b}>c } <= 1 s", BOUND_MEAN, 0, "a{b}>c", false, true, 1000 },
		{ "max>2s", BOUND_MAX, 0, "", true, false, 2000 },
		{ "fail_ratio>1%", BOUND_FAIL_RATIO, 0, "", true, false, 0.01 },
		{ "fail_ratio>0.5", BOUND_FAIL_RATIO, 0, "", true, false, 0.5 },
		{ "failures{/x}>=10", BOUND_FAILURES, 0, "/x", true, true, 10 },
		{ "rps<500", BOUND_RPS, 0, "", false, false, 500 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_text why = { "" };
		struct gate gate;

		if (gate_parse(cases[i].text, &gate, &why))
			fail_msg("%s: %s", cases[i].text, why.text);
		assert_int_equal(gate.bound.metric, cases[i].metric);
		assert_true(fabs(gate.bound.share - cases[i].share) < 1e-12);
		assert_true(str_eq(gate.bound.who, cases[i].who));
		assert_int_equal(gate.bound.is_above, cases[i].is_above);
		assert_int_equal(gate.bound.is_equal, cases[i].is_equal);
		assert_true(fabs(gate.bound.limit - cases[i].limit) < 1e-9);
	}
}

static void test_wrong_gates_are_told_why(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "'' is no measure" },
		{ "p0>1ms", "'p0' is no measure" },
		{ "p100.1>1ms", "'p100.1' is no measure" },
		{ "p>1ms", "'p' is no measure" },
		{ "latency>1ms", "'latency' is no measure; give p50" },
		{ "p99", "behind the measure comes >" },
		{ "p99=1ms", "behind the measure comes >" },
		{ "p99>", "'' is no limit" },
		{ "p99>200", "'200' needs a unit: us, ms or s" },
		{ "p99>200 min", "'200 min' needs a unit" },
		{ "p99>-1ms", "'-1ms' is no limit" },
		{ "p99>>1ms", "'>1ms' is no limit" },
		{ "p99{>1ms", "a { needs a }" },
		{ "p99{ }>1ms", "the braces are empty" },
		{ "p99{/}", "behind the measure comes >" },
		{ "fail_ratio>1ms", "'1ms' is no ratio" },
		{ "rps<5%", "'5%' is no plain number" },
		{ "failures>1e", "'1e' is no plain number" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_text why = { "" };
		struct gate gate;

		if (gate_parse(cases[i].text, &gate, &why) != ERR_BAD_INPUT ||
		    !strstr(why.text, cases[i].words))
			fail_msg("%s: said '%s'", cases[i].text, why.text);
	}
}

/* Each gate must end as its sign says: '-' failed, '+' not. */
static void expect_verdicts(const char *signs)
{
	bool all = gates_judge(&gates, &run);

	for (size_t i = 0; i < gates.count; i++)
		if (gates.items[i].has_failed != (signs[i] == '-'))
			fail_msg("%s: %g", gates.items[i].bound.text, gates.items[i].value);
	assert_int_equal(all, !strchr(signs, '-'));
}

static void test_the_window_is_judged_in_full_resolution(void **state)
{
	(void)state;
	add_gate("p50>10.4ms"); /* Locust's rounding would say 10 */
	add_gate("p50<10.6ms");
	add_gate("p50>10.6ms");
	add_gate("p90{GET /a}>=20ms");
	add_gate("max{/a}>100ms");
	add_gate("mean{/b}>30ms");
	add_gate("fail_ratio>1%");
	add_gate("fail_ratio{/b}>=50%");
	add_gate("failures<=9");
	add_gate("failures<10");
	add_gate("rps<3");
	add_gate("rps<=3");
	add_gate("rps{POST /a}>1");
	add_gate("p50{GET /c}>1s");
	start_test();
	requests("GET", "/a", 10, 10.5, NULL);
	requests("POST", "/a", 10, 10.5, NULL);
	at(10);
	requests("GET", "/b", 10, 40, "bad");
	stop_test();
	expect_verdicts("--+++---+++-+-");
}

static void test_what_was_before_the_window_does_not_count(void **state)
{
	(void)state;
	add_gate("max>1s");
	run.state = RUN_SPAWNING;
	requests("GET", "/", 1, 5000, NULL);
	run_set_state(&run, RUN_RUNNING);
	requests("GET", "/", 1, 5, NULL);
	at(1);
	stop_test();
	expect_verdicts("+");
	assert_false(gates.was_whole_test);
}

static void test_without_a_window_the_whole_test_counts(void **state)
{
	struct err_text text;

	(void)state;
	add_gate("max>1s");
	assert_int_equal(
		run_start(&run, &(struct run_start){ .user_count = 1, .spawn_rate = 1 }, &text),
		OK);
	requests("GET", "/", 1, 5000, NULL);
	stop_test();
	expect_verdicts("-");
	assert_true(gates.was_whole_test);
}

static void test_silence_is_no_success(void **state)
{
	(void)state;
	add_gate("failures>5");
	start_test();
	stop_test();
	expect_verdicts("-");
	assert_false(gates.items[0].is_known);
}

static void test_without_any_test_nothing_was_measured(void **state)
{
	(void)state;
	add_gate("rps<1");
	expect_verdicts("-");
	assert_true(gates.seconds == 0);
}

static void test_the_last_seconds_alone_can_fail(void **state)
{
	const struct gate *failed = NULL;

	(void)state;
	add_gate("rps<1");
	add_gate("p50>100ms");
	start_test();
	for (int s = 0; s < 40 && !failed; s++) {
		at(s);
		/* The median of the whole test never comes near the limit. */
		requests("GET", "/", s < 30 ? 100 : 10, s < 30 ? 1 : 500, NULL);
		failed = gates_watch(&gates, &run, 10);
		assert_true(!failed || s >= 31);
	}
	assert_ptr_equal(failed, &gates.items[1]);
	assert_true(failed->value > 499 && failed->value < 501);
	stop_test();
	/* It failed the test, although the whole of it would pass. */
	expect_verdicts("+-");
	assert_true(gates.items[1].value < 2);
}

static void test_the_rate_of_the_last_seconds(void **state)
{
	const struct gate *failed = NULL;
	int s;

	(void)state;
	add_gate("rps<5");
	start_test();
	for (s = 0; s < 60 && !failed; s++) {
		at(s);
		if (s < 30)
			requests("GET", "/", 10, 1, NULL);
		failed = gates_watch(&gates, &run, 10);
	}
	/* Half of ten seconds are silent, and those of late reports are not looked at. */
	assert_true(failed && s >= 38 && s <= 44);
}

static void test_a_new_window_is_watched_anew(void **state)
{
	(void)state;
	add_gate("max>100ms");
	start_test();
	for (int s = 0; s < 30; s++) {
		at(s);
		if (s == 9)
			run_reset_stats(&run);
		requests("GET", "/", 1, s < 9 ? 500 : 1, NULL);
		assert_null(gates_watch(&gates, &run, 10));
	}
	stop_test();
	expect_verdicts("+");
}

static void test_verdicts_are_printed(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	add_gate("p99>200ms");
	add_gate("fail_ratio>1%");
	add_gate("failures{/none}>1");
	gates_print(&gates, &out);
	assert_int_equal(out.len, 0);
	start_test();
	requests("GET", "/", 1, 300, NULL);
	at(2);
	stop_test();
	expect_verdicts("-+-");
	gates_print(&gates, &out);
	assert_string_equal(out.p,
			    "Gates, over 2.0 s (without the ramp)\n"
			    "FAILED  --fail-if 'p99>200ms': 300.0 ms\n"
			    "ok      --fail-if 'fail_ratio>1%': 0.0000 %\n"
			    "FAILED  --fail-if 'failures{/none}>1': nothing was measured\n\n");
	buf_fini(&out);
}

static void test_junit_escapes_what_the_target_said(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, LIMIT_JUNIT_BYTES);
	add_gate("p99{<a>}>200ms");
	start_test();
	requests("GET", "<a>", 2, 1, NULL);
	requests("GET", "<a>", 1, 1, "]]> & \"x\" \x01 \xff");
	stop_test();
	(void)gates_judge(&gates, &run);
	junit_write(&run, &gates, &out);
	assert_non_null(strstr(out.p, "tests=\"2\" failures=\"1\""));
	assert_non_null(strstr(out.p, "name=\"p99{&#60;a&#62;}&#62;200ms\">"));
	assert_non_null(strstr(out.p, "name=\"GET &#60;a&#62;\">\n      <failure"));
	assert_non_null(strstr(out.p, "1 of 3 requests failed\n1 x ]]&#62; &#38; &#34;x&#34; "
				      "\xef\xbf\xbd \xef\xbf\xbd</failure>"));
	/* A gate that says how many may fail judges them alone. */
	buf_clear(&out);
	add_gate("failures>1");
	(void)gates_judge(&gates, &run);
	junit_write(&run, &gates, &out);
	assert_non_null(strstr(out.p, "tests=\"3\" failures=\"0\""));
	buf_fini(&out);
}

static void test_the_warm_up_does_not_count(void **state)
{
	(void)state;
	warmup_init(&warmup, &run, 10);
	start_test();
	requests("GET", "/", 5, 1, NULL);
	at(9.9);
	warmup_tick(&warmup);
	assert_int_equal(starts, 1);
	at(10);
	warmup_tick(&warmup);
	/* The same users are asked for: every worker reports now. */
	assert_int_equal(starts, 2);
	assert_int_equal(last_start.user_count, 7);
	assert_false(warmup_is_over(&warmup));
	requests("GET", "/", 3, 1, NULL);
	at(10.5);
	run_set_state(&run, RUN_RUNNING);
	warmup_tick(&warmup);
	assert_true(warmup_is_over(&warmup));
	assert_int_equal(run.stats.total.num_requests, 0);
	assert_int_equal(run.window.total.num_requests, 0);
	assert_int_equal(run.window_start_us, START_US + 10.5 * CLOCK_S);
	requests("GET", "/", 2, 1, NULL);
	/* Once: a change of the number of users later resets nothing. */
	run_set_state(&run, RUN_SPAWNING);
	run_set_state(&run, RUN_RUNNING);
	at(40);
	warmup_tick(&warmup);
	assert_int_equal(starts, 2);
	assert_int_equal(run.stats.total.num_requests, 2);
}

static void test_every_test_has_its_warm_up(void **state)
{
	(void)state;
	warmup_init(&warmup, &run, 10);
	start_test();
	at(5);
	warmup_tick(&warmup);
	stop_test();
	assert_false(warmup_is_over(&warmup));
	at(100);
	start_test();
	warmup_tick(&warmup);
	at(109);
	warmup_tick(&warmup);
	assert_int_equal(starts, 2);
	at(110);
	warmup_tick(&warmup);
	assert_int_equal(starts, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gates_are_read),
		TEST(test_wrong_gates_are_told_why),
		TEST(test_the_window_is_judged_in_full_resolution),
		TEST(test_what_was_before_the_window_does_not_count),
		TEST(test_without_a_window_the_whole_test_counts),
		TEST(test_silence_is_no_success),
		TEST(test_without_any_test_nothing_was_measured),
		TEST(test_the_last_seconds_alone_can_fail),
		TEST(test_the_rate_of_the_last_seconds),
		TEST(test_a_new_window_is_watched_anew),
		TEST(test_verdicts_are_printed),
		TEST(test_junit_escapes_what_the_target_said),
		TEST(test_the_warm_up_does_not_count),
		TEST(test_every_test_has_its_warm_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
