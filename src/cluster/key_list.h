/* SPDX-License-Identifier: MIT
 *
 * key_list - the public keys of a cluster_key as their file has them, while a master runs.
 *
 * A file that is being written has another look each time: it is read when it has been the same for
 * two looks. One that cannot be read, or has a line that is no key, leaves the list as it is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cluster/cluster_key.h"

/* What tells one content of a file from another, without reading it. Zeros: there is no file. */
struct key_list_look {
	uint64_t device, inode, bytes, changed_s, changed_ns;
};

struct key_list {
	const char *path;
	struct cluster_key *key;
	struct key_list_look read, seen;
};

/* Both are lent; the key has what was in the file not long ago. */
void key_list_init(struct key_list *l, const char *path, struct cluster_key *key);
/* To be called now and then, a second apart or so. *is_new: the keys are others now. An error is
 * told once for each content of the file. */
enum err key_list_look(struct key_list *l, bool *is_new, struct err_text *text) MUST_CHECK;
