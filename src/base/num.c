/* SPDX-License-Identifier: MIT
 *
 * num - see the header. */
#include "base/num.h"

#include <math.h>
#include <stdlib.h>

#define DURATION_MAX_S (366ull * 24 * 3600)

bool num_parse_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (!s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)s.p[i] - '0';

		if (digit > 9 || value > (max - digit) / 10 || digit > max)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

bool num_parse_double(struct str s, double *out)
{
	char text[64], *end;
	double value;

	if (!s.len || s.len >= sizeof(text))
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	if (strspn(text, "0123456789+-.eE") != s.len)
		return false;
	value = strtod(text, &end);
	if (*end || !isfinite(value))
		return false;
	*out = value;
	return true;
}

bool num_parse_duration(struct str s, uint64_t *out_s)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	uint64_t total = 0, value;
	size_t next = 0;

	if (num_parse_u64(s, DURATION_MAX_S, out_s))
		return true;
	while (s.len) {
		size_t digits = 0;

		while (digits < s.len && s.p[digits] >= '0' && s.p[digits] <= '9')
			digits++;
		if (digits == s.len ||
		    !num_parse_u64((struct str){ s.p, digits }, DURATION_MAX_S, &value))
			return false;
		while (next < 3 && units[next].unit != s.p[digits])
			next++;
		if (next == 3)
			return false;
		total += value * units[next++].seconds;
		s = (struct str){ s.p + digits + 1, s.len - digits - 1 };
	}
	if (next == 0 || total > DURATION_MAX_S)
		return false;
	*out_s = total;
	return true;
}
