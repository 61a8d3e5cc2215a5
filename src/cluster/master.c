/* SPDX-License-Identifier: MIT
 *
 * master - see the header; one worker is struct peer.
 *
 * Every entry (a frame, a tick) ends in master_settle(): the state of the run is derived there from
 * what the peers have said, and what is owed is paid. run_start() and run_stop() only note
 * what is wanted; the tick that follows acts, so that nothing is sent and no waiter is called
 * inside them.
 *
 * The measured window: our workers mark each report with the phase it was counted in, so it
 * does not matter when it arrives. A foreign worker marks nothing: its reports belong to the
 * window from the first after the window was opened to the one that follows client_stopped,
 * which is exact to its reporting interval only. */
#include "cluster/master_int.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/msg_scan.h"
#include "run/locust_version.h"

#define LOGGER	    "locust.runners"
#define RETRY_US    (200 * CLOCK_MS) /* of what could not be sent */
#define STOP_MAX_S  86400.0
#define QUIT_US	    CLOCK_S
#define COMPLAIN_US (60 * CLOCK_S) /* of the bad frames of one worker */
#define CPU_HIGH    90

static struct master *master_of(const struct run *run)
{
	return (struct master *)run;
}

static void press(struct master *m)
{
	m->is_pressed = true;
	m->options.due_changed(m->options.arg);
}

/* Another one for every test, also over the masters that a worker may live to see. */
static uint64_t next_test(const struct master *m)
{
	uint64_t wall_ms = (uint64_t)(run_wall_s(&m->run) * 1e3);

	return wall_ms > m->test ? wall_ms : m->test + 1;
}

bool master_is_active(const struct master *m)
{
	return m->run.state == RUN_SPAWNING || m->run.state == RUN_RUNNING;
}

/* Who listens is asked first, for it may have something to tell the workers. */
static void hold(struct master *m)
{
	const struct cluster_listener *listener = m->options.listener;

	if (!listener || !listener->on_start || m->hold_deadline_us)
		return;
	m->hold_deadline_us = m->run.now_us + LIMIT_TEST_START_S * CLOCK_S;
	m->told_starts++;
	listener->on_start(listener->arg);
}

/* They are answered in order: one that is still owed is of a test that was stopped meanwhile. */
void master_release(struct master *m)
{
	ensure(m->told_starts);
	if (--m->told_starts)
		return;
	m->hold_deadline_us = 0;
	press(m);
}

void master_set_options(struct master *m, struct str pairs, size_t count)
{
	buf_clear(&m->own_options);
	buf_add_str(&m->own_options, pairs);
	m->own_option_count = count;
	/* Of a test that runs they are repeated, with the counts as they are. */
	for (size_t i = 0; m->dispatch && master_is_active(m) && i < m->peers.count; i++)
		if (m->peers.items[i]->was_spawned && peer_takes_part(m->peers.items[i]))
			master_owe(m, m->peers.items[i], PEER_OWED_SPAWN);
	press(m);
}

size_t master_send_custom(struct master *m, const char *worker_id, struct str type, struct str data)
{
	size_t failed = 0;

	if (worker_id && !peers_find(&m->peers, str_of(worker_id)))
		return 1;
	for (size_t i = 0; i < m->peers.count; i++) {
		const struct peer *p = m->peers.items[i];
		struct msg msg = { .type_name = type, .data = data };

		if (worker_id ? !strcmp(worker_id, p->id) : peer_takes_part(p))
			failed += !master_post(m, p->id, &msg);
	}
	return failed;
}

static enum err mode_start(struct run *run, const struct run_start *start, struct err_text *text)
{
	struct master *m = master_of(run);

	(void)start;
	(void)text;
	if (!m->dispatch) {
		/* The statistics are empty from now on: what comes of the last test is of no use.
		 */
		m->test = next_test(m);
		for (size_t i = 0; i < m->peers.count; i++)
			peer_forget_test(m->peers.items[i]);
		hold(m);
	}
	m->want_begin = true;
	press(m);
	return OK;
}

static void mode_stop(struct run *run)
{
	struct master *m = master_of(run);
	const struct cluster_listener *listener = m->options.listener;

	m->want_begin = false;
	m->want_stop = true;
	if (listener && listener->on_stop)
		listener->on_stop(listener->arg);
	press(m);
}

