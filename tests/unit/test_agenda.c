/* SPDX-License-Identifier: MIT
 *
 * agenda and objectives: what is asked of a row, and what is measured next. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "matrix/agenda.h"
#include "matrix/objectives.h"
#include "matrix/result_row.h"

#define ROWS_MAX 64

static struct objectives objectives;
static struct plan plan;
static struct agenda agenda;
static struct result_row rows[ROWS_MAX];
static size_t row_count;

static int begin(void **state)
{
	struct err_text why = { "" };

	(void)state;
	row_count = 0;
	plan = plan_defaults();
	plan.replicas = (struct opt_counts){ { 1, 2 }, 2 };
	plan.workers = (struct opt_counts){ { 4 }, 1 };
	plan.users = (struct opt_counts){ { 100 }, 1 };
	agenda = (struct agenda){ &plan, &objectives };
	return objectives_parse("p95<200ms,fail_ratio<=1%", &objectives, &why);
}

/* A service whose p95 is 200 ms with 900 users per replica. */
static struct result_row serve(const struct scenario *s)
{
	struct result_row row = result_row_blank(s->replicas, s->workers, s->users);
	double per_replica = (double)s->users / (double)s->replicas;

	row.scenario = s->index;
	row.repeat = s->repeat;
	row.verdict = RESULT_VERDICT_VALID;
	row.generator = RESULT_GENERATOR_OK;
	row.rps = (double)s->users / 1.5;
	row.p95_ms = per_replica / 900 * 200;
	row.total_requests = row.window_requests = 10000;
	row.failures = 0;
	row.failures_pct = 0;
	return row;
}

static bool measure_next(void)
{
	struct scenario s;

	if (!agenda_next(&agenda, rows, row_count, &s))
		return false;
	assert_true(row_count < ROWS_MAX);
	rows[row_count++] = serve(&s);
	return true;
}

