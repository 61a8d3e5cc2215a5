/* SPDX-License-Identifier: MIT
 *
 * platform_local - everything on this machine, as children of the driver on loopback.
 *
 * The replicas share one port through SO_REUSEPORT: the kernel spreads connections over
 * them, which plays the part of the Service. The driver itself holds the port (bound,
 * not listening), so that it stays ours while replicas come and go. A replica and a
 * worker get one thread each: they stand for a pod with one CPU. */
#pragma once

#include "matrix/platform.h"

struct pause;

struct platform_local_config {
	const char *cicada, *inference; /* paths of the programs */
	const char *scenario;		/* -f of master and workers */
	const char *model;		/* --model of the replicas; NULL: their default */
	const char *arrivals;		/* --arrivals of master and workers; NULL: none */
	double think_time_s;		/* --think-time of them; NAN: none */
	const char *logs;		/* an existing folder for the children's words */
	uint64_t target_port, web_port, bind_port; /* 0: the kernel chooses */
	uint64_t ready_timeout_s, stop_timeout_s;
	struct pause *pause;
};

/* Strings and pause are lent until destroy. Starts nothing yet. */
enum err platform_local_create(const struct platform_local_config *config, struct platform **out,
			       struct err_text *text) MUST_CHECK;
