/* SPDX-License-Identifier: MIT
 *
 * versus - see the header. */
#include "matrix/versus.h"

#include <inttypes.h>
#include <linux/limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/xml.h"
#include "capacity/interval.h"
#include "matrix/evidence.h"
#include "matrix/result.h"

/* Up to here each whole number is a double. */
#define WHOLE_MAX 9e15

#define NO_SERIES SIZE_MAX

static const struct {
	const char *name, *unit;
	size_t offset, series; /* in the row, and in a point of its evidence */
	bool is_more_better;
} metrics[VERSUS_METRICS] = {
	[VERSUS_RPS] = { "RPS", "requests/s", offsetof(struct result_row, rps),
			 offsetof(struct evidence_point, requests_per_s), true },
	[VERSUS_MEDIAN] = { "Median_ms", "ms", offsetof(struct result_row, median_ms), NO_SERIES,
			    false },
	[VERSUS_P95] = { "P95_ms", "ms", offsetof(struct result_row, p95_ms), NO_SERIES, false },
	[VERSUS_P99] = { "P99_ms", "ms", offsetof(struct result_row, p99_ms), NO_SERIES, false },
	[VERSUS_MEAN] = { "Avg_ms", "ms", offsetof(struct result_row, avg_ms),
			  offsetof(struct evidence_point, mean_ms), false },
};

/* ---- reading ---- */

/* A row of report.json as the journal has it. */
static enum err read_row(const json_t *row, struct result_row *out, struct err_text *why)
{
	json_t *flat = json_object(), *figures = json_object_get(row, "figures"), *figure;
	const char *name;
	enum err err;

	json_object_update(flat, json_object_get(row, "words"));
	json_object_foreach (figures, name, figure) {
		json_t *value = json_object_get(figure, "value");

		/* Counts are written as figures are: 1.2e+09. */
		if (json_is_real(value) && fabs(json_real_value(value)) < WHOLE_MAX &&
		    json_real_value(value) == trunc(json_real_value(value)))
			json_object_set_new(flat, name,
					    json_integer((json_int_t)json_real_value(value)));
		else
			json_object_set(flat, name, value);
	}
	/* Not needed here, and a text there. */
	json_object_set_new(flat, "Timestamp", json_integer(0));
	err = result_row_read_json(flat, out, why);
	json_decref(flat);
	return err;
}

void versus_side_fini(struct versus_side *s)
{
	for (size_t i = 0; i < s->count; i++)
		evidence_fini(&s->evidence[i]);
	mem_free(s->evidence);
	mem_free(s->rows);
	*s = (struct versus_side){ NULL, NULL, 0 };
}

static enum err read_rows(const json_t *root, struct versus_side *out, struct err_text *why)
{
	const json_t *list = json_object_get(root, "rows");
	const char *format = json_string_value(json_object_get(root, "format"));
	size_t count = json_array_size(list);
	enum err err = OK;

	if (!format || strcmp(format, "cicada-report") != 0 ||
	    json_integer_value(json_object_get(root, "version")) != 1)
		return err_set(why, ERR_BAD_INPUT, "no report of cicada-driver, version 1");
	if (count > LIMIT_SCENARIOS)
		return err_set(why, ERR_TOO_BIG, "more than %d rows", LIMIT_SCENARIOS);
	out->rows = mem_zalloc(count + 1, sizeof(*out->rows));
	out->evidence = mem_zalloc(count + 1, sizeof(*out->evidence));
	for (; !err && out->count < count; out->count++) {
		const json_t *row = json_array_get(list, out->count);
		struct err_text wrong = { "" };

		evidence_init(&out->evidence[out->count]);
		err = read_row(row, &out->rows[out->count], &wrong);
		if (!err)
			err = evidence_read_json(row, &out->evidence[out->count], &wrong);
		if (err)
			err_set(why, err, "row %zu: %s", out->count + 1, wrong.text);
	}
	return err;
}

enum err versus_parse(struct str bytes, struct versus_side *out, struct err_text *why)
{
	json_error_t at;
	json_t *root = json_loadb(bytes.p, bytes.len, JSON_REJECT_DUPLICATES, &at);
	enum err err;

