/* SPDX-License-Identifier: MIT
 *
 * child - a program the driver runs beside itself, with its words in a log file.
 *
 * A child leads a process group of its own, so that ctrl-C on the terminal reaches
 * only the driver and a stop reaches the child's own children too. The kernel kills it
 * when the thread that started it ends (PR_SET_PDEATHSIG), however that comes about:
 * start children from the main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct pause;

struct child {
	char *name, *log_path; /* of the last start */
	pid_t pid;	       /* 0: not running */
	int wait_status;       /* as waitpid() gives it; of the last one that ended */
	off_t log_start;       /* where the words of this start begin */
	bool was_started;
};

/* Zero-initialise a struct child before its first start. */
void child_fini(struct child *c);
/* argv ends with NULL; argv[0] is the path. The first start empties log_path, later ones
 * append. ERR_NOT_FOUND or ERR_IO when the program cannot be executed. */
enum err child_start(struct child *c, const char *name, const char *const argv[],
		     const char *log_path, struct err_text *text) MUST_CHECK;
/* Also notices that it has ended. */
bool child_is_running(struct child *c);
/* The rest of the first line of its output since the start that contains `mark`, from the
 * mark's end, without the line break. False: not there (yet). */
bool child_find_line(const struct child *c, const char *mark, char *out, size_t cap);
/* "name ended with status 1; the last lines of PATH: ..." for a child that has ended. */
enum err child_say_ended(const struct child *c, struct err_text *text);
/* Asks with SIGTERM; child_is_running() tells when it is gone. */
void child_ask_to_end(struct child *c);
/* Kills what is left of its group and waits for it. */
void child_kill(struct child *c);
