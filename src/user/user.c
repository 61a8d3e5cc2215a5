/* SPDX-License-Identifier: MIT
 *
 * user - see the header.
 *
 * go_on() is the only door into scenario code, run() the only function on a fiber's bottom, and
 * what follows when the code has ended is decided behind go_on(), off the fiber. A task without
 * any wait after it is followed by the next one on the same fiber, unless it did not suspend:
 * then others must come first. */
#include "user/user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failure_class.h"
#include "base/log.h"
#include "base/mem.h"

/* How long a user waits for a stack when none can be had. */
#define STACK_RETRY_US CLOCK_S

static void go_on(struct cic_user *u);
static void on_timer(void *arg);

uint64_t user_seconds_us(double seconds)
{
	if (!(seconds > 0))
		return 0;
	return (uint64_t)((seconds < LIMIT_WAIT_S ? seconds : LIMIT_WAIT_S) * (double)CLOCK_S);
}

/* The scenario's mistake, behind which nothing can be trusted. */
static _Noreturn void refuse_user(const char *which)
{
	log_line(LOG_CRITICAL, "cicada.user",
		 "A function of cicada.h was called for %s. The program ends here.", which);
	abort();
}

struct turn *user_turn(struct cic_user *u)
{
	if (!u || u->magic != USER_MAGIC)
		refuse_user("a user that there is not (any more)");
	if (u->place->running != u)
		refuse_user("a user whose code does not run; keep each to its own tasks");
	return u->turn;
}

void user_quote_error(char *out, size_t size, enum failure_class class, const char *text)
{
	char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
	size_t at = (size_t)snprintf(out, size, "%s(%c", failure_class_name(class), quote);

	/* Room for the longest escape, the quote, the parenthesis and the NUL. */
	for (size_t step; *text && at + 8 < size; text += step) {
		unsigned char c = (unsigned char)*text;

		step = str_utf8_step(text, strnlen(text, 4));
		if (step > 1) {
			memcpy(out + at, text, step);
			at += step;
			continue;
		}
		/* What is no UTF-8 may be part of an answer. */
		if (c == '\n')
			at += (size_t)snprintf(out + at, size - at, "\\n");
		else if (!step || c < 0x20 || c == 0x7f)
			at += (size_t)snprintf(out + at, size - at, "\\x%02x", c);
		else if (c == (unsigned char)quote || c == '\\')
			at += (size_t)snprintf(out + at, size - at, "\\%c", c);
		else
			out[at++] = (char)c;
		step = 1;
	}
	snprintf(out + at, size - at, "%c)", quote);
}

void user_fail_request(struct turn *t, enum failure_class class, const char *text)
{
	user_quote_error(t->error, sizeof(t->error), class, text);
	t->response.error = t->error;
}

/* What a task waited for its turn is paid once, by its first request: the later ones could not
 * have been sent before the earlier ones were answered, however punctual the task. */
static void count_request(struct cic_user *u)
{
	const struct turn *t = u->turn;
	const struct cic_response *r = &t->response;
	struct stats_request request = { .service_us = r->time_us,
					 .response_us = r->time_us + u->late_us,
					 .is_scheduled = u->is_scheduled,
					 .content_bytes = r->body_len,
					 .error = r->error };

	if (r->error)
		request.outcome = t->has_answer ? STATS_HTTP_ERROR : STATS_NETWORK_ERROR;
	u->late_us = 0;
	tally_record(&u->place->tally, t->label, &request, t->ended_us);
}

void user_settle_request(struct cic_user *u)
{
	struct turn *t = u->turn;

	if (t->state == TURN_ANSWERED) {
		count_request(u);
		http_conn_release(&u->conn);
		decoder_release(u->place->decoder, &t->decoded);
	}
	texts_clear(&t->texts);
	t->state = TURN_IDLE;
}

static struct health *health_of(const struct cic_user *u)
{
	return &u->place->tally.stats->health;
}

void user_free_own(struct turn *t)
{
	while (t->own_count)
		mem_free(t->own[--t->own_count]);
}

static void end_turn(struct cic_user *u)
{
	user_settle_request(u);
	user_free_own(u->turn);
	buf_fini(&u->turn->url);
	texts_fini(&u->turn->texts);
	u->turn = NULL;
}

_Noreturn void user_end_code(struct cic_user *u)
{
	end_turn(u);
	fiber_exit();
}

void user_check_cut(struct cic_user *u)
{
	if (u->is_cut)
		user_end_code(u);
}

void user_suspend(struct cic_user *u)
{
	u->turn->has_waited = true;
	fiber_suspend();
	user_check_cut(u);
}

void user_pause(struct cic_user *u, uint64_t us)
{
	user_check_cut(u);
	health_of(u)->waited_us += us;
	loop_timer_set(u->place->loop, &u->timer, loop_now(u->place->loop) + us);
	user_suspend(u);
}

