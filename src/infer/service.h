/* SPDX-License-Identifier: MIT
 *
 * service - the LSTM behind HTTP.
 *
 * Main port: every route of docs/inference.md, every answer counted. Admin port (if wanted):
 * GET /healthz, /readyz and /metrics again, not counted, so that whoever compares the counters does
 * not change them by looking, and can look at one of several processes that share the
 * main port. The admin port opens first, then the model is loaded, then the main port opens:
 * nobody is sent to a replica that cannot answer yet.
 *
 * Create, drain and destroy belong to one thread; requests are served on others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct service;

struct service_options {
	const char *host;
	uint16_t port, admin_port; /* 0: the kernel chooses */
	bool has_admin, reuse_port;
	const char *tls_cert, *tls_key; /* of the main port, files (PEM); NULL: plain http */
	bool logs_access;		/* a line for each answer of the main port, log_members() */
	unsigned threads;		/* of the main port, at least 1; each serves and predicts */
	/* How requests are predicted together and refused, see lane.h and lstm_create(). */
	size_t max_batch, queue_max;
	uint64_t queue_delay_us, deadline_us;
	const char *const *models; /* as shelf_options.folders; the first is the default */
	size_t model_count;
	uint64_t idle_timeout_s; /* 0: LIMIT_SERVE_IDLE_S */
};

/* When it returns OK the service is ready. Options are lent only for the call. */
enum err service_create(struct service **out, const struct service_options *options,
			struct err_text *text) MUST_CHECK;
uint16_t service_port(const struct service *s);
uint16_t service_admin_port(const struct service *s); /* 0: none */
/* Says in the log, in a line each, what is served. */
void service_log_models(const struct service *s);
/* Reads the models again, see shelf_reload(). */
void service_reload(struct service *s);
/* To be called about once a second, see shelf_tick(). */
void service_tick(struct service *s);

/* Not ready any more, takes no new connections, waits up to timeout_us until the requests that
 * were sent are answered (a moment without any shows it), then stops serving the main port. The
 * admin port stays until service_destroy(). Returns how many requests were cut off. */
unsigned service_drain(struct service *s, uint64_t timeout_us);
void service_destroy(struct service **s);
