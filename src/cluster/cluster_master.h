/* SPDX-License-Identifier: MIT
 *
 * cluster_master - a master on a loop: the machine of master.h, the ZeroMQ sockets that workers
 * connect to, and a timer. Control thread only.
 *
 * The second socket, for the reports of our workers, is bound to the port after the first one's.
 * Without it (the port is taken) a warning is logged, and reports come by the first one. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "cluster/cluster_key.h"
#include "loop/loop.h"
#include "run/run.h"

struct cluster_master;
struct msg_file;
struct opt_texts;

struct cluster_master_options {
	const char *bind_host;	 /* NULL or "*": all addresses */
	unsigned bind_port;	 /* 0: two free ports */
	uint64_t expect_workers; /* see master.h */
	const struct opt_texts *tags, *exclude_tags;
	const struct msg_file *files; /* these three: see master.h */
	size_t file_count;
	bool is_native;
	const struct cluster_key *key; /* NULL: none; copied */
	/* Where its peers are from; NULL: they stay as they are. Else they follow the file: who is
	 * not in it any more is told to quit, and not heard again. */
	const char *peers_file;
	const struct cluster_listener *listener; /* NULL: nobody; else lent for the master's life */
};

/* ERR_BUSY when the port is taken. run_options' pointers are lent for the master's life. */
enum err cluster_master_create(struct loop *loop, const struct cluster_master_options *options,
			       const struct run_options *run_options, struct cluster_master **out,
			       struct err_text *text) MUST_CHECK;
void cluster_master_destroy(struct cluster_master **m);

/* The run this master drives; lives as long as the master. */
struct run *cluster_master_run(struct cluster_master *m);
/* The ports it is bound to; the second one 0: none. */
unsigned cluster_master_port(const struct cluster_master *m);
unsigned cluster_master_bulk_port(const struct cluster_master *m);
/* See master.h. */
void cluster_master_release(struct cluster_master *m);
void cluster_master_set_options(struct cluster_master *m, struct str pairs, size_t count);
size_t cluster_master_send_custom(struct cluster_master *m, const char *worker_id, struct str type,
				  struct str data) MUST_CHECK;
/* Tells every worker to quit and calls done() in a later turn, when all have said goodbye or
 * after 1 s. Stop the run first. */
void cluster_master_quit(struct cluster_master *m, void (*done)(void *arg), void *arg);
