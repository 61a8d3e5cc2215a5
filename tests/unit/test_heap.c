/* SPDX-License-Identifier: MIT
 *
 * heap: order under random insertion and removal, against a plain scan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/rng.h"

#define NODES 500

static void the_first_is_always_the_smallest(void **state)
{
	static struct heap_node nodes[NODES];
	static uint64_t keys[NODES];
	struct heap heap;
	struct rng rng;

	(void)state;
	heap_init(&heap);
	rng_init(&rng, 3, 0);
	for (int turn = 0; turn < 20000; turn++) {
		size_t i = rng_below(&rng, NODES);
		uint64_t least = UINT64_MAX;

		if (heap_has(&nodes[i]) && rng_below(&rng, 3)) {
			heap_remove(&heap, &nodes[i]);
		} else if (!heap_has(&nodes[i])) {
			keys[i] = rng_below(&rng, 1000);
			heap_insert(&heap, &nodes[i], keys[i]);
		}
		for (size_t k = 0; k < NODES; k++)
			if (heap_has(&nodes[k]) && keys[k] < least)
				least = keys[k];
		if (least == UINT64_MAX)
			assert_null(heap_first(&heap));
		else
			assert_int_equal(heap_first(&heap)->key, least);
	}
	heap_fini(&heap);
	for (size_t k = 0; k < NODES; k++)
		assert_false(heap_has(&nodes[k]));
}

static void draining_yields_sorted_keys(void **state)
{
	static struct heap_node nodes[NODES];
	struct heap heap;
	struct rng rng;
	uint64_t last = 0;

	(void)state;
	heap_init(&heap);
	rng_init(&rng, 4, 0);
	for (size_t k = 0; k < NODES; k++)
		heap_insert(&heap, &nodes[k], rng_next(&rng));
	for (size_t k = 0; k < NODES; k++) {
		const struct heap_slot *first = heap_first(&heap);

		assert_true(first->key >= last);
		last = first->key;
		heap_remove(&heap, first->node);
	}
	assert_null(heap_first(&heap));
	heap_fini(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_always_the_smallest),
		cmocka_unit_test(draining_yields_sorted_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
