/* SPDX-License-Identifier: MIT
 *
 * cicada_worker - the process that makes load for a master. */
#pragma once

struct cicada_options;
struct scenario;

/* Returns the exit code. signal_fd: a signalfd with SIGINT and SIGTERM. */
int cicada_worker_main(const struct cicada_options *o, const struct scenario *scenario,
		       int signal_fd);
