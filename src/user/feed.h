/* SPDX-License-Identifier: MIT
 *
 * feed - which row of a scenario's file comes next (struct cic_feed of cicada.h).
 *
 * Opened and closed by the control thread while no user runs; feed_next() is for all load threads
 * at the same time. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/rng.h"
#include "cicada.h"

/* The share of this process: of every `count` rows the one with this index, from 0. */
struct feed_slice {
	size_t index, count; /* count 0: all rows */
};

/* Reads and checks the file; folder: where a relative path begins. */
enum err feed_open(struct cic_feed *feed, const char *folder, struct feed_slice slice,
		   struct err_text *text) MUST_CHECK;
void feed_close(struct cic_feed *feed);
/* A new test begins: the first row comes next. */
void feed_rewind(struct cic_feed *feed);
/* Another share, while no user runs, from its first row on. ERR_NOT_FOUND: there are no rows in it,
 * and feed_next() gives none. */
enum err feed_set_slice(struct cic_feed *feed, struct feed_slice slice,
			struct err_text *text) MUST_CHECK;
/* NULL when the rows of a CIC_FEED_ONCE are used up, or there are none; *is_first is then true
 * exactly once. */
const struct cic_row *feed_next(struct cic_feed *feed, struct rng *rng, bool *is_first);
