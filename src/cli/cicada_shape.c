/* SPDX-License-Identifier: MIT
 *
 * cicada_shape - see the header. The structures of cicada.h are turned into those of run/shape.h
 * here, since the run knows of no scenario. */
#include "cli/cicada_shape.h"

#include "base/log.h"
#include "base/str.h"
#include "cli/cicada_options.h"
#include "user/scenario.h"

static enum err find_classes(const struct scenario *s, const char *names, struct run_classes *out,
			     struct err_text *text)
{
	struct str rest = str_of(names ? names : ""), name;

	*out = (struct run_classes){ 0 };
	while (str_cut(&rest, ' ', &name)) {
		size_t i = 0;

		while (i < s->class_count && !str_eq(name, s->classes[i]->name))
			i++;
		if (i < s->class_count)
			run_classes_add(out, i);
		else if (name.len)
			return err_set(text, ERR_NOT_FOUND,
				       "users of class '%.*s' are wanted, which this test does not "
				       "have; --list shows those of the scenario",
				       STR_ARG(name));
	}
	return OK;
}

static bool ask_scenario(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	struct cicada_shape *c = arg;
	const struct cic_shape *shape = c->asked;
	struct cic_now cic_now = { .run_time_s = now->run_time_s, .user_count = now->user_count };
	struct cic_tick cic_tick = { .users = tick->users, .spawn_rate = tick->spawn_rate };
	struct err_text why = { "" };

	if (now->run_time_s > 0)
		cic_tick.classes = c->classes;
	if (shape->use_common_options) {
		cic_now.asked_users = now->asked_users;
		cic_now.asked_spawn_rate = now->asked_spawn_rate;
		cic_now.asked_run_time_s = (double)now->asked_run_time_s;
	}
	if (!shape->ask(&cic_now, &cic_tick))
		return false;
	c->classes = cic_tick.classes;
	tick->users = cic_tick.users;
	tick->spawn_rate = cic_tick.spawn_rate;
	if (!find_classes(c->scenario, cic_tick.classes, &tick->classes, &why))
		return true;
	log_line(LOG_ERROR, "locust.runners", "The load shape %s ends the test: %s", shape->name,
		 why.text);
	return false;
}

static void choose(void *arg, size_t choice)
{
	struct cicada_shape *c = arg;

	c->asked = &c->scenario->shapes[choice];
	c->scenario->choose_shape(choice);
}

static void offer_choices(struct cicada_shape *c)
{
	const struct scenario *s = c->scenario;

	ensure(s->shape_count <= LIMIT_SHAPES);
	for (size_t i = 0; i < s->shape_count; i++)
		c->choices[i] =
			(struct shape_choice){ s->shapes[i].name, s->shapes[i].use_common_options };
	c->shape.choices = c->choices;
	c->shape.choice_count = s->shape_count;
	c->shape.choose = choose;
}

static enum err copy_stages(struct shape_stages *out, const struct scenario *scenario,
			    struct err_text *text)
{
	const struct cic_shape *from = scenario->shape;
	struct err_text why = { "" };
	enum err err;

	if (from->stage_count > LIMIT_STAGES)
		return err_set(text, ERR_TOO_BIG, "%s has more than %d stages", from->name,
			       LIMIT_STAGES);
	for (size_t i = 0; i < from->stage_count; i++) {
		const struct cic_stage *stage = &from->stages[i];

		out->stage[i] = (struct shape_stage){ .seconds = stage->seconds,
						      .users = stage->users,
						      .spawn_rate = stage->spawn_rate };
		err = find_classes(scenario, stage->classes, &out->stage[i].classes, &why);
		if (err)
			return err_set(text, err, "%s: stage %zu: %s", from->name, i + 1, why.text);
	}
	out->count = from->stage_count;
	err = shape_check(out, &why);
	return err ? err_set(text, err, "%s: %s", from->name, err_say(&why, err)) : OK;
}

enum err cicada_shape_init(struct cicada_shape *out, const struct cicada_options *o,
			   const struct scenario *scenario, struct err_text *text)
{
	const struct cic_shape *shape = scenario->shape;
	struct err_text why = { "" };
	enum err err;

	out->scenario = scenario;
	out->asked = shape;
	out->is_given = o->stages.count || shape;
	if (o->stages.count) {
		shape_init_stages(&out->shape, "--stages", &o->stages);
		return OK;
	}
	if (!shape)
		return OK;
	if (shape->ask) {
		shape_init(&out->shape, shape->name, ask_scenario, out);
		out->shape.wants_numbers = shape->use_common_options;
		offer_choices(out);
		return OK;
	}
	shape_init_stages(&out->shape, shape->name, &out->stages);
	err = copy_stages(&out->stages, scenario, &why);
	return err ? scenario_refuse(scenario, &shape->place, err, &why, text) : OK;
}
