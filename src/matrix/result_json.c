/* SPDX-License-Identifier: MIT
 *
 * result_json - see the header. */
#include "matrix/result_json.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "matrix/charts.h"
#include "matrix/conclude.h"
#include "matrix/findings.h"
#include "matrix/plan.h"
#include "matrix/result_row.h"
#include "matrix/verdict.h"

#define VERSION 1

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\":", name);
	buf_add_json(out, str_of(text));
}

static void begin_figure(struct buf *out, const char *name, const char *unit, double value)
{
	buf_printf(out, "\"%s\":{\"value\":", name);
	buf_add_g9(out, value);
	buf_add_text(out, ",\"unit\":");
	buf_add_json(out, str_of(unit));
}

static void add_figure(struct buf *out, const char *name, const char *unit, double value)
{
	begin_figure(out, name, unit, value);
	buf_add_char(out, '}');
}

static void add_axis(struct buf *out, const char *name, const struct opt_counts *axis)
{
	buf_printf(out, "\"%s\":{\"unit\":\"%s\",\"values\":[", name, name);
	for (size_t i = 0; i < axis->count; i++)
		buf_printf(out, "%s%" PRIu64, i ? "," : "", axis->value[i]);
	buf_add_text(out, "]},");
}

static void add_plan(const struct result_json *r, struct buf *out)
{
	const struct plan *plan = r->plan;

	buf_add_text(out, "{");
	if (plan) {
		add_axis(out, "replicas", &plan->replicas);
		add_axis(out, "workers", &plan->workers);
		add_axis(out, "users", &plan->users);
		add_figure(out, "duration", "s", (double)plan->duration_s);
		buf_add_char(out, ',');
		add_figure(out, "cooldown", "s", (double)plan->cooldown_s);
		buf_add_char(out, ',');
		add_figure(out, "repeats", "passes", (double)plan->repeats);
		buf_add_char(out, ',');
		add_text(out, "order", plan->is_random ? "random" : "listed");
		buf_add_char(out, ',');
	}
	add_figure(out, "scenarios", "scenarios", (double)r->scenarios);
	buf_add_char(out, ',');
	add_text(out, "settings", r->settings);
	buf_add_char(out, '}');
}

/* Each line "- Name: text" is a fact. */
static void add_environment(const char *lines, struct buf *out)
{
	struct str rest = str_of(lines), line;
	const char *comma = "";

	buf_add_char(out, '[');
	while (rest.len && str_cut(&rest, '\n', &line)) {
		struct str name;

		if (line.len < 2 || !str_cut(&line, ':', &name) || name.len < 2)
			continue;
		buf_printf(out, "%s{\"name\":", comma);
		buf_add_json(out, (struct str){ name.p + 2, name.len - 2 });
		buf_add_text(out, ",\"text\":");
		buf_add_json(out, str_trim(line));
		buf_add_char(out, '}');
		comma = ",";
	}
	buf_add_char(out, ']');
}

static void add_term(const char *name, const char *unit, const char *meaning, struct buf *out)
{
	buf_add_char(out, '{');
	add_text(out, "name", name);
	buf_add_text(out, ",\"unit\":");
	if (unit)
		buf_add_json(out, str_of(unit));
	else
		buf_add_text(out, "null");
	buf_add_char(out, ',');
	add_text(out, "meaning", meaning);
	buf_add_char(out, '}');
}

/* The columns in short, from the one table. */
static void add_glossary(struct buf *out)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < RESULT_COLUMNS; i++) {
		const struct result_column *column = &result_columns[i];

		buf_add_text(out, i ? "," : "");
		add_term(column->name, column->unit, column->meaning, out);
	}
	buf_add_char(out, ']');
}

static void add_glossary_of_answers(struct buf *out)
{
	buf_add_char(out, '[');
	for (const struct findings_term *t = findings_terms; t->name; t++) {
		buf_add_text(out, t == findings_terms ? "" : ",");
		add_term(t->name, t->unit, t->meaning, out);
	}
	buf_add_char(out, ']');
}

