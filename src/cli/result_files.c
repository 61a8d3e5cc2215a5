/* SPDX-License-Identifier: MIT
 *
 * result_files - see the header. */
#include "cli/result_files.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/folder.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cicada_options.h"
#include "cli/csv_files.h"
#include "cli/stats_json.h"
#include "run/gate.h"
#include "run/junit.h"
#include "web/report.h"

#define LOGGER	   "locust.main"
#define PATH_BYTES 4096

/* "reports/a.json" -> "reports" and "a.json". The folder is the caller's to free. */
static char *folder_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (!slash)
		return mem_strdup(".");
	return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

/* Whole or not at all: whoever waits for the file reads no half of it. */
static bool write_file(const char *path, struct buf *bytes)
{
	struct err_text text = { "" };
	const char *name;
	char *folder = folder_of(path, &name);
	enum err err = bytes->is_full ? ERR_TOO_BIG : folder_create(folder, &text);

	if (!err)
		err = folder_replace(folder, name, buf_str(bytes), &text);
	if (err)
		log_line(LOG_ERROR, LOGGER, "%s was not written: %s", path, err_say(&text, err));
	mem_free(folder);
	return !err;
}

static bool write_json(const struct result_files *f)
{
	bool is_written = true;
	struct buf json;

	if (!f->o->want_json && !f->o->json_file)
		return true;
	buf_init(&json, LIMIT_API_BYTES);
	stats_json_write(&f->run->stats, &json);
	if (f->o->want_json) {
		fwrite(buf_str(&json).p, 1, json.len, stdout);
		is_written = !json.is_full && fflush(stdout) == 0;
		if (!is_written)
			log_line(LOG_ERROR, LOGGER, "--json: %s", strerror(errno));
	}
	if (f->o->json_file) {
		char *path = mem_printf("%s.json", f->o->json_file);

		is_written &= write_file(path, &json);
		mem_free(path);
	}
	buf_fini(&json);
	return is_written;
}

static bool write_junit(const struct result_files *f)
{
	bool is_written;
	struct buf xml;

	if (!f->o->junit_file || !f->gates->is_judged)
		return true;
	buf_init(&xml, LIMIT_JUNIT_BYTES);
	junit_write(f->run, f->gates, &xml);
	is_written = write_file(f->o->junit_file, &xml);
	buf_fini(&xml);
	return is_written;
}

/* "{u}", "{r}" and "{t}" of the name become what the test was started with, in whole numbers. */
static char *report_path(const struct result_files *f)
{
	const struct run_start *wanted = &f->run->wanted;
	const struct {
		const char *mark;
		uint64_t value;
	} marks[] = { { "{u}", wanted->user_count },
		      { "{r}", (uint64_t)wanted->spawn_rate },
		      { "{t}", wanted->run_time_s } };
	struct buf path;

	buf_init(&path, PATH_BYTES);
	for (const char *p = f->o->html_file; *p;) {
		size_t i = 0;

		while (i < 3 && strncmp(p, marks[i].mark, 3) != 0)
			i++;
		if (i < 3)
			buf_add_u64(&path, marks[i].value);
		else
			buf_add_char(&path, *p);
		p += i < 3 ? 3 : 1;
	}
	return buf_take(&path);
}

static bool write_report(const struct result_files *f)
{
	bool is_written;
	struct buf html;
	char *path;

	if (!f->o->html_file)
		return true;
	path = report_path(f);
	buf_init(&html, LIMIT_REPORT_BYTES);
	report_write(f->run, &(struct report_options){ .theme = NULL }, &html);
	is_written = write_file(path, &html);
	buf_fini(&html);
	mem_free(path);
	return is_written;
}

enum err result_files_open(struct result_files *f, const struct cicada_options *o,
			   const struct run *run, const struct gates *gates, struct err_text *text)
{
	*f = (struct result_files){ .o = o, .run = run, .gates = gates };
	return o->csv_prefix
		       ? csv_files_open(o->csv_prefix, o->want_csv_full_history, run, &f->csv, text)
		       : OK;
}

const char *result_files_history(const struct result_files *f)
{
	return f->csv && f->o->want_csv_full_history ? csv_files_history(f->csv) : NULL;
}

void result_files_tick(struct result_files *f, uint64_t now_us)
{
	if (f->csv)
		csv_files_tick(f->csv, now_us);
}

bool result_files_close(struct result_files *f)
{
	bool is_written = !f->csv || csv_files_close(&f->csv) == OK;

	if (!f->run)
		return true;
	is_written &= write_json(f);
	is_written &= write_report(f);
	return write_junit(f) && is_written;
}
