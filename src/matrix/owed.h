/* SPDX-License-Identifier: MIT
 *
 * owed - restore.json in the folder of the results: what the cluster has to get back.
 *
 * On disk before anything is scaled, and gone when everything has been given back. So a driver that
 * is killed leaves it, and whoever comes next gives back what was there before that one. A file of
 * its own: --fresh and another plan set the journal aside, and owe it all the same. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define OWED_FILE "restore.json"

struct scaled;

/* Is something to be given back? */
bool owed_is_there(const char *folder);
/* Hands what the file says over to the parts. ERR_STATE: it speaks of other Deployments than these;
 * *text has the commands that give those back. Nothing there is OK. */
enum err owed_take_over(const char *folder, const char *ns, struct scaled *const parts[],
			size_t count, struct err_text *text) MUST_CHECK;
/* The same from the bytes of the file; path is for messages. */
enum err owed_parse(const char *path, struct str bytes, const char *ns,
		    struct scaled *const parts[], size_t count, struct err_text *text) MUST_CHECK;
/* Writes what scaled_before() says of the parts. */
enum err owed_write(const char *folder, const char *ns, struct scaled *const parts[], size_t count,
		    struct err_text *text) MUST_CHECK;
enum err owed_remove(const char *folder, struct err_text *text) MUST_CHECK;
