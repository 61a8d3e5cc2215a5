/* SPDX-License-Identifier: MIT
 *
 * master_file - see the header. */
#include "cluster/master_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/cluster_worker.h"
#include "cluster/link.h"
#include "cluster/msg.h"
#include "cluster/node_id.h"

#define LOGGER	       "locust.main"
#define ASK_US	       CLOCK_S
#define GIVE_UP_US     (300 * CLOCK_S)
#define FIRST_WORD_US  (10 * CLOCK_S) /* to people, then each minute */
#define NEXT_WORD_US   (60 * CLOCK_S)
#define NAME_BYTES_MAX 200
#define FOLDER_BYTES   4096

struct download {
	struct loop loop;
	struct link *link;
	struct loop_timer timer;
	char id[LIMIT_WORKER_ID_BYTES + 1];
	uint64_t give_up_us, word_us;
	char **path;
	struct err_text *text;
	enum err err;
};

static void finish(struct download *d, enum err err)
{
	d->err = err;
	loop_stop(&d->loop);
}

static void ask(void *arg)
{
	struct download *d = arg;
	uint64_t now_us = loop_now(&d->loop);
	struct msg m = { .type = MSG_LOCUSTFILE, .node_id = str_of(d->id) };
	struct buf frame;

	if (now_us >= d->give_up_us) {
		finish(d, err_set(d->text, ERR_TIMEOUT,
				  "no scenario from the master within %llu s; is its address "
				  "right, does it run, and have both the same --cluster-key, or "
				  "none?",
				  GIVE_UP_US / CLOCK_S));
		return;
	}
	if (now_us >= d->word_us) {
		d->word_us = now_us + NEXT_WORD_US;
		log_line(LOG_INFO, LOGGER, "Waiting to connect to master to receive locustfile...");
	}
	m.locustfile.is_native = true;
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(&m, &frame);
	/* Not taken: the next second will do. */
	(void)link_send(d->link, NULL, buf_str(&frame));
	buf_fini(&frame);
	loop_timer_set(&d->loop, &d->timer, now_us + ASK_US);
}

/* A file name and nothing else: it comes from the network. */
static bool is_source_name(struct str name)
{
	if (name.len < 3 || name.len > NAME_BYTES_MAX || name.p[0] == '.' ||
	    memcmp(name.p + name.len - 2, ".c", 2) != 0)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '/' || (unsigned char)name.p[i] < ' ')
			return false;
	return true;
}

static enum err write_source(struct download *d, struct str name, struct str source)
{
	const char *base = getenv("TMPDIR");
	char folder[FOLDER_BYTES];
	struct buf path;
	FILE *file;
	bool is_written;

	snprintf(folder, sizeof(folder), "%s/cicada-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(folder))
		return err_set(d->text, ERR_IO, "no folder for the scenario at %.200s: %s", folder,
			       strerror(errno));
	buf_init(&path, FOLDER_BYTES + NAME_BYTES_MAX + 1);
	buf_printf(&path, "%s/%.*s", folder, STR_ARG(name));
	*d->path = buf_take(&path);
	file = fopen(*d->path, "wxe");
	is_written = file && fwrite(source.p, 1, source.len, file) == source.len;
	if (file && fclose(file))
		is_written = false;
	if (!is_written) {
		enum err err =
			err_set(d->text, ERR_IO, "cannot write %s: %s", *d->path, strerror(errno));
		master_file_remove(d->path);
		return err;
	}
	log_line(LOG_INFO, LOGGER, "The master's scenario is %.*s", STR_ARG(name));
	return OK;
}

static enum err take(struct download *d, const struct msg_locustfile *answer)
{
	if (answer->error.len)
		return err_set(d->text, ERR_UNSUPPORTED, "Master error: %.*s",
			       (int)(answer->error.len < 300 ? answer->error.len : 300),
			       answer->error.p);
	if (!is_source_name(answer->filename))
		return err_set(d->text, ERR_UNSUPPORTED,
			       "the master's scenario is no C source; give this worker a "
			       "scenario with -f FILE");
	if (answer->contents.len > LIMIT_SCENARIO_SOURCE_BYTES)
		return err_set(d->text, ERR_TOO_BIG, "the master's scenario has more than %d bytes",
			       LIMIT_SCENARIO_SOURCE_BYTES);
	return write_source(d, answer->filename, answer->contents);
}

static void on_frame(void *arg, struct str peer, struct str frame)
{
	struct download *d = arg;
	struct msg m;

	(void)peer;
	/* Whatever else a master says is not for this connection. */
	if (d->loop.should_stop || msg_decode(frame, 0, &m, NULL))
		return;
	if (m.type == MSG_LOCUSTFILE)
		finish(d, take(d, &m.locustfile));
	msg_fini(&m);
}

enum err master_file_get(const char *master_host, unsigned master_port,
			 const struct cluster_key *key, char **path, struct err_text *text)
{
	struct download d = { .path = path, .text = text };
	const struct link_options options = { .on_frame = on_frame, .arg = &d, .key = key };
	enum err err;

	*path = NULL;
	err = loop_init(&d.loop, text);
	if (err)
		return err;
	d.give_up_us = clock_us() + GIVE_UP_US;
	d.word_us = clock_us() + FIRST_WORD_US;
	loop_timer_init(&d.timer, ask, &d);
	err = node_id_fill(d.id, sizeof(d.id), "_download_locustfile", text);
	if (!err)
		err = link_connect(
			&d.loop, &options, master_host ? master_host : CLUSTER_MASTER_HOST,
			master_port ? master_port : CLUSTER_MASTER_PORT, d.id, &d.link, text);
	if (!err) {
		loop_timer_set(&d.loop, &d.timer, 0);
		loop_run(&d.loop);
		err = d.err;
	}
	loop_timer_clear(&d.loop, &d.timer);
	link_close(&d.link);
	loop_fini(&d.loop);
	return err;
}

void master_file_remove(char **path)
{
	char *slash;

	if (!*path)
		return;
	slash = strrchr(*path, '/');
	(void)unlink(*path);
	*slash = '\0';
	(void)rmdir(*path);
	mem_free(*path);
	*path = NULL;
}
