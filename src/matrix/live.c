/* SPDX-License-Identifier: MIT
 *
 * live - see the header. */
#include "matrix/live.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "matrix/master_api.h"
#include "matrix/plan.h"

#define NAME_BYTES   64
#define DETAIL_BYTES 256

struct line {
	double wall_s;
	char text[LIMIT_LIVE_LINE_BYTES];
};

/* What is told and shown. */
struct state {
	const char *how; /* "running", or how it has ended */
	uint64_t reports;
	size_t scenarios;
	bool has_scenario;
	size_t index;
	struct scenario scenario;
	size_t step, steps;
	uint64_t step_start_us;
	char name[NAME_BYTES], detail[DETAIL_BYTES];
	bool has_look;
	struct master_api_live look;
	double left_s, done_share;
	struct line lines[LIMIT_LIVE_LINES]; /* a ring */
	uint64_t told;			     /* lines so far */
};

struct live {
	pthread_mutex_t lock;
	struct state state;
};

struct live *live_create(size_t scenarios)
{
	struct live *l = mem_zalloc(1, sizeof(*l));

	ensure(pthread_mutex_init(&l->lock, NULL) == 0);
	l->state.how = "running";
	l->state.scenarios = scenarios;
	l->state.left_s = l->state.done_share = NAN;
	return l;
}

void live_destroy(struct live **l)
{
	if (!*l)
		return;
	pthread_mutex_destroy(&(*l)->lock);
	mem_free(*l);
	*l = NULL;
}

/* NULL: nobody looks on. */
static struct state *begin(struct live *l)
{
	if (!l)
		return NULL;
	pthread_mutex_lock(&l->lock);
	return &l->state;
}

static void end(struct live *l)
{
	pthread_mutex_unlock(&l->lock);
}

void live_scenario(struct live *l, size_t i, const struct scenario *s)
{
	struct state *state = begin(l);

	if (!state)
		return;
	state->has_scenario = true;
	state->index = i;
	state->scenario = *s;
	state->has_look = false;
	end(l);
}

void live_step(struct live *l, size_t number, size_t of, const char *name)
{
	struct state *state = begin(l);

	if (!state)
		return;
	state->step = number;
	state->steps = of;
	state->step_start_us = clock_us();
	snprintf(state->name, sizeof(state->name), "%s", name);
	state->detail[0] = '\0';
	end(l);
}

void live_detail(struct live *l, const char *what)
{
	struct state *state = begin(l);

	if (!state)
		return;
	snprintf(state->detail, sizeof(state->detail), "%s", what);
	end(l);
}

void live_look(struct live *l, const struct master_api_live *look)
{
	struct state *state = begin(l);

	if (!state)
		return;
	state->has_look = true;
	state->look = *look;
	end(l);
}

void live_rest(struct live *l, double left_s, double done_share)
{
	struct state *state = begin(l);

	if (!state)
		return;
	state->left_s = left_s;
	state->done_share = done_share;
	end(l);
}

void live_line(struct live *l, struct str text)
{
	struct state *state = begin(l);
	struct line *line;

	if (!state)
		return;
	line = &state->lines[state->told++ % LIMIT_LIVE_LINES];
	line->wall_s = clock_wall_s();
	snprintf(line->text, sizeof(line->text), "%.*s", (int)text.len, text.p);
	end(l);
}

void live_report(struct live *l)
{
	struct state *state = begin(l);

	if (!state)
		return;
	state->reports++;
	end(l);
}

void live_end(struct live *l, const char *how)
{
	struct state *state = begin(l);

	if (!state)
		return;
	state->how = how;
	end(l);
}

uint64_t live_reports(struct live *l)
{
	uint64_t reports;

	pthread_mutex_lock(&l->lock);
	reports = l->state.reports;
	pthread_mutex_unlock(&l->lock);
	return reports;
}

static void add_scenario(const struct state *s, struct buf *out)
{
	buf_printf(out,
		   "{\"number\":%zu,\"replicas\":%" PRIu64 ",\"workers\":%" PRIu64
		   ",\"users\":%" PRIu64 ",\"repeat\":%" PRIu64 ",\"duration_s\":%" PRIu64 "}",
		   s->index + 1, s->scenario.replicas, s->scenario.workers, s->scenario.users,
		   s->scenario.repeat, s->scenario.duration_s);
}

static void add_step(const struct state *s, struct buf *out)
{
	buf_printf(out, "{\"number\":%zu,\"of\":%zu,\"for_s\":%.1f,\"name\":", s->step, s->steps,
		   (double)(clock_us() - s->step_start_us) / CLOCK_S);
	buf_add_json(out, str_of(s->name));
	buf_add_text(out, ",\"detail\":");
	buf_add_json(out, str_of(s->detail));
	buf_add_char(out, '}');
}

static void add_number(const char *name, double value, struct buf *out)
{
	buf_printf(out, "\"%s\":", name);
	if (isfinite(value))
		buf_add_g9(out, value);
	else
		buf_add_text(out, "null");
}

static void add_look(const struct master_api_live *look, struct buf *out)
{
	buf_printf(out, "{\"users\":%" PRIu64 ",", look->users);
	add_number("window_s", look->window_s, out);
	buf_add_char(out, ',');
	add_number("rps", look->rps, out);
	buf_add_char(out, ',');
	add_number("median_ms", look->median_ms, out);
	buf_add_char(out, ',');
	add_number("p90_ms", look->p90_ms, out);
	buf_add_char(out, ',');
	add_number("p95_ms", look->p95_ms, out);
	buf_add_char(out, '}');
}

static void add_lines(const struct state *s, struct buf *out)
{
	uint64_t first = s->told > LIMIT_LIVE_LINES ? s->told - LIMIT_LIVE_LINES : 0;

	buf_add_char(out, '[');
	for (uint64_t i = first; i < s->told; i++) {
		const struct line *line = &s->lines[i % LIMIT_LIVE_LINES];

		buf_printf(out, "%s{\"at\":%.3f,\"text\":", i > first ? "," : "", line->wall_s);
		buf_add_json(out, str_of(line->text));
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void format(const struct state *s, struct buf *out)
{
	buf_printf(out, "{\"state\":\"%s\",\"reports\":%" PRIu64 ",\"scenarios\":%zu,\"scenario\":",
		   s->how, s->reports, s->scenarios);
	if (s->has_scenario)
		add_scenario(s, out);
	else
		buf_add_text(out, "null");
	buf_add_text(out, ",\"step\":");
	if (s->name[0])
		add_step(s, out);
	else
		buf_add_text(out, "null");
	buf_add_text(out, ",\"look\":");
	if (s->has_look)
		add_look(&s->look, out);
	else
		buf_add_text(out, "null");
	buf_add_char(out, ',');
	add_number("left_s", s->left_s, out);
	buf_add_char(out, ',');
	add_number("done_share", s->done_share, out);
	buf_add_text(out, ",\"lines\":");
	add_lines(s, out);
	buf_add_text(out, "}\n");
}

void live_format(struct live *l, struct buf *out)
{
	struct state *copy = mem_alloc(sizeof(*copy));

	pthread_mutex_lock(&l->lock);
	*copy = l->state;
	pthread_mutex_unlock(&l->lock);
	format(copy, out);
	mem_free(copy);
}
