/* SPDX-License-Identifier: MIT
 *
 * load - see the header.
 *
 * Control posts orders into the mailbox of each thread and gets one answer per thread into its
 * own. Statistics are never copied: with the order to collect travels a blank struct stats, the
 * thread goes on counting in it and sends the full one back; control merges it into the
 * collection's delta and keeps it as the next blank one. An order and an answer belong to whoever
 * has taken them out of the mailbox. */
#include "user/load.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/room.h"
#include "loop/mailbox.h"
#include "user/crash.h"
#include "user/crew.h"
#include "user/open.h"

#define LOGGER "locust.runners"

enum order_kind { ORDER_SET, ORDER_TASKS, ORDER_HOST, ORDER_COLLECT, ORDER_END };

struct order {
	struct mail mail;
	enum order_kind kind;
	uint64_t number;
	struct stats *blank;	  /* to collect into */
	char *host;		  /* of ORDER_HOST, and ORDER_SET: NULL: as before */
	uint64_t stop_timeout_us; /* of ORDER_SET */
	size_t class_index;	  /* of ORDER_TASKS and ORDER_HOST */
	bool *draws;		  /* of ORDER_TASKS; NULL: all */
	uint64_t counts[];	  /* of ORDER_SET: users of each class on this thread */
};

struct answer {
	struct mail mail;
	struct load_thread *thread;
	uint64_t number;       /* the order's */
	struct stats *stats;   /* with msg NULL, too: the order's counts are reached */
	char *msg, *traceback; /* of an exception */
	struct user_cuts cuts; /* until the counts were reached */
	uint64_t users[];      /* with stats: of each class on this thread */
};

struct load_thread {
	struct load *load;
	struct loop loop;
	struct mailbox orders;
	struct crew crew;
	pthread_t thread;
	bool has_loop, has_mailbox, is_running;
	uint64_t set_number;	   /* thread's: of the last ORDER_SET */
	uint64_t settled_number;   /* thread's: of the last one whose counts are reached */
	bool is_settling;	   /* thread's: the guest was asked to */
	struct health_watch watch; /* thread's */
	struct list blanks;	   /* control's: of struct blank */
};

/* Statistics that wait for their next use. */
struct blank {
	struct list node;
	struct stats *stats;
};

/* One load_collect() whose answers are coming in. */
struct collection {
	struct list node;
	uint64_t number;
	unsigned missing; /* answers */
	struct stats delta;
	uint64_t users[];
};

struct load {
	struct loop *control;
	struct load_options options;
	size_t class_count;
	struct mailbox answers;
	bool has_mailbox, is_closing;
	struct load_thread *threads;
	char **hosts; /* of each class, as given last; NULL: its own */
	struct room *room;
	uint64_t last_number;  /* of an order */
	uint64_t set_number;   /* of the last load_set_users() */
	unsigned unsettled;    /* threads that have not reached it */
	struct user_cuts cuts; /* since this was told last */
	struct list collections;
};

/* --- On a load thread ------------------------------------------------------------------- */

static struct answer *answer_of(struct load_thread *t, uint64_t number)
{
	struct answer *answer =
		mem_zalloc(1, sizeof(*answer) + t->load->class_count * sizeof(answer->users[0]));

	answer->thread = t;
	answer->number = number;
	return answer;
}

void load_settle(struct load_thread *t)
{
	struct answer *answer = answer_of(t, t->settled_number);

	t->is_settling = false;
	answer->cuts = t->crew.place.cuts;
	t->crew.place.cuts = (struct user_cuts){ 0 };
	mailbox_post(&t->load->answers, &answer->mail);
}

static void on_crew_settled(void *arg)
{
	struct load_thread *t = arg;
	const struct load_guest *guest = t->load->options.guest;

	t->settled_number = t->set_number;
	if (!guest) {
		load_settle(t);
	} else if (!t->is_settling) {
		t->is_settling = true;
		guest->settle(guest->arg, t);
	}
}

