/* SPDX-License-Identifier: MIT
 *
 * web: the report of a test, as a page and as a file. */
#include "web_fixture.h"

#define EVIL "/\"><script>alert('1')</script>&lt;\x01\xff"

static void expect_words(const char *page, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strstr(page, words[i]))
			fail_msg("the report has no %s", words[i]);
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
	static const char *const words[] = {
		"<title>Cicada Test Report</title>",
		"<dt>During</dt><dd>20",
		"(19 seconds)",
		"<dt>Target Host</dt><dd>http://h:1/?a=&quot;&amp;b</dd>",
		"<dt>Script</dt><dd>some.c</dd>",
		"<h2>Request Statistics</h2>",
		"<td>GET</td><td class=\"name\">/a</td><td class=\"n\">10</td>",
		"Aggregated</td><td class=\"n\">20</td><td class=\"n\">4</td>",
		"<h2>Response Time Statistics</h2>",
		"99%ile",
		"<h2>Failures Statistics</h2>",
		"failed &lt;b&gt;&#x27;so&#x27;&lt;/b&gt;",
		"<h2>Exceptions Statistics</h2>",
		"&lt;i&gt;boom&lt;/i&gt;",
		"<h2>Charts</h2>",
		"Total Requests per Second",
		"Response Times (ms)",
		"Number of Users",
		"Users (max 3)",
		"<h2>Final ratio</h2>",
		"66.7% Alpha", /* as it was when the stop was asked for */
		"Download the Report",
		"</html>\n",
	};
	struct call c;

	(void)state;
	run.host = mem_strdup("http://h:1/?a=\"&b");
	run_a_test();
	call(&c, "GET", "/stats/report");
	assert_int_equal(c.status, 200);
	assert_non_null(strstr(c.reply.p, "Content-Type: text/html; charset=utf-8\r\n"));
	assert_null(strstr(c.reply.p, "isposition:"));
	expect_words(c.body, words, sizeof(words) / sizeof(words[0]));
	end_call(&c);
}

static void test_report_escapes_and_asks_nobody(void **state)
{
	static const char *const forbidden[] = { "<script", "<b>", "<i>", "src=", "url(",
						 "@import", "<x>", "nan", "inf\"" };
	struct call c;

	(void)state;
	run.host = mem_strdup(EVIL);
	run_a_test();
	call(&c, "GET", "/stats/report?theme=%22%3E%3Cscript");
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (strstr(c.body, forbidden[i]))
			fail_msg("the report has %s", forbidden[i]);
	assert_non_null(strstr(c.body, "&lt;script&gt;alert(&#x27;1&#x27;)"));
	assert_non_null(strstr(c.body, "default-src 'none'"));
	assert_non_null(strstr(c.body, "class=\"auto\""));
	end_call(&c);
}

static void test_report_as_a_file(void **state)
{
	struct call c;

	(void)state;
	run.host = mem_strdup("http://h:1");
	call(&c, "GET", "/stats/report?download=1&theme=dark");
	assert_int_equal(c.status, 200);
	assert_non_null(strstr(c.reply.p, "Content-disposition: attachment;filename=Locust_"));
	assert_non_null(strstr(c.reply.p, "_some.c_http://h:1.html\r\n"));
	assert_null(strstr(c.body, "Download the Report"));
	assert_non_null(strstr(c.body, "class=\"dark\""));
	/* Nothing has run yet. */
	assert_non_null(strstr(c.body, "nothing was recorded"));
	assert_non_null(strstr(c.body, "(0 seconds)"));
	end_call(&c);
}

static void expect_chart(const char *page, const char *title, const char *const *words,
			 size_t count)
{
	const char *at = strstr(page, title), *end;
	char *chart;

	assert_non_null(at);
	end = strstr(at, "</figure>");
	assert_non_null(end);
	chart = mem_strndup(at, (size_t)(end - at));
	expect_words(chart, words, count);
	mem_free(chart);
}

/* Items by hand, and where they must be drawn: 800 x 240, margins 64, 16, 10 and 26. */
static void test_charts_are_to_scale(void **state)
{
	static const char *const rps[] = {
		"RPS (max 50)", "d=\"M64.0 214.0h0L424.0 112.0L784.0 10.0\"",
		">50</text>",	">0:00</text>",
		">1:00</text>",
	};
	static const char *const times[] = { "class=\"line a\" d=\"M64.0 112.0h0M784.0 112.0h0\"" };
	struct history *h = &run.history;
	struct buf page;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		h->items[i] = (struct history_item){ .wall_s = 1000 + 30 * (double)i,
						     .current_rps = 25 * (double)i,
						     .median_ms = i == 1 ? NAN : 50,
						     .p95_ms = 100 };
	h->count = 3;
	buf_init(&page, LIMIT_REPORT_BYTES);
	report_write(&run, &(struct report_options){ .theme = NULL }, &page);
	expect_chart(page.p, "Total Requests per Second", rps, sizeof(rps) / sizeof(rps[0]));
	expect_chart(page.p, "Response Times (ms)", times, sizeof(times) / sizeof(times[0]));
	buf_fini(&page);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCAL(test_report_has_what_locusts_has),
		LOCAL(test_report_escapes_and_asks_nobody),
		LOCAL(test_report_as_a_file),
		LOCAL(test_charts_are_to_scale),
		LOCAL(test_report_of_a_long_test_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
