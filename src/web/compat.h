/* SPDX-License-Identifier: MIT
 *
 * compat - which Locust the HTTP API answers as, where 2.12 and 2.46 differ.
 *
 * As 2.12 means: what had another meaning has it again (total_rps, escaped and quoted errors, names
 * of downloads, the columns of failures), and keys that are gone are there again. Keys and routes
 * that came later stay: programs pass over what they do not know. */
#pragma once

#include "base/buf.h"
#include "run/run.h"

enum web_compat { WEB_COMPAT_2_46, WEB_COMPAT_2_12 };

/* "2.46" and "2.12". */
bool web_compat_parse(const char *version, enum web_compat *out);
/* The text of an error. A master of 2.12 quotes what its workers say once more, as repr() does. */
void web_compat_error(enum web_compat compat, const struct run *run, const char *error,
		      struct buf *out);
