/* SPDX-License-Identifier: MIT
 *
 * master_file - a worker's scenario from its master, as Locust distributes locustfiles.
 *
 * A connection of its own asks each second, for at most 5 minutes. What comes is trusted as
 * much as the master itself: it is compiled and run. */
#pragma once

#include "base/err.h"
#include "cluster/cluster_key.h"

/* key NULL: none. master_host NULL: 127.0.0.1; master_port 0: 5557. Blocks. *path is a C source
 * alone in a new folder under $TMPDIR or /tmp, to be given to master_file_remove(). ERR_TIMEOUT: no
 * master answered; ERR_UNSUPPORTED: it has no native scenario in source, its text says what it has.
 */
enum err master_file_get(const char *master_host, unsigned master_port,
			 const struct cluster_key *key, char **path,
			 struct err_text *text) MUST_CHECK;
/* Removes file and folder and frees the path; *path may be NULL. */
void master_file_remove(char **path);