	*out = (struct versus_side){ NULL, NULL, 0 };
	err = root ? read_rows(root, out, why)
		   : err_set(why, ERR_BAD_INPUT, "line %d: %s", at.line, at.text);
	if (err)
		versus_side_fini(out);
	json_decref(root);
	return err;
}

enum err versus_read(const char *path, struct versus_side *out, struct err_text *text)
{
	struct err_text why = { "" };
	char file[PATH_MAX];
	struct stat st;
	struct buf bytes;
	enum err err;

	*out = (struct versus_side){ NULL, NULL, 0 };
	if ((size_t)snprintf(file, sizeof(file), "%s%s", path,
			     stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? "/" RESULT_JSON : "") >=
	    sizeof(file))
		return err_set(text, ERR_TOO_BIG, "%s: the path is too long", path);
	buf_init(&bytes, LIMIT_RESULT_FILE_BYTES);
	err = file_read(file, &bytes, text);
	if (!err) {
		err = versus_parse(buf_str(&bytes), out, &why);
		if (err)
			err_set(text, err, "%s: %s", file, why.text);
	}
	buf_fini(&bytes);
	return err;
}

/* ---- comparing ---- */

static bool is_same_scenario(const struct result_row *a, const struct result_row *b)
{
	return a->replicas == b->replicas && a->workers == b->workers && a->users == b->users;
}

static bool is_first(const struct versus_side *side, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_same_scenario(&side->rows[k], &side->rows[i]))
			return false;
	return true;
}

static bool has_scenario(const struct versus_side *side, const struct result_row *row)
{
	for (size_t i = 0; i < side->count; i++)
		if (is_same_scenario(&side->rows[i], row))
			return true;
	return false;
}

static size_t count_missing(const struct versus_side *of, const struct versus_side *in)
{
	size_t missing = 0;

	for (size_t i = 0; i < of->count; i++)
		missing += is_first(of, i) && !has_scenario(in, &of->rows[i]);
	return missing;
}

static bool may_be_compared(const struct result_row *row, const struct result_row *scenario)
{
	return is_same_scenario(row, scenario) && row->status == RESULT_OK &&
	       row->verdict != RESULT_VERDICT_INVALID;
}

static size_t collect_rows(const struct versus_side *side, const struct result_row *scenario,
			   size_t metric, double values[LIMIT_REPEATS])
{
	size_t count = 0;

	for (size_t i = 0; i < side->count && count < LIMIT_REPEATS; i++) {
		const struct result_row *row = &side->rows[i];
		double value = *(const double *)((const char *)row + metrics[metric].offset);

		if (may_be_compared(row, scenario) && isfinite(value))
			values[count++] = value;
	}
	return count;
}

/* The steady values of one run; mem_free() them. */
static double *steady_values(const struct evidence *e, double from_s, size_t offset,
			     size_t *out_count)
{
	double *values = mem_alloc((e->count + 1) * sizeof(*values));

	*out_count = 0;
	for (size_t i = 0; !e->is_polled && i < e->count; i++) {
		double value = *(const double *)((const char *)&e->points[i] + offset);

		if (e->points[i].at_s >= from_s && isfinite(value))
			values[(*out_count)++] = value;
	}
	return values;
}

/* Means of windows of the steady time of each run. */
static size_t collect_windows(const struct versus_side *side, const struct result_row *scenario,
			      size_t metric, double means[LIMIT_REPEATS])
{
	size_t count = 0;

	for (size_t i = 0; i < side->count; i++) {
		struct interval_batches batches = { .size = 0 };
		struct interval mean;
		struct err_text few = { "" };
		size_t value_count;
		double *values;

		if (!may_be_compared(&side->rows[i], scenario))
			continue;
		values = steady_values(&side->evidence[i], side->rows[i].steady_from_s,
				       metrics[metric].series, &value_count);
		if (!interval_mean(values, value_count, &mean, &batches, &few))
			for (size_t at = value_count % batches.size;
			     at < value_count && count < LIMIT_REPEATS; at += batches.size) {
				means[count] = 0;
				for (size_t k = 0; k < batches.size; k++)
					means[count] += values[at + k] / (double)batches.size;
				count++;
			}
		mem_free(values);
	}
	return count;
}

