/* SPDX-License-Identifier: MIT
 *
 * claims - see the header.
 *
 * The Leases belong to the thread while it runs, else to the driver's own; what both look at is
 * under the lock. That the cluster cannot be reached loses nothing: nobody else can take a Lease
 * then either, and when it is there again a conflict tells who was faster. Until that is known
 * claims_ensure() lets nothing be changed. */
#include "matrix/claims.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kube/kube_api.h"
#include "kube/kube_lease.h"
#include "matrix/checklist.h"
#include "matrix/owed.h"
#include "matrix/pause.h"
#include "matrix/scaled.h"

#define LOOK_AGAIN_MS 1000
#define TRY_AGAIN_S   2 /* after a renewal that has failed */
#define NAME	      "cicada-driver-%s"

struct claims {
	struct claims_config config;
	char holder[LIMIT_KUBE_NAME_BYTES + 1];
	struct kube_lease leases[CLAIMS_MAX];
	bool is_held[CLAIMS_MAX];

	struct kube_api *api; /* the thread's */
	pthread_t thread;
	bool is_running;
	atomic_bool is_over;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	uint64_t renewed_us; /* all of them */
	enum err err;	     /* of taking them, then of the last renewal; ERR_STATE: lost */
	struct err_text why;
};

static bool is_thread_over(void *arg)
{
	return atomic_load(&((struct claims *)arg)->is_over);
}

/* For people, and unlike all others: machine (in a pod its name) and a number. */
static void name_holder(char out[LIMIT_KUBE_NAME_BYTES + 1])
{
	char host[128] = "";
	uint32_t number = 0;

	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint32_t)getpid();
	snprintf(out, LIMIT_KUBE_NAME_BYTES + 1, "%s_%08" PRIx32, host, number);
}

struct claims *claims_create(const struct claims_config *config)
{
	struct claims *c = mem_zalloc(1, sizeof(*c));
	pthread_condattr_t monotonic;

	c->config = *config;
	name_holder(c->holder);
	for (size_t i = 0; i < config->count; i++) {
		char *name = mem_printf(NAME, scaled_name(config->parts[i]));

		kube_lease_init(&c->leases[i], name, c->holder);
		mem_free(name);
	}
	atomic_init(&c->is_over, false);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return c;
}

const char *claims_holder(const struct claims *c)
{
	return c->holder;
}

/* ---- the thread ---- */

static enum err renew_all(struct claims *c, struct err_text *text)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < c->config.count; i++)
		err = kube_lease_renew(&c->leases[i], c->api, NULL, text);
	return err;
}

/* False: it is over. */
static bool rest(struct claims *c, unsigned seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	while (!atomic_load(&c->is_over) &&
	       pthread_cond_timedwait(&c->changed, &c->lock, &until) != ETIMEDOUT)
		;
	return !atomic_load(&c->is_over);
}

