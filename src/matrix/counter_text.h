/* SPDX-License-Identifier: MIT
 *
 * counter_text - one number out of a Prometheus text page. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* What our inference service calls its answers on the main port. */
#define COUNTER_OF_REQUESTS "inference_requests_total"

/* Adds up all samples of the counter `name`, whatever their labels; 0 when there is none,
 * as is right for a counter with labels before its first event. False when a value is not
 * a whole number from 0 to 2^53. */
bool counter_text_sum(struct str page, const char *name, uint64_t *out);
/* Does the page speak of that counter: in a sample, or in its # TYPE before the first one? */
bool counter_text_has(struct str page, const char *name);
/* The same of one that counts in parts, such as seconds. NAN: there is none, or it is no number
 * from 0 on. */
double counter_text_total(struct str page, const char *name);
