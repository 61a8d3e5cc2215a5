/* SPDX-License-Identifier: MIT
 *
 * follow - a run that follows a shape, in either mode: it is asked when the test starts and then
 * once a second, each time a second of the run time is over. A change of what it wants is
 * a run_start() with is_shaped (run.h says what that means for the window), its end a run_stop().
 *
 * Belongs to the control thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "run/run.h"
#include "run/shape.h"

struct follow {
	struct run *run;
	struct shape *shape;
	bool is_active;
	uint64_t due_us;	/* when it is asked next */
	struct run_start asked; /* at the start; without its host */
};

/* run and shape are lent. */
void follow_init(struct follow *f, struct run *run, struct shape *shape);
/* Starts a test on asked->host; its numbers are only for the shape to see. Errors are those of
 * run_start(). While a test runs only a line is logged. */
enum err follow_start(struct follow *f, const struct run_start *asked,
		      struct err_text *text) MUST_CHECK;
/* Call several times a second from the loop, after run_tick(), and not from within a mode. */
void follow_tick(struct follow *f);
/* The same for a shape whose answer is a new one, whenever that is. */
void follow_now(struct follow *f);
