/* SPDX-License-Identifier: MIT
 *
 * scenario - native scenarios: C source compiled (compile.h) and loaded, or a shared object.
 *
 * User classes are the exported objects named cic_user_*, found by scanning .dynsym
 * (symbols.h) and sorted by name; the load shape is the one named cic_shape, feeds are those named
 * cic_feed_*. Loaded once per process and never unloaded while users run. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "cicada.h"
#include "user/feed.h"

struct scenario {
	const struct cic_user_class *const *classes; /* sorted by name */
	size_t class_count;
	const struct cic_shape *shape; /* NULL: none */
	/* Of a locustfile: all there are; `shape` is the first. */
	const struct cic_shape *shapes;
	size_t shape_count;
	void (*choose_shape)(size_t index); /* of the tests that begin from now on */
	char *file_name;		    /* without folders, shown to people */
	void *handle;			    /* dlopen's */
	char *folder;			    /* where it is; "." */
	struct cic_feed *feeds[LIMIT_FEEDS];
	size_t feed_count;
};

/* path: *.c is compiled first, *.so is loaded. Every class is checked: ABI, name, at least one
 * task, weights and waits finite and not negative, LIMIT_USER_CLASSES. The text names file,
 * line and class, or holds the compiler's first error lines. */
enum err scenario_load(const char *path, struct scenario *out, struct err_text *text) MUST_CHECK;
/* Reads the files of all feeds: for the programs that run users, before they do. */
enum err scenario_open_feeds(struct scenario *s, struct feed_slice slice,
			     struct err_text *text) MUST_CHECK;
/* See feed_rewind() and feed_set_slice(); of several errors the last one. */
void scenario_rewind_feeds(const struct scenario *s);
enum err scenario_set_slice(const struct scenario *s, struct feed_slice slice,
			    struct err_text *text) MUST_CHECK;
/* Returns err; text: why, behind file and line of what is wrong. */
enum err scenario_refuse(const struct scenario *s, const struct cic_place *place, enum err err,
			 const struct err_text *why, struct err_text *text);
void scenario_unload(struct scenario *s);
