/* SPDX-License-Identifier: MIT
 *
 * shelf - see the header.
 *
 * That a folder has changed is seen by a digest of the names, sizes, times and inodes of its files;
 * inotify would miss changes behind the symbolic links that Kubernetes mounts volumes with, and
 * those made by other machines. */
#include "infer/shelf.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/engine.h"
#include "infer/meter.h"

#define LOGGER "cicada.inference"

struct item {
	char *name, *folder;
	struct engine *engine, *old;	  /* old: NULL or still in use by a lane */
	struct seat **seats, **old_seats; /* [lane_count] */
	uint64_t digest, digest_seen;	  /* when it was read, at the last tick */
	bool is_wanted;			  /* to be read again */
};

struct shelf {
	struct shelf_options options;
	struct item items[LIMIT_MODELS];
	size_t count;
	struct seat **lane_seats; /* what shelf_seats() gives out: [lane_count][count] */
	pthread_mutex_t lock;	  /* of the engine pointers, which only the owner writes */
};

/* Folders. */

/* Sums, since a folder has no order. */
static uint64_t digest_of(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	uint64_t sum = 0;

	while (dir && (entry = readdir(dir))) {
		uint64_t digest = DIGEST_START;
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st, 0) || !S_ISREG(st.st_mode))
			continue;
		digest = digest_add(digest, entry->d_name, strlen(entry->d_name));
		digest = digest_add(digest, &st.st_size, sizeof(st.st_size));
		digest = digest_add(digest, &st.st_mtim, sizeof(st.st_mtim));
		sum += digest_add(digest, &st.st_ino, sizeof(st.st_ino));
	}
	if (dir)
		closedir(dir);
	return sum;
}

/* The last part of the path, without slashes behind it. */
static char *base_name(const char *folder)
{
	size_t end = strlen(folder), begin;

	while (end > 1 && folder[end - 1] == '/')
		end--;
	for (begin = end; begin && folder[begin - 1] != '/';)
		begin--;
	return mem_strndup(folder + begin, end - begin);
}

/* NAME=FOLDER; a sign behind a slash belongs to the folder. */
static void split_place(struct item *item, const char *place)
{
	const char *sign = strchr(place, '='), *slash = strchr(place, '/');

	if (sign && sign != place && (!slash || sign < slash)) {
		item->name = mem_strndup(place, (size_t)(sign - place));
		item->folder = mem_strdup(sign + 1);
	} else {
		item->name = base_name(place);
		item->folder = mem_strdup(place);
	}
}

static enum err name_item(struct shelf *s, const char *place, struct err_text *text)
{
	struct item *item = &s->items[s->count];

	split_place(item, place);
	s->count++;
	if (strlen(item->name) > LIMIT_MODEL_NAME_BYTES || strchr(item->name, '/'))
		return err_set(text, ERR_BAD_OPTION,
			       "model %.200s: a name has at most %d bytes and no slash; give one "
			       "as NAME=DIR",
			       place, LIMIT_MODEL_NAME_BYTES);
	if (shelf_find(s, item->name) != s->count - 1)
		return err_set(text, ERR_BAD_OPTION,
			       "model %.200s: there is another one of the name %s; give one as "
			       "NAME=DIR",
			       place, item->name);
	return OK;
}

/* Seats. */

static void free_seats(const struct shelf *s, struct seat ***seats)
{
	for (size_t i = 0; *seats && i < s->options.lane_count; i++)
		seat_destroy(&(*seats)[i]);
	mem_free(*seats);
	*seats = NULL;
}

/* Reads the item's folder into an engine with a seat for each lane. */
static enum err read_folder(const struct shelf *s, const struct item *item, struct engine **engine,
			    struct seat ***seats, struct err_text *text)
{
	enum err err;

	err = engine_create(engine, item->name, item->folder, s->options.batch_max, text);
	if (err)
		return err;
	*seats = mem_zalloc(s->options.lane_count, sizeof(**seats));
	for (size_t i = 0; i < s->options.lane_count; i++)
		(*seats)[i] = seat_create(*engine);
	return OK;
}

/* Life. */

static enum err create_items(struct shelf *s, struct err_text *text)
{
	enum err err = OK;

