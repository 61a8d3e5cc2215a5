/* SPDX-License-Identifier: MIT
 *
 * api_page - see the header.
 *
 * A distribution is a list of points: share of the requests, time that they took at most. There is
 * one for each bucket of the histogram in which one of the shares people ask for is reached, and
 * so many per halving of the rest in between, so that their number grows with the logarithm of
 * that of requests. The points are as exact as the histogram is. */
#include "web/api_page.h"

#include <math.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "stat/rounded.h"
#include "stat/shown.h"
#include "web/api_json.h"

#define POINTS_PER_HALF 16

/* Settings. */

static json_t *class_of(const struct run_class *class, const struct run_share *share)
{
	json_t *root = json_object(), *tasks = json_array();

	for (size_t i = 0; i < class->task_count; i++) {
		json_t *task = json_object();

		json_object_set_new(task, "name", api_json_string(class->tasks[i].name));
		json_object_set_new(task, "weight", json_real(class->tasks[i].weight));
		json_object_set_new(
			task, "tags",
			api_json_string(class->tasks[i].tags ? class->tasks[i].tags : ""));
		json_object_set_new(task, "is_drawn",
				    json_boolean(!share->draws || share->draws[i]));
		json_array_append_new(tasks, task);
	}
	json_object_set_new(root, "name", api_json_string(class->name));
	json_object_set_new(root, "weight", json_real(share->weight));
	json_object_set_new(root, "fixed_count", json_integer((json_int_t)share->fixed_count));
	json_object_set_new(root, "host", api_json_string(share->host));
	json_object_set_new(root, "tasks", tasks);
	return root;
}

/* One that can be made of nothing else is the only one. */
static json_t *shapes_of(const struct shape *s)
{
	json_t *list = json_array();

	for (size_t i = 0; s && i < s->choice_count; i++)
		json_array_append_new(
			list, json_pack("{s:o, s:b}", "name", api_json_string(s->choices[i].name),
					"wants_numbers", s->choices[i].wants_numbers));
	if (s && !s->choice_count)
		json_array_append_new(list,
				      json_pack("{s:o, s:b}", "name", api_json_string(s->name),
						"wants_numbers", s->wants_numbers));
	return list;
}

static json_t *option_of(const struct web_field *f)
{
	json_t *root = json_object(), *choices = f->choices ? json_array() : json_null();

	for (const char *const *choice = f->choices; choice && *choice; choice++)
		json_array_append_new(choices, api_json_string(*choice));
	json_object_set_new(root, "name", api_json_string(f->name));
	json_object_set_new(root, "help", api_json_string(f->help));
	json_object_set_new(root, "value", api_json_string(f->is_secret ? NULL : f->value));
	json_object_set_new(root, "is_secret", json_boolean(f->is_secret));
	json_object_set_new(root, "choices", choices);
	return root;
}

char *api_page_settings(const struct run *run, const struct api_page_settings *settings)
{
	const struct run_start *start = run->wanted.user_count ? &run->wanted : settings->defaults;
	const struct shape *shape = settings->follow ? settings->follow->shape : NULL;
	json_t *root = json_object(), *classes = json_array(), *options = json_array();

	for (size_t i = 0; settings->fields && i < settings->fields->count; i++)
		json_array_append_new(options, option_of(&settings->fields->items[i]));
	for (size_t i = 0; i < run->options.class_count; i++)
		json_array_append_new(classes, class_of(&run->options.classes[i], &run->shares[i]));
	json_object_set_new(root, "version", json_string(CICADA_VERSION));
	json_object_set_new(root, "process_start", json_real(settings->process_start_wall_s));
	json_object_set_new(root, "scenario", api_json_string(run->options.scenario_name));
	json_object_set_new(root, "host", api_json_string(run->host));
	json_object_set_new(root, "profile", api_json_string(run->profile));
	json_object_set_new(root, "is_distributed", json_boolean(run->mode->is_distributed));
	json_object_set_new(root, "has_full_history", json_boolean(settings->has_full_history));
	json_object_set_new(root, "shape", api_json_string(shape ? shape->name : NULL));
	json_object_set_new(root, "shape_wants_numbers",
			    json_boolean(shape && shape->wants_numbers));
	json_object_set_new(root, "shapes", shapes_of(shape));
	json_object_set_new(root, "is_shaped", json_boolean(run->wanted.is_shaped));
	json_object_set_new(root, "user_count", json_integer((json_int_t)start->user_count));
	json_object_set_new(root, "spawn_rate", api_json_real(start->spawn_rate));
	json_object_set_new(root, "run_time", json_integer((json_int_t)start->run_time_s));
	json_object_set_new(root, "user_classes", classes);
	json_object_set_new(root, "options", options);
	return api_json_take(root);
}

