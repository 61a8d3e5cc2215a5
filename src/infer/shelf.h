/* SPDX-License-Identifier: MIT
 *
 * shelf - the models that are served, by name, and their exchange while they are served.
 *
 * A model is read from its folder when the shelf is created and again when asked or when a file of
 * the folder has changed. A folder that cannot be read then changes nothing: the old model stays in
 * use and the log says why. A new one is given to every lane, and the old one is freed when the
 * last lane has left it.
 *
 * Belongs to one thread, but for shelf_find(), shelf_name() and, between shelf_lock() and
 * shelf_unlock(), shelf_engine(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct engine;
struct meter;
struct seat;
struct shelf;

struct shelf_options {
	const char *const *folders; /* of each model: FOLDER or NAME=FOLDER; lent for the call */
	size_t count;		    /* 1 to LIMIT_MODELS */
	size_t batch_max, lane_count;
	struct meter *meter; /* lent until shelf_destroy() */
	/* Gives a lane another seat; it sets is_left in the old one when it can. */
	void (*exchange)(void *arg, size_t lane, size_t model, struct seat *seat);
	void *arg;
};

/* Names are the folders' own where none is given. The text names what is wrong with which folder.
 */
enum err shelf_create(struct shelf **out, const struct shelf_options *options,
		      struct err_text *text) MUST_CHECK;
/* The lanes must have ended. */
void shelf_destroy(struct shelf **s);
/* The seats of a lane, one for each model, for its start. */
struct seat *const *shelf_seats(const struct shelf *s, size_t lane);

size_t shelf_count(const struct shelf *s);
const char *shelf_name(const struct shelf *s, size_t model);
/* shelf_count(): there is none of that name. */
size_t shelf_find(const struct shelf *s, const char *name);
void shelf_lock(struct shelf *s);
void shelf_unlock(struct shelf *s);
const struct engine *shelf_engine(const struct shelf *s, size_t model);

/* Reads every folder again; one whose last exchange is not over yet at the next tick. */
void shelf_reload(struct shelf *s);
/* To be called about once a second: reads the folders that have changed and then stood still from
 * one tick to the next, and frees what has been left. */
void shelf_tick(struct shelf *s);
