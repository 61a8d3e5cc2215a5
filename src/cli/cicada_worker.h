/* SPDX-License-Identifier: MIT
 *
 * cicada_worker - the process that makes load for a master. */
#pragma once

struct cicada_options;
struct python;
struct scenario;

/* Returns the exit code. python: whose the scenario is, or NULL. signal_fd: a signalfd with SIGINT
 * and SIGTERM. */
int cicada_worker_main(const struct cicada_options *o, const struct scenario *scenario,
		       struct python *python, int signal_fd);
