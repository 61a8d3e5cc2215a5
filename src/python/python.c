/* SPDX-License-Identifier: MIT
 *
 * python - see the header. The control thread's half: it starts the other thread, tells it things,
 * hears its wishes, and waits for it in three places only: until the file is imported, until the
 * load's main function has returned, and until it has ended. */
#include "python/python_int.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

#define LOGGER	"locust.main"
#define PING_US CLOCK_S

static struct python *self;

struct python *python_self(void)
{
	return self;
}

static void tell(struct python *p, const struct tell *what)
{
	struct tell *copy = mem_alloc(sizeof(*copy));

	*copy = *what;
	mailbox_post(&p->told, &copy->mail);
}

/* ---- waiting for the other thread ---- */

/* Until *flag is `value`; false: not within the seconds. */
static bool wait_for(struct python *p, const bool *flag, bool value, unsigned seconds)
{
	struct timespec until;
	bool is_so;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&p->lock);
	while (*flag != value && pthread_cond_timedwait(&p->changed, &p->lock, &until) != ETIMEDOUT)
		;
	is_so = *flag == value;
	pthread_mutex_unlock(&p->lock);
	return is_so;
}

/* The same for as long as it takes, but code that never gives way is interrupted. A thread cannot
 * be ended from outside, nor can what it may use be freed: if that does not help either, the
 * process has to end here. Its results have been written by now. */
static void wait_or_end(struct python *p, const bool *flag, bool value)
{
	if (wait_for(p, flag, value, LIMIT_PYTHON_GIVE_WAY_S))
		return;
	python_nudge(p, true);
	if (wait_for(p, flag, value, LIMIT_PYTHON_GIVE_WAY_S))
		return;
	log_line(LOG_CRITICAL, LOGGER,
		 "The locustfile does not give its thread back; exiting without its clean-up");
	_Exit(p->quit_code);
}

/* ---- the load ---- */

static void guest_run(void *arg, void *(*main)(void *), void *main_arg)
{
	struct python *p = arg;

	pthread_mutex_lock(&p->lock);
	p->is_main_running = true;
	pthread_mutex_unlock(&p->lock);
	tell(p, &(struct tell){ .kind = TELL_RUN, .main = main, .main_arg = main_arg });
}

static void guest_foresee(void *arg, uint64_t users)
{
	struct python *p = arg;

	pthread_mutex_lock(&p->lock);
	p->users_foreseen = users;
	pthread_mutex_unlock(&p->lock);
}

static void guest_join(void *arg)
{
	struct python *p = arg;

	wait_or_end(p, &p->is_main_running, false);
}

/* ---- the shape ---- */

/* The locustfile's tick() runs on its own thread; here its last answer is taken, each second and as
 * soon as there is a new one (WISH_SHAPE). When a test begins, at 0 s, the first one is not there
 * yet: until then nobody is wanted. */
bool python_ask_shape(const struct cic_now *now, struct cic_tick *tick)
{
	struct python *p = self;
	bool is_over;

	pthread_mutex_lock(&p->lock);
	if (now->run_time_s <= 0) {
		p->shape_tick = (struct cic_tick){ .spawn_rate = 1 };
		mem_free(p->shape_classes);
		p->shape_classes = NULL;
		p->shape_is_over = false;
		tell(p, &(struct tell){ .kind = TELL_EVENT,
					.event = "shape",
					.value = (long long)p->shape_chosen });
	}
	p->shape_now = *now;
	*tick = p->shape_tick;
	mem_free(p->tick_classes);
	tick->classes = p->tick_classes = p->shape_classes ? mem_strdup(p->shape_classes) : NULL;
	is_over = p->shape_is_over;
	pthread_mutex_unlock(&p->lock);
	return !is_over;
}

void python_choose_shape(size_t index)
{
	self->shape_chosen = index;
}

/* ---- life ---- */

static enum err start_thread(struct python *p, struct err_text *text)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&p->thread, NULL, python_thread_main, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? err_set(text, ERR_NO_MEMORY, "cannot start a thread for Python: %s",
			       strerror(error))
		     : OK;
}

