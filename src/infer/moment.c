/* SPDX-License-Identifier: MIT
 *
 * moment - see the header. Days are counted by the proleptic Gregorian calendar in years that
 * begin in March, so the leap day is the last of its year and needs no case of its own. */
#include "infer/moment.h"

#include <math.h>
#include <string.h>

#define SECOND_US   1000000ll
#define MINUTE_US   (60 * SECOND_US)
#define HOUR_US	    (60 * MINUTE_US)
#define DAY_US	    (24 * HOUR_US)
#define ERA_DAYS    146097	/* 400 years */
#define ERA_TO_1970 719468	/* days from 0000-03-01 */
#define FIRST_DAY   (-719528ll) /* 0000-01-01 */
#define LAST_DAY    2932896ll	/* 9999-12-31 */
#define DAYS_TO_MON 3		/* 1970-01-01 was a Thursday, the fourth day from Monday */
#define FULL_CIRCLE 6.283185307179586

static const struct {
	const char *name;
	int period;
} parts_known[PART_COUNT] = {
	[PART_MINUTE] = { "minute", 60 },
	[PART_HOUR] = { "hour", 24 },
	[PART_DAY_SECOND] = { "day_second", 86400 },
	[PART_WEEKDAY] = { "weekday", 7 },
	[PART_MONTH] = { "month", 12 },
};

/* Two digits within [low, high], and moves on. */
static bool two_digits(struct str *s, int low, int high, int *out)
{
	if (s->len < 2 || s->p[0] < '0' || s->p[0] > '9' || s->p[1] < '0' || s->p[1] > '9')
		return false;
	*out = (s->p[0] - '0') * 10 + (s->p[1] - '0');
	*s = (struct str){ s->p + 2, s->len - 2 };
	return *out >= low && *out <= high;
}

static bool one_of(struct str *s, const char *chars)
{
	if (!s->len || !s->p[0] || !strchr(chars, s->p[0]))
		return false;
	*s = (struct str){ s->p + 1, s->len - 1 };
	return true;
}

static int64_t days_of(int year, int month, int day)
{
	int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - ERA_TO_1970;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + ERA_TO_1970, era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t of_era = z - era * ERA_DAYS;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + era * 400 + (*month <= 2));
}

/* Behind the point: microseconds; further digits are read and dropped. */
static bool parse_fraction(struct str *s, int64_t *us)
{
	int64_t unit = SECOND_US / 10;

	if (!s->len || s->p[0] < '0' || s->p[0] > '9')
		return false;
	for (; s->len && s->p[0] >= '0' && s->p[0] <= '9'; unit /= 10) {
		*us += (s->p[0] - '0') * unit;
		*s = (struct str){ s->p + 1, s->len - 1 };
	}
	return true;
}

static bool parse_zone(struct str s, struct moment *out)
{
	bool is_west = s.len && s.p[0] == '-';
	int hours, minutes = 0;

	if (one_of(&s, "Zz")) {
		out->zone = ZONE_UTC;
	} else if (one_of(&s, "+-")) {
		if (!two_digits(&s, 0, 23, &hours))
			return false;
		if ((one_of(&s, ":") || s.len) && !two_digits(&s, 0, 59, &minutes))
			return false;
		out->zone = ZONE_OFFSET;
		out->offset_min = (is_west ? -1 : 1) * (hours * 60 + minutes);
	}
	return !s.len;
}

bool moment_parse(struct str s, struct moment *out)
{
	int century, year, month, day, hour, minute, second = 0;

	if (!two_digits(&s, 0, 99, &century) || !two_digits(&s, 0, 99, &year) || !one_of(&s, "-") ||
	    !two_digits(&s, 1, 12, &month) || !one_of(&s, "-") || !two_digits(&s, 1, 31, &day))
		return false;
	*out = (struct moment){ .us = days_of(century * 100 + year, month, day) * DAY_US };
	if (!s.len)
		return true;
	if (!one_of(&s, "Tt ") || !two_digits(&s, 0, 24, &hour) || !one_of(&s, ":") ||
	    !two_digits(&s, 0, 59, &minute))
		return false;
	if (one_of(&s, ":")) {
		if (!two_digits(&s, 0, 60, &second))
			return false;
		if (one_of(&s, ".,") && !parse_fraction(&s, &out->us))
			return false;
	}
	out->us += hour * HOUR_US + minute * MINUTE_US + second * SECOND_US;
	return parse_zone(s, out);
}

/* The whole days before us, and what is left of the day. */
static int64_t split_day(int64_t us, int64_t *of_day)
{
	int64_t days = us / DAY_US - (us % DAY_US < 0);

	*of_day = us - days * DAY_US;
	return days;
}

void moment_write(const struct moment *m, struct buf *out)
{
	int year, month, day, ahead = m->offset_min < 0 ? -m->offset_min : m->offset_min;
	int64_t us, days = split_day(m->us, &us);

	date_of(days < FIRST_DAY  ? FIRST_DAY
		: days > LAST_DAY ? LAST_DAY
				  : days,
		&year, &month, &day);
	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, (int)(us / HOUR_US),
		   (int)(us / MINUTE_US % 60), (int)(us / SECOND_US % 60));
	if (us % SECOND_US)
		buf_printf(out, ".%06d", (int)(us % SECOND_US));
	if (m->zone == ZONE_UTC)
		buf_add_char(out, 'Z');
	if (m->zone == ZONE_OFFSET)
		buf_printf(out, "%c%02d:%02d", m->offset_min < 0 ? '-' : '+', ahead / 60,
			   ahead % 60);
}

int64_t moment_between_us(const struct moment *a, const struct moment *b)
{
	return (b->us - b->offset_min * MINUTE_US) - (a->us - a->offset_min * MINUTE_US);
}

enum moment_part moment_part_of(const char *name)
{
	enum moment_part part = 0;

	while (part < PART_COUNT && strcmp(parts_known[part].name, name) != 0)
		part++;
	return part;
}

static int64_t part_value(enum moment_part part, int64_t days, int64_t us)
{
	int year, month, day;

	switch (part) {
	case PART_MINUTE:
		return us / MINUTE_US % 60;
	case PART_HOUR:
		return us / HOUR_US;
	case PART_DAY_SECOND:
		return us / SECOND_US;
	case PART_WEEKDAY:
		return ((days + DAYS_TO_MON) % 7 + 7) % 7;
	default:
		date_of(days, &year, &month, &day);
		return month - 1;
	}
}

void moment_fill(const struct moment *m, const enum moment_part *parts, size_t count, float *out)
{
	int64_t us, days = split_day(m->us, &us);

	for (size_t i = 0; i < count; i++) {
		double angle = FULL_CIRCLE * (double)part_value(parts[i], days, us) /
			       parts_known[parts[i]].period;

		out[2 * i] = (float)sin(angle);
		out[2 * i + 1] = (float)cos(angle);
	}
}
