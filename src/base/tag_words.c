/* SPDX-License-Identifier: MIT
 *
 * tag_words - see the header. */
#include "base/tag_words.h"

#include <string.h>

#include "base/str.h"

#define SEPARATORS " ,[]"

/* The next word of *rest; len 0: there is none. */
static struct str next_word(const char **rest)
{
	struct str word;

	*rest += strspn(*rest, SEPARATORS);
	word = (struct str){ *rest, strcspn(*rest, SEPARATORS) };
	*rest += word.len;
	return word;
}

static bool holds(const char *words, struct str wanted)
{
	struct str word;

	while ((word = next_word(&words)).len)
		if (word.len == wanted.len && memcmp(word.p, wanted.p, word.len) == 0)
			return true;
	return false;
}

static bool has_one_of(const char *tags, const struct opt_texts *wanted)
{
	for (size_t i = 0; tags && i < wanted->count; i++) {
		const char *rest = wanted->value[i];
		struct str word;

		while ((word = next_word(&rest)).len)
			if (holds(tags, word))
				return true;
	}
	return false;
}

bool tag_words_admit(const char *tags, const struct opt_texts *only, const struct opt_texts *except)
{
	return (!only->count || has_one_of(tags, only)) && !has_one_of(tags, except);
}
