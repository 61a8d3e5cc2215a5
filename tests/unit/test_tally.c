/* SPDX-License-Identifier: MIT
 *
 * Rows found by labels, across hand-overs and at the limit of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "user/tally.h"

static struct stats *blank(void)
{
	struct stats *s = mem_zalloc(1, sizeof(*s));

	stats_init(s, 1);
	return s;
}

static void give_back(struct stats *s)
{
	stats_fini(s);
	mem_free(s);
}

static uint64_t requests_of(struct stats *s, const char *method, const char *name)
{
	return stats_entry(s, str_of(method), str_of(name), 0)->num_requests;
}

static void labels_outlive_a_hand_over(void **state)
{
	struct stats *first, *second;
	struct label *label;
	struct tally t;

	(void)state;
	tally_init(&t, blank(), 0);
	label = tally_label(&t, "GET", "/a");
	assert_ptr_equal(tally_label(&t, "GET", "/a"), label);
	assert_ptr_not_equal(tally_label(&t, "POST", "/a"), label);
	tally_record(&t, label, &(struct stats_request){ .service_us = 5, .content_bytes = 10 }, 0);
	first = tally_take(&t, blank(), 1);
	give_back(first);
	tally_record(&t, label, &(struct stats_request){ .service_us = 5, .content_bytes = 10 }, 2);
	tally_record(&t, label,
		     &(struct stats_request){ .service_us = 5,
					      .content_bytes = 10,
					      .error = "wrong",
					      .outcome = STATS_HTTP_ERROR },
		     2);
	second = tally_take(&t, blank(), 3);
	assert_int_equal(second->entries.count, 1);
	assert_int_equal(requests_of(second, "GET", "/a"), 2);
	assert_int_equal(second->total.num_failures, 1);
	assert_int_equal(second->errors.count, 1);
	give_back(second);
	tally_fini(&t);
}

static void a_buffer_used_again_is_another_row(void **state)
{
	char method[8] = "GET", name[8] = "/a";
	struct label *a, *b;
	struct tally t;

	(void)state;
	tally_init(&t, blank(), 0);
	a = tally_label(&t, method, name);
	memcpy(name, "/b", 3);
	b = tally_label(&t, method, name);
	assert_ptr_not_equal(a, b);
	memcpy(method, "PUT", 4);
	assert_ptr_not_equal(tally_label(&t, method, name), b);
	assert_ptr_equal(tally_label(&t, "GET", "/a"), a);
	tally_fini(&t);
}

static void names_beyond_the_limit_share_a_row(void **state)
{
	char name[32], longest[LIMIT_STAT_NAME_BYTES + 10];
	struct tally t;

	(void)state;
	tally_init(&t, blank(), 0);
	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_ptr_equal(tally_label(&t, "GET", longest), tally_label(&t, "GET", longest));
	for (int i = 0; i < LIMIT_STAT_NAMES + 20; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		tally_record(&t, tally_label(&t, "GET", name),
			     &(struct stats_request){ .service_us = 1 }, 0);
	}
	assert_true(t.stats->entries.count <= LIMIT_STAT_NAMES);
	assert_int_equal(requests_of(t.stats, "", STATS_OTHERS), 21);
	assert_int_equal(t.stats->total.num_requests, LIMIT_STAT_NAMES + 20);
	tally_forget(&t);
	tally_record(&t, tally_label(&t, "GET", "/0"), &(struct stats_request){ .service_us = 1 },
		     0);
	assert_int_equal(requests_of(t.stats, "GET", "/0"), 2);
	tally_fini(&t);
}

static void errors_need_no_request(void **state)
{
	struct tally t;

	(void)state;
	tally_init(&t, blank(), 0);
	tally_error(&t, "Visitor", "MemoryError('no stack')", CLOCK_S);
	assert_int_equal(t.stats->total.num_requests, 0);
	assert_int_equal(t.stats->errors.count, 1);
	tally_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_outlive_a_hand_over),
		cmocka_unit_test(a_buffer_used_again_is_another_row),
		cmocka_unit_test(names_beyond_the_limit_share_a_row),
		cmocka_unit_test(errors_need_no_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
