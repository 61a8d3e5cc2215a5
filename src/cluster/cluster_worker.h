/* SPDX-License-Identifier: MIT
 *
 * cluster_worker - a worker on a loop: the machine of worker.h, a ZeroMQ connection to the
 * master, a timer and the process's own CPU and memory figures. Control thread only. */
#pragma once

#include "cluster/cluster_key.h"
#include "cluster/worker.h"
#include "loop/loop.h"

struct cluster_worker;

#define CLUSTER_MASTER_HOST "127.0.0.1"
#define CLUSTER_MASTER_PORT 5557

struct cluster_worker_options {
	const char *master_host;       /* NULL: 127.0.0.1 */
	unsigned master_port;	       /* 0: 5557 */
	const struct cluster_key *key; /* NULL: none; else lent for the worker's life */
	const char *const *classes;    /* names, lent for the worker's life */
	size_t class_count;
	bool waits_for_usual; /* as in worker.h */
	const struct worker_load_ops *ops;
	void *load;
	/* Called once, in a turn of the loop, when the worker is done: OK when the master sent
	 * `quit` or after cluster_worker_quit(); ERR_TIMEOUT when no master answered or it fell
	 * silent. Destroy the worker then, but not inside this call. */
	void (*ended)(void *arg, enum err err, const struct err_text *text);
	void *arg;
	const struct cluster_listener *listener; /* lent for the worker's life; NULL: nobody */
};

/* Succeeds also when no master listens yet: the connection is retried. */
enum err cluster_worker_create(struct loop *loop, const struct cluster_worker_options *options,
			       struct cluster_worker **out, struct err_text *text) MUST_CHECK;
void cluster_worker_destroy(struct cluster_worker **w);

/* The answers of the load (see struct worker_load_ops). */
void cluster_worker_on_delta(struct cluster_worker *w, const struct stats *delta,
			     const uint64_t *users);
void cluster_worker_on_settled(struct cluster_worker *w);
void cluster_worker_on_exception(struct cluster_worker *w, struct str msg, struct str traceback);
/* See worker.h. */
bool cluster_worker_send_custom(struct cluster_worker *w, struct str type,
				struct str data) MUST_CHECK;
bool cluster_worker_send_extra(struct cluster_worker *w, const struct msg_pairs *extra) MUST_CHECK;
void cluster_worker_set_usual(struct cluster_worker *w, const struct msg_pairs *usual);
/* For SIGTERM and ctrl-C: finishes in order, then ended(OK). */
void cluster_worker_quit(struct cluster_worker *w);
