/* SPDX-License-Identifier: MIT
 *
 * json_scan - see the header.
 *
 * Numbers: up to 19 digits are gathered in a 64-bit integer. If it and the power of ten are
 * exact as doubles, one division or multiplication gives the correctly rounded result (W. D.
 * Clinger, "How to Read Floating Point Numbers Accurately", 1990). Bodies that programs write have
 * 17 digits as often; for a float these are divided as long doubles, and only if the result lies so
 * close to the middle between two floats that its own rounding may matter, strtof() has to
 * decide. What is left goes to strtod(). */
#include "base/json_scan.h"

#include <float.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

#define MANTISSA_FULL	 1000000000000000000ull /* one digit more always fits */
#define MANTISSA_EXACT	 (1ull << 53)
#define POWER_EXACT	 22
#define DIGITS_EXACT	 15 /* as many always make an exact double */
#define EXPONENT_CLIPPED 100000
/* Of a decimal fraction, to say on which side of the middle between two doubles it lies. */
#define DIGITS_MATTER 770
#define NUMBER_TEXT   (DIGITS_MATTER + 24)
/* The bits that a double has and a float has not, and the first of them. */
#define FLOAT_REST_MASK ((1ull << 29) - 1)
#define FLOAT_REST_HALF (1ull << 28)

static const double powers[POWER_EXACT + 1] = { 1e0,  1e1,  1e2,  1e3,	1e4,  1e5,  1e6,  1e7,
						1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
						1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* Bytes of a string that need no look: printable ASCII but quote and backslash. */
static const bool is_plain[256] = { [0x20 ... 0x21] = true,
				    [0x23 ... 0x5b] = true,
				    [0x5d ... 0x7f] = true };

bool json_scan_fail(struct json_scan *s, const char *fault)
{
	s->fault = fault;
	return false;
}

bool json_scan_unexpected(struct json_scan *s, const char *wanted)
{
	static const struct {
		const char *word, *fault;
	} words[] = {
		{ "NaN", "NaN is not JSON" },
		{ "nan", "nan is not JSON" },
		{ "Infinity", "Infinity is not JSON" },
		{ "-Infinity", "-Infinity is not JSON" },
		{ "inf", "inf is not JSON" },
		{ "'", "strings stand in double quotes" },
		{ "/", "comments are not JSON" },
		{ "+", "a number does not begin with +" },
		{ ".", "a number does not begin with a point" },
	};

	if (json_scan_peek(s) == '\0' && s->p == s->end)
		return json_scan_fail(s, "ends too early");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].word);

		if ((size_t)(s->end - s->p) >= len && memcmp(s->p, words[i].word, len) == 0)
			return json_scan_fail(s, words[i].fault);
	}
	return json_scan_fail(s, wanted);
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* s->p stands on the backslash. */
static bool scan_escape(struct json_scan *s)
{
	if (s->end - s->p < 2)
		return json_scan_fail(s, "ends inside a string");
	if (s->p[1] && strchr("\"\\/bfnrt", s->p[1])) {
		s->p += 2;
		return true;
	}
	if (s->p[1] != 'u')
		return json_scan_fail(s, "unknown escape in a string");
	if (s->end - s->p < 6)
		return json_scan_fail(s, "ends inside a string");
	for (int i = 2; i < 6; i++)
		if (!is_hex(s->p[i]))
			return json_scan_fail(s, "\\u needs four hexadecimal digits");
	s->p += 6;
	return true;
}

