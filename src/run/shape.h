/* SPDX-License-Identifier: MIT
 *
 * shape - how the number of users of a test goes up and down: stages, or a function that is
 * asked, with the meaning of Locust's LoadTestShape.
 *
 * Pure: no I/O, time is a parameter. follow.h joins it to a run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "run/run.h"

/* Until the stage ends `users` are wanted, and come and go at `spawn_rate` per second. */
struct shape_stage {
	double seconds;
	uint64_t users;
	double spawn_rate;
	struct run_classes classes; /* as in struct run_start */
};

struct shape_stages {
	struct shape_stage stage[LIMIT_STAGES];
	size_t count;
};

struct shape_now {
	double run_time_s;
	uint64_t user_count; /* running now, as reported */
	/* What the start of the test was given, for shapes that go by it. */
	uint64_t asked_users;
	double asked_spawn_rate;
	uint64_t asked_run_time_s; /* 0: no end */
};

struct shape_tick {
	uint64_t users;
	double spawn_rate;
	struct run_classes classes;
};

/* Fills *tick, which holds what was wanted last (zeros at first). False: the test is over. */
typedef bool (*shape_fn)(void *arg, const struct shape_now *now, struct shape_tick *tick);

enum shape_step {
	SHAPE_KEEP,   /* nothing new is wanted */
	SHAPE_CHANGE, /* *out is */
	SHAPE_END     /* the test is over */
};

struct shape_choice {
	const char *name; /* lent */
	bool wants_numbers;
};

struct shape {
	const char *name; /* shown to people; lent */
	shape_fn ask;
	void *arg;
	bool wants_numbers; /* of users, rate and time of the start */
	/* Lent; what it can be made of, the first one unless shape_choose() says otherwise. Count
	 * 0: it is the only one. */
	const struct shape_choice *choices;
	size_t choice_count;
	void (*choose)(void *arg, size_t choice);
	struct shape_tick last;
	bool has_asked;
};

/* "60s:100:10,2m:0:50" - time:users:rate for each stage. ERR_BAD_INPUT names the number of the
 * stage, the field and what it must be. */
enum err shape_parse(const char *list, struct shape_stages *out, struct err_text *text) MUST_CHECK;
/* What stages from elsewhere must keep to as well; *text says which of them does not. */
enum err shape_check(const struct shape_stages *stages, struct err_text *text) MUST_CHECK;

/* stages are lent for the shape's life, and so is name. */
void shape_init_stages(struct shape *s, const char *name, const struct shape_stages *stages);
void shape_init(struct shape *s, const char *name, shape_fn ask, void *arg);
/* For the tests that begin from now on; NULL: the first. False: there is none of that name. */
bool shape_choose(struct shape *s, const char *name);
/* A new test begins: the next answer is a change whatever it is. */
void shape_begin(struct shape *s);
enum shape_step shape_next(struct shape *s, const struct shape_now *now, struct shape_tick *out);
