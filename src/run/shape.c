/* SPDX-License-Identifier: MIT
 *
 * shape - see the header. Stages are a function like any other, so whoever follows a shape knows
 * of one kind only. */
#include "run/shape.h"

#include <math.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

enum { FIELDS = 3 };

enum err shape_check(const struct shape_stages *stages, struct err_text *text)
{
	for (size_t i = 0; i < stages->count; i++) {
		const struct shape_stage *s = &stages->stage[i];

		if (!isfinite(s->seconds) || s->seconds <= 0 || s->seconds > (double)RUN_TIME_MAX_S)
			return err_set(text, ERR_BAD_INPUT,
				       "stage %zu: the time is %g s; it must be above 0 and at "
				       "most 100 years",
				       i + 1, s->seconds);
		if (s->users > LIMIT_USERS)
			return err_set(text, ERR_BAD_INPUT,
				       "stage %zu: the users must be a whole number from 0 to %d",
				       i + 1, LIMIT_USERS);
		if (!isfinite(s->spawn_rate) || s->spawn_rate < RUN_SPAWN_RATE_MIN)
			return err_set(text, ERR_BAD_INPUT,
				       "stage %zu: the rate is %g; it must be a number from %g "
				       "upwards, in users per second",
				       i + 1, s->spawn_rate, RUN_SPAWN_RATE_MIN);
	}
	return OK;
}

/* Takes what stands before the separator, or all of it, off *rest. */
static struct str cut(struct str *rest, char separator)
{
	const char *at = rest->len ? memchr(rest->p, separator, rest->len) : NULL;
	size_t len = at ? (size_t)(at - rest->p) : rest->len, used = at ? len + 1 : len;
	struct str piece = { rest->p, len };

	*rest = (struct str){ rest->p + used, rest->len - used };
	return str_trim(piece);
}

static enum err parse_stage(struct str s, size_t number, struct shape_stage *out,
			    struct err_text *text)
{
	struct str rest = s, field[FIELDS];
	uint64_t seconds;
	size_t count = 0;

	while (rest.len && count < FIELDS)
		field[count++] = cut(&rest, ':');
	if (count < FIELDS || rest.len)
		return err_set(text, ERR_BAD_INPUT,
			       "stage %zu: '%.*s' is not time:users:rate, such as 60s:100:10",
			       number, STR_ARG(s));
	if (!num_parse_duration(field[0], &seconds))
		return err_set(
			text, ERR_BAD_INPUT,
			"stage %zu: the time '%.*s' is none; give such as 300s, 20m or 1h30m",
			number, STR_ARG(field[0]));
	if (!num_parse_u64(field[1], LIMIT_USERS, &out->users))
		return err_set(text, ERR_BAD_INPUT,
			       "stage %zu: the users '%.*s' must be a whole number from 0 to %d",
			       number, STR_ARG(field[1]), LIMIT_USERS);
	if (!num_parse_double(field[2], &out->spawn_rate))
		return err_set(text, ERR_BAD_INPUT,
			       "stage %zu: the rate '%.*s' must be a number, in users per second",
			       number, STR_ARG(field[2]));
	out->seconds = (double)seconds;
	return OK;
}

enum err shape_parse(const char *list, struct shape_stages *out, struct err_text *text)
{
	struct str rest = str_of(list);
	enum err err;

	out->count = 0;
	do {
		bool is_last = !memchr(rest.p, ',', rest.len);

		if (out->count == LIMIT_STAGES)
			return err_set(text, ERR_TOO_BIG, "more than %d stages", LIMIT_STAGES);
		err = parse_stage(cut(&rest, ','), out->count + 1, &out->stage[out->count], text);
		if (err)
			return err;
		out->count++;
		if (is_last)
			return shape_check(out, text);
	} while (true);
}

static bool ask_stages(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	const struct shape_stages *stages = arg;
	double end_s = 0;

	for (size_t i = 0; i < stages->count; i++) {
		const struct shape_stage *s = &stages->stage[i];

		end_s += s->seconds;
		if (now->run_time_s < end_s) {
			*tick = (struct shape_tick){ s->users, s->spawn_rate, s->classes };
			return true;
		}
	}
	return false;
}

void shape_init(struct shape *s, const char *name, shape_fn ask, void *arg)
{
	*s = (struct shape){ .name = name, .ask = ask, .arg = arg };
}

void shape_init_stages(struct shape *s, const char *name, const struct shape_stages *stages)
{
	shape_init(s, name, ask_stages, (void *)stages);
}

bool shape_choose(struct shape *s, const char *name)
{
	size_t i = 0;

	if (!s->choice_count)
		return !name || strcmp(name, s->name) == 0;
	while (name && i < s->choice_count && strcmp(name, s->choices[i].name) != 0)
		i++;
	if (i == s->choice_count)
		return false;
	s->name = s->choices[i].name;
	s->wants_numbers = s->choices[i].wants_numbers;
	s->choose(s->arg, i);
	return true;
}

void shape_begin(struct shape *s)
{
	s->has_asked = false;
	s->last = (struct shape_tick){ 0 };
}

static bool is_same(const struct shape_tick *a, const struct shape_tick *b)
{
	return a->users == b->users && a->spawn_rate == b->spawn_rate &&
	       memcmp(&a->classes, &b->classes, sizeof(a->classes)) == 0;
}

enum shape_step shape_next(struct shape *s, const struct shape_now *now, struct shape_tick *out)
{
	struct shape_tick tick = s->last;

	if (!s->ask(s->arg, now, &tick))
		return SHAPE_END;
	if (s->has_asked && is_same(&tick, &s->last))
		return SHAPE_KEEP;
	s->has_asked = true;
	*out = s->last = tick;
	return SHAPE_CHANGE;
}
