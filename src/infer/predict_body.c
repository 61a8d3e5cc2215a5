/* SPDX-License-Identifier: MIT
 *
 * predict_body - see the header.
 *
 * The parser knows what comes next and asks json_scan for it, so no tree is built and each
 * byte is looked at about once. Clients write the features in one order nearly always, so each
 * name is first compared with the one after the last in the schema. The first thing that is
 * against the contract ends this fast pass; then the whole body is checked for plain JSON, so
 * that 400 or 422 does not depend on which of two mistakes stands first. */
#include "infer/predict_body.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json_scan.h"

#define NOWHERE	     SIZE_MAX
#define NAME_SHOWN   40 /* bytes of a foreign name that a message repeats */
#define ISO_TEXT_MAX 40

struct reader {
	struct json_scan scan;
	const struct schema *schema;
	struct ask *ask;
	struct ask_fault *fault;
	/* The place for messages, as far as known: field[window][row].section.feature[item]. */
	const char *field;
	size_t window, row, item;
	const char *section;
	struct str feature;
	/* What index_col says, as ask_index_name(). */
	const char *index_col;
	/* Of the window that is read: the last two times. */
	struct moment last, previous;
};

_Static_assert(LIMIT_MODEL_COLUMNS <= 64, "the features seen in a row are bits of a uint64_t");

static void fill_fault(struct reader *r, unsigned status, const char *what)
{
	char place[160], at[3][24] = { "", "", "" };
	const size_t numbers[] = { r->window, r->row, r->item };

	for (size_t i = 0; i < 3; i++)
		if (numbers[i] != NOWHERE)
			snprintf(at[i], sizeof(at[i]), "[%zu]", numbers[i]);
	snprintf(place, sizeof(place), "%s%s%s%s%s%s%.*s%s", r->field ? r->field : "body", at[0],
		 at[1], r->section ? "." : "", r->section ? r->section : "",
		 r->feature.len ? "." : "", STR_ARG(r->feature), at[2]);
	ask_refuse(r->fault, status, "%s: %s", place, what);
}