typedef size_t (*collect_fn)(const struct versus_side *side, const struct result_row *scenario,
			     size_t metric, double values[LIMIT_REPEATS]);

/* What is compared: the sides, and how. */
struct question {
	const struct versus_side *a, *b;
	double alpha, effect_min;
};

static struct versus_figure compare_metric(const struct question *q, const struct result_row *row,
					   size_t metric, collect_fn collect)
{
	const struct compare_config config = { .alpha = q->alpha,
					       .effect_min = q->effect_min,
					       .is_more_better = metrics[metric].is_more_better };
	double values_a[LIMIT_REPEATS], values_b[LIMIT_REPEATS];
	struct versus_figure figure = { .repeats_a = collect(q->a, row, metric, values_a),
					.repeats_b = collect(q->b, row, metric, values_b) };
	struct err_text why = { "" };

	if (compare_samples(values_a, figure.repeats_a, values_b, figure.repeats_b, &config,
			    &figure.compare, &why))
		figure.compare =
			(struct compare){ .median_a = NAN, .median_b = NAN, .shift_pct = NAN };
	return figure;
}

static bool has_enough(const struct versus_figure *figure)
{
	return figure->compare.repeats_needed &&
	       figure->repeats_a >= figure->compare.repeats_needed &&
	       figure->repeats_b >= figure->compare.repeats_needed;
}

static struct versus_item compare_scenario(const struct question *q, const struct result_row *row)
{
	struct versus_item item = { .row = row };

	for (size_t i = 0; i < VERSUS_METRICS; i++) {
		struct versus_figure windows;

		item.figures[i] = compare_metric(q, row, i, collect_rows);
		if (has_enough(&item.figures[i]) || metrics[i].series == NO_SERIES)
			continue;
		windows = compare_metric(q, row, i, collect_windows);
		if (!has_enough(&windows))
			continue;
		item.figures[i] = windows;
		item.figures[i].is_of_windows = true;
	}
	return item;
}

void versus_compare(const struct versus_side *a, const struct versus_side *b, double alpha,
		    double effect_min, struct versus *out)
{
	const struct question q = { a, b, alpha, effect_min };

	*out = (struct versus){ .items = mem_zalloc(a->count + 1, sizeof(*out->items)),
				.only_a = count_missing(a, b),
				.only_b = count_missing(b, a) };
	for (size_t i = 0; i < a->count; i++) {
		struct versus_item *item = &out->items[out->count];

		if (!is_first(a, i) || !has_scenario(b, &a->rows[i]))
			continue;
		*item = compare_scenario(&q, &a->rows[i]);
		out->count++;
		for (size_t k = 0; k < VERSUS_METRICS; k++)
			out->verdicts[item->figures[k].compare.verdict]++;
	}
}

/* ---- words ---- */

static void say_scenario(const struct versus_item *item, struct buf *out)
{
	buf_printf(out, "replicas=%" PRIu64 " workers=%" PRIu64 " users=%" PRIu64,
		   item->row->replicas, item->row->workers, item->row->users);
}

/* "+3.1 % (+1.2 to +5.0)": of A's median, with the interval where there is one. */
static void say_change(const struct compare *c, struct buf *out)
{
	double percent = 100 / c->median_a;

	if (isnan(c->shift_pct)) {
		buf_add_char(out, '-');
		return;
	}
	buf_printf(out, "%+.1f %%", c->shift_pct);
	if (isfinite(c->shift.low) && isfinite(c->shift.high))
		buf_printf(out, " (%+.1f to %+.1f)", c->shift.low * percent,
			   c->shift.high * percent);
}

