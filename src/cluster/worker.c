/* SPDX-License-Identifier: MIT
 *
 * worker - see the header.
 *
 * Statistics take three steps: collect() asks the load and leaves a ticket that says what the
 * answer is for; the answer is added to the backlog of its phase; post_reports() turns the
 * backlogs into frames and sends them. Frames that the connection does not take, or our master has
 * not answered for, wait in the outbox, and while one waits no new report is made, so nothing is
 * lost or overtakes. What must come after a report (spawning_complete, client_stopped) waits for
 * the outbox. */
#include "cluster/worker.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/listener.h"
#include "cluster/msg.h"
#include "cluster/msg_scan.h"
#include "run/locust_version.h"

#define LOGGER	       "locust.runners"
#define NEVER	       UINT64_MAX
#define READY_EVERY_US (5 * CLOCK_S)
#define READY_FOR_US   (305 * CLOCK_S) /* Locust: 61 tries */
#define READY_SILENT   3	       /* tries that are not logged, as Locust's */
#define HEARTBEAT_US   CLOCK_S
#define REPORT_US      (3 * CLOCK_S)
#define REPORT_BULK_US CLOCK_S
#define ANSWER_US      (3 * CLOCK_S)  /* then reports go by the first port */
#define BULK_RETRY_US  (10 * CLOCK_S) /* and the second is tried again */
#define SILENCE_US     (60 * CLOCK_S)
#define RETRY_US       (200 * CLOCK_MS)
#define STOP_MARGIN_US (5 * CLOCK_S)
#define STOP_MAX_S     86400.0
#define TICKETS	       16
#define CPU_HIGH       90

enum worker_state {
	WORKER_READY,	 /* no users */
	WORKER_SPAWNING, /* set_users() was called, not settled */
	WORKER_RUNNING,
	WORKER_STOPPING, /* users finish, the last report is on its way */
	WORKER_ENDED
};

/* What a collect() was for. */
enum purpose {
	FOR_REPORT,  /* by the clock, or because the phase changes */
	FOR_NOTHING, /* left over from the last test, forgotten */
	FOR_SETTLED, /* then spawning_complete */
	FOR_STOPPED  /* then client_stopped */
};

struct ticket {
	enum purpose purpose;
	enum msg_phase phase;
	uint64_t spawn_number;
};

struct worker {
	struct worker_options options;
	char *id;
	enum worker_state state;
	enum msg_phase phase;
	bool was_acked;
	bool is_ours;	    /* the master */
	unsigned bulk_port; /* its; 0: none */
	bool is_quitting;
	enum err end_err; /* what `ended` will say */
	struct err_text end_text;
	uint64_t now_us, ready_until_us, ready_due_us, heartbeat_due_us, report_due_us;
	uint64_t master_beat_us;   /* the last heartbeat of the master, 0: never */
	uint64_t stop_deadline_us; /* while WORKER_STOPPING */
	bool is_stop_collected;	   /* the last statistics are in the backlog */
	bool want_complete;	   /* spawning_complete when the outbox is empty */
	double last_timestamp;	   /* of spawn messages */
	double stop_timeout_s;
	int64_t index;	       /* given by the master; -1: none */
	uint64_t spawn_number; /* counts set_users() */
	uint64_t *wanted, *running;
	struct msg_count *counts; /* scratch for messages */
	struct ticket tickets[TICKETS];
	size_t ticket_first, ticket_count;
	struct stats backlog[MSG_PHASE_COUNT];
	bool has_backlog[MSG_PHASE_COUNT]; /* an answer since the last report, maybe empty */
	struct buf outbox[LIMIT_WORKER_OUTBOX];
	size_t outbox_first, outbox_count;
	size_t outbox_sent; /* of outbox_count, not answered */
	uint64_t outbox_us; /* when it last went on */
	bool is_on_bulk;    /* the way the frames in it take */
	uint64_t bulk_retry_us;
	uint64_t stream, test;
	uint64_t reports_made, reports_answered; /* numbers of the last ones */
	struct buf usual_bytes;
	struct msg_pairs usual; /* in them */
	unsigned exceptions_left;
	bool was_cpu_high;
	double cpu_percent;
	uint64_t memory_bytes;
	uint64_t bad_frames;
};