void load_report_exception(struct load_thread *t, struct str msg, struct str traceback)
{
	struct answer *answer = answer_of(t, 0);

	answer->msg = mem_strndup(msg.p, msg.len);
	answer->traceback = mem_strndup(traceback.p, traceback.len);
	mailbox_post(&t->load->answers, &answer->mail);
}

/* Statistics of the span that ends now, with what is known of the thread itself. */
static struct stats *take_stats(struct load_thread *t, struct stats *blank)
{
	struct http_count count = http_client_take_count(t->crew.place.http);
	struct stats *taken = tally_take(&t->crew.place.tally, blank, loop_now(&t->loop));

	taken->health.opened = count.opened;
	taken->health.closed = count.closed;
	taken->health.failed = count.failed;
	crew_trim(&t->crew);
	health_judge(&taken->health, &t->watch, clock_us(), clock_thread_cpu_us());
	if (t->load->options.guest)
		t->load->options.guest->counted(t->load->options.guest->arg, taken);
	return taken;
}

static void tell_guest(const struct load_thread *t, const uint64_t *counts)
{
	const struct load_guest *guest = t->load->options.guest;
	uint64_t users = 0;

	for (size_t i = 0; i < t->load->class_count; i++)
		users += counts[i];
	if (guest)
		guest->want(guest->arg, users);
}

static void set_tasks(struct load_thread *t, const struct order *order)
{
	const struct load_guest *guest = t->load->options.guest;

	if (guest)
		guest->draw(guest->arg, t->load->options.scenario->classes[order->class_index],
			    order->draws);
	else
		crew_set_tasks(&t->crew, order->class_index, order->draws);
}

static void on_order(void *arg, struct mail *mail)
{
	struct load_thread *t = arg;
	struct order *order = CONTAINER_OF(&mail->node, struct order, mail.node);
	struct answer *answer;

	switch (order->kind) {
	case ORDER_SET:
		t->set_number = order->number;
		health_watch_change(&t->watch);
		tell_guest(t, order->counts);
		crew_set(&t->crew, order->counts, order->host, order->stop_timeout_us);
		break;
	case ORDER_TASKS:
		set_tasks(t, order);
		break;
	case ORDER_HOST:
		crew_set_host(&t->crew, order->class_index, order->host);
		break;
	case ORDER_COLLECT:
		answer = answer_of(t, order->number);
		answer->stats = take_stats(t, order->blank);
		crew_count(&t->crew, answer->users);
		mailbox_post(&t->load->answers, &answer->mail);
		break;
	case ORDER_END:
		crew_disband(&t->crew);
		loop_stop(&t->loop);
		break;
	}
	mem_free(order->host);
	mem_free(order->draws);
	mem_free(order);
}

static void run_own(struct load_thread *t)
{
	crash_watch(t->load->options.scenario, &t->crew.place);
	loop_run(&t->loop);
	crash_unwatch();
}

static void *thread_main(void *arg)
{
	struct load_thread *t = arg;
	const struct load_guest *guest = t->load->options.guest;

	health_watch_begin(&t->watch, clock_us(), clock_thread_cpu_us());
	if (guest)
		guest->turn(guest->arg, &t->crew.place, t);
	else
		run_own(t);
	crew_fini(&t->crew);
	return NULL;
}

/* --- On the control thread --------------------------------------------------------------- */

static struct stats *stats_create(void)
{
	struct stats *s = mem_zalloc(1, sizeof(*s));

	stats_init(s, clock_wall_s());
	return s;
}

static void stats_destroy(struct stats **s)
{
	if (!*s)
		return;
	stats_fini(*s);
	mem_free(*s);
	*s = NULL;
}

static struct stats *take_blank(struct load_thread *t)
{
	struct blank *blank;
	struct stats *stats;

	if (list_is_empty(&t->blanks))
		return stats_create();
	blank = CONTAINER_OF(t->blanks.next, struct blank, node);
	list_remove(&blank->node);
	stats = blank->stats;
	mem_free(blank);
	/* Rows keep their memory for the next second; after an idle one they are forgotten, so
	 * that the names of an old test do not fill up the table. */
	if (stats->total.num_requests)
		stats_reset(stats, clock_wall_s());
	else
		stats_clear(stats, clock_wall_s());
	return stats;
}