static bool mode_worker(const struct run *run, size_t i, struct run_worker *out)
{
	const struct master *m = master_of(run);
	const struct peer *p;

	if (i >= m->peers.count)
		return false;
	p = m->peers.items[i];
	*out = (struct run_worker){ .id = p->id,
				    .index = p->index,
				    .version = *p->version ? p->version : NULL,
				    .cicada = *p->cicada ? p->cicada : NULL,
				    .state = p->state,
				    .cpu_usage = p->cpu_percent,
				    .lag_p99_ms = p->lag_p99_ms,
				    .memory_usage = p->memory_bytes,
				    .logs = buf_str(&p->logs) };
	for (size_t c = 0; c < run->options.class_count; c++)
		out->user_count += p->users[c];
	return true;
}

static size_t mode_worker_count(const struct run *run)
{
	return peers_taking_part(&master_of(run)->peers);
}

/* All that have a new share are told again: it does no harm, and needs no list of what is owed. */
static void mode_change_class(struct run *run, size_t class_index)
{
	struct master *m = master_of(run);

	(void)class_index;
	for (size_t i = 0; i < m->peers.count; i++)
		if (m->peers.items[i]->knows_classes)
			master_owe(m, m->peers.items[i], PEER_OWED_CLASSES);
	press(m);
}

static const struct run_mode mode = { .is_distributed = true,
				      .start = mode_start,
				      .stop = mode_stop,
				      .worker = mode_worker,
				      .worker_count = mode_worker_count,
				      .change_class = mode_change_class };

struct master *master_create(const struct master_options *options, uint64_t now_us)
{
	struct master *m = mem_zalloc(1, sizeof(*m));
	const struct run_options *run = options->run;

	m->options = *options;
	m->now_us = now_us;
	m->look_due_us = now_us + LOOK_US;
	m->confirm_deadline_us = m->stop_deadline_us = m->quit_deadline_us = NEVER;
	m->has_warned_one_port = !options->bulk_port; /* who gives none has said so */
	buf_init(&m->own_options, LIMIT_MESSAGE_BYTES);
	m->classes = mem_zalloc(run->class_count + 1, sizeof(*m->classes));
	m->counts = mem_zalloc(run->class_count + 1, sizeof(*m->counts));
	for (size_t i = 0; i < run->class_count; i++)
		m->classes[i] =
			(struct dispatch_class){ run->classes[i].name, run->classes[i].weight,
						 run->classes[i].fixed_count };
	peers_init(&m->peers, run->class_count);
	strangers_init(&m->strangers, options->files, options->file_count, options->is_native);
	seldom_init(&m->complaints, COMPLAIN_US);
	run_init(&m->run, &mode, run, options->wall_offset_s, now_us);
	return m;
}

void master_destroy(struct master **pm)
{
	struct master *m = *pm;

	*pm = NULL;
	if (!m)
		return;
	peers_fini(&m->peers);
	strangers_fini(&m->strangers);
	seldom_fini(&m->complaints);
	dispatch_destroy(&m->dispatch);
	buf_fini(&m->own_options);
	run_fini(&m->run);
	mem_free(m->classes);
	mem_free(m->counts);
	mem_free(m);
}

struct run *master_run(struct master *m)
{
	return &m->run;
}

uint64_t master_bad_frames(const struct master *m)
{
	return m->bad_frames;
}

uint64_t master_stop_timeout_us(const struct master *m)
{
	return (uint64_t)(fmin(m->run.stop_timeout_s, STOP_MAX_S) * CLOCK_S);
}

/* --- peers ------------------------------------------------------------------------------- */

/* What a worker reports replaces what was known; classes it does not name keep their number.
 * The sums of the run follow. */
static void take_counts(struct master *m, struct peer *p, struct msg_counts counts)
{
	for (size_t k = 0; k < counts.count; k++)
		for (size_t c = 0; c < m->run.options.class_count; c++) {
			if (!str_eq(counts.items[k].name, m->classes[c].name))
				continue;
			m->run.users_per_class[c] += counts.items[k].users - p->users[c];
			p->users[c] = counts.items[k].users;
		}
}

