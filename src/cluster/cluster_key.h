/* SPDX-License-Identifier: MIT
 *
 * cluster_key - what master and workers have in common when strangers are to be kept out.
 *
 * From files, in one of two ways. All have the same secret: it encrypts both ports (CurveZMQ) and
 * admits nobody who lacks it. Or each has a secret of its own, and a list of the public keys of
 * those it wants to hear: the master of its workers, a worker of its master. No secret is ever
 * logged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CLUSTER_KEY_BYTES 32
#define CLUSTER_KEY_TEXT  (2 * CLUSTER_KEY_BYTES + 1) /* hex digits, and a zero */

struct cluster_key {
	uint8_t bytes[CLUSTER_KEY_BYTES];
	/* Public keys, in order; NULL: they have the same secret. */
	uint8_t (*peers)[CLUSTER_KEY_BYTES];
	size_t peer_count;
};

/* The secret: a file of 64 hexadecimal digits, as `openssl rand -hex 32` makes them. ERR_BAD_INPUT
 * names the file; what stands in it is not shown. To be given to cluster_key_release(). */
enum err cluster_key_read(const char *path, struct cluster_key *out,
			  struct err_text *text) MUST_CHECK;
/* The public keys: 64 digits at the beginning of each line, and for people whose they are; blank
 * lines and those with # are passed over. ERR_BAD_INPUT names file and line. */
enum err cluster_key_read_peers(const char *path, struct cluster_key *out,
				struct err_text *text) MUST_CHECK;
void cluster_key_copy(struct cluster_key *out, const struct cluster_key *key);
void cluster_key_release(struct cluster_key *key);
/* Whether the public key is one of the list. */
bool cluster_key_knows(const struct cluster_key *key, const uint8_t bytes[CLUSTER_KEY_BYTES]);
/* The same for a key in hex digits. */
bool cluster_key_knows_text(const struct cluster_key *key, const char *digits);
void cluster_key_text(const uint8_t bytes[CLUSTER_KEY_BYTES], char out[CLUSTER_KEY_TEXT]);