struct worker *worker_create(const struct worker_options *options, uint64_t now_us)
{
	struct worker *w = mem_zalloc(1, sizeof(*w));
	size_t classes = options->class_count + 1;

	w->options = *options;
	w->id = mem_strdup(options->id);
	/* Two processes with one name never begin at the same microsecond. */
	w->now_us = w->ready_due_us = w->stream = now_us;
	w->ready_until_us = now_us + READY_FOR_US;
	w->heartbeat_due_us = w->report_due_us = NEVER;
	w->index = -1;
	w->wanted = mem_zalloc(classes, sizeof(*w->wanted));
	w->running = mem_zalloc(classes, sizeof(*w->running));
	w->counts = mem_zalloc(classes, sizeof(*w->counts));
	w->exceptions_left = LIMIT_WORKER_EXCEPTIONS;
	buf_init(&w->usual_bytes, LIMIT_CUSTOM_BYTES);
	for (size_t i = 0; i < MSG_PHASE_COUNT; i++)
		stats_init(&w->backlog[i], INFINITY); /* until a delta says when */
	return w;
}

static void drop_outbox(struct worker *w, size_t count)
{
	w->outbox_sent -= count < w->outbox_sent ? count : w->outbox_sent;
	for (; count; count--, w->outbox_count--)
		buf_fini(&w->outbox[w->outbox_first++]);
	if (!w->outbox_count)
		w->outbox_first = 0;
}

void worker_destroy(struct worker **pw)
{
	struct worker *w = *pw;

	*pw = NULL;
	if (!w)
		return;
	for (size_t i = 0; i < MSG_PHASE_COUNT; i++)
		stats_fini(&w->backlog[i]);
	drop_outbox(w, w->outbox_count);
	buf_fini(&w->usual_bytes);
	mem_free(w->wanted);
	mem_free(w->running);
	mem_free(w->counts);
	mem_free(w->id);
	mem_free(w);
}

uint64_t worker_bad_frames(const struct worker *w)
{
	return w->bad_frames;
}

void worker_set_usage(struct worker *w, double cpu_percent, uint64_t memory_bytes)
{
	w->cpu_percent = cpu_percent;
	w->memory_bytes = memory_bytes;
	if (cpu_percent > CPU_HIGH && !w->was_cpu_high) {
		w->was_cpu_high = true;
		log_line(LOG_WARNING, LOGGER,
			 "CPU usage above 90%%! This may constrain your throughput and may even "
			 "give inconsistent response time measurements! Give this worker more "
			 "CPUs or use more workers.");
	}
}

/* Sends without keeping; for what is repeated anyway or of no use later. */
static bool post(struct worker *w, struct msg *m)
{
	struct buf frame;
	bool is_sent;

	m->node_id = str_of(w->id);
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(m, &frame);
	is_sent = !frame.is_full && w->options.send(w->options.arg, buf_str(&frame));
	buf_fini(&frame);
	return is_sent;
}

static bool post_plain(struct worker *w, enum msg_type type)
{
	return post(w, &(struct msg){ .type = type });
}

static struct msg_counts counts_now(struct worker *w)
{
	for (size_t i = 0; i < w->options.class_count; i++)
		w->counts[i] = (struct msg_count){ str_of(w->options.classes[i]), w->running[i] };
	return (struct msg_counts){ w->counts, w->options.class_count };
}

/* --- reports ----------------------------------------------------------------------------- */

static bool wants_bulk(const struct worker *w)
{
	return w->bulk_port && w->now_us >= w->bulk_retry_us;
}

