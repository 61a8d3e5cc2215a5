/* SPDX-License-Identifier: MIT
 *
 * door_json - what the doors share that read their bodies as a tree.
 *
 * These are for people and frameworks that speak an inference protocol already; who wants speed
 * uses POST /predict, which has no tree. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/str.h"
#include "infer/ask.h"

/* The body, an object whose numbers are all real; json_decref() it. NULL: *fault is filled. */
json_t *door_parse(struct str body, struct ask_fault *fault);
/* A finite float; place is printf's. */
bool door_number(const json_t *value, float *out, struct ask_fault *fault, const char *place_fmt,
		 ...) PRINTF_LIKE(4, 5);
/* A whole number from 1 to max. */
bool door_whole(const json_t *value, size_t max, size_t *out);
/* The member inference_length of an object that may be NULL; `field` is what the object is called.
 */
bool door_steps(const json_t *params, const char *field, struct ask *a, struct ask_fault *fault);
/* Numbers in lists, [rows][features] or [windows][rows][features], features in the model's order,
 * as windows of the ask; their names in messages begin with `field`. */
bool door_tensor(const json_t *list, const char *field, struct ask *a, struct ask_fault *fault);
/* Begins a window; NULL: too many. */
float *door_window(struct ask *a, const char *field, struct ask_fault *fault);
/* A tensor has no times: can the model do without? */
bool door_needs_no_times(const struct ask *a, const char *field, struct ask_fault *fault);
