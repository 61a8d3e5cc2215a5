/* SPDX-License-Identifier: MIT
 *
 * charts - what report.json shows of each row over time, kept on disk between two reports.
 *
 * A row's charts are several times as long as the row. They are thinned from its evidence once, and
 * lie in a file without a name in the folder of the results, which ends with the process. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct charts;

/* For rows 0 to count - 1. */
enum err charts_open(const char *folder, size_t count, struct charts **out,
		     struct err_text *text) MUST_CHECK;
/* members: of a JSON object. A second time it replaces the first. */
enum err charts_put(struct charts *c, size_t row, struct str members,
		    struct err_text *text) MUST_CHECK;
/* Appends them behind a comma; nothing of a row that has none. */
enum err charts_add(const struct charts *c, size_t row, struct buf *out,
		    struct err_text *text) MUST_CHECK;
void charts_close(struct charts **c);