	for (size_t i = 0; i < s->options.count && !err; i++) {
		struct item *item = &s->items[i];

		err = name_item(s, s->options.folders[i], text);
		if (err)
			break;
		item->digest = item->digest_seen = digest_of(item->folder);
		err = read_folder(s, item, &item->engine, &item->seats, text);
		for (size_t lane = 0; lane < s->options.lane_count && !err; lane++)
			s->lane_seats[lane * s->options.count + i] = item->seats[lane];
	}
	return err;
}

enum err shelf_create(struct shelf **out, const struct shelf_options *options,
		      struct err_text *text)
{
	struct shelf *s;
	enum err err;

	if (options->count < 1 || options->count > LIMIT_MODELS)
		return err_set(text, ERR_BAD_OPTION, "give 1 to %d models", LIMIT_MODELS);
	s = mem_zalloc(1, sizeof(*s));
	s->options = *options;
	pthread_mutex_init(&s->lock, NULL);
	s->lane_seats = mem_zalloc(options->lane_count * options->count, sizeof(*s->lane_seats));
	err = create_items(s, text);
	s->options.folders = NULL;
	if (err)
		shelf_destroy(&s);
	else
		*out = s;
	return err;
}

void shelf_destroy(struct shelf **sp)
{
	struct shelf *s = *sp;

	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct item *item = &s->items[i];

		free_seats(s, &item->seats);
		free_seats(s, &item->old_seats);
		engine_destroy(&item->engine);
		engine_destroy(&item->old);
		mem_free(item->name);
		mem_free(item->folder);
	}
	mem_free(s->lane_seats);
	pthread_mutex_destroy(&s->lock);
	mem_free(s);
	*sp = NULL;
}

struct seat *const *shelf_seats(const struct shelf *s, size_t lane)
{
	return s->lane_seats + lane * s->count;
}

size_t shelf_count(const struct shelf *s)
{
	return s->count;
}

const char *shelf_name(const struct shelf *s, size_t model)
{
	return s->items[model].name;
}

size_t shelf_find(const struct shelf *s, const char *name)
{
	size_t i = 0;

	while (i < s->count && strcmp(s->items[i].name, name) != 0)
		i++;
	return i;
}

void shelf_lock(struct shelf *s)
{
	pthread_mutex_lock(&s->lock);
}

void shelf_unlock(struct shelf *s)
{
	pthread_mutex_unlock(&s->lock);
}

const struct engine *shelf_engine(const struct shelf *s, size_t model)
{
	return s->items[model].engine;
}

/* Exchange. */

static void sweep(struct shelf *s, struct item *item)
{
	if (!item->old)
		return;
	for (size_t i = 0; i < s->options.lane_count; i++)
		if (!atomic_load(&item->old_seats[i]->is_left))
			return;
	free_seats(s, &item->old_seats);
	engine_destroy(&item->old);
}

static void exchange(struct shelf *s, size_t model, struct engine *engine, struct seat **seats)
{
	struct item *item = &s->items[model];

	item->old_seats = item->seats;
	item->seats = seats;
	shelf_lock(s);
	item->old = item->engine;
	item->engine = engine;
	shelf_unlock(s);
	for (size_t i = 0; i < s->options.lane_count; i++)
		s->options.exchange(s->options.arg, i, model, seats[i]);
}

static void read_again(struct shelf *s, size_t model)
{
	struct item *item = &s->items[model];
	struct engine *engine = NULL;
	struct seat **seats = NULL;
	struct err_text text = { 0 };
	enum err err;

	item->is_wanted = false;
	item->digest = item->digest_seen = digest_of(item->folder);
	err = read_folder(s, item, &engine, &seats, &text);
	if (err) {
		meter_reload(s->options.meter, false);
		log_line(LOG_WARNING, LOGGER, "%s stays as it was, its folder was refused: %s",
			 item->name, err_say(&text, err));
		return;
	}
	log_line(LOG_INFO, LOGGER, "read again: %s", engine->summary);
	exchange(s, model, engine, seats);
	meter_reload(s->options.meter, true);
}

void shelf_reload(struct shelf *s)
{
	for (size_t i = 0; i < s->count; i++) {
		sweep(s, &s->items[i]);
		if (s->items[i].old)
			s->items[i].is_wanted = true;
		else
			read_again(s, i);
	}
}

void shelf_tick(struct shelf *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct item *item = &s->items[i];
		const uint64_t digest = digest_of(item->folder);
		const bool is_changed = digest != item->digest && digest == item->digest_seen;

		item->digest_seen = digest;
		sweep(s, item);
		if (!item->old && (is_changed || item->is_wanted))
			read_again(s, i);
	}
}