static void take_none(struct master *m, struct peer *p)
{
	for (size_t c = 0; c < m->run.options.class_count; c++) {
		m->run.users_per_class[c] -= p->users[c];
		p->users[c] = 0;
	}
}

static bool has_wanted_counts(const struct master *m, const struct peer *p)
{
	for (size_t c = 0; c < m->run.options.class_count; c++)
		if (p->users[c] != master_wanted_users(m, p, c))
			return false;
	return true;
}

/* A stop that nobody waits for; cannot fail without waiters. */
static void stop_run(struct master *m)
{
	ensure(run_stop(&m->run, NULL, NULL) == OK);
}

void master_spread(struct master *m, const char *why_none)
{
	const char **ids;
	size_t count = 0;

	if (!master_is_active(m))
		return;
	if (!peers_taking_part(&m->peers)) {
		log_line(LOG_INFO, LOGGER, "The last worker %s, stopping test.", why_none);
		stop_run(m);
		return;
	}
	/* Before the first step the begin takes those that are present then. */
	if (!m->dispatch)
		return;
	ids = mem_zalloc(m->peers.count, sizeof(*ids));
	for (size_t i = 0; i < m->peers.count; i++)
		if (peer_takes_part(m->peers.items[i]))
			ids[count++] = m->peers.items[i]->id;
	dispatch_set_workers(m->dispatch, ids, count, m->now_us);
	mem_free(ids);
	m->confirm_deadline_us = NEVER;
	run_set_state(&m->run, RUN_SPAWNING);
}

void master_leave(struct master *m, struct peer *p, enum run_state state, const char *why_none)
{
	bool took_part = peer_takes_part(p);

	take_none(m, p);
	p->state = state;
	if (state != RUN_STOPPED)
		p->is_awaited = false;
	if (took_part)
		master_spread(m, why_none);
}

/* --- messages ---------------------------------------------------------------------------- */

static void on_client_ready(struct master *m, struct peer *p, const struct msg_client_ready *ready)
{
	bool has_begun = p->has_begun;

	take_none(m, p);
	/* With its last statistics delivered it is done; without having stopped it is a new
	 * process under the old name, and will deliver nothing. A foreign one that has stopped
	 * still owes the report that follows. */
	if (p->has_drained || !p->has_stopped)
		p->is_awaited = false;
	peer_begin(p, ready, m->run.options.class_count);
	p->has_begun = p->is_awaited && has_begun;
	master_owe(m, p, m->is_quitting ? PEER_OWED_QUIT : PEER_OWED_ACK);
	if (!m->is_quitting && p->knows_classes)
		master_owe(m, p, PEER_OWED_CLASSES);
	log_line(LOG_INFO, LOGGER, "%s (index %zu) reported as ready. %zu workers connected.",
		 p->id, p->index, peers_taking_part(&m->peers));
	master_spread(m, "left");
}

static enum run_state state_of_word(struct str word, enum run_state otherwise)
{
	static const enum run_state states[] = { RUN_READY, RUN_SPAWNING, RUN_RUNNING };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (str_eq(word, run_state_name(states[i])))
			return states[i];
	return otherwise;
}

static void beat_back(struct master *m, const struct peer *p)
{
	const struct cluster_listener *listener = m->options.listener;
	struct msg beat = { .type = MSG_HEARTBEAT };

	if (master_post(m, p->id, &beat) && listener && listener->on_heartbeat)
		listener->on_heartbeat(listener->arg, str_of(p->id));
}

static void on_heartbeat(struct master *m, struct peer *p, const struct msg_heartbeat *beat)
{
	p->cpu_percent = beat->cpu_percent;
	p->memory_bytes = beat->memory_bytes;
	peer_note_cicada(p, beat->cicada);
	if (p->cpu_percent > CPU_HIGH && !p->was_cpu_high) {
		p->was_cpu_high = true;
		log_line(LOG_WARNING, LOGGER,
			 "Worker %s exceeded cpu threshold (will only log this once per worker)",
			 p->id);
	}
	/* Between client_stopped and client_ready real workers go on to say "running". */
	if (peer_takes_part(p))
		p->state = state_of_word(beat->state, p->state);
	if (p->knows_heartbeat)
		beat_back(m, p);
	/* It missed a stop. A real worker needs the stop timeout twice: for its users, and asleep
	 * before client_ready. */
	if ((p->state == RUN_STOPPED || (!run_is_busy(&m->run) && p->state != RUN_READY)) &&
	    m->now_us - p->stopped_us > 2 * master_stop_timeout_us(m) + REPEAT_US)
		master_owe(m, p, PEER_OWED_STOP);
}

