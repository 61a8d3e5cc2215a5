/* SPDX-License-Identifier: MIT
 *
 * worker_tasks - see the header. */
#include "cli/worker_tasks.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "user/tags.h"

#define LOGGER "locust.runners"

void worker_tasks_init(struct worker_tasks *t, const struct scenario *scenario, struct load *load)
{
	*t = (struct worker_tasks){
		.scenario = scenario,
		.load = load,
		.classes = mem_zalloc(scenario->class_count, sizeof(*t->classes)),
		.counts = mem_zalloc(scenario->class_count, sizeof(*t->counts)),
	};
	for (size_t i = 0; i < scenario->class_count; i++) {
		struct worker_class_tasks *c = &t->classes[i];

		while (scenario->classes[i]->tasks[c->count].run)
			c->count++;
		c->is_named = mem_alloc(c->count + 1);
		c->is_tagged = mem_alloc(c->count + 1);
		memset(c->is_named, true, c->count);
		memset(c->is_tagged, true, c->count);
	}
}

void worker_tasks_fini(struct worker_tasks *t)
{
	for (size_t i = 0; t->classes && i < t->scenario->class_count; i++) {
		mem_free(t->classes[i].is_named);
		mem_free(t->classes[i].is_tagged);
	}
	mem_free(t->classes);
	mem_free(t->counts);
}

static void apply(struct worker_tasks *t, size_t class_index)
{
	const struct worker_class_tasks *c = &t->classes[class_index];
	bool draws[LIMIT_USER_TASKS], is_any = false;

	for (size_t i = 0; i < c->count; i++) {
		draws[i] = c->is_named[i] && c->is_tagged[i];
		is_any |= draws[i];
	}
	if (!is_any && !c->is_idle)
		log_line(LOG_WARNING, LOGGER,
			 "The master's tags leave class %s none of the tasks that it names; all "
			 "that have the tags are drawn",
			 t->scenario->classes[class_index]->name);
	if (!c->is_idle)
		load_set_tasks(t->load, class_index, is_any ? draws : c->is_tagged);
}

static bool has_name(const struct cic_task *task, const struct str *names, size_t count)
{
	for (size_t i = 0; task->name && i < count; i++)
		if (str_eq(names[i], task->name))
			return true;
	return false;
}

void worker_tasks_name(struct worker_tasks *t, size_t class_index, const struct str *names,
		       size_t count)
{
	const struct cic_user_class *class = t->scenario->classes[class_index];
	struct worker_class_tasks *c = &t->classes[class_index];
	bool is_named[LIMIT_USER_TASKS], is_any = false;

	for (size_t i = 0; i < c->count; i++) {
		is_named[i] = has_name(&class->tasks[i], names, count);
		is_any |= is_named[i];
	}
	if (!is_any) {
		log_line(LOG_WARNING, LOGGER,
			 "The master names no task that class %s of this worker has; its tasks "
			 "stay. Give master and workers the same file",
			 class->name);
		return;
	}
	memcpy(c->is_named, is_named, c->count);
	apply(t, class_index);
}

static void tag_class(struct worker_tasks *t, size_t class_index, const struct opt_texts *only,
		      const struct opt_texts *except)
{
	const struct cic_user_class *class = t->scenario->classes[class_index];
	struct worker_class_tasks *c = &t->classes[class_index];

	c->is_idle = true;
	for (size_t i = 0; i < c->count; i++) {
		c->is_tagged[i] = tags_admit(&class->tasks[i], only, except);
		c->is_idle &= !c->is_tagged[i];
	}
	if (c->is_idle)
		log_line(LOG_WARNING, LOGGER,
			 "%s has no tasks left after filtering by the master's tags; none of its "
			 "users will run",
			 class->name);
	apply(t, class_index);
}

void worker_tasks_tag(struct worker_tasks *t, const struct opt_texts *only,
		      const struct opt_texts *except)
{
	static const struct opt_texts none;

	if (!only && !except && !t->has_tags)
		return;
	t->has_tags = only || except;
	for (size_t i = 0; i < t->scenario->class_count; i++)
		tag_class(t, i, only ? only : &none, except ? except : &none);
}

const uint64_t *worker_tasks_wanted(struct worker_tasks *t, const uint64_t *counts)
{
	for (size_t i = 0; i < t->scenario->class_count; i++)
		t->counts[i] = t->classes[i].is_idle ? 0 : counts[i];
	return t->counts;
}
