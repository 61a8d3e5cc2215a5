/* SPDX-License-Identifier: MIT
 *
 * fuzz - what all targets share. libFuzzer reports the input of an abort. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_CHECK(cond) ((cond) ? (void)0 : fuzz_failed(#cond, __FILE__, __LINE__))

_Noreturn static inline void fuzz_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, cond);
	abort();
}

/* A copy of exactly len bytes, so that the sanitizers see a read past its end. */
static inline char *fuzz_copy(const uint8_t *input, size_t len)
{
	char *copy = malloc(len ? len : 1);

	if (len)
		memcpy(copy, input, len);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);
