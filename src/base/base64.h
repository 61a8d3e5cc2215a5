/* SPDX-License-Identifier: MIT
 *
 * base64 - bytes as text (RFC 4648 4). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* Padded, in one line. */
void base64_add(struct str bytes, struct buf *out);
/* Line breaks and blanks are passed over, as some tools write them. False: it is no base64. */
bool base64_read(struct str text, struct buf *out);