static void say_why(const struct versus_figure *figure, struct buf *out)
{
	const struct compare *c = &figure->compare;

	if (!figure->repeats_a || !figure->repeats_b)
		buf_add_text(out, "nothing that may be believed on one side");
	else if (!has_enough(figure))
		buf_printf(
			out, "%zu and %zu repeats may be believed, %zu are needed (--repeats %zu)",
			figure->repeats_a, figure->repeats_b, c->repeats_needed, c->repeats_needed);
	else
		buf_printf(out, "p = %.3g", c->p);
	if (figure->is_of_windows)
		buf_printf(out, " by %zu and %zu windows within the runs", figure->repeats_a,
			   figure->repeats_b);
	if (has_enough(figure) && c->verdict == COMPARE_UNKNOWN)
		buf_add_text(out, ", too scattered");
}

static void say_median(double median, struct buf *out)
{
	if (isnan(median))
		buf_printf(out, "%10s  ", "-");
	else
		buf_printf(out, "%10.4g  ", median);
}

static void say_metric(const struct versus_item *item, size_t i, struct buf *out)
{
	const struct compare *c = &item->figures[i].compare;

	buf_printf(out, "  %-9s  ", metrics[i].name);
	say_median(c->median_a, out);
	say_median(c->median_b, out);
	buf_printf(out, "%-10s  ", metrics[i].unit);
	say_change(c, out);
	buf_printf(out, "  %s: ", compare_verdict_name(c->verdict));
	say_why(&item->figures[i], out);
	buf_add_char(out, '\n');
}

void versus_say(const struct versus *v, struct buf *out)
{
	buf_printf(out, "  %-9s  %10s  %10s  %-10s  %s\n", "", "A", "B", "", "B against A");
	for (size_t i = 0; i < v->count; i++) {
		say_scenario(&v->items[i], out);
		buf_add_char(out, '\n');
		for (size_t k = 0; k < VERSUS_METRICS; k++)
			say_metric(&v->items[i], k, out);
	}
	buf_printf(
		out,
		"%zu scenario%s in both, %zu only in A, %zu only in B: of %zu figures %zu are %s, "
		"%zu %s, %zu %s, %zu %s\n",
		v->count, v->count == 1 ? "" : "s", v->only_a, v->only_b, v->count * VERSUS_METRICS,
		v->verdicts[COMPARE_BETTER], compare_verdict_name(COMPARE_BETTER),
		v->verdicts[COMPARE_WORSE], compare_verdict_name(COMPARE_WORSE),
		v->verdicts[COMPARE_SAME], compare_verdict_name(COMPARE_SAME),
		v->verdicts[COMPARE_UNKNOWN], compare_verdict_name(COMPARE_UNKNOWN));
}

/* A verdict that is neither a failure nor skipped is what was said. */
static void add_case(const struct versus_item *item, size_t i, struct buf *out)
{
	const struct compare *c = &item->figures[i].compare;
	const char *tag = c->verdict == COMPARE_WORSE	  ? "failure"
			  : c->verdict == COMPARE_UNKNOWN ? "skipped"
							  : "system-out";
	struct buf said;

	buf_init(&said, 1024);
	say_change(c, &said);
	buf_printf(&said, ", %s: ", compare_verdict_name(c->verdict));
	say_why(&item->figures[i], &said);
	buf_add_text(out, "    <testcase classname=\"cicada.compare\" name=\"");
	say_scenario(item, out);
	buf_printf(out, " %s\">\n      <%s>", metrics[i].name, tag);
	xml_add(out, buf_str(&said).p);
	buf_printf(out, "</%s>\n    </testcase>\n", tag);
	buf_fini(&said);
}

void versus_add_junit(const struct versus *v, struct buf *out)
{
	size_t cases = v->count * VERSUS_METRICS;

	buf_printf(out,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		   "  <testsuite name=\"cicada-driver compare\" tests=\"%zu\" failures=\"%zu\" "
		   "skipped=\"%zu\">\n",
		   cases, v->verdicts[COMPARE_WORSE], v->verdicts[COMPARE_UNKNOWN]);
	for (size_t i = 0; i < v->count; i++)
		for (size_t k = 0; k < VERSUS_METRICS; k++)
			add_case(&v->items[i], k, out);
	buf_add_text(out, "  </testsuite>\n</testsuites>\n");
}