bool json_scan_string(struct json_scan *s, struct str *raw)
{
	const char *begin;
	size_t step;

	if (!json_scan_take(s, '"'))
		return json_scan_unexpected(s, "expected a string");
	begin = s->p;
	for (;;) {
		while (s->p < s->end && is_plain[(unsigned char)*s->p])
			s->p++;
		if (s->p == s->end)
			return json_scan_fail(s, "ends inside a string");
		if (*s->p == '"')
			break;
		if (*s->p == '\\') {
			if (!scan_escape(s))
				return false;
		} else if ((unsigned char)*s->p < 0x20) {
			return json_scan_fail(s, "control character in a string");
		} else {
			step = str_utf8_step(s->p, (size_t)(s->end - s->p));
			if (!step)
				return json_scan_fail(s, "not UTF-8");
			s->p += step;
		}
	}
	*raw = (struct str){ begin, (size_t)(s->p - begin) };
	s->p++;
	return true;
}

static bool is_digit_at(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

/* s->p stands behind the e. Adds to *exponent. */
static bool scan_exponent(struct json_scan *s, int *exponent)
{
	const char *p = s->p;
	bool is_negative = p < s->end && *p == '-';
	int value = 0;

	if (p < s->end && (*p == '-' || *p == '+'))
		p++;
	s->p = p;
	if (!is_digit_at(p, s->end))
		return json_scan_fail(s, "a number needs a digit after the exponent sign");
	for (; is_digit_at(p, s->end); p++)
		if (value < EXPONENT_CLIPPED)
			value = value * 10 + (*p - '0');
	s->p = p;
	*exponent += is_negative ? -value : value;
	return true;
}

/* The parts of a number: what stands from begin to end, without its sign. */
struct number {
	const char *begin, *end;
	bool is_negative;
	bool is_cut;	   /* there are more digits than the mantissa has */
	uint64_t mantissa; /* times ten to the power of exponent */
	int exponent, written_exponent;
};

static bool scan_fraction(struct json_scan *s, struct number *n)
{
	const char *p = s->p + 1;

	s->p = p;
	if (!is_digit_at(p, s->end))
		return json_scan_fail(s, "a number needs a digit after its point");
	for (; is_digit_at(p, s->end); p++) {
		if (n->mantissa >= MANTISSA_FULL || n->exponent <= -EXPONENT_CLIPPED) {
			n->is_cut = true;
			continue;
		}
		n->mantissa = n->mantissa * 10 + (uint64_t)(*p - '0');
		n->exponent--;
	}
	s->p = p;
	return true;
}

static bool scan_number(struct json_scan *s, struct number *n)
{
	const char *p, *end = s->end;

	*n = (struct number){ .is_negative = json_scan_peek(s) == '-' };
	n->begin = p = s->p + n->is_negative;
	if (!is_digit_at(p, end))
		return json_scan_unexpected(s, "expected a number");
	if (*p == '0' && is_digit_at(p + 1, end))
		return json_scan_fail(s, "a number does not begin with a needless 0");
	for (; is_digit_at(p, end); p++) {
		if (n->mantissa < MANTISSA_FULL) {
			n->mantissa = n->mantissa * 10 + (uint64_t)(*p - '0');
		} else {
			n->is_cut = true;
			n->exponent += n->exponent < EXPONENT_CLIPPED;
		}
	}
	s->p = p;
	if (p < end && *p == '.' && !scan_fraction(s, n))
		return false;
	if (s->p < end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (!scan_exponent(s, &n->written_exponent))
			return false;
		n->exponent += n->written_exponent;
	}
	n->end = s->p;
	return true;
}

/* Writes the number as DIGITSeEXPONENT: without a point, so the locale has no say, and with no
 * more digits than can matter; one behind them stands for all that follow. */
static void rewrite(const struct number *n, char out[NUMBER_TEXT])
{
	int exponent = n->written_exponent;
	bool is_behind_point = false, has_more = false;
	size_t len = 0;

	for (const char *p = n->begin; p < n->end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.') {
			is_behind_point = true;
		} else if (len == 0 && *p == '0') {
			exponent -= is_behind_point;
		} else if (len < DIGITS_MATTER) {
			out[len++] = *p;
			exponent -= is_behind_point;
		} else {
			has_more = has_more || *p != '0';
			exponent += !is_behind_point;
		}
	}
	snprintf(out + len, NUMBER_TEXT - len, "%se%d",
		 has_more ? "1"
		 : len	  ? ""
			  : "0",
		 exponent - has_more);
}

