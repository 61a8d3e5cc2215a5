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

bool counter_text_sum(struct str page, const char *name, uint64_t *out)
{
	size_t name_len = strlen(name);
	struct str line, value;
	double number, sum = 0;

	while (str_cut(&page, '\n', &line)) {
		if (line.len <= name_len || memcmp(line.p, name, name_len) != 0)
			continue;
		line = (struct str){ line.p + name_len, line.len - name_len };
		if (line.p[0] == '{' ? !skip_labels(&line) : line.p[0] != ' ')
			continue;
		line = str_trim(line);
		/* A time stamp may follow the value. */
		if (!str_cut(&line, ' ', &value) || !num_parse_double(value, &number) ||
		    number < 0 || number > COUNTER_MAX || number != floor(number))
			return false;
		sum += number;
	}
	*out = (uint64_t)sum;
	return sum <= COUNTER_MAX;
}
