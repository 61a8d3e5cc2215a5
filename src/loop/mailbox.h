/* SPDX-License-Identifier: MIT
 *
 * mailbox - the only door between threads: messages into one loop.
 *
 * mailbox_post() may be called from any thread; the receiver's loop then calls fn for each
 * message in order of posting. The message's memory passes to the receiver. */
#pragma once

#include <pthread.h>

#include "base/err.h"
#include "base/list.h"
#include "loop/loop.h"

/* Embedded as the first member of a message. */
struct mail {
	struct list node;
};

typedef void (*mailbox_fn)(void *arg, struct mail *mail);

struct mailbox {
	pthread_mutex_t lock; /* guards queue */
	struct list queue;
	int event_fd;
	struct loop *loop;
	struct loop_watch watch;
	mailbox_fn fn;
	void *arg;
};

enum err mailbox_open(struct mailbox *mb, struct loop *loop, mailbox_fn fn, void *arg,
		      struct err_text *text) MUST_CHECK;
/* What is still queued is handed to fn before it closes. */
void mailbox_close(struct mailbox *mb);
void mailbox_post(struct mailbox *mb, struct mail *mail);