static void queue_report(struct worker *w, enum msg_phase phase)
{
	struct msg m = { .type = MSG_STATS, .node_id = str_of(w->id) };

	m.report = (struct msg_report){ .stats = &w->backlog[phase],
					.have_times = w->is_ours,
					.counts = counts_now(w),
					.phase = phase,
					.test = w->test };
	if (!w->is_ours)
		m.report.extra = w->usual;
	w->outbox_us = w->now_us;
	w->is_on_bulk = wants_bulk(w);
	do {
		struct buf *frame = &w->outbox[w->outbox_count];

		if (w->is_ours)
			m.report.number = (struct msg_number){ w->stream, ++w->reports_made,
							       w->reports_answered + 1 };
		buf_init(frame, LIMIT_MESSAGE_BYTES);
		msg_encode(&m, frame);
		/* LIMIT_STAT_NAMES and MSG_REPORT_ROWS make neither bound reachable. */
		ensure(!frame->is_full && w->outbox_count < LIMIT_WORKER_OUTBOX - 1);
		w->outbox_count++;
	} while (msg_report_more(&m.report));
	stats_clear(&w->backlog[phase], INFINITY);
	w->has_backlog[phase] = false;
}

static bool send_report(struct worker *w, struct str frame)
{
	return w->is_on_bulk ? w->options.send_bulk(w->options.arg, frame)
			     : w->options.send(w->options.arg, frame);
}

/* True when it is empty: all is with the connection, or with our master. */
static bool send_outbox(struct worker *w)
{
	while (w->outbox_sent < w->outbox_count &&
	       send_report(w, buf_str(&w->outbox[w->outbox_first + w->outbox_sent])))
		w->outbox_sent++;
	if (!w->is_ours)
		drop_outbox(w, w->outbox_sent);
	return !w->outbox_count;
}

/* The way is not open, or an answer was lost. */
static void send_again(struct worker *w)
{
	if (!w->is_ours || !w->outbox_count || w->now_us - w->outbox_us < ANSWER_US)
		return;
	if (w->is_on_bulk)
		w->bulk_retry_us = w->now_us + BULK_RETRY_US;
	w->is_on_bulk = false;
	w->outbox_sent = 0;
	w->outbox_us = w->now_us;
}

static void on_report_ack(struct worker *w, const struct msg_number *ack)
{
	if (!w->is_ours || ack->stream != w->stream || ack->number <= w->reports_answered ||
	    ack->number > w->reports_made)
		return;
	drop_outbox(w, ack->number - w->reports_answered);
	w->reports_answered = ack->number;
	w->outbox_us = w->now_us;
}

/* True when everything that was collected is where send_outbox() says. */
static bool post_reports(struct worker *w)
{
	if (!send_outbox(w))
		return false;
	for (enum msg_phase p = MSG_PHASE_RAMP; p < MSG_PHASE_COUNT; p++) {
		if (!w->has_backlog[p])
			continue;
		queue_report(w, p);
		if (!send_outbox(w))
			return false;
	}
	return true;
}

static bool collect(struct worker *w, enum purpose purpose)
{
	if (w->ticket_count == TICKETS)
		return false;
	w->tickets[(w->ticket_first + w->ticket_count++) % TICKETS] =
		(struct ticket){ purpose, w->phase ? w->phase : MSG_PHASE_RAMP, w->spawn_number };
	w->options.ops->collect(w->options.load);
	return true;
}

/* A new test: whatever is still on its way to the master belongs to the last one. */
static void forget_reports(struct worker *w)
{
	drop_outbox(w, w->outbox_count);
	w->reports_answered = w->reports_made;
	for (size_t i = 0; i < w->ticket_count; i++)
		w->tickets[(w->ticket_first + i) % TICKETS].purpose = FOR_NOTHING;
	for (size_t i = 0; i < MSG_PHASE_COUNT; i++) {
		stats_clear(&w->backlog[i], INFINITY);
		w->has_backlog[i] = false;
	}
	(void)collect(w, FOR_NOTHING);
}

/* What was counted so far belongs to the old phase. With all tickets out (a load that does
 * not answer, under a master that floods) it is counted in the new one. */
static void set_phase(struct worker *w, enum msg_phase phase)
{
	if (w->phase == phase)
		return;
	if (w->phase)
		(void)collect(w, FOR_REPORT);
	w->phase = phase;
}

/* --- states ------------------------------------------------------------------------------ */

