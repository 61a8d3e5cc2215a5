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
	struct master_file *out;
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

static bool ends_with(struct str name, const char *end)
{
	size_t len = strlen(end);

	return name.len > len && memcmp(name.p + name.len - len, end, len) == 0;
}

/* A file name and nothing else: it comes from the network. A comma would make two of it. */
static bool is_source_name(struct str name)
{
	if (name.len > NAME_BYTES_MAX || (!ends_with(name, ".c") && !ends_with(name, ".py")) ||
	    name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '/' || name.p[i] == ',' || (unsigned char)name.p[i] < ' ')
			return false;
	return true;
}

/* Some of them are locustfiles of which the master has only said where they are. */
static bool is_url(struct str name)
{
	if ((name.len < 8 || memcmp(name.p, "http://", 7) != 0) &&
	    (name.len < 9 || memcmp(name.p, "https://", 8) != 0))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == ',' || (unsigned char)name.p[i] <= ' ')
			return false;
	return name.len < LIMIT_URL_BYTES;
}

static enum err write_file(struct download *d, const char *path, struct str source)
{
	FILE *file = fopen(path, "wxe");
	bool is_written = file && fwrite(source.p, 1, source.len, file) == source.len;

	if (file && fclose(file))
		is_written = false;
	return is_written ? OK
			  : err_set(d->text, ERR_IO, "cannot write %s: %s", path, strerror(errno));
}

/* Writes it into the folder, if need be, and adds where it is to *paths. */
static enum err take_file(struct download *d, const struct msg_file *file, const char *folder,
			  struct buf *paths)
{
	size_t at;

	if (paths->len)
		buf_add_char(paths, ',');
	at = paths->len;
	if (!file->contents.len && is_url(file->name)) {
		buf_add_str(paths, file->name);
		return OK;
	}
	if (!is_source_name(file->name))
		return err_set(d->text, ERR_UNSUPPORTED,
			       "the master's scenario is neither C source nor a locustfile; give "
			       "this worker a scenario with -f FILE");
	if (file->contents.len > LIMIT_SCENARIO_SOURCE_BYTES)
		return err_set(d->text, ERR_TOO_BIG, "the master's scenario has more than %d bytes",
			       LIMIT_SCENARIO_SOURCE_BYTES);
	log_line(LOG_INFO, LOGGER, "The master's scenario is %.*s", STR_ARG(file->name));
	buf_printf(paths, "%s/%.*s", folder, STR_ARG(file->name));
	return write_file(d, paths->p + at, file->contents);
}

static enum err take(struct download *d, const struct msg_locustfile *answer)
{
	const char *base = getenv("TMPDIR");
	char folder[FOLDER_BYTES];
	enum err err = OK;
	struct buf paths;

	if (answer->error.len)
		return err_set(d->text, ERR_UNSUPPORTED, "Master error: %.*s",
			       (int)(answer->error.len < 300 ? answer->error.len : 300),
			       answer->error.p);
	if (!answer->file_count)
		return err_set(d->text, ERR_UNSUPPORTED,
			       "the master has no scenario to give; give this worker one with -f "
			       "FILE");
	snprintf(folder, sizeof(folder), "%s/cicada-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(folder))
		return err_set(d->text, ERR_IO, "no folder for the scenario at %.200s: %s", folder,
			       strerror(errno));
	buf_init(&paths, LIMIT_LOCUSTFILES * (FOLDER_BYTES + LIMIT_URL_BYTES));
	for (size_t i = 0; i < answer->file_count && !err; i++)
		err = take_file(d, &answer->files[i], folder, &paths);
	d->out->folder = mem_strdup(folder);
	d->out->paths = buf_take(&paths);
	return err;
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
			 const struct cluster_key *key, struct master_file *out,
			 struct err_text *text)
{
	struct download d = { .out = out, .text = text };
	const struct link_options options = { .on_frame = on_frame, .arg = &d, .key = key };
	enum err err;

	*out = (struct master_file){ 0 };
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
	if (err)
		master_file_remove(out);
	return err;
}

void master_file_remove(struct master_file *file)
{
	struct str rest = str_of(file->paths ? file->paths : ""), path;

	while (str_cut(&rest, ',', &path)) {
		char *copy = mem_strndup(path.p, path.len);

		(void)unlink(copy);
		mem_free(copy);
	}
	if (file->folder)
		(void)rmdir(file->folder);
	mem_free(file->paths);
	mem_free(file->folder);
	*file = (struct master_file){ 0 };
}
