/* SPDX-License-Identifier: MIT
 *
 * symbols - the names of the objects a shared object exports (ELF64, .dynsym).
 *
 * The bytes are foreign and may be anything. Every offset is checked against the file, those
 * of the loadable segments too: dlopen() of a file that was cut short ends in SIGBUS. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* Called for each, in order of the table; name ends with a NUL inside the file's bytes. Anything
 * but OK ends the search and is returned. */
typedef enum err (*symbols_fn)(void *arg, const char *name);

/* Visits the defined data objects whose names begin with prefix. ERR_BAD_INPUT when the file is
 * no shared object of this machine, is cut short or lacks the table; the text says which. */
enum err symbols_each(struct str file, const char *prefix, symbols_fn fn, void *arg,
		      struct err_text *text) MUST_CHECK;