static void set_state(struct worker *w, enum worker_state state)
{
	static const unsigned edges[] = {
		[WORKER_READY] = 1u << WORKER_SPAWNING | 1u << WORKER_STOPPING,
		[WORKER_SPAWNING] = 1u << WORKER_RUNNING | 1u << WORKER_STOPPING,
		[WORKER_RUNNING] = 1u << WORKER_SPAWNING | 1u << WORKER_STOPPING,
		[WORKER_STOPPING] = 1u << WORKER_READY | 1u << WORKER_ENDED,
		[WORKER_ENDED] = 0,
	};

	if (state == w->state)
		return;
	ensure(edges[w->state] & 1u << state);
	w->state = state;
}

static void begin_ready(struct worker *w)
{
	w->ready_until_us = w->now_us + READY_FOR_US;
	w->ready_due_us = w->now_us;
}

static void set_users(struct worker *w, const char *host)
{
	w->spawn_number++;
	w->options.ops->set_users(w->options.load, w->wanted, host, w->stop_timeout_s);
}

static void begin_stop(struct worker *w)
{
	if (w->state == WORKER_STOPPING)
		return;
	w->want_complete = false;
	w->is_stop_collected = false;
	set_phase(w, MSG_PHASE_DRAIN);
	set_state(w, WORKER_STOPPING);
	w->stop_deadline_us = w->now_us + (uint64_t)(w->stop_timeout_s * CLOCK_S) + STOP_MARGIN_US;
	memset(w->wanted, 0, w->options.class_count * sizeof(*w->wanted));
	set_users(w, NULL);
}

static void end(struct worker *w)
{
	set_state(w, WORKER_ENDED);
	w->options.ended(w->options.arg, w->end_err, &w->end_text);
}

/* The users are gone and their statistics are in the backlog; or the deadline is over. */
static void finish_stop(struct worker *w)
{
	bool is_late = w->now_us >= w->stop_deadline_us;

	if (!is_late && (!w->is_stop_collected || (w->was_acked && !post_reports(w))))
		return;
	if (is_late)
		log_line(LOG_WARNING, LOGGER,
			 "The last statistics could not be delivered within the stop timeout");
	if (w->is_quitting) {
		(void)post_plain(w, MSG_QUIT);
		end(w);
		return;
	}
	if (!w->was_acked)
		forget_reports(w); /* of a test whose master is gone */
	(void)post_plain(w, MSG_CLIENT_STOPPED);
	set_state(w, WORKER_READY);
	w->phase = MSG_PHASE_NONE;
	/* The next master may have another clock. */
	w->last_timestamp = 0;
	begin_ready(w);
	worker_tick(w, w->now_us);
}

static void begin_quit(struct worker *w, enum err err)
{
	if (w->is_quitting || w->state == WORKER_ENDED)
		return;
	w->is_quitting = true;
	w->end_err = err;
	begin_stop(w);
}

void worker_quit(struct worker *w, uint64_t now_us)
{
	w->now_us = now_us;
	begin_quit(w, OK);
}

/* --- messages from the master ------------------------------------------------------------ */

/* class_count: it has no such class. */
static size_t find_class(const struct worker *w, struct str name)
{
	size_t i = 0;

	while (i < w->options.class_count && !str_eq(name, w->options.classes[i]))
		i++;
	return i;
}

static void take_counts(struct worker *w, struct msg_counts counts)
{
	for (size_t k = 0; k < counts.count; k++) {
		size_t i = find_class(w, counts.items[k].name);

		if (i < w->options.class_count)
			w->wanted[i] = counts.items[k].users;
		else if (counts.items[k].users)
			log_line(LOG_WARNING, LOGGER,
				 "The master asks for users of class %.*s, which this worker's "
				 "scenario lacks; give master and workers the same file",
				 STR_ARG(counts.items[k].name));
	}
}

static void on_ack(struct worker *w, const struct msg_ack *ack)
{
	w->is_ours = ack->is_ours;
	w->bulk_port = (unsigned)ack->bulk_port;
	if (w->bulk_port)
		w->options.open_bulk(w->options.arg, w->bulk_port);
	w->index = ack->index;
	w->ready_due_us = NEVER;
	if (w->options.listener && w->options.listener->on_joined)
		w->options.listener->on_joined(w->options.listener->arg, w->id, w->index);
	if (w->was_acked)
		return;
	w->was_acked = true;
	w->heartbeat_due_us = w->report_due_us = w->now_us;
	if (w->options.waits_for_usual)
		w->report_due_us += REPORT_US;
}

