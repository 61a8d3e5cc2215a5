/* SPDX-License-Identifier: MIT
 *
 * moment - the time of a row: read from ISO 8601, moved on, written in the same zone, and turned
 * into the cyclic inputs that a model may take beside its features.
 *
 * A time is kept as it was written: a model that learned "8 in the morning" from local times
 * wants the clock of the place, not that of Greenwich. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum moment_zone { ZONE_NONE, ZONE_UTC, ZONE_OFFSET };

struct moment {
	int64_t us; /* since 1970-01-01T00:00:00, by the clock that was written down */
	enum moment_zone zone;
	int offset_min; /* ZONE_OFFSET: how far that clock is ahead of UTC */
};

/* What a model can be told of a time: a position on a circle, given as its sine and cosine. */
enum moment_part { PART_MINUTE, PART_HOUR, PART_DAY_SECOND, PART_WEEKDAY, PART_MONTH, PART_COUNT };

/* YYYY-MM-DD[Thh:mm[:ss[.digits]][Z|+hh[[:]mm]]]; a blank may stand for the T. The 31st of any
 * month is taken, as the day that follows. */
bool moment_parse(struct str text, struct moment *out);
/* YYYY-MM-DDThh:mm:ss, the fraction if there is one, and the zone as it was written. Years
 * before 0 or after 9999 are beyond the format and stay at its ends. */
void moment_write(const struct moment *m, struct buf *out);
/* From a to b in microseconds, whatever their zones. */
int64_t moment_between_us(const struct moment *a, const struct moment *b);

/* The name as model.json says it; PART_COUNT: none of that name. */
enum moment_part moment_part_of(const char *name);
/* Two floats per part. */
void moment_fill(const struct moment *m, const enum moment_part *parts, size_t count, float *out);
