/* SPDX-License-Identifier: MIT
 *
 * tag_choice - see the header. */
#include "web/tag_choice.h"

#include <string.h>

#include "base/limits.h"
#include "base/tag_words.h"

static bool is_chosen(const struct run_classes *c, size_t class_index)
{
	static const struct run_classes all;

	return memcmp(c, &all, sizeof(all)) == 0 ||
	       c->words[class_index / 64] >> (class_index % 64) & 1;
}

/* How many tasks are left; which of them is in draws. */
static size_t choose(const struct run_class *class, const struct opt_texts *only,
		     const struct opt_texts *except, bool *draws)
{
	size_t count = 0;

	for (size_t i = 0; i < class->task_count; i++) {
		draws[i] = tag_words_admit(class->tasks[i].tags, only, except);
		count += draws[i];
	}
	return count;
}

static bool is_same(const struct run_class *class, const struct run_share *share, const bool *draws)
{
	for (size_t i = 0; i < class->task_count; i++)
		if (draws[i] != (!share->draws || share->draws[i]))
			return false;
	return true;
}

/* Also where all are drawn: workers that knew of less are told only of what is named. */
static enum err apply(struct run *run, size_t class_index, const bool *draws, struct err_text *text)
{
	struct run_share share = run->shares[class_index];

	if (is_same(&run->options.classes[class_index], &share, draws))
		return OK;
	share.draws = draws;
	return run_set_share(run, class_index, &share, text);
}

void tag_choice_keep(const struct run *run, struct run_classes *classes)
{
	static const struct run_classes none;
	bool is_running = run->state == RUN_SPAWNING || run->state == RUN_RUNNING;

	/* Of a test that runs they are what they are. */
	if (is_running || memcmp(classes, &none, sizeof(none)) ||
	    !memcmp(&run->untagged, &none, sizeof(none)))
		return;
	for (size_t i = 0; i < run->options.class_count; i++)
		if (!is_chosen(&run->untagged, i))
			run_classes_add(classes, i);
}

enum err tag_choice_apply(struct run *run, const struct opt_texts *only,
			  const struct opt_texts *except, struct run_classes *classes,
			  struct err_text *text)
{
	struct run_classes left = { 0 }, untagged = { 0 };
	bool draws[LIMIT_USER_TASKS], is_any = false, is_all = true;
	enum err err = OK;

	for (size_t i = 0; i < run->options.class_count; i++) {
		const struct run_share *share = &run->shares[i];

		if (!is_chosen(classes, i) ||
		    !choose(&run->options.classes[i], only, except, draws)) {
			is_all = false;
			continue;
		}
		run_classes_add(&left, i);
		is_any |= share->weight > 0 || share->fixed_count;
	}
	if (!is_any)
		return err_set(text, ERR_BAD_INPUT,
			       "tags: they leave no class that makes users a task; /settings has "
			       "the tags of all tasks");
	for (size_t i = 0; i < run->options.class_count && !err; i++) {
		if (choose(&run->options.classes[i], only, except, draws))
			err = apply(run, i, draws, text);
		else
			run_classes_add(&untagged, i);
	}
	run->untagged = untagged;
	if (!err && !is_all)
		*classes = left;
	return err;
}
