/* SPDX-License-Identifier: MIT
 *
 * line - see the header.
 *
 * Invariant: between two turns of the server a request stands in the queue or among the long
 * ones, and nowhere else; so only there can it lose its connection. */
#include "infer/line.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "infer/door.h"
#include "infer/engine.h"
#include "infer/meter.h"
#include "infer/session.h"
#include "serve/serve.h"

/* What has come while the thread was held up is done within so many turns, or is no burst. */
#define BURST_TURNS 3
/* What one answer may leave behind in memory. */
#define KEPT_REPLY_BYTES (64 * 1024)

/* A request that has been read. */
struct job {
	struct serve_request *request; /* NULL: its connection has ended */
	const struct door *door;
	const char *identifier;
	uint64_t since_us;
	struct seat *seat;
	struct ask ask;
	size_t step, next; /* of this step, the windows below next are predicted */
	bool is_long;	   /* stands among the long ones */
	bool is_not_finite;
};

/* A place in the batch that is made. */
struct place {
	struct job *job;
	size_t window;
};

struct line {
	struct line_options options;
	struct seat *seat, *leaving; /* leaving: NULL: none */
	struct job **queue;	     /* a ring of options.queue_max */
	size_t first, count, queue_bytes;
	size_t full_turns;	  /* the last ones, which left many in the queue or refused some */
	bool has_refused;	  /* in this turn */
	struct job *jobs, **idle; /* idle: the one used last at the end */
	size_t job_count, idle_count;
	struct job *longs[LIMIT_LONG_ASKS];
	size_t long_count, long_first;
	/* The batch, and the jobs that have a place in it. */
	struct place places[LIMIT_BATCH];
	struct job *present[LIMIT_BATCH];
	size_t place_count, present_count, rounds;
	struct buf reply;
	struct rng rng;
	time_t stamp_s; /* the second that stamp says */
	char stamp[32];
};

/* The queue. */

static struct job **place_at(const struct line *l, size_t i)
{
	return &l->queue[(l->first + i) % l->options.queue_max];
}

static struct job *pop(struct line *l)
{
	struct job *j = *place_at(l, 0);

	l->first = (l->first + 1) % l->options.queue_max;
	l->count--;
	l->queue_bytes -= ask_bytes(&j->ask);
	return j;
}

static void release(struct line *l, struct job *j)
{
	l->idle[l->idle_count++] = j;
}

void line_forget(struct line *l, struct serve_request *r)
{
	struct job *found = NULL;

	for (size_t i = 0; i < l->count && !found; i++)
		if ((*place_at(l, i))->request == r)
			found = *place_at(l, i);
	for (size_t i = 0; i < l->long_count && !found; i++)
		if (l->longs[i]->request == r)
			found = l->longs[i];
	if (!found)
		return;
	found->request = NULL;
	meter_outcome(l->options.meter, OUTCOME_CONNECTION_LOST);
}

static void refuse_for_now(struct line *l, struct serve_request *r, size_t count, const char *why)
{
	meter_outcome(l->options.meter, OUTCOME_QUEUE_FULL);
	serve_add_header(r, "Retry-After", "1");
	serve_error(r, 503, "%zu %s; ask again later", count, why);
}

static size_t two_batches(const struct line *l)
{
	return 2 * session_batch_max(l->seat->session);
}

/* Of a load that is nearly what the thread can do, a queue that is long once stays long: the more
 * requests are under way, the more each costs (see docs/inference.md, Overload). */
static bool has_room(const struct line *l, bool is_crowd)
{
	if (is_crowd && l->full_turns >= BURST_TURNS && l->count >= two_batches(l))
		return false;
	return l->count < l->options.queue_max && l->queue_bytes <= LIMIT_PREDICT_WAIT_BYTES;
}

void line_end_turn(struct line *l)
{
	const bool is_full = l->count > two_batches(l) || l->has_refused;

	l->full_turns = is_full ? l->full_turns + 1 : 0;
	l->has_refused = false;
}

static bool read_request(struct serve_request *r, const struct door *door, struct ask *a,
			 struct ask_fault *fault)
{
	const char *steps = serve_query(r, "inference_length");

	if (steps && !ask_set_steps(a, steps, fault))
		return false;
	return door->read(serve_body(r), a, fault);
}

