/* SPDX-License-Identifier: MIT
 *
 * evidence - see the header. */
#include "matrix/evidence.h"

#include <errno.h>
#include <linux/limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/limits.h"
#include "base/mem.h"
#include "matrix/hdr_log.h"
#include "matrix/result_row.h"

#define VERSION		1
#define CURVE_BYTES	8192
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The quantities of a point, and how they are called in JSON. */
static const struct {
	const char *name, *unit;
	size_t offset;
} quantities[] = {
	{ "at", "s", offsetof(struct evidence_point, at_s) },
	{ "requests", "requests/s", offsetof(struct evidence_point, requests_per_s) },
	{ "failures", "requests/s", offsetof(struct evidence_point, failures_per_s) },
	{ "mean", "ms", offsetof(struct evidence_point, mean_ms) },
	{ "users", "users", offsetof(struct evidence_point, users) },
};

/* What a row without a histogram says about its distribution. */
static const struct {
	double percent;
	size_t offset;
} percentiles[] = {
	{ 0, offsetof(struct result_row, min_ms) },  { 50, offsetof(struct result_row, median_ms) },
	{ 90, offsetof(struct result_row, p90_ms) }, { 95, offsetof(struct result_row, p95_ms) },
	{ 99, offsetof(struct result_row, p99_ms) }, { 100, offsetof(struct result_row, max_ms) },
};

void evidence_init(struct evidence *e)
{
	*e = (struct evidence){ .waited_s = NAN };
	hist_init(&e->times);
}

void evidence_fini(struct evidence *e)
{
	mem_free(e->points);
	hist_fini(&e->times);
	for (size_t i = 0; i < e->part_count; i++)
		hist_fini(&e->parts[i]);
	mem_free(e->parts);
	evidence_init(e);
}

static void thin(struct evidence *e)
{
	for (size_t i = 0; 2 * i < e->count; i++)
		e->points[i] = e->points[2 * i];
	e->count = (e->count + 1) / 2;
}

void evidence_add(struct evidence *e, const struct evidence_point *point)
{
	if (e->count == LIMIT_SERIES)
		thin(e);
	if (e->count == e->cap) {
		e->cap = e->cap ? 2 * e->cap : 64;
		e->points = mem_realloc(e->points, e->cap * sizeof(*e->points));
	}
	e->points[e->count++] = *point;
}

void evidence_times_from(const struct evidence *e, double at_s, struct hist *out)
{
	for (size_t i = 0; i < e->part_count; i++)
		if (e->parts_at_s + (double)i * e->part_s >= at_s)
			hist_merge(out, &e->parts[i]);
}

static double *field(const struct evidence_point *point, size_t quantity)
{
	return (double *)((char *)point + quantities[quantity].offset);
}

static void add_number(struct buf *out, double value)
{
	if (isfinite(value))
		buf_add_g9(out, value);
	else
		buf_add_text(out, "null");
}

/* The mean of those that are known of `size` neighbours. */
static double mean_of(const struct evidence *e, size_t first, size_t size, size_t quantity)
{
	double sum = 0, known = 0;

	for (size_t i = first; i < first + size && i < e->count; i++) {
		double value = *field(&e->points[i], quantity);

		if (isnan(value))
			continue;
		sum += value;
		known++;
	}
	return known > 0 ? sum / known : NAN;
}

static bool is_known(const struct evidence *e, size_t quantity)
{
	return !isnan(mean_of(e, 0, e->count, quantity));
}

static void add_quantity(const struct evidence *e, size_t quantity, size_t size, struct buf *out)
{
	buf_printf(out, "\"%s\":{\"unit\":\"%s\",\"values\":[", quantities[quantity].name,
		   quantities[quantity].unit);
	for (size_t i = 0; i < e->count; i += size) {
		if (i)
			buf_add_char(out, ',');
		/* A group is where it begins. */
		add_number(out, quantity ? mean_of(e, i, size, quantity) : e->points[i].at_s);
	}
	buf_add_text(out, "]}");
}

static void add_series(const struct evidence *e, size_t points_max, struct buf *out)
{
	size_t size = (e->count + points_max - 1) / points_max;

	if (!e->count) {
		buf_add_text(out, "null");
		return;
	}
	buf_printf(out, "{\"source\":\"%s\"", e->is_polled ? "polls" : "master");
	if (!e->is_polled)
		buf_printf(out, ",\"interval\":{\"unit\":\"s\",\"value\":%g}",
			   (double)size * e->interval_s);
	for (size_t i = 0; i < COUNT_OF(quantities); i++) {
		if (!is_known(e, i))
			continue;
		buf_add_char(out, ',');
		add_quantity(e, i, size, out);
	}
	buf_add_char(out, '}');
}

