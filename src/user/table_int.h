/* SPDX-License-Identifier: MIT
 *
 * table_int - what the two readers of a table share. */
#pragma once

#include "user/table.h"

/* Takes the bytes over and forgets a byte order mark; the place where the text begins. */
char *table_begin(struct table *t, struct buf *bytes);
/* Appends a column; place: "FILE:LINE:COLUMN". */
enum err table_add_column(struct table *t, struct str name, const char *place,
			  struct err_text *text) MUST_CHECK;
/* A new last row with all cells NULL. Rows may move with it. */
enum err table_add_row(struct table *t, const char *label, struct cic_row **out,
		       struct err_text *text) MUST_CHECK;
