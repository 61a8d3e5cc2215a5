/* SPDX-License-Identifier: MIT
 *
 * lane - see the header.
 *
 * One thread does both because a batch then forms by itself: while it computes, the next
 * requests gather in the kernel, and one turn of the server reads them all. A thread of its own
 * for computing would cost each request two hand-overs, and a core shared by both would switch
 * between them for every few requests.
 *
 * A request waits as it came, in the buffer of its connection (serve_hold()), and is parsed when
 * its batch is made, straight to where it is computed. What is refused is never parsed.
 *
 * Invariant: serve_turn() is never called between taking a request out of the queue and
 * answering it, so only what is in the queue can lose its connection. */
#include "infer/lane.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "infer/meter.h"
#include "infer/model.h"
#include "infer/predict_body.h"
#include "infer/session.h"

/* Between two turns no new batch begins after so long. */
#define COMPUTE_US (2 * CLOCK_MS)
/* Of one wait; orders and events end it early. */
#define WAIT_MAX_US (1 * CLOCK_S)

enum order { ORDER_SERVE, ORDER_CLOSE_DOOR, ORDER_STOP };

struct waiting {
	struct serve_request *request; /* NULL: its connection has ended */
	uint64_t since_us;
};

struct lane {
	struct lane_options options;
	struct session *session;
	struct serve *serve;
	struct waiting *queue; /* a ring of options.queue_max */
	size_t first, count;
	struct serve_request *batch[LIMIT_BATCH];
	struct buf reply;
	char *reply_end; /* what follows the predictions, up to the timestamp */
	time_t stamp_s;	 /* the second that stamp says */
	char stamp[32];
	pthread_t thread;
	bool has_thread;
	int wake_fd;
	atomic_int order;
	atomic_bool is_closed;
};

/* The queue. */

static struct waiting *place_at(struct lane *l, size_t i)
{
	return &l->queue[(l->first + i) % l->options.queue_max];
}

static struct waiting pop(struct lane *l)
{
	struct waiting w = *place_at(l, 0);

	l->first = (l->first + 1) % l->options.queue_max;
	l->count--;
	return w;
}

void lane_forget(struct lane *l, struct serve_request *r)
{
	for (size_t i = 0; i < l->count; i++)
		if (place_at(l, i)->request == r) {
			place_at(l, i)->request = NULL;
			meter_outcome(l->options.meter, OUTCOME_CONNECTION_LOST);
		}
}

void lane_predict(struct lane *l, struct serve_request *r)
{
	if (l->count == l->options.queue_max) {
		meter_outcome(l->options.meter, OUTCOME_QUEUE_FULL);
		serve_add_header(r, "Retry-After", "1");
		serve_error(r, 503, "%zu requests wait already; ask again later", l->count);
		return;
	}
	serve_hold(r);
	*place_at(l, l->count++) = (struct waiting){ r, clock_us() };
}

/* Answers. */

/* The time in UTC, written anew once a second. */
static const char *stamp_now(struct lane *l)
{
	time_t now = (time_t)clock_wall_s();
	struct tm utc;

	if (now != l->stamp_s) {
		gmtime_r(&now, &utc);
		strftime(l->stamp, sizeof(l->stamp), "%Y-%m-%dT%H:%M:%S", &utc);
		l->stamp_s = now;
	}
	return l->stamp;
}

static void answer(struct lane *l, struct serve_request *r, const double *predictions)
{
	meter_outcome(l->options.meter, predictions ? OUTCOME_PREDICTED : OUTCOME_NOT_FINITE);
	if (!predictions) {
		serve_error(r, 422, "data: values so large that the prediction is not finite");
		return;
	}
	buf_clear(&l->reply);
	for (size_t i = 0; i < l->options.model->target_count; i++)
		buf_printf(&l->reply, "%s%.9g", i ? ", " : "{\"predictions\": [", predictions[i]);
	buf_add_text(&l->reply, l->reply_end);
	buf_add_text(&l->reply, stamp_now(l));
	buf_add_text(&l->reply, "\"}\n");
	ensure(!l->reply.is_full);
	serve_reply(r, 200, "application/json", l->reply.p, l->reply.len);
}

/* Puts a request that was waiting into place n of the batch, or answers it. */
static bool admit(struct lane *l, const struct waiting *w, size_t n, uint64_t now_us)
{
	struct predict_fault fault;

	meter_wait(l->options.meter, now_us - w->since_us);
	if (now_us - w->since_us > l->options.deadline_us) {
		meter_outcome(l->options.meter, OUTCOME_DEADLINE);
		serve_add_header(w->request, "Retry-After", "1");
		serve_error(w->request, 503, "waited for more than %llu ms; ask again later",
			    (unsigned long long)(l->options.deadline_us / CLOCK_MS));
		return false;
	}
	if (!predict_body_parse(l->options.schema, serve_body(w->request),
				session_rows(l->session, n), &fault)) {
		meter_outcome(l->options.meter, OUTCOME_INVALID);
		serve_error(w->request, fault.status, "%s", fault.text);
		return false;
	}
	l->batch[n] = w->request;
	return true;
}