static void on_spawn(struct worker *w, const struct msg_spawn *spawn, struct str frame)
{
	const struct cluster_listener *listener = w->options.listener;
	char host[LIMIT_URL_BYTES + 1];

	if (w->state == WORKER_STOPPING)
		return;
	(void)post_plain(w, MSG_SPAWNING);
	if (spawn->timestamp <= w->last_timestamp) {
		log_line(LOG_INFO, LOGGER,
			 "Discard spawn message with older or equal timestamp than timestamp of "
			 "previous spawn message");
		return;
	}
	if (spawn->host.len >= sizeof(host)) {
		w->bad_frames++;
		return;
	}
	snprintf(host, sizeof(host), "%.*s", STR_ARG(spawn->host));
	w->last_timestamp = spawn->timestamp;
	w->stop_timeout_s = fmin(spawn->stop_timeout_s, STOP_MAX_S);
	/* Of another master, or of this one whose `ack` or `stop` was lost. */
	if (!w->was_acked)
		on_ack(w, &(struct msg_ack){ .index = -1 });
	w->is_ours |= spawn->test != 0;
	if (listener && listener->on_spawn)
		listener->on_spawn(listener->arg, msg_scan_data(frame));
	if (w->state == WORKER_READY || spawn->test != w->test) {
		forget_reports(w);
		w->test = spawn->test;
		w->options.ops->begin_test(w->options.load,
					   &(struct worker_test){
						   .index = w->index,
						   .expect_workers = spawn->expect_workers,
						   .tags = spawn->tags,
						   .exclude_tags = spawn->exclude_tags,
					   });
	}
	set_phase(w, MSG_PHASE_RAMP);
	set_state(w, WORKER_SPAWNING);
	w->want_complete = false;
	take_counts(w, spawn->counts);
	set_users(w, *host ? host : NULL);
}

static void on_heartbeat(struct worker *w)
{
	const struct cluster_listener *listener = w->options.listener;

	w->master_beat_us = w->now_us;
	if (listener && listener->on_heartbeat)
		listener->on_heartbeat(listener->arg, str_of(w->id));
}

static void on_custom(const struct worker *w, const struct msg *m, struct str frame)
{
	const struct cluster_listener *listener = w->options.listener;

	if (listener && listener->on_custom && m->type == MSG_UNKNOWN)
		listener->on_custom(listener->arg, str_of(w->id), m->type_name,
				    msg_scan_data(frame));
}

/* Weight and fixed count are the master's, which gives us counts. */
static void on_user_class(struct worker *w, const struct msg_user_class *class)
{
	size_t i = find_class(w, class->name);
	char host[LIMIT_URL_BYTES + 1];

	if (i == w->options.class_count)
		return;
	snprintf(host, sizeof(host), "%.*s", STR_ARG(class->host));
	if (*host && class->host.len < sizeof(host))
		w->options.ops->set_host(w->options.load, i, host);
	if (class->has_tasks)
		w->options.ops->set_tasks(w->options.load, i, class->tasks, class->task_count);
}

void worker_on_frame(struct worker *w, struct str frame, uint64_t now_us)
{
	struct msg m;

	w->now_us = now_us;
	if (w->state == WORKER_ENDED)
		return;
	if (msg_decode(frame, 0, &m, NULL)) {
		w->bad_frames++;
		return;
	}
	switch (m.type) {
	case MSG_ACK:
		on_ack(w, &m.ack);
		break;
	case MSG_SPAWN:
		on_spawn(w, &m.spawn, frame);
		break;
	case MSG_UPDATE_USER_CLASS:
		on_user_class(w, &m.user_class);
		break;
	case MSG_SPAWNING_COMPLETE:
		if (w->state == WORKER_RUNNING)
			set_phase(w, MSG_PHASE_TEST);
		break;
	case MSG_STOP:
		begin_stop(w);
		break;
	case MSG_HEARTBEAT:
		on_heartbeat(w);
		break;
	case MSG_REPORT_ACK:
		on_report_ack(w, &m.report_ack);
		break;
	case MSG_RECONNECT:
		w->options.reconnect(w->options.arg);
		break;
	case MSG_QUIT:
		log_line(LOG_INFO, LOGGER, "Got quit message from master, shutting down...");
		begin_quit(w, OK);
		break;
	default: /* of a later version, or for locustfiles that listen */
		on_custom(w, &m, frame);
		break;
	}
	msg_fini(&m);
	worker_tick(w, now_us);
}

