/* SPDX-License-Identifier: MIT
 *
 * json_key - does a reply hold this key? JSON (RFC 8259) is checked as a whole, without a tree. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* True when the text is one JSON object, at most LIMIT_JSON_DEPTH deep, with this key (UTF-8) at
 * its top level. */
bool json_has_key(struct str text, struct str key);
