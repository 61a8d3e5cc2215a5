/* SPDX-License-Identifier: MIT
 *
 * journal - see the header.
 *
 * The last line may be torn and is dropped then: what it says has not counted yet, for nothing goes
 * on before fsync() has returned. A whole line that cannot be read is no accident of ours, and is
 * refused rather than skipped: behind it the figures of hours may stand. */
#include "matrix/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/mem.h"
#include "matrix/result_row.h"

#define VERSION	  1
#define LEFT_TEST "left_test" /* a member that is true, or not there */

struct journal {
	const struct journal_plan *plan;
	char *folder;
	char path[PATH_MAX];
	int folder_fd; /* has the lock, which ends with the process */
	int fd;	       /* -1: not started, or an append has failed */
};

/* ---- reading ---- */

struct reader {
	const struct journal_plan *plan;
	struct journal_past *past;
	size_t cap;
	size_t begun; /* the scenario whose row is due, from 1; 0: none is */
	bool is_here; /* its tests ran at the master of the plan */
	struct err_text why;
};

static uint64_t plan_digest(const struct journal_plan *plan)
{
	struct str settings = str_of(plan->settings);

	return digest_add(digest_add(DIGEST_START, settings.p, settings.len), &plan->scenarios,
			  sizeof(plan->scenarios));
}

static bool is_same_master(const struct journal_plan *plan, const json_t *line)
{
	const char *master = json_string_value(json_object_get(line, "master"));

	if (!master || !plan->master)
		return !master && !plan->master;
	return strcmp(master, plan->master) == 0;
}

static enum err read_plan(struct reader *r, const json_t *line)
{
	const char *hash = json_string_value(json_object_get(line, "hash"));
	const json_t *version = json_object_get(line, "version");
	char own[32];

	if (!hash || !json_is_integer(version))
		return err_set(&r->why, ERR_BAD_INPUT, "a plan without hash or version");
	if (json_integer_value(version) != VERSION)
		return err_set(&r->why, ERR_UNSUPPORTED,
			       "version %" JSON_INTEGER_FORMAT " of the journal is not known here",
			       json_integer_value(version));
	snprintf(own, sizeof(own), "%016" PRIx64, plan_digest(r->plan));
	r->past->kind = strcmp(hash, own) == 0 ? JOURNAL_SAME : JOURNAL_OTHER;
	r->is_here = r->past->kind == JOURNAL_SAME || is_same_master(r->plan, line);
	return OK;
}

/* One that was measured is not spoken of again: so no row is there twice. Numbers from 1. */
static enum err read_scenario(struct reader *r, const json_t *line, size_t *out)
{
	json_int_t number = json_integer_value(json_object_get(line, "scenario"));
	const struct journal_past *past = r->past;

	if (number < 1 || (uint64_t)number > r->plan->scenarios)
		return err_set(&r->why, ERR_BAD_INPUT, "its scenario is none of the plan's %zu",
			       r->plan->scenarios);
	*out = (size_t)number;
	if (result_row_find(past->rows, past->count, *out - 1))
		return err_set(&r->why, ERR_BAD_INPUT, "scenario %zu has its row already", *out);
	return OK;
}

static enum err read_started(struct reader *r, const json_t *line)
{
	const char *environment = json_string_value(json_object_get(line, "environment"));

	if (!environment)
		return err_set(&r->why, ERR_BAD_INPUT, "a start without its environment");
	mem_free(r->past->environment);
	r->past->environment = mem_strdup(environment);
	r->begun = 0;
	return OK;
}

static enum err read_begun(struct reader *r, const json_t *line)
{
	return read_scenario(r, line, &r->begun);
}

static enum err read_row(struct reader *r, const json_t *line)
{
	struct journal_past *past = r->past;
	struct result_row row;
	size_t number = 0;
	enum err err = read_scenario(r, line, &number);

	if (!err && r->begun != number)
		err = err_set(&r->why, ERR_BAD_INPUT, "a row of a scenario that has not begun");
	if (!err)
		err = result_row_read_json(line, &row, &r->why);
	r->begun = 0;
	if (err || !result_status_is_measured(row.status))
		return err;
	row.scenario = number - 1;
	result_row_insert(&past->rows, &past->count, &r->cap, &row);
	return OK;
}

/* It says nothing that counts. */
static enum err read_tried(struct reader *r, const json_t *line)
{
	size_t number;

	r->begun = 0;
	return read_scenario(r, line, &number);
}

static enum err read_ended(struct reader *r, const json_t *line)
{
	(void)line;
	r->begun = 0;
	return OK;
}

static const struct record {
	const char *name;
	enum err (*read)(struct reader *r, const json_t *line);
	/* Whether a test of ours may run after it. */
	enum { KEEPS, BEGINS, SAYS } test;
} records[] = {
	{ "plan", read_plan, SAYS },	 { "started", read_started, KEEPS },
	{ "begun", read_begun, BEGINS }, { "tried", read_tried, SAYS },
	{ "row", read_row, SAYS },	 { "ended", read_ended, KEEPS },
};