static double percentile_of(const struct result_row *row, size_t i)
{
	return *(const double *)((const char *)row + percentiles[i].offset);
}

/* A point of the curve into both of its lists. */
static void add_curve_point(struct buf *shares, struct buf *times, double percent, double ms)
{
	if (shares->len) {
		buf_add_char(shares, ',');
		buf_add_char(times, ',');
	}
	buf_add_g9(shares, percent);
	add_number(times, ms);
}

static void add_curve_of_row(const struct result_row *row, struct buf *shares, struct buf *times)
{
	for (size_t i = 0; i < COUNT_OF(percentiles); i++)
		if (!isnan(percentile_of(row, i)))
			add_curve_point(shares, times, percentiles[i].percent,
					percentile_of(row, i));
}

/* Every second percent, and of the tail as far as there are requests behind it. */
static void add_curve_of_times(const struct hist *h, struct buf *shares, struct buf *times)
{
	double rest = 2;

	for (int percent = 0; percent < 98; percent += 2)
		add_curve_point(shares, times, percent,
				(double)hist_percentile_us(h, percent / 100.0) / CLOCK_MS);
	for (; rest / 100 * (double)h->count >= 1; rest /= 2)
		add_curve_point(shares, times, 100 - rest,
				(double)hist_percentile_us(h, 1 - rest / 100) / CLOCK_MS);
	add_curve_point(shares, times, 100, (double)hist_percentile_us(h, 1) / CLOCK_MS);
}

static void add_curve(const struct evidence *e, const struct result_row *row, struct buf *out)
{
	struct buf shares, times;

	buf_init(&shares, CURVE_BYTES);
	buf_init(&times, CURVE_BYTES);
	if (e->times.count)
		add_curve_of_times(&e->times, &shares, &times);
	else
		add_curve_of_row(row, &shares, &times);
	if (shares.len)
		buf_printf(out,
			   "{\"source\":\"%s\",\"percentile\":{\"unit\":\"%%\",\"values\":[%s]},"
			   "\"time\":{\"unit\":\"ms\",\"values\":[%s]}}",
			   e->times.count ? "histogram" : "figures", shares.p, times.p);
	else
		buf_add_text(out, "null");
	buf_fini(&shares);
	buf_fini(&times);
}

void evidence_add_json(const struct evidence *e, const struct result_row *row, size_t points_max,
		       struct buf *out)
{
	buf_add_text(out, "\"series\":");
	add_series(e, points_max, out);
	buf_add_text(out, ",\"percentile_curve\":");
	add_curve(e, row, out);
}

/* ---- reading ---- */

static enum err read_quantity(const json_t *series, size_t quantity, struct evidence *out,
			      struct err_text *why)
{
	const json_t *values =
		json_object_get(json_object_get(series, quantities[quantity].name), "values");

	if (values && json_array_size(values) != out->count)
		return err_set(why, ERR_BAD_INPUT, "%s of the series is not as long as the others",
			       quantities[quantity].name);
	for (size_t i = 0; i < out->count; i++) {
		const json_t *value = json_array_get(values, i);

		if (value && !json_is_null(value) && !json_is_number(value))
			return err_set(why, ERR_BAD_INPUT, "%s of the series is not of numbers",
				       quantities[quantity].name);
		*field(&out->points[i], quantity) =
			json_is_number(value) ? json_number_value(value) : NAN;
	}
	return OK;
}

enum err evidence_read_json(const json_t *object, struct evidence *out, struct err_text *why)
{
	const json_t *series = json_object_get(object, "series");
	const char *source = json_string_value(json_object_get(series, "source"));
	size_t count = json_array_size(json_object_get(json_object_get(series, "at"), "values"));
	enum err err = OK;

	if (count > LIMIT_SERIES)
		return err_set(why, ERR_TOO_BIG, "a series has more than %d points", LIMIT_SERIES);
	for (size_t i = 0; i < count; i++)
		evidence_add(out, &(struct evidence_point){ .at_s = 0 });
	out->interval_s =
		json_number_value(json_object_get(json_object_get(series, "interval"), "value"));
	out->is_polled = source && strcmp(source, "polls") == 0;
	for (size_t i = 0; !err && i < COUNT_OF(quantities); i++)
		err = read_quantity(series, i, out, why);
	return err;
}

