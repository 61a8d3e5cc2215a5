/* SPDX-License-Identifier: MIT
 *
 * basic - user:password@ of a URL as a header line (RFC 7617). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Appends "Authorization: Basic dXNlcjpwYXNz\r\n". userinfo: "user:password" as it stands in the
 * URL, %XX included; without a colon the password is empty. */
void basic_write(struct str userinfo, struct buf *out);
