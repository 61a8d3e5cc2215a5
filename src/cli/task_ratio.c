/* SPDX-License-Identifier: MIT
 *
 * task_ratio - see the header. The two parts of each output are the same but for a factor: a task's
 * share within its class, or of everything. */
#include "cli/task_ratio.h"

#include <math.h>
#include <stdio.h>

static double class_weight(const struct cic_user_class *c)
{
	return c->weight > 0 ? c->weight : 1;
}

/* Locust's rule: fixed counts come off the number of users, the rest goes by weight. */
static double class_ratio(const struct scenario *s, size_t at, uint64_t user_count)
{
	const struct cic_user_class *class = s->classes[at];
	double weights = 0, fixed = 0, users;

	for (size_t i = 0; i < s->class_count; i++) {
		fixed += (double)s->classes[i]->fixed_count;
		weights += s->classes[i]->fixed_count ? 0 : class_weight(s->classes[i]);
	}
	users = user_count ? (double)user_count : fixed > 0 ? fmax(fixed, 1) : weights;
	if (class->fixed_count)
		return (double)class->fixed_count / users;
	return class_weight(class) / weights * fmax(users - fixed, 0) / users;
}

static double sum_of_weights(const struct cic_user_class *c)
{
	double sum = 0;

	for (const struct cic_task *t = c->tasks; t->run; t++)
		sum += t->weight;
	return sum;
}

/* The share of all tasks of the name; negative when an earlier one had it. */
static double task_ratio(const struct cic_user_class *c, const struct cic_task *task)
{
	double weight = 0;

	for (const struct cic_task *t = c->tasks; t->run; t++) {
		if (strcmp(t->name, task->name) != 0)
			continue;
		if (t < task)
			return -1;
		weight += t->weight;
	}
	return weight / sum_of_weights(c);
}

static void add_row(struct buf *out, const char *indent, double ratio, const char *name)
{
	char percent[32], shown[256];

	snprintf(percent, sizeof(percent), "%s%.1f", indent, ratio * 100);
	snprintf(shown, sizeof(shown), "%s%s", indent, name);
	buf_printf(out, " %-10s %-50s\n", percent, shown);
}

static void add_table(const struct scenario *s, uint64_t user_count, bool is_total, struct buf *out)
{
	buf_printf(out, "\n %s\n", is_total ? "Total task ratio" : "Task ratio per User class");
	for (int i = 0; i < 80; i++)
		buf_add_char(out, '-');
	buf_add_char(out, '\n');
	for (size_t i = 0; i < s->class_count; i++) {
		const struct cic_user_class *c = s->classes[i];
		double share = class_ratio(s, i, user_count), factor = is_total ? share : 1;

		add_row(out, "", share, c->name);
		for (const struct cic_task *t = c->tasks; t->run; t++)
			if (task_ratio(c, t) >= 0)
				add_row(out, "  ", task_ratio(c, t) * factor, t->name);
	}
}

void task_ratio_print(const struct scenario *s, uint64_t user_count, struct buf *out)
{
	add_table(s, user_count, false, out);
	add_table(s, user_count, true, out);
	buf_add_char(out, '\n');
}

/* A line of JSON: depth steps in, `"name": {` */
static void open_object(struct buf *out, int depth, const char *name, bool is_first)
{
	buf_printf(out, "%s\n%*s", is_first ? "" : ",", 4 * depth, "");
	buf_add_json(out, str_of(name));
	buf_add_text(out, ": {");
}

static void close_object(struct buf *out, int depth)
{
	buf_printf(out, "\n%*s}", 4 * depth, "");
}

static void add_ratio(struct buf *out, int depth, double ratio)
{
	buf_printf(out, "\n%*s\"ratio\": ", 4 * depth, "");
	buf_add_real(out, ratio);
}

static void add_class_json(const struct cic_user_class *c, double share, double factor,
			   bool is_first, struct buf *out)
{
	open_object(out, 2, c->name, is_first);
	add_ratio(out, 3, share);
	open_object(out, 3, "tasks", false);
	for (const struct cic_task *t = c->tasks; t->run; t++) {
		if (task_ratio(c, t) < 0)
			continue;
		open_object(out, 4, t->name, t == c->tasks);
		add_ratio(out, 5, task_ratio(c, t) * factor);
		close_object(out, 4);
	}
	close_object(out, 3);
	close_object(out, 2);
}

void task_ratio_print_json(const struct scenario *s, uint64_t user_count, struct buf *out)
{
	static const char *const parts[] = { "per_class", "total" };

	buf_add_char(out, '{');
	for (size_t part = 0; part < 2; part++) {
		open_object(out, 1, parts[part], part == 0);
		for (size_t i = 0; i < s->class_count; i++) {
			double share = class_ratio(s, i, user_count);

			add_class_json(s->classes[i], share, part ? share : 1, i == 0, out);
		}
		close_object(out, 1);
	}
	buf_add_text(out, "\n}\n");
}