static void free_texts(char **texts)
{
	for (char **text = texts; text && *text; text++)
		mem_free(*text);
	mem_free(texts);
}

static void free_all(struct python *p)
{
	python_turn_fini(p);
	python_way_fini(p);
	python_classes_free(p);
	buf_fini(&p->json);
	python_memo_fini(p);
	mem_free(p->shape_classes);
	mem_free(p->tick_classes);
	free_texts(p->own_argv);
	free_texts(p->own_settings);
	free_texts(p->files);
	for (size_t i = 0; i < p->field_count; i++) {
		mem_free(p->fields[i].name);
		mem_free(p->fields[i].help);
		mem_free(p->fields[i].value);
		free_texts(p->fields[i].choices);
	}
	mem_free(p->fields);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
	mem_free(p);
	self = NULL;
}

/* At a time when nothing runs that would have to be ended in order. They are blocked; what is
 * unblocked here comes here. */
static void obey_signals(void)
{
	static const int ending[] = { SIGINT, SIGTERM };
	sigset_t pending, set;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		if (!sigismember(&pending, ending[i]))
			continue;
		log_line(LOG_INFO, LOGGER, "Got a signal before the locustfile was imported");
		signal(ending[i], SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, ending[i]);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
}

/* As long as it takes: that is the user's own code. One that is run as __main__ may take all the
 * time that it runs. */
static enum err wait_for_step(struct python *p, const bool *step, struct err_text *text)
{
	for (unsigned s = 1; !wait_for(p, step, true, 1); s++) {
		obey_signals();
		if (!p->as_main && s % LIMIT_PYTHON_GIVE_WAY_S == 0)
			log_line(LOG_INFO, LOGGER, "The locustfile is still being imported");
	}
	*text = p->load_text;
	return p->load_error;
}

enum err python_open(const char *path, bool as_main, int *argc, char ***argv,
		     const struct opt_texts *settings, struct python **out, int *exit_code,
		     struct err_text *text)
{
	struct python *p = mem_zalloc(1, sizeof(*p));
	enum err err;

	ensure(!self);
	self = p;
	p->path = path;
	p->as_main = as_main;
	p->argc = *argc;
	p->argv = *argv;
	p->settings = settings;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->guest = (struct load_guest){
		.arg = p, .run = guest_run, .foresee = guest_foresee, .join = guest_join
	};
	python_guest_init_ops(&p->guest);
	python_fork_init();
	buf_init(&p->json, LIMIT_PYTHON_JSON_BYTES);
	err = python_turn_init(p, text);
	if (!err)
		err = start_thread(p, text);
	if (err) {
		free_all(p);
		return err;
	}
	*out = p;
	err = wait_for_step(p, &p->is_imported, text);
	if (err) {
		*exit_code = p->exit_code;
		python_close(out);
		return err;
	}
	*argc = p->argc;
	*argv = p->argv;
	return OK;
}

enum err python_load(struct python *p, const struct python_options *options,
		     struct scenario *scenario, struct err_text *text)
{
	*scenario = (struct scenario){ 0 };
	pthread_mutex_lock(&p->lock);
	p->options = options;
	p->scenario = scenario;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return wait_for_step(p, &p->is_loaded, text);
}

const char *const *python_files(const struct python *p)
{
	return (const char *const *)p->files;
}

const char *const *python_settings(const struct python *p)
{
	return (const char *const *)p->own_settings;
}

const struct python_field *python_fields(const struct python *p, size_t *count)
{
	*count = p->field_count;
	return p->fields;
}

const struct load_guest *python_guest(const struct python *p)
{
	return &p->guest;
}

void python_close(struct python **at)
{
	struct python *p = *at;

	if (!p)
		return;
	*at = NULL;
	pthread_mutex_lock(&p->lock);
	p->is_closing = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	tell(p, &(struct tell){ .kind = TELL_CLOSE });
	wait_or_end(p, &p->is_ended, true);
	pthread_join(p->thread, NULL);
	free_all(p);
}

/* ---- events and wishes ---- */