static void an_excess_is_the_worst_of_all(void **state)
{
	struct scenario s = { .replicas = 1, .workers = 4, .users = 450 };
	struct result_row row = serve(&s);
	struct err_text why = { "" };
	struct interval excess;

	(void)state;
	assert_int_equal(objectives_excess(&objectives, &row, &excess, &why), OK);
	assert_true(fabs(excess.value - 0.5) < 1e-9 && excess.low == excess.value);
	row.p95_range = (struct result_range){ 90, 120 };
	assert_int_equal(objectives_excess(&objectives, &row, &excess, &why), OK);
	assert_true(fabs(excess.low - 0.45) < 1e-9 && fabs(excess.high - 0.6) < 1e-9);
	row.failures = 300;
	row.failures_pct = 3;
	assert_int_equal(objectives_excess(&objectives, &row, &excess, &why), OK);
	assert_true(fabs(excess.value - 3) < 1e-9);
	assert_true(excess.low < 3 && excess.low > 2.5 && excess.high > 3 && excess.high < 3.5);
	row.failures = 20000;
	row.failures_pct = 200;
	assert_int_equal(objectives_excess(&objectives, &row, &excess, &why), OK);
	assert_true(fabs(excess.value - 200) < 1e-9 && excess.low == excess.value);
	row.p95_ms = NAN;
	assert_int_equal(objectives_excess(&objectives, &row, &excess, &why), ERR_NOT_FOUND);
	row = serve(&s);
	row.verdict = RESULT_VERDICT_INVALID;
	result_row_reason(&row, "the law");
	assert_int_equal(objectives_excess(&objectives, &row, &excess, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "the law");
	row = result_row_blank(1, 1, 1);
	row.status = RESULT_NO_REQUESTS;
	assert_int_equal(objectives_excess(&objectives, &row, &excess, &why), OK);
	assert_true(excess.value > 1);
}

static void what_is_no_objective_is_refused(void **state)
{
	static const char *const texts[][2] = {
		{ "", "is no measure" },
		{ "p95>200ms", "less is better" },
		{ "rps<5", "more is better" },
		{ "p95<200", "needs a unit" },
		{ "p97<2s", "p50, p90, p95, p99 and p99.9 only" },
		{ "p95{/a}<2s", "leave out the braces" },
		{ "p95<2s,", "is no measure" },
		{ "max<1s,max<1s,max<1s,max<1s,max<1s,max<1s,max<1s,max<1s,max<1s", "more than 8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err_text why = { "" };

		assert_int_equal(objectives_parse(texts[i][0], &objectives, &why), ERR_BAD_OPTION);
		if (!strstr(why.text, texts[i][1]))
			fail_msg("%s", why.text);
	}
}

static void a_search_finds_the_limit_and_goes_on_with_the_next(void **state)
{
	struct interval first, second;
	struct search s;

	(void)state;
	plan.is_search = true;
	while (measure_next())
		;
	s = agenda_search(&agenda, rows, row_count, 0, 0);
	first = search_limit(&s);
	assert_int_equal(s.end, SEARCH_CONFIRMED);
	assert_true(first.value <= 900 && first.value >= 900 / 1.05 - 1);
	s = agenda_search(&agenda, rows, row_count, 1, 0);
	second = search_limit(&s);
	assert_int_equal(s.end, SEARCH_CONFIRMED);
	assert_true(second.value <= 1800 && second.value >= 1800 / 1.05 - 1);
	assert_true(row_count <= 2 * SEARCH_PROBES);
	/* It begins at what one replica promises. */
	for (size_t i = 0; i < row_count; i++)
		if (rows[i].replicas == 2) {
			assert_int_equal(rows[i].users, 2 * (uint64_t)first.value);
			break;
		}
}

/* What a driver that was killed leaves: rows that were measured. */
static void forget_the_unmeasured(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < row_count; i++)
		if (result_status_is_measured(rows[i].status))
			rows[kept++] = rows[i];
	row_count = kept;
}

static void keep(const struct result_row *row)
{
	size_t place = result_row_place(rows, row_count, row->scenario);

	assert_true(row_count < ROWS_MAX);
	assert_null(result_row_find(rows, row_count, row->scenario));
	memmove(rows + place + 1, rows + place, (row_count - place) * sizeof(rows[0]));
	rows[place] = *row;
	row_count++;
}

/* The search takes each row for what it was measured with. */
static void check_replay(size_t i)
{
	struct search s = agenda_search(&agenda, rows, row_count, i, 0);
	size_t seen = 0;

	for (size_t row = 0; row < row_count; row++) {
		const struct search_told *told = &s.told[rows[row].scenario % SEARCH_PROBES];

		if (rows[row].scenario / SEARCH_PROBES != i)
			continue;
		assert_true(rows[row].scenario % SEARCH_PROBES < s.count);
		assert_true(told->probe.load == (double)rows[row].users);
		assert_int_equal(told->is_void, rows[row].status != RESULT_OK);
		seen++;
	}
	assert_true(seen <= s.count);
}

static void walk_through_kills(struct rng *rng, uint32_t void_pct, uint32_t kill_pct)
{
	struct scenario s;

	while (agenda_next(&agenda, rows, row_count, &s)) {
		struct result_row row = serve(&s);

		assert_true(s.index < plan_count(&plan));
		assert_int_equal(s.replicas, plan_scenario(&plan, s.index).replicas);
		assert_int_equal(s.repeat, s.index % SEARCH_PROBES + 1);
		if (rng_below(rng, 100) < void_pct)
			row.status = RESULT_TARGET_NOT_READY;
		keep(&row);
		if (rng_below(rng, 100) < kill_pct)
			forget_the_unmeasured();
		for (size_t i = 0; i < plan.replicas.count; i++)
			check_replay(i);
	}
}

/* Nothing is measured twice, nothing is taken for something else, and the limit is found. */
static void a_search_outlives_kills_among_what_cannot_be_measured(void **state)
{
	(void)state;
	plan.is_search = true;
	plan.replicas = (struct opt_counts){ { 1, 2, 4 }, 3 };
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct rng rng;

		rng_init(&rng, seed, 0);
		row_count = 0;
		walk_through_kills(&rng, 25, 25);
		forget_the_unmeasured();
		walk_through_kills(&rng, 0, 25);
		for (size_t i = 0; i < plan.replicas.count; i++) {
			struct search s = agenda_search(&agenda, rows, row_count, i, 0);
			double limit = search_limit(&s).value;

			assert_true(s.end == SEARCH_CONFIRMED || s.end == SEARCH_UNCONFIRMED);
			assert_true(limit <= 900 * (double)plan.replicas.value[i]);
		}
	}
}

/* Whatever the driver knows are the rows: after each of them it may be another one. */
static void a_search_goes_on_where_it_was(void **state)
{
	struct result_row whole[ROWS_MAX];
	struct scenario s;
	size_t count;

	(void)state;
	plan.is_search = true;
	while (measure_next())
		;
	count = row_count;
	memcpy(whole, rows, sizeof(rows));
	for (size_t i = 0; i < count; i++) {
		assert_true(agenda_next(&agenda, whole, i, &s));
		assert_int_equal(s.replicas, whole[i].replicas);
		assert_int_equal(s.users, whole[i].users);
		assert_int_equal(s.repeat, whole[i].repeat);
	}
	assert_false(agenda_next(&agenda, whole, count, &s));
}