void user_resume(struct cic_user *u)
{
	go_on(u);
}

static const struct cic_task *draw_task(struct cic_user *u)
{
	const struct user_kind *kind = u->kind;
	size_t last = kind->last_task, i = 0;
	double at;

	if (last == 0)
		return &kind->class->tasks[0];
	at = rng_unit(&u->rng) * kind->weights_below[last];
	while (i < last && at >= kind->weights_below[i])
		i++;
	return &kind->class->tasks[i];
}

static void run_task(struct cic_user *u)
{
	const struct cic_task *task = draw_task(u);

	u->turn->task = task;
	task->run(u);
}

/* When the next task begins, now that one has ended. Paced tasks keep to their grid; one that
 * is late begins at once and a new grid with it, as Locust's do. */
static uint64_t next_task_us(struct cic_user *u)
{
	const struct cic_wait *wait = &u->kind->wait;
	uint64_t now_us = loop_now(u->place->loop);

	switch (wait->kind) {
	case CIC_WAIT_BETWEEN:
		return now_us + user_seconds_us(wait->a + rng_unit(&u->rng) * (wait->b - wait->a));
	case CIC_WAIT_PACING:
		u->meant_us = u->paced_us + user_seconds_us(wait->a);
		u->paced_us = u->meant_us > now_us ? u->meant_us : now_us;
		return u->paced_us;
	default:
		return now_us + user_seconds_us(wait->a);
	}
}

/* Known when it begins, so that waits and requests of a window are those of the same tasks. */
static void note_wait(const struct cic_user *u)
{
	uint64_t now_us = loop_now(u->place->loop);

	health_of(u)->waits++;
	if (u->next_us > now_us)
		health_of(u)->waited_us += u->next_us - now_us;
}

/* Of paced users only. The clock is read, for the loop's time is that of the turn's begin. */
static void note_lateness(struct cic_user *u)
{
	uint64_t now_us;

	if (u->kind->wait.kind != CIC_WAIT_PACING)
		return;
	now_us = clock_us();
	u->is_scheduled = true;
	u->late_us = now_us > u->meant_us ? now_us - u->meant_us : 0;
}

/* The task of one arrival. Of a new session the lateness is that of its making: what on_start
 * takes is no part of the schedule. */
static void serve_arrival(struct cic_user *u)
{
	uint64_t now_us = clock_us();
	uint64_t late_us = now_us > u->paced_us ? now_us - u->paced_us : 0;

	if (u->phase == USER_STARTING && u->kind->class->on_start)
		u->kind->class->on_start(u);
	user_settle_request(u);
	u->phase = USER_WORKING;
	if (u->wants_stop)
		return;
	u->late_us = late_us;
	u->is_scheduled = true;
	run_task(u);
	user_settle_request(u);
	u->is_scheduled = false;
	u->late_us = 0;
}

static void work(struct cic_user *u)
{
	struct turn *t = u->turn;

	if (u->kind->open) {
		serve_arrival(u);
		return;
	}
	if (u->phase == USER_STARTING) {
		if (u->kind->class->on_start)
			u->kind->class->on_start(u);
		user_settle_request(u);
		u->phase = USER_WORKING;
		u->paced_us = u->meant_us = loop_now(u->place->loop);
	}
	while (!u->wants_stop) {
		t->has_waited = false;
		note_lateness(u);
		run_task(u);
		user_settle_request(u);
		u->next_us = next_task_us(u);
		note_wait(u);
		if (!t->has_waited || u->next_us > loop_now(u->place->loop))
			return;
	}
}

static void run(void *arg)
{
	struct cic_user *u = arg;
	struct turn turn;

	/* Field by field: the rest are 10 kB of stack that need not be touched. */
	turn.user = u;
	turn.task = NULL;
	turn.state = TURN_IDLE;
	turn.has_waited = false;
	turn.decoded = NULL;
	turn.own_count = 0;
	buf_init(&turn.url, LIMIT_URL_BYTES);
	texts_init(&turn.texts);
	u->turn = &turn;
	if (u->phase == USER_ENDING) {
		u->is_scheduled = false;
		u->late_us = 0;
		u->kind->class->on_stop(u);
	} else {
		work(u);
	}
	end_turn(u);
}

static void bury(void *arg)
{
	mem_free(arg);
}

void user_leave(struct cic_user *u)
{
	struct user_place *place = u->place;

	loop_timer_clear(place->loop, &u->timer);
	http_conn_close(&u->conn);
	cookie_jar_clear(&u->cookies);
	place->on_gone(place->arg, u);
	u->magic = 0;
	loop_bury(place->loop, &u->grave, bury, u);
}

