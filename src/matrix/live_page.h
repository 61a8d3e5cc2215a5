/* SPDX-License-Identifier: MIT
 *
 * live_page - the driver's own page: what is being measured, and the report as far as it has come.
 *
 * It has a thread, which waits for nothing but clients, and shows what live and the files in the
 * folder of the results say. Nothing can be changed by it. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct live;
struct live_page;
struct pause;

/* Lent until close. */
struct live_page_config {
	const char *host;	  /* name or address to listen at */
	uint16_t port;		  /* 0: the kernel chooses */
	const char *const *hosts; /* names that it is asked by, see serve_guard.h */
	size_t host_count;
	const char *folder;
	struct live *live;
};

/* ERR_BUSY: the port is taken; the text names host and port. */
enum err live_page_open(const struct live_page_config *config, struct live_page **out,
			struct err_text *text) MUST_CHECK;
uint16_t live_page_port(const struct live_page *p);
/* What is told last has to reach those who look on: waits until one of them has asked for the state
 * and for the last report, LIMIT_LIVE_FAREWELL_S at most. Where nobody has asked for so long it
 * does not wait. */
void live_page_farewell(struct live_page *p, struct pause *pause);
void live_page_close(struct live_page **p);
