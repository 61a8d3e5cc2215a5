/* SPDX-License-Identifier: MIT
 *
 * mem - allocation that does not fail.
 *
 * A load generator that starves reports lies, so exhaustion ends the program with
 * a message. Sizes that come from outside never reach these functions directly;
 * they go through a capped buf (base/buf.h), which answers ERR_TOO_BIG. */
#pragma once

#include <stddef.h>

void *mem_alloc(size_t bytes) __attribute__((malloc, returns_nonnull));
/* Zeroed; count * bytes is checked for overflow. */
void *mem_zalloc(size_t count, size_t bytes) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *old, size_t bytes) __attribute__((returns_nonnull));
char *mem_strdup(const char *text) __attribute__((returns_nonnull));
/* A NUL-terminated copy of bytes[0..len). */
char *mem_strndup(const char *bytes, size_t len) __attribute__((returns_nonnull));
/* Formatted copy. */
char *mem_printf(const char *fmt, ...) __attribute__((returns_nonnull, format(printf, 1, 2)));
/* NULL is fine. */
void mem_free(void *old);
/* From now on a block of 128 kB and more goes back to the system as soon as it is freed. glibc
 * begins like that, but the first such block that is freed has it keep all up to that size, and
 * large ones between small ones that live on then stay with the process. For who holds what many
 * clients send: it costs some page faults for each large block. */
void mem_give_back_large(void);
