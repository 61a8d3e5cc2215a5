/* SPDX-License-Identifier: MIT
 *
 * evidence: what is kept of a window comes back, in a bounded number of points. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "base/limits.h"
#include "matrix/evidence.h"
#include "matrix/result_row.h"
#include "folder_fixture.h"

static struct evidence_point second(size_t i)
{
	return (struct evidence_point){ .at_s = (double)i,
					.requests_per_s = 10.0 * (double)i,
					.failures_per_s = 0,
					.mean_ms = i % 2 ? 1.5 : NAN,
					.users = 7 };
}

static struct evidence seconds(size_t count)
{
	struct evidence e;

	evidence_init(&e);
	for (size_t i = 0; i < count; i++) {
		struct evidence_point point = second(i);

		evidence_add(&e, &point);
	}
	return e;
}

static void what_is_saved_is_loaded(void **state)
{
	struct result_row row = result_row_blank(1, 1, 7);
	struct evidence saved = seconds(5), loaded;
	struct err_text text = { "" };
	char path[300];

	hist_add(&saved.times, 1500, 3);
	snprintf(path, sizeof(path), "%s/" EVIDENCE_FOLDER, (const char *)*state);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(evidence_save(*state, 12, &saved, &row, &text), OK);
	evidence_init(&loaded);
	assert_int_equal(evidence_load(*state, 12, &loaded, &text), OK);
	assert_int_equal(loaded.count, 5);
	assert_false(loaded.is_polled);
	for (size_t i = 0; i < 5; i++) {
		assert_true(loaded.points[i].at_s == (double)i);
		assert_true(loaded.points[i].requests_per_s == 10.0 * (double)i);
		assert_true(loaded.points[i].users == 7);
		assert_int_equal(isnan(loaded.points[i].mean_ms), i % 2 == 0);
	}
	assert_int_equal(loaded.times.count, 3);
	assert_int_equal(hist_percentile_us(&loaded.times, 0.5), 1500);
	/* The row is measured again, and fails. */
	evidence_fini(&saved);
	evidence_fini(&loaded);
	assert_int_equal(evidence_save(*state, 12, &saved, &row, &text), OK);
	assert_int_equal(evidence_load(*state, 12, &loaded, &text), OK);
	assert_int_equal(loaded.count + loaded.times.count, 0);
	assert_int_equal(evidence_load(*state, 13, &saved, &text), ERR_NOT_FOUND);
	evidence_fini(&saved);
	evidence_fini(&loaded);
}

/* The JSON of evidence with these points at most; for json_decref(). */
static json_t *json_of(const struct evidence *e, const struct result_row *row, size_t points_max)
{
	struct buf out;
	json_t *root;

	buf_init(&out, LIMIT_EVIDENCE_BYTES);
	buf_add_char(&out, '{');
	evidence_add_json(e, row, points_max, &out);
	buf_add_char(&out, '}');
	root = json_loadb(out.p, out.len, 0, NULL);
	buf_fini(&out);
	assert_non_null(root);
	return root;
}

static void a_chart_has_means_of_neighbours(void **state)
{
	struct result_row row = result_row_blank(1, 1, 7);
	struct evidence e = seconds(10);
	const json_t *requests, *mean;
	json_t *root = json_of(&e, &row, 4);

	(void)state;
	requests = json_object_get(json_object_get(root, "series"), "requests");
	assert_string_equal(json_string_value(json_object_get(requests, "unit")), "requests/s");
	requests = json_object_get(requests, "values");
	assert_int_equal(json_array_size(requests), 4); /* of 3, 3, 3 and 1 */
	assert_true(json_number_value(json_array_get(requests, 1)) == 40);
	assert_true(json_number_value(json_array_get(requests, 3)) == 90);
	mean = json_object_get(json_object_get(json_object_get(root, "series"), "mean"), "values");
	assert_true(json_number_value(json_array_get(mean, 0)) == 1.5);
	json_decref(root);
	evidence_fini(&e);
}

static void nothing_known_is_null(void **state)
{
	struct result_row row = result_row_blank(1, 1, 7);
	struct evidence e = seconds(0);
	json_t *root = json_of(&e, &row, 4);

	(void)state;
	assert_true(json_is_null(json_object_get(root, "series")));
	assert_true(json_is_null(json_object_get(root, "percentile_curve")));
	json_decref(root);
}

static void a_long_window_stays_within_its_limit(void **state)
{
	struct evidence e = seconds(3 * LIMIT_SERIES);

	(void)state;
	assert_true(e.count <= LIMIT_SERIES && e.count > LIMIT_SERIES / 2);
	assert_true(e.points[0].at_s == 0);
	for (size_t i = 1; i < e.count; i++)
		assert_true(e.points[i].at_s > e.points[i - 1].at_s);
	evidence_fini(&e);
}

static void what_is_no_evidence_is_refused(void **state)
{
	static const char *const texts[] = {
		"{\"series\":{\"at\":{\"values\":[0,1]},\"requests\":{\"values\":[0]}}}",
		"{\"series\":{\"at\":{\"values\":[0,\"1\"]}}}",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		json_t *root = json_loads(texts[i], 0, NULL);
		struct err_text why = { "" };
		struct evidence e;

		evidence_init(&e);
		assert_int_equal(evidence_read_json(root, &e, &why), ERR_BAD_INPUT);
		assert_non_null(strstr(why.text, "of the series"));
		evidence_fini(&e);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_saved_is_loaded, make_folder,
						remove_folder),
		cmocka_unit_test(a_chart_has_means_of_neighbours),
		cmocka_unit_test(nothing_known_is_null),
		cmocka_unit_test(a_long_window_stays_within_its_limit),
		cmocka_unit_test(what_is_no_evidence_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
