/* SPDX-License-Identifier: MIT
 *
 * guest - paths that are none of ours and that a locustfile may have added to the web interface. It
 * answers on a thread of its own and in its own time: within LIMIT_WEB_GUEST_S, or the request is
 * answered here. Belongs to the control thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/str.h"
#include "loop/loop.h"
#include "serve/serve.h"

/* Who is asked. */
struct web_guest {
	/* Answers by web_guest_answer(), in a later turn; r may be read during the call only. */
	void (*ask)(void *arg, uint64_t ticket, struct serve_request *r);
	void *arg;
};

/* Of a reply, for us: "in", the user that asked has been let in, or "out". */
#define GUEST_LOGIN_HEADER "Cicada-Login"

struct guest_reply {
	unsigned status;    /* 0: it has no such path either */
	struct str headers; /* name NUL value NUL, and so on */
	struct str body;
};

/* Lies in struct web. */
struct guest {
	struct loop *loop;
	const struct web_guest *who;	 /* lent; NULL: there is none */
	const struct serve_guard *guard; /* lent; NULL: it lets nobody in */
	struct list waits;
	size_t wait_count;
	uint64_t tickets; /* given so far */
	void (*answered)(void *arg);
	void *arg;
};

/* answered(arg): after every answer that came later. */
void guest_init(struct guest *g, struct loop *loop, const struct web_guest *who,
		void (*answered)(void *arg), void *arg);
/* Answers all that wait. */
void guest_fini(struct guest *g);
/* A request without a route of ours. */
void guest_ask(struct guest *g, struct serve_request *r);
/* A ticket whose time is over is fine. */
void guest_answer(struct guest *g, uint64_t ticket, const struct guest_reply *reply);
