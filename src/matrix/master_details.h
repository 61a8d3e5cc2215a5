/* SPDX-License-Identifier: MIT
 *
 * master_details - what a master of ours says of a finished window beyond its figures
 * (GET /stats/window/details): every second, the whole distribution and its parts, how long
 * users waited. */
#pragma once

#include <jansson.h>

#include "base/err.h"

struct evidence;

/* Replaces the evidence, if it is OK. ERR_BAD_INPUT names the member. */
enum err master_details_read(const json_t *root, struct evidence *out,
			     struct err_text *why) MUST_CHECK;
