/* SPDX-License-Identifier: MIT
 *
 * server_side and pod_usage: what two readings of pages say of the time between, and what the
 * cluster has measured. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/kube_objects.h"
#include "matrix/pod_usage.h"
#include "matrix/result_row.h"
#include "matrix/server_side.h"

#define PAGE \
	"# HELP inference_requests_total Requests.\n" \
	"inference_requests_total{path=\"/predict\",code=\"200\"} %d\n" \
	"inference_requests_total{path=\"/healthz\",code=\"200\"} 10\n" \
	"inference_queue_duration_seconds_bucket{le=\"0.1\"} 1\n" \
	"inference_queue_duration_seconds_sum %g\n" \
	"inference_queue_duration_seconds_count %d\n" \
	"process_cpu_seconds_total %g\n" \
	"process_resident_memory_bytes 3145728\n"

static void add(struct server_side *s, const char *name, int requests, double queue_s, double cpu_s)
{
	char page[1000];

	snprintf(page, sizeof(page), PAGE, requests, queue_s, requests, cpu_s);
	server_side_add(s, name, str_of(page));
}

static void what_came_between_counts(void **state)
{
	struct result_row row = result_row_blank(2, 1, 1);
	struct server_side before, after;

	(void)state;
	server_side_init(&before);
	server_side_init(&after);
	before.at_us = 7 * CLOCK_S;
	after.at_us = 9 * CLOCK_S;
	add(&before, "a", 100, 1, 5);
	add(&before, "b", 0, 0, 0.5);
	/* Whoever answers first. */
	add(&after, "b", 100, 0.3, 0.5);
	add(&after, "a", 400, 1.5, 6);
	server_side_assess(&before, &after, &row);
	assert_true(fabs(row.server_cpu_ms - 2.5) < 1e-9);
	assert_true(fabs(row.server_queue_ms - 2) < 1e-9);
	assert_true(fabs(row.server_share_max_pct - 75) < 1e-9);
	assert_true(fabs(row.server_cpu_pct - 25) < 1e-9);
	assert_true(row.server_memory_mib == 3);
	/* No page speaks of the model. */
	assert_true(isnan(row.server_compute_ms));
	/* A replica was begun anew. */
	row = result_row_blank(2, 1, 1);
	server_side_assess(&after, &before, &row);
	assert_true(isnan(row.server_cpu_ms) && isnan(row.server_share_max_pct));
	/* Another one has taken its place. */
	mem_free(before.replicas[1].name);
	before.replicas[1].name = mem_strdup("c");
	server_side_assess(&before, &after, &row);
	assert_true(isnan(row.server_cpu_ms) && isnan(row.server_cpu_pct));
	server_side_fini(&before);
	server_side_assess(&before, &after, &row);
	assert_true(isnan(row.server_cpu_ms));
	server_side_fini(&after);
}

/* A service of another make: what every client library of Prometheus says, and nothing else. */
static void cpu_for_each_request_needs_no_counter_of_ours(void **state)
{
	struct result_row row = result_row_blank(1, 1, 1);
	struct server_side before, after;

	(void)state;
	row.window_requests = 1000;
	server_side_init(&before);
	server_side_init(&after);
	after.at_us = 10 * CLOCK_S;
	server_side_add(&before, "a", str_of("process_cpu_seconds_total 3\nmine_total 5\n"));
	server_side_add(&after, "a", str_of("process_cpu_seconds_total 8\nmine_total 9\n"));
	server_side_assess(&before, &after, &row);
	assert_true(fabs(row.server_cpu_ms - 5) < 1e-9 && fabs(row.server_cpu_pct - 50) < 1e-9);
	assert_true(isnan(row.server_share_max_pct) && isnan(row.server_memory_mib));
	server_side_fini(&before);
	server_side_fini(&after);
}

static struct kube_usage usage(const char *pod, double cpus, double mib, double wall_s)
{
	return (struct kube_usage){ pod, cpus, mib * 0x1p20, wall_s, 15 };
}

static void add_usage(struct pod_usage *u, struct kube_usage usage)
{
	pod_usage_add(u, &usage);
}

static void what_the_cluster_measured_in_the_window_counts_once(void **state)
{
	struct result_row row = result_row_blank(2, 1, 1);
	struct pod_usage u;

	(void)state;
	pod_usage_init(&u, 1000);
	add_usage(&u, usage("a", 9, 999, 1010)); /* from before the window */
	pod_usage_assess(&u, &row);
	assert_true(isnan(row.server_cpu_pct) && isnan(row.server_memory_mib));
	add_usage(&u, usage("a", 0.5, 100, 1016));
	add_usage(&u, usage("a", 0.5, 100, 1016));
	add_usage(&u, usage("a", 1, 300, 1031));
	add_usage(&u, usage("a", NAN, 300, 1046));
	add_usage(&u, usage("b", 0.25, 200, 1014)); /* of a clock that is behind */
	pod_usage_assess(&u, &row);
	assert_true(fabs(row.server_cpu_pct - 50) < 1e-9 && row.server_memory_mib == 300);
	pod_usage_fini(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_between_counts),
		cmocka_unit_test(cpu_for_each_request_needs_no_counter_of_ours),
		cmocka_unit_test(what_the_cluster_measured_in_the_window_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
