/* SPDX-License-Identifier: MIT
 *
 * meter - what the service counts, and its page of Prometheus text.
 *
 * inference_requests_total counts every answer on the main port by path, method and status code.
 * Each label has a fixed set of values and one for everything else, so nobody can make the page
 * grow by asking for strange paths. Every function may be called from all threads; an
 * answer that meter_request() was told of stands in every page written afterwards. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct meter;
struct model;

struct meter *meter_create(void);
void meter_destroy(struct meter **m);
void meter_request(struct meter *m, const char *path, const char *method, unsigned status,
		   uint64_t duration_us);
void meter_prediction(struct meter *m);
/* Appends the page. model: NULL while there is none. */
void meter_write(struct meter *m, const struct model *model, struct buf *out);
