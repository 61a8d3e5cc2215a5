/* SPDX-License-Identifier: MIT
 *
 * result - see the header. All writers read the one table of columns in result_row.c. */
#include "matrix/result.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spill.h"
#include "matrix/charts.h"
#include "matrix/conclude.h"
#include "matrix/evidence.h"
#include "matrix/findings.h"
#include "matrix/plan.h"
#include "matrix/result_json.h"
#include "matrix/result_row.h"
#include "matrix/verdict.h"
#include "serve/asset.h"

extern const struct asset asset_matrix_alone;

#define LOGGER "cicada.driver"
/* Reports of thousands of rows take their time. So they are made again at most so often that the
 * driver spends a small part of its own on them; until then the journal has the rows. */
#define QUICK_US CLOCK_S /* is no matter */
#define RESTS	 50	 /* between two, as long as one takes */

struct result {
	struct result_config config;
	struct journal *journal;
	struct journal_past past; /* its rows are taken over */
	char *environment;
	struct result_row *rows;
	size_t count, cap;
	struct charts *charts; /* of these */
	uint64_t due_us;       /* not before then are the reports made again */
	bool is_behind;	       /* a row is not in them yet */
};

static enum err put_charts(struct result *r, const struct evidence *evidence,
			   const struct result_row *row, struct err_text *text)
{
	struct buf members;
	enum err err;

	buf_init(&members, LIMIT_EVIDENCE_BYTES);
	evidence_add_json(evidence, row, LIMIT_REPORT_POINTS, &members);
	err = charts_put(r->charts, row->scenario, buf_str(&members), text);
	buf_fini(&members);
	return err;
}

/* A row without its file is still a row; earlier versions wrote none. */
static enum err load_evidence(struct result *r, const struct result_row *row, struct err_text *text)
{
	struct err_text why = { "" };
	struct evidence evidence;
	enum err err;

	evidence_init(&evidence);
	err = evidence_load(r->config.folder, row->scenario + 1, &evidence, &why);
	if (err && err != ERR_NOT_FOUND)
		log_line(LOG_WARNING, LOGGER, "No chart of this row: %s", why.text);
	err = put_charts(r, &evidence, row, text);
	evidence_fini(&evidence);
	return err;
}

enum err result_create(const struct result_config *config, struct result **out,
		       struct err_text *text)
{
	struct result *r = mem_zalloc(1, sizeof(*r));
	enum err err = folder_create(config->folder, text);

	r->config = *config;
	if (!err)
		err = journal_open(config->folder, &r->config.plan, config->is_fresh, &r->journal,
				   &r->past, text);
	if (!err)
		err = charts_open(config->folder, config->plan.scenarios, &r->charts, text);
	r->rows = r->past.rows;
	r->count = r->cap = r->past.count;
	r->environment = r->past.environment ? r->past.environment : mem_strdup("");
	for (size_t i = 0; !err && i < r->count; i++)
		err = load_evidence(r, &r->rows[i], text);
	if (err)
		result_destroy(&r);
	*out = r;
	return err;
}

void result_destroy(struct result **r)
{
	if (!*r)
		return;
	journal_close(&(*r)->journal);
	mem_free((*r)->environment);
	charts_close(&(*r)->charts);
	mem_free((*r)->rows);
	mem_free(*r);
	*r = NULL;
}

enum journal_kind result_past_kind(const struct result *r)
{
	return r->past.kind;
}

bool result_is_past_torn(const struct result *r)
{
	return r->past.is_torn;
}

bool result_has_leftover(const struct result *r)
{
	return r->past.has_leftover;
}

size_t result_count(const struct result *r)
{
	return r->count;
}

bool result_has(const struct result *r, size_t i)
{
	return result_row_find(r->rows, r->count, i) != NULL;
}

const struct result_row *result_rows(const struct result *r, size_t *count)
{
	*count = r->count;
	return r->rows;
}

size_t result_count_ok(const struct result *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		count += r->rows[i].status == RESULT_OK;
	return count;
}

static void add_csv_cell(struct buf *out, const char *cell)
{
	if (!strpbrk(cell, ",\"\r\n")) {
		buf_add_text(out, cell);
		return;
	}
	buf_add_char(out, '"');
	for (const char *c = cell; *c; c++) {
		if (*c == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *c);
	}
	buf_add_char(out, '"');
}

