/* SPDX-License-Identifier: MIT
 *
 * cicada_shape - the load shape of this process: that of --stages, else the scenario's. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "run/shape.h"

struct cicada_options;
struct cic_shape;
struct scenario;

struct cicada_shape {
	bool is_given;
	struct shape shape;
	const struct scenario *scenario;
	const struct cic_shape *asked; /* the one of its shapes that rules */
	struct shape_choice choices[LIMIT_SHAPES];
	const char *classes;	    /* that its function named last */
	struct shape_stages stages; /* the scenario's */
};

/* Options and scenario are lent for the life of *out, which must not move. ERR_BAD_INPUT names
 * the scenario's stage. */
enum err cicada_shape_init(struct cicada_shape *out, const struct cicada_options *o,
			   const struct scenario *scenario, struct err_text *text) MUST_CHECK;
