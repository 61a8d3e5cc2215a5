/* SPDX-License-Identifier: MIT
 *
 * dispatch_vectors: every vector that Locust's own dispatcher gave (tests/vectors/locust): the
 * order of classes, and step by step who runs what, over ramps up and down, joins, losses and
 * shapes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "user/dispatch.h"

#define CLASSES 8
#define WORKERS 16
#define NEVER	UINT64_MAX

struct line {
	const char *file;
	enum picker_order order;
};

static struct line line_2_46 = { TEST_VECTORS "/locust/dispatch-2.46.6.json", PICKER_BY_GAIN };
static struct line line_2_12 = { TEST_VECTORS "/locust/dispatch-2.12.1.json", PICKER_ROUND_ROBIN };

struct course {
	struct dispatch *d;
	struct dispatch_class classes[CLASSES];
	size_t class_count;
	const char *workers[WORKERS];
	size_t worker_count;
	uint64_t now_us;
	const char *what;
};

static json_t *load_vectors(const struct line *line)
{
	json_error_t where = { 0 };
	json_t *page = json_load_file(line->file, 0, &where);

	if (!page)
		fail_msg("%s:%d: %s", line->file, where.line, where.text);
	return page;
}

static void begin_course(struct course *c, const json_t *vector, enum picker_order order)
{
	const json_t *classes = json_object_get(vector, "classes"), *class;
	size_t i;

	*c = (struct course){ .what = json_string_value(json_object_get(vector, "desc")) };
	json_array_foreach (classes, i, class) {
		assert_true(i < CLASSES);
		c->classes[i] = (struct dispatch_class){
			.name = json_string_value(json_object_get(class, "name")),
			.weight = json_number_value(json_object_get(class, "weight")),
			.fixed_count =
				(uint64_t)json_integer_value(json_object_get(class, "fixed_count")),
		};
		c->class_count++;
	}
	c->d = dispatch_create(c->classes, c->class_count, order);
}

static void classes_come_in_every_order_of_locusts(void **state)
{
	const struct line *line = *state;
	json_t *page = load_vectors(line);
	const json_t *vector, *name;
	size_t i, k;

	json_array_foreach (json_object_get(page, "spawn_order"), i, vector) {
		const json_t *order = json_object_get(vector, "order");
		uint64_t before[CLASSES] = { 0 };
		struct course c;

		begin_course(&c, vector, line->order);
		dispatch_set_workers(c.d, (const char *const[]){ "w1" }, 1, 0);
		dispatch_begin(c.d, json_array_size(order), 1, 0);
		json_array_foreach (order, k, name) {
			size_t made = 0;

			assert_true(dispatch_step(c.d, dispatch_due_us(c.d)));
			while (dispatch_users(c.d, "w1", made) == before[made])
				assert_true(++made < c.class_count);
			before[made]++;
			if (strcmp(c.classes[made].name, json_string_value(name)) != 0)
				fail_msg("vector %zu, user %zu: %s, Locust has %s", i, k,
					 c.classes[made].name, json_string_value(name));
		}
		dispatch_destroy(&c.d);
	}
	assert_true(i > 10);
	json_decref(page);
}

static void set_workers(struct course *c)
{
	dispatch_set_workers(c->d, c->workers, c->worker_count, c->now_us);
}

static void remove_worker(struct course *c, const char *id)
{
	size_t i = 0;

	while (strcmp(c->workers[i], id) != 0)
		i++;
	c->workers[i] = c->workers[--c->worker_count];
}

static void expect_iteration(struct course *c, const json_t *iteration, size_t step, size_t number)
{
	for (size_t w = 0; w < c->worker_count; w++)
		for (size_t k = 0; k < c->class_count; k++) {
			const json_t *wanted = json_object_get(
				json_object_get(iteration, c->workers[w]), c->classes[k].name);
			uint64_t users = dispatch_users(c->d, c->workers[w], k);

			if (users != (uint64_t)json_integer_value(wanted))
				fail_msg("%s, step %zu, iteration %zu: %s has %llu of %s, Locust "
					 "has %lld",
					 c->what, step, number, c->workers[w],
					 (unsigned long long)users, c->classes[k].name,
					 (long long)json_integer_value(wanted));
		}
}

/* A shape may name the classes that are made from now on. */
static void choose_classes(struct course *c, const json_t *names)
{
	const json_t *name;
	size_t i;

	for (size_t k = 0; json_is_array(names) && k < c->class_count; k++) {
		bool is_named = false;

		json_array_foreach (names, i, name)
			is_named |= strcmp(json_string_value(name), c->classes[k].name) == 0;
		dispatch_set_class(c->d, k, is_named ? c->classes[k].weight : 0,
				   c->classes[k].fixed_count);
	}
}

static void take_iterations(struct course *c, const json_t *step, size_t number)
{
	const json_t *iterations = json_object_get(step, "iterations"), *iteration;
	const json_t *sleeps = json_object_get(step, "sleeps");
	size_t i;

	json_array_foreach (iterations, i, iteration) {
		uint64_t due_us = dispatch_due_us(c->d);

		assert_true(due_us != NEVER);
		if (i && json_array_size(sleeps) >= i)
			assert_true(fabs((double)(due_us - c->now_us) / CLOCK_S -
					 json_number_value(json_array_get(sleeps, i - 1))) < 1e-5);
		c->now_us = due_us;
		assert_true(dispatch_step(c->d, c->now_us));
		expect_iteration(c, iteration, number, i);
	}
}

static void take_step(struct course *c, const json_t *step, size_t number)
{
	const char *op = json_string_value(json_object_get(step, "op"));
	const char *id = json_string_value(json_object_get(step, "id"));

	if (strcmp(op, "add_worker") == 0) {
		c->workers[c->worker_count++] = id;
		set_workers(c);
		return;
	}
	if (strcmp(op, "remove_worker") == 0) {
		remove_worker(c, id);
		set_workers(c);
		return;
	}
	if (strcmp(op, "continue") != 0) {
		choose_classes(c, json_object_get(step, "user_classes"));
		dispatch_begin(c->d, (uint64_t)json_integer_value(json_object_get(step, "target")),
			       json_number_value(json_object_get(step, "spawn_rate")), c->now_us);
	}
	take_iterations(c, step, number);
}

static void users_are_spread_as_locust_spreads_them(void **state)
{
	const struct line *line = *state;
	json_t *page = load_vectors(line);
	const json_t *vector, *item;
	size_t i, k;

	json_array_foreach (json_object_get(page, "dispatch"), i, vector) {
		struct course c;

		if (json_object_get(vector, "HANG"))
			continue;
		begin_course(&c, vector, line->order);
		json_array_foreach (json_object_get(vector, "workers"), k, item)
			c.workers[c.worker_count++] = json_string_value(item);
		set_workers(&c);
		json_array_foreach (json_object_get(vector, "steps"), k, item)
			take_step(&c, item, k);
		dispatch_destroy(&c.d);
	}
	assert_true(i >= 10);
	json_decref(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(classes_come_in_every_order_of_locusts, &line_2_46),
		cmocka_unit_test_prestate(classes_come_in_every_order_of_locusts, &line_2_12),
		cmocka_unit_test_prestate(users_are_spread_as_locust_spreads_them, &line_2_46),
		cmocka_unit_test_prestate(users_are_spread_as_locust_spreads_them, &line_2_12),
	};

	return cmocka_run_group_tests_name("dispatch_vectors", tests, NULL, NULL);
}
