/* SPDX-License-Identifier: MIT
 *
 * master_details: a reply becomes evidence as a whole, or leaves it as it was. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "matrix/evidence.h"
#include "matrix/master_details.h"

#define SERIES \
	"\"start_time\":1000.25,\"series\":{\"start_time\":1001,\"interval_s\":2," \
	"\"requests\":[10,20],\"failures\":[0,1],\"timed\":[10,20]," \
	"\"avg_response_time\":[1.5,null],\"user_count\":[5,5]}"
#define TIMES "\"service_times\":{\"us\":[1500,2500],\"counts\":[29,1]}"
#define PARTS \
	"\"parts\":{\"start_time\":1000,\"interval_s\":2,\"service_times\":[" \
	"{\"us\":[900],\"counts\":[5]},{\"us\":[1100,1200],\"counts\":[2,1]}]}"

static enum err read(const char *text, struct evidence *out, struct err_text *why)
{
	json_t *root = json_loads(text, 0, NULL);
	enum err err = master_details_read(root, out, why);

	json_decref(root);
	return err;
}

static void a_reply_becomes_evidence(void **state)
{
	struct err_text why = { "" };
	struct hist later = { .count = 0 };
	struct evidence e;

	(void)state;
	evidence_init(&e);
	e.is_polled = true;
	assert_int_equal(
		read("{" SERIES "," TIMES ",\"waiting\":{\"waits\":3,\"total_s\":4.5}}", &e, &why),
		OK);
	assert_false(e.is_polled);
	assert_true(e.interval_s == 2 && e.waited_s == 4.5);
	assert_int_equal(e.count, 2);
	assert_true(e.points[0].at_s == 0.75 && e.points[1].at_s == 2.75);
	assert_true(e.points[1].requests_per_s == 10 && e.points[1].failures_per_s == 0.5);
	assert_true(e.points[0].mean_ms == 1.5 && isnan(e.points[1].mean_ms));
	assert_int_equal(e.times.count, 30);
	assert_int_equal(hist_percentile_us(&e.times, 0.5), 1500);
	assert_int_equal(e.part_count, 0);
	assert_int_equal(read("{" SERIES "," TIMES "," PARTS "}", &e, &why), OK);
	assert_int_equal(e.part_count, 2);
	assert_true(e.parts_at_s == -0.25 && e.part_s == 2);
	evidence_times_from(&e, 0, &later);
	assert_true(later.count == 3 && hist_percentile_us(&later, 1) == 1200);
	hist_fini(&later);
	assert_int_equal(read("{" SERIES "," TIMES ",\"waiting\":null}", &e, &why), OK);
	assert_true(isnan(e.waited_s));
	evidence_fini(&e);
}

static void what_is_none_leaves_it_as_it_was(void **state)
{
	static const char *const replies[] = {
		"{}",
		"[]",
		"{" TIMES ",\"series\":{\"requests\":[1],\"failures\":[],\"avg_response_time\":[1],"
		"\"user_count\":[1],\"interval_s\":1}}",
		"{" TIMES
		",\"series\":{\"requests\":[1],\"failures\":[1],\"avg_response_time\":[1],"
		"\"user_count\":[1],\"interval_s\":0}}",
		"{" SERIES "}",
		"{" SERIES ",\"service_times\":{\"us\":[1500],\"counts\":[]}}",
		"{" SERIES ",\"service_times\":{\"us\":[-1],\"counts\":[1]}}",
		"{" SERIES ",\"service_times\":{\"us\":[1],\"counts\":[1e300]}}",
		"{" SERIES ",\"service_times\":{\"us\":[\"1\"],\"counts\":[1]}}",
		"{" SERIES "," TIMES
		",\"parts\":{\"start_time\":1000,\"interval_s\":0,\"service_times\":[{}]}}",
		"{" SERIES "," TIMES
		",\"parts\":{\"start_time\":1000,\"interval_s\":1,\"service_times\":[{}]}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct err_text why = { "" };
		struct evidence e;

		evidence_init(&e);
		e.is_polled = true;
		evidence_add(&e, &(struct evidence_point){ .requests_per_s = 7 });
		assert_int_equal(read(replies[i], &e, &why), ERR_BAD_INPUT);
		assert_true(why.text[0] && e.is_polled && e.count == 1);
		evidence_fini(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_becomes_evidence),
		cmocka_unit_test(what_is_none_leaves_it_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
