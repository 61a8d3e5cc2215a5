/* SPDX-License-Identifier: MIT
 *
 * counter_text - one number out of a Prometheus text page. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Adds up all samples of the counter `name`, whatever their labels; 0 when there is none,
 * as is right for a counter with labels before its first event. False when a value is not
 * a whole number from 0 to 2^53. */
bool counter_text_sum(struct str page, const char *name, uint64_t *out);