static bool refuse(struct reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* JSON, but not what the contract asks for. */
static bool refuse(struct reader *r, const char *fmt, ...)
{
	char what[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	fill_fault(r, 422, what);
	return false;
}

/* Not JSON: the scanner says what and where. */
static bool malformed(struct reader *r)
{
	char what[160];

	snprintf(what, sizeof(what), "not JSON at byte %zu: %s",
		 (size_t)(r->scan.p - r->scan.begin), r->scan.fault);
	fill_fault(r, 400, what);
	return false;
}

static bool expect(struct reader *r, char c, const char *wanted)
{
	if (json_scan_take(&r->scan, c))
		return true;
	json_scan_unexpected(&r->scan, wanted);
	return malformed(r);
}

/* The next member of an object into *key; false at its end and on errors (fault->status). */
static bool next_key(struct reader *r, bool *is_first, struct str *key)
{
	if (json_scan_take(&r->scan, '}'))
		return false;
	if (!*is_first && !expect(r, ',', "expected ',' or '}'"))
		return false;
	*is_first = false;
	if (!json_scan_string(&r->scan, key))
		return malformed(r);
	return expect(r, ':', "expected ':'");
}

static bool key_is(struct str raw, const char *name)
{
	return json_text_is(raw, str_of(name));
}

static bool refuse_key(struct reader *r, struct str raw, const char *what)
{
	if (raw.len > NAME_SHOWN)
		raw.len = NAME_SHOWN;
	return refuse(r, "unknown %s \"%.*s\"", what, STR_ARG(raw));
}

/* Feature names. */

static inline bool is_here(const struct json_scan *s, struct str text)
{
	return (size_t)(s->end - s->p) >= text.len && memcmp(s->p, text.p, text.len) == 0;
}

/* Takes the feature's name if it comes next, without an escape. */
static inline bool is_likely_here(struct reader *r, size_t likely)
{
	json_scan_peek(&r->scan);
	if (likely >= r->schema->feature_count || !is_here(&r->scan, r->schema->features[likely]))
		return false;
	r->scan.p += r->schema->features[likely].len;
	return true;
}

/* feature_count: there is none. */
static size_t find_feature(const struct schema *schema, struct str raw)
{
	char text[LIMIT_MODEL_NAME_BYTES];
	size_t len = json_unescape(raw, text, sizeof(text));

	return len > sizeof(text) ? schema->feature_count
				  : schema_find(schema, (struct str){ text, len });
}

/* The place of the coming name in the schema; `likely` is looked at first. */
static inline bool read_feature_name(struct reader *r, size_t likely, size_t *out)
{
	struct str raw;

	if (is_likely_here(r, likely)) {
		*out = likely;
		return true;
	}
	if (!json_scan_string(&r->scan, &raw))
		return malformed(r);
	*out = find_feature(r->schema, raw);
	return *out < r->schema->feature_count || refuse_key(r, raw, "feature");
}

static struct str feature_name(const struct reader *r, size_t index)
{
	return schema_name(r->schema->features[index]);
}

/* What stands where a number should, or is one that cannot be used. */
static bool refuse_value(struct reader *r, size_t index, bool is_number)
{
	const char c = r->scan.p < r->scan.end ? *r->scan.p : '\0';

	r->feature = feature_name(r, index);
	if (is_number)
		return refuse(r, "too large for a 32-bit float");
	if (c == '"' || c == '{' || c == '[' || c == 't' || c == 'f' ||
	    (c == 'n' && is_here(&r->scan, str_of("null"))))
		return refuse(r, "must be a number");
	return malformed(r);
}

static inline bool read_value(struct reader *r, size_t index, float *out)
{
	bool is_number = json_scan_float(&r->scan, out);

	return (is_number && isfinite(*out)) || refuse_value(r, index, is_number);
}

static inline bool read_feature(struct reader *r, size_t likely, uint64_t *seen, float *row,
				size_t *index)
{
	if (!read_feature_name(r, likely, index))
		return false;
	if (*seen >> *index & 1) {
		r->feature = feature_name(r, *index);
		return refuse(r, "stands twice");
	}
	*seen |= 1ull << *index;
	if (!json_scan_take(&r->scan, ':')) {
		r->feature = feature_name(r, *index);
		return expect(r, ':', "expected ':'");
	}
	return read_value(r, *index, &row[*index]);
}

static bool read_features(struct reader *r, float *row)
{
	size_t index = SIZE_MAX;
	uint64_t seen = 0;

	if (!json_scan_take(&r->scan, '{'))
		return refuse(r, "must be an object");
	if (!json_scan_take(&r->scan, '}')) {
		do {
			if (!read_feature(r, index + 1, &seen, row, &index))
				return false;
		} while (json_scan_take(&r->scan, ','));
		if (!expect(r, '}', "expected ',' or '}'"))
			return false;
	}
	for (size_t i = 0; i < r->schema->feature_count; i++) {
		if (!(seen >> i & 1)) {
			r->feature = feature_name(r, i);
			return refuse(r, "missing");
		}
	}
	return true;
}

/* Timestamps. */

/* row: where the inputs go that a model takes from the time. */
static bool read_time(struct reader *r, float *row)
{
	char text[ISO_TEXT_MAX];
	struct str raw;

	if (json_scan_peek(&r->scan) != '"')
		return refuse(r, "must be a text");
	if (!json_scan_string(&r->scan, &raw))
		return malformed(r);
	if (memchr(raw.p, '\\', raw.len)) {
		size_t len = json_unescape(raw, text, sizeof(text));

		raw = (struct str){ text, len > sizeof(text) ? 0 : len };
	}
	r->previous = r->last;
	if (!moment_parse(raw, &r->last))
		return refuse(r, "must be a time of ISO 8601, such as 2024-01-15T10:00:00");
	if (r->schema->time_count)
		moment_fill(&r->last, r->schema->times, r->schema->time_count,
			    row + r->schema->feature_count);
	return true;
}

/* count: how many times the window has. */
static void keep_times(struct reader *r, size_t count)
{
	ask_set_times(r->ask, count > 1 ? &r->previous : NULL, &r->last);
}

/* Room for a window. */
static float *add_window(struct reader *r)
{
	float *rows = ask_add_window(r->ask);

	if (!rows)
		refuse(r, "more than %d windows", LIMIT_PREDICT_WINDOWS);
	return rows;
}

/* Rows. */

static bool read_row_member(struct reader *r, struct str key, bool *has_timestamp,
			    bool *has_features, float *row)
{
	bool is_timestamp = key_is(key, "timestamp");
	bool *has = is_timestamp ? has_timestamp : has_features;

	if (!is_timestamp && !key_is(key, "features"))
		return refuse_key(r, key, "field");
	r->section = is_timestamp ? "timestamp" : "features";
	if (*has)
		return refuse(r, "stands twice");
	*has = true;
	if (!(is_timestamp ? read_time(r, row) : read_features(r, row)))
		return false;
	r->section = NULL;
	return true;
}

static bool read_row(struct reader *r, float *row)
{
	bool is_first = true, has_timestamp = false, has_features = false;
	struct str key;

	if (!json_scan_take(&r->scan, '{'))
		return refuse(r, "must be an object");
	while (next_key(r, &is_first, &key))
		if (!read_row_member(r, key, &has_timestamp, &has_features, row))
			return false;
	if (r->fault->status)
		return false;
	if (has_timestamp && has_features)
		return true;
	r->section = has_timestamp ? "features" : "timestamp";
	return refuse(r, "missing");
}

static bool read_rows(struct reader *r)
{
	const struct schema *schema = r->schema;
	float *out = add_window(r);
	size_t count = 0;

	if (!out)
		return false;
	if (!json_scan_take(&r->scan, ']')) {
		do {
			r->row = count;
			if (count == schema->rows)
				return refuse(r, "one row too many, the model takes %zu",
					      schema->rows);
			if (!read_row(r, out + count * schema->input_count))
				return false;
			count++;
		} while (json_scan_take(&r->scan, ','));
		if (!expect(r, ']', "expected ',' or ']'"))
			return false;
		r->row = NOWHERE;
	}
	if (count < schema->rows)
		return refuse(r, "%zu rows, the model takes %zu", count, schema->rows);
	keep_times(r, count);
	return true;
}

/* Columns. */

/* Where the values of a column go: round and round through the window, so that the last ones
 * stay. */
struct column {
	float *at, *first, *end;
	size_t stride, count;
};

static void next_place(struct column *c)
{
	c->count++;
	c->at += c->stride;
	if (c->at >= c->end)
		c->at = c->first;
}

/* index: of a feature; feature_count: the times. */
static bool read_column(struct reader *r, size_t index, float *rows, size_t *count)
{
	const size_t stride = r->schema->input_count;
	const bool is_time = index == r->schema->feature_count;
	struct column c = { .at = rows + (is_time ? 0 : index), .stride = stride };

	c.first = c.at;
	c.end = rows + r->schema->rows * stride;
	if (!expect(r, ':', "expected ':'"))
		return false;
	if (!json_scan_take(&r->scan, '['))
		return refuse(r, "must be a list");
	if (!json_scan_take(&r->scan, ']')) {
		do {
			r->item = c.count;
			if (!(is_time ? read_time(r, c.at) : read_value(r, index, c.at)))
				return false;
			next_place(&c);
		} while (json_scan_take(&r->scan, ','));
		if (!expect(r, ']', "expected ',' or ']'"))
			return false;
	}
	r->item = NOWHERE;
	if (*count != NOWHERE && *count != c.count)
		return refuse(r, "%zu values, but the column before has %zu", c.count, *count);
	*count = c.count;
	return true;
}

/* As ask_index_name(). */
static const char *find_index(struct str raw)
{
	char text[16];
	size_t len = json_unescape(raw, text, sizeof(text));

	return len > sizeof(text) ? NULL : ask_index_name((struct str){ text, len });
}

/* The column of times: another name than in the other windows would have no answer. */
static bool note_index(struct reader *r, const char *name)
{
	struct ask *a = r->ask;

	if (a->index_name[0] && strcmp(a->index_name, name) != 0)
		return refuse(r, "is called \"%s\" in the windows before", a->index_name);
	snprintf(a->index_name, sizeof(a->index_name), "%s", name);
	return true;
}

/* The name that comes next, into *index as read_column() wants it. */
static bool read_column_name(struct reader *r, size_t likely, size_t *index)
{
	const char *name;
	struct str raw;

	r->feature = (struct str){ NULL, 0 };
	*index = likely;
	if (!is_likely_here(r, likely)) {
		if (!json_scan_string(&r->scan, &raw))
			return malformed(r);
		*index = find_feature(r->schema, raw);
		if (*index == r->schema->feature_count) {
			name = find_index(raw);
			if (!name)
				return refuse_key(r, raw, "feature");
			r->feature = str_of(name);
			return note_index(r, name);
		}
	}
	r->feature = feature_name(r, *index);
	return true;
}

static void reverse_rows(float *rows, size_t count, size_t stride)
{
	for (size_t low = 0, high = count; low + 1 < high--; low++)
		for (size_t k = 0; k < stride; k++) {
			float kept = rows[low * stride + k];

			rows[low * stride + k] = rows[high * stride + k];
			rows[high * stride + k] = kept;
		}
}

/* The oldest row is not the first one when columns were longer than the window. */
static void turn_rows(const struct schema *schema, float *rows, size_t count)
{
	const size_t stride = schema->input_count, first = count % schema->rows;

	if (!first)
		return;
	reverse_rows(rows, first, stride);
	reverse_rows(rows + first * stride, schema->rows - first, stride);
	reverse_rows(rows, schema->rows, stride);
}

static bool check_columns(struct reader *r, const bool *seen, size_t count)
{
	const struct schema *schema = r->schema;

	r->feature = (struct str){ NULL, 0 };
	for (size_t i = 0; i <= schema->feature_count; i++) {
		if (seen[i])
			continue;
		if (i == schema->feature_count)
			return refuse(r, "no column of times; call it ts, time or timestamp");
		r->feature = feature_name(r, i);
		return refuse(r, "missing");
	}
	if (count < schema->rows)
		return refuse(r, "%zu rows, the model takes %zu", count, schema->rows);
	return true;
}

static bool read_columns(struct reader *r)
{
	size_t index = SIZE_MAX, count = NOWHERE;
	bool seen[LIMIT_MODEL_COLUMNS + 1] = { false };
	float *rows = add_window(r);

	if (!rows)
		return false;
	if (!json_scan_take(&r->scan, '}')) {
		do {
			if (!read_column_name(r, index + 1, &index))
				return false;
			if (seen[index])
				return refuse(r, "stands twice");
			seen[index] = true;
			if (!read_column(r, index, rows, &count))
				return false;
			/* The times mostly come first. */
			if (index == r->schema->feature_count)
				index = SIZE_MAX;
		} while (json_scan_take(&r->scan, ','));
		r->feature = (struct str){ NULL, 0 };
		if (!expect(r, '}', "expected ',' or '}'"))
			return false;
	}
	if (!check_columns(r, seen, count == NOWHERE ? 0 : count))
		return false;
	turn_rows(r->schema, rows, count);
	keep_times(r, count);
	return true;
}

/* The body. */

static bool read_window(struct reader *r)
{
	if (json_scan_take(&r->scan, '['))
		return read_rows(r);
	if (json_scan_take(&r->scan, '{'))
		return read_columns(r);
	return refuse(r, "must be a list of %zu rows or an object of columns", r->schema->rows);
}

static bool read_data(struct reader *r)
{
	if (json_scan_peek(&r->scan) == '{')
		r->ask->form = ASK_COLUMNS;
	return read_window(r);
}

static bool read_windows(struct reader *r)
{
	r->ask->form = ASK_WINDOWS;
	if (!json_scan_take(&r->scan, '['))
		return refuse(r, "must be a list of windows");
	if (json_scan_take(&r->scan, ']'))
		return refuse(r, "must not be empty");
	do {
		r->window = r->ask->window_count;
		if (!read_window(r))
			return false;
	} while (json_scan_take(&r->scan, ','));
	r->window = NOWHERE;
	return expect(r, ']', "expected ',' or ']'");
}

static bool read_steps(struct reader *r)
{
	char c = json_scan_peek(&r->scan);
	double value = 0;

	if ((c == '-' || (c >= '0' && c <= '9')) && !json_scan_number(&r->scan, &value))
		return malformed(r);
	if (!(value >= 1 && value <= LIMIT_PREDICT_STEPS) || value != floor(value))
		return refuse(r, "must be a whole number from 1 to %d", LIMIT_PREDICT_STEPS);
	r->ask->steps = (size_t)value;
	r->ask->has_steps = true;
	return true;
}

static bool read_index_col(struct reader *r)
{
	struct str raw = { NULL, 0 };

	if (json_scan_peek(&r->scan) == '"' && !json_scan_string(&r->scan, &raw))
		return malformed(r);
	r->index_col = raw.p ? find_index(raw) : NULL;
	return r->index_col || refuse(r, "must be \"ts\", \"time\" or \"timestamp\"");
}

/* What may stand in a body. */
static const struct {
	const char *name;
	bool (*read)(struct reader *r);
} members[] = {
	{ "data", read_data },
	{ "windows", read_windows },
	{ "inference_length", read_steps },
	{ "index_col", read_index_col },
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static bool read_member(struct reader *r, struct str key, bool *has)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		if (!key_is(key, members[i].name))
			continue;
		r->field = members[i].name;
		if (has[i])
			return refuse(r, "stands twice");
		has[i] = true;
		if (has[0] && has[1])
			return refuse(r, "data and windows cannot stand together");
		if (!members[i].read(r))
			return false;
		r->field = NULL;
		return true;
	}
	return refuse_key(r, key, "field");
}

/* All of it is there; do its parts agree? */
static bool check_body(struct reader *r, bool has_windows)
{
	const char *named = r->ask->index_name;

	r->field = "data";
	if (!has_windows)
		return refuse(r, "missing");
	r->field = "index_col";
	if (r->index_col && !named[0])
		return refuse(r, "is for data in columns only");
	if (r->index_col && strcmp(r->index_col, named) != 0)
		return refuse(r, "is \"%s\", but the times are called \"%s\"", r->index_col, named);
	return ask_is_complete(r->ask, r->fault);
}

static bool read_body(struct reader *r)
{
	bool is_first = true, has[MEMBERS] = { false };
	struct str key;

	if (!json_scan_take(&r->scan, '{'))
		return refuse(r, "must be an object");
	while (next_key(r, &is_first, &key))
		if (!read_member(r, key, has))
			return false;
	if (r->fault->status)
		return false;
	if (!json_scan_finish(&r->scan))
		return malformed(r);
	return check_body(r, has[0] || has[1]);
}

static void begin(struct reader *r, struct str body, struct ask *ask, struct ask_fault *fault)
{
	*r = (struct reader){ .schema = ask->schema,
			      .ask = ask,
			      .fault = fault,
			      .window = NOWHERE,
			      .row = NOWHERE,
			      .item = NOWHERE };
	json_scan_init(&r->scan, body);
}

bool predict_body_parse(struct str body, struct ask *ask, struct ask_fault *fault)
{
	struct reader r;

	fault->status = 0;
	begin(&r, body, ask, fault);
	if (read_body(&r))
		return true;
	if (fault->status != 422)
		return false;
	begin(&r, body, ask, fault);
	if (!json_scan_skip(&r.scan) || !json_scan_finish(&r.scan))
		malformed(&r);
	return false;
}
