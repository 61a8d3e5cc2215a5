/* SPDX-License-Identifier: MIT
 *
 * failure_class - what failures are called in the statistics. */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum failure_class {
#define FAILURE(name, text) FAILURE_##name,
#include "base/failure_class.def"
#undef FAILURE
	FAILURE_CLASS_COUNT
};

/* "ReadTimeout". */
const char *failure_class_name(enum failure_class c);
/* The class with what is formatted in parentheses; a long one is cut off inside them. */
void failure_say(char *text, size_t size, enum failure_class c, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