/* Counted before the window. The later ramps of a shape belong to it. */
static bool is_of_first_ramp(const struct master *m, struct peer *p,
			     const struct msg_report *report)
{
	p->has_ramped |= report->phase == MSG_PHASE_TEST;
	return report->phase == MSG_PHASE_RAMP && !(m->run.wanted.is_shaped && p->has_ramped);
}

static void note_port(struct master *m, struct peer *p)
{
	if (p->is_on_control == !m->is_bulk)
		return;
	p->is_on_control = !m->is_bulk;
	m->run.workers_on_one_port += p->is_on_control ? 1 : -1;
	if (m->is_bulk || m->has_warned_one_port)
		return;
	m->has_warned_one_port = true;
	log_line(LOG_WARNING, LOGGER,
		 "Worker %s does not reach the second port: its statistics come by the first one "
		 "every 3 s. Open both ports of the master for the workers.",
		 p->id);
}

/* Answers for the report, which its worker keeps until then. False when it is not to be counted: it
 * was here before, comes too early, or is of another test. */
static bool take_number(struct master *m, struct peer *p, const struct msg_report *report)
{
	bool is_next;

	if (!report->number.number)
		return true;
	note_port(m, p);
	is_next = peer_take_number(p, &report->number);
	if (!master_post_debt(m, p, PEER_OWED_ANSWER))
		master_owe(m, p, PEER_OWED_ANSWER);
	is_next = is_next && report->test == m->test && run_is_busy(&m->run);
	/* `spawning` came by the other port, and may come later. */
	p->has_begun |= is_next;
	return is_next;
}

static void on_stats(struct master *m, struct peer *p, const struct msg_report *report)
{
	/* While the stop is only noted, nobody is awaited yet. */
	bool is_stopping = m->run.state == RUN_STOPPING && !m->want_stop;
	bool is_of_ramp = is_of_first_ramp(m, p, report);

	if (!p->has_begun || !run_is_busy(&m->run) || (is_stopping && !p->is_awaited))
		return;
	/* --reset-stats means that the ramp does not count; this part of it came late. */
	if (!is_of_ramp || !m->run.has_window || !m->run.options.want_reset_stats)
		run_add_stats(&m->run, report->stats,
			      is_of_ramp || report->phase == MSG_PHASE_DRAIN);
	take_counts(m, p, report->counts);
	if (health_is_known(&report->stats->health))
		p->lag_p99_ms = (double)health_lag_p99_us(&report->stats->health) / CLOCK_MS;
	/* It has not heard that all users run. */
	if (report->phase == MSG_PHASE_RAMP && m->run.state == RUN_RUNNING && p->is_confirmed)
		master_owe(m, p, PEER_OWED_COMPLETE);
	if (report->phase == MSG_PHASE_DRAIN)
		p->has_drained = true;
	if (is_stopping && p->has_stopped && report->phase == MSG_PHASE_NONE)
		p->is_awaited = false;
}

static void on_client_stopped(struct master *m, struct peer *p)
{
	p->has_stopped = true;
	log_line(LOG_DEBUG, LOGGER, "Removing %s client from running clients", p->id);
	master_leave(m, p, RUN_STOPPED, "stopped");
}

static void on_spawning(struct peer *p)
{
	if (!p->was_spawned || !peer_takes_part(p))
		return;
	p->has_begun = true;
	p->state = RUN_SPAWNING;
}

static void on_spawning_complete(struct master *m, struct peer *p,
				 const struct msg_spawning_complete *complete)
{
	if (!p->was_spawned || !peer_takes_part(p))
		return;
	p->has_begun = true;
	p->state = RUN_RUNNING;
	take_counts(m, p, complete->counts);
	p->is_confirmed = !(p->owed & PEER_OWED_SPAWN) && has_wanted_counts(m, p);
}

