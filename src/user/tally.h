/* SPDX-License-Identifier: MIT
 *
 * tally - the statistics of one load thread, with rows found without hashing.
 *
 * A label is a row's (method, name), copied once and kept; it finds its entry in the current
 * struct stats by itself. So the struct stats can be taken away once a second, whole, and a
 * request that is still under way keeps its label. One owner, one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "stat/stats.h"

/* Labels remembered by the addresses of their texts; a power of two. */
#define TALLY_CACHE_SLOTS 256u

struct label; /* valid until tally_forget() or tally_fini() */

struct tally_slot {
	const char *method, *name; /* as the scenario gave them; compared before they are trusted */
	struct label *label;
};

struct tally {
	struct stats *stats; /* owned until taken */
	uint64_t generation; /* how many were taken */
	struct map labels;   /* key: method, NUL, name */
	struct tally_slot cache[TALLY_CACHE_SLOTS];
	double wall_s; /* wall time at wall_at_us: saves a clock read per request */
	uint64_t wall_at_us;
};

/* stats: empty, made by mem_alloc and stats_init; owned by the tally from here on. */
void tally_init(struct tally *t, struct stats *stats, uint64_t now_us);
void tally_fini(struct tally *t);

/* The label of a row, made when new; beyond LIMIT_STAT_NAMES that of STATS_OTHERS. */
struct label *tally_label(struct tally *t, const char *method, const char *name);
const char *tally_label_name(const struct label *label);
/* Counts a request that ended at ended_us (monotonic). */
void tally_record(struct tally *t, struct label *label, const struct stats_request *request,
		  uint64_t ended_us);
/* A failure of a request that is counted besides. */
void tally_fail(struct tally *t, struct label *label, const char *error, uint64_t now_us);
/* An error that belongs to no request. */
void tally_error(struct tally *t, const char *name, const char *error, uint64_t now_us);
/* Goes on counting in `blank`; what was counted so far is the caller's. */
struct stats *tally_take(struct tally *t, struct stats *blank, uint64_t now_us);
/* Forgets all labels, so that the names of one test do not use up the limit of the next. */
void tally_forget(struct tally *t);
