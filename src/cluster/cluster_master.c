/* SPDX-License-Identifier: MIT
 *
 * cluster_master - see the header. Everything is passed through; what is added is time. */
#include "cluster/cluster_master.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/key_list.h"
#include "cluster/link.h"
#include "cluster/master.h"
#include "cluster/seldom.h"

#define LOGGER	    "locust.runners"
#define COMPLAIN_US (60 * CLOCK_S) /* of the same stranger */

struct cluster_master {
	struct loop *loop;
	struct master *master;
	struct link *link, *bulk; /* the latter may be NULL */
	struct loop_timer timer;
	bool is_port_free; /* any port will do */
	struct seldom strangers;
	struct cluster_key key;
	struct key_list list;
	struct loop_timer list_timer;
	void (*done)(void *arg); /* of cluster_master_quit() */
	void *done_arg;
};

static void arm(struct cluster_master *c)
{
	loop_timer_set(c->loop, &c->timer, master_due_us(c->master));
}

static void on_timer(void *arg)
{
	struct cluster_master *c = arg;

	master_tick(c->master, loop_now(c->loop));
	arm(c);
}

static void on_frame(void *arg, struct str peer, struct str frame)
{
	struct cluster_master *c = arg;

	master_on_frame(c->master, peer, frame, loop_now(c->loop));
	arm(c);
}

static void on_bulk_frame(void *arg, struct str peer, struct str frame)
{
	struct cluster_master *c = arg;

	master_on_bulk_frame(c->master, peer, frame, loop_now(c->loop));
	arm(c);
}

static void on_stranger(void *arg, const char *address, const char *public_key)
{
	struct cluster_master *c = arg;

	if (seldom_take(&c->strangers, str_of(public_key), loop_now(c->loop)))
		log_line(LOG_WARNING, LOGGER,
			 "A worker at %s is kept out: its key %s is not in --cluster-peers",
			 address, public_key);
}

static void on_outcast(void *arg, struct str peer)
{
	struct cluster_master *c = arg;

	master_cast_out(c->master, peer, loop_now(c->loop));
	arm(c);
}

static void on_list_timer(void *arg)
{
	struct cluster_master *c = arg;
	struct err_text text = { "" };
	bool is_new;
	enum err err = key_list_look(&c->list, &is_new, &text);

	if (err)
		log_line(LOG_ERROR, LOGGER, "--cluster-peers stays as it was: %s",
			 err_say(&text, err));
	else if (is_new)
		log_line(LOG_INFO, LOGGER, "--cluster-peers has other keys now, %zu of them",
			 c->key.peer_count);
	loop_timer_set(c->loop, &c->list_timer, loop_now(c->loop) + CLOCK_S);
}

static bool send_frame(void *arg, const char *worker_id, struct str frame)
{
	struct cluster_master *c = arg;

	return link_send(c->link, worker_id, frame);
}

static void on_due_changed(void *arg)
{
	arm(arg);
}

static void on_ended(void *arg)
{
	struct cluster_master *c = arg;

	c->done(c->done_arg);
}

static const struct cluster_key *key_of(const struct cluster_master *c,
					const struct cluster_master_options *options)
{
	return options->key ? &c->key : NULL;
}

static void open_bulk(struct cluster_master *c, const struct cluster_master_options *master)
{
	const struct link_options options = { .on_frame = on_bulk_frame,
					      .arg = c,
					      .key = key_of(c, master),
					      .on_stranger = on_stranger };
	struct err_text text = { "" };
	unsigned port = c->is_port_free ? 0 : link_port(c->link) + 1;
	enum err err = link_bind(c->loop, &options, master->bind_host, port, &c->bulk, &text);

	if (err)
		log_line(LOG_WARNING, LOGGER,
			 "No second port for workers, so their statistics come by the first one, "
			 "every 3 s: %s",
			 err_say(&text, err));
}

enum err cluster_master_create(struct loop *loop, const struct cluster_master_options *options,
			       const struct run_options *run_options, struct cluster_master **out,
			       struct err_text *text)
{
	struct cluster_master *c = mem_zalloc(1, sizeof(*c));
	const struct link_options link_options = { .on_frame = on_frame,
						   .arg = c,
						   .key = key_of(c, options),
						   .on_stranger = on_stranger,
						   .on_outcast = on_outcast };
	struct master_options master_options = {
		.run = run_options,
		.files = options->files,
		.file_count = options->file_count,
		.is_native = options->is_native,
		.expect_workers = options->expect_workers,
		.tags = options->tags,
		.exclude_tags = options->exclude_tags,
		.wall_offset_s = clock_wall_s() - (double)clock_us() / CLOCK_S,
		.send = send_frame,
		.due_changed = on_due_changed,
		.ended = on_ended,
		.arg = c,
		.listener = options->listener,
	};
	enum err err;

	*out = NULL;
	c->loop = loop;
	c->is_port_free = !options->bind_port;
	loop_timer_init(&c->timer, on_timer, c);
	loop_timer_init(&c->list_timer, on_list_timer, c);
	seldom_init(&c->strangers, COMPLAIN_US);
	if (options->key)
		cluster_key_copy(&c->key, options->key);
	err = link_bind(loop, &link_options, options->bind_host, options->bind_port, &c->link,
			text);
	if (err) {
		seldom_fini(&c->strangers);
		cluster_key_release(&c->key);
		mem_free(c);
		return err;
	}
	open_bulk(c, options);
	if (options->peers_file) {
		key_list_init(&c->list, options->peers_file, &c->key);
		on_list_timer(c);
	}
	master_options.bulk_port = c->bulk ? link_port(c->bulk) : 0;
	c->master = master_create(&master_options, loop_now(loop));
	arm(c);
	*out = c;
	return OK;
}

void cluster_master_destroy(struct cluster_master **pc)
{
	struct cluster_master *c = *pc;

	*pc = NULL;
	if (!c)
		return;
	loop_timer_clear(c->loop, &c->timer);
	loop_timer_clear(c->loop, &c->list_timer);
	link_close(&c->bulk);
	link_close(&c->link);
	master_destroy(&c->master);
	seldom_fini(&c->strangers);
	cluster_key_release(&c->key);
	mem_free(c);
}

struct run *cluster_master_run(struct cluster_master *c)
{
	return master_run(c->master);
}

unsigned cluster_master_port(const struct cluster_master *c)
{
	return link_port(c->link);
}

unsigned cluster_master_bulk_port(const struct cluster_master *c)
{
	return c->bulk ? link_port(c->bulk) : 0;
}

void cluster_master_release(struct cluster_master *c)
{
	master_release(c->master);
}

void cluster_master_set_options(struct cluster_master *c, struct str pairs, size_t count)
{
	master_set_options(c->master, pairs, count);
}

size_t cluster_master_send_custom(struct cluster_master *c, const char *worker_id, struct str type,
				  struct str data)
{
	return master_send_custom(c->master, worker_id, type, data);
}

void cluster_master_quit(struct cluster_master *c, void (*done)(void *arg), void *arg)
{
	c->done = done;
	c->done_arg = arg;
	master_quit(c->master, loop_now(c->loop));
}
