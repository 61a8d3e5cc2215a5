/* SPDX-License-Identifier: MIT
 *
 * api_extras - the functions of cicada.h beyond requests: JSON values of a response, operations
 * that are timed, rows of feeds. As in api.c, what a scenario passes is checked here. */
#include "cicada.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "user/feed.h"
#include "user/json_path.h"
#include "user/table.h"
#include "user/user.h"

/* --- JSON values ------------------------------------------------------------------------ */

/* A check of ours that stands as one of the scenario's own would. */
static void fail_response(struct turn *t, const char *text)
{
	cic_check(&t->response, false, text);
}

static void find(struct turn *t, const char *path_text, struct json_value *out)
{
	struct err_text why = { 0 };
	struct json_path path;
	enum err err = json_path_parse(&path, path_text, &why);

	*out = (struct json_value){ 0 };
	if (err)
		fail_response(t, err_say(&why, err));
	else
		json_path_find(&path, (struct str){ t->response.body, t->response.body_len }, out);
}

const char *cic_json_text(struct cic_response *r, const char *path)
{
	struct turn *t = (struct turn *)r;
	struct json_value value;
	size_t len;
	char *text;

	find(t, path, &value);
	if (value.kind == JSON_IS_ABSENT || value.kind == JSON_IS_NULL)
		return NULL;
	len = value.kind == JSON_IS_TEXT ? json_unescape(value.raw, NULL, 0) : value.raw.len;
	text = texts_add(&t->texts, len);
	if (!text)
		fail_response(t, "the texts taken by cic_json_text() are longer than 64 kB");
	else if (value.kind == JSON_IS_TEXT)
		json_unescape(value.raw, text, len);
	else
		memcpy(text, value.raw.p, len);
	return text;
}

bool cic_json_number(struct cic_response *r, const char *path, double *out)
{
	struct json_value value;

	find((struct turn *)r, path, &value);
	if (value.kind != JSON_IS_NUMBER || !isfinite(value.number))
		return false;
	*out = value.number;
	return true;
}

bool cic_json_int(struct cic_response *r, const char *path, int64_t *out)
{
	struct json_value value;
	bool is_negative;
	uint64_t size;

	find((struct turn *)r, path, &value);
	if (value.kind != JSON_IS_NUMBER)
		return false;
	is_negative = value.raw.p[0] == '-';
	value.raw.p += is_negative;
	value.raw.len -= is_negative;
	if (!num_parse_u64(value.raw, (uint64_t)INT64_MAX + is_negative, &size))
		return false;
	*out = (int64_t)(is_negative ? 0 - size : size);
	return true;
}

/* --- Operations ------------------------------------------------------------------------- */

/* The clock of operations is read each time: they may compute, and the loop's stands meanwhile. */
struct cic_op cic_begin(struct cic_user *u, const char *type, const char *name)
{
	user_turn(u);
	return (struct cic_op){ type, name, clock_us() };
}

void cic_record(struct cic_user *u, const char *type, const char *name, uint64_t time_us,
		uint64_t bytes, const char *error)
{
	struct tally *tally = &user_turn(u)->user->place->tally;
	char quoted[LIMIT_STAT_ERROR_BYTES];
	struct stats_request operation = { .service_us = time_us, .content_bytes = bytes };

	if (error) {
		user_quote_error(quoted, sizeof(quoted), FAILURE_OPERATION, error);
		operation.error = quoted;
		/* It came to its end, and that is why it counts as failed. */
		operation.outcome = STATS_HTTP_ERROR;
	}
	tally_record(tally, tally_label(tally, type, name), &operation, clock_us());
}

void cic_end(struct cic_user *u, const struct cic_op *op, const char *error, uint64_t bytes)
{
	uint64_t now_us = clock_us();

	cic_record(u, op->type, op->name, now_us - op->begun_us, bytes, error);
}

/* --- Rows ------------------------------------------------------------------------------- */

const struct cic_row *cic_feed_row(struct cic_user *u, struct cic_feed *feed)
{
	const struct cic_row *row;
	bool is_first;

	user_turn(u);
	/* Only what CIC_FEED defines under a name of its own has been opened. */
	ensure(feed->state);
	row = feed_next(feed, &u->rng, &is_first);
	if (row)
		return row;
	if (is_first)
		log_line(LOG_WARNING, "cicada.user",
			 "feed %s: all rows of %s that this process has are used; users that ask "
			 "for another one stop",
			 feed->name, feed->file);
	cic_stop_user(u);
	user_end_code(u);
}

const char *cic_field(const struct cic_row *row, const char *column)
{
	size_t at = table_column(row->table, column);

	return at < row->table->column_count ? row->cells[at] : NULL;
}
