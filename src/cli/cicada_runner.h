/* SPDX-License-Identifier: MIT
 *
 * cicada_runner - the process that owns the test run: a master, or cicada alone.
 *
 * Locust's order of events (reference 6.3, 6.4, 6.8): web interface, wait for workers, start, run
 * time, stop, quit, tables, exit code. */
#pragma once

#include "loop/loop.h"

struct cicada_options;
struct processes;
struct python;
struct scenario;

/* Returns the exit code. children: the workers of --processes, or none. They have ended then, and
 * the highest exit code is that of all, as Locust has it. python: whose the scenario is, or NULL.
 * signal_fd: a signalfd with SIGINT and SIGTERM. */
int cicada_runner_main(const struct cicada_options *o, const struct scenario *scenario,
		       struct processes *children, struct python *python, int signal_fd);
