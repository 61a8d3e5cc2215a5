/* SPDX-License-Identifier: MIT
 *
 * cluster_key - what master and workers have in common when strangers are to be kept out.
 *
 * One secret for both sides, from a file: it encrypts both ports (CurveZMQ) and admits nobody who
 * lacks it. Never logged. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define CLUSTER_KEY_BYTES 32

struct cluster_key {
	uint8_t bytes[CLUSTER_KEY_BYTES];
};

/* A file of 64 hexadecimal digits, as `openssl rand -hex 32` makes them. ERR_BAD_INPUT names the
 * file; what stands in it is not shown. */
enum err cluster_key_read(const char *path, struct cluster_key *out,
			  struct err_text *text) MUST_CHECK;