/* NULL: there is no such record. The plan is the first line, and only that. */
static const struct record *find_record(const struct reader *r, const json_t *line)
{
	const char *name = json_string_value(json_object_get(line, "record"));

	for (size_t i = 0; name && i < sizeof(records) / sizeof(records[0]); i++)
		if (strcmp(name, records[i].name) == 0 &&
		    (r->past->kind == JOURNAL_NONE) == (i == 0))
			return &records[i];
	return NULL;
}

static enum err read_line(struct reader *r, struct str line)
{
	bool is_other = r->past->kind == JOURNAL_OTHER;
	const struct record *record;
	json_t *root = NULL;
	enum err err = OK;

	if (line.len <= LIMIT_JOURNAL_LINE_BYTES)
		root = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, NULL);
	record = find_record(r, root);
	if (record && !is_other)
		err = record->read(r, root);
	else if (!is_other)
		err = err_set(&r->why, ERR_BAD_INPUT, "not a record of a journal");
	if (record && record->test != KEEPS && r->is_here)
		r->past->has_leftover =
			record->test == BEGINS || json_is_true(json_object_get(root, LEFT_TEST));
	json_decref(root);
	return err;
}

enum err journal_parse(const char *name, struct str bytes, const struct journal_plan *plan,
		       struct journal_past *out, struct err_text *text)
{
	struct reader r = { .plan = plan, .past = out };
	enum err err = OK;

	*out = (struct journal_past){ JOURNAL_NONE };
	for (size_t number = 1; !err && out->whole_bytes < bytes.len; number++) {
		struct str line = { bytes.p + out->whole_bytes, bytes.len - out->whole_bytes };
		const char *end = memchr(line.p, '\n', line.len);

		out->is_torn = !end && out->kind != JOURNAL_OTHER;
		if (!end)
			break;
		line.len = (size_t)(end - line.p);
		err = read_line(&r, line);
		if (err)
			err_set(text, err, "%s:%zu: %s; %s, or set the file aside with --fresh",
				name, number, r.why.text,
				err == ERR_UNSUPPORTED
					? "go on with the cicada-driver that has written it"
					: "mend that line");
		out->whole_bytes += line.len + 1;
	}
	if (err) {
		mem_free(out->rows);
		mem_free(out->environment);
		*out = (struct journal_past){ JOURNAL_NONE };
	}
	return err;
}

/* ---- the file ---- */