/* No code of it runs any more; on_stop is what is left. */
static void end(struct cic_user *u)
{
	u->phase = USER_ENDING;
	loop_timer_clear(u->place->loop, &u->timer);
	if (u->kind->class->on_stop)
		go_on(u);
	else
		user_leave(u);
}

static void miss_stack(struct cic_user *u)
{
	struct user_place *place = u->place;
	uint64_t now_us = loop_now(place->loop);
	char text[128];

	failure_say(text, sizeof(text), FAILURE_MEMORY,
		    "'no stack for a task; raise vm.max_map_count or run fewer users'");
	tally_error(&place->tally, u->kind->class->name, text, now_us);
	if (u->phase == USER_ENDING)
		user_leave(u);
	else
		loop_timer_set(place->loop, &u->timer, now_us + STACK_RETRY_US);
}

/* Enters the user's code until it waits or ends. */
static void go_on(struct cic_user *u)
{
	enum err err = OK;

	u->place->running = u;
	if (u->fiber)
		fiber_resume(u->fiber);
	else
		err = fiber_start(&u->place->fibers, run, u, &u->fiber);
	u->place->running = NULL;
	if (err) {
		miss_stack(u);
		return;
	}
	if (u->turn)
		return;
	u->fiber = NULL;
	if (u->phase == USER_ENDING)
		user_leave(u);
	else if (u->wants_stop)
		end(u);
	else if (u->kind->open)
		u->place->on_idle(u->place->arg, u);
	else
		loop_timer_set(u->place->loop, &u->timer, u->next_us);
}

static void on_timer(void *arg)
{
	struct cic_user *u = arg;

	health_add_lag(&u->place->tally.stats->health, loop_timer_lag_us(u->place->loop));
	go_on(u);
}

static struct cic_user *make(struct user_place *place, struct user_kind *kind, uint64_t number)
{
	struct cic_user *u = mem_zalloc(1, sizeof(*u) + kind->class->data_bytes);

	u->magic = USER_MAGIC;
	u->place = place;
	u->kind = kind;
	u->number = number;
	rng_init(&u->rng, place->seed, number);
	loop_timer_init(&u->timer, on_timer, u);
	http_conn_init(&u->conn, place->http);
	list_append(&kind->users, &u->node);
	return u;
}

void user_create(struct user_place *place, struct user_kind *kind, uint64_t number)
{
	struct cic_user *u = make(place, kind, number);

	if (place->guest)
		place->guest->begin(u);
	else
		go_on(u);
}

void user_create_session(struct user_place *place, struct user_kind *kind, uint64_t number,
			 uint64_t intended_us)
{
	user_arrive(make(place, kind, number), intended_us);
}

void user_arrive(struct cic_user *u, uint64_t intended_us)
{
	u->paced_us = intended_us;
	go_on(u);
}

void user_stop(struct cic_user *u)
{
	u->wants_stop = true;
	if (u->place->guest)
		u->place->guest->stop(u);
	else if (!u->turn)
		end(u);
}

static void cut_guest(struct cic_user *u)
{
	if (!u->is_cut)
		u->place->guest->cut(u);
	u->is_cut = true;
}

/* With time given and not enough of it, the request has failed. Without any, as Locust has it,
 * nothing can be said of it but how long it had waited. */
static void cut_request(struct cic_user *u, uint64_t now_us)
{
	struct turn *t = u->turn;
	uint64_t waited_us = now_us > t->asked_us ? now_us - t->asked_us : 0;
	struct user_cuts *cuts = &u->place->cuts;

	if (!u->place->gives_time) {
		cuts->count++;
		if (cuts->longest_us < waited_us)
			cuts->longest_us = waited_us;
		t->state = TURN_IDLE;
		return;
	}
	failure_say(t->error, sizeof(t->error), FAILURE_STOP_TIMEOUT,
		    "'cut off: the user had to stop'");
	t->response = (struct cic_response){ .error = t->error, .body = "" };
	t->response.time_us = waited_us;
	t->ended_us = now_us;
	t->state = TURN_ANSWERED;
}

void user_cut(struct cic_user *u)
{
	struct turn *t = u->turn;
	uint64_t now_us = loop_now(u->place->loop);

	if (u->place->guest) {
		cut_guest(u);
		return;
	}
	u->is_cut = true;
	if (!t)
		return;
	if (t->state == TURN_ASKED) {
		http_conn_close(&u->conn);
		cut_request(u, now_us);
	}
	loop_timer_clear(u->place->loop, &u->timer);
	go_on(u);
}

void user_discard(struct cic_user *u)
{
	u->phase = USER_ENDING;
	u->wants_stop = true;
	if (u->place->guest)
		u->place->guest->forget(u);
	if (u->turn)
		user_cut(u);
	else
		user_leave(u);
}
