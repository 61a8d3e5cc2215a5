/* SPDX-License-Identifier: MIT
 *
 * folder - result files that are whole or not there, whatever happens to the program. */
#pragma once

#include <linux/limits.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* Makes the folder and its parents where missing, and checks that it can be written. */
enum err folder_create(const char *path, struct err_text *text) MUST_CHECK;
/* Replaces folder/name: written beside it, fsynced, renamed over it, folder fsynced.
 * A reader sees the old bytes or the new ones, never a part; after OK a power cut
 * does not undo it. */
enum err folder_replace(const char *folder, const char *name, struct str bytes,
			struct err_text *text) MUST_CHECK;
/* The same of a file too large to be held: begun, added to, and ended with what the adding came to.
 * After an error what was there stays as it was. folder is lent until then. */
struct folder_file {
	const char *folder;
	char path[PATH_MAX], beside[PATH_MAX];
	int fd;
};
enum err folder_begin(struct folder_file *f, const char *folder, const char *name,
		      struct err_text *text) MUST_CHECK;
enum err folder_add(struct folder_file *f, struct str bytes, struct err_text *text) MUST_CHECK;
enum err folder_end(struct folder_file *f, enum err added, struct err_text *text) MUST_CHECK;
/* If folder/name exists it becomes folder/<stem>.<UTC time of its last change>.<ext>, with a
 * number when that is taken too. Nothing there is OK. */
enum err folder_set_aside(const char *folder, const char *name, struct err_text *text) MUST_CHECK;
/* folder/name is gone, and stays so after a power cut. Nothing there is OK. */
enum err folder_remove(const char *folder, const char *name, struct err_text *text) MUST_CHECK;
