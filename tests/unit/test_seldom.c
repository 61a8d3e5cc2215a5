/* SPDX-License-Identifier: MIT
 *
 * seldom: once in a while for a peer, and a bound on how many are remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "cluster/seldom.h"

static void each_peer_is_let_through_once_in_a_while(void **state)
{
	struct seldom r;

	(void)state;
	seldom_init(&r, 5 * CLOCK_S);
	assert_true(seldom_take(&r, str_of("a"), CLOCK_S));
	assert_false(seldom_take(&r, str_of("a"), 5 * CLOCK_S));
	assert_true(seldom_take(&r, str_of("b"), 5 * CLOCK_S));
	assert_true(seldom_take(&r, str_of("a"), 6 * CLOCK_S));
	assert_false(seldom_take(&r, str_of("a"), 10 * CLOCK_S));
	seldom_fini(&r);
}

static void a_crowd_of_names_is_bounded(void **state)
{
	uint64_t now_us = 60 * CLOCK_S, taken = 0;
	struct seldom r;
	char name[32];

	(void)state;
	seldom_init(&r, 5 * CLOCK_S);
	for (int i = 0; i < 3 * LIMIT_WORKERS; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		taken += seldom_take(&r, str_of(name), now_us);
		assert_true(r.at.count <= LIMIT_WORKERS);
	}
	assert_true(taken <= 2 * LIMIT_WORKERS);
	assert_false(seldom_take(&r, str_of("late"), now_us + CLOCK_S));
	assert_true(seldom_take(&r, str_of("late"), now_us + 6 * CLOCK_S));
	seldom_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_peer_is_let_through_once_in_a_while),
		cmocka_unit_test(a_crowd_of_names_is_bounded),
	};

	return cmocka_run_group_tests_name("seldom", tests, NULL, NULL);
}