/* ---- the files ---- */

static enum err save(const char *folder, size_t number, const char *ending, const struct buf *bytes,
		     struct err_text *text)
{
	char path[PATH_MAX], name[32];

	if ((size_t)snprintf(path, sizeof(path), "%s/" EVIDENCE_FOLDER, folder) >= sizeof(path))
		return err_set(text, ERR_TOO_BIG, "%s: the path is too long", folder);
	snprintf(name, sizeof(name), "%04zu.%s", number, ending);
	if (bytes->is_full)
		return err_set(text, ERR_TOO_BIG, "%s/%s: larger than the limit", path, name);
	return folder_replace(path, name, buf_str(bytes), text);
}

/* Of a row that was measured and whose driver was killed before it was in the journal. */
static enum err remove_log(const char *folder, size_t number, struct err_text *text)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/" EVIDENCE_FOLDER "/%04zu.hlog", folder,
			     number) >= sizeof(path))
		return err_set(text, ERR_TOO_BIG, "%s: the path is too long", folder);
	if (unlink(path) == 0 || errno == ENOENT)
		return OK;
	return err_set(text, ERR_IO, "%s: cannot remove: %s", path, strerror(errno));
}

enum err evidence_save(const char *folder, size_t number, const struct evidence *e,
		       const struct result_row *row, struct err_text *text)
{
	const struct hdr_log_interval interval = {
		.wall_start_s = row->wall_start_s,
		.duration_s = isfinite(row->duration_s) ? row->duration_s : 0,
	};
	struct buf bytes;
	enum err err;

	buf_init(&bytes, LIMIT_EVIDENCE_BYTES);
	if (e->times.count) {
		hdr_log_add(&e->times, &interval, &bytes);
		err = save(folder, number, "hlog", &bytes, text);
	} else {
		err = remove_log(folder, number, text);
	}
	buf_clear(&bytes);
	buf_printf(&bytes, "{\"format\":\"cicada-row\",\"version\":%d,\"scenario\":%zu,", VERSION,
		   number);
	evidence_add_json(e, row, LIMIT_SERIES, &bytes);
	buf_add_text(&bytes, "}\n");
	if (!err)
		err = save(folder, number, "json", &bytes, text);
	buf_fini(&bytes);
	return err;
}

static enum err parse(struct str bytes, struct evidence *out, struct err_text *why)
{
	json_t *root = json_loadb(bytes.p, bytes.len, JSON_REJECT_DUPLICATES, NULL);
	const char *format = json_string_value(json_object_get(root, "format"));
	const json_t *version = json_object_get(root, "version");
	enum err err;

	if (!format || strcmp(format, "cicada-row") != 0 || json_integer_value(version) != VERSION)
		err = err_set(why, ERR_BAD_INPUT, "not the evidence of a row, version %d", VERSION);
	else
		err = evidence_read_json(root, out, why);
	json_decref(root);
	return err;
}

static enum err parse_log(struct str bytes, struct evidence *out, struct err_text *why)
{
	return hdr_log_read(bytes, &out->times, why);
}

static enum err load(const char *folder, size_t number, const char *ending,
		     enum err (*read)(struct str, struct evidence *, struct err_text *),
		     struct evidence *out, struct err_text *text)
{
	struct err_text why = { "" };
	char path[PATH_MAX];
	struct buf bytes;
	enum err err;

	if ((size_t)snprintf(path, sizeof(path), "%s/" EVIDENCE_FOLDER "/%04zu.%s", folder, number,
			     ending) >= sizeof(path))
		return err_set(text, ERR_TOO_BIG, "%s: the path is too long", folder);
	buf_init(&bytes, LIMIT_EVIDENCE_BYTES);
	err = file_read(path, &bytes, text);
	if (!err) {
		err = read(buf_str(&bytes), out, &why);
		if (err)
			err_set(text, err, "%s: %s", path, why.text);
	}
	buf_fini(&bytes);
	return err;
}

/* There is no log where nothing was measured, and with Locust's master. */
enum err evidence_load(const char *folder, size_t number, struct evidence *out,
		       struct err_text *text)
{
	enum err err = load(folder, number, "json", parse, out, text);

	if (!err) {
		err = load(folder, number, "hlog", parse_log, out, text);
		err = err == ERR_NOT_FOUND ? OK : err;
	}
	if (err)
		evidence_fini(out);
	return err;
}
