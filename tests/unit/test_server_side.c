/* SPDX-License-Identifier: MIT
 *
 * server_side: what two readings of pages say of the time between. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "matrix/result_row.h"
#include "matrix/server_side.h"

#define PAGE \
	"# HELP inference_requests_total Requests.\n" \
	"inference_requests_total{path=\"/predict\",code=\"200\"} %d\n" \
	"inference_requests_total{path=\"/healthz\",code=\"200\"} 10\n" \
	"inference_queue_duration_seconds_bucket{le=\"0.1\"} 1\n" \
	"inference_queue_duration_seconds_sum %g\n" \
	"inference_queue_duration_seconds_count %d\n" \
	"process_cpu_seconds_total %g\n"

static void add(struct server_side *s, int requests, double queue_s, double cpu_s)
{
	char page[1000];

	snprintf(page, sizeof(page), PAGE, requests, queue_s, requests, cpu_s);
	server_side_add(s, str_of(page));
}

static void what_came_between_counts(void **state)
{
	struct result_row row = result_row_blank(2, 1, 1);
	struct server_side before, after;

	(void)state;
	server_side_init(&before);
	server_side_init(&after);
	add(&before, 100, 1, 5);
	add(&before, 0, 0, 0.5);
	add(&after, 400, 1.5, 6);
	add(&after, 100, 0.3, 0.5);
	server_side_assess(&before, &after, &row);
	assert_true(fabs(row.server_cpu_ms - 2.5) < 1e-9);
	assert_true(fabs(row.server_queue_ms - 2) < 1e-9);
	assert_true(fabs(row.server_share_max_pct - 75) < 1e-9);
	/* No page speaks of the model. */
	assert_true(isnan(row.server_compute_ms));
	/* A replica was begun anew. */
	row = result_row_blank(2, 1, 1);
	server_side_assess(&after, &before, &row);
	assert_true(isnan(row.server_cpu_ms) && isnan(row.server_share_max_pct));
	server_side_fini(&before);
	server_side_assess(&before, &after, &row);
	assert_true(isnan(row.server_cpu_ms));
	server_side_fini(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_between_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
