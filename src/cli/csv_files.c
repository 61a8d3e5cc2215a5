/* SPDX-License-Identifier: MIT
 *
 * csv_files - see the header.
 *
 * Percentiles of the last 10 seconds are what has come on top of a copy of the rounded times that
 * is 10 seconds old, or of the oldest one there is (reference section 4.5); each name has a ring of
 * such copies, one per second. */
#include "cli/csv_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "stat/shown.h"
#include "web/api_csv.h"

#define COPIES	11 /* the present one and ten seconds before */
#define AGE_MIN 2  /* of the copy that is compared with */
#define FILES	4
#define LOGGER	"locust.stats"

enum { STATS, FAILURES, EXCEPTIONS, HISTORY };

static const char *const suffixes[FILES] = { "_stats.csv", "_failures.csv", "_exceptions.csv",
					     "_stats_history.csv" };

/* Of one name: the rounded times of its last seconds. */
struct past {
	struct rounded copies[COPIES]; /* a ring */
	size_t next, used;
};

struct csv_files {
	const struct run *run;
	bool want_full_history, has_failed;
	int fds[FILES];
	char *paths[FILES];
	struct buf text; /* of one write */
	uint64_t due_us;
	int64_t row_s;	  /* unix second of the last rows of the history */
	struct map pasts; /* method, NUL, name -> struct past */
	uint64_t epoch;	  /* of the run, when they were made */
};

static void forget_pasts(struct csv_files *f)
{
	struct map_entry *slot;

	for (size_t i = 0; (slot = map_next(&f->pasts, &i));) {
		struct past *past = slot->value;

		for (size_t j = 0; j < COPIES; j++)
			rounded_fini(&past->copies[j]);
		mem_free(past);
	}
	map_clear(&f->pasts);
}

static struct past *past_of(struct csv_files *f, const struct stats_entry *e)
{
	struct past *past;
	struct buf key;

	buf_init(&key, 2 * LIMIT_STAT_NAME_BYTES + 2);
	buf_add_text(&key, e->method);
	buf_add_char(&key, '\0');
	buf_add_text(&key, e->name);
	past = map_get(&f->pasts, buf_str(&key));
	if (!past) {
		past = mem_zalloc(1, sizeof(*past));
		for (size_t i = 0; i < COPIES; i++)
			rounded_init(&past->copies[i]);
		map_put(&f->pasts, buf_str(&key), past);
	}
	buf_fini(&key);
	return past;
}

/* Takes this second's copy; *times is what came since the one to compare with, or stays empty. */
static void take_recent(struct past *past, const struct stats_entry *e, struct rounded *times)
{
	struct rounded *now = &past->copies[past->next];
	size_t wanted = (size_t)(shown()->recent_us / shown()->csv_us);
	size_t age = past->used < COPIES ? past->used : COPIES - 1;

	if (!wanted)
		wanted = 1;
	if (age > wanted)
		age = wanted;

	rounded_clear(now);
	stats_rounded(e, now);
	if (age >= (wanted < AGE_MIN ? wanted : AGE_MIN)) {
		rounded_merge(times, now);
		rounded_subtract(times, &past->copies[(past->next + COPIES - age) % COPIES]);
	}
	past->next = (past->next + 1) % COPIES;
	past->used += past->used < COPIES;
}

static void add_history_row(struct csv_files *f, const struct stats_entry *e)
{
	struct rounded times;

	rounded_init(&times);
	if (f->want_full_history)
		take_recent(past_of(f, e), e, &times);
	else
		stats_rounded(e, &times);
	api_csv_history_row(f->run, e, &times, &f->text);
	rounded_fini(&times);
}

/* At most once in a second, also when the files are closed within it. */
static void write_history_rows(struct csv_files *f)
{
	size_t count = 0;
	struct stats_entry **rows = NULL;

	if (f->row_s == (int64_t)run_wall_s(f->run))
		return;
	f->row_s = (int64_t)run_wall_s(f->run);
	if (f->epoch != f->run->epoch)
		forget_pasts(f);
	f->epoch = f->run->epoch;
	if (f->want_full_history)
		rows = stats_sorted(&f->run->stats, &count);
	for (size_t i = 0; i < count; i++)
		add_history_row(f, rows[i]);
	add_history_row(f, &f->run->stats.total);
	mem_free(rows);
}

