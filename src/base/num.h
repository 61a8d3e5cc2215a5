/* SPDX-License-Identifier: MIT
 *
 * num - strict text to number: the whole slice must be the number, nothing around. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Decimal digits only, at most max. */
bool num_parse_u64(struct str s, uint64_t max, uint64_t *out);
/* A finite decimal number; no hex, no inf, no nan, no blanks. */
bool num_parse_double(struct str s, double *out);
/* Locust's time strings: "20", "20s", "3m", "2h", "1h20m", "3h30m10s"; in seconds. */
bool num_parse_duration(struct str s, uint64_t *out_s);
