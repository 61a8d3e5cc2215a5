/* SPDX-License-Identifier: MIT
 *
 * sink - the least that answers HTTP: a thread on loopback that sends the same reply to each
 * segment that arrives. For requests of our own that fit into one; it allocates nothing for a
 * connection. */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/err.h"

struct sink {
	pthread_t thread;
	int listener, epoll, end; /* end: readable when the thread is to leave */
	uint16_t port;
};

enum err sink_open(struct sink *s, struct err_text *text) MUST_CHECK;
/* The load that used it has gone before: its connections end with those of their clients. */
void sink_close(struct sink *s);
/* CPU time of its thread. */
uint64_t sink_cpu_us(const struct sink *s);
