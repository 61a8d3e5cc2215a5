/* SPDX-License-Identifier: MIT
 *
 * counter_text: sums over labels, and pages that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "matrix/counter_text.h"

static const char page[] =
	"# HELP inference_requests_total Requests answered.\n"
	"# TYPE inference_requests_total counter\n"
	"inference_requests_total{path=\"/predict\",method=\"POST\",code=\"200\"} 120\n"
	"inference_requests_total{path=\"/a} b\\\" 7\",method=\"GET\",code=\"404\"} 3 "
	"1700000000000\n"
	"inference_requests_total_created 99\n"
	"other_inference_requests_total 50\n"
	"inference_requests_total 1e1\n"
	"wrong{x=\"1\"} -1\n"
	"half 1.5\n"
	"open{x=\"1 5\n"
	"huge 1e300";

static void samples_are_added_over_all_labels(void **state)
{
	uint64_t sum;

	(void)state;
	assert_true(counter_text_sum(str_of(page), "inference_requests_total", &sum));
	assert_int_equal(sum, 133);
}

static void a_counter_without_a_sample_is_zero(void **state)
{
	uint64_t sum = 1;

	(void)state;
	assert_true(counter_text_sum(str_of(page), "absent", &sum));
	assert_int_equal(sum, 0);
	assert_true(counter_text_sum(str_of(""), "absent", &sum));
	assert_true(counter_text_sum(str_of(page), "open", &sum));
	assert_int_equal(sum, 0);
}

/* Before its first event a counter has its # TYPE alone; another one's is not its own. */
static void a_counter_is_known_by_sample_or_type(void **state)
{
	(void)state;
	assert_true(counter_text_has(str_of(page), "inference_requests_total"));
	assert_true(counter_text_has(str_of("# TYPE a counter\n"), "a"));
	assert_true(counter_text_has(str_of("a 0"), "a"));
	assert_false(counter_text_has(str_of("# TYPE ab counter\nab 1\n# HELP a x"), "a"));
	assert_false(counter_text_has(str_of("# TYPE a"), "a"));
	assert_false(counter_text_has(str_of(""), "a"));
}

static void what_is_no_count_is_refused(void **state)
{
	uint64_t sum;

	(void)state;
	assert_false(counter_text_sum(str_of(page), "wrong", &sum));
	assert_false(counter_text_sum(str_of(page), "half", &sum));
	assert_false(counter_text_sum(str_of(page), "huge", &sum));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_added_over_all_labels),
		cmocka_unit_test(a_counter_without_a_sample_is_zero),
		cmocka_unit_test(a_counter_is_known_by_sample_or_type),
		cmocka_unit_test(what_is_no_count_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