/* History. */

static void set_column(json_t *root, const char *name, const struct history *history,
		       double (*value)(const struct history_item *item, size_t i), size_t at)
{
	json_t *column = json_array();

	for (size_t i = 0; i < history->count; i++)
		json_array_append_new(column, api_json_real(value(&history->items[i], at)));
	json_object_set_new(root, name, column);
}

static double value_of(const struct history_item *item, size_t i)
{
	return (const double[]){ item->wall_s, item->current_rps, item->current_fail_per_sec,
				 item->avg_ms, (double)item->user_count }[i];
}

static double recent_of(const struct history_item *item, size_t i)
{
	return item->recent_ms[i];
}

json_t *api_page_history(const struct run *run)
{
	static const char *const names[] = { "time", "current_rps", "current_fail_per_sec",
					     "total_avg_response_time", "user_count" };
	const struct shares *chart = &shown()->chart;
	json_t *root = json_object();
	char key[SHARE_KEY];

	json_object_set_new(root, "now", json_real(run_wall_s(run)));
	for (size_t c = 0; c < sizeof(names) / sizeof(names[0]); c++)
		set_column(root, names[c], &run->history, value_of, c);
	for (size_t c = 0; c < chart->count; c++) {
		share_key(chart->value[c], key);
		set_column(root, key, &run->history, recent_of, c);
	}
	return root;
}

/* Distribution. */

struct curve {
	json_t *points;
	uint64_t count, below; /* of all requests; of those in buckets that were seen */
};

/* How many halves of the rest lie to the left. */
static double halves(uint64_t below, uint64_t count)
{
	return below < count ? -log2(1 - (double)below / (double)count) : INFINITY;
}

static bool reaches_known_share(uint64_t before, uint64_t after, uint64_t count)
{
	static const double shares[] = { 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999 };

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		double rank = ceil(shares[i] * (double)count);

		if ((double)before < rank && rank <= (double)after)
			return true;
	}
	return false;
}

static void add_bucket(struct curve *c, double ms, uint64_t times)
{
	uint64_t before = c->below, after = before + times;
	bool is_first = !before, is_last = after == c->count;

	c->below = after;
	if (!is_first && !is_last && !reaches_known_share(before, after, c->count) &&
	    floor(halves(before, c->count) * POINTS_PER_HALF) ==
		    floor(halves(after, c->count) * POINTS_PER_HALF))
		return;
	json_array_append_new(c->points, json_pack("[ff]", (double)after / (double)c->count, ms));
}

static json_t *curve_of_set(const struct hist *set, size_t size)
{
	struct curve c = { json_array(), hist_set_count(set, size), 0 };
	uint64_t us, times;

	for (size_t at = 0; hist_set_next(set, size, &at, &us, &times);)
		add_bucket(&c, (double)us / CLOCK_MS, times);
	return json_pack("{s:I, s:b, s:o}", "count", (json_int_t)c.count, "is_exact", 1, "points",
			 c.points);
}

/* Some of it came rounded, and so all is shown. */
static json_t *curve_of_rounded(const struct stats_entry *e)
{
	struct curve c = { json_array(), 0, 0 };
	struct rounded all;

	rounded_init(&all);
	stats_rounded(e, &all);
	c.count = all.count;
	for (size_t i = 0; i < all.used; i++)
		if (all.buckets[i].count)
			add_bucket(&c, all.buckets[i].ms, all.buckets[i].count);
	rounded_fini(&all);
	return json_pack("{s:I, s:b, s:o}", "count", (json_int_t)c.count, "is_exact", 0, "points",
			 c.points);
}

json_t *api_page_distribution(const struct run *run, const char *method, const char *name)
{
	const struct stats_entry *e = &run->stats.total;
	bool is_exact;
	json_t *root;

	if (method || name)
		e = stats_find(&run->stats, str_of(method ? method : ""), str_of(name ? name : ""));
	if (!e)
		return NULL;
	is_exact = !e->rounded.count;
	root = json_object();
	json_object_set_new(root, "method", api_json_string(e->method));
	json_object_set_new(root, "name", api_json_string(e->name));
	json_object_set_new(root, "service_time",
			    is_exact ? curve_of_set(e->times, STATS_OUTCOMES)
				     : curve_of_rounded(e));
	json_object_set_new(root, "response_time_from_start",
			    is_exact && stats_scheduled(e)
				    ? curve_of_set(e->responses, STATS_OUTCOMES)
				    : json_null());
	return root;
}