void master_forget(struct master *m, struct peer *p)
{
	m->run.workers_on_one_port -= p->is_on_control;
	peers_remove(&m->peers, p);
}

static void on_quit(struct master *m, struct peer *p)
{
	master_leave(m, p, RUN_MISSING, "quit");
	log_line(LOG_INFO, LOGGER, "Worker %s (index %zu) quit. %zu workers ready.", p->id,
		 p->index, peers_taking_part(&m->peers));
	master_forget(m, p);
}

/* Heard of again. If it has users of this test they are counted on; else it is to stop, and
 * joins by introducing itself. */
static void heal(struct master *m, struct peer *p)
{
	if (master_is_active(m) && p->has_begun) {
		p->state = RUN_RUNNING;
		master_spread(m, "left");
	} else {
		p->state = RUN_STOPPED;
		p->is_awaited = m->run.state == RUN_STOPPING && p->has_begun;
		master_owe(m, p, PEER_OWED_STOP);
	}
	log_line(LOG_INFO, LOGGER, "Worker %s self-healed with heartbeat, setting state to %s.",
		 p->id, run_state_name(p->state));
}

static void on_known(struct master *m, struct peer *p, const struct msg *msg)
{
	const struct cluster_listener *listener = m->options.listener;

	p->heard_us = m->now_us;
	if (p->state == RUN_MISSING && msg->type != MSG_QUIT && msg->type != MSG_CLIENT_READY)
		heal(m, p);
	switch (msg->type) {
	case MSG_CLIENT_READY:
		on_client_ready(m, p, &msg->client_ready);
		break;
	case MSG_HEARTBEAT:
		on_heartbeat(m, p, &msg->heartbeat);
		break;
	case MSG_STATS:
		if (!take_number(m, p, &msg->report))
			break;
		on_stats(m, p, &msg->report);
		if (listener && listener->on_report)
			listener->on_report(listener->arg, str_of(p->id), msg_scan_data(m->frame));
		break;
	case MSG_SPAWNING:
		on_spawning(p);
		break;
	case MSG_SPAWNING_COMPLETE:
		on_spawning_complete(m, p, &msg->spawning_complete);
		break;
	case MSG_CLIENT_STOPPED:
		on_client_stopped(m, p);
		break;
	case MSG_EXCEPTION:
		if (p->has_begun && run_is_busy(&m->run))
			run_add_exception(&m->run, str_of(p->id), msg->exception.msg,
					  msg->exception.traceback, 1);
		break;
	case MSG_QUIT:
		on_quit(m, p);
		break;
	case MSG_LOGS:
		buf_clear(&p->logs);
		buf_add_str(&p->logs, msg->logs.lines);
		break;
	default: /* custom ones */
		if (listener && listener->on_custom && msg->type == MSG_UNKNOWN)
			listener->on_custom(listener->arg, str_of(p->id), msg->type_name,
					    msg_scan_data(m->frame));
		break;
	}
}

/* Locust's rule: the first four characters count. Foreign workers and Debian's have none. */
static void compare_version(struct str id, const struct msg_client_ready *ready)
{
	struct str version = ready->version;

	if (!version.len || (version.len >= 4 && memcmp(version.p, LOCUST_VERSION, 4) == 0))
		return;
	log_line(LOG_WARNING, LOGGER,
		 "A worker (%.*s) running a different version (%.*s) connected, master version "
		 "is " LOCUST_VERSION,
		 STR_ARG(id), STR_ARG(peers_is_id(version) ? version : str_of("no text")));
}

static void on_stranger(struct master *m, struct str id, const struct msg *msg)
{
	char text[LIMIT_WORKER_ID_BYTES + 1];
	struct msg answer;
	struct peer *p;

	if (msg->type == MSG_CLIENT_READY) {
		p = peers_add(&m->peers, id, m->now_us);
		if (p) {
			compare_version(id, &msg->client_ready);
			on_client_ready(m, p, &msg->client_ready);
		} else if (seldom_take(&m->complaints, id, m->now_us)) {
			log_line(LOG_ERROR, LOGGER, "Worker %.*s is refused: %d are the limit",
				 STR_ARG(id), LIMIT_WORKERS);
		}
	} else if (strangers_answer(&m->strangers, id, msg, m->is_quitting, m->now_us, &answer)) {
		memcpy(text, id.p, id.len);
		text[id.len] = '\0';
		(void)master_post(m, text, &answer);
	}
}

