/* SPDX-License-Identifier: MIT
 *
 * err - the one error type of the tree.
 *
 * Fallible functions return enum err; OK is 0. NULL and -1 are not error codes
 * of ours. What exactly went wrong (file, line, field, remedy) travels beside it
 * in a caller-owned struct err_text. Programming errors are not returned: they
 * stop the program through ensure(), which stays on in release builds. Bytes
 * from outside never reach an ensure(). */
#pragma once

#include <stddef.h>

enum err {
	OK = 0,
#define ERR(name, text) ERR_##name,
#include "base/err.def"
#undef ERR
	ERR_COUNT
};

/* Outcome of a step that moves bytes. */
enum io { IO_OK, IO_AGAIN, IO_FAIL };

#define MUST_CHECK	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Human detail of a failure. Zero-initialise; empty means no detail. */
struct err_text {
	char text[512];
};

/* The text of err.def, never NULL. */
const char *err_name(enum err err);

/* Fills *out (may be NULL) and returns err, so that a failing path is one line:
 * return err_set(text, ERR_BAD_INPUT, "line %d: ...", line); */
enum err err_set(struct err_text *out, enum err err, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The detail if there is one, else the general text. */
const char *err_say(const struct err_text *text, enum err err);

#define ensure(cond) ((cond) ? (void)0 : err_ensure_failed(#cond, __FILE__, __LINE__))
_Noreturn void err_ensure_failed(const char *cond, const char *file, int line);
