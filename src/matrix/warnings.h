/* SPDX-License-Identifier: MIT
 *
 * warnings - what the cluster has noted of a Deployment: the Events of the kind Warning of itself,
 * its ReplicaSets and their pods. They say what no status does: which probe failed and how, which
 * volume is missing, what a node did. */
#pragma once

#include "base/buf.h"

struct json_t;

/* Appends a sentence on the newest few of `items` (Events) that have happened since then, nothing
 * when there are none. since: as "2026-01-01T00:00:00Z". */
void warnings_add(const struct json_t *items, const char *deployment, const char *since,
		  struct buf *out);
