/* SPDX-License-Identifier: MIT
 *
 * feed - see the header. One counter per feed says how many rows were taken; it is the only thing
 * that load threads share here, and the order of the file holds over all of them. */
#include "user/feed.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "user/table.h"

struct cic_feed_state {
	struct table table;
	size_t first, step, count; /* rows of this process: first, first + step, ... */
	atomic_size_t taken;	   /* beyond count: users that got none */
};

static enum err check_columns(const struct cic_feed *feed, const struct table *table,
			      const char *path, struct err_text *text)
{
	struct str rest = str_of(feed->columns ? feed->columns : ""), word;

	while (str_cut(&rest, ' ', &word)) {
		char *name = mem_strndup(word.p, word.len);
		enum err err = OK;

		if (word.len && table_column(table, name) == table->column_count)
			err = err_set(text, ERR_NOT_FOUND,
				      "%s: no column %s, which feed %s wants; the first one is %s",
				      path, name, feed->name, table->columns[0]);
		mem_free(name);
		if (err)
			return err;
	}
	return OK;
}

enum err feed_set_slice(struct cic_feed *feed, struct feed_slice slice, struct err_text *text)
{
	struct cic_feed_state *state = feed->state;
	size_t rows = state->table.row_count;

	state->first = slice.index;
	state->step = slice.count ? slice.count : 1;
	state->count = rows > state->first ? (rows - state->first - 1) / state->step + 1 : 0;
	feed_rewind(feed);
	if (state->count)
		return OK;
	return err_set(text, ERR_NOT_FOUND,
		       "%s: %zu rows, so slice %zu/%zu of feed %s has none; add rows or make fewer "
		       "slices",
		       feed->file, rows, slice.index + 1, slice.count, feed->name);
}

void feed_rewind(struct cic_feed *feed)
{
	atomic_store_explicit(&feed->state->taken, 0, memory_order_relaxed);
}

enum err feed_open(struct cic_feed *feed, const char *folder, struct feed_slice slice,
		   struct err_text *text)
{
	struct cic_feed_state *state = mem_zalloc(1, sizeof(*state));
	char *path = feed->file[0] == '/' ? mem_strdup(feed->file)
					  : mem_printf("%s/%s", folder, feed->file);
	enum err err = table_read(&state->table, path, text);

	feed->state = state;
	if (!err)
		err = check_columns(feed, &state->table, path, text);
	if (!err)
		err = feed_set_slice(feed, slice, text);
	if (err)
		feed_close(feed);
	mem_free(path);
	return err;
}

void feed_close(struct cic_feed *feed)
{
	if (!feed->state)
		return;
	table_fini(&feed->state->table);
	mem_free(feed->state);
	feed->state = NULL;
}

const struct cic_row *feed_next(struct cic_feed *feed, struct rng *rng, bool *is_first)
{
	struct cic_feed_state *state = feed->state;
	size_t at;

	*is_first = false;
	if (!state->count)
		return NULL;
	if (feed->mode == CIC_FEED_RANDOM) {
		at = (size_t)rng_below(rng, state->count);
	} else {
		at = atomic_fetch_add_explicit(&state->taken, 1, memory_order_relaxed);
		*is_first = feed->mode == CIC_FEED_ONCE && at == state->count;
		if (feed->mode == CIC_FEED_ONCE && at >= state->count)
			return NULL;
		at %= state->count;
	}
	return table_row(&state->table, state->first + at * state->step);
}
