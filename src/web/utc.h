/* SPDX-License-Identifier: MIT
 *
 * utc - moments as people and programs read them. */
#pragma once

#include "base/buf.h"

/* 2026-01-31T12:00:00Z; nothing when it is unknown (0) or no time at all. */
void utc_add(struct buf *out, double unix_s);
