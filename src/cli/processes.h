/* SPDX-License-Identifier: MIT
 *
 * processes - --processes: workers as children of this process.
 *
 * Children end with their parent, however it ends. They are in process groups of their own, so
 * that a Ctrl-C on the terminal reaches the parent alone, which ends them in order. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/limits.h"
#include "loop/loop.h"

struct process {
	pid_t pid;
	int fd;	       /* readable when it has ended; -1: it was waited for */
	size_t number; /* from 1 on */
	struct loop_watch watch;
	struct processes *all;
};

struct processes {
	struct loop *loop; /* NULL: not watched */
	struct process items[LIMIT_PROCESSES];
	size_t count;
	int code; /* the highest exit code of those that ended; 128 + the number of a signal */
};

/* Before any thread is started. In a child *child is its number, from 1 on, and nothing else
 * of *p may be used; in the parent it is 0. After an error those that were started have ended. */
enum err processes_fork(struct processes *p, size_t count, size_t *child,
			struct err_text *text) MUST_CHECK;
/* From now on a child that crashes is reported when it does. */
enum err processes_watch(struct processes *p, struct loop *loop, struct err_text *text) MUST_CHECK;
/* Before the loop ends; also when they are not watched. */
void processes_unwatch(struct processes *p);
/* Waits for their end and returns the highest code. Those that are not gone after patience_s
 * get a SIGTERM, and in the end a SIGKILL. */
int processes_end(struct processes *p, unsigned patience_s);
/* For a parent that does nothing else: until all have ended. A first signal of signal_fd is handed
 * on, a second one kills. */
int processes_wait(struct processes *p, int signal_fd);
