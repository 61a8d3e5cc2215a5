/* SPDX-License-Identifier: MIT
 *
 * warmup - see the header. */
#include "run/warmup.h"

#include "base/clock.h"
#include "base/log.h"

#define LOGGER "locust.runners"

void warmup_init(struct warmup *w, struct run *run, uint64_t seconds)
{
	*w = (struct warmup){ .run = seconds ? run : NULL,
			      .us = seconds * CLOCK_S,
			      .had_reset = run->options.want_reset_stats };
}

static void begin_again(struct warmup *w)
{
	struct run *run = w->run;
	struct run_start start = run->wanted;
	struct err_text text = { "" };
	enum err err;

	start.run_time_s = 0;
	run->options.want_reset_stats = true;
	w->step = WARMUP_ENDING;
	err = run_start(run, &start, &text);
	if (!err)
		return;
	/* The last worker left in this very moment; the test ends with it. */
	log_line(LOG_ERROR, LOGGER, "The end of the warm-up: %s", err_say(&text, err));
	run->options.want_reset_stats = w->had_reset;
	w->step = WARMUP_WAITING;
}

void warmup_tick(struct warmup *w)
{
	struct run *run = w->run;

	if (!run || run->wanted.is_shaped)
		return;
	if (w->started_us != run->started_us) {
		w->started_us = run->started_us;
		w->step = WARMUP_WAITING;
		run->options.want_reset_stats = w->had_reset;
	}
	if (run->state != RUN_RUNNING)
		return;
	if (w->step == WARMUP_WAITING && run->now_us - run->window_start_us >= w->us) {
		begin_again(w);
	} else if (w->step == WARMUP_ENDING) {
		w->step = WARMUP_DONE;
		run->options.want_reset_stats = w->had_reset;
		log_line(LOG_INFO, LOGGER,
			 "The warm-up of %llu s is over: statistics were reset and begin here",
			 (unsigned long long)(w->us / CLOCK_S));
	}
}

bool warmup_is_over(const struct warmup *w)
{
	return !w->run || w->step == WARMUP_DONE;
}
