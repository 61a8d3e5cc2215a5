/* SPDX-License-Identifier: MIT
 *
 * counter_text - see the header. A label value may contain blanks and braces, so the
 * value of a sample is looked for behind the closing quote and brace. */
#include "matrix/counter_text.h"

#include <math.h>

#include "base/num.h"

#define COUNTER_MAX 9007199254740992.0

/* Moves *line behind {...}; quotes and escapes are honoured. False: it does not end. */
static bool skip_labels(struct str *line)
{
	bool is_quoted = false;

	for (size_t i = 1; i < line->len; i++) {
		char c = line->p[i];

		if (is_quoted && c == '\\') {
			i++;
		} else if (c == '"') {
			is_quoted = !is_quoted;
		} else if (c == '}' && !is_quoted) {
			*line = (struct str){ line->p + i + 1, line->len - i - 1 };
			return true;
		}
	}
	return false;
}

/* Moves *line behind the name. False: it is a sample of another one. */
static bool cut_name(struct str *line, const char *name)
{
	size_t len = strlen(name);

	if (line->len <= len || memcmp(line->p, name, len) != 0)
		return false;
	*line = (struct str){ line->p + len, line->len - len };
	return line->p[0] == '{' || line->p[0] == ' ';
}

/* Cuts lines until one is a sample of this name; *out is its value. */
static bool next_sample(struct str *page, const char *name, struct str *out)
{
	struct str line;

	while (str_cut(page, '\n', &line)) {
		if (!cut_name(&line, name) || (line.p[0] == '{' && !skip_labels(&line)))
			continue;
		line = str_trim(line);
		/* A time stamp may follow the value. */
		if (!str_cut(&line, ' ', out))
			*out = line;
		return true;
	}
	return false;
}

bool counter_text_sum(struct str page, const char *name, uint64_t *out)
{
	double number, sum = 0;
	struct str value;

	while (next_sample(&page, name, &value)) {
		if (!num_parse_double(value, &number) || number < 0 || number > COUNTER_MAX ||
		    number != floor(number))
			return false;
		sum += number;
	}
	*out = (uint64_t)sum;
	return sum <= COUNTER_MAX;
}

bool counter_text_has(struct str page, const char *name)
{
	static const char type[] = "# TYPE ";
	const size_t type_len = sizeof(type) - 1;
	struct str line;

	while (str_cut(&page, '\n', &line)) {
		if (line.len > type_len && memcmp(line.p, type, type_len) == 0)
			line = (struct str){ line.p + type_len, line.len - type_len };
		if (cut_name(&line, name))
			return true;
	}
	return false;
}

double counter_text_total(struct str page, const char *name)
{
	double number, sum = NAN;
	struct str value;

	while (next_sample(&page, name, &value)) {
		if (!num_parse_double(value, &number) || number < 0 || number > COUNTER_MAX)
			return NAN;
		sum = isnan(sum) ? number : sum + number;
	}
	return sum;
}
