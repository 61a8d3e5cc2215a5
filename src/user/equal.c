/* SPDX-License-Identifier: MIT
 *
 * equal - see the header. */
#include "user/equal.h"

#include "base/mem.h"

static const struct cic_user_class *equal_class(const struct cic_user_class *class)
{
	struct cic_user_class *copy = mem_zalloc(1, sizeof(*copy));
	struct cic_task *tasks;
	size_t count = 0;

	while (class->tasks[count].run)
		count++;
	tasks = mem_zalloc(count + 1, sizeof(*tasks));
	for (size_t i = 0; i < count; i++) {
		tasks[i] = class->tasks[i];
		tasks[i].weight = 1;
	}
	*copy = *class;
	copy->weight = 1;
	copy->tasks = tasks;
	return copy;
}

void equal_weights(const struct scenario *in, struct scenario *out)
{
	const struct cic_user_class **classes = mem_zalloc(in->class_count, sizeof(*classes));

	for (size_t i = 0; i < in->class_count; i++)
		classes[i] = equal_class(in->classes[i]);
	*out = *in;
	out->classes = classes;
}

void equal_release(struct scenario *out)
{
	for (size_t i = 0; i < out->class_count; i++) {
		mem_free((void *)out->classes[i]->tasks);
		mem_free((void *)out->classes[i]);
	}
	mem_free((void *)out->classes);
	out->class_count = 0;
}