static void *keep_renewing(void *arg)
{
	struct claims *c = arg;

	pthread_mutex_lock(&c->lock);
	while (rest(c, c->err ? TRY_AGAIN_S : KUBE_LEASE_RENEW_S)) {
		uint64_t now_us = clock_us();
		struct err_text text = { "" };
		enum err err;

		pthread_mutex_unlock(&c->lock);
		err = renew_all(c, &text);
		pthread_mutex_lock(&c->lock);
		c->err = err;
		c->why = text;
		if (!err)
			c->renewed_us = now_us;
		if (err == ERR_STATE)
			break;
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static enum err start_thread(struct claims *c, struct err_text *text)
{
	sigset_t all, before;
	int error;

	atomic_store(&c->is_over, false);
	if (!c->api)
		c->api = kube_api_create(c->config.access, kube_api_namespace(c->config.api),
					 is_thread_over, c);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&c->thread, NULL, keep_renewing, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	c->is_running = !error;
	return error ? err_set(text, ERR_NO_MEMORY, "cannot start a thread for the Leases: %s",
			       strerror(error))
		     : OK;
}

static void stop_thread(struct claims *c)
{
	if (!c->is_running)
		return;
	pthread_mutex_lock(&c->lock);
	atomic_store(&c->is_over, true);
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	c->is_running = false;
}

/* ---- taking ---- */

static enum err say_other(const struct claims *c, size_t i, struct err_text *text)
{
	const struct kube_lease *l = &c->leases[i];

	return err_set(
		text, ERR_STATE,
		"another driver, %.120s, scales Deployment %.120s: wait for its end, or stop "
		"it (Lease %.140s, renewed %s)",
		l->other.holder, scaled_name(c->config.parts[i]), l->name, l->other.renewed);
}

static void say_wait(const struct claims *c, size_t i)
{
	const struct kube_lease *l = &c->leases[i];
	char line[640];

	if (!c->config.say)
		return;
	snprintf(line, sizeof(line),
		 "Deployment %.120s is claimed by another driver, %.120s, which may be gone: "
		 "waiting up to %" PRIu64 " s for a sign of it",
		 scaled_name(c->config.parts[i]), l->other.holder, l->other.lasts_s);
	c->config.say(line);
}

/* Tries for one that is not ours yet. ERR_BUSY: whoever has it may be dead. */
static enum err take_one(struct claims *c, size_t i, const char *former, struct err_text *text)
{
	struct kube_lease *l = &c->leases[i];
	bool was_seen = l->other.holder[0];
	enum err err = kube_lease_take(l, c->config.api, *former ? former : NULL, text);

	if (err == ERR_BUSY && !was_seen && l->other.holder[0])
		say_wait(c, i);
	c->is_held[i] = !err;
	if (!err && l->note[0])
		owed_read_part(str_of(l->note), c->config.parts[i]);
	/* It is noted before anything is scaled, so it was given back since by another driver. */
	else if (!err && *former && l->transitions)
		scaled_forget(c->config.parts[i]);
	return err;
}

static enum err take_all(struct claims *c, const char *former, struct err_text *text)
{
	enum err err = OK;

	for (size_t i = 0; i < c->config.count; i++) {
		enum err one = c->is_held[i] ? OK : take_one(c, i, former, text);

		if (one == ERR_STATE)
			return say_other(c, i, text);
		if (one && one != ERR_BUSY)
			return one;
		err = one ? one : err;
	}
	return err;
}

/* Ends: others show that they live, or do not for as long as they have said. */
enum err claims_take(struct claims *c, const char *former, struct err_text *text)
{
	for (;;) {
		enum err err = take_all(c, former, text);

		if (err == ERR_BUSY && !pause_for(c->config.pause, LOOK_AGAIN_MS * CLOCK_MS))
			return pause_interrupted(text);
		if (err == ERR_BUSY)
			continue;
		c->err = err;
		c->why = *text;
		return err;
	}
}

static enum err say_lost(const struct claims *c, struct err_text *text)
{
	return err_set(text, ERR_STATE,
		       "another driver has taken over, for this one gave no sign for %d s (%.300s)",
		       KUBE_LEASE_S, c->why.text);
}

static void set_note(const struct claims *c, size_t i, struct buf *note)
{
	buf_clear(note);
	owed_add_part(c->config.parts[i], note);
}

static bool is_all_noted(const struct claims *c)
{
	bool is_so = true;
	struct buf note;

	buf_init(&note, KUBE_LEASE_NOTE_BYTES - 1);
	for (size_t i = 0; is_so && i < c->config.count; i++) {
		set_note(c, i, &note);
		is_so = !strcmp(c->leases[i].note, buf_str(&note).p);
	}
	buf_fini(&note);
	return is_so;
}

/* The thread does not run. */
static enum err write_notes(struct claims *c, struct err_text *text)
{
	uint64_t now_us = clock_us();
	struct buf note;
	enum err err = OK;

	buf_init(&note, KUBE_LEASE_NOTE_BYTES - 1);
	for (size_t i = 0; !err && i < c->config.count; i++) {
		set_note(c, i, &note);
		err = kube_lease_renew(&c->leases[i], c->config.api, buf_str(&note).p, text);
	}
	buf_fini(&note);
	c->err = err;
	if (err)
		c->why = *text;
	else
		c->renewed_us = now_us;
	return err;
}

enum err claims_note(struct claims *c, struct err_text *text)
{
	enum err err;

	if (c->is_running && is_all_noted(c))
		return OK;
	stop_thread(c);
	err = c->err == ERR_STATE ? say_lost(c, text) : write_notes(c, text);
	return err ? err : start_thread(c, text);
}

/* ---- keeping ---- */

enum err claims_check(struct claims *c, struct err_text *text)
{
	enum err err;

	pthread_mutex_lock(&c->lock);
	err = c->err == ERR_STATE ? say_lost(c, text) : OK;
	pthread_mutex_unlock(&c->lock);
	return err;
}

/* ERR_BUSY: not known at the moment. */
static enum err ask_state(struct claims *c, struct err_text *text)
{
	enum err err = claims_check(c, text);

	if (err)
		return err;
	pthread_mutex_lock(&c->lock);
	if (clock_us() > c->renewed_us + KUBE_LEASE_S * CLOCK_S)
		err = err_set(text, ERR_BUSY,
			      "whether this driver may still scale is not known: %.300s",
			      c->why.text[0] ? c->why.text : "its Leases were not renewed");
	pthread_mutex_unlock(&c->lock);
	return err;
}

/* Before claims_note(), or when that could not be done. */
static enum err renew_here(struct claims *c, struct err_text *text)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < c->config.count; i++) {
		if (c->is_held[i])
			err = kube_lease_renew(&c->leases[i], c->config.api, NULL, text);
		else if (c->err)
			err = err_set(text, c->err, "%s", c->why.text);
		else
			err = err_set(text, ERR_IO, "nothing was claimed");
	}
	return err;
}

