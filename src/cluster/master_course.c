/* SPDX-License-Identifier: MIT
 *
 * master_course - how a test goes on a master: what follows from what its workers have said and
 * from the time. */
#include "cluster/master_int.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

#define LOGGER	       "locust.runners"
#define SILENT_US      (4 * CLOCK_S)  /* missing from here on */
#define FORGET_US      (60 * CLOCK_S) /* after that */
#define CONFIRM_US     (10 * CLOCK_S) /* the longest wait for spawning_complete */
#define STOP_MARGIN_US (5 * CLOCK_S)
#define TEXT_BYTES     3072 /* of a line for people */

static void set_shares(struct master *m)
{
	for (size_t i = 0; i < m->run.options.class_count; i++) {
		struct run_share share = run_share_now(&m->run, i);

		dispatch_set_class(m->dispatch, i, share.weight, share.fixed_count);
	}
}

static void begin(struct master *m)
{
	bool is_new = !m->dispatch;

	m->want_begin = false;
	if (m->hold_deadline_us)
		log_line(LOG_WARNING, LOGGER,
			 "What the locustfile does on test_start has not ended within %d s; the "
			 "test begins",
			 LIMIT_TEST_START_S);
	m->hold_deadline_us = 0;
	log_line(LOG_INFO, LOGGER,
		 "Sending spawn jobs of %" PRIu64 " users at %.2f spawn rate to %zu ready workers",
		 m->run.wanted.user_count, m->run.wanted.spawn_rate, peers_taking_part(&m->peers));
	if (is_new) {
		m->dispatch = dispatch_create(m->classes, m->run.options.class_count,
					      m->run.options.order);
		master_spread(m, "left");
	}
	if (!m->dispatch || !master_is_active(m))
		return;
	set_shares(m);
	m->confirm_deadline_us = NEVER;
	dispatch_begin(m->dispatch, m->run.wanted.user_count, m->run.wanted.spawn_rate, m->now_us);
}

static void take_steps(struct master *m)
{
	if (!m->dispatch || !master_is_active(m) || !dispatch_step(m->dispatch, m->now_us))
		return;
	/* What a step wants is absolute, so of several that are due the last one is enough. */
	while (dispatch_step(m->dispatch, m->now_us))
		continue;
	for (size_t i = 0; i < m->peers.count; i++)
		if (peer_takes_part(m->peers.items[i])) {
			m->peers.items[i]->is_confirmed = false;
			master_owe(m, m->peers.items[i], PEER_OWED_SPAWN);
		}
}

static void log_unconfirmed(const struct master *m)
{
	struct buf text;

	buf_init(&text, TEXT_BYTES);
	for (size_t i = 0; i < m->peers.count; i++)
		if (peer_takes_part(m->peers.items[i]) && !m->peers.items[i]->is_confirmed)
			buf_printf(&text, "%s%s", text.len ? ", " : "", m->peers.items[i]->id);
	log_line(LOG_WARNING, LOGGER,
		 "Spawning is complete and report waittime is expired, but not all reports "
		 "received from workers: %.*s",
		 STR_ARG(buf_str(&text)));
	buf_fini(&text);
}

/* Asks again whoever has not answered, also one that was passed over; true when all have. */
static bool ask_unconfirmed(struct master *m)
{
	bool is_all = true;

	for (size_t i = 0; i < m->peers.count; i++) {
		struct peer *p = m->peers.items[i];

		if (!peer_takes_part(p) || p->is_confirmed)
			continue;
		is_all = false;
		/* While it is away or the queue is full it is owed already. */
		if (!(p->owed & PEER_OWED_SPAWN) && m->now_us - p->spawned_us >= REPEAT_US)
			master_owe(m, p, PEER_OWED_SPAWN);
	}
	return is_all;
}