static double value_of(const struct number *n)
{
	char text[NUMBER_TEXT];

	if (n->mantissa <= MANTISSA_EXACT && !n->is_cut && n->exponent >= -POWER_EXACT &&
	    n->exponent <= POWER_EXACT)
		return n->exponent <= 0 ? (double)n->mantissa / powers[-n->exponent]
					: (double)n->mantissa * powers[n->exponent];
	rewrite(n, text);
	return strtod(text, NULL);
}

bool json_scan_number(struct json_scan *s, double *out)
{
	struct number n;

	if (!scan_number(s, &n))
		return false;
	*out = n.is_negative ? -value_of(&n) : value_of(&n);
	return true;
}

/* Would another rounding of a double's last bit make another float of it? */
static bool is_in_the_middle(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bits &= FLOAT_REST_MASK;
	return value < (double)FLT_MIN ||
	       (bits >= FLOAT_REST_HALF - 1 && bits <= FLOAT_REST_HALF + 1);
}

static float float_of(const struct number *n)
{
	char text[NUMBER_TEXT];
	double value;

	if (!n->mantissa)
		return 0;
	if (!n->is_cut && n->exponent >= -POWER_EXACT && n->exponent <= POWER_EXACT) {
		if (n->mantissa > MANTISSA_EXACT)
			value = (double)(n->exponent <= 0
						 ? (long double)n->mantissa / powers[-n->exponent]
						 : (long double)n->mantissa * powers[n->exponent]);
		else
			value = value_of(n);
		if (!is_in_the_middle(value))
			return (float)value;
	}
	rewrite(n, text);
	return strtof(text, NULL);
}

/* Nearly every number: few digits and no exponent, so that nothing of scan_number() is needed.
 * False: it is another one, or none, and s->p has not moved. */
static bool scan_plain(struct json_scan *s, float *out)
{
	const char *const end = s->end, *begin = s->p + (*s->p == '-'), *p = begin, *fraction;
	size_t digits, behind = 0;
	uint64_t mantissa = 0;
	double value;

	for (; is_digit_at(p, end); p++)
		mantissa = mantissa * 10 + (uint64_t)(*p - '0');
	digits = (size_t)(p - begin);
	if (!digits || (digits > 1 && *begin == '0'))
		return false;
	if (p < end && *p == '.') {
		for (fraction = ++p; is_digit_at(p, end); p++)
			mantissa = mantissa * 10 + (uint64_t)(*p - '0');
		behind = (size_t)(p - fraction);
		if (!behind)
			return false;
	}
	if (digits + behind > DIGITS_EXACT || (p < end && (*p == 'e' || *p == 'E')))
		return false;
	value = (double)mantissa / powers[behind];
	if (mantissa && is_in_the_middle(value))
		return false;
	*out = *s->p == '-' ? -(float)value : (float)value;
	s->p = p;
	return true;
}

bool json_scan_float(struct json_scan *s, float *out)
{
	struct number n;

	json_scan_peek(s);
	if (s->p < s->end && scan_plain(s, out))
		return true;
	if (!scan_number(s, &n))
		return false;
	*out = n.is_negative ? -float_of(&n) : float_of(&n);
	return true;
}

static bool skip_word(struct json_scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return json_scan_unexpected(s, "expected a value");
	s->p += len;
	return true;
}

static bool skip_scalar(struct json_scan *s)
{
	struct str text;
	double number;

	switch (json_scan_peek(s)) {
	case '"':
		return json_scan_string(s, &text);
	case 't':
		return skip_word(s, "true");
	case 'f':
		return skip_word(s, "false");
	case 'n':
		return skip_word(s, "null");
	case '-':
	case '0' ... '9':
		return json_scan_number(s, &number);
	default:
		return json_scan_unexpected(s, "expected a value");
	}
}