/* --- answers of the load ----------------------------------------------------------------- */

bool worker_send_logs(struct worker *w, struct str lines)
{
	struct msg m = { .type = MSG_LOGS, .logs = { lines } };

	/* Masters before 2.19 know neither and would log each as unknown. */
	return w->was_acked && (w->is_ours || w->master_beat_us) && post(w, &m);
}

bool worker_send_custom(struct worker *w, struct str type, struct str data)
{
	return w->state != WORKER_ENDED &&
	       post(w, &(struct msg){ .type_name = type, .data = data });
}

bool worker_send_extra(struct worker *w, const struct msg_pairs *extra, double now_wall_s)
{
	struct msg m = { .type = MSG_STATS };
	struct stats none;
	bool is_sent;

	if (!w->was_acked || w->state == WORKER_ENDED)
		return true;
	stats_init(&none, now_wall_s);
	m.report = (struct msg_report){
		.stats = &none, .counts = counts_now(w), .phase = w->phase, .extra = *extra
	};
	is_sent = post(w, &m);
	stats_fini(&none);
	return is_sent;
}

void worker_set_usual(struct worker *w, const struct msg_pairs *usual)
{
	buf_clear(&w->usual_bytes);
	buf_add_str(&w->usual_bytes, usual->bytes);
	w->usual = (struct msg_pairs){ buf_str(&w->usual_bytes), usual->count };
	if (w->usual_bytes.is_full)
		w->usual = (struct msg_pairs){ 0 };
	if (w->was_acked)
		w->report_due_us = w->now_us;
}

static void post_complete(struct worker *w)
{
	struct msg m = { .type = MSG_SPAWNING_COMPLETE };

	if (!w->want_complete || !post_reports(w))
		return;
	m.spawning_complete.counts = counts_now(w);
	for (size_t i = 0; i < w->options.class_count; i++)
		m.spawning_complete.user_count += w->running[i];
	w->want_complete = !post(w, &m);
}

void worker_on_delta(struct worker *w, const struct stats *delta, const uint64_t *users,
		     uint64_t now_us)
{
	struct ticket ticket;

	w->now_us = now_us;
	if (w->state == WORKER_ENDED || !w->ticket_count)
		return;
	ticket = w->tickets[w->ticket_first];
	w->ticket_first = (w->ticket_first + 1) % TICKETS;
	w->ticket_count--;
	memcpy(w->running, users, w->options.class_count * sizeof(*users));
	if (ticket.purpose == FOR_NOTHING)
		return;
	stats_merge(&w->backlog[ticket.phase], delta);
	/* Without a test our master wants to know nothing. */
	w->has_backlog[ticket.phase] |= w->phase || !w->is_ours;
	if (ticket.purpose == FOR_SETTLED && ticket.spawn_number == w->spawn_number &&
	    w->state == WORKER_SPAWNING) {
		set_state(w, WORKER_RUNNING);
		w->want_complete = true;
	}
	if (ticket.purpose == FOR_STOPPED)
		w->is_stop_collected = true;
	if (w->was_acked)
		(void)post_reports(w);
	worker_tick(w, now_us);
}

void worker_on_settled(struct worker *w, uint64_t now_us)
{
	w->now_us = now_us;
	if (w->state == WORKER_SPAWNING)
		(void)collect(w, FOR_SETTLED);
	else if (w->state == WORKER_STOPPING)
		(void)collect(w, FOR_STOPPED);
}

void worker_on_exception(struct worker *w, struct str msg, struct str traceback)
{
	struct msg m = { .type = MSG_EXCEPTION, .exception = { msg, traceback } };

	if (!w->was_acked || w->state == WORKER_ENDED || !w->exceptions_left)
		return;
	w->exceptions_left--;
	(void)post(w, &m);
}

