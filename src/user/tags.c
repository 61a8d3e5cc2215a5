/* SPDX-License-Identifier: MIT
 *
 * tags - see the header. A class that loses a task is copied, for the scenario's own is constant;
 * its tasks stand behind the copy. */
#include "user/tags.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/tag_words.h"

struct copy {
	struct cic_user_class class;
	struct cic_task tasks[];
};

bool tags_admit(const struct cic_task *task, const struct opt_texts *only,
		const struct opt_texts *except)
{
	return tag_words_admit(task->tags, only, except);
}

static const struct cic_user_class *choose_tasks(const struct cic_user_class *class,
						 const struct opt_texts *only,
						 const struct opt_texts *except)
{
	struct copy *copy;
	size_t count = 0, kept = 0;

	while (class->tasks[count].run)
		count++;
	copy = mem_zalloc(1, sizeof(*copy) + (count + 1) * sizeof(copy->tasks[0]));
	copy->class = *class;
	copy->class.tasks = copy->tasks;
	for (size_t i = 0; i < count; i++) {
		const struct cic_task *task = &class->tasks[i];

		if (tags_admit(task, only, except))
			copy->tasks[kept++] = *task;
	}
	if (kept)
		return &copy->class;
	mem_free(copy);
	return NULL;
}

enum err tags_choose(const struct scenario *in, const struct opt_texts *only,
		     const struct opt_texts *except, struct scenario *out, struct err_text *text)
{
	const struct cic_user_class **classes;

	*out = *in;
	if (!only->count && !except->count)
		return OK;
	classes = mem_zalloc(in->class_count, sizeof(*classes));
	out->classes = classes;
	out->class_count = 0;
	for (size_t i = 0; i < in->class_count; i++) {
		classes[out->class_count] = choose_tasks(in->classes[i], only, except);
		if (classes[out->class_count])
			out->class_count++;
		else
			log_line(LOG_WARNING, "locust.main",
				 "%s has no tasks left after filtering by tags; none of its users "
				 "will run",
				 in->classes[i]->name);
	}
	if (out->class_count)
		return OK;
	return err_set(text, ERR_NOT_FOUND,
		       "%s: no task is left after --tags and --exclude-tags; tags are given to "
		       "tasks by CIC_TASK(function, weight, .tags = \"...\")",
		       in->file_name);
}

void tags_release(const struct scenario *in, struct scenario *out)
{
	if (out->classes == in->classes)
		return;
	for (size_t i = 0; i < out->class_count; i++)
		mem_free((void *)out->classes[i]);
	mem_free((void *)out->classes);
	out->classes = NULL;
}