static void end_quit(struct python *p, int code)
{
	void (*done)(void *, int) = p->quit_done;

	if (!done)
		return;
	p->quit_done = NULL;
	p->quit_code = code;
	loop_timer_clear(p->control, &p->quit_timer);
	done(p->quit_arg, code);
}

static void on_quit_timer(void *arg)
{
	struct python *p = arg;

	log_line(LOG_WARNING, LOGGER,
		 "What the locustfile does on `quitting` has not ended within %d s",
		 LIMIT_PYTHON_QUIT_S);
	end_quit(p, p->quit_code);
}

static void grant(struct python *p, const struct wish *wish)
{
	const struct python_wishes *w = p->wishes;
	struct str data = { wish->data, wish->data_len };

	switch (wish->kind) {
	case WISH_QUIT:
		w->on_quit(w->arg);
		break;
	case WISH_STOP:
		w->on_stop(w->arg);
		break;
	case WISH_RESET:
		w->on_reset(w->arg);
		break;
	case WISH_QUIT_DONE:
		end_quit(p, wish->code);
		break;
	case WISH_SEND:
		w->on_send(w->arg, str_of(wish->type), str_of(wish->to), data);
		break;
	case WISH_EXTRA:
		w->on_extra(w->arg, data, wish->count);
		break;
	case WISH_SHAPE:
		w->on_shape(w->arg);
		break;
	case WISH_PAGES:
		w->on_pages(w->arg, wish->type, (uint16_t)wish->code);
		break;
	case WISH_START:
		w->on_start(w->arg, wish->users, wish->spawn_rate);
		break;
	case WISH_USUAL:
		w->on_usual(w->arg, data, wish->count);
		break;
	case WISH_BEGUN:
		w->on_begun(w->arg);
		break;
	case WISH_OPTIONS:
		w->on_options(w->arg, data, wish->count);
		break;
	case WISH_WEB:
		w->on_web(w->arg, wish->ticket, (unsigned)wish->code,
			  (struct str){ wish->type, wish->type_len }, data);
		break;
	}
}

static void on_wish(void *arg, struct mail *mail)
{
	struct python *p = arg;
	struct wish *wish = CONTAINER_OF(&mail->node, struct wish, mail.node);

	/* While it closes nothing is wished for any more. */
	if (p->control)
		grant(p, wish);
	mem_free(wish->type);
	mem_free(wish->to);
	mem_free(wish->data);
	mem_free(wish);
}

enum err python_begin(struct python *p, struct loop *control, const struct python_wishes *wishes,
		      struct err_text *text)
{
	enum err err = mailbox_open(&p->replies, control, on_wish, p, text);

	if (err)
		return err;
	pthread_mutex_lock(&p->lock);
	p->is_heard = true;
	pthread_mutex_unlock(&p->lock);
	p->control = control;
	p->wishes = wishes;
	loop_timer_init(&p->quit_timer, on_quit_timer, p);
	p->pinged_us = loop_now(control);
	if (p->options->role != PYTHON_WORKER)
		tell(p, &(struct tell){ .kind = TELL_EVENT, .event = "init" });
	return OK;
}

/* What comes from the network is bounded, however long Python code keeps its thread. */
static bool tell_message(struct python *p, const char *event, struct str from, struct str type,
			 struct str data, long long value)
{
	size_t cost = sizeof(struct tell) + from.len + type.len + data.len;
	bool is_dropped = atomic_load(&p->told_bytes) + cost > LIMIT_PYTHON_TOLD_BYTES;

	if (is_dropped && !p->has_dropped)
		log_line(LOG_ERROR, LOGGER,
			 "The locustfile does not take what other processes tell it: messages are "
			 "dropped from here on (%.*s from %.*s)",
			 STR_ARG(type), STR_ARG(from));
	p->has_dropped = is_dropped;
	if (is_dropped)
		return false;
	atomic_fetch_add(&p->told_bytes, cost);
	tell(p, &(struct tell){ .kind = TELL_MESSAGE,
				.event = event,
				.from = mem_strndup(from.p, from.len),
				.type = mem_strndup(type.p, type.len),
				.data = mem_strndup(data.p, data.len),
				.data_len = data.len,
				.cost = cost,
				.value = value });
	return true;
}

