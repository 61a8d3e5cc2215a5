/* SPDX-License-Identifier: MIT
 *
 * progress - see the header. */
#include "matrix/progress.h"

#include <inttypes.h>
#include <math.h>

#include "base/buf.h"
#include "base/mem.h"
#include "matrix/live.h"
#include "matrix/master_api.h"
#include "matrix/plan.h"
#include "matrix/result_row.h"

#define LINE_BYTES 400

struct progress {
	const struct plan *plan;
	FILE *to;
	struct live *live;
	bool is_terminal;
	bool is_open; /* a redrawn line stands on the terminal without its line break */
	size_t index; /* of the scenario */
	struct scenario scenario;
	double rest_s; /* planned from its beginning on */
	struct buf line;
};

struct progress *progress_create(const struct plan *plan, FILE *to, bool is_terminal)
{
	struct progress *p = mem_zalloc(1, sizeof(*p));

	p->plan = plan;
	p->to = to;
	p->is_terminal = is_terminal;
	buf_init(&p->line, LINE_BYTES);
	return p;
}

void progress_destroy(struct progress **p)
{
	if (!*p)
		return;
	if ((*p)->is_open)
		fputc('\n', (*p)->to);
	fflush((*p)->to);
	buf_fini(&(*p)->line);
	mem_free(*p);
	*p = NULL;
}

void progress_tell(struct progress *p, struct live *live)
{
	p->live = live;
}

void progress_time_text(double seconds, char out[32])
{
	uint64_t s = seconds > 0 ? (uint64_t)ceil(seconds) : 0;

	if (s < 60)
		snprintf(out, 32, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(out, 32, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else
		snprintf(out, 32, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
}

static void begin_line(struct progress *p)
{
	buf_clear(&p->line);
	buf_printf(&p->line,
		   "[%zu/%zu] replicas=%" PRIu64 " workers=%" PRIu64 " users=%" PRIu64 "   ",
		   p->index + 1, plan_count(p->plan), p->scenario.replicas, p->scenario.workers,
		   p->scenario.users);
}

/* stays: the line is not drawn over by the next one. */
static void put_line(struct progress *p, bool stays)
{
	const char *text = buf_str(&p->line).p;

	if (p->is_terminal)
		fprintf(p->to, "\r%s\033[K%s", text, stays ? "\n" : "");
	else
		fprintf(p->to, "%s\n", text);
	p->is_open = p->is_terminal && !stays;
	fflush(p->to);
}

/* Of the whole, when so much of it is left. */
static double share_over(const struct progress *p, double left_s)
{
	double whole_s = plan_rest_s(p->plan, 0);

	return whole_s > 0 && left_s > 0 ? (whole_s - left_s) / whole_s : 1;
}

static void add_total(struct progress *p, double done_s)
{
	double left_s = p->rest_s - done_s;
	char left[32];

	progress_time_text(left_s, left);
	buf_printf(&p->line, "   total %.0f %%, %s left", 100 * share_over(p, left_s), left);
	live_rest(p->live, fmax(left_s, 0), share_over(p, left_s));
}

void progress_scenario(struct progress *p, size_t i, const struct scenario *s, double rest_s)
{
	p->index = i;
	p->scenario = *s;
	p->rest_s = rest_s;
	live_scenario(p->live, i, s);
	live_rest(p->live, rest_s, share_over(p, rest_s));
}

static void draw_wait(struct progress *p, const char *what, double done_s)
{
	begin_line(p);
	buf_add_text(&p->line, what);
	add_total(p, done_s);
	put_line(p, false);
}

void progress_wait(struct progress *p, const char *what, double done_s)
{
	draw_wait(p, what, done_s);
	live_line(p->live, buf_str(&p->line));
}

void progress_enter(struct progress *p, size_t number, size_t of, const char *name, bool is_drawn)
{
	live_step(p->live, number, of, name);
	if (p->is_terminal && is_drawn)
		draw_wait(p, name, 0);
}

void progress_step(struct progress *p, const char *what, double done_s)
{
	live_detail(p->live, what);
	if (p->is_terminal)
		draw_wait(p, what, done_s);
}

static void add_ms(struct buf *line, const char *label, double ms)
{
	if (isnan(ms))
		buf_printf(line, " | %s: -", label);
	else
		buf_printf(line, " | %s: %.*fms", label, ms < 10 && ms != round(ms) ? 1 : 0, ms);
}

void progress_live(struct progress *p, const struct master_api_live *live, double done_s)
{
	begin_line(p);
	buf_printf(&p->line, "[%.0fs/%" PRIu64 "s] RPS: ", floor(live->window_s),
		   p->scenario.duration_s);
	if (isnan(live->rps))
		buf_add_char(&p->line, '-');
	else
		buf_printf(&p->line, "%.1f", live->rps);
	add_ms(&p->line, "Median", live->median_ms);
	/* Locust from 2.18 on has no 90th percentile here, but the 95th. */
	if (isnan(live->p90_ms) && !isnan(live->p95_ms))
		add_ms(&p->line, "P95", live->p95_ms);
	else
		add_ms(&p->line, "P90", live->p90_ms);
	add_total(p, done_s);
	put_line(p, false);
	live_look(p->live, live);
	live_line(p->live, buf_str(&p->line));
}

static void add_outcome(struct buf *line, const struct result_row *row)
{
	buf_printf(line, "ok: %.2f RPS", row->rps);
	add_ms(line, "Median", row->median_ms);
	add_ms(line, "P95", row->p95_ms);
	add_ms(line, "P99", row->p99_ms);
	buf_printf(line, " | %" PRIu64 " requests, %.2f %% failed", row->total_requests,
		   row->failures_pct);
}

void progress_row(struct progress *p, const struct result_row *row)
{
	begin_line(p);
	if (row->status == RESULT_OK)
		add_outcome(&p->line, row);
	else
		buf_printf(&p->line, "%s: %.200s", result_status_name(row->status), row->note);
	put_line(p, true);
	live_line(p->live, buf_str(&p->line));
	live_report(p->live);
}

void progress_cooldown(struct progress *p)
{
	live_step(p->live, 0, 0, "cooling down");
	if (p->is_terminal)
		draw_wait(p, "cooling down", plan_scenario_s(p->plan, &p->scenario));
}