enum err claims_ensure(struct claims *c, struct err_text *text)
{
	uint64_t end_us = clock_us() + KUBE_CALL_TIMEOUT_MS * CLOCK_MS;

	if (!c->is_running)
		return renew_here(c, text);
	for (;;) {
		enum err err = ask_state(c, text);

		if (err != ERR_BUSY)
			return err;
		if (clock_us() > end_us)
			return ERR_IO;
		if (!pause_for(c->config.pause, LOOK_AGAIN_MS * CLOCK_MS))
			return pause_interrupted(text);
	}
}

enum err claims_release(struct claims *c, bool is_given_back, struct err_text *text)
{
	const char *note = is_given_back ? "" : NULL;
	enum err first = OK;

	stop_thread(c);
	for (size_t i = 0; i < c->config.count; i++) {
		struct err_text why = { "" };
		enum err err =
			c->is_held[i] ? kube_lease_release(&c->leases[i], c->config.api, note, &why)
				      : OK;

		/* If it cannot be let go, it ends by itself. Of another driver it stays. */
		if (err && err != ERR_STATE && err != ERR_NOT_FOUND && is_given_back && !first)
			first = err_set(text, err, "%s", err_say(&why, err));
		c->is_held[i] = false;
	}
	return first;
}

void claims_say_notes(const struct claims *c, struct buf *out)
{
	buf_printf(out, "  kubectl -n %s annotate lease", kube_api_namespace(c->config.api));
	for (size_t i = 0; i < c->config.count; i++)
		buf_printf(out, " %s", c->leases[i].name);
	buf_add_text(out, " " KUBE_LEASE_NOTE "-\n");
}

void claims_destroy(struct claims **c)
{
	if (!*c)
		return;
	stop_thread(*c);
	for (size_t i = 0; i < (*c)->config.count; i++)
		kube_lease_fini(&(*c)->leases[i]);
	kube_api_destroy(&(*c)->api);
	pthread_cond_destroy(&(*c)->changed);
	pthread_mutex_destroy(&(*c)->lock);
	mem_free(*c);
	*c = NULL;
}

/* ---- --dry-run ---- */

void claims_rehearse(struct claims *c, const char *former, struct checklist *out)
{
	for (size_t i = 0; i < c->config.count; i++) {
		const char *deployment = scaled_name(c->config.parts[i]);
		struct kube_lease_sign sign = { "" };
		struct err_text text = { "" };
		enum err err = kube_lease_look(&c->leases[i], c->config.api, &sign, &text);

		if (err && err != ERR_NOT_FOUND)
			checklist_fail(out, "%s", err_say(&text, err));
		else if (!sign.holder[0] || !strcmp(sign.holder, former))
			checklist_pass(out, "Deployment %s: no other driver scales it", deployment);
		else
			checklist_fail(
				out,
				"Deployment %s: another driver, %s, scales it (Lease %s, "
				"renewed %s; if it is dead, a driver takes over after %" PRIu64
				" s without a sign of it)",
				deployment, sign.holder, c->leases[i].name, sign.renewed,
				sign.lasts_s);
	}
}
