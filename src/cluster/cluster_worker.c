/* SPDX-License-Identifier: MIT
 *
 * cluster_worker - see the header. */
#include "cluster/cluster_worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/log_kept.h"
#include "base/mem.h"
#include "cluster/link.h"
#include "cluster/node_id.h"

#define LOGGER	      "locust.runners"
#define USAGE_US      (5 * CLOCK_S)
#define LOGS_US	      (10 * CLOCK_S)
#define LOGS_RETRY_US CLOCK_S
#define LOGS_BYTES    (LIMIT_LOG_LINES * 4096) /* none can be longer */

struct cluster_worker {
	struct loop *loop;
	void (*ended)(void *arg, enum err err, const struct err_text *text);
	void *ended_arg;
	struct worker *worker;
	struct link *link, *bulk; /* the latter NULL: the master has no second port */
	char id[LIMIT_WORKER_ID_BYTES + 1];
	char *master_host;
	const struct cluster_key *key;
	unsigned bulk_port;
	struct loop_timer timer;
	uint64_t usage_at_us, usage_cpu_us; /* of the last look at it */
	uint64_t logs_due_us, logs_count;   /* the latter: that the master has */
};

static void arm(struct cluster_worker *c)
{
	uint64_t due_us = worker_due_us(c->worker);

	if (due_us == UINT64_MAX)
		loop_timer_clear(c->loop, &c->timer);
	else
		loop_timer_set(c->loop, &c->timer, due_us);
}

/* 0 where /proc does not say. */
static uint64_t read_memory_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	uint64_t pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void look_at_usage(struct cluster_worker *c)
{
	uint64_t now_us = loop_now(c->loop), cpu_us;

	if (c->usage_at_us && now_us - c->usage_at_us < USAGE_US)
		return;
	cpu_us = clock_cpu_us();
	worker_set_usage(c->worker,
			 c->usage_at_us ? 100 * (double)(cpu_us - c->usage_cpu_us) /
						  (double)(now_us - c->usage_at_us)
					: 0,
			 read_memory_bytes());
	c->usage_at_us = now_us;
	c->usage_cpu_us = cpu_us;
}

static void add_line(void *arg, struct str line)
{
	buf_add_str(arg, line);
	buf_add_char(arg, '\0');
}

/* All that is kept, as Locust's workers do, when there is something new. */
static void look_at_logs(struct cluster_worker *c)
{
	uint64_t now_us = loop_now(c->loop), count;
	struct str lines, line;
	struct buf kept;

	if (now_us < c->logs_due_us)
		return;
	c->logs_due_us = now_us + LOGS_RETRY_US;
	buf_init(&kept, LOGS_BYTES);
	count = log_kept_each(add_line, &kept);
	lines = buf_str(&kept);
	while (lines.len > LIMIT_WORKER_LOG_BYTES)
		(void)str_cut(&lines, '\0', &line);
	if (count != c->logs_count && worker_send_logs(c->worker, lines)) {
		c->logs_due_us = now_us + LOGS_US;
		c->logs_count = count;
	}
	buf_fini(&kept);
}

static void on_timer(void *arg)
{
	struct cluster_worker *c = arg;

	look_at_usage(c);
	worker_tick(c->worker, loop_now(c->loop));
	look_at_logs(c);
	arm(c);
}

static void on_frame(void *arg, struct str peer, struct str frame)
{
	struct cluster_worker *c = arg;

	(void)peer;
	worker_on_frame(c->worker, frame, loop_now(c->loop));
	arm(c);
}

static bool send_frame(void *arg, struct str frame)
{
	struct cluster_worker *c = arg;

	return link_send(c->link, NULL, frame);
}

static void on_bulk_frame(void *arg, struct str peer, struct str frame)
{
	/* Nothing is said on it. */
	(void)arg;
	(void)peer;
	(void)frame;
}

