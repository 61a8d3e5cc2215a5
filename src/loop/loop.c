/* SPDX-License-Identifier: MIT
 *
 * loop - see the header. epoll_pwait2 gives timers microseconds instead of the whole
 * milliseconds of epoll_wait; schedule lag is something we report, so it must not be ours. */
#include "loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define EVENTS_PER_TURN 256

enum err loop_init(struct loop *loop, struct err_text *text)
{
	*loop = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .now_us = clock_us() };
	heap_init(&loop->timers);
	list_init(&loop->graves);
	if (loop->epoll_fd < 0)
		return err_set(text, ERR_IO, "cannot create an event queue: %s; raise `ulimit -n`",
			       strerror(errno));
	return OK;
}

static void empty_graves(struct loop *loop)
{
	while (!list_is_empty(&loop->graves)) {
		struct loop_grave *grave = CONTAINER_OF(loop->graves.next, struct loop_grave, node);

		list_remove(&grave->node);
		grave->fn(grave->arg);
	}
}

void loop_fini(struct loop *loop)
{
	empty_graves(loop);
	heap_fini(&loop->timers);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

static void fire_timers(struct loop *loop)
{
	const struct heap_slot *first;

	/* loop_timer_set() puts what is due now or earlier 1 us ahead, so that a user without
	 * wait time cannot keep the loop here. */
	while ((first = heap_first(&loop->timers)) && first->key <= loop->now_us) {
		struct loop_timer *timer = CONTAINER_OF(first->node, struct loop_timer, node);

		loop->timer_lag_us = loop->now_us - first->key;
		heap_remove(&loop->timers, &timer->node);
		timer->fn(timer->arg);
	}
}

static int wait_for_events(struct loop *loop, struct epoll_event *events, uint64_t until_us)
{
	struct timespec wait = { 0 }, *timeout = NULL;
	int ready, timeout_ms = -1;

	if (until_us != UINT64_MAX) {
		uint64_t us = until_us > loop->now_us ? until_us - loop->now_us : 0;

		wait = (struct timespec){ (time_t)(us / CLOCK_S), (long)(us % CLOCK_S) * 1000 };
		timeout = &wait;
		timeout_ms =
			us < INT_MAX * CLOCK_MS ? (int)((us + CLOCK_MS - 1) / CLOCK_MS) : INT_MAX;
	}
	ready = epoll_pwait2(loop->epoll_fd, events, EVENTS_PER_TURN, timeout, NULL);
	/* Linux before 5.11, and valgrind. */
	if (ready < 0 && errno == ENOSYS)
		ready = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);
	return ready;
}

/* Waits for events until until_us, 0: not at all. */
static void take_turn(struct loop *loop, uint64_t until_us)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int ready = wait_for_events(loop, events, until_us);

	loop->now_us = clock_us();
	fire_timers(loop);
	for (int i = 0; i < ready; i++) {
		struct loop_watch *watch = events[i].data.ptr;

		if (watch->fd >= 0)
			watch->fn(watch->arg, events[i].events);
	}
	empty_graves(loop);
}

void loop_run(struct loop *loop)
{
	loop->should_stop = false;
	while (!loop->should_stop) {
		loop->now_us = clock_us();
		take_turn(loop, loop_due_us(loop));
	}
}

void loop_turn(struct loop *loop)
{
	take_turn(loop, 0);
}

uint64_t loop_due_us(const struct loop *loop)
{
	const struct heap_slot *first = heap_first(&loop->timers);

	return first ? first->key : UINT64_MAX;
}

void loop_refresh(struct loop *loop)
{
	loop->now_us = clock_us();
}

void loop_stop(struct loop *loop)
{
	loop->should_stop = true;
}

enum err loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
		    loop_watch_fn fn, void *arg)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	*watch = (struct loop_watch){ fd, fn, arg };
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return OK;
	watch->fd = -1;
	return ERR_IO;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	if (watch->fd < 0)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
}

void loop_timer_init(struct loop_timer *timer, loop_timer_fn fn, void *arg)
{
	*timer = (struct loop_timer){ .fn = fn, .arg = arg };
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_us)
{
	heap_remove(&loop->timers, &timer->node);
	heap_insert(&loop->timers, &timer->node, at_us > loop->now_us ? at_us : loop->now_us + 1);
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
	heap_remove(&loop->timers, &timer->node);
}

void loop_bury(struct loop *loop, struct loop_grave *grave, loop_timer_fn fn, void *arg)
{
	grave->fn = fn;
	grave->arg = arg;
	list_append(&loop->graves, &grave->node);
}
