/* SPDX-License-Identifier: MIT
 *
 * cicada_shape - see the header. The structures of cicada.h are turned into those of run/shape.h
 * here, since the run knows of no scenario. */
#include "cli/cicada_shape.h"

#include "cli/cicada_options.h"
#include "user/scenario.h"

static bool ask_scenario(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	const struct cic_shape *shape = arg;
	struct cic_now cic_now = { .run_time_s = now->run_time_s, .user_count = now->user_count };
	struct cic_tick cic_tick = { .users = tick->users, .spawn_rate = tick->spawn_rate };

	if (!shape->ask(&cic_now, &cic_tick))
		return false;
	*tick = (struct shape_tick){ .users = cic_tick.users, .spawn_rate = cic_tick.spawn_rate };
	return true;
}

static enum err copy_stages(struct shape_stages *out, const struct cic_shape *from,
			    const char *file_name, struct err_text *text)
{
	struct err_text why = { "" };
	enum err err;

	if (from->stage_count > LIMIT_STAGES)
		return err_set(text, ERR_TOO_BIG, "%s: %s has more than %d stages", file_name,
			       from->name, LIMIT_STAGES);
	for (size_t i = 0; i < from->stage_count; i++)
		out->stage[i] = (struct shape_stage){ .seconds = from->stages[i].seconds,
						      .users = from->stages[i].users,
						      .spawn_rate = from->stages[i].spawn_rate };
	out->count = from->stage_count;
	err = shape_check(out, &why);
	return err ? err_set(text, err, "%s: %s: %s", file_name, from->name, err_say(&why, err))
		   : OK;
}

enum err cicada_shape_init(struct cicada_shape *out, const struct cicada_options *o,
			   const struct scenario *scenario, struct err_text *text)
{
	const struct cic_shape *shape = scenario->shape;

	out->is_given = o->stages.count || shape;
	if (o->stages.count) {
		shape_init_stages(&out->shape, "--stages", &o->stages);
		return OK;
	}
	if (!shape)
		return OK;
	if (shape->ask) {
		shape_init(&out->shape, shape->name, ask_scenario, (void *)shape);
		return OK;
	}
	shape_init_stages(&out->shape, shape->name, &out->stages);
	return copy_stages(&out->stages, shape, scenario->file_name, text);
}