static void format_csv(const struct result *r, struct spill *spill)
{
	struct buf *out = &spill->bytes;
	char cell[RESULT_CELL_BYTES];

	for (size_t k = 0; k < RESULT_COLUMNS; k++)
		buf_printf(out, "%s%s", k ? "," : "", result_columns[k].name);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < r->count; i++) {
		for (size_t k = 0; k < RESULT_COLUMNS; k++) {
			if (k)
				buf_add_char(out, ',');
			result_cell(&r->rows[i], &result_columns[k], cell);
			add_csv_cell(out, cell);
		}
		buf_add_char(out, '\n');
		spill_turn(spill);
	}
}

/* The widest text of a column, its name included. */
static int column_width(const struct result *r, const struct result_column *column)
{
	size_t width = strlen(column->name);
	char cell[RESULT_CELL_BYTES];

	for (size_t i = 0; i < r->count; i++) {
		result_cell(&r->rows[i], column, cell);
		if (strlen(cell) > width)
			width = strlen(cell);
	}
	return (int)width;
}

void result_format_table(const struct result *r, struct buf *out)
{
	int widths[RESULT_COLUMNS];
	char cell[RESULT_CELL_BYTES];

	for (size_t k = 0; k < RESULT_COLUMNS; k++)
		widths[k] = column_width(r, &result_columns[k]);
	for (size_t i = 0; i <= r->count; i++) {
		for (size_t k = 0; k < RESULT_COLUMNS; k++) {
			if (!result_columns[k].is_on_terminal)
				continue;
			if (i)
				result_cell(&r->rows[i - 1], &result_columns[k], cell);
			else
				snprintf(cell, sizeof(cell), "%s", result_columns[k].name);
			buf_printf(out, "%s%*s", k ? "  " : "", widths[k], cell);
		}
		buf_add_char(out, '\n');
	}
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void say_scenario(const struct result_row *row, struct buf *out)
{
	buf_printf(out, "%" PRIu64 " replica%s, %" PRIu64 " worker%s, %" PRIu64 " user%s",
		   row->replicas, plural(row->replicas), row->workers, plural(row->workers),
		   row->users, plural(row->users));
}

static bool is_broken(const struct result *r, const struct result_row *row)
{
	return r->config.bounds && !verdict_is_kept(r->config.bounds, row);
}

size_t result_count_broken(const struct result *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		count += is_broken(r, &r->rows[i]);
	return count;
}

void result_say_broken(const struct result *r, struct buf *out)
{
	for (size_t i = 0; i < r->count; i++) {
		if (!is_broken(r, &r->rows[i]))
			continue;
		buf_add_text(out, "- ");
		say_scenario(&r->rows[i], out);
		buf_add_text(out, ": ");
		verdict_say_broken(r->config.bounds, &r->rows[i], out);
		buf_add_char(out, '\n');
	}
}

static bool is_limited(const struct result_row *row)
{
	return row->generator == RESULT_GENERATOR_LIMITED;
}

/* What the generator could do is no capacity of the target, nor is what contradicts itself. */
static bool stands_back(const struct result_row *row)
{
	return is_limited(row) || row->verdict == RESULT_VERDICT_INVALID;
}

static bool is_stronger(const struct result_row *a, const struct result_row *b)
{
	return stands_back(a) != stands_back(b) ? stands_back(b) : a->rps > b->rps;
}

bool result_say_best_throughput(const struct result *r, struct buf *out)
{
	const struct result_row *best = NULL;

	for (size_t i = 0; i < r->count; i++)
		if (r->rows[i].status == RESULT_OK && (!best || is_stronger(&r->rows[i], best)))
			best = &r->rows[i];
	if (!best)
		return false;
	buf_printf(out, "%.2f RPS with ", best->rps);
	say_scenario(best, out);
	if (is_limited(best))
		buf_add_text(out, " (the limit of the load generator)");
	else if (stands_back(best))
		buf_printf(out, " (invalid: %s)", best->reason);
	return true;
}

/* Lower median first, then lower P95, then more requests per second. */
static bool is_faster(const struct result_row *a, const struct result_row *b)
{
	if (a->median_ms != b->median_ms)
		return a->median_ms < b->median_ms;
	if (isfinite(a->p95_ms) && isfinite(b->p95_ms) && a->p95_ms != b->p95_ms)
		return a->p95_ms < b->p95_ms;
	return a->rps > b->rps;
}

bool result_say_best_latency(const struct result *r, struct buf *out)
{
	const struct result_row *best = NULL;
	char cell[RESULT_CELL_BYTES];

	for (size_t i = 0; i < r->count; i++)
		if (r->rows[i].status == RESULT_OK && isfinite(r->rows[i].median_ms) &&
		    (!best || is_faster(&r->rows[i], best)))
			best = &r->rows[i];
	if (!best)
		return false;
	result_cell_ms(best->median_ms, cell);
	buf_printf(out, "%s ms median with ", cell);
	say_scenario(best, out);
	return true;
}

void result_say_answer(const struct result *r, struct buf *out)
{
	struct conclude c;

	if (!r->config.questions)
		return;
	conclude_rows(r->config.questions, r->rows, r->count, &c);
	findings_say(r->config.questions, &c, r->rows, r->count, out);
}

bool result_is_answered(const struct result *r)
{
	struct conclude c;

	if (!r->config.questions)
		return true;
	conclude_rows(r->config.questions, r->rows, r->count, &c);
	return conclude_is_answered(r->config.questions, &c, r->rows, r->count);
}

static bool is_text(const struct result_column *column)
{
	return !column->unit && column->kind != COLUMN_TIME;
}

static void add_markdown_table(const struct result *r, struct spill *spill)
{
	struct buf *out = &spill->bytes;
	char cell[RESULT_CELL_BYTES];

	for (size_t i = 0; i < r->count + 2; i++) {
		for (size_t k = 0; k < RESULT_COLUMNS; k++) {
			if (result_columns[k].kind == COLUMN_NOTE ||
			    result_columns[k].kind == COLUMN_REASON || result_columns[k].is_bound)
				continue;
			if (i == 0)
				snprintf(cell, sizeof(cell), "%s", result_columns[k].name);
			else if (i == 1)
				snprintf(cell, sizeof(cell), "%s",
					 is_text(&result_columns[k]) ? "---" : "---:");
			else
				result_cell(&r->rows[i - 2], &result_columns[k], cell);
			buf_printf(out, "| %s ", cell);
		}
		buf_add_text(out, "|\n");
		spill_turn(spill);
	}
}

static void say_verdict(const struct result_row *row, struct buf *out)
{
	buf_printf(out, "; %s: %s", result_verdict_name(row->verdict), row->reason);
}

static void add_markdown_notes(const struct result *r, struct spill *spill)
{
	struct buf *out = &spill->bytes;
	bool has_title = false;

	for (size_t i = 0; i < r->count; i++) {
		const struct result_row *row = &r->rows[i];

		if (row->status == RESULT_OK && !row->note[0] && !row->reason[0])
			continue;
		if (!has_title)
			buf_add_text(out, "\n## Notes\n\n");
		has_title = true;
		buf_add_text(out, "- ");
		say_scenario(row, out);
		buf_printf(out, ": `%s`", result_status_name(row->status));
		if (row->note[0])
			buf_printf(out, ". %s", row->note);
		if (row->reason[0])
			say_verdict(row, out);
		buf_add_char(out, '\n');
		spill_turn(spill);
	}
}

/* The three sentences on the third line. */
static void add_markdown_answer(const struct result *r, struct buf *out)
{
	struct buf said;

	buf_init(&said, LIMIT_ANSWER_BYTES);
	result_say_answer(r, &said);
	for (size_t i = 0; i < said.len; i++)
		buf_add_char(out, said.p[i] == '\n' && i + 1 < said.len ? ' ' : said.p[i]);
	if (said.len)
		buf_add_char(out, '\n');
	buf_fini(&said);
}

static void add_markdown_capacity(const struct result *r, struct buf *out)
{
	struct conclude c;

	if (!r->config.questions || !r->count)
		return;
	conclude_rows(r->config.questions, r->rows, r->count, &c);
	findings_add_markdown(r->config.questions, &c, r->rows, r->count, out);
}

static void add_markdown_glossary(struct buf *out)
{
	buf_add_text(out, "\n## Glossary\n\n| Column | Unit | Meaning |\n| --- | --- | --- |\n");
	for (size_t k = 0; k < RESULT_COLUMNS; k++)
		buf_printf(out, "| %s | %s | %s |\n", result_columns[k].name,
			   result_columns[k].unit ? result_columns[k].unit : "",
			   result_columns[k].meaning);
	for (const struct findings_term *t = findings_terms; t->name; t++)
		buf_printf(out, "| %s | %s | %s |\n", t->name, t->unit, t->meaning);
}

static void add_markdown_head(const struct result *r, struct buf *out)
{
	char when[RESULT_CELL_BYTES];
	struct buf line;

	result_cell_wall(clock_wall_s(), when);
	buf_add_text(out, "# Kubernetes Locust Load Test Results\n\n");
	add_markdown_answer(r, out);
	buf_printf(out,
		   "%zu of %s%zu scenarios recorded, %zu measured. Written %s.\n\n## "
		   "Summary\n\n",
		   r->count,
		   r->config.matrix && plan_may_end_early(r->config.matrix) ? "at most " : "",
		   r->config.plan.scenarios, result_count_ok(r), when);
	buf_init(&line, RESULT_CELL_BYTES);
	if (result_say_best_throughput(r, &line))
		buf_printf(out, "- **Best Throughput:** %s\n", line.p);
	buf_clear(&line);
	if (result_say_best_latency(r, &line))
		buf_printf(out, "- **Best Latency:** %s\n", line.p);
	if (!result_count_ok(r))
		buf_add_text(out, "- No scenario has been measured yet.\n");
	buf_fini(&line);
}

static void format_markdown(const struct result *r, struct spill *spill)
{
	struct buf *out = &spill->bytes;

	add_markdown_head(r, out);
	add_markdown_capacity(r, out);
	buf_add_text(out, "\n## Scenarios\n\n");
	add_markdown_table(r, spill);
	buf_add_text(out,
		     "\nRPS and the response times are those of the window in which all users ran; "
		     "Total_Requests, Failures and Server_Requests cover the whole test, with ramp "
		     "and drain. Empty cells were not measured. Intervals are in " RESULT_CSV
		     " and " RESULT_JSON ".\n");
	buf_add_text(
		out,
		"\nMedian_ms to Max_ms are service times, from the call to the last byte. "
		"Response_P95_ms and Response_P99_ms are from the moment at which the request "
		"was meant to be sent; only `paced` and `open` users have one (Model). Those of "
		"the `closed` model wait for their answers: what a slow target keeps them from "
		"sending is in no percentile.\n");
	if (result_count_broken(r)) {
		buf_add_text(out, "\n## Limits not met\n\n");
		result_say_broken(r, out);
	}
	add_markdown_notes(r, spill);
	add_markdown_glossary(out);
	buf_printf(out, "\n## Environment\n\n%s", r->environment);
}

static void format_json(const struct result *r, struct spill *spill)
{
	result_json_format(&(struct result_json){ .settings = r->config.plan.settings,
						  .plan = r->config.matrix,
						  .scenarios = r->config.plan.scenarios,
						  .environment = r->environment,
						  .rows = r->rows,
						  .count = r->count,
						  .charts = r->charts,
						  .bounds = r->config.bounds,
						  .questions = r->config.questions },
			   spill);
}

static enum err take_part(void *arg, struct str bytes, struct err_text *text)
{
	return folder_add(arg, bytes, text);
}

static enum err write_file(const struct result *r, const char *name,
			   void (*format)(const struct result *, struct spill *),
			   struct err_text *text)
{
	struct folder_file file;
	struct spill spill;
	enum err err = folder_begin(&file, r->config.folder, name, text);

	if (err)
		return err;
	spill_init(&spill, take_part, &file, text);
	format(r, &spill);
	return folder_end(&file, spill_end(&spill), text);
}

/* The page shows what the file for programs says. */
struct json_and_page {
	struct folder_file json, page;
	struct buf part; /* of the page */
};

static enum err take_json(void *arg, struct str bytes, struct err_text *text)
{
	struct json_and_page *b = arg;
	enum err err = folder_add(&b->json, bytes, text);

	asset_add(bytes, &b->part);
	if (!err)
		err = folder_add(&b->page, buf_str(&b->part), text);
	buf_clear(&b->part);
	return err;
}

static enum err fill_json_and_page(const struct result *r, struct json_and_page *b,
				   struct err_text *text)
{
	struct asset_page html;
	struct spill spill;
	enum err err;

	buf_init(&b->part, LIMIT_PAGE_PART_BYTES);
	asset_begin(&html, &asset_matrix_alone, &b->part);
	spill_init(&spill, take_json, b, text);
	format_json(r, &spill);
	err = spill_end(&spill);
	asset_end(&html, &b->part);
	if (!err)
		err = folder_add(&b->page, buf_str(&b->part), text);
	buf_fini(&b->part);
	return err;
}

static enum err write_json_and_page(const struct result *r, struct err_text *text)
{
	struct json_and_page b;
	enum err err = folder_begin(&b.json, r->config.folder, RESULT_JSON, text), filled;

	if (err)
		return err;
	err = folder_begin(&b.page, r->config.folder, RESULT_PAGE, text);
	if (err)
		return folder_end(&b.json, err, text);
	filled = fill_json_and_page(r, &b, text);
	err = folder_end(&b.json, filled, text);
	return folder_end(&b.page, err, text);
}

static uint64_t now_us(const struct result *r)
{
	return r->config.now_us ? r->config.now_us() : clock_us();
}

enum err result_write_reports(struct result *r, struct err_text *text)
{
	uint64_t start_us = now_us(r), cost_us;
	enum err err = write_file(r, RESULT_CSV, format_csv, text);

	if (!err)
		err = write_file(r, RESULT_MARKDOWN, format_markdown, text);
	if (!err)
		err = write_json_and_page(r, text);
	cost_us = now_us(r) - start_us;
	r->due_us = start_us + cost_us + (cost_us < QUICK_US ? 0 : RESTS * cost_us);
	r->is_behind = err != OK;
	return err;
}

static enum err create_evidence_folder(const struct result *r, struct err_text *text)
{
	char *path = mem_printf("%s/" EVIDENCE_FOLDER, r->config.folder);
	enum err err = folder_create(path, text);

	mem_free(path);
	return err;
}

enum err result_start(struct result *r, const char *environment, struct err_text *text)
{
	static const char *const names[] = { RESULT_CSV,  RESULT_MARKDOWN, RESULT_JSON,
					     RESULT_PAGE, RESULT_PLAN,	   EVIDENCE_FOLDER };
	enum err err = OK;

	mem_free(r->environment);
	r->environment = mem_strdup(environment);
	for (size_t i = 0;
	     !err && i < sizeof(names) / sizeof(names[0]) && r->past.kind != JOURNAL_SAME; i++)
		err = folder_set_aside(r->config.folder, names[i], text);
	if (!err)
		err = create_evidence_folder(r, text);
	if (!err && r->config.options.len)
		err = folder_replace(r->config.folder, RESULT_PLAN, r->config.options, text);
	if (!err)
		err = journal_start(r->journal, &r->past, environment, text);
	return err ? err : result_write_reports(r, text);
}

enum err result_add_begun(struct result *r, size_t i, struct err_text *text)
{
	return journal_add_begun(r->journal, i, text);
}

enum err result_add_tried(struct result *r, const struct result_row *row, struct err_text *text)
{
	return journal_add_tried(r->journal, row->scenario, row, text);
}

enum err result_add(struct result *r, const struct result_row *row, const struct evidence *evidence,
		    struct err_text *text)
{
	enum err err;

	ensure(row->scenario < r->config.plan.scenarios && !result_has(r, row->scenario));
	err = evidence_save(r->config.folder, row->scenario + 1, evidence, row, text);
	if (!err)
		err = journal_add_row(r->journal, row->scenario, row, text);
	result_row_insert(&r->rows, &r->count, &r->cap, row);
	if (!err)
		err = put_charts(r, evidence, row, text);
	r->is_behind = true;
	return err || now_us(r) < r->due_us ? err : result_write_reports(r, text);
}

enum err result_add_ended(struct result *r, const char *how, struct err_text *text)
{
	enum err err = journal_add_ended(r->journal, how, text);

	return err || !r->is_behind ? err : result_write_reports(r, text);
}
