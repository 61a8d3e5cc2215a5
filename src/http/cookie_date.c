/* SPDX-License-Identifier: MIT
 *
 * cookie_date - the dates of cookies. Servers write them in many ways, so RFC 6265 5.1.1 takes a
 * text apart into tokens and lets each be the first thing still missing that it can be: a time, a
 * day, a month, a year. */
#include <time.h>

#include "http/cookie.h"

struct date {
	struct tm tm;
	bool has_time, has_day, has_month, has_year;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_delimiter(unsigned char c)
{
	return c == '\t' || (c >= 0x20 && c <= 0x2f) || (c >= 0x3b && c <= 0x40) ||
	       (c >= 0x5b && c <= 0x60) || (c >= 0x7b && c <= 0x7e);
}

/* Takes low to high digits that no further digit follows off the token. */
static bool take_number(struct str *s, size_t low, size_t high, int *out)
{
	size_t len = 0;

	*out = 0;
	while (len < s->len && len < high && is_digit(s->p[len]))
		*out = *out * 10 + (s->p[len++] - '0');
	if (len < low || (len < s->len && is_digit(s->p[len])))
		return false;
	*s = (struct str){ s->p + len, s->len - len };
	return true;
}

static bool take_colon(struct str *s)
{
	if (!s->len || s->p[0] != ':')
		return false;
	*s = (struct str){ s->p + 1, s->len - 1 };
	return true;
}

static bool read_time(struct date *d, struct str token)
{
	struct tm *tm = &d->tm;

	d->has_time = take_number(&token, 1, 2, &tm->tm_hour) && take_colon(&token) &&
		      take_number(&token, 1, 2, &tm->tm_min) && take_colon(&token) &&
		      take_number(&token, 1, 2, &tm->tm_sec);
	return d->has_time;
}

static bool read_month(struct date *d, struct str token)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int i = 0; token.len >= 3 && i < 12; i++)
		if (strncasecmp(token.p, months + (size_t)i * 3, 3) == 0) {
			d->tm.tm_mon = i;
			d->has_month = true;
			return true;
		}
	return false;
}

static bool read_year(struct date *d, struct str token)
{
	int year;

	if (!take_number(&token, 2, 4, &year))
		return false;
	if (year < 70)
		year += 2000;
	else if (year < 100)
		year += 1900;
	d->tm.tm_year = year - 1900;
	d->has_year = true;
	return true;
}

static void read_token(struct date *d, struct str token)
{
	struct str rest = token;

	if (!d->has_time && read_time(d, token))
		return;
	if (!d->has_day && take_number(&rest, 1, 2, &d->tm.tm_mday)) {
		d->has_day = true;
		return;
	}
	if (!d->has_month && read_month(d, token))
		return;
	if (!d->has_year)
		(void)read_year(d, token);
}

static bool is_valid(const struct date *d)
{
	const struct tm *tm = &d->tm;

	return d->has_time && d->has_day && d->has_month && d->has_year && tm->tm_mday >= 1 &&
	       tm->tm_mday <= 31 && tm->tm_year >= 1601 - 1900 && tm->tm_hour <= 23 &&
	       tm->tm_min <= 59 && tm->tm_sec <= 59;
}

bool cookie_parse_date(struct str text, int64_t *out_s)
{
	struct date d = { 0 };

	while (text.len) {
		size_t len = 0;

		while (len < text.len && !is_delimiter((unsigned char)text.p[len]))
			len++;
		if (len)
			read_token(&d, (struct str){ text.p, len });
		len += len < text.len;
		text = (struct str){ text.p + len, text.len - len };
	}
	if (!is_valid(&d))
		return false;
	*out_s = (int64_t)timegm(&d.tm);
	return true;
}
