/* SPDX-License-Identifier: MIT
 *
 * field - options that a locustfile has added, as fields of the form that starts a test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct web_field {
	const char *name, *help; /* help may be "" */
	const char *value;	 /* what it is before the form; of a secret one never shown */
	bool is_secret;
	const char *const *choices; /* NULL behind the last; NULL: any text */
};

/* Whom the form is told to, and which fields it has. */
struct web_fields {
	const struct web_field *items; /* lent */
	size_t count;
	/* Before the test starts: names and values that were given, each with a NUL behind. */
	void (*given)(void *arg, struct str pairs);
	void *arg;
};
