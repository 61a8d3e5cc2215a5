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
#include "base/limits.h"
#include "base/str.h"

#define OWED_FILE "restore.json"

struct buf;
struct scaled;

struct owed {
	const char *namespace;
	struct scaled *const *parts;
	size_t count;
	/* Of the driver that has noted it, in the Leases of the parts; "": not known. */
	char holder[LIMIT_KUBE_NAME_BYTES + 1];
};

/* Is something to be given back? */
bool owed_is_there(const char *folder);
/* Hands what the file says over to the parts, and who has noted it to o->holder. ERR_STATE: it
 * speaks of other Deployments than these; *text has the commands that give those back. Nothing
 * there is OK. */
enum err owed_take_over(const char *folder, struct owed *o, struct err_text *text) MUST_CHECK;
/* The same from the bytes of the file; path is for messages. */
enum err owed_parse(const char *path, struct str bytes, struct owed *o,
		    struct err_text *text) MUST_CHECK;
/* Writes what scaled_before() says of the parts. */
enum err owed_write(const char *folder, const struct owed *o, struct err_text *text) MUST_CHECK;
/* What scaled_before() says of one, as JSON; and from there to it. False: it says nothing of it. */
void owed_add_part(const struct scaled *s, struct buf *out);
bool owed_read_part(struct str bytes, struct scaled *s);
enum err owed_remove(const char *folder, struct err_text *text) MUST_CHECK;