static void set_now(struct master *m, uint64_t now_us)
{
	m->now_us = now_us;
	m->is_pressed = false;
	run_tick(&m->run, now_us);
}

void master_tick(struct master *m, uint64_t now_us)
{
	set_now(m, now_us);
	master_look_for_silence(m);
	master_settle(m);
}

static void count_bad_frame(struct master *m, struct str worker_id, const char *why)
{
	m->bad_frames++;
	if (seldom_take(&m->complaints, worker_id, m->now_us))
		log_line(LOG_WARNING, LOGGER,
			 "A frame of worker %.*s is dropped, and those like it: %s. Is it a "
			 "worker? %" PRIu64 " frames were dropped so far.",
			 STR_ARG(worker_id), why, m->bad_frames);
}

static void take_frame(struct master *m, struct str worker_id, struct str frame)
{
	struct err_text text = { 0 };
	struct peer *p;
	struct msg msg;

	if (!peers_is_id(worker_id)) {
		count_bad_frame(m, str_of("without a name"), "an id is text of 1 to 255 bytes");
		return;
	}
	if (msg_decode(frame, run_wall_s(&m->run), &msg, &text)) {
		count_bad_frame(m, worker_id, text.text);
		return;
	}
	p = peers_find(&m->peers, worker_id);
	m->frame = frame;
	if (m->is_bulk && (msg.type != MSG_STATS || !msg.report.number.number))
		count_bad_frame(m, worker_id, "the second port takes numbered reports only");
	else if (p)
		on_known(m, p, &msg);
	else
		on_stranger(m, worker_id, &msg);
	msg_fini(&msg);
	master_settle(m);
}

void master_on_frame(struct master *m, struct str worker_id, struct str frame, uint64_t now_us)
{
	set_now(m, now_us);
	take_frame(m, worker_id, frame);
}

void master_on_bulk_frame(struct master *m, struct str worker_id, struct str frame, uint64_t now_us)
{
	set_now(m, now_us);
	m->is_bulk = true;
	take_frame(m, worker_id, frame);
	m->is_bulk = false;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t master_due_us(const struct master *m)
{
	uint64_t due_us = earlier(m->look_due_us, m->run.ends_us);

	if (m->is_pressed)
		return m->now_us;
	if (m->want_begin)
		due_us = earlier(due_us, m->hold_deadline_us);
	if (m->dispatch && master_is_active(m))
		due_us = earlier(due_us, dispatch_due_us(m->dispatch));
	due_us = earlier(due_us, earlier(m->confirm_deadline_us, m->stop_deadline_us));
	if (m->is_quitting && !m->has_ended)
		due_us = earlier(due_us, m->quit_deadline_us);
	return m->is_owing ? earlier(due_us, m->now_us + RETRY_US) : due_us;
}

void master_cast_out(struct master *m, struct str worker_id, uint64_t now_us)
{
	struct peer *p = peers_find(&m->peers, worker_id);

	set_now(m, now_us);
	if (p) {
		log_line(LOG_WARNING, LOGGER,
			 "Worker %s is shut out: its key is not in --cluster-peers any more",
			 p->id);
		/* If the queue is full it will miss the heartbeats. */
		(void)master_post_debt(m, p, PEER_OWED_QUIT);
		master_leave(m, p, RUN_MISSING, "was shut out");
		master_forget(m, p);
	}
	master_settle(m);
}

void master_quit(struct master *m, uint64_t now_us)
{
	set_now(m, now_us);
	if (m->is_quitting)
		return;
	m->is_quitting = true;
	m->quit_deadline_us = now_us + QUIT_US;
	for (size_t i = 0; i < m->peers.count; i++)
		master_owe(m, m->peers.items[i], PEER_OWED_QUIT);
	press(m);
}
