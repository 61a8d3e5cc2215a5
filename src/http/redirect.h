/* SPDX-License-Identifier: MIT
 *
 * redirect - where an answer leads to, and with which request (RFC 9110 15.4, RFC 3986 5.2).
 * Pure functions; the walk itself is user/visit. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* True when an answer of this status that has a Location is to be followed. */
bool redirect_is(int status);

/* The method of the request that follows, as Python's requests chooses it: GET after 303, after
 * 302, and after 301 of a POST, except that HEAD stays HEAD; else the same. The body goes along
 * only after 307 and 308. */
const char *redirect_method(int status, const char *method);

/* Appends the URL that `location` means in an answer of `base` to *out. base: an absolute URL
 * without a user, "http://host:port/path?query". Dot segments are removed, the fragment is cut
 * off, and bytes that may not stand in a URL (blanks, control characters, above 0x7e) become
 * %XX. The result still has to be parsed: it is as absurd as the server's text. out->is_full when
 * it is larger than out may be. */
void redirect_resolve(struct str base, struct str location, struct buf *out);