bool python_tell_web(struct python *p, uint64_t ticket, const char *method, const char *path,
		     struct str data)
{
	return tell_message(p, "web", str_of(method), str_of(path), data, (long long)ticket);
}

void python_tell_joined(struct python *p, const char *id, int64_t index)
{
	tell(p, &(struct tell){ .kind = TELL_MESSAGE,
				.event = "joined",
				.from = mem_strdup(id),
				.value = (long long)index });
}

void python_tell_spawn(struct python *p, struct str data)
{
	(void)tell_message(p, "spawn", str_of("the master"), str_of("spawn"), data, 0);
}

void python_tell_form(struct python *p, struct str pairs)
{
	(void)tell_message(p, "form", str_of("the web"), str_of("form"), pairs, 0);
}

void python_tell_report(struct python *p, struct str from, struct str data)
{
	if (atomic_load(&p->wants_reports))
		(void)tell_message(p, "report", from, str_of("stats"), data, 0);
}

void python_tell_heartbeat(struct python *p, struct str worker)
{
	if (atomic_load(&p->wants_heartbeats))
		(void)tell_message(p, "heartbeat", worker, str_of("heartbeat"), str_of(""),
				   (long long)(clock_wall_s() * 1e6));
}

void python_tell_custom(struct python *p, struct str from, struct str type, struct str data)
{
	(void)tell_message(p, "custom", from, type, data, 0);
}

void python_give_cluster(struct python *p, const struct python_cluster *given)
{
	tell(p, &(struct tell){ .kind = TELL_CLUSTER, .cluster = *given });
}

void python_tell_spawned(struct python *p, uint64_t user_count)
{
	tell(p, &(struct tell){ .kind = TELL_EVENT,
				.event = "spawning_complete",
				.value = (long long)user_count });
}

void python_tell(struct python *p, const char *event)
{
	tell(p, &(struct tell){ .kind = TELL_EVENT, .event = event });
}

void python_give_stats(struct python *p, const struct stats *stats)
{
	struct stats *copy = mem_zalloc(1, sizeof(*copy));

	stats_init(copy, stats->total.start_time);
	stats_merge(copy, stats);
	atomic_fetch_add(&p->given_count, 1);
	tell(p, &(struct tell){ .kind = TELL_STATS, .stats = copy });
}

bool python_has_taken(const struct python *p)
{
	return !atomic_load(&p->given_count);
}

void python_quit(struct python *p, int code, void (*done)(void *arg, int code), void *arg)
{
	p->quit_done = done;
	p->quit_arg = arg;
	p->quit_code = code;
	/* What keeps the thread now would keep it for ever. */
	if (p->has_warned)
		python_nudge(p, true);
	loop_timer_set(p->control, &p->quit_timer,
		       loop_now(p->control) + LIMIT_PYTHON_QUIT_S * CLOCK_S);
	tell(p, &(struct tell){ .kind = TELL_EVENT, .event = "quitting", .value = code });
}

void python_end(struct python *p)
{
	struct loop *control = p ? p->control : NULL;

	if (!control)
		return;
	pthread_mutex_lock(&p->lock);
	p->is_heard = false;
	pthread_mutex_unlock(&p->lock);
	p->control = NULL;
	p->quit_done = NULL;
	loop_timer_clear(control, &p->quit_timer);
	mailbox_close(&p->replies);
}

void python_watch(struct python *p)
{
	uint64_t now_us = loop_now(p->control);

	if (atomic_load(&p->pong_number) == p->ping_number) {
		p->has_warned = false;
		if (now_us - p->pinged_us < PING_US)
			return;
		p->pinged_us = now_us;
		tell(p, &(struct tell){ .kind = TELL_PING, .value = ++p->ping_number });
	} else if (!p->has_warned && now_us - p->pinged_us >= LIMIT_PYTHON_GIVE_WAY_S * CLOCK_S) {
		p->has_warned = true;
		python_nudge(p, false);
	}
}