static void the_winner_is_confirmed_in_a_longer_window(void **state)
{
	struct scenario s;
	size_t longer = 0;

	(void)state;
	plan.is_search = true;
	plan.replicas.count = 1;
	while (agenda_next(&agenda, rows, row_count, &s)) {
		longer += s.duration_s == 2 * plan.duration_s;
		assert_true(s.duration_s >= plan.duration_s);
		rows[row_count++] = serve(&s);
	}
	assert_int_equal(longer, 1);
}

/* p95 of 30 requests may be anything; what fails by them has failed. */
static void a_few_requests_confirm_nothing(void **state)
{
	struct err_text why = { "" };
	struct search s;

	(void)state;
	plan.is_search = true;
	plan.replicas.count = 1;
	while (measure_next())
		rows[row_count - 1].window_requests = 30;
	s = agenda_search(&agenda, rows, row_count, 0, 0);
	assert_int_equal(s.end, SEARCH_UNMEASURABLE);
	assert_true(s.pass > 0 && s.fail > s.pass);
	assert_int_equal(objectives_check_samples(&objectives, &rows[0], &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "p95<200ms takes 72 requests in the window, and there were "
				      "30; test longer");
}

static void what_cannot_be_measured_ends_the_search(void **state)
{
	struct scenario s;

	(void)state;
	plan.is_search = true;
	plan.replicas.count = 1;
	for (int i = 0; i < 2; i++) {
		assert_true(agenda_next(&agenda, rows, row_count, &s));
		assert_int_equal(s.users, 100);
		rows[row_count] = serve(&s);
		rows[row_count++].status = RESULT_TARGET_NOT_READY;
	}
	assert_false(agenda_next(&agenda, rows, row_count, &s));
	assert_int_equal(agenda_search(&agenda, rows, row_count, 0, 0).end, SEARCH_UNMEASURABLE);
}

static void a_matrix_is_walked_in_the_order_of_its_plan(void **state)
{
	(void)state;
	plan.users = (struct opt_counts){ { 10, 20 }, 2 };
	plan.repeats = 2;
	while (measure_next()) {
		struct scenario s = plan_scenario(&plan, row_count - 1);

		assert_int_equal(rows[row_count - 1].replicas, s.replicas);
		assert_int_equal(rows[row_count - 1].users, s.users);
		assert_int_equal(rows[row_count - 1].repeat, s.repeat);
	}
	assert_int_equal(row_count, plan_count(&plan));
}

/* Also in a journal that somebody has mended by hand. */
static void a_scenario_with_a_row_does_not_come_again(void **state)
{
	struct scenario s;

	(void)state;
	assert_true(measure_next());
	rows[0].replicas = 99;
	assert_true(agenda_next(&agenda, rows, row_count, &s));
	assert_int_equal(s.index, 1);
	plan.is_search = true;
	assert_true(agenda_next(&agenda, rows, row_count, &s));
	assert_int_equal(s.index, 1);
}

/* One replica gives the same each time, two differ: only these need all passes. */
static void what_is_known_is_not_repeated(void **state)
{
	size_t ones = 0;

	(void)state;
	plan.repeats = 10;
	plan.until_interval = 0.05;
	while (measure_next()) {
		struct result_row *row = &rows[row_count - 1];

		if (row->replicas == 1)
			row->rps += 0.01 * (double)row->repeat;
		else
			row->rps += 30.0 * (double)(row->repeat % 2);
		ones += row->replicas == 1;
	}
	assert_int_equal(ones, 3);
	assert_int_equal(row_count, 3 + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_excess_is_the_worst_of_all, begin),
		cmocka_unit_test_setup(what_is_no_objective_is_refused, begin),
		cmocka_unit_test_setup(a_search_finds_the_limit_and_goes_on_with_the_next, begin),
		cmocka_unit_test_setup(a_search_goes_on_where_it_was, begin),
		cmocka_unit_test_setup(a_search_outlives_kills_among_what_cannot_be_measured,
				       begin),
		cmocka_unit_test_setup(the_winner_is_confirmed_in_a_longer_window, begin),
		cmocka_unit_test_setup(a_few_requests_confirm_nothing, begin),
		cmocka_unit_test_setup(what_cannot_be_measured_ends_the_search, begin),
		cmocka_unit_test_setup(a_matrix_is_walked_in_the_order_of_its_plan, begin),
		cmocka_unit_test_setup(a_scenario_with_a_row_does_not_come_again, begin),
		cmocka_unit_test_setup(what_is_known_is_not_repeated, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
