/* SPDX-License-Identifier: MIT
 *
 * mailbox - a locked list and an eventfd. Messages are few (a handful per second and
 * thread), so a lock held for two pointer writes costs nothing that can be measured. */
#include "loop/mailbox.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void deliver(struct mailbox *mb)
{
	for (;;) {
		struct list *first = NULL;

		pthread_mutex_lock(&mb->lock);
		if (!list_is_empty(&mb->queue)) {
			first = mb->queue.next;
			list_remove(first);
		}
		pthread_mutex_unlock(&mb->lock);
		if (!first)
			return;
		mb->fn(mb->arg, CONTAINER_OF(first, struct mail, node));
	}
}

static void on_event(void *arg, uint32_t events)
{
	struct mailbox *mb = arg;
	uint64_t count;

	(void)events;
	if (read(mb->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	deliver(mb);
}

enum err mailbox_open(struct mailbox *mb, struct loop *loop, mailbox_fn fn, void *arg,
		      struct err_text *text)
{
	*mb = (struct mailbox){ .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				.loop = loop,
				.fn = fn,
				.arg = arg };
	list_init(&mb->queue);
	pthread_mutex_init(&mb->lock, NULL);
	if (mb->event_fd < 0 ||
	    loop_watch(loop, &mb->watch, mb->event_fd, EPOLLIN | EPOLLET, on_event, mb))
		return err_set(text, ERR_IO, "cannot open a mailbox: %s; raise `ulimit -n`",
			       strerror(errno));
	return OK;
}

void mailbox_close(struct mailbox *mb)
{
	loop_unwatch(mb->loop, &mb->watch);
	deliver(mb);
	close(mb->event_fd);
	pthread_mutex_destroy(&mb->lock);
}

void mailbox_post(struct mailbox *mb, struct mail *mail)
{
	uint64_t one = 1;

	pthread_mutex_lock(&mb->lock);
	list_append(&mb->queue, &mail->node);
	pthread_mutex_unlock(&mb->lock);
	/* Cannot fail before 2^64-1 unread posts. */
	if (write(mb->event_fd, &one, sizeof(one)) < 0)
		ensure(errno == EAGAIN);
}
