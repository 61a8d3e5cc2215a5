/* SPDX-License-Identifier: MIT
 *
 * digest - FNV-1a of 64 bits: is something still what it was? It guards against chance, not
 * malice. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DIGEST_START 0xcbf29ce484222325ull
#define DIGEST_PRIME 0x100000001b3ull

static inline uint64_t digest_add(uint64_t digest, const void *bytes, size_t len)
{
	for (const unsigned char *p = bytes; len--; p++)
		digest = (digest ^ *p) * DIGEST_PRIME;
	return digest;
}
