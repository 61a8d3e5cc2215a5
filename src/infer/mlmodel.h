/* SPDX-License-Identifier: MIT
 *
 * mlmodel - the run's id out of the file MLmodel that MLflow puts beside a model.
 *
 * MLmodel is YAML. Of it only a top-level `run_id: value` is looked for, plain or in quotes, as
 * MLflow writes it; what else stands in the file, whatever its form, is passed over. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Gives *out the id, a slice of bytes, or an empty one where the file has none. ERR_BAD_INPUT:
 * there is one that cannot be an id; the text names the line. */
enum err mlmodel_run_id(struct str bytes, struct str *out, struct err_text *text) MUST_CHECK;
