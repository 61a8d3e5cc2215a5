/* SPDX-License-Identifier: MIT
 *
 * html - text that comes from anywhere, for a place in a page. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* As Python's html.escape() writes it: fit for text, with want_quotes also for an attribute in
 * either kind of quotes. */
void html_add(struct buf *out, const char *text, bool want_quotes);
