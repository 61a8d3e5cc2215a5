/* SPDX-License-Identifier: MIT
 *
 * engine - a model that is ready to run: read, checked, packed, with the form of its requests.
 *
 * Read-only from engine_create() on, so all threads share it. Each thread that predicts has a
 * seat of its own at it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "infer/schema.h"

struct lstm;
struct model;
struct session;

struct engine {
	struct model *model;
	struct lstm *lstm;
	struct schema schema;
	char *name;	 /* what requests call it */
	char *reply_end; /* of an answer of rows: what follows the predictions, up to the time */
	char *summary;	 /* one line, for people */
};

/* One thread's use of an engine. The owner of the engine makes and destroys it; the thread that was
 * given it says when it has done with it. */
struct seat {
	const struct engine *engine;
	struct session *session;
	atomic_bool is_left; /* the thread will not touch it again */
};

/* batch_max as in lstm_create(). The text names file and field. */
enum err engine_create(struct engine **out, const char *name, const char *folder, size_t batch_max,
		       struct err_text *text) MUST_CHECK;
void engine_destroy(struct engine **e);
const char *engine_run_id(const struct engine *e);

struct seat *seat_create(const struct engine *e);
void seat_destroy(struct seat **s);