static void give_blank(struct load_thread *t, struct stats *stats)
{
	struct blank *blank = mem_zalloc(1, sizeof(*blank));

	blank->stats = stats;
	list_append(&t->blanks, &blank->node);
}

static void collection_destroy(struct collection *c)
{
	list_remove(&c->node);
	stats_fini(&c->delta);
	mem_free(c);
}

static void tell_cuts(struct load *l)
{
	if (l->cuts.count)
		log_line(LOG_INFO, LOGGER,
			 "%" PRIu64 " requests were cut off with their users, the longest after "
			 "%.1f s, and are not counted; --stop-timeout gives users time to finish",
			 l->cuts.count, (double)l->cuts.longest_us / CLOCK_S);
	l->cuts = (struct user_cuts){ 0 };
}

static void on_settled_answer(struct load *l, const struct answer *answer)
{
	l->cuts.count += answer->cuts.count;
	if (l->cuts.longest_us < answer->cuts.longest_us)
		l->cuts.longest_us = answer->cuts.longest_us;
	if (answer->number != l->set_number || --l->unsettled)
		return;
	tell_cuts(l);
	if (l->options.on_settled)
		l->options.on_settled(l->options.arg);
}

static void on_stats_answer(struct load *l, const struct answer *answer)
{
	/* Threads answer each in the order of the orders, so the first that waits for this one
	 * has this number or is complete already and gone. */
	struct collection *c = NULL;

	LIST_EACH (it, &l->collections) {
		c = CONTAINER_OF(it, struct collection, node);
		if (c->number == answer->number)
			break;
	}
	ensure(c && c->number == answer->number);
	stats_merge(&c->delta, answer->stats);
	for (size_t i = 0; i < l->class_count; i++)
		c->users[i] += answer->users[i];
	give_blank(answer->thread, answer->stats);
	if (--c->missing)
		return;
	if (l->options.on_delta)
		l->options.on_delta(l->options.arg, &c->delta, c->users);
	collection_destroy(c);
}

static void on_exception_answer(struct load *l, const struct answer *answer)
{
	if (l->options.on_exception)
		l->options.on_exception(l->options.arg, str_of(answer->msg),
					str_of(answer->traceback));
}

static void on_answer(void *arg, struct mail *mail)
{
	struct load *l = arg;
	struct answer *answer = CONTAINER_OF(&mail->node, struct answer, mail.node);

	if (l->is_closing)
		stats_destroy(&answer->stats);
	else if (answer->stats)
		on_stats_answer(l, answer);
	else if (answer->msg)
		on_exception_answer(l, answer);
	else
		on_settled_answer(l, answer);
	mem_free(answer->msg);
	mem_free(answer->traceback);
	mem_free(answer);
}

static struct http_client *client_create(const struct load *l, struct loop *loop)
{
	struct http_client *c = http_client_create(loop);

	http_client_use_tls(c, l->options.tls);
	http_client_use_version(c, l->options.http_version);
	http_client_use_network(c, l->options.network);
	return c;
}

static enum err thread_run(struct load_thread *t, unsigned index, struct err_text *text)
{
	const struct load_guest *guest = t->load->options.guest;
	sigset_t all, before;
	int error = 0;

	if (guest) {
		t->crew.place.guest = guest->users;
		guest->run(guest->arg, thread_main, t);
	} else {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		error = pthread_create(&t->thread, NULL, thread_main, t);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (error) {
		crew_fini(&t->crew);
		return err_set(text, ERR_NO_MEMORY, "cannot start load thread %u: %s", index + 1,
			       strerror(error));
	}
	t->is_running = true;
	return OK;
}

static enum err thread_start(struct load *l, unsigned index, struct err_text *text)
{
	struct load_thread *t = &l->threads[index];
	struct crew_options crew = { .loop = &t->loop,
				     .scenario = l->options.scenario,
				     .seed = l->options.seed,
				     .first_number = index,
				     .number_step = l->options.threads,
				     .arrivals = l->options.arrivals,
				     .wait = l->options.wait,
				     .on_settled = on_crew_settled,
				     .arg = t };
	enum err err;

