/* SPDX-License-Identifier: MIT
 *
 * pause - time, waiting and "somebody wants us to stop" as one parameter.
 *
 * The driver waits all the time: for replicas, for workers, for the next poll. It
 * does so only through this struct, so that a test drives it with a clock that
 * jumps, and so that ctrl-C ends every wait within PAUSE_SLICE_MS. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define PAUSE_SLICE_MS 50

struct pause {
	uint64_t (*now_us)(struct pause *p);
	void (*sleep_us)(struct pause *p, uint64_t us);
	const volatile sig_atomic_t *stops; /* how often a stop was asked for */
	sig_atomic_t stops_tolerated;	    /* clean-up raises it: only one more stop ends a wait */
};

/* On the system's clock. stops must outlive *p. */
void pause_init(struct pause *p, const volatile sig_atomic_t *stops);

bool pause_is_stopped(const struct pause *p);
/* Waits until end_us of p's clock. False: a stop was asked for meanwhile. */
bool pause_until(struct pause *p, uint64_t end_us);
/* Waits this long. False as above. */
bool pause_for(struct pause *p, uint64_t us);
/* ERR_INTERRUPTED, for who was told so. */
enum err pause_interrupted(struct err_text *text) MUST_CHECK;
