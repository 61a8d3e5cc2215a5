/* SPDX-License-Identifier: MIT
 *
 * lane - see the header.
 *
 * One thread does both because a batch then forms by itself: while it computes, the next
 * requests gather in the kernel, and one turn of the server reads them all. A thread of its own
 * for computing would cost each request two hand-overs, and a core shared by both would switch
 * between them for every few requests. */
#include "infer/lane.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

/* Between two turns no new batch begins after so long, or twice what the last turn took. */
#define COMPUTE_US (2 * CLOCK_MS)
/* Half of it is read at once: a body of 7 kB. All of it is cleared for each request, and stands in
 * the CPU's caches for each connection. */
#define CONNECTION_BYTES (16 * 1024)
/* Of one wait; orders and events end it early. */
#define WAIT_MAX_US (1 * CLOCK_S)

enum order { ORDER_SERVE, ORDER_CLOSE_DOOR, ORDER_STOP };

struct lane {
	struct lane_options options;
	struct line *lines[LIMIT_MODELS];
	size_t turn; /* whose line comes first */
	struct serve *serve;
	pthread_t thread;
	bool has_thread;
	int wake_fd;
	atomic_int order;
	atomic_bool is_closed;
	_Atomic(struct seat *) offers[LIMIT_MODELS]; /* by lane_exchange(); NULL: none */
};

void lane_predict(struct lane *l, size_t model, struct serve_request *r, const struct door *door,
		  const char *identifier)
{
	line_add(l->lines[model], r, door, identifier,
		 serve_connections(l->serve) > l->options.line.queue_max);
}

void lane_forget(struct lane *l, struct serve_request *r)
{
	for (size_t i = 0; i < l->options.model_count; i++)
		line_forget(l->lines[i], r);
}

/* The thread. */

/* Until the first line has something to do; UINT64_MAX: none has. */
static uint64_t work_in_us(const struct lane *l)
{
	uint64_t least_us = UINT64_MAX;

	for (size_t i = 0; i < l->options.model_count; i++)
		if (line_has_work(l->lines[i]) && line_delay_us(l->lines[i]) < least_us)
			least_us = line_delay_us(l->lines[i]);
	return least_us;
}

/* One batch of each line that has work, until there is none or the time is up. A turn that reads or
 * refuses hundreds takes many times COMPUTE_US: with no more than that for computing, the more came
 * the fewer would be answered. */
static void run_lines(struct lane *l, uint64_t turn_us)
{
	const uint64_t until_us =
		clock_us() + (2 * turn_us > COMPUTE_US ? 2 * turn_us : COMPUTE_US);

	while (work_in_us(l) == 0) {
		struct line *line = l->lines[l->turn++ % l->options.model_count];

		if (line_has_work(line) && !line_delay_us(line))
			line_run(line);
		if (clock_us() >= until_us)
			break;
	}
}

static void end_turn(struct lane *l)
{
	for (size_t i = 0; i < l->options.model_count; i++)
		line_end_turn(l->lines[i]);
}

static void take_offers(struct lane *l)
{
	for (size_t i = 0; i < l->options.model_count; i++) {
		struct seat *seat = atomic_exchange(&l->offers[i], NULL);

		if (seat)
			line_exchange(l->lines[i], seat);
	}
}

/* Until something has arrived or is due. */
static void wait_work(struct lane *l)
{
	struct pollfd fds[] = { { .fd = serve_fd(l->serve), .events = POLLIN },
				{ .fd = l->wake_fd, .events = POLLIN } };
	uint64_t us = work_in_us(l);
	struct timespec timeout;
	uint64_t orders;

	if (us == UINT64_MAX)
		us = serve_timeout_us(l->serve);
	if (!us)
		return;
	if (us > WAIT_MAX_US)
		us = WAIT_MAX_US;
	timeout = (struct timespec){ .tv_nsec = (long)(us % CLOCK_S) * 1000,
				     .tv_sec = (time_t)(us / CLOCK_S) };
	if (ppoll(fds, 2, &timeout, NULL) > 0 && fds[1].revents)
		(void)!read(l->wake_fd, &orders, sizeof(orders));
}

static void *serve_and_predict(void *arg)
{
	struct lane *l = arg;
	uint64_t begun_us;
	int order;

	while ((order = atomic_load(&l->order)) != ORDER_STOP) {
		if (order == ORDER_CLOSE_DOOR && !lane_is_closed(l)) {
			serve_stop_accepting(l->serve);
			atomic_store(&l->is_closed, true);
		}
		wait_work(l);
		begun_us = clock_us();
		serve_turn(l->serve);
		end_turn(l);
		take_offers(l);
		run_lines(l, clock_us() - begun_us);
	}
	return NULL;
}

static void wake(struct lane *l)
{
	const uint64_t one = 1;

	ensure(write(l->wake_fd, &one, sizeof(one)) == sizeof(one));
}

static void give_order(struct lane *l, enum order order)
{
	atomic_store(&l->order, order);
	wake(l);
}

void lane_exchange(struct lane *l, size_t model, struct seat *seat)
{
	atomic_store(&l->offers[model], seat);
	wake(l);
}

/* Life. */

static enum err open_server(struct lane *l, struct err_text *text)
{
	struct serve_options http = l->options.http;

	http.threads = 0;
	http.is_body_lent = true;
	http.connection_bytes = CONNECTION_BYTES;
	http.door = l->options.door ? l->options.door->serve : NULL;
	return serve_create(&l->serve, &http, text);
}

enum err lane_create(struct lane **out, const struct lane_options *options, struct err_text *text)
{
	struct lane *l = mem_zalloc(1, sizeof(*l));
	enum err err;

	l->options = *options;
	l->options.seats = NULL;
	for (size_t i = 0; i < options->model_count; i++)
		l->lines[i] = line_create(&options->line, options->seats[i]);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = l->wake_fd < 0 ? err_set(text, ERR_IO, "eventfd: %s (ulimit -n)", strerror(errno))
			     : OK;
	if (!err)
		err = open_server(l, text);
	if (err)
		lane_destroy(&l);
	else
		*out = l;
	return err;
}

uint16_t lane_port(const struct lane *l)
{
	return serve_port(l->serve);
}

enum err lane_start(struct lane *l, struct err_text *text)
{
	int rc = pthread_create(&l->thread, NULL, serve_and_predict, l);

	if (rc)
		return err_set(text, ERR_IO, "cannot start a thread: %s (ulimit -u)", strerror(rc));
	l->has_thread = true;
	return OK;
}

void lane_close_door(struct lane *l)
{
	give_order(l, ORDER_CLOSE_DOOR);
}

bool lane_is_closed(const struct lane *l)
{
	return atomic_load(&l->is_closed);
}

unsigned lane_in_flight(const struct lane *l)
{
	return serve_in_flight(l->serve);
}

uint64_t lane_begun(const struct lane *l)
{
	return serve_begun(l->serve);
}

void lane_stop(struct lane *l)
{
	if (!l->has_thread)
		return;
	give_order(l, ORDER_STOP);
	pthread_join(l->thread, NULL);
	l->has_thread = false;
}

void lane_destroy(struct lane **lp)
{
	struct lane *l = *lp;

	if (!l)
		return;
	lane_stop(l);
	serve_destroy(&l->serve, 0);
	for (size_t i = 0; i < l->options.model_count; i++)
		line_destroy(&l->lines[i]);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	mem_free(l);
	*lp = NULL;
}