	err = loop_init(&t->loop, text);
	if (err)
		return err;
	t->has_loop = true;
	err = mailbox_open(&t->orders, &t->loop, on_order, t, text);
	if (err)
		return err;
	t->has_mailbox = true;
	crew.stats = stats_create();
	crew.http = client_create(l, &t->loop);
	crew_init(&t->crew, &crew);
	return thread_run(t, index, text);
}

enum err load_create(struct loop *control, const struct load_options *options, struct load **out,
		     struct err_text *text)
{
	struct load *l = mem_zalloc(1, sizeof(*l));
	enum err err;

	ensure(options->threads >= 1 && options->threads <= LIMIT_THREADS);
	l->control = control;
	l->options = *options;
	l->class_count = options->scenario->class_count;
	l->threads = mem_zalloc(options->threads, sizeof(*l->threads));
	l->hosts = mem_zalloc(l->class_count, sizeof(*l->hosts));
	l->room = room_create(control, options->network);
	list_init(&l->collections);
	for (unsigned i = 0; i < options->threads; i++) {
		l->threads[i].load = l;
		list_init(&l->threads[i].blanks);
	}
	err = mailbox_open(&l->answers, control, on_answer, l, text);
	l->has_mailbox = !err;
	for (unsigned i = 0; !err && i < options->threads; i++)
		err = thread_start(l, i, text);
	if (err)
		load_destroy(&l);
	*out = l;
	return err;
}

static struct order *order_of(const struct load *l, enum order_kind kind, uint64_t number)
{
	struct order *order =
		mem_zalloc(1, sizeof(*order) + l->class_count * sizeof(order->counts[0]));

	order->kind = kind;
	order->number = number;
	return order;
}

/* The threads get the users of a class in turn. Which is first depends on the class alone: so
 * that classes of few users do not all meet on one thread, and that no user has to move when
 * the number of another class changes. */
static uint64_t share_of(const struct load *l, unsigned thread, size_t class, uint64_t count)
{
	unsigned threads = l->options.threads;
	unsigned turn = (thread + threads - (unsigned)(class % threads)) % threads;

	return count / threads + (turn < count % threads);
}

/* Of an open class nobody knows how many connections its tasks will need. */
static uint64_t connections_of(const struct load *l, const uint64_t *counts, size_t class)
{
	const struct cic_user_class *c = l->options.scenario->classes[class];

	return open_choose(&c->arrivals, l->options.arrivals).kind ? 0 : counts[class];
}

static const char *host_of(const struct load *l, const char *host, size_t class)
{
	if (host)
		return host;
	return l->hosts[class] ? l->hosts[class] : l->options.scenario->classes[class]->host;
}

static void keep_host(struct load *l, size_t class, const char *host)
{
	if (l->hosts[class] && strcmp(l->hosts[class], host) == 0)
		return;
	mem_free(l->hosts[class]);
	l->hosts[class] = mem_strdup(host);
}

static uint64_t connections_to(const struct load *l, const uint64_t *counts, const char *host,
			       const char *target)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->class_count; i++) {
		const char *other = host_of(l, host, i);

		if (other && strcmp(other, target) == 0)
			sum += connections_of(l, counts, i);
	}
	return sum;
}

static void check_room(struct load *l, const uint64_t *counts, const char *host)
{
	uint64_t all = 0;

	for (size_t i = 0; i < l->class_count; i++)
		all += connections_of(l, counts, i);
	if (!all)
		room_forget(l->room);
	for (size_t i = 0; all && i < l->class_count; i++) {
		const char *target = host_of(l, host, i);

		if (target)
			room_check(l->room, all, target, connections_to(l, counts, host, target));
	}
}