static void add_range(const struct result_range *range, struct buf *out)
{
	if (isnan(range->low) || isnan(range->high))
		return;
	buf_add_text(out, ",\"low\":");
	buf_add_g9(out, range->low);
	buf_add_text(out, ",\"high\":");
	buf_add_g9(out, range->high);
}

static void add_figures(const struct result_row *row, struct buf *out)
{
	const char *comma = "";

	buf_add_text(out, "\"figures\":{");
	for (size_t i = 0; i < RESULT_COLUMNS; i++) {
		const struct result_column *column = &result_columns[i];
		double value;

		if (!result_column_is_figure(column) || column->is_bound)
			continue;
		value = result_column_value(column, row);
		if (!isfinite(value))
			continue;
		buf_add_text(out, comma);
		begin_figure(out, column->name, column->unit, value);
		if (column->range)
			add_range((const void *)((const char *)row + column->range), out);
		buf_add_char(out, '}');
		comma = ",";
	}
	buf_add_char(out, '}');
}

/* What a row says in words. */
static void add_words(const struct result_row *row, struct buf *out)
{
	const char *comma = "";

	buf_add_text(out, "\"words\":{");
	for (size_t i = 0; i < RESULT_COLUMNS; i++) {
		char cell[RESULT_CELL_BYTES];

		if (result_column_is_figure(&result_columns[i]))
			continue;
		result_cell(row, &result_columns[i], cell);
		if (!cell[0])
			continue;
		buf_add_text(out, comma);
		add_text(out, result_columns[i].name, cell);
		comma = ",";
	}
	buf_add_char(out, '}');
}

static enum err add_row(const struct result_json *r, size_t i, struct buf *out,
			struct err_text *text)
{
	const struct result_row *row = &r->rows[i];
	struct buf broken;
	enum err err;

	buf_printf(out, "{\"scenario\":%zu,", r->rows[i].scenario + 1);
	add_words(row, out);
	buf_add_char(out, ',');
	add_figures(row, out);
	buf_add_text(out, ",\"limits_not_met\":");
	buf_init(&broken, RESULT_CELL_BYTES * LIMIT_GATES);
	if (r->bounds && !verdict_is_kept(r->bounds, row))
		verdict_say_broken(r->bounds, row, &broken);
	if (broken.len)
		buf_add_json(out, buf_str(&broken));
	else
		buf_add_text(out, "null");
	buf_fini(&broken);
	err = charts_add(r->charts, row->scenario, out, text);
	buf_add_char(out, '}');
	return err;
}

static void add_answers(const struct result_json *r, struct buf *out)
{
	struct conclude c;

	if (!r->questions) {
		buf_add_text(out, "[]");
		return;
	}
	conclude_rows(r->questions, r->rows, r->count, &c);
	findings_add_json(r->questions, &c, r->rows, r->count, out);
}

static void add_head(const struct result_json *r, struct buf *out)
{
	char when[RESULT_CELL_BYTES];
	size_t measured = 0;

	for (size_t i = 0; i < r->count; i++)
		measured += r->rows[i].status == RESULT_OK;
	result_cell_wall(clock_wall_s(), when);
	buf_printf(out,
		   "{\"format\":\"cicada-report\",\"version\":%d,\n\"written\":\"%s\",\n"
		   "\"rows_recorded\":%zu,\"rows_measured\":%zu,\n\"answers\":",
		   VERSION, when, r->count, measured);
	add_answers(r, out);
	buf_add_text(out, ",\n\"plan\":");
	add_plan(r, out);
	buf_add_text(out, ",\n\"environment\":");
	add_environment(r->environment, out);
}

void result_json_format(const struct result_json *r, struct spill *out)
{
	add_head(r, &out->bytes);
	buf_add_text(&out->bytes, ",\n\"rows\":[");
	for (size_t i = 0; i < r->count && !out->err; i++) {
		buf_add_text(&out->bytes, i ? ",\n" : "\n");
		out->err = add_row(r, i, &out->bytes, out->text);
		spill_turn(out);
	}
	buf_add_text(&out->bytes, "],\n\"glossary\":");
	add_glossary(&out->bytes);
	buf_add_text(&out->bytes, ",\n\"glossary_of_answers\":");
	add_glossary_of_answers(&out->bytes);
	buf_add_text(&out->bytes, "}\n");
}