/* Takes requests out of the queue until a batch is full or nobody waits. */
static size_t make_batch(struct lane *l)
{
	const uint64_t now_us = clock_us();
	size_t n = 0;

	while (l->count && n < session_batch_max(l->session)) {
		struct waiting w = pop(l);

		if (w.request && admit(l, &w, n, now_us))
			n++;
	}
	return n;
}

static void run_batch(struct lane *l)
{
	size_t n = make_batch(l);
	uint64_t begun_us;
	enum err err;

	if (!n)
		return;
	begun_us = clock_us();
	err = session_run(l->session, n);
	meter_batch(l->options.meter, n, clock_us() - begun_us);
	for (size_t i = 0; i < n; i++) {
		if (!err) {
			answer(l, l->batch[i], session_predictions(l->session, i));
			continue;
		}
		meter_outcome(l->options.meter, OUTCOME_FAILED);
		serve_error(l->batch[i], 500, "the model failed: %s", err_name(err));
	}
}

/* The thread. */

/* How long the queue may still wait for more. */
static uint64_t delay_left_us(struct lane *l)
{
	uint64_t waited_us;

	if (!l->options.queue_delay_us || l->count >= session_batch_max(l->session))
		return 0;
	waited_us = clock_us() - place_at(l, 0)->since_us;
	return waited_us < l->options.queue_delay_us ? l->options.queue_delay_us - waited_us : 0;
}

static void run_batches(struct lane *l)
{
	const uint64_t until_us = clock_us() + COMPUTE_US;

	while (l->count && !delay_left_us(l)) {
		run_batch(l);
		if (clock_us() >= until_us)
			break;
	}
}

/* Until something has arrived or is due. */
static void wait_work(struct lane *l)
{
	struct pollfd fds[] = { { .fd = serve_fd(l->serve), .events = POLLIN },
				{ .fd = l->wake_fd, .events = POLLIN } };
	uint64_t us = l->count ? delay_left_us(l) : serve_timeout_us(l->serve);
	struct timespec timeout;
	uint64_t orders;

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
	int order;

	while ((order = atomic_load(&l->order)) != ORDER_STOP) {
		if (order == ORDER_CLOSE_DOOR && !lane_is_closed(l)) {
			serve_stop_accepting(l->serve);
			atomic_store(&l->is_closed, true);
		}
		wait_work(l);
		serve_turn(l->serve);
		run_batches(l);
	}
	return NULL;
}

static void give_order(struct lane *l, enum order order)
{
	const uint64_t one = 1;

	atomic_store(&l->order, order);
	ensure(write(l->wake_fd, &one, sizeof(one)) == sizeof(one));
}

/* Life. */

static enum err warm_up(struct lane *l)
{
	enum err err = OK;

	for (size_t n = 1; n <= session_batch_max(l->session) && !err; n *= 2)
		err = session_run(l->session, n);
	return err;
}

static enum err open_server(struct lane *l, struct err_text *text)
{
	struct serve_options http = l->options.http;

	http.threads = 0;
	http.door = l->options.door ? l->options.door->serve : NULL;
	return serve_create(&l->serve, &http, text);
}

enum err lane_create(struct lane **out, const struct lane_options *options, struct err_text *text)
{
	struct lane *l = mem_zalloc(1, sizeof(*l));
	struct buf end;
	enum err err;

	l->options = *options;
	l->queue = mem_zalloc(options->queue_max, sizeof(*l->queue));
	buf_init(&l->reply, LIMIT_PREDICT_REPLY_BYTES);
	buf_init(&end, LIMIT_PREDICT_REPLY_BYTES);
	buf_add_text(&end, "], \"model\": ");
	buf_add_json(&end, str_of(options->model->name));
	buf_add_text(&end, ", \"run_id\": ");
	buf_add_json(&end, str_of(options->model->run_id));
	buf_add_text(&end, ", \"timestamp\": \"");
	l->reply_end = buf_take(&end);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = l->wake_fd < 0 ? err_set(text, ERR_IO, "eventfd: %s (ulimit -n)", strerror(errno))
			     : OK;
	if (!err)
		err = session_create(&l->session, options->model, options->lstm, text);
	if (!err && (err = warm_up(l)) != OK)
		err_set(text, err, "the model cannot be run on this machine");
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
	session_destroy(&l->session);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	buf_fini(&l->reply);
	mem_free(l->reply_end);
	mem_free(l->queue);
	mem_free(l);
	*lp = NULL;
}
