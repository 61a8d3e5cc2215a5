/* SPDX-License-Identifier: MIT
 *
 * xml - text in a document of XML 1.0. */
#pragma once

#include "base/buf.h"

/* Between tags or in quotes. What XML cannot hold, escaped or not, becomes U+FFFD. */
void xml_add(struct buf *out, const char *text);