/* --- time -------------------------------------------------------------------------------- */

static void introduce(struct worker *w)
{
	struct msg m = { .type = MSG_CLIENT_READY,
			 .client_ready = { .version = str_of(LOCUST_VERSION) } };
	unsigned long long tries;
	bool is_sent;

	if (w->is_quitting)
		return;
	if (w->now_us >= w->ready_until_us) {
		w->ready_due_us = NEVER;
		begin_quit(w, err_set(&w->end_text, ERR_TIMEOUT,
				      "no answer from the master within %llu s; is its address "
				      "right, does it run, and have both the same --cluster-key, "
				      "or none?",
				      READY_FOR_US / CLOCK_S));
		return;
	}
	is_sent = post(w, &m);
	w->ready_due_us = w->now_us + (is_sent ? READY_EVERY_US : RETRY_US);
	tries = (w->now_us + READY_FOR_US - w->ready_until_us) / READY_EVERY_US;
	if (is_sent && tries >= READY_SILENT)
		log_line(LOG_WARNING, LOGGER, "Failed to connect to master, retry %llu/%llu.",
			 tries, READY_FOR_US / READY_EVERY_US - 1);
}

/* The master is gone, or is another one now: whoever it is shall find a worker without users that
 * introduces itself. */
static void start_over(struct worker *w)
{
	log_line(LOG_WARNING, LOGGER,
		 "No heartbeat from the master for %llu s: the users are stopped, and it is "
		 "looked for again",
		 SILENCE_US / CLOCK_S);
	w->was_acked = false;
	w->heartbeat_due_us = w->report_due_us = NEVER;
	w->master_beat_us = 0;
	begin_stop(w);
}

static void beat(struct worker *w)
{
	static const char *const words[] = { "ready", "spawning", "running", "running", "ready" };
	struct msg m = { .type = MSG_HEARTBEAT,
			 .heartbeat = { .cpu_percent = w->cpu_percent,
					.memory_bytes = w->memory_bytes,
					.cicada = str_of(w->is_ours ? CICADA_VERSION : "") } };

	m.heartbeat.state = str_of(words[w->state]);
	/* On the second, so that turns of the loop that come late do not add up. */
	w->heartbeat_due_us += HEARTBEAT_US;
	if (w->heartbeat_due_us <= w->now_us)
		w->heartbeat_due_us = w->now_us + HEARTBEAT_US;
	w->exceptions_left = LIMIT_WORKER_EXCEPTIONS;
	(void)post(w, &m);
	/* Masters before 2.19 never send one; those that do, do it each second. */
	if (w->master_beat_us && w->now_us - w->master_beat_us > SILENCE_US)
		start_over(w);
}

static bool is_blocked(const struct worker *w)
{
	return w->outbox_count || w->want_complete ||
	       (w->state == WORKER_STOPPING && w->is_stop_collected);
}

void worker_tick(struct worker *w, uint64_t now_us)
{
	w->now_us = now_us;
	if (w->state == WORKER_ENDED)
		return;
	if (now_us >= w->ready_due_us)
		introduce(w);
	if (now_us >= w->heartbeat_due_us)
		beat(w);
	if (now_us >= w->report_due_us) {
		w->report_due_us = now_us + (wants_bulk(w) ? REPORT_BULK_US : REPORT_US);
		/* The other half of the tickets is for what must not fail. */
		if (w->ticket_count < TICKETS / 2 && (w->phase || !w->is_ours))
			(void)collect(w, FOR_REPORT);
	}
	send_again(w);
	if (w->was_acked)
		(void)post_reports(w);
	post_complete(w);
	if (w->state == WORKER_STOPPING)
		finish_stop(w);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t worker_due_us(const struct worker *w)
{
	uint64_t due_us = earlier(w->ready_due_us, earlier(w->heartbeat_due_us, w->report_due_us));

	if (w->state == WORKER_ENDED)
		return NEVER;
	if (w->state == WORKER_STOPPING)
		due_us = earlier(due_us, w->stop_deadline_us);
	if (is_blocked(w))
		due_us = earlier(due_us, w->now_us + RETRY_US);
	return due_us;
}
