/* SPDX-License-Identifier: MIT
 *
 * tally - see the header. Tasks nearly always name their rows by string literals, so the
 * addresses of method and name find the label; that the texts still say the same is checked
 * each time, for a scenario may as well have written another name into the same buffer. */
#include "user/tally.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define KEY_BYTES (2 * LIMIT_STAT_NAME_BYTES + 1)

struct label {
	struct stats_entry *entry; /* in the stats of `generation` */
	uint64_t generation;	   /* 0: none yet */
	char *method, *name;
};

const char *tally_label_name(const struct label *label)
{
	return label->name;
}

static void read_wall_clock(struct tally *t, uint64_t now_us)
{
	t->wall_s = clock_wall_s();
	t->wall_at_us = now_us;
}

static double wall_of(const struct tally *t, uint64_t us)
{
	return t->wall_s + ((double)us - (double)t->wall_at_us) / (double)CLOCK_S;
}

void tally_init(struct tally *t, struct stats *stats, uint64_t now_us)
{
	*t = (struct tally){ .stats = stats, .generation = 1 };
	map_init(&t->labels);
	read_wall_clock(t, now_us);
}

void tally_forget(struct tally *t)
{
	struct map_entry *slot;

	for (size_t i = 0; (slot = map_next(&t->labels, &i));) {
		struct label *label = slot->value;

		mem_free(label->method);
		mem_free(label->name);
		mem_free(label);
	}
	map_clear(&t->labels);
	memset(t->cache, 0, sizeof(t->cache));
}

void tally_fini(struct tally *t)
{
	tally_forget(t);
	map_fini(&t->labels);
	stats_fini(t->stats);
	mem_free(t->stats);
	t->stats = NULL;
}

static struct label *find_label(struct tally *t, const char *method, const char *name)
{
	size_t method_len = strnlen(method, LIMIT_STAT_NAME_BYTES);
	size_t name_len = strnlen(name, LIMIT_STAT_NAME_BYTES);
	char bytes[KEY_BYTES];
	struct str key = { bytes, method_len + 1 + name_len };
	struct label *label;

	memcpy(bytes, method, method_len);
	bytes[method_len] = '\0';
	memcpy(bytes + method_len + 1, name, name_len);
	label = map_get(&t->labels, key);
	if (label)
		return label;
	if (t->labels.count >= LIMIT_STAT_NAMES && strcmp(name, STATS_OTHERS) != 0)
		return find_label(t, "", STATS_OTHERS);
	label = mem_zalloc(1, sizeof(*label));
	label->method = mem_strndup(method, method_len);
	label->name = mem_strndup(name, name_len);
	map_put(&t->labels, key, label);
	return label;
}

struct label *tally_label(struct tally *t, const char *method, const char *name)
{
	uintptr_t mix = (uintptr_t)name ^ ((uintptr_t)method << 1);
	struct tally_slot *slot = &t->cache[(mix ^ (mix >> 8)) % TALLY_CACHE_SLOTS];

	if (slot->name == name && slot->method == method && strcmp(slot->label->name, name) == 0 &&
	    strcmp(slot->label->method, method) == 0)
		return slot->label;
	*slot = (struct tally_slot){ method, name, find_label(t, method, name) };
	return slot->label;
}

static struct stats_entry *entry_of(const struct tally *t, struct label *label, double wall_s)
{
	if (label->generation != t->generation) {
		label->entry =
			stats_entry(t->stats, str_of(label->method), str_of(label->name), wall_s);
		label->generation = t->generation;
	}
	return label->entry;
}

void tally_record(struct tally *t, struct label *label, const struct stats_request *request,
		  uint64_t ended_us)
{
	double wall_s = wall_of(t, ended_us);

	stats_record(t->stats, entry_of(t, label, wall_s), request, wall_s);
}

void tally_fail(struct tally *t, struct label *label, const char *error, uint64_t now_us)
{
	double wall_s = wall_of(t, now_us);

	stats_fail(t->stats, entry_of(t, label, wall_s), error, wall_s);
}

void tally_error(struct tally *t, const char *name, const char *error, uint64_t now_us)
{
	double wall_s = wall_of(t, now_us);

	stats_add_error(t->stats, str_of(""), str_of(""), str_of(name), str_of(error), 1, wall_s,
			wall_s);
}

struct stats *tally_take(struct tally *t, struct stats *blank, uint64_t now_us)
{
	struct stats *taken = t->stats;

	t->stats = blank;
	t->generation++;
	read_wall_clock(t, now_us);
	return taken;
}
