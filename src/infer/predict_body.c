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

#define NO_ROW	     SIZE_MAX
#define NAME_SHOWN   40 /* bytes of a foreign name that a message repeats */
#define ISO_TEXT_MAX 40

struct reader {
	struct json_scan scan;
	const struct predict_schema *schema;
	struct predict_fault *fault;
	/* The place for messages: data[row].section.feature, as far as known. */
	size_t row;
	const char *section;
	struct str feature;
};

_Static_assert(LIMIT_MODEL_COLUMNS <= 64, "the features seen in a row are bits of a uint64_t");

static void fill_fault(struct reader *r, unsigned status, const char *what)
{
	char place[128] = "body";

	if (r->row != NO_ROW)
		snprintf(place, sizeof(place), "data[%zu]%s%s%s%.*s", r->row, r->section ? "." : "",
			 r->section ? r->section : "", r->feature.len ? "." : "",
			 STR_ARG(r->feature));
	else if (r->section)
		snprintf(place, sizeof(place), "%s", r->section);
	r->fault->status = status;
	snprintf(r->fault->text, sizeof(r->fault->text), "%s: %s", place, what);
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

static bool is_here(const struct json_scan *s, struct str text)
{
	return (size_t)(s->end - s->p) >= text.len && memcmp(s->p, text.p, text.len) == 0;
}

/* The place of the coming name in the schema; `likely` is looked at first. */
static bool read_feature_name(struct reader *r, size_t likely, size_t *out)
{
	const struct predict_schema *schema = r->schema;
	char text[LIMIT_MODEL_NAME_BYTES];
	struct str raw, name;

	json_scan_peek(&r->scan);
	if (likely < schema->feature_count && is_here(&r->scan, schema->quoted[likely])) {
		r->scan.p += schema->quoted[likely].len;
		*out = likely;
		return true;
	}
	if (!json_scan_string(&r->scan, &raw))
		return malformed(r);
	name = (struct str){ text, json_unescape(raw, text, sizeof(text)) };
	for (size_t i = 0; i < schema->feature_count; i++) {
		if (name.len == schema->quoted[i].len - 2 &&
		    memcmp(name.p, schema->quoted[i].p + 1, name.len) == 0) {
			*out = i;
			return true;
		}
	}
	return refuse_key(r, raw, "feature");
}

static struct str feature_name(const struct reader *r, size_t index)
{
	struct str quoted = r->schema->quoted[index];

	return (struct str){ quoted.p + 1, quoted.len - 2 };
}

static bool read_value(struct reader *r, size_t index, float *out)
{
	char c = json_scan_peek(&r->scan);
	double value;

	if (c == '"' || c == '{' || c == '[' || c == 't' || c == 'f' ||
	    (c == 'n' && is_here(&r->scan, str_of("null")))) {
		r->feature = feature_name(r, index);
		return refuse(r, "must be a number");
	}
	if (!json_scan_number(&r->scan, &value)) {
		r->feature = feature_name(r, index);
		return malformed(r);
	}
	*out = (float)value;
	if (!isfinite(*out)) {
		r->feature = feature_name(r, index);
		return refuse(r, "too large for a 32-bit float");
	}
	return true;
}

static bool read_feature(struct reader *r, size_t likely, uint64_t *seen, float *row, size_t *index)
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

	r->section = "features";
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

/* Two digits within [low, high], and moves on. */
static bool two_digits(struct str *s, int low, int high)
{
	int value;

	if (s->len < 2 || s->p[0] < '0' || s->p[0] > '9' || s->p[1] < '0' || s->p[1] > '9')
		return false;
	value = (s->p[0] - '0') * 10 + (s->p[1] - '0');
	*s = (struct str){ s->p + 2, s->len - 2 };
	return value >= low && value <= high;
}

static bool one_of(struct str *s, const char *chars)
{
	if (!s->len || !s->p[0] || !strchr(chars, s->p[0]))
		return false;
	*s = (struct str){ s->p + 1, s->len - 1 };
	return true;
}

/* YYYY-MM-DD[Thh:mm[:ss[.digits]][Z|+hh[[:]mm]]]; a blank may stand for the T. */
static bool is_iso_8601(struct str s)
{
	if (!two_digits(&s, 0, 99) || !two_digits(&s, 0, 99) || !one_of(&s, "-") ||
	    !two_digits(&s, 1, 12) || !one_of(&s, "-") || !two_digits(&s, 1, 31))
		return false;
	if (!s.len)
		return true;
	if (!one_of(&s, "Tt ") || !two_digits(&s, 0, 24) || !one_of(&s, ":") ||
	    !two_digits(&s, 0, 59))
		return false;
	if (one_of(&s, ":")) {
		if (!two_digits(&s, 0, 60))
			return false;
		if (one_of(&s, ".,")) {
			if (!one_of(&s, "0123456789"))
				return false;
			while (one_of(&s, "0123456789"))
				;
		}
	}
	if (one_of(&s, "Zz"))
		return !s.len;
	if (one_of(&s, "+-")) {
		if (!two_digits(&s, 0, 23))
			return false;
		if (one_of(&s, ":") || s.len)
			return two_digits(&s, 0, 59) && !s.len;
	}
	return !s.len;
}

static bool read_timestamp(struct reader *r)
{
	char text[ISO_TEXT_MAX];
	struct str raw;
	size_t len;

	r->section = "timestamp";
	if (json_scan_peek(&r->scan) != '"')
		return refuse(r, "must be a text");
	if (!json_scan_string(&r->scan, &raw))
		return malformed(r);
	if (!memchr(raw.p, '\\', raw.len) && is_iso_8601(raw))
		return true;
	len = json_unescape(raw, text, sizeof(text));
	if (len > sizeof(text) || !is_iso_8601((struct str){ text, len }))
		return refuse(r, "must be a time of ISO 8601, such as 2024-01-15T10:00:00");
	return true;
}

/* Rows. */

static bool read_row_member(struct reader *r, struct str key, bool *has_timestamp,
			    bool *has_features, float *row)
{
	bool is_timestamp = key_is(key, "timestamp");
	bool *has = is_timestamp ? has_timestamp : has_features;

	if (!is_timestamp && !key_is(key, "features"))
		return refuse_key(r, key, "field");
	if (*has) {
		r->section = is_timestamp ? "timestamp" : "features";
		return refuse(r, "stands twice");
	}
	*has = true;
	if (!(is_timestamp ? read_timestamp(r) : read_features(r, row)))
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

static bool read_rows(struct reader *r, float *out)
{
	const struct predict_schema *schema = r->schema;
	size_t count = 0;

	r->section = "data";
	if (!json_scan_take(&r->scan, '['))
		return refuse(r, "must be a list of %zu rows", schema->rows);
	if (!json_scan_take(&r->scan, ']')) {
		r->section = NULL;
		do {
			r->row = count;
			if (count == schema->rows)
				return refuse(r, "one row too many, the model takes %zu",
					      schema->rows);
			if (!read_row(r, out + count * schema->feature_count))
				return false;
			count++;
		} while (json_scan_take(&r->scan, ','));
		if (!expect(r, ']', "expected ',' or ']'"))
			return false;
		r->row = NO_ROW;
		r->section = "data";
	}
	if (count < schema->rows)
		return refuse(r, "%zu rows, the model takes %zu", count, schema->rows);
	r->section = NULL;
	return true;
}

static bool read_body(struct reader *r, float *out)
{
	bool is_first = true, has_data = false;
	struct str key;

	if (!json_scan_take(&r->scan, '{'))
		return refuse(r, "must be an object");
	while (next_key(r, &is_first, &key)) {
		if (!key_is(key, "data"))
			return refuse_key(r, key, "field");
		if (has_data) {
			r->section = "data";
			return refuse(r, "stands twice");
		}
		has_data = true;
		if (!read_rows(r, out))
			return false;
	}
	if (r->fault->status)
		return false;
	if (!json_scan_finish(&r->scan))
		return malformed(r);
	if (has_data)
		return true;
	r->section = "data";
	return refuse(r, "missing");
}

bool predict_body_parse(const struct predict_schema *schema, struct str body, float *out,
			struct predict_fault *fault)
{
	struct reader r = { .schema = schema, .fault = fault, .row = NO_ROW };

	fault->status = 0;
	json_scan_init(&r.scan, body);
	if (read_body(&r, out))
		return true;
	if (fault->status != 422)
		return false;
	json_scan_init(&r.scan, body);
	r = (struct reader){ .scan = r.scan, .fault = fault, .row = NO_ROW };
	if (!json_scan_skip(&r.scan) || !json_scan_finish(&r.scan))
		malformed(&r);
	return false;
}
