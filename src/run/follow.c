/* SPDX-License-Identifier: MIT
 *
 * follow - see the header. Nobody tells it that a test was stopped from elsewhere: it sees that
 * by the run's state. */
#include "run/follow.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"

#define LOGGER "locust.runners"

void follow_init(struct follow *f, struct run *run, struct shape *shape)
{
	*f = (struct follow){ .run = run, .shape = shape };
}

static enum shape_step ask(struct follow *f, struct shape_tick *tick)
{
	const struct run *run = f->run;
	uint64_t begin_us = f->is_active ? run->started_us : run->now_us;
	struct shape_now now = { .run_time_s = (double)(run->now_us - begin_us) / CLOCK_S,
				 .user_count = f->is_active ? run_user_count(run) : 0,
				 .asked_users = f->asked.user_count,
				 .asked_spawn_rate = f->asked.spawn_rate,
				 .asked_run_time_s = f->asked.run_time_s };

	/* On whole seconds of the run time, however late this turn came. */
	f->due_us = begin_us + ((run->now_us - begin_us) / CLOCK_S + 1) * CLOCK_S;
	return shape_next(f->shape, &now, tick);
}

static enum err want(struct follow *f, const struct shape_tick *tick, const char *host,
		     struct err_text *text)
{
	struct run_start start = { .user_count = tick->users,
				   .spawn_rate = tick->spawn_rate,
				   .host = host,
				   .is_shaped = true,
				   .classes = tick->classes };

	log_line(LOG_INFO, LOGGER, "Shape test updating to %" PRIu64 " users at %.2f spawn rate",
		 tick->users, tick->spawn_rate);
	return run_start(f->run, &start, text);
}

static bool is_running(const struct follow *f)
{
	return f->run->state == RUN_SPAWNING || f->run->state == RUN_RUNNING;
}

enum err follow_start(struct follow *f, const struct run_start *asked, struct err_text *text)
{
	struct shape_tick tick;
	enum err err;

	if (is_running(f)) {
		log_line(LOG_INFO, LOGGER,
			 "There is an ongoing shape test running. Editing is "
			 "disabled");
		return OK;
	}
	f->is_active = false;
	f->asked = *asked;
	f->asked.host = NULL;
	shape_begin(f->shape);
	if (ask(f, &tick) == SHAPE_END)
		return err_set(text, ERR_BAD_INPUT,
			       "the load shape %s ends at 0 s, before it has wanted any users",
			       f->shape->name);
	log_line(LOG_INFO, LOGGER, "Shape test starting.");
	err = want(f, &tick, asked->host, text);
	f->is_active = !err;
	return err;
}

static void end(struct follow *f)
{
	f->is_active = false;
	/* Without a waiter there is nothing that could be refused. */
	ensure(run_stop(f->run, NULL, NULL) == OK);
}

void follow_tick(struct follow *f)
{
	struct err_text text = { "" };
	struct shape_tick tick;
	enum err err = OK;

	if (f->is_active && !is_running(f))
		f->is_active = false;
	if (!f->is_active || f->run->now_us < f->due_us)
		return;
	switch (ask(f, &tick)) {
	case SHAPE_KEEP:
		break;
	case SHAPE_CHANGE:
		err = want(f, &tick, NULL, &text);
		break;
	case SHAPE_END:
		log_line(LOG_INFO, LOGGER, "Shape test stopping");
		end(f);
		break;
	}
	if (!err)
		return;
	log_line(LOG_ERROR, LOGGER, "The load shape %s: %s; the test is stopped", f->shape->name,
		 err_say(&text, err));
	end(f);
}

void follow_now(struct follow *f)
{
	f->due_us = 0;
	follow_tick(f);
}