static void open_bulk(void *arg, unsigned port)
{
	struct cluster_worker *c = arg;
	const struct link_options options = { .on_frame = on_bulk_frame,
					      .is_bulk = true,
					      .key = c->key };
	struct err_text text = { "" };
	enum err err;

	if (c->bulk && c->bulk_port == port)
		return;
	link_close(&c->bulk);
	c->bulk_port = port;
	err = link_connect(c->loop, &options, c->master_host, port, c->id, &c->bulk, &text);
	if (err)
		log_line(LOG_WARNING, LOGGER, "No connection to the master's second port: %s",
			 err_say(&text, err));
}

static bool send_bulk(void *arg, struct str frame)
{
	struct cluster_worker *c = arg;

	return c->bulk && link_send(c->bulk, NULL, frame);
}

static void reconnect(void *arg)
{
	struct cluster_worker *c = arg;

	link_reconnect(c->link);
}

static void on_ended(void *arg, enum err err, const struct err_text *text)
{
	struct cluster_worker *c = arg;

	c->ended(c->ended_arg, err, text);
}

static struct worker *create_worker(struct cluster_worker *c,
				    const struct cluster_worker_options *options)
{
	const struct worker_options worker_options = { .id = c->id,
						       .classes = options->classes,
						       .class_count = options->class_count,
						       .waits_for_usual = options->waits_for_usual,
						       .ops = options->ops,
						       .load = options->load,
						       .send = send_frame,
						       .open_bulk = open_bulk,
						       .send_bulk = send_bulk,
						       .reconnect = reconnect,
						       .ended = on_ended,
						       .arg = c,
						       .listener = options->listener };

	return worker_create(&worker_options, loop_now(c->loop));
}

enum err cluster_worker_create(struct loop *loop, const struct cluster_worker_options *options,
			       struct cluster_worker **out, struct err_text *text)
{
	struct cluster_worker *c = mem_zalloc(1, sizeof(*c));
	const struct link_options link_options = { .on_frame = on_frame,
						   .arg = c,
						   .key = options->key };
	enum err err;

	*out = NULL;
	c->loop = loop;
	c->key = options->key;
	c->ended = options->ended;
	c->ended_arg = options->arg;
	loop_timer_init(&c->timer, on_timer, c);
	c->master_host =
		mem_strdup(options->master_host ? options->master_host : CLUSTER_MASTER_HOST);
	err = node_id_fill(c->id, sizeof(c->id), "", text);
	if (!err)
		err = link_connect(loop, &link_options, c->master_host,
				   options->master_port ? options->master_port
							: CLUSTER_MASTER_PORT,
				   c->id, &c->link, text);
	if (err) {
		mem_free(c->master_host);
		mem_free(c);
		return err;
	}
	c->worker = create_worker(c, options);
	arm(c);
	*out = c;
	return OK;
}

void cluster_worker_destroy(struct cluster_worker **pc)
{
	struct cluster_worker *c = *pc;

	*pc = NULL;
	if (!c)
		return;
	loop_timer_clear(c->loop, &c->timer);
	link_close(&c->bulk);
	link_close(&c->link);
	worker_destroy(&c->worker);
	mem_free(c->master_host);
	mem_free(c);
}

void cluster_worker_on_delta(struct cluster_worker *c, const struct stats *delta,
			     const uint64_t *users)
{
	worker_on_delta(c->worker, delta, users, loop_now(c->loop));
	arm(c);
}

void cluster_worker_on_settled(struct cluster_worker *c)
{
	worker_on_settled(c->worker, loop_now(c->loop));
	arm(c);
}

void cluster_worker_on_exception(struct cluster_worker *c, struct str msg, struct str traceback)
{
	worker_on_exception(c->worker, msg, traceback);
}

bool cluster_worker_send_custom(struct cluster_worker *c, struct str type, struct str data)
{
	return worker_send_custom(c->worker, type, data);
}

bool cluster_worker_send_extra(struct cluster_worker *c, const struct msg_pairs *extra)
{
	return worker_send_extra(c->worker, extra, clock_wall_s());
}

void cluster_worker_set_usual(struct cluster_worker *c, const struct msg_pairs *usual)
{
	worker_set_usual(c->worker, usual);
	arm(c);
}

void cluster_worker_quit(struct cluster_worker *c)
{
	worker_quit(c->worker, loop_now(c->loop));
	arm(c);
}