void line_add(struct line *l, struct serve_request *r, const struct door *door,
	      const char *identifier, bool is_crowd)
{
	struct job *j = l->idle[l->idle_count - 1];
	struct ask_fault fault;

	if (!has_room(l, is_crowd)) {
		l->has_refused = true;
		refuse_for_now(l, r, l->count, "requests wait already");
		return;
	}
	ask_begin(&j->ask, &l->seat->engine->schema);
	if (!read_request(r, door, &j->ask, &fault)) {
		meter_outcome(l->options.meter, OUTCOME_INVALID);
		serve_error(r, fault.status, "%s", fault.text);
		return;
	}
	serve_hold(r);
	l->idle_count--;
	j->request = r;
	j->door = door;
	j->identifier = identifier;
	j->since_us = clock_us();
	j->seat = l->seat;
	j->step = j->next = 0;
	j->is_long = j->is_not_finite = false;
	*place_at(l, l->count++) = j;
	l->queue_bytes += ask_bytes(&j->ask);
}

/* Answers. */

/* The time in UTC, written anew once a second. */
static const char *stamp_now(struct line *l)
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

static void reply(struct line *l, const struct job *j)
{
	const struct door_reply what = {
		.engine = j->seat->engine,
		.ask = &j->ask,
		.identifier = j->identifier,
		.now = stamp_now(l),
		.id = (uint32_t)rng_next(&l->rng),
	};

	if (l->reply.cap > KEPT_REPLY_BYTES)
		buf_fini(&l->reply);
	buf_clear(&l->reply);
	j->door->write(&what, &l->reply);
	if (l->reply.is_full) {
		meter_outcome(l->options.meter, OUTCOME_INVALID);
		serve_error(j->request, 422,
			    "the answer would be larger than %d bytes; ask for fewer steps or "
			    "windows at once",
			    LIMIT_PREDICT_REPLY_BYTES);
		return;
	}
	if (!serve_reply(j->request, 200, "application/json", l->reply.p, l->reply.len)) {
		meter_outcome(l->options.meter, OUTCOME_QUEUE_FULL);
		return;
	}
	meter_outcome(l->options.meter, OUTCOME_PREDICTED);
	meter_predicted(l->options.meter, j->ask.window_count * j->ask.steps);
}

/* It is over, well or not. */
static void finish(struct line *l, struct job *j)
{
	struct serve_request *r = j->request;

	if (r && j->is_not_finite) {
		meter_outcome(l->options.meter, OUTCOME_NOT_FINITE);
		serve_error(r, 422, "data: values so large that the prediction is not finite");
	} else if (r) {
		reply(l, j);
	}
	release(l, j);
}

/* Batches. */

/* A request's turn has come. False: it is answered already. */
static bool admit(struct line *l, struct job *j, uint64_t now_us)
{
	meter_wait(l->options.meter, now_us - j->since_us);
	if (now_us - j->since_us > l->options.deadline_us) {
		meter_outcome(l->options.meter, OUTCOME_DEADLINE);
		serve_add_header(j->request, "Retry-After", "1");
		serve_error(j->request, 503, "waited for more than %llu ms; ask again later",
			    (unsigned long long)(l->options.deadline_us / CLOCK_MS));
		return false;
	}
	j->is_long = j->ask.steps > 1 ||
		     j->ask.window_count > session_batch_max(j->seat->session) - l->place_count;
	if (!j->is_long)
		return true;
	if (l->long_count == LIMIT_LONG_ASKS) {
		refuse_for_now(l, j->request, l->long_count,
			       "requests of several steps or windows are being computed already");
		return false;
	}
	l->longs[l->long_count++] = j;
	return true;
}

/* The next windows of a job into the batch, up to `room` places in all. */
static void seat_windows(struct line *l, struct job *j, size_t room)
{
	if (l->place_count >= room)
		return;
	l->present[l->present_count++] = j;
	for (; j->next < j->ask.window_count && l->place_count < room; j->next++) {
		session_put(j->seat->session, l->place_count, ask_rows(&j->ask, j->next));
		l->places[l->place_count++] = (struct place){ j, j->next };
	}
}

static void drop_lost(struct line *l)
{
	for (size_t i = 0; i < l->long_count;) {
		struct job *j = l->longs[i];

		if (j->request) {
			i++;
			continue;
		}
		l->longs[i] = l->longs[--l->long_count];
		release(l, j);
	}
}

/* Those of the seat, in turns. */
static void seat_longs(struct line *l, const struct seat *seat, size_t room)
{
	const size_t count = l->long_count;

	if (!count)
		return;
	l->long_first = (l->long_first + 1) % count;
	for (size_t i = 0; i < count; i++) {
		struct job *j = l->longs[(l->long_first + i) % count];

		if (j->seat == seat)
			seat_windows(l, j, room);
	}
}

/* The oldest of the queue was read for this seat. */
static bool is_next(const struct line *l, const struct seat *seat)
{
	return l->count && (*place_at(l, 0))->seat == seat;
}

static void seat_new(struct line *l, const struct seat *seat, size_t room)
{
	const uint64_t now_us = clock_us();

	while (is_next(l, seat) && l->place_count < room) {
		struct job *j = pop(l);

		if (j->request && admit(l, j, now_us))
			seat_windows(l, j, room);
		else
			release(l, j);
	}
}