static void check_spawned(struct master *m)
{
	bool is_all;

	if (m->run.state != RUN_SPAWNING || m->want_begin || !m->dispatch ||
	    dispatch_due_us(m->dispatch) != NEVER)
		return;
	if (m->confirm_deadline_us == NEVER)
		m->confirm_deadline_us = m->now_us + CONFIRM_US;
	is_all = ask_unconfirmed(m);
	if (!is_all && m->now_us < m->confirm_deadline_us)
		return;
	m->confirm_deadline_us = NEVER;
	if (is_all)
		run_log_spawned(&m->run);
	else
		log_unconfirmed(m);
	run_set_state(&m->run, RUN_RUNNING);
	for (size_t i = 0; i < m->peers.count; i++)
		if (peer_takes_part(m->peers.items[i]) && m->peers.items[i]->knows_complete)
			master_owe(m, m->peers.items[i], PEER_OWED_COMPLETE);
}

static void begin_stop(struct master *m)
{
	m->want_stop = false;
	m->hold_deadline_us = 0;
	dispatch_destroy(&m->dispatch);
	m->confirm_deadline_us = NEVER;
	m->stop_deadline_us = m->now_us + master_stop_timeout_us(m) + STOP_MARGIN_US;
	for (size_t i = 0; i < m->peers.count; i++) {
		struct peer *p = m->peers.items[i];

		p->owed &= ~(unsigned)(PEER_OWED_SPAWN | PEER_OWED_COMPLETE);
		p->is_awaited = p->was_spawned && peer_takes_part(p);
		p->has_stopped = p->has_drained = false;
		if (p->was_spawned)
			master_owe(m, p, PEER_OWED_STOP);
	}
}

static void check_stopped(struct master *m)
{
	bool is_late = m->now_us >= m->stop_deadline_us;

	if (m->run.state != RUN_STOPPING || m->want_stop)
		return;
	for (size_t i = 0; i < m->peers.count; i++) {
		struct peer *p = m->peers.items[i];

		if (!p->is_awaited)
			continue;
		if (!is_late)
			return;
		p->is_awaited = false;
		/* Until it says client_ready it is of no use to the next test. */
		master_leave(m, p, RUN_STOPPED, "stopped");
		log_line(LOG_WARNING, LOGGER,
			 "Worker %s has not delivered its last statistics within the stop timeout",
			 p->id);
	}
	m->stop_deadline_us = NEVER;
	run_set_state(&m->run, RUN_STOPPED);
}

void master_look_for_silence(struct master *m)
{
	if (m->now_us < m->look_due_us)
		return;
	m->look_due_us = m->now_us + LOOK_US;
	if (m->run.state == RUN_RUNNING)
		(void)ask_unconfirmed(m);
	for (size_t i = m->peers.count; i-- > 0;) {
		struct peer *p = m->peers.items[i];
		uint64_t silent_us = m->now_us - p->heard_us;

		if (p->state != RUN_MISSING && silent_us > SILENT_US) {
			log_line(LOG_INFO, LOGGER,
				 "Worker %s failed to send heartbeat, setting state to missing.",
				 p->id);
			master_leave(m, p, RUN_MISSING, "went missing");
		} else if (silent_us > SILENT_US + FORGET_US) {
			log_line(LOG_INFO, LOGGER, "Worker %s is forgotten.", p->id);
			master_forget(m, p);
		}
	}
}

static void check_quit(struct master *m)
{
	if (!m->is_quitting || m->has_ended || (m->peers.count && m->now_us < m->quit_deadline_us))
		return;
	m->has_ended = true;
	m->options.ended(m->options.arg);
}

void master_settle(struct master *m)
{
	if (m->want_stop)
		begin_stop(m);
	if (m->want_begin && m->now_us >= m->hold_deadline_us)
		begin(m);
	take_steps(m);
	check_spawned(m);
	/* What is owed goes out before a waiter hears that the test is over. */
	master_pay(m);
	check_stopped(m);
	check_quit(m);
}
