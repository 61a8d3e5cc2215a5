/* SPDX-License-Identifier: MIT
 *
 * compile - a scenario's C source made into a shared object, once.
 *
 * The compiler is $CC (words separated by blanks), else the first of cc, gcc, clang, tcc that is
 * installed. Objects are kept in $XDG_CACHE_HOME/cicada, ~/.cache/cicada or /tmp/cicada-UID,
 * whichever can be had (ours alone, mode 0700, not mounted noexec), named by a hash of the source,
 * cicada.h, the compiler and its flags. A source with an #include "..." is compiled each time, for
 * what it includes may have changed. cicada.h is looked for in $CICADA_INCLUDE, else in ../include
 * and ../../include beside the program. */
#pragma once

#include "base/err.h"

/* *object is the path, to be mem_free()d. When the compiler fails the text holds the first
 * lines of its messages. It gets LIMIT_COMPILER_S. */
enum err compile_scenario(const char *source, char **object, struct err_text *text) MUST_CHECK;