void load_foresee(struct load *l, const uint64_t *counts, const char *host)
{
	const struct load_guest *guest = l->options.guest;
	uint64_t users = 0;

	check_room(l, counts, host);
	for (size_t i = 0; i < l->class_count; i++)
		users += counts[i];
	if (guest)
		guest->foresee(guest->arg, users);
}

void load_set_users(struct load *l, const uint64_t *counts, const char *host, double stop_timeout_s)
{
	l->set_number = ++l->last_number;
	l->unsettled = l->options.threads;
	for (size_t i = 0; host && i < l->class_count; i++)
		keep_host(l, i, host);
	check_room(l, counts, host);
	for (unsigned i = 0; i < l->options.threads; i++) {
		struct order *order = order_of(l, ORDER_SET, l->set_number);

		order->host = host ? mem_strdup(host) : NULL;
		order->stop_timeout_us = user_seconds_us(stop_timeout_s);
		for (size_t k = 0; k < l->class_count; k++)
			order->counts[k] = share_of(l, i, k, counts[k]);
		mailbox_post(&l->threads[i].orders, &order->mail);
	}
}

void load_begin_test(struct load *l)
{
	scenario_rewind_feeds(l->options.scenario);
}

void load_set_tasks(struct load *l, size_t class_index, const bool *draws)
{
	const struct cic_user_class *class = l->options.scenario->classes[class_index];
	size_t count = 0;

	while (class->tasks[count].run)
		count++;
	for (unsigned i = 0; i < l->options.threads; i++) {
		struct order *order = order_of(l, ORDER_TASKS, 0);

		order->class_index = class_index;
		if (draws) {
			order->draws = mem_zalloc(count, sizeof(*draws));
			memcpy(order->draws, draws, count * sizeof(*draws));
		}
		mailbox_post(&l->threads[i].orders, &order->mail);
	}
}

void load_set_host(struct load *l, size_t class_index, const char *host)
{
	keep_host(l, class_index, host);
	for (unsigned i = 0; i < l->options.threads; i++) {
		struct order *order = order_of(l, ORDER_HOST, 0);

		order->class_index = class_index;
		order->host = mem_strdup(host);
		mailbox_post(&l->threads[i].orders, &order->mail);
	}
}

void load_collect(struct load *l)
{
	struct collection *c = mem_zalloc(1, sizeof(*c) + l->class_count * sizeof(c->users[0]));

	c->number = ++l->last_number;
	c->missing = l->options.threads;
	stats_init(&c->delta, clock_wall_s());
	list_append(&l->collections, &c->node);
	for (unsigned i = 0; i < l->options.threads; i++) {
		struct order *order = order_of(l, ORDER_COLLECT, c->number);

		order->blank = take_blank(&l->threads[i]);
		mailbox_post(&l->threads[i].orders, &order->mail);
	}
}

static void thread_stop(struct load *l, struct load_thread *t)
{
	const struct load_guest *guest = l->options.guest;

	if (t->is_running) {
		mailbox_post(&t->orders, &order_of(l, ORDER_END, 0)->mail);
		if (guest)
			guest->join(guest->arg);
		else
			pthread_join(t->thread, NULL);
	}
	if (t->has_mailbox)
		mailbox_close(&t->orders);
	if (t->has_loop)
		loop_fini(&t->loop);
}

void load_destroy(struct load **l)
{
	struct load *load = *l;

	if (!load)
		return;
	load->is_closing = true;
	for (unsigned i = 0; i < load->options.threads; i++)
		thread_stop(load, &load->threads[i]);
	if (load->has_mailbox)
		mailbox_close(&load->answers);
	for (unsigned i = 0; i < load->options.threads; i++)
		while (!list_is_empty(&load->threads[i].blanks)) {
			struct stats *stats = take_blank(&load->threads[i]);

			stats_destroy(&stats);
		}
	LIST_EACH (it, &load->collections)
		collection_destroy(CONTAINER_OF(it, struct collection, node));
	room_destroy(&load->room);
	for (size_t i = 0; i < load->class_count; i++)
		mem_free(load->hosts[i]);
	mem_free(load->hosts);
	mem_free(load->threads);
	mem_free(load);
	*l = NULL;
}