/* Where the file system has no locks, everything else still works. */
static enum err lock_folder(struct journal *j, struct err_text *text)
{
	j->folder_fd = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->folder_fd < 0)
		return err_set(text, ERR_IO, "%s: cannot open: %s", j->folder, strerror(errno));
	if (flock(j->folder_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return err_set(text, ERR_BUSY,
			       "%s: another cicada-driver is at work in this folder; wait for it, "
			       "or give another one with --results",
			       j->folder);
	return OK;
}

static enum err read_past(const struct journal *j, struct journal_past *past, struct err_text *text)
{
	struct buf bytes;
	enum err err;

	buf_init(&bytes, LIMIT_JOURNAL_BYTES);
	err = file_read(j->path, &bytes, text);
	if (!err)
		err = journal_parse(j->path, buf_str(&bytes), j->plan, past, text);
	else if (err == ERR_NOT_FOUND)
		err = OK;
	buf_fini(&bytes);
	return err;
}

/* What cannot be read is set aside as it is. */
static void read_leftover(const struct journal *j, struct journal_past *past)
{
	struct err_text ignored = { "" };
	struct journal_past all = { JOURNAL_NONE };

	if (read_past(j, &all, &ignored) == OK)
		past->has_leftover = all.has_leftover;
	mem_free(all.rows);
	mem_free(all.environment);
}

enum err journal_open(const char *folder, const struct journal_plan *plan, bool is_fresh,
		      struct journal **out, struct journal_past *past, struct err_text *text)
{
	struct journal *j = mem_zalloc(1, sizeof(*j));
	enum err err = OK;

	j->plan = plan;
	j->folder = mem_strdup(folder);
	j->folder_fd = j->fd = -1;
	if ((size_t)snprintf(j->path, sizeof(j->path), "%s/" JOURNAL_FILE, folder) >=
	    sizeof(j->path))
		err = err_set(text, ERR_TOO_BIG, "%s: the path is too long", folder);
	if (!err)
		err = lock_folder(j, text);
	*past = (struct journal_past){ JOURNAL_NONE };
	if (!err && is_fresh)
		read_leftover(j, past);
	else if (!err)
		err = read_past(j, past, text);
	if (err)
		journal_close(&j);
	*out = j;
	return err;
}

void journal_close(struct journal **j)
{
	if (!*j)
		return;
	if ((*j)->fd >= 0)
		close((*j)->fd);
	if ((*j)->folder_fd >= 0)
		close((*j)->folder_fd);
	mem_free((*j)->folder);
	mem_free(*j);
	*j = NULL;
}

static void add_left_test(bool has_left, struct buf *line)
{
	if (has_left)
		buf_add_text(line, ",\"" LEFT_TEST "\":true");
}

static enum err create_file(const struct journal *j, bool has_leftover, struct err_text *text)
{
	enum err err = folder_set_aside(j->folder, JOURNAL_FILE, text);
	struct buf line;

	if (err)
		return err;
	buf_init(&line, LIMIT_JOURNAL_LINE_BYTES);
	buf_printf(&line,
		   "{\"record\":\"plan\",\"version\":%d,\"hash\":\"%016" PRIx64
		   "\",\"scenarios\":%zu,\"time\":%.3f,\"plan\":",
		   VERSION, plan_digest(j->plan), j->plan->scenarios, clock_wall_s());
	buf_add_json(&line, str_of(j->plan->settings));
	if (j->plan->master) {
		buf_add_text(&line, ",\"master\":");
		buf_add_json(&line, str_of(j->plan->master));
	}
	add_left_test(has_leftover, &line);
	buf_add_text(&line, "}\n");
	err = line.is_full ? err_set(text, ERR_TOO_BIG, "%s: the plan is too long", j->path)
			   : folder_replace(j->folder, JOURNAL_FILE, buf_str(&line), text);
	buf_fini(&line);
	return err;
}

/* Ends the line and takes it over. */
static enum err append(struct journal *j, struct buf *line, struct err_text *text)
{
	enum err err;

	buf_add_text(line, "}\n");
	if (j->fd < 0)
		err = err_set(text, ERR_IO, "%s: cannot be written", j->path);
	else if (line->is_full)
		err = err_set(text, ERR_TOO_BIG, "%s: a record is too long", j->path);
	else
		err = file_write(j->fd, buf_str(line), j->path, text);
	/* A further line would be glued to a part of this one. */
	if (err && j->fd >= 0) {
		close(j->fd);
		j->fd = -1;
	}
	buf_fini(line);
	return err;
}

enum err journal_start(struct journal *j, const struct journal_past *past, const char *environment,
		       struct err_text *text)
{
	struct buf line;
	enum err err = past->kind == JOURNAL_SAME ? OK : create_file(j, past->has_leftover, text);

	if (err)
		return err;
	j->fd = open(j->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (j->fd < 0)
		return err_set(text, ERR_IO, "%s: cannot open: %s", j->path, strerror(errno));
	if (past->kind == JOURNAL_SAME && past->is_torn &&
	    ftruncate(j->fd, (off_t)past->whole_bytes) != 0)
		return err_set(text, ERR_IO, "%s: cannot cut off its torn last line: %s", j->path,
			       strerror(errno));
	buf_init(&line, LIMIT_JOURNAL_LINE_BYTES);
	buf_printf(&line, "{\"record\":\"started\",\"time\":%.3f,\"environment\":", clock_wall_s());
	buf_add_json(&line, str_of(environment));
	return append(j, &line, text);
}

enum err journal_add_begun(struct journal *j, size_t i, struct err_text *text)
{
	struct buf line;

	buf_init(&line, LIMIT_JOURNAL_LINE_BYTES);
	buf_printf(&line, "{\"record\":\"begun\",\"scenario\":%zu,\"time\":%.3f", i + 1,
		   clock_wall_s());
	return append(j, &line, text);
}

static enum err add_figures(struct journal *j, const char *record, size_t i,
			    const struct result_row *row, struct err_text *text)
{
	struct buf line;

	buf_init(&line, LIMIT_JOURNAL_LINE_BYTES);
	buf_printf(&line, "{\"record\":\"%s\",\"scenario\":%zu", record, i + 1);
	result_row_add_json(row, &line);
	add_left_test(row->has_left_test, &line);
	return append(j, &line, text);
}

enum err journal_add_tried(struct journal *j, size_t i, const struct result_row *row,
			   struct err_text *text)
{
	return add_figures(j, "tried", i, row, text);
}

enum err journal_add_row(struct journal *j, size_t i, const struct result_row *row,
			 struct err_text *text)
{
	return add_figures(j, "row", i, row, text);
}

enum err journal_add_ended(struct journal *j, const char *how, struct err_text *text)
{
	struct buf line;

	buf_init(&line, LIMIT_JOURNAL_LINE_BYTES);
	buf_printf(&line, "{\"record\":\"ended\",\"how\":\"%s\",\"time\":%.3f", how,
		   clock_wall_s());
	return append(j, &line, text);
}
