/* SPDX-License-Identifier: MIT
 *
 * node_id - by what name a process is known to its master: Locust's form, whose part before the
 * first "_" is the host over which users are spread. */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* <hostname><infix>_<32 hex>; infix "" for a worker. size: more than LIMIT_WORKER_ID_BYTES. */
enum err node_id_fill(char *id, size_t size, const char *infix, struct err_text *text) MUST_CHECK;
