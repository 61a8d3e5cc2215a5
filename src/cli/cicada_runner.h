/* SPDX-License-Identifier: MIT
 *
 * cicada_runner - the process that owns the test run: a master, or cicada alone.
 *
 * Locust's order of events (reference 6.3, 6.4, 6.8): web interface, wait for workers, start, run
 * time, stop, quit, tables, exit code. */
#pragma once

#include "loop/loop.h"

struct cicada_options;
struct scenario;

/* Returns the exit code. signal_fd: a signalfd with SIGINT and SIGTERM. */
int cicada_runner_main(const struct cicada_options *o, const struct scenario *scenario,
		       int signal_fd);