static bool skip_key(struct json_scan *s)
{
	struct str key;

	if (!json_scan_string(s, &key))
		return false;
	return json_scan_take(s, ':') || json_scan_unexpected(s, "expected ':'");
}

bool json_scan_skip(struct json_scan *s)
{
	char closers[LIMIT_JSON_DEPTH]; /* of the lists and objects that are opened here */
	size_t depth = 0;

	for (;;) {
		char c = json_scan_peek(s);

		if (c == '{' || c == '[') {
			if (s->depth + depth >= LIMIT_JSON_DEPTH)
				return json_scan_fail(s, "nested too deep");
			s->p++;
			closers[depth++] = c == '{' ? '}' : ']';
			if (!json_scan_take(s, closers[depth - 1])) {
				if (c == '{' && !skip_key(s))
					return false;
				continue;
			}
			depth--;
		} else if (!skip_scalar(s)) {
			return false;
		}
		while (depth && json_scan_take(s, closers[depth - 1]))
			depth--;
		if (!depth)
			return true;
		if (!json_scan_take(s, ','))
			return json_scan_unexpected(s, closers[depth - 1] == '}'
							       ? "expected ',' or '}'"
							       : "expected ',' or ']'");
		if (closers[depth - 1] == '}' && !skip_key(s))
			return false;
	}
}

bool json_scan_finish(struct json_scan *s)
{
	json_scan_peek(s);
	return s->p == s->end || json_scan_fail(s, "something follows after the end");
}

static unsigned hex4(const char *p)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];

		value = value * 16 + (c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10);
	}
	return value;
}

/* p stands behind \u; returns the bytes used beyond it. */
static size_t unescape_unicode(const char *p, const char *end, char utf8[4], size_t *len)
{
	unsigned code = hex4(p), low;
	size_t used = 4;

	if (code >= 0xd800 && code < 0xdc00 && end - p >= 10 && p[4] == '\\' && p[5] == 'u' &&
	    (low = hex4(p + 6)) >= 0xdc00 && low < 0xe000) {
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		used = 10;
	} else if (code >= 0xd800 && code < 0xe000) {
		code = 0xfffd;
	}
	*len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = *len; i > 1; i--) {
		utf8[i - 1] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	utf8[0] = (char)(*len == 1 ? code : (0xf00u >> *len & 0xffu) | code);
	return used;
}

/* The character at *p, which is before end, as it is meant; moves *p behind it. Bytes above 0x7f
 * come one by one. */
static size_t next_char(const char **p, const char *end, char utf8[4])
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *letter;
	size_t len = 1;

	utf8[0] = *(*p)++;
	if (utf8[0] != '\\')
		return 1;
	if (**p == 'u') {
		++*p;
		*p += unescape_unicode(*p, end, utf8, &len);
		return len;
	}
	letter = strchr(from, **p);
	utf8[0] = letter ? to[letter - from] : **p;
	++*p;
	return 1;
}

size_t json_unescape(struct str raw, char *out, size_t size)
{
	const char *end = raw.p + raw.len;
	size_t total = 0;

	for (const char *p = raw.p; p < end;) {
		char utf8[4];
		size_t len = next_char(&p, end, utf8);

		for (size_t i = 0; i < len; i++, total++)
			if (total < size)
				out[total] = utf8[i];
	}
	return total;
}

bool json_text_is(struct str raw, struct str text)
{
	const char *end = raw.p + raw.len;
	size_t at = 0;

	if (!raw.len || !memchr(raw.p, '\\', raw.len))
		return raw.len == text.len && (!raw.len || memcmp(raw.p, text.p, raw.len) == 0);
	for (const char *p = raw.p; p < end;) {
		char utf8[4];
		size_t len = next_char(&p, end, utf8);

		if (text.len - at < len || memcmp(text.p + at, utf8, len) != 0)
			return false;
		at += len;
	}
	return at == text.len;
}