static void take_results(struct line *l, struct session *session)
{
	for (size_t i = 0; i < l->place_count; i++) {
		struct job *j = l->places[i].job;
		const size_t window = l->places[i].window;
		const double *got = session_predictions(session, i);

		if (!got) {
			j->is_not_finite = true;
			continue;
		}
		memcpy(ask_predictions(&j->ask, window, j->step), got,
		       j->ask.schema->target_count * sizeof(*got));
		if (j->step + 1 < j->ask.steps)
			ask_advance(&j->ask, window, j->step);
	}
}

static bool is_complete(struct job *j)
{
	if (j->next < j->ask.window_count)
		return false;
	j->next = 0;
	return ++j->step == j->ask.steps;
}

static void leave_longs(struct line *l, const struct job *j)
{
	for (size_t i = 0; i < l->long_count; i++)
		if (l->longs[i] == j) {
			l->longs[i] = l->longs[--l->long_count];
			return;
		}
}

static void run_batch(struct line *l, struct seat *seat)
{
	const uint64_t begun_us = clock_us();

	session_run(seat->session, l->place_count);
	meter_batch(l->options.meter, l->place_count, clock_us() - begun_us);
	take_results(l, seat->session);
	for (size_t i = 0; i < l->present_count; i++) {
		struct job *j = l->present[i];

		if (!j->is_not_finite && !is_complete(j))
			continue;
		if (j->is_long)
			leave_longs(l, j);
		finish(l, j);
	}
}

/* The seat that is exchanged is left when its last request is answered. */
static void leave_seat(struct line *l)
{
	for (size_t i = 0; i < l->long_count; i++)
		if (l->longs[i]->seat == l->leaving)
			return;
	if (is_next(l, l->leaving))
		return;
	atomic_store(&l->leaving->is_left, true);
	l->leaving = NULL;
}

static void run_seat(struct line *l, struct seat *seat)
{
	const size_t batch_max = session_batch_max(seat->session);
	const bool takes_new = is_next(l, seat);

	l->place_count = l->present_count = 0;
	/* Rounded up and down in turns: a batch of one is theirs every other time. */
	seat_longs(l, seat, takes_new ? (batch_max + l->rounds++ % 2) / 2 : batch_max);
	if (takes_new)
		seat_new(l, seat, batch_max);
	if (l->place_count)
		run_batch(l, seat);
}

void line_run(struct line *l)
{
	drop_lost(l);
	if (l->leaving) {
		run_seat(l, l->leaving);
		leave_seat(l);
	}
	run_seat(l, l->seat);
}

bool line_has_work(const struct line *l)
{
	return l->count || l->long_count || l->leaving;
}

uint64_t line_delay_us(const struct line *l)
{
	uint64_t waited_us;

	if (!l->options.queue_delay_us || !l->count || l->long_count || l->leaving ||
	    l->count >= session_batch_max(l->seat->session))
		return 0;
	waited_us = clock_us() - (*place_at(l, 0))->since_us;
	return waited_us < l->options.queue_delay_us ? l->options.queue_delay_us - waited_us : 0;
}

/* Life. */

void line_exchange(struct line *l, struct seat *seat)
{
	ensure(!l->leaving);
	l->leaving = l->seat;
	l->seat = seat;
}

struct line *line_create(const struct line_options *options, struct seat *seat)
{
	struct line *l = mem_zalloc(1, sizeof(*l));

	l->options = *options;
	l->seat = seat;
	l->queue = mem_zalloc(options->queue_max, sizeof(struct job *));
	buf_init(&l->reply, LIMIT_PREDICT_REPLY_BYTES);
	rng_init(&l->rng, clock_us(), (uint64_t)(uintptr_t)l);
	/* A batch and the long ones beside the queue, and the one that is read. */
	l->job_count = options->queue_max + LIMIT_BATCH + LIMIT_LONG_ASKS + 1;
	l->jobs = mem_zalloc(l->job_count, sizeof(*l->jobs));
	l->idle = mem_zalloc(l->job_count, sizeof(struct job *));
	for (size_t i = 0; i < l->job_count; i++) {
		ask_init(&l->jobs[i].ask);
		release(l, &l->jobs[i]);
	}
	return l;
}

void line_destroy(struct line **lp)
{
	struct line *l = *lp;

	if (!l)
		return;
	for (size_t i = 0; i < l->job_count; i++)
		ask_fini(&l->jobs[i].ask);
	buf_fini(&l->reply);
	mem_free(l->jobs);
	mem_free(l->idle);
	mem_free(l->queue);
	mem_free(l);
	*lp = NULL;
}
