/* SPDX-License-Identifier: MIT
 *
 * master_file - a worker's scenario from its master, as Locust distributes locustfiles.
 *
 * A connection of its own asks each second, for at most 5 minutes. What comes is trusted as
 * much as the master itself: it is compiled and run. */
#pragma once

#include "base/err.h"
#include "cluster/cluster_key.h"

struct master_file {
	char *paths;  /* with commas between; a locustfile may also be a URL */
	char *folder; /* a new one under $TMPDIR or /tmp, where those are that are none */
};

/* key NULL: none. master_host NULL: 127.0.0.1; master_port 0: 5557. Blocks. *out is a C source or
 * locustfiles, for master_file_remove(). ERR_TIMEOUT: no master answered; ERR_UNSUPPORTED: it has
 * no source to give, its text says what it has. */
enum err master_file_get(const char *master_host, unsigned master_port,
			 const struct cluster_key *key, struct master_file *out,
			 struct err_text *text) MUST_CHECK;
/* Removes files and folder; one that is all zeros is fine. */
void master_file_remove(struct master_file *file);
