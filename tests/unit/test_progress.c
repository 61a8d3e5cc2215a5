/* SPDX-License-Identifier: MIT
 *
 * progress: the order's live line, on a terminal and elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "matrix/master_api.h"
#include "matrix/plan.h"
#include "matrix/progress.h"
#include "matrix/result_row.h"

struct screen {
	struct plan plan;
	struct progress *progress;
	FILE *to;
	char *text;
	size_t len;
};

static void open_screen(struct screen *s, bool is_terminal)
{
	struct scenario scenario;

	s->plan = plan_defaults();
	scenario = plan_scenario(&s->plan, 2);
	s->to = open_memstream(&s->text, &s->len);
	s->progress = progress_create(&s->plan, s->to, is_terminal);
	progress_scenario(s->progress, 2, &scenario, plan_rest_s(&s->plan, 2));
}

static void close_screen(struct screen *s)
{
	progress_destroy(&s->progress);
	fclose(s->to);
}

static const struct master_api_live live = {
	.is_window_open = true, .window_s = 60.4, .rps = 18.53, .median_ms = 620, .p90_ms = 1800
};

static void elsewhere_every_look_is_a_line(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, false);
	progress_step(s.progress, "scaling the target", 0);
	progress_live(s.progress, &live, 66.4);
	progress_cooldown(s.progress);
	close_screen(&s);
	assert_string_equal(s.text,
			    "[3/24] replicas=1 workers=4 users=800   [60s/120s] RPS: 18.5 | "
			    "Median: 620ms | P90: 1800ms   total 10 %, 50m21s left\n");
	free(s.text);
}

static void a_terminal_is_redrawn_and_left_clean(void **state)
{
	struct screen s;

	(void)state;
	open_screen(&s, true);
	progress_step(s.progress, "scaling the target", 0);
	progress_live(s.progress, &live, 66.4);
	close_screen(&s);
	assert_int_equal(s.text[0], '\r');
	assert_non_null(strstr(s.text, "scaling the target"));
	assert_non_null(strstr(s.text, "\033[K\r[3/24] "));
	assert_non_null(strstr(s.text, "| P90: 1800ms   total 10 %, 50m21s left\033[K\n"));
	assert_ptr_equal(strchr(s.text, '\n'), s.text + s.len - 1);
	free(s.text);
}

static void a_percentile_is_never_shown_under_anothers_name(void **state)
{
	struct master_api_live other = live;
	struct screen s;

	(void)state;
	other.p90_ms = NAN;
	other.p95_ms = 2000;
	open_screen(&s, false);
	progress_live(s.progress, &other, 0);
	other.p95_ms = other.median_ms = other.rps = NAN;
	progress_live(s.progress, &other, 0);
	other.median_ms = 1.25;
	progress_live(s.progress, &other, 0);
	close_screen(&s);
	assert_non_null(strstr(s.text, "RPS: 18.5 | Median: 620ms | P95: 2000ms  "));
	assert_non_null(strstr(s.text, "RPS: - | Median: - | P90: -  "));
	assert_non_null(strstr(s.text, "| Median: 1.2ms |"));
	free(s.text);
}

static void a_row_tells_the_numbers_or_the_reason(void **state)
{
	struct result_row row = result_row_blank(1, 4, 800);
	struct screen s;

	(void)state;
	open_screen(&s, false);
	row.status = RESULT_LOST_WORKER;
	result_row_note(&row, "worker-2 was killed by signal 9");
	progress_row(s.progress, &row);
	close_screen(&s);
	assert_string_equal(s.text, "[3/24] replicas=1 workers=4 users=800   lost_worker: worker-2 "
				    "was killed by signal 9\n");
	free(s.text);
}

static void times_are_short_words(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = { { -3, "0s" },    { 0, "0s" },	{ 0.2, "1s" },	   { 59, "59s" },
		      { 60, "1m00s" }, { 80, "1m20s" }, { 3600, "1h00m" }, { 7500, "2h05m" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];

		progress_time_text(cases[i].seconds, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elsewhere_every_look_is_a_line),
		cmocka_unit_test(a_terminal_is_redrawn_and_left_clean),
		cmocka_unit_test(a_percentile_is_never_shown_under_anothers_name),
		cmocka_unit_test(a_row_tells_the_numbers_or_the_reason),
		cmocka_unit_test(times_are_short_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