static void fail(struct csv_files *f, int file, const char *why)
{
	if (!f->has_failed)
		log_line(LOG_ERROR, LOGGER, "%s: %s; the CSV files are not complete",
			 f->paths[file], why);
	f->has_failed = true;
}

/* Appends f->text to the history, or makes it all that is in the file, then empties it. */
static void put(struct csv_files *f, int file)
{
	struct str rest = buf_str(&f->text);
	off_t at = file == HISTORY ? lseek(f->fds[file], 0, SEEK_END) : 0;

	if (f->text.is_full)
		fail(f, file, "more rows than the table may have");
	while (rest.len) {
		ssize_t wrote = pwrite(f->fds[file], rest.p, rest.len, at);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0) {
			fail(f, file, strerror(errno));
			break;
		}
		at += wrote;
		rest = (struct str){ rest.p + wrote, rest.len - (size_t)wrote };
	}
	if (file != HISTORY && ftruncate(f->fds[file], at) != 0)
		fail(f, file, strerror(errno));
	buf_clear(&f->text);
}

static void write_all(struct csv_files *f)
{
	static void (*const tables[])(const struct run *, struct buf *) = {
		[STATS] = api_csv_requests,
		[FAILURES] = api_csv_failures,
		[EXCEPTIONS] = api_csv_exceptions,
	};

	for (int i = STATS; i <= EXCEPTIONS; i++) {
		tables[i](f->run, &f->text);
		put(f, i);
	}
	write_history_rows(f);
	put(f, HISTORY);
}

static enum err create_folder(const char *prefix, struct err_text *text)
{
	const char *slash = strrchr(prefix, '/');
	char *folder;
	enum err err;

	if (!slash || slash == prefix)
		return OK;
	folder = mem_strndup(prefix, (size_t)(slash - prefix));
	err = folder_create(folder, text);
	mem_free(folder);
	return err;
}

static void destroy(struct csv_files **at)
{
	struct csv_files *f = *at;

	*at = NULL;
	for (size_t i = 0; i < FILES; i++) {
		if (f->fds[i] >= 0)
			close(f->fds[i]);
		mem_free(f->paths[i]);
	}
	forget_pasts(f);
	map_fini(&f->pasts);
	buf_fini(&f->text);
	mem_free(f);
}

enum err csv_files_open(const char *prefix, bool want_full_history, const struct run *run,
			struct csv_files **out, struct err_text *text)
{
	struct csv_files *f = mem_zalloc(1, sizeof(*f));
	enum err err = create_folder(prefix, text);

	*f = (struct csv_files){ .run = run,
				 .want_full_history = want_full_history,
				 .fds = { -1, -1, -1, -1 } };
	buf_init(&f->text, LIMIT_CSV_BYTES);
	map_init(&f->pasts);
	for (size_t i = 0; i < FILES && !err; i++) {
		f->paths[i] = mem_printf("%s%s", prefix, suffixes[i]);
		f->fds[i] = open(f->paths[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (f->fds[i] < 0)
			err = err_set(text, ERR_IO, "--csv: %s: %s", f->paths[i], strerror(errno));
	}
	if (err) {
		destroy(&f);
		return err;
	}
	api_csv_history_head(&f->text);
	put(f, HISTORY);
	*out = f;
	return OK;
}

const char *csv_files_history(const struct csv_files *f)
{
	return f->paths[HISTORY];
}

void csv_files_tick(struct csv_files *f, uint64_t now_us)
{
	uint64_t every_us = shown()->csv_us;

	if (now_us < f->due_us)
		return;
	/* On whole seconds from the first one, however late this turn came. */
	f->due_us = (f->due_us + every_us > now_us ? f->due_us : now_us) + every_us;
	write_all(f);
}

enum err csv_files_close(struct csv_files **at)
{
	enum err err;

	write_all(*at);
	err = (*at)->has_failed ? ERR_IO : OK;
	destroy(at);
	return err;
}
