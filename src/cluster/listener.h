/* SPDX-License-Identifier: MIT
 *
 * listener - what a locustfile may want to hear of the cluster, on a worker or a master. Functions
 * may be NULL; slices are lent for the call. `data` is a message's second element, msgpack as it
 * came: well formed, but from anybody. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct cluster_listener {
	void *arg;
	/* Both: a message that is none of Locust's. from: the worker's id; on a worker its own. */
	void (*on_custom)(void *arg, struct str from, struct str type, struct str data);

	/* A heartbeat of the master's: a master has sent it to this worker, or a worker got it. */
	void (*on_heartbeat)(void *arg, struct str worker);

	/* A worker: the master has taken it, maybe not for the first time; its number there, from 0
	 * on, -1 unknown. */
	void (*on_joined)(void *arg, const char *id, int64_t index);
	/* `spawn`, before its users are set: parsed_options is in it. */
	void (*on_spawn)(void *arg, struct str data);

	/* A master: a new test is asked for. Nothing is sent to workers until master_release(). */
	void (*on_start)(void *arg);
	void (*on_stop)(void *arg); /* its stop is */
	/* Statistics of a worker. */
	void (*on_report)(void *arg, struct str from, struct str data);
};
