/* SPDX-License-Identifier: MIT
 *
 * chart - see the header. Lengths are those of the image's own coordinates. */
#include "web/chart.h"

#include <math.h>

#define WIDTH	800.0
#define HEIGHT	240.0
#define LEFT	64.0
#define RIGHT	16.0
#define TOP	10.0
#define BOTTOM	26.0
#define TICKS_Y 5.0
#define TICKS_X 8.0
#define HOUR_S	3600.0

struct frame {
	double begin_s, span_s; /* what the width stands for */
	double top;		/* what the height stands for */
	double step_s, step;	/* between two ticks */
};

/* 1, 2 or 5 times a power of ten, not below value. */
static double round_up(double value)
{
	double power = pow(10, floor(log10(value)));
	double digit = value / power;

	return (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power;
}

/* The same for times that people read as seconds, minutes and hours. */
static double round_up_s(double seconds)
{
	static const double steps[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR_S };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (seconds <= steps[i])
			return steps[i];
	return round_up(seconds / HOUR_S) * HOUR_S;
}

static double highest(const struct chart_line *line, const struct history *h)
{
	double max = 0;

	for (size_t i = 0; i < h->count; i++)
		max = fmax(max, line->value(&h->items[i])); /* passes over NAN */
	return max;
}

static struct frame frame_of(const struct chart *chart, const struct history *h)
{
	struct frame f = { .begin_s = h->items[0].wall_s };
	double max = 0;

	f.span_s = fmax(h->items[h->count - 1].wall_s - f.begin_s, 1);
	f.step_s = round_up_s(f.span_s / TICKS_X);
	for (size_t i = 0; i < CHART_LINES && chart->lines[i].name; i++)
		max = fmax(max, highest(&chart->lines[i], h));
	f.step = max > 0 ? round_up(max / TICKS_Y) : 1;
	f.top = fmax(ceil(max / f.step), 1) * f.step;
	return f;
}

static double x_of(const struct frame *f, double wall_s)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * (wall_s - f->begin_s) / f->span_s;
}

static double y_of(const struct frame *f, double value)
{
	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / f->top;
}

/* 0:05, 2:30, 1:00:00. */
static void add_clock(struct buf *out, double seconds)
{
	unsigned s = (unsigned)(seconds + 0.5);

	if (seconds >= HOUR_S)
		buf_printf(out, "%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
	else
		buf_printf(out, "%u:%02u", s / 60, s % 60);
}

static void add_grid(const struct frame *f, struct buf *out)
{
	double bottom = HEIGHT - BOTTOM;

	for (double value = 0; value <= f->top * 1.0001; value += f->step) {
		double y = y_of(f, value);

		buf_printf(out, "<path class=\"grid\" d=\"M%.0f %.1fH%.0f\"/>", LEFT, y,
			   WIDTH - RIGHT);
		buf_printf(out, "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%.10g</text>\n",
			   LEFT - 6, y + 4, value);
	}
	for (double s = 0; s <= f->span_s * 1.0001; s += f->step_s) {
		double x = x_of(f, f->begin_s + s);

		buf_printf(out, "<path class=\"grid\" d=\"M%.1f %.0fv4\"/>", x, bottom);
		buf_printf(out, "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">", x,
			   HEIGHT - 8);
		add_clock(out, s);
		buf_add_text(out, "</text>\n");
	}
}

/* A first point is drawn as a line of no length, which its round ends make a dot: so one that
 * stands alone is seen too. */
static void add_line(const struct frame *f, const struct chart_line *line, char class,
		     const struct history *h, struct buf *out)
{
	bool is_down = false;

	buf_printf(out, "<path class=\"line %c\" d=\"", class);
	for (size_t i = 0; i < h->count; i++) {
		double value = line->value(&h->items[i]), x = x_of(f, h->items[i].wall_s);

		if (isfinite(value) && is_down)
			buf_printf(out, "L%.1f %.1f", x, y_of(f, value));
		else if (isfinite(value))
			buf_printf(out, "M%.1f %.1fh0", x, y_of(f, value));
		is_down = isfinite(value);
	}
	buf_add_text(out, "\"/>\n");
}

void chart_write(const struct chart *chart, const struct history *history, struct buf *out)
{
	struct frame f;

	buf_printf(out, "<figure><figcaption>%s", chart->title);
	if (!history->count) {
		buf_add_text(out, ": nothing was recorded</figcaption></figure>\n");
		return;
	}
	for (size_t i = 0; i < CHART_LINES && chart->lines[i].name; i++)
		buf_printf(out, " <span class=\"key %c\">%s (max %.10g)</span>", 'a' + (char)i,
			   chart->lines[i].name,
			   round(10 * highest(&chart->lines[i], history)) / 10);
	buf_printf(out,
		   "</figcaption>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
		   "aria-label=\"%s over time\">\n",
		   WIDTH, HEIGHT, chart->title);
	f = frame_of(chart, history);
	add_grid(&f, out);
	for (size_t i = 0; i < CHART_LINES && chart->lines[i].name; i++)
		add_line(&f, &chart->lines[i], 'a' + (char)i, history, out);
	buf_add_text(out, "</svg></figure>\n");
}
