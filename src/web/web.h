/* SPDX-License-Identifier: MIT
 *
 * web - Locust's HTTP API (reference section 5) over a run, on the control thread's loop.
 *
 * More routes than Locust has: GET /stats/window, the statistics of the measured window (run.h) and
 * the exact totals, which is what cicada-driver reads; /settings, /stats/history and
 * /stats/distribution for our own page (ui/src/test). */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "run/run.h"
#include "web/compat.h"

struct follow;
struct guest_reply;
struct token;
struct web;
struct web_fields;
struct web_guest;

struct web_options {
	const char *host;      /* NULL, "" and "*": all interfaces */
	uint16_t port;	       /* 0: the kernel chooses */
	struct follow *follow; /* lent; NULL: tests have no load shape */
	/* What a form offers before the first test; copied, the host is that of the run. */
	struct run_start defaults;
	enum web_compat compat;
	const char *full_history_file; /* lent; NULL: none is written */
	const struct token *token;     /* lent; NULL: whoever reaches the port may do anything */
	struct serve_login *login;     /* lent; NULL: nobody can log in */
	const char *base_path;	       /* lent; of all routes but the probes; NULL: "" */
	bool has_guest_login;	       /* whom the guest has let in gets a session of it */
	bool has_open_metrics;	       /* GET /metrics without either */
	const char *const *hosts;      /* lent; names that it is asked by, see serve_guard.h */
	size_t host_count;
	const char *tls_cert, *tls_key;	 /* files (PEM); NULL: plain http */
	const struct web_fields *fields; /* lent; see field.h */
	const struct web_guest *guest;	 /* lent; see guest.h */
};

/* run is lent until web_destroy() and is told the time at least once a second. ERR_BUSY when the
 * port is taken. */
enum err web_create(struct loop *loop, struct run *run, const struct web_options *options,
		    struct web **out, struct err_text *text) MUST_CHECK;
uint16_t web_port(const struct web *w);
/* See guest.h. */
void web_guest_answer(struct web *w, uint64_t ticket, const struct guest_reply *reply);
/* Waits up to a second for the answers in flight. Call outside of the loop's callbacks, and
 * before the run ends. */
void web_destroy(struct web **w);
