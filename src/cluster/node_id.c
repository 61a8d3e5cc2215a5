/* SPDX-License-Identifier: MIT
 *
 * node_id - see the header. */
#include "cluster/node_id.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define UNIQUE_BYTES	16
#define HOST_NAME_BYTES 190 /* leaves room for what follows in LIMIT_WORKER_ID_BYTES */

enum err node_id_fill(char *id, size_t size, const char *infix, struct err_text *text)
{
	unsigned char unique[UNIQUE_BYTES];
	char host[HOST_NAME_BYTES] = "localhost";
	size_t len;

	if (getrandom(unique, sizeof(unique), 0) != (ssize_t)sizeof(unique))
		return err_set(text, ERR_IO, "no random numbers for the worker's id");
	if (gethostname(host, sizeof(host) - 1))
		snprintf(host, sizeof(host), "localhost");
	host[sizeof(host) - 1] = '\0';
	len = (size_t)snprintf(id, size, "%s%s_", host, infix);
	for (size_t i = 0; i < sizeof(unique); i++)
		len += (size_t)snprintf(id + len, size - len, "%02x", unique[i]);
	return OK;
}
